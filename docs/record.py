#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Records commands on a terminal as a moving SVG picture.

    docs/record.py docs/terminal.txt >docs/terminal.svg

Each line of the file is a command for bash, run in the current folder; a line
that begins with `#!` is run too, and not shown. What a command prints is shown
as it came, cut at the width, without colours. Signatures are cut: a URL
that still counts is a secret. The picture runs once and stands still at the end.
"""
import re
import subprocess
import sys
from xml.sax.saxutils import escape

COLUMNS, LINE, TOP, LEFT, CHAR = 96, 19, 44, 16, 8.0
TYPING_S, PAUSE_S = 0.035, 0.9
SECRETS = re.compile(r"(X-Amz-(?:Signature|Credential)=)[^&\s\"']+")


def record(path):
    """Pairs of a command and the lines that it printed."""
    shell = subprocess.Popen(["bash"], stdin=subprocess.PIPE, text=True,
                             stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    for command in open(path, encoding="utf-8").read().splitlines():
        hidden = command.startswith("#!")
        print(command[2:] if hidden else command, "\necho; echo '\x04'",
              file=shell.stdin, flush=True)
        out = []
        for line in iter(shell.stdout.readline, "\x04\n"):
            if not line:
                sys.exit(f"record.py: the shell ended in: {command}")
            out.append(line.rstrip("\n"))
        while out and not out[-1]:
            out.pop()
        if hidden:
            continue
        yield command, [SECRETS.sub(r"\1...", x) for x in out]
    shell.stdin.close()


def wrapped(text):
    return [text[at:at + COLUMNS] for at in range(0, len(text), COLUMNS)] or [""]


def draw(steps):
    rows, at_s, at = [], 0.5, 0
    for command, out in steps:
        for k, line in enumerate(wrapped("$ " + command)):
            rows.append((at_s, "c", line, at))
            at_s += TYPING_S * len(line)
            at += 1
        at_s += 0.2
        for line in out:
            for part in wrapped(line)[:3]:
                rows.append((at_s, "o", part, at))
                at += 1
        at_s += PAUSE_S
    width, height = LEFT * 2 + COLUMNS * CHAR, TOP + at * LINE + 14
    print(f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0f}" '
          f'height="{height}" viewBox="0 0 {width:.0f} {height}" '
          'role="img" aria-label="stagefs on a terminal">')
    print("<style>text{font:13px ui-monospace,Menlo,Consolas,monospace;"
          "white-space:pre}.c{fill:#8ab4f8}.o{fill:#e8eaed}"
          ".l{animation:show 1ms both}@keyframes show{from{opacity:0}}"
          "@media (prefers-reduced-motion){.l{animation:none}}</style>")
    print(f'<rect width="100%" height="100%" rx="8" fill="#202124"/>')
    for k, colour in enumerate(("#f28b82", "#fdd663", "#81c995")):
        print(f'<circle cx="{20 + 18 * k}" cy="18" r="6" fill="{colour}"/>')
    for begin, kind, text, line in rows:
        if text:
            print(f'<text class="l {kind}" x="{LEFT}" y="{TOP + line * LINE}" '
                  f'textLength="{len(text) * CHAR:.0f}" '
                  f'style="animation-delay:{begin:.2f}s">{escape(text)}</text>')
    print("</svg>")


if len(sys.argv) != 2:
    sys.exit(__doc__.strip())
draw(record(sys.argv[1]))
