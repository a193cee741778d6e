#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A mount over a local disk: what a file is there it is on the mount, and the
# other way round; content that is read, written and replaced at once; what
# others change on the disk or through the gateway.
NEEDS_S3=no
. "$(dirname "$0")/lib.sh"

DISK=$T/disk
E=$MNT/ext
# Names on a disk are believed for a second; the bound is for a slow machine.
SEEN=10
chmod 755 "$T"
mkdir "$DISK" && chmod 755 "$DISK"
(umask 077 && cat >"$CONF") <<-END
	[stagefs]
	user = tester
	log = $LOG
	log_level = debug
	spill_dir = $T/spill
	metadata_ttl = 300
	allow_other = yes
	[storage]
	url = fs://$T/storage/
	[stage ext]
	url = fs://$DISK/
END
umask 022
mount_up

py() { /usr/bin/python3 - "$@"; }
ino() { stat -c %i "$1"; }

# ---- owner, mode, times

echo text >"$E/f"
is 'a new file has its maker and mode on the disk' \
	"$(stat -c '%u %g %a %s' "$DISK/f")" '0 0 644 5'
(umask 027 && mkdir "$E/d" && echo x >"$E/d/x")
is 'the umask counts' "$(stat -c %a "$DISK/d" "$DISK/d/x" | tr '\n' ' ')" '750 640 '
ok 'chmod, chown and times reach the disk' '
	chmod 2751 $E/d && chmod 604 $E/f && chown 1000:100 $E/f &&
	touch -d @1000000000.123456789 $E/f &&
	[ "$(stat -c "%u %g %a %.9Y" $DISK/f)" = \
		"1000 100 604 1000000000.123456789" ] &&
	[ "$(stat -c %a $DISK/d)" = 2751 ]'
is 'and stand on the mount' "$(stat -c '%u %g %a %.9Y' "$E/f")" \
	'1000 100 604 1000000000.123456789'
ok 'chown of a directory' 'chown 1000:100 $E/d &&
	[ "$(stat -c %u:%g $DISK/d $E/d | tr "\n" " ")" = "1000:100 1000:100 " ]'
ok 'what another program sets on the disk is seen' '
	chmod 640 $DISK/f && chown 7:8 $DISK/f && touch -d @1500000000 $DISK/f &&
	until_ok $SEEN "[ \"\$(stat -c \"%u %g %a %Y\" $E/f)\" = \
		\"7 8 640 1500000000\" ]"'
ok 'a file of a set-group-id directory has its group' '
	mkdir $E/d/sub && echo x >$E/d/y &&
	[ "$(stat -c %g:%a $DISK/d/sub)" = 100:2755 ] &&
	[ "$(stat -c %g $DISK/d/y)" = 100 ]'
ok 'the root of a stage is the directory that it is' '
	chown 55:66 $DISK && chmod 751 $DISK &&
	until_ok $SEEN "[ \"\$(stat -c %u:%g:%a $E)\" = 55:66:751 ]" &&
	chmod 755 $E && chown 0:0 $E && [ "$(stat -c %u:%g:%a $DISK)" = 0:0:755 ] &&
	[ "$(stat -c %u:%g:%a $E)" = 0:0:755 ]'
ok 'one that is closed on the disk is closed on the mount' '
	chmod 700 $DISK && until_ok $SEEN "! setpriv --reuid=1234 --regid=2345 \
		--clear-groups ls $E" && chmod 755 $DISK &&
	until_ok $SEEN "setpriv --reuid=1234 --regid=2345 --clear-groups ls $E"'
as_user() {	# COMMAND...: as user 1234 of group 2345
	setpriv --reuid=1234 --regid=2345 --clear-groups "$@"
}
ok 'another user cannot write where the mode forbids it' '
	chmod 755 $E && ! as_user sh -c "echo x >$E/theirs" && [ ! -e $DISK/theirs ]'
ok 'what another user makes is theirs' '
	mkdir $E/open && chmod 1777 $E/open &&
	as_user sh -c "umask 022; cd $E/open && echo x >a && mkdir b && echo y >b/c" &&
	[ "$(stat -c %u:%g:%a $DISK/open/a $DISK/open/b $DISK/open/b/c |
		tr "\n" " ")" = "1234:2345:644 1234:2345:755 1234:2345:644 " ]'
