#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Programs as people run them, in a stage on S3 and in a directory: the same
# work is done on the local disk, and what is there after a new mount is the
# same. Those that are not installed are skipped.
. "$(dirname "$0")/lib.sh"
CONF_MORE="[stage disk]
url = fs://$T/disk/"
mkdir "$T/disk"
write_config 'metadata_ttl = 5'
mount_up
export GIT_CONFIG_GLOBAL=/dev/null GIT_AUTHOR_NAME=t GIT_COMMITTER_NAME=t
export GIT_AUTHOR_EMAIL=t@t GIT_COMMITTER_EMAIL=t@t
export GIT_AUTHOR_DATE='2001-01-01 00:00:00' GIT_COMMITTER_DATE='2001-01-01 00:00:00'
PYTHON=${STAGEFS_TEST_PYTHON-/usr/bin/python3}

# What the programs work on: text in a tree, and bytes.
mkdir -p "$LOCAL/tree/sub/deep" "$LOCAL/empty"
for n in {1..30}; do
	seq $((n * 40)) >"$LOCAL/tree/f$n"
	seq $n >"$LOCAL/tree/sub/deep/f$n.txt"
done
printf 'one\ntwo\nthree\n' >"$LOCAL/tree/words"
printf '#include <stdio.h>\nint main(void)\n{\n\tputs("compiled");\n}\n' \
	>"$LOCAL/tree/hello.c"
random_file "$LOCAL/tree/bytes" 3000000
(cd "$LOCAL" && tar cf tree.tar tree)
chmod -R go-w "$LOCAL/tree"

have() {	# PROGRAM...
	command -v "$@" >/dev/null
}
work=0
# program SENTENCE SHELL-TEXT: the text succeeds in an empty folder of each
# stage and of the local disk, and leaves the same files there; $SRC is the
# tree. What is below a folder `own` differs by itself.
program() {
	local kind where
	work=$((work + 1))
	for kind in local fs s3; do
		case $kind in
		local) where=$LOCAL/work$work ;;
		fs) where=$MNT/disk/work$work ;;
		s3) where=$MNT/ext/work$work ;;
		esac
		mkdir "$where"
		[ $kind != local ] || {
			(cd "$where" && SRC=$LOCAL/tree && eval "$2") \
				>"$T/local.out" 2>&1 </dev/null ||
				bail "$1: fails on the local disk: $(tail -n 5 "$T/local.out")"
			continue
		}
		ok "$kind: $1" "
			cd $where && SRC=$LOCAL/tree && { $2
			} && cd / && diff -r -x own $LOCAL/work$work $where"
	done
}
# later SENTENCE SHELL-TEXT: the same, of the last program, by a new mount.
later=()
later() {
	later+=("$work" "$1" "$2")
}
without() {	# PROGRAM SENTENCE...
	local sentence
	for sentence in "${@:2}"; do
		skip "$sentence" "no $1"
	done
}

# ---- copies and archives

program 'cp -a, cp --reflink=auto, cp --sparse=always' '
	cp -a $SRC a && cp --reflink=auto $SRC/bytes b &&
	cp --reflink=auto b c && truncate -s 2M holes && printf x >>holes &&
	cp --sparse=always holes d && cmp holes d'
program 'tar x, tar c and tar r' '
	tar xf $SRC.tar && mkdir own own/b && tar cf own/a.tar tree &&
	tar rf own/a.tar -C tree words && tar xf own/a.tar -C own/b &&
	diff -r own/b/tree tree && cmp own/b/words tree/words &&
	tar tf own/a.tar | wc -l'
program 'gzip, split and cat' '
	cp $SRC/bytes . && gzip -nk bytes && gunzip -t bytes.gz &&
	split -b 300000 bytes part. && cat part.* | cmp - bytes'
if have zip && have unzip; then
	program 'zip and unzip' '
		cp -r $SRC tree && zip -qr own.zip tree && mkdir own &&
		mv own.zip own/ && unzip -q own/own.zip -d there &&
		zip -q own/own.zip -d tree/words && unzip -tq own/own.zip &&
		diff -r tree there/tree'
else
	without zip 'zip and unzip'
fi
if have rsync; then
	program 'rsync -a, also over what is there' '
		rsync -a $SRC/ r/ && echo more >>r/f1 && rm r/f2 &&
		rsync -ac --delete $SRC/ r/ &&
		[ -z "$(rsync -rcn --out-format=%n $SRC/ r/)" ]'
	program 'rsync --inplace and --append' '
		cp $SRC/bytes b && { head -c 1000000 $SRC/bytes; echo amid
		tail -c 1000000 $SRC/bytes; } >c && mkdir own && mv c own/b &&
		rsync --inplace --no-whole-file -I own/b . && cmp b own/b &&
		head -c 5000 $SRC/bytes >a && mkdir own/x && cp $SRC/bytes own/x/a &&
		rsync --append-verify own/x/a . && cmp a $SRC/bytes'
