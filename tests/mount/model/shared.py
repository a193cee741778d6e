# SPDX-License-Identifier: Apache-2.0
"""A directory that all processes work in at once: only facts are asserted that
hold in whatever order their operations come.
"""
import errno
import os
import re

from run import Wrong

NAMES = 24                              # to fight for, of each kind
SLICE = 5000                            # bytes, for each process
STABLE = ["stable%d" % k for k in range(10)]
LINES = 40                              # of what is replaced as a whole


def need(true, sentence):
    if not true:
        raise Wrong("shared: " + sentence)


def write(path, data, flags):
    fd = os.open(path, flags, 0o644)
    try:
        need(os.write(fd, data) == len(data), "a short write")
    finally:
        os.close(fd)


def read(path):
    with open(path, "rb") as f:
        return f.read()


def version(who, count):
    return b"".join(b"version %d of %d, line %d\n" % (count, who, k)
                    for k in range(LINES))


def prepare(top, processes):
    os.mkdir(top)
    for name in STABLE + ["token%d" % k for k in range(NAMES)] + [
            "doomed%d" % k for k in range(NAMES)]:
        write(top + "/" + name, name.encode(), os.O_WRONLY | os.O_CREAT)
    write(top + "/slices", bytes(SLICE * processes), os.O_WRONLY | os.O_CREAT)
    write(top + "/hot", version(0, 0), os.O_WRONLY | os.O_CREAT)


class Shared:
    """One process's part in it, and what it remembers."""

    def __init__(self, dice, top, me, forgets):
        self.dice, self.top, self.me = dice, top, me
        self.forgets = forgets
        self.won, self.lost = set(), set()
        self.lines = 0
        self.slice = bytes(SLICE)
        self.versions = 0

    def step(self):
        kinds = (self.exclusive, self.directory, self.token, self.unlink,
                 self.append, self.append, self.a_slice, self.replace,
                 self.look, self.listing)
        self.dice.choice(kinds)()

    def fight(self, name, loses, call, *args):
        """All call for name; the one that gets no error has it."""
        try:
            call(*args)
            self.won.add(name)
        except OSError as e:
            if e.errno != loses:
                raise Wrong("shared: %s: %s" % (name, e)) from None
            self.lost.add(name)

    def name(self, kind):
        return "%s%d" % (kind, self.dice.randrange(NAMES))

    def exclusive(self):
        name = self.name("excl")
        self.fight(name, errno.EEXIST, write, self.top + "/" + name, b"mine\n",
                   os.O_WRONLY | os.O_CREAT | os.O_EXCL)

    def directory(self):
        name = self.name("dir")
        self.fight(name, errno.EEXIST, os.mkdir, self.top + "/" + name)

    def token(self):
        name = self.name("token")
        path = self.top + "/" + name
        self.fight(name, errno.ENOENT, os.rename, path,
                   "%s-of-%d" % (path, self.me))

    def unlink(self):
        name = self.name("doomed")
        self.fight(name, errno.ENOENT, os.unlink, self.top + "/" + name)

    def append(self):
        self.lines += 1
        text = b"%d %d %s\n" % (self.me, self.lines,
                                b"x" * self.dice.randrange(200))
        write(self.top + "/log", text,
              os.O_WRONLY | os.O_CREAT | os.O_APPEND)

    def a_slice(self):
        """Parts of a file that each has for itself."""
        at = self.dice.randrange(SLICE)
        data = bytes([self.dice.randrange(1, 256)]) * self.dice.randrange(
            1, SLICE - at + 1)
        fd = os.open(self.top + "/slices", os.O_RDWR)
        start = self.me * SLICE
        need(os.pread(fd, SLICE, start) == self.slice,
             "another's write changed our part of a file")
        os.pwrite(fd, data, start + at)
        self.slice = self.slice[:at] + data + self.slice[at + len(data):]
        need(os.pread(fd, SLICE, start) == self.slice,
             "our part of a file is not what we wrote")
        os.close(fd)

    def replace(self):
        self.versions += 1
        new = "%s/new-of-%d" % (self.top, self.me)
        write(new, version(self.me, self.versions),
              os.O_WRONLY | os.O_CREAT | os.O_EXCL)
        os.rename(new, self.top + "/hot")

    def look(self):
        """It is replaced meanwhile; a store may not have it any more then."""
        try:
            data = read(self.top + "/hot")
        except OSError as e:
            need(self.forgets and e.errno == errno.ESTALE, str(e))
            return
        whole(data)

    def listing(self):
        names = os.listdir(self.top)
        need(len(set(names)) == len(names), "a listing has a name twice")
        need(set(STABLE + ["slices", "hot"]) <= set(names),
             "a listing lacks a name that was there all the time")


def whole(data):
    found = re.match(rb"version (\d+) of (\d+),", data)
    need(found and data == version(int(found[2]), int(found[1])),
         "what is replaced by rename is not whole: %r" % data[:60])


def check(top, parts):
    """What all did is there; the file system may be another mount of it."""
    names = set(os.listdir(top))
    for name in set().union(*(p.won | p.lost for p in parts)):
        winners = [p.me for p in parts if name in p.won]
        need(len(winners) == 1, "%s has %d winners" % (name, len(winners)))
        if name.startswith("doomed"):
            need(name not in names, name + " was removed and is there")
        elif name.startswith("token"):
            need(name not in names and
                 "%s-of-%d" % (name, winners[0]) in names,
                 name + " is not where it was moved to")
        else:
            need(name in names, name + " is not there")
    log = read(top + "/log") if "log" in names else b""
    for part in parts:
        seen = [int(n) for n in re.findall(rb"(?m)^%d (\d+) x*$" % part.me,
                                           log)]
        need(seen == list(range(1, part.lines + 1)),
             "of %d lines that %d appended there are %d" % (
                 part.lines, part.me, len(seen)))
    need(log.count(b"\n") == sum(p.lines for p in parts),
         "the log has lines of nobody")
    need(read(top + "/slices") == b"".join(p.slice for p in parts),
         "a file that all wrote to is not what they wrote")
    whole(read(top + "/hot"))
    for name in STABLE:
        need(read(top + "/" + name) == name.encode(), name + " is another")
