#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""terminal.py COLUMNS PROGRAM ARG...: runs it on a terminal of that width,
prints what it says, and exits as it does. Each line of standard input is typed
when the program has asked: its output ends in `: ` or `> `. A line of ^C is
that key."""
import fcntl
import os
import pty
import select
import struct
import sys
import termios
import time

answers = [] if sys.stdin.isatty() else sys.stdin.read().splitlines()
pid, fd = pty.fork()
if not pid:
    os.environ["TERM"] = os.environ.get("TERM", "xterm")
    fcntl.ioctl(0, termios.TIOCSWINSZ,
                struct.pack("HHHH", 50, int(sys.argv[1]), 0, 0))
    os.execvp(sys.argv[2], sys.argv[2:])
said = b""
seen = 0
end = time.monotonic() + 60
while time.monotonic() < end:
    if select.select([fd], [], [], 1)[0]:
        try:
            more = os.read(fd, 65536)
        except OSError:
            break
        if not more:
            break
        said += more
    if said[seen:].endswith((b": ", b"> ")) and answers:
        seen = len(said)
        line = answers.pop(0)
        os.write(fd, b"\x03" if line == "^C" else line.encode() + b"\n")
else:
    os.kill(pid, 9)
sys.stdout.buffer.write(said.replace(b"\r\n", b"\n"))
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