else
	without rsync 'rsync -a, also over what is there' \
		'rsync --inplace and --append'
fi

# ---- editors and filters

program 'sed -i, perl -i, sort -o, patch' '
	cp $SRC/words w && sed -i s/two/TWO/ w && sed -i.bak s/three/3/ w &&
	perl -pi -e s/one/1/ w && sort -o w w && cp $SRC/f9 . &&
	printf "1c1\n< 1\n---\n> first\n" | { have patch || exit 0; patch -s f9; }'
program 'dd amid, behind and at the end of a file' '
	cp $SRC/bytes b &&
	printf AMID | dd of=b bs=1 seek=1234567 conv=notrunc status=none &&
	dd if=$SRC/f1 of=b oflag=append conv=notrunc status=none &&
	dd if=$SRC/f1 of=b bs=1M seek=5 conv=notrunc,fsync status=none &&
	dd if=b of=c bs=4096 skip=100 count=50 iflag=direct oflag=direct status=none'
VIM=$(command -v vim vim.tiny vim.basic | head -n 1)
if [ -n "$VIM" ]; then
	program 'vim, with a swap file and a backup' '
		cp $SRC/words w && TERM=dumb "$VIM" -u NONE -N -es \
			-c "set swapfile backup backupskip= backupcopy=no" -c "%s/two/zwei/" -c wq w &&
		grep -qx zwei w && grep -qx two w~ &&
		TERM=dumb "$VIM" -u NONE -N -es -c "set swapfile backupskip= backupcopy=yes" \
			-c "1d" -c wq w && [ -z "$(ls -A | grep swp)" ]'
else
	without vim 'vim, with a swap file and a backup'
fi
program 'find -delete and rm -rf' '
	cp -r $SRC a && cp -r $SRC b && find a -name "f*" -type f -delete &&
	find a -depth -empty -delete && rm -rf b && ! ls b && cp -r $SRC/sub b'

# ---- builds

program 'gcc, ar and what they made' '
	cp $SRC/hello.c . && mkdir own && gcc -g -c hello.c -o own/hello.o &&
	ar rcs own/lib.a own/hello.o && gcc -o own/hello own/hello.o &&
	own/hello >said && gcc -shared -fPIC -o own/lib.so hello.c &&
	own/hello >>said'
later 'what gcc made runs (S3 keeps no mode by default)' '
	chmod +x own/hello && own/hello | grep -qx compiled'