ok 'who rewrites a file of another owner leaves owner and mode' '
	chmod 666 $E/open/a && echo other >$E/open/a &&
	[ "$(stat -c %u:%g:%a $DISK/open/a)" = 1234:2345:666 ] &&
	[ "$(cat $DISK/open/a)" = other ]'
ok 'a file that is written to has its time at once' '
	py $E/when <<-END
	import os, sys
	f = os.open(sys.argv[1], os.O_WRONLY | os.O_CREAT)
	os.write(f, b"x")
	os.utime(f, ns=(10**18 + 1, 10**18 + 2))
	os.fchmod(f, 0o600)
	os.close(f)
	st = os.stat(sys.argv[1])
	assert (st.st_mtime_ns, st.st_mode & 0o777) == (10**18 + 2, 0o600), st
	END
	[ "$(stat -c "%.9Y %a" $DISK/when)" = "1000000000.000000002 600" ]'
ok 'cp -a there and back keeps all' '
	cp -a $DISK/d $E/copy && (cd $DISK && tar c d) | (cd $LOCAL && tar x) &&
	(cd $E/copy && find . -printf "%P %m %U %G %T@\n" | sort) >$T/a &&
	(cd $DISK/d && find . -printf "%P %m %U %G %T@\n" | sort) >$T/b &&
	cmp $T/a $T/b'
is 'the disk is what df shows' "$(df --output=size "$E" | tail -n 1)" \
	"$(df --output=size "$DISK" | tail -n 1)"

# ---- names

echo old >"$E/old"; echo new >"$E/new"
was=$(ino "$DISK/new")
ok 'rename over a file that exists' 'mv -f $E/new $E/old &&
	[ "$(cat $E/old $DISK/old)" = "$(printf "new\nnew")" ] &&
	[ ! -e $E/new ] && [ ! -e $DISK/new ]'
is '... moves the file itself' "$(ino "$DISK/old")" "$was"
ok 'mv -n leaves what is there' '
	echo 1 >$E/n1; echo 2 >$E/n2; mv -n $E/n1 $E/n2; [ "$(cat $E/n2)" = 2 ]'
ok 'a directory moves in one step, and what is open below it goes along' '
	mkdir -p $E/tree/a/b && echo deep >$E/tree/a/b/f && was=$(ino $DISK/tree/a) &&
	exec 5>>$E/tree/a/b/f && echo more >&5 && mv $E/tree/a $E/tree/z &&
	echo last >&5 && exec 5>&- && [ "$(ino $DISK/tree/z)" = $was ] &&
	[ "$(cat $DISK/tree/z/b/f)" = "$(printf "deep\nmore\nlast")" ]'
is 'rename of a directory over one that is not empty' \
	"$(mkdir -p "$E/r1" "$E/r2/x"; sys rename "$E/r1" "$E/r2")" ENOTEMPTY
is 'over an empty one' "$(rmdir "$E/r2/x"; sys rename "$E/r1" "$E/r2")" OK
is 'rmdir of one with something in it' "$(sys rmdir "$E/tree")" ENOTEMPTY
is 'a symlink is refused' "$(sys symlink x "$E/link")" EPERM
is 'a hard link too' "$(sys link "$E/f" "$E/hard")" EPERM
ok 'what is no regular file is not served' '
	mkfifo $DISK/fifo && ln -s /etc/passwd $DISK/way-out && sleep 1.2 &&
	! ls $E | grep -E "fifo|way-out" && ! cat $E/way-out && ! cat $E/fifo'
is 'names of ours are not shown' "$(ls -a "$E" | grep -c stagefs)" 0
is 'nor made' "$(sys mkdir "$E/.stagefs")" EPERM
is 'a name of 256 bytes' "$(sys create "$E/$(printf '%0256d' 0)")" ENAMETOOLONG

# ---- content

