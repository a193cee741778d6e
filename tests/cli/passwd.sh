#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# stagefs passwd: a hash from a terminal or a line, and never from the command
# line. Python's hashlib says whether the hash is right.
#
# Covers: cli/cmd_passwd.c
. "$(dirname "$0")/lib.sh"

verify() {	# HASH PASSWORD
	python3 - "$1" "$2" <<-'END'
	import base64, hashlib, sys
	_, kind, cost, salt, want = sys.argv[1].split('$')
	cost = dict(word.split('=') for word in cost.split(','))
	pad = lambda text: base64.b64decode(text + '=' * (-len(text) % 4))
	got = hashlib.scrypt(sys.argv[2].encode(), salt=pad(salt),
	    n=1 << int(cost['ln']), r=int(cost['r']), p=int(cost['p']),
	    maxmem=1 << 27, dklen=len(pad(want)))
	sys.exit(kind != 'scrypt' or got != pad(want))
	END
}

# on_terminal LINE LINE [ARG...]: OUT and RC of passwd, to whom a person types.
on_terminal() {
	python3 - "$STAGEFS" "$@" >"$DIR/typed" <<-'END'
	import os, pty, select, sys
	program, lines, args = sys.argv[1], sys.argv[2:4], sys.argv[4:]
	pid, fd = pty.fork()
	if not pid:
	    os.execv(program, [program, 'passwd', *args])
	seen = b''
	typed = 0
	while select.select([fd], [], [], 20)[0]:
	    try:
	        seen += os.read(fd, 4096)
	    except OSError:
	        break
	    if typed < 2 and seen.rstrip(b' ').count(b':') > typed:
	        # The prompt comes before the echo goes: wait for both.
	        import termios, time
	        for _ in range(200):
	            if not termios.tcgetattr(fd)[3] & termios.ECHO:
	                break
	            time.sleep(0.01)
	        os.write(fd, lines[typed].encode())
	        typed += 1
	sys.stdout.buffer.write(seen.replace(b'\r', b''))
	status = os.waitpid(pid, 0)[1]
	sys.exit(os.waitstatus_to_exitcode(status) & 127)
	END
	RC=$?
	OUT=$(cat "$DIR/typed")
}

hash=$(printf 'geh im\n' | "$STAGEFS" passwd)
holds 'a line of standard input becomes its hash' verify "$hash" 'geh im'
is 'which is all that is printed' "$(wc -l <<<"$hash")" 1
holds '... and has a salt of its own' test "$hash" != \
	"$(printf 'geh im\n' | "$STAGEFS" passwd)"
section=$(printf 'geheim' | "$STAGEFS" passwd ann)
is 'with a name it is a section' "$(head -1 <<<"$section")" '[user ann]'
holds 'whose hash is right' verify "${section##* = }" geheim
write_config "$DIR/users.conf" <<END
[storage]
url = s3://bucket/
aws_key_id = AKTEST
aws_secret_key = $SECRET
$section
write = *
END
holds 'a configuration takes it' "$STAGEFS" presign @~/a \
	--config "$DIR/users.conf"
sed -i 's/scrypt/script/' "$DIR/users.conf"
fails 'and tells one that is broken' 1 'password_hash: not a hash' \
	presign @~/a --config "$DIR/users.conf"

run passwd </dev/null
is 'nothing is no password' "$RC" 1
run passwd <<<''
is 'nor is an empty line' "$RC" 1
run passwd a:b <<<x
is 'a bad name is a usage error' "$RC" 2
run passwd ann secret <<<x
is 'a password on the command line is one' "$RC" 2
on_terminal $'geheim\n' $'geheim\n'
is 'a person types it twice' "$RC" 0
holds '... and gets the hash' verify "$(tail -1 <<<"$OUT")" geheim
is '... and sees nothing of it' "$(grep -c geheim <<<"$OUT")" 0
on_terminal $'geheim\n' $'gehelm\n' ann
is 'two that differ are an error' "$RC" 1
holds '... that says so' grep -q 'the two passwords differ' <<<"$OUT"
on_terminal $'gehe\003' ''
is 'an interrupt ends it' "$RC" 126
finish
