#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Many at once on one mount: readers, writers, renames, listings, signatures.
# Short, for it also runs under the thread sanitizer.
. "$(dirname "$0")/lib.sh"
write_config 'metadata_ttl = 1' 'memory = 64M'
mount_up
E=$MNT/ext
for i in 1 2 3; do
	random_file "$LOCAL/f$i" $((i * 7000000 + 11))
	cp "$LOCAL/f$i" "$E/"
done
remount

# all SENTENCE COUNT SHELL-TEXT: so many at once, each with its number in $n;
# all of them must succeed.
all() {
	local sentence=$1 count=$2 text=$3 n pids=() bad=0
	for n in $(seq "$count"); do
		(eval "$text") >"$T/all.$n" 2>&1 </dev/null &
		pids+=($!)
	done
	for n in $(seq "$count"); do
		wait "${pids[n - 1]}" || {
			echo "number $n:"
			head -n 5 "$T/all.$n"
			bad=1
		}
	done >"$T/all"
	[ -s "$T/all" ] && fail "$sentence" <"$T/all" || pass "$sentence"
}

all 'twelve readers of three files read them whole' 12 \
	'f=f$((n % 3 + 1)); cmp $E/$f $LOCAL/$f'
all 'readers from both ends at once' 6 '
	f=f$((n % 3 + 1))
	if [ $((n % 2)) = 0 ]; then cmp $E/$f $LOCAL/$f
	else cmp <(tail -c 3000000 $E/$f) <(tail -c 3000000 $LOCAL/$f); fi'
all 'eight writers at once' 8 '
	f=f$((n % 3 + 1)); cp $LOCAL/$f $E/w$n && cmp $E/w$n $LOCAL/$f'
ok 'the server has what they wrote' '
	for n in 1 2 3 4 5 6 7 8; do
		s3 get ${EXT}w$n | cmp - $LOCAL/f$((n % 3 + 1)) || exit
	done'
all 'names made, renamed and removed beside listings' 8 '
	if [ $((n % 4)) = 0 ]; then
		# of names that go meanwhile ls may say so
		for i in 1 2 3 4 5 6 7 8; do ls $E >/dev/null || exit; done
	else
		for i in 1 2 3 4 5; do
			echo $n.$i >$E/n$n.$i && mv $E/n$n.$i $E/m$n.$i &&
			[ "$(cat $E/m$n.$i)" = $n.$i ] && rm $E/m$n.$i || exit
		done
	fi'
is 'none of these names is left' "$(ls "$E" | grep -cE '^[nm][0-9]+\.')" 0
# Each by one write: of two, another's may come between them.
all 'one file that several write and read stays whole' 6 '
	for i in 1 2 3; do
		yes $n | head -c 200000 >$E/shared.$n &&
		dd if=$E/shared.$n of=$E/shared bs=256K iflag=fullblock &&
		[ "$(sort -u $E/shared.$n)" = $n ] || exit
	done'
like 'the last one to write it has it whole' \
	"$(s3 get "${EXT}shared" | sort -u | tr '\n' ' ')" '^[1-6] $'
all 'spill files side by side' 4 '
	/usr/bin/python3 - $E/spill$n $n <<-END
	import os, sys
	f = os.open(sys.argv[1], os.O_RDWR | os.O_CREAT)
	for i in reversed(range(12)):
	    os.pwrite(f, bytes([i + int(sys.argv[2])]) * 500000, i * 500000)
	os.close(f)
	data = open(sys.argv[1], "rb").read()
	assert data == b"".join(
	    bytes([i + int(sys.argv[2])]) * 500000 for i in range(12))
	END'
all 'signatures and expiries side by side' 8 '
	for i in 1 2 3 4 5; do
		curl -fsS -r 0-99 "$(xa "user.presign.download?expire=$((n * 1000 + i))" \
			$E/f1)" | cmp - <(head -c 100 $LOCAL/f1) || exit
		setfattr -n user.presign.expire -v $((n * 100)) $E/f2 || exit
	done'
ok 'all of it comes down' 'mount_down'

done_testing