program 'git init, commit, clone, checkout and gc' '
	mkdir own && cd own && git init -q -b main first && cd first &&
	cp -r $SRC/* . && git add . && git commit -qm one &&
	git checkout -qb side && git rm -q f1 && echo more >>f2 &&
	git commit -qam two && git checkout -q main && [ -f f1 ] &&
	git merge -q side && [ ! -f f1 ] && git gc -q --prune=now &&
	git fsck --strict 2>&1 && cd .. && git clone -q first second &&
	git -C second repack -adq && git -C second fsck 2>&1 &&
	echo x >second/new && git -C second add new &&
	git -C second commit -qm three && git -C first pull -q ../second main &&
	git -C first rev-parse HEAD >../head && cd .. && rm -rf own/first'
later 'a clone is whole' '
	git -C own/second fsck --strict && git -C own/second status --porcelain |
		cmp - /dev/null && [ "$(git -C own/second rev-parse HEAD)" = "$(cat head)" ]'

# ---- databases

if have sqlite3; then
	for mode in delete truncate wal; do
		program "sqlite3, two writers, journal_mode=$mode" '
			mkdir own && db=own/db &&
			[ "$(sqlite3 $db "PRAGMA journal_mode='$mode'")" = '$mode' ] &&
			sqlite3 $db "CREATE TABLE t(who, n, text)" && pids= &&
			for who in 1 2; do
				for n in 1 2 3 4 5 6; do
					echo "BEGIN IMMEDIATE;"
					for k in 1 2 3 4 5 6 7 8; do
						echo "INSERT INTO t VALUES($who, $n, hex(randomblob(400)));"
					done
					echo "COMMIT;"
				done | sqlite3 -cmd ".timeout 60000" $db & pids="$pids $!"
			done && for pid in $pids; do wait $pid || exit 1; done &&
			sqlite3 $db "DELETE FROM t WHERE n = 3; VACUUM;
				SELECT who, n, count(*) FROM t GROUP BY who, n;
				PRAGMA integrity_check" >said && grep -qx ok said'
		later "the database is whole ($mode)" '
			sqlite3 own/db "SELECT who, n, count(*) FROM t GROUP BY who, n;
				PRAGMA integrity_check" | cmp - said'
	done
else
	without sqlite3 'sqlite3, two writers'
fi
if "$PYTHON" -c 'import duckdb' 2>/dev/null; then
	program 'duckdb writes a database and Parquet, and reads them' '
		mkdir own && "$PYTHON" - <<-END
		import duckdb
		db = duckdb.connect("own/db")
		db.execute("CREATE TABLE t AS SELECT range AS n, hash(range) AS h FROM range(200000)")
		db.execute("DELETE FROM t WHERE n % 3 = 0")
		db.execute("CHECKPOINT")
		db.execute("COPY t TO '"'own/t.parquet'"' (FORMAT parquet)")
		db.close()
		db = duckdb.connect("own/db")
		one = db.execute("SELECT count(*), sum(n) FROM t").fetchall()
		other = db.execute("SELECT count(*), sum(n) FROM '"'own/t.parquet'"'").fetchall()
		assert one == other and one[0][0] == 133333, (one, other)
		END'
else
	without duckdb 'duckdb writes a database and Parquet, and reads them'
fi
if "$PYTHON" -c 'import pyarrow' 2>/dev/null; then
	program 'pyarrow writes Parquet and Feather, and maps them' '
		mkdir own && "$PYTHON" - <<-END
		import pyarrow, pyarrow.feather, pyarrow.parquet
		table = pyarrow.table({"n": list(range(100000))})
		pyarrow.parquet.write_table(table, "own/t.parquet")
		pyarrow.feather.write_feather(table, "own/t.feather", compression="uncompressed")
		assert pyarrow.parquet.read_table("own/t.parquet") == table
		assert pyarrow.feather.read_table("own/t.feather", memory_map=True) == table
		END'
else
	without pyarrow 'pyarrow writes Parquet and Feather, and maps them'
fi

# ---- package managers

if "$PYTHON" -m pip --version >/dev/null 2>&1; then
	mkdir -p "$LOCAL/wheel/thing" "$LOCAL/wheel/thing-1.dist-info"
	echo 'WORD = "installed"' >"$LOCAL/wheel/thing/__init__.py"
	printf 'Metadata-Version: 2.1\nName: thing\nVersion: 1\n' \
		>"$LOCAL/wheel/thing-1.dist-info/METADATA"
	printf 'Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n' \
		>"$LOCAL/wheel/thing-1.dist-info/WHEEL"
	: >"$LOCAL/wheel/thing-1.dist-info/RECORD"
	(cd "$LOCAL/wheel" && "$PYTHON" -m zipfile -c ../thing-1-py3-none-any.whl \
		thing thing-1.dist-info)
	program 'pip install --target' '
		mkdir own && "$PYTHON" -m pip install -q --no-index --target own/lib \
			$SRC/../thing-1-py3-none-any.whl &&
		PYTHONPATH=own/lib "$PYTHON" -c "
import thing
assert thing.WORD == \"installed\""'
else
	without pip 'pip install --target'
fi
if have npm && have node; then
	mkdir -p "$LOCAL/package"
	echo '{"name": "thing", "version": "1.0.0", "main": "index.js"}' \
		>"$LOCAL/package/package.json"
	echo 'module.exports = "installed";' >"$LOCAL/package/index.js"
	tar czf "$LOCAL/thing.tgz" -C "$LOCAL" package
	program 'npm install' '
		mkdir own && cd own && echo "{\"name\": \"x\", \"version\": \"1.0.0\"}" >package.json &&
		npm install --offline --no-audit --no-fund --cache $HOME/npm $SRC/../thing.tgz &&
		[ "$(node -p "require(\"thing\")")" = installed ]'
else
	without npm 'npm install'
fi

# ---- the same by a new mount

remount
for kind in fs s3; do
	where=$MNT/disk
	[ $kind = fs ] || where=$MNT/ext
	for n in $(seq $work); do
		diff -r -x own "$LOCAL/work$n" "$where/work$n"
	done >"$T/diff" 2>&1
	is "$kind: after a new mount all is the same" "$(head -c 400 "$T/diff")" ''
	for ((k = 0; k < ${#later[@]}; k += 3)); do
		ok "$kind: after a new mount ${later[k + 1]}" "
			cd $where/work${later[k]} && { ${later[k + 2]}
			}"
	done
done
ok 'the store itself holds what the mount shows' '
	s3 list ${EXT} | cut -f2 | grep -v /$ | sort >$T/there &&
	(cd $MNT/ext && find . -type f -printf "%P\n" | sort) | diff $T/there -'
done_testing
