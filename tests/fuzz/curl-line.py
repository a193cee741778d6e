#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The curl line of a pre-signed URL, as a shell reads it.

Random keys, headers and options become lines (presign_row_curl(), which `.curl`
and `--format curl` print); sh runs them with a stand-in for curl, and what
that is called with must be, byte for byte, the words that were meant. Those
are put together here from what the line is for, without any quoting.

	curl-line.py [SEED [CASES]]
"""
import os
import random
import re
import subprocess
import sys
import tempfile
from urllib.parse import urlsplit

SEED = int(sys.argv[1]) if len(sys.argv) > 1 else 20130524
CASES = int(sys.argv[2]) if len(sys.argv) > 2 else 6000
BUILD = os.environ.get("top_builddir", ".")
CLI = os.path.join(BUILD, "tests/vectors/presign-cli")
STAGEFS = os.environ.get("STAGEFS", os.path.join(BUILD, "stagefs"))
# A record begins with a count of words; each word ends in NUL.
STANDIN = b"""curl() { printf '%s\\0' "$#" "$@"; }\n"""
rnd = random.Random(SEED)

NASTY = [b"'", b'"', b"`", b"$", b"$(id)", b"`id`", b"\\", b"\\'", b"''",
         b"\n", b"\r\n", b"\t", b" ", b"  ", b";", b"&", b"|", b"<", b">",
         b"*", b"?", b"[", b"]", b"{", b"}", b",", b"!", b"!!", b"#", b"~",
         b"-", b"--", b"@", b"%", b"%41", b"%s", b"=", b":", b"^", b"(",
         b")", b"\x01", b"\x1b", b"\x7f", b"\xff", b"\x80", b"\xc3\xa9",
         b"\xe4\xb8\xad", b"..", b".", b"/", b"//", b"/./", b"/../", b"-K",
         b"a", b"B", b"0", b"_", b"file.csv", b"$HOME", b"${IFS}", b"\\n"]
PRINTABLE = [bytes([c]) for c in range(0x20, 0x7f)] + \
    [p for p in NASTY if all(0x20 <= c < 0x7f for c in p)]


def pick(pieces, least, most):
    return b"".join(rnd.choice(pieces) for _ in range(rnd.randint(least, most)))


def key():
    while True:
        name = pick(NASTY, 1, 12)
        if name.strip(b"/") and len(name) < 1024:
            return name


def header_value():
    while True:
        text = pick(PRINTABLE, 1, 12).strip(b" ")
        if text:
            return text


class Case:
    def __init__(self):
        self.action = rnd.choice(["download", "upload", "head", "delete"])
        self.key = key()
        self.style = rnd.choice(["path", "virtual"])
        self.options, self.headers = [], []
        if self.action == "upload":
            self.choose_upload()
        elif self.action != "delete" and rnd.random() < 0.5:
            self.options.append((b"content_type", header_value()))

    def choose_upload(self):
        for name in (b"content_type", b"cache_control", b"storage_class",
                     b"content_language"):
            if rnd.random() < 0.3:
                self.options.append((name, header_value()))
        if rnd.random() < 0.3:
            self.options.append((b"content_disposition", b"attachment"))
        if rnd.random() < 0.3:
            self.options.append((b"content_length", b"%d" %
                                 rnd.randint(0, 1000)))
        for i in range(rnd.randint(0, 3)):
            self.headers.append((b"x-amz-meta-%d" % i, header_value()))

    def line(self):
        return "\t".join(f.hex() for f in (
            self.action.encode(), b"https://store.example:9000", b"bucket",
            self.style.encode(), b"us-east-1", b"AK", b"SK", b"", b"60",
            self.key, pairs(self.options), pairs(self.headers)))

    def words(self, url, headers):
        """What curl must be called with."""
        words = []
        path = urlsplit(url.decode()).path
        if re.search(r"/\.{1,2}(/|$)", path):
            words.append(b"--path-as-is")
        name = self.key.rstrip(b"/").split(b"/")[-1]
        if name.startswith(b"-") or name == b".":
            name = b"./" + name
        if self.action == "download":
            words += [b"-f", b"-o", name]
        elif self.action == "head":
            words += [b"-f", b"-I"]
        elif self.action == "delete":
            words += [b"-f", b"-X", b"DELETE"]
        elif self.key.endswith(b"/"):
            words += [b"-f", b"-X", b"PUT", b"-d", b"", b"-H",
                      b"Content-Type:"]
        else:
            # Where curl would read a glob into the name.
            words += [b"-g"] if re.search(rb"[\[\]{}\\,]", name) else []
            words += [b"-f", b"-X", b"PUT", b"-T", name]
        for header in headers.split(b"\n")[:-1]:
            if not header.startswith(b"content-length:"):
                words += [b"-H", header]
        return words + [url]


def pairs(fields):
    return b",".join(n.hex().encode() + b"=" + v.hex().encode()
                     for n, v in fields)


def shell_reads(shell, script):
    """The calls of curl, each a list of words."""
    done = subprocess.run([shell], input=STANDIN + script, timeout=300,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          cwd=empty, check=False)
    if done.returncode or done.stderr:
        return [[b"status %d: " % done.returncode + done.stderr[:500]]]
    fields = done.stdout.split(b"\0")
    calls, at = [], 0
    while at < len(fields) - 1:
        count = int(fields[at])
        calls.append(fields[at + 1:at + 1 + count])
        at += count + 1
    return calls


tests = failures = 0


def report(sentence, wrong):
    global tests, failures
    tests += 1
    failures += bool(wrong)
    for what in wrong[:5]:
        print("# " + what)
    print("%sok %d - %s" % ("not " if wrong else "", tests, sentence))


def differences(got, want):
    wrong = [] if len(got) == len(want) else \
        ["%d calls, not %d: %r" % (len(got), len(want), got[:1])]
    return wrong + ["%r is not %r" % (g, w)
                    for g, w in zip(got, want) if g != w]


def signed(cases):
    """(line, URL, headers) of each case that was not refused."""
    done = subprocess.run([CLI, "curl"], text=True, timeout=300, check=True,
                          input="\n".join(c.line() for c in cases) + "\n",
                          stdout=subprocess.PIPE)
    for case, answer in zip(cases, done.stdout.splitlines()):
        if not answer.startswith("error"):
            yield case, [bytes.fromhex(f) for f in answer.split("\t")]


def named():
    """`--format curl` of names from standard input."""
    names = [n for n in (key() for _ in range(CASES // 4))
             if not re.search(rb"//|^/|(^|/)\.{1,2}(/|$)", n)]
    config = os.path.join(empty, "stagefs.conf")
    with open(os.open(config, os.O_WRONLY | os.O_CREAT, 0o600), "w") as f:
        f.write("[stage s]\nurl = s3://bucket/\n"
                "endpoint_url = https://store.example\n"
                "access_key_id = AK\nsecret_access_key = SK\n")
    done = subprocess.run([STAGEFS, "presign", "-", "-0", "--format", "curl",
                           "--config", config], timeout=300, check=True,
                          input=b"".join(b"@s/" + n + b"\0" for n in names),
                          stdout=subprocess.PIPE)
    return names, done.stdout


with tempfile.TemporaryDirectory() as empty:
    print("1..4")
    cases = [Case() for _ in range(CASES)]
    good = list(signed(cases))
    report("of %d cases nearly all are signed" % CASES,
           [] if len(good) > 0.95 * CASES else ["only %d" % len(good)])
    script = b"".join(line + b"\n" for _, (line, _, _) in good)
    want = [case.words(url, lines) for case, (_, url, lines) in good]
    for shell in "sh", "bash":
        report("%s reads the words that were meant" % shell,
               differences(shell_reads(shell, script), want))
    names, script = named()
    got = shell_reads("sh", script)
    wrong = [] if len(got) == len(names) else ["%d calls" % len(got)]
    for name, words in zip(names, got):
        want = name.rstrip(b"/").split(b"/")[-1]
        want = b"./" + want if want.startswith(b"-") else want
        if words[words.index(b"-o") + 1] != want:
            wrong.append("%r is not %r" % (words, want))
    report("so does it what --format curl prints", wrong)
sys.exit(failures != 0)
