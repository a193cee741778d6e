# SPDX-License-Identifier: Apache-2.0
"""Operations done on both sides, the model's and the real one."""
import errno
import os
import shlex
import signal
import stat

from real import Real
from tree import REFUSALS, Dir, File, Model

HANGS_S = 120                           # what takes so long never ends


class Wrong(Exception):
    """The two sides differ."""


def show(value):
    if isinstance(value, OSError):
        return errno.errorcode.get(value.errno, str(value.errno))
    if isinstance(value, (bytes, bytearray)):
        return "%d bytes %r" % (len(value), bytes(value[:24]))
    return repr(value)


def difference(got, want):
    if isinstance(got, bytes) and isinstance(want, bytes):
        for at, (one, other) in enumerate(zip(got, want)):
            if one != other:
                return "got %s at byte %d of %d, want %s of %d" % (
                    show(got[at:]), at, len(got), show(want[at:]), len(want))
    return "got %s, want %s" % (show(got), show(want))


# ---- as text: a line an operation

FLAGS = ("O_CREAT", "O_EXCL", "O_TRUNC", "O_APPEND", "O_DIRECT", "O_SYNC",
         "O_DSYNC", "O_NOFOLLOW", "O_DIRECTORY")
MODES = {os.O_RDONLY: "O_RDONLY", os.O_WRONLY: "O_WRONLY",
         os.O_RDWR: "O_RDWR"}


def flag_text(flags):
    names = [MODES[flags & os.O_ACCMODE]]
    flags &= ~os.O_ACCMODE
    for name in FLAGS:
        bits = getattr(os, name)
        if name == "O_DSYNC" and "O_SYNC" in names:
            continue                    # its bit is one of that one's
        if flags & bits == bits:
            names.append(name)
    return "|".join(names)


def op_text(op):
    words = [flag_text(word) if op[0] == "open" and k == 3 else str(word)
             for k, word in enumerate(op)]
    return shlex.join(words)


def op_of(line):
    name, *words = shlex.split(line)
    op = [name]
    for k, word in enumerate(words):
        if name == "open" and k == 2:
            flags = 0
            for flag in word.split("|"):
                flags |= getattr(os, flag)
            op.append(flags)
        else:
            op.append(int(word) if word.lstrip("-").isdigit() else word)
    return tuple(op)


def hangs(signum, frame):
    raise Wrong("not done in %d s" % HANGS_S)


signal.signal(signal.SIGALRM, hangs)


class Run:
    """A model, and the directory that must be as it is."""

    def __init__(self, top, store, planted=None, remount=None):
        self.top, self.store, self.remount = top, store, remount
        self.model = Model()
        self.real = Real(top, store, planted)
        self.ops = []
        os.mkdir(top)

    def both(self, op):
        """(got, want): values, or the OSErrors."""
        answers = []
        for side in self.real, self.model:
            try:
                answers.append(side.call(op))
            except OSError as e:
                answers.append(e)
            inner = op[1] if op[0] == "other" else op[0]
            got = self.model.got = answers[0]
            if isinstance(got, OSError) and got.errno == errno.ESTALE:
                node = self.store.forgets and self.model.gone(op)
                if node:
                    node.gone = True
                    if op[0] == "close":
                        self.model.call(op)
                    return got, got
            if isinstance(got, OSError) and got.errno == REFUSALS.get(inner):
                if inner == "rename" and not op[-1]:
                    continue
                if inner == "fallocate" and not op[2]:
                    continue
                return got, got
        return answers

    def step(self, op):
        """False where the operation means nothing in this state."""
        if op[0] == "check":
            self.ops.append(op)
            self.check()
            return True
        if op[0] == "remount":
            self.do_remount()
            return True
        if not self.model.ready(op, self.store.forgets):
            return False
        self.ops.append(op)
        signal.alarm(HANGS_S)
        got, want = self.both(op)
        signal.alarm(0)
        if isinstance(got, OSError) and isinstance(want, OSError):
            same = got.errno == want.errno
        else:
            same = got == want
        if not same:
            raise Wrong("%s: %s" % (op_text(op), difference(got, want)))
        self.check_number(op)
        return True

    def check_number(self, op):
        """st_ino of a file is its own while it is open, wherever it is."""
        node = ino = None
        if op[0] == "fstat":
            node = self.model.slots[op[1]].node
            ino = self.real.number(slot=op[1])
        elif op[0] == "stat":
            ino = self.real.number(path=op[1])
            if ino is not None:
                node = self.model.find(op[1])
        if not isinstance(node, File) or not node.opens:
            return
        if node.ino not in (None, ino):
            raise Wrong("%s: st_ino is %d, and was %d" % (
                op_text(op), ino, node.ino))
        node.ino = ino
        for opened in self.model.slots:
            if opened and opened.node is not node and opened.node.ino == ino:
                raise Wrong("%s: st_ino is another file's" % op_text(op))

    def do_remount(self):
        self.before_remount()
        self.remount()
        self.after_remount()

    def before_remount(self):
        for slot in range(len(self.model.slots)):
            self.step(("close", slot))
        self.ops.append(("remount",))
        self.check()

    def after_remount(self):
        self.check()
        wrong = self.store.check(os.path.basename(self.top),
                                 self.model.paths())
        if wrong:
            raise Wrong("the store's own content: " + wrong)

    # ---- all of it

    def check(self, folder=None, path=""):
        """Names, kinds, sizes and bytes are the model's."""
        signal.alarm(HANGS_S)
        folder = folder or self.model.top
        names = self.real.do_readdir(path)
        want = [(n, "directory" if isinstance(c, Dir) else "file")
                for n, c in sorted(folder.children.items())]
        if names != want:
            raise Wrong("readdir of '%s': %s" % (path, difference(names, want)))
        for name, node in folder.children.items():
            below = path + "/" + name if path else name
            if isinstance(node, Dir):
                self.check(node, below)
                continue
            st = os.stat(self.real.path(below))
            with open(self.real.path(below), "rb") as f:
                got = f.read()
            if got != node.data:
                raise Wrong("bytes of %s: %s" % (
                    below, difference(got, bytes(node.data))))
            if st.st_size != len(got) or not stat.S_ISREG(st.st_mode):
                raise Wrong("stat of %s: a size of %d, and %d bytes" % (
                    below, st.st_size, len(got)))
        signal.alarm(0)