ok 'O_APPEND: two writers lose nothing' '
	: >$E/log && py $E/log <<-END
	import os, sys
	a, b = (os.open(sys.argv[1], os.O_WRONLY | os.O_APPEND) for _ in "ab")
	for k in range(500):
	    os.write(a, b"a%04d\n" % k)
	    os.write(b, b"b%04d\n" % k)
	os.close(a); os.close(b)
	END
	[ "$(wc -l <$DISK/log)" = 1000 ] &&
	[ "$(grep -c ^a $DISK/log)" = 500 ] && cmp $E/log $DISK/log'
ok 'mmap: read, and written with msync' '
	py $E/mapped $DISK/mapped <<-END
	import mmap, os, sys
	data = os.urandom(300001)
	open(sys.argv[1], "wb").write(data)
	with open(sys.argv[1], "r+b") as f:
	    with mmap.mmap(f.fileno(), 0, prot=mmap.PROT_READ) as m:
	        assert m[:] == data
	    with mmap.mmap(f.fileno(), 0) as m:
	        m[5000:5004] = b"here"
	        m.flush()
	        assert open(sys.argv[2], "rb").read(5004)[-4:] == b"here"
	        m[300000:300001] = b"!"
	now = open(sys.argv[2], "rb").read()
	assert now == data[:5000] + b"here" + data[5004:300000] + b"!"
	END'
ok 'random writes, cuts and growth against a file in memory' '
	py $E/model $DISK/model <<-END
	import os, random, sys
	random.seed(7)
	path, disk = sys.argv[1:]
	model = bytearray(os.urandom(3000000))
	open(path, "wb").write(model)
	for turn in range(8):
	    f = os.open(path, os.O_RDWR)
	    for k in range(60):
	        what, at = random.random(), random.randrange(4000000)
	        if what < .6:
	            data = os.urandom(random.choice((1, 100, 4096, 70000)))
	            os.pwrite(f, data, at)
	            model.extend(bytes(max(0, at - len(model))))
	            model[at:at + len(data)] = data
	        elif what < .8:
	            n = random.choice((10, 5000, 200000))
	            assert os.pread(f, n, at) == model[at:at + n], (turn, k)
	        elif what < .9:
	            os.ftruncate(f, at)
	            model.extend(bytes(max(0, at - len(model))))
	            del model[at:]
	        else:
	            os.fsync(f)
	            assert open(disk, "rb").read() == model, (turn, k)
	    os.close(f)
	    assert open(path, "rb").read() == model, turn
	    assert open(disk, "rb").read() == model, turn
	END'
ok 'truncate without a handle: shorter, longer, nothing' '
	head -c 100000 /dev/urandom >$LOCAL/cut && cp $LOCAL/cut $E/cut &&
	for n in 50000 70000 0 10; do
		truncate -s $n $E/cut $LOCAL/cut && cmp $E/cut $LOCAL/cut &&
		cmp $DISK/cut $LOCAL/cut || exit
	done'
ok 'a file that is unlinked while it is open stays readable and writable' '
	py $E/gone $DISK/gone <<-END
	import os, sys
	path, disk = sys.argv[1:]
	open(path, "wb").write(b"0123456789")
	f = os.open(path, os.O_RDWR)
	os.unlink(path)
	assert not os.path.exists(disk)
	assert os.pread(f, 10, 0) == b"0123456789"
	os.pwrite(f, b"xx", 4)
	assert os.pread(f, 10, 0) == b"0123xx6789"
	os.fsync(f); os.close(f)
	assert not os.path.exists(disk) and not os.path.exists(path)
	END'
ok 'a file that another program unlinks or replaces while it is open too' '
	py $E/gone2 $DISK/gone2 <<-END
	import os, sys, time
	path, disk = sys.argv[1:]
	open(path, "wb").write(b"first" * 100000)
	f = os.open(path, os.O_RDONLY)
	assert os.pread(f, 5, 0) == b"first"
	open(disk + ".tmp", "wb").write(b"other" * 100000)
	os.rename(disk + ".tmp", disk)
	assert os.pread(f, 500000, 0) == b"first" * 100000
	time.sleep(1.2)
	assert open(path, "rb").read() == b"other" * 100000
	assert os.pread(f, 500000, 0) == b"first" * 100000
	os.unlink(disk)
	assert os.pread(f, 5, 250000) == b"first"
	END'
