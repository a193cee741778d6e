#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Exchanges and moves of every kind of file for and over every other.

moves.py do|look exchange|move MOUNT LOCAL STAGE STAGE SETTLE

All is done below MOUNT and below LOCAL, whose file system is right: both must
answer the same and look alike afterwards. A line for each kind that is
exchanged or moved: ok or not, a sentence, what is wrong, with tabs between.
SETTLE is a command after which what some kinds were made of is in the store;
the rest of a kind is written then, and may wait to be sent.
"""
import ctypes
import os
import stat
import subprocess
import sys

libc = ctypes.CDLL(None, use_errno=True)


def write(path, text, how="w"):
    with open(path, how) as f:
        f.write(text)


def tree(path):
    os.mkdir(path)
    os.mkdir(path + "/sub")
    write(path + "/a", "a in " + path[-3:])
    write(path + "/sub/b", "b in " + path[-3:])
    os.symlink("a", path + "/link")


def edit_tree(path):
    write(path + "/sub/b", ", edited", "a")
    write(path + "/new", "new")


def nothing(path):
    pass


def program(path):
    write(path, "#!")
    os.chmod(path, 0o755)


# What is in the store, and what comes after it.
KINDS = {
    "a file": (lambda p: write(p, "text of " + p[-3:]), nothing),
    "a new file": (nothing, lambda p: write(p, "new text of " + p[-3:])),
    "an edited file": (lambda p: write(p, "text of " + p[-3:]),
                       lambda p: write(p, ", edited", "a")),
    "a program": (nothing, program),
    "a link": (lambda p: os.symlink("to " + p[-3:], p), nothing),
    "a new link": (nothing, lambda p: os.symlink("new to " + p[-3:], p)),
    "a tree": (tree, nothing),
    "a new tree": (nothing, tree),
    "an edited tree": (tree, edit_tree),
    "a new folder": (nothing, os.mkdir),
}
FILES = [k for k in KINDS if "tree" not in k and "folder" not in k]


def look(path):
    found = []
    for folder, folders, files in os.walk(path):
        for name in sorted(folders + files):
            name = os.path.join(folder, name)
            st = os.lstat(name)
            what = ""
            if stat.S_ISLNK(st.st_mode):
                what = os.readlink(name)
            elif stat.S_ISREG(st.st_mode):
                with open(name) as f:
                    what = f.read()
            mode = 0 if stat.S_ISLNK(st.st_mode) else stat.S_IMODE(st.st_mode)
            found.append((os.path.relpath(name, path),
                          stat.S_IFMT(st.st_mode), mode, what))
    return sorted(found)


class Case:
    def __init__(self, job, stages, kind, other):
        self.job, self.kind, self.other = job, kind, other
        name = f"{kind} {other or 'nothing'}".replace(" ", "-")
        self.folders = [f"{s}/{job}-{stages[0]}-{stages[1]}/{name}-{n}"
                        for n, s in enumerate(stages)]

    def paths(self, base):
        return [f"{base}/{f}/{n}"
                for f, n in zip(self.folders, ("one", "two"))]

    def make(self, base, late):
        for path, kind in zip(self.paths(base), (self.kind, self.other)):
            if not late:
                os.makedirs(os.path.dirname(path))
            if kind:
                KINDS[kind][late](path)

    def run(self, base):
        one, two = self.paths(base)
        if self.job == "exchange":
            rc = libc.renameat2(-100, one.encode(), -100, two.encode(), 2)
            return os.strerror(ctypes.get_errno()) if rc else "ok"
        p = subprocess.run(["mv", "-fT", one, two], stdin=subprocess.DEVNULL,
                           capture_output=True, text=True)
        return p.stderr.replace(base, "") or "ok"

    def differs(self, bases):
        got, want = ([look(f"{b}/{f}") for f in self.folders] for b in bases)
        return "" if got == want else f"{got}, not {want}"


def cases(job, stages):
    for kind in KINDS:
        if job == "exchange":
            others = list(KINDS)
        else:
            others = [None] + (FILES if kind in FILES else [])
        yield kind, [Case(job, stages, kind, o) for o in others]


def do(groups, bases, settle):
    every = [c for _, group in groups for c in group]
    for base in bases:
        for late in (0, 1):
            for c in every:
                c.make(base, late)
            subprocess.run(settle, shell=True, check=True,
                           stdout=subprocess.DEVNULL) if not late else None
    for kind, group in groups:
        wrong = []
        for c in group:
            got, want = (c.run(b) for b in bases)
            if got != want:
                wrong.append(f"{c.other}: {got}, not {want}")
        yield kind, wrong


def main():
    step, job, mount, local, one, two, settle = sys.argv[1:]
    bases = (mount, local)
    groups = list(cases(job, (one, two)))
    if step == "do":
        results = do(groups, bases, settle)
    else:
        results = ((kind, []) for kind, _ in groups)
    for (kind, wrong), (_, group) in zip(results, groups):
        wrong += [f"{c.other}: {d}" for c in group if (d := c.differs(bases))]
        how = "exchanged with" if job == "exchange" else "moved over"
        print("ok" if not wrong else "not", f"{kind} is {how} each",
              "; ".join(wrong), sep="\t")


main()
