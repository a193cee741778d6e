#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# stagefs among other clients of the same store: what it writes they read, what
# they write it shows. aws s3api, boto3 and curl; single objects and multipart.
#
# Covers: fuse/notify.c
. "$(dirname "$0")/lib.sh"
write_config 'metadata_ttl = 1'
mount_up
E=$MNT/ext

random_file "$LOCAL/small" 12345
random_file "$LOCAL/large" 30000001
: >"$LOCAL/empty"
sizes='empty small large'
# A mount sees other people's changes within metadata_ttl; the bound here is
# for a slow machine.
TTL=30

for f in $sizes; do
	cp "$LOCAL/$f" "$E/from-us-$f"
done
for f in $sizes; do
	ok "aws s3api reads our $f file" '
		aws_s3api get-object --bucket $BUCKET --key ${EXT}from-us-$f \
			$T/got-$f && cmp $T/got-$f $LOCAL/$f'
	ok "boto3 reads our $f file" 's3 get ${EXT}from-us-$f | cmp - $LOCAL/$f'
	ok "curl reads our $f file by a URL that boto3 signed" '
		curl -fsS "$(s3 url get ${EXT}from-us-$f 60)" | cmp - $LOCAL/$f'
done
ok 'list-objects-v2 shows our files with their sizes' '
	[ "$(aws_s3api list-objects-v2 --bucket $BUCKET --prefix ${EXT}from-us- |
		jq -r ".Contents[] | \"\(.Size) \(.Key | split(\"/\") | last)\"" |
		tr "\n" " ")" = \
		"0 from-us-empty 30000001 from-us-large 12345 from-us-small " ]'
like 'a large file went up in parts' \
	"$(s3 head "${EXT}from-us-large" | jq -r .ETag)" '^"[0-9a-f]{32}-[0-9]+"$'
is 'a small one is a single PUT: its ETag is its MD5' \
	"$(s3 head "${EXT}from-us-small" | jq -r .ETag)" \
	"\"$(md5sum <"$LOCAL/small" | cut -d' ' -f1)\""
is 'list-multipart-uploads shows nothing left' \
	"$(aws_s3api list-multipart-uploads --bucket "$BUCKET" |
		jq -r ".Uploads[]?.Key | select(startswith(\"$PREFIX\"))")" ''

ok 'an object of aws s3api appears' '
	aws_s3api put-object --bucket $BUCKET --key ${EXT}from-aws \
		--body $LOCAL/small && until_ok $TTL "cmp $E/from-aws $LOCAL/small"'
ok 'a multipart object of boto3 appears' '
	s3 multipart ${EXT}from-boto $LOCAL/large 5242880 &&
	until_ok $TTL "cmp $E/from-boto $LOCAL/large"'
ok 'an object that curl put by a URL of boto3 appears' '
	curl -fsS -T $LOCAL/small "$(s3 url put ${EXT}dir/from-curl 60)" &&
	until_ok $TTL "cmp $E/dir/from-curl $LOCAL/small"'
ok 'a listing shows them' '
	until_ok $TTL "[ \$(ls $E | grep -c ^from-) = 5 ]" && ls $E | grep -qx dir'
ok 'an object of 0 bytes appears' '
	s3 put ${EXT}zero $LOCAL/empty && until_ok $TTL "[ -f $E/zero ]" &&
	[ ! -s $E/zero ]'
ok 'a directory marker of another client is a directory' '
	s3 put ${EXT}marked/ $LOCAL/empty && until_ok $TTL "[ -d $E/marked ]" &&
	[ -z "$(ls $E/marked)" ]'
ok 'an object that another client replaced shows its new bytes' '
	[ "$(md5sum <$E/from-aws)" = "$(md5sum <$LOCAL/small)" ] &&
	s3 put ${EXT}from-aws $LOCAL/large &&
	until_ok $TTL "cmp $E/from-aws $LOCAL/large" &&
	[ "$(stat -c %s $E/from-aws)" = 30000001 ]'
ok 'one that was replaced by the same number of bytes too' '
	random_file $LOCAL/other 12345 && cmp $E/from-us-small $LOCAL/small &&
	s3 put ${EXT}from-us-small $LOCAL/other &&
	until_ok $TTL "cmp $E/from-us-small $LOCAL/other"'
ok 'an object that another client deleted goes away' '
	s3 delete ${EXT}from-boto && until_ok $TTL "[ ! -e $E/from-boto ]"'
ok 'a name that was asked for before it existed appears' '
	[ ! -e $E/later ] && s3 put ${EXT}later $LOCAL/small &&
	until_ok $TTL "cmp $E/later $LOCAL/small"'
ok 'our overwrite of their object wins' '
	cp $LOCAL/other $E/from-aws && s3 get ${EXT}from-aws | cmp - $LOCAL/other'
ok 'our rename of their object keeps its bytes' '
	mv $E/later $E/renamed && s3 get ${EXT}renamed | cmp - $LOCAL/small &&
	! s3 head ${EXT}later'