ok 'a file that is written to is on the disk only when it is closed' '
	py $E/late $DISK/late <<-END
	import os, sys
	f = os.open(sys.argv[1], os.O_WRONLY | os.O_CREAT)
	os.write(f, b"whole")
	assert not os.path.exists(sys.argv[2])
	os.close(f)
	assert open(sys.argv[2]).read() == "whole"
	END'
ok 'or synced' '
	py $E/late2 $DISK/late2 <<-END
	import os, sys
	f = os.open(sys.argv[1], os.O_WRONLY | os.O_CREAT)
	for text in b"one", b"one two", b"one two three":
	    os.pwrite(f, text, 0)
	    os.fsync(f)
	    assert open(sys.argv[2], "rb").read() == text
	END'
ok 'a large file is written, read and read again' '
	random_file $LOCAL/large $((40 << 20)) && cp $LOCAL/large $E/large &&
	cmp $E/large $DISK/large && cmp $E/large $LOCAL/large'
ok 'cold too' 'remount && cmp $E/large $LOCAL/large && cmp $E/large $LOCAL/large'
remount
ok 'a change inside a large file copies the rest' '
	dd if=/dev/zero of=$E/large bs=4096 seek=1000 count=3 conv=notrunc &&
	dd if=/dev/zero of=$LOCAL/large bs=4096 seek=1000 count=3 conv=notrunc &&
	cmp $DISK/large $LOCAL/large && cmp $E/large $LOCAL/large'
cat >"$T/torn.py" <<-'END'
	import errno, os, sys, threading, time
	path, disk = sys.argv[1:]
	SIZE, BEGAN = 700001, time.time()
	whole = [bytes([65 + k]) * (SIZE + k) for k in range(26)]
	open(path, "wb").write(whole[0])
	wrong, read, stale = [], 0, 0
	def goes_on():
	    took = time.time() - BEGAN
	    return not wrong and (took < 6 or read <= 20 and took < 100)
	def rewrite(how):
	    k = 0
	    while goes_on():
	        k += 1
	        how(whole[k % 26])
	def by_mount(data):
	    with open(path + ".m", "wb") as f:
	        f.write(data)
	    os.rename(path + ".m", path)
	def by_disk(data):
	    with open(disk + ".d", "wb") as f:
	        f.write(data)
	    os.rename(disk + ".d", disk)
	    time.sleep(.05)
	def reader():
	    global read, stale
	    while goes_on():
	        try:
	            with open(path, "rb", buffering=0) as f:
	                data = b""
	                while True:
	                    more = f.read(99991)
	                    if not more:
	                        break
	                    data += more
	        except OSError as e:
	            if e.errno != errno.ESTALE:
	                wrong.append(e)
	            stale += 1
	            continue
	        read += 1
	        if data != whole[data[0] - 65] if data else True:
	            wrong.append((len(data), data[:1], set(data)))
	jobs = [threading.Thread(target=rewrite, args=(by_mount,)),
	        threading.Thread(target=rewrite, args=(by_disk,))]
	jobs += [threading.Thread(target=reader) for _ in "ab"]
	for j in jobs: j.start()
	for j in jobs: j.join()
	print(read, "whole", stale, "stale", wrong[:3])
	assert not wrong and read > 20
	END
ok 'two readers and two who rewrite: nothing is torn' '
	timeout 200 /usr/bin/python3 $T/torn.py $E/torn $DISK/torn'
cat >"$T/over.py" <<-'END'
	import errno, os, sys, threading, time
	path = sys.argv[1]
	BEGAN = time.time()
	whole = [bytes([65 + k]) * (300000 + k) for k in range(26)]
	open(path, "wb").write(whole[0])
	wrong, read, stale = [], 0, 0
	def goes_on():
	    took = time.time() - BEGAN
	    return not wrong and (took < 4 or read <= 20 and took < 100)
	def writer():
	    k = 0
	    while goes_on():
	        k += 1
	        try:
	            with open(path + ".x", "wb") as f:
	                f.write(whole[k % 26])
	            os.replace(path + ".x", path)
	            with open(path, "r+b", buffering=0) as f:
	                f.write(whole[(k + 1) % 26][:len(whole[k % 26])])
	        except OSError as e:
	            wrong.append(e)
	def reader():
	    global read, stale
	    while goes_on():
	        try:
	            f = os.open(path, os.O_RDONLY)
	        except OSError as e:
	            if e.errno != errno.ESTALE:
	                wrong.append(e)
	            stale += 1
	            continue
	        try:
	            n = os.fstat(f).st_size
	            a = os.pread(f, 10, 0)
	            if len(a) != 10:
	                wrong.append(("short", n, len(a)))
	            read += 1
	        except OSError as e:
	            if e.errno != errno.ESTALE:
	                wrong.append(e)
	        os.close(f)
	jobs = [threading.Thread(target=t) for t in (writer, reader, reader)]
	for j in jobs: j.start()
	for j in jobs: j.join()
	print(read, stale, wrong[:3])
	# The kernel looks a name up once more, and no oftener.
	assert not wrong and read > 20 and stale * 1000 < read + 1000
	END
ok 'a name that is replaced over and over can be opened' '
	timeout 200 /usr/bin/python3 $T/over.py $E/over'

# ---- what others change

ok 'a file that another program makes is seen' '
	ls $E >/dev/null; ! [ -e $E/theirs ] && echo theirs >$DISK/theirs &&
	until_ok $SEEN "[ \"\$(cat $E/theirs)\" = theirs ]" && ls $E | grep -qx theirs'
ok 'one that it changes in place too, pages and all' '
	head -c 200000 /dev/zero >$E/inplace && cmp $E/inplace $DISK/inplace &&
	printf here | dd of=$DISK/inplace bs=1 seek=100000 conv=notrunc &&
	until_ok $SEEN "cmp $E/inplace $DISK/inplace"'
ok 'one that it appends to' '
	echo one >$E/grows && cat $E/grows && echo two >>$DISK/grows &&
	until_ok $SEEN "cmp $E/grows $DISK/grows" &&
	[ "$(stat -c %s $E/grows)" = 8 ]'
ok 'one that it removes' '
	rm $DISK/theirs && until_ok $SEEN "[ ! -e $E/theirs ]" &&
	! ls $E | grep -qx theirs'
ok 'directories that it makes, moves and removes' '
	mkdir -p $DISK/o1/o2 && echo x >$DISK/o1/o2/f &&
	until_ok $SEEN "[ -f $E/o1/o2/f ]" && mv $DISK/o1 $DISK/o9 &&
	until_ok $SEEN "[ -f $E/o9/o2/f ]" && until_ok $SEEN "[ ! -e $E/o1 ]" &&
	rm -r $DISK/o9 && until_ok $SEEN "[ ! -e $E/o9 ]"'

# The gateway is in the mounting daemon: no time is given to anybody here.
url() { xa "user.presign.upload?path=$1" "$E"; }
ok 'what is uploaded through the gateway is seen at once' '
	! [ -e $E/gw ] && echo first >$LOCAL/gw && u=$(url gw) &&
	curl -fsS -T $LOCAL/gw "$u" && cmp $E/gw $LOCAL/gw && ls $E | grep -qx gw'
ok 'and again, pages and attributes: fifty times' '
	u=$(url gw) && for k in $(seq 50); do
		head -c $((k * 1000)) /dev/urandom >$LOCAL/gw
		cat $E/gw >/dev/null; stat $E/gw >/dev/null
		curl -fsS -T $LOCAL/gw "$u" || exit
		until_ok 1 "cmp $E/gw $LOCAL/gw" || exit
		[ "$(stat -c %s $E/gw)" = $((k * 1000)) ] || exit
	done'
ok 'a new directory that came with an upload' '
	! [ -e $E/gwd ] && u=$(url gwd/sub/x) && curl -fsS -T $LOCAL/gw "$u" &&
	cmp $E/gwd/sub/x $LOCAL/gw'
ok 'who has the old file open reads it to its end' '
	random_file $LOCAL/g1 3000000 && cp $LOCAL/g1 $E/g && u=$(url g) &&
	exec 5<$E/g && curl -fsS -T $LOCAL/gw "$u" && cmp $LOCAL/g1 <&5 &&
	exec 5<&- && cmp $E/g $LOCAL/gw'