ok 'what they said about an object survives our rename' '
	s3 put ${EXT}meta $LOCAL/small content_type=text/csv colour=blue &&
	until_ok $TTL "[ -f $E/meta ]" && mv $E/meta $E/meta2 &&
	[ "$(s3 head ${EXT}meta2 | jq -r "\"\(.ContentType) \(.Metadata.colour)\"")" = \
		"text/csv blue" ]'

# A reader that has the file open must not see half of each.
ok 'a file that changes while it is read fails as stale, or is the old one' '
	s3 multipart ${EXT}turn $LOCAL/large 5242880 &&
	until_ok $TTL "[ -f $E/turn ]" &&
	random_file $T/turned 30000001 &&
	S3PY=$HERE/s3.py TURN=${EXT}turn /usr/bin/python3 - $E/turn $LOCAL/large $T/turned <<-END
	import errno, os, subprocess, sys
	path, old, new = sys.argv[1:]
	want = open(old, "rb").read()
	f = os.open(path, os.O_RDONLY)
	got = os.pread(f, 4096, 0)
	subprocess.run(["/usr/bin/python3", os.environ["S3PY"], "multipart",
	                os.environ["TURN"], new, "5242880"], check=True)
	try:
	    while len(got) < len(want):
	        more = os.pread(f, 1 << 20, len(got))
	        assert more, "ended early"
	        got += more
	except OSError as e:
	    assert e.errno == errno.ESTALE, e
	    print("stale")
	assert got == want[:len(got)], "torn"
	assert open(path, "rb").read() == open(new, "rb").read()
	END'

# Within metadata_ttl, of a name that the kernel and we have just looked at: a
# new open has the new object, at its size; ESTALE is for descriptors that were
# open before, which read and write their own version or nothing.
write_config 'metadata_ttl = 60'
remount
cat >$T/replaced.py <<-'END'
import errno, hashlib, os, subprocess, sys, urllib.request
path, url, held, rounds = sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4])

def put(data):
    urllib.request.urlopen(urllib.request.Request(url, data, method="PUT"))

def out(*words):
    return subprocess.run(words, check=True, stdout=subprocess.PIPE).stdout

def read_all(fd):
    size = os.fstat(fd).st_size
    got = b""
    while True:
        more = os.read(fd, 1 << 20)
        if not more:
            break
        got += more
    assert size == len(got), (size, len(got))
    return got

def python():
    fd = os.open(path, os.O_RDONLY)
    try:
        return read_all(fd)
    finally:
        os.close(fd)

def copy():
    out("cp", path, "copied")
    with open("copied", "rb") as f:
        return f.read()

def append():
    fd = os.open(path, os.O_RDWR | os.O_APPEND)
    os.write(fd, b"+")
    os.lseek(fd, 0, os.SEEK_SET)
    got = read_all(fd)
    os.close(fd)
    assert got[-1:] == b"+"
    return got[:-1]

def empty():
    fd = os.open(path, os.O_WRONLY | os.O_TRUNC)
    os.fsync(fd) # not at some time after the close
    os.close(fd)
    assert os.stat(path).st_size == 0
    return None

ways = [lambda: out("cat", path), copy, lambda: out("grep", "-a", "", path),
        python, append, empty,
        lambda: bytes.fromhex(out("sha256sum", path).split()[0].decode())]
sizes = [1000, 5000000, 1, 70000, 300]
put(b"first")
old = []
for k in range(rounds):
    out("ls", "-l", os.path.dirname(path))
    os.stat(path)
    if held == "held" and k % 3 == 0:
        fd = os.open(path, os.O_RDWR)
        had = os.fstat(fd).st_size
        old.append((fd, had, os.pread(fd, 10, 0)))
    size = sizes[k % len(sizes)]
    data = (b"%d " % k * (size // 2 + 1))[:size - 1] + b"\n"
    put(data)
    got = ways[k % len(ways)]()
    if k % len(ways) == 6:
        data = hashlib.sha256(data).digest()
    assert got is None or got == data, (k, len(got), len(data))
    st = os.stat(path)
    for fd, had, start in old:
        if got is None: # emptied by this machine: the same file
            os.close(fd)
            continue
        assert os.fstat(fd).st_size == had, k
        assert os.pread(fd, 10, 0) == start, k # the kernel's, or ours
        try:
            os.pwrite(fd, b"X", 0)
            raise AssertionError("written")
        except OSError as e:
            assert e.errno == errno.ESTALE, e
        try:
            os.close(fd)
        except OSError as e:
            assert e.errno == errno.ESTALE, e
    old = []
data = os.urandom(1 << 26)
put(data)
assert ways[6]() == hashlib.sha256(data).digest()
END
s3 put ${EXT}in/turned $LOCAL/small
URL=$(s3 url put ${EXT}in/turned 3600)
ok 'a name that another client replaces again and again is read whole by a new open' '
	/usr/bin/python3 $T/replaced.py $E/in/turned "$URL" free 100'
ok 'also while a descriptor of each older version is open, which writes nowhere' '
	/usr/bin/python3 $T/replaced.py $E/in/turned "$URL" held 100'

done_testing