ok 'what the mount writes the gateway gives out' '
	random_file $LOCAL/out 100000 && cp $LOCAL/out $E/out &&
	u=$(xa user.presign.download $E/out) && curl -fsS "$u" | cmp - $LOCAL/out &&
	random_file $LOCAL/out 50000 && cp $LOCAL/out $E/out &&
	curl -fsS "$u" | cmp - $LOCAL/out'
is 'the ETag of both is one' "$(xa user.stage.etag "$E/out")" \
	"$(curl -fsS -D - -o /dev/null "$(xa user.presign.download "$E/out")" |
		tr -d '\r' | awk 'tolower($1) == "etag:" { print $2 }')"

# ---- programs

ok 'sqlite3' '
	py $E/db <<-END
	import sqlite3, sys
	c = sqlite3.connect(sys.argv[1])
	c.execute("create table t (k integer primary key, v blob)")
	for k in range(30):
	    with c:
	        c.execute("insert into t values (?, randomblob(3000))", (k,))
	with c:
	    c.execute("delete from t where k % 3 = 0")
	assert c.execute("pragma integrity_check").fetchone() == ("ok",)
	assert c.execute("select count(*) from t").fetchone() == (20,)
	END'
ok 'tar x, rsync -a --inplace, sed -i, rm -rf' '
	(cd $TOP && tar c src/base) | (cd $E && tar x) &&
	diff -r $TOP/src/base $E/src/base && diff -r $TOP/src/base $DISK/src/base &&
	sed -i s/struct/STRUCT/ $E/src/base/buf.h &&
	sed s/struct/STRUCT/ $TOP/src/base/buf.h | cmp - $DISK/src/base/buf.h &&
	{ ! command -v rsync || { rsync -a --inplace $TOP/src/base/ $E/src/base/ &&
		diff -r $TOP/src/base $DISK/src/base; }; } &&
	rm -rf $E/src && [ ! -e $DISK/src ]'
truncate -s 3G "$DISK/sparse"
ok 'holes stay holes when a file is changed' '
	until_ok $SEEN "[ -e $E/sparse ]" &&
	printf here | dd of=$E/sparse bs=1 seek=2000000000 conv=notrunc &&
	[ "$(stat -c %s $DISK/sparse)" = 3221225472 ] &&
	[ "$(du -m $DISK/sparse | cut -f1)" -le 2 ] &&
	cmp -n 8 -i 1999999998:0 $E/sparse <(printf "\0\0here\0\0")'
rm -f "$E/sparse"
mkdir "$E/numbers"
number_tests "$E/numbers"
ok 'on a disk the numbers are its own' '
	cd $DISK && for f in numbers numbers/*; do # tail closes a moment later
		until_ok $SEEN "[ \$(stat -c %i $f) = \$(stat -c %i $E/$f) ]" || exit
	done'
ok 'tail -f of what another program appends to shows that, or says why not' '
	echo 1 >$DISK/grows && until_ok $SEEN "grep -qx 1 $E/grows" || exit
	timeout 60 tail -n +1 -s 0.2 -f $E/grows >$T/grows.out 2>&1 & job=$!
	until_ok 20 "grep -qx 1 $T/grows.out" && echo 2 >>$DISK/grows &&
	until_ok 20 "grep -qE \"^2\$|[Ss]tale file handle\" $T/grows.out"
	good=$?; kill $job 2>/dev/null; cat $T/grows.out; [ $good = 0 ]'
ok 'a new open has it all' '[ "$(tail -n 1 $E/grows)" = 2 ]'
ok 'a daemon that is killed leaves the old file and nothing else' '
	echo old >$E/killed && sleep 3 5>$E/other 6>>$E/killed & job=$!
	sleep 0.5; kill -KILL $(daemon_pids); wait $job
	umount -l $MNT; [ "$(cat $DISK/killed)" = old ] &&
	[ -z "$(find $DISK/.stagefs/tmp $DISK/.stagefs/uploads -type f 2>/dev/null)" ]'
mount_up
ok 'and the next mount works' '[ "$(cat $E/killed)" = old ] && echo new >$E/killed'
done_testing
