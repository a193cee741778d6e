# SPDX-License-Identifier: Apache-2.0
"""Which operation is next: by chance, and so that most of them meet something."""
import os

from tree import EXCHANGE, KEEP, NOREPLACE, PUNCH, SLOTS, ZERO, Dir, File

NAMES = ["n0", "n1", "n2", "n3", "n4", "x.txt", "a b", "\u00fc%2F+&",
         "long-" + "name" * 14]
MOST_NAMES = 40
MOST_BYTES = 48 << 20
LARGE = 11 << 20                        # more than a part of an upload
WEIGHTS = {
    "open": 15, "close": 10, "pwrite": 12, "write": 5, "pread": 8, "read": 2,
    "truncate": 3, "ftruncate": 4, "fallocate": 3, "mwrite": 3, "mread": 2,
    "seek": 2, "copy": 3, "unlink": 5, "mkdir": 4, "rmdir": 3, "rename": 8,
    "readdir": 4, "stat": 6, "fstat": 4, "fsync": 2, "fdatasync": 1,
    "fsyncdir": 1, "dup": 1, "stored": 2, "program": 3, "child": 0.2,
    "other": 0.4,
}


class Chooser:
    def __init__(self, dice, model, direct):
        self.dice, self.model, self.direct = dice, model, direct
        self.planned = []               # the rest of a small program
        self.names = list(WEIGHTS)
        self.sums = []
        for name in self.names:
            self.sums.append((self.sums[-1] if self.sums else 0) +
                             WEIGHTS[name])

    def next(self):
        """An operation; the slots are as it needs them, most of the time."""
        if not self.planned:
            self.paths = self.model.paths()
            if len(self.paths) > MOST_NAMES:
                self.plan_clearing()
        if self.planned:
            return self.planned.pop(0)
        kind = self.dice.choices(self.names, cum_weights=self.sums)[0]
        return getattr(self, "a_" + kind)()

    # ---- what the operations are about

    def path(self, kind=None):
        """Of what is there, most of the time."""
        dice = self.dice
        there = [p for p, node in self.paths
                 if kind is None or isinstance(node, kind)]
        if there and dice.random() < 0.85:
            return dice.choice(there)
        return self.new_path()

    def new_path(self):
        dice = self.dice
        above = [""] + [p + "/" for p, node in self.paths
                        if isinstance(node, Dir) and p.count("/") < 2]
        if dice.random() < 0.03:
            above = [dice.choice(NAMES[:6]) + "/"]
        return dice.choice(above) + dice.choice(NAMES)

    def slot(self, free=False):
        slots = [k for k in range(SLOTS)
                 if (self.model.slots[k] is None) == free]
        return self.dice.choice(slots) if slots else 0

    def size(self):
        dice = self.dice
        kind = dice.random()
        if kind < 0.03:
            return 0
        if kind < 0.5:
            return dice.randrange(1, 300)
        if kind < 0.95:
            return dice.choice((1, 4095, 4096, 4097, 8192,
                                dice.randrange(20000)))
        return dice.randrange(200000)

    def place(self, slot):
        """An offset: within the file, at its end or behind it."""
        opened = self.model.slots[slot]
        there = len(opened.node.data) if opened else 0
        kind = self.dice.random()
        if kind < 0.6:
            return self.dice.randrange(there + 1)
        if kind < 0.8:
            return there
        if kind < 0.99:
            return there + self.dice.randrange(10000)
        used = sum(len(n.data) for _, n in self.paths if isinstance(n, File))
        return there if used > MOST_BYTES else self.dice.randrange(LARGE)

    def seed(self):
        return self.dice.randrange(1 << 20)

    def flags(self):
        dice = self.dice
        flags = dice.choice((os.O_RDONLY, os.O_WRONLY, os.O_RDWR, os.O_RDWR))
        for flag, chance in ((os.O_CREAT, 0.5), (os.O_EXCL, 0.1),
                             (os.O_TRUNC, 0.12), (os.O_APPEND, 0.15),
                             (os.O_SYNC, 0.02), (os.O_DSYNC, 0.02),
                             (os.O_NOFOLLOW, 0.03),
                             (os.O_DIRECT, 0.04 * self.direct)):
            if dice.random() < chance:
                flags |= flag
        if not flags & os.O_CREAT:
            flags &= ~os.O_EXCL
            if dice.random() < 0.02:
                flags |= os.O_DIRECTORY
        return flags

    # ---- one operation

    def a_open(self):
        return "open", self.slot(free=True), self.path(), self.flags()

    def a_close(self):
        return "close", self.slot()

    def a_dup(self):
        return "dup", self.slot(), self.slot(free=True)

    def a_pwrite(self):
        slot = self.slot()
        return "pwrite", slot, self.place(slot), self.size(), self.seed()

    def a_child(self):
        return "child", *self.a_pwrite()[1:]

    def a_write(self):
        return "write", self.slot(), self.size(), self.seed()

    def a_pread(self):
        slot = self.slot()
        return "pread", slot, self.place(slot), self.size()

    def a_read(self):
        return "read", self.slot(), self.size()

    def a_truncate(self):
        return "truncate", self.path(File), self.size()

    def a_ftruncate(self):
        slot = self.slot()
        return "ftruncate", slot, self.place(slot)

    def a_fallocate(self):
        slot = self.slot()
        mode = self.dice.choice((0, 0, KEEP, PUNCH | KEEP, PUNCH | KEEP, ZERO,
                                 ZERO | KEEP))
        return "fallocate", slot, mode, self.place(slot), self.size() + 1

    def a_mwrite(self):
        slot = self.slot()
        return ("mwrite", slot, self.place(slot), self.size() + 1,
                self.seed(), self.dice.randrange(2))

    def a_mread(self):
        slot = self.slot()
        return "mread", slot, self.place(slot), self.size() + 1

    def a_seek(self):
        slot = self.slot()
        return ("seek", slot, self.place(slot),
                self.dice.choice((os.SEEK_DATA, os.SEEK_HOLE)))

    def a_copy(self):
        source, target = self.slot(), self.slot()
        return ("copy", source, target, self.place(source),
                self.place(target), self.size() + 1)

    def a_fsync(self):
        return "fsync", self.slot()

    def a_fdatasync(self):
        return "fdatasync", self.slot()

    def a_fstat(self):
        return "fstat", self.slot()

    def a_stat(self):
        return "stat", self.path()

    def a_readdir(self):
        return "readdir", self.dice.choice(("", self.path(Dir)))

    def a_fsyncdir(self):
        return "fsyncdir", self.dice.choice(("", self.path(Dir)))

    def a_stored(self):
        return "stored", self.path(File)

    def a_unlink(self):
        return "unlink", self.path(File)

    def a_mkdir(self):
        return "mkdir", self.new_path()

    def a_rmdir(self):
        return "rmdir", self.path(Dir)

    def a_rename(self):
        dice = self.dice
        flags = dice.choice((0, 0, 0, 0, 0, NOREPLACE, EXCHANGE))
        new = dice.choice((self.path, self.new_path, self.new_path))()
        return "rename", self.path(), new, flags

    def a_other(self):
        kind = self.dice.choice((self.a_rename, self.a_unlink, self.a_truncate,
                                 self.a_mkdir, self.a_rmdir))
        return "other", *kind()

    # ---- what programs do, a few operations each

    def a_program(self):
        slot = self.slot(free=True)
        if self.model.slots[slot] is not None:
            return "close", slot
        path = self.path(File)
        self.dice.choice((self.plan_save, self.plan_append, self.plan_rewrite,
                          self.plan_rotate, self.plan_burst))(slot, path)
        return self.planned.pop(0)

    def write(self, slot, path, flags):
        return [("open", slot, path, flags),
                ("write", slot, self.size(), self.seed()),
                ("close", slot)]

    def plan_save(self, slot, path):
        """An editor: a new file, flushed, is renamed over the old one."""
        new = path[:-1] + "~"
        opened, wrote, close = self.write(
            slot, new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        self.planned = [opened, wrote, ("fsync", slot), close,
                        ("rename", new, path, 0), ("stored", path)]

    def plan_append(self, slot, path):
        self.planned = self.write(
            slot, path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        self.planned.append(("stored", path))

    def plan_rewrite(self, slot, path):
        self.planned = self.write(
            slot, path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        self.planned.append(("stored", path))

    def plan_rotate(self, slot, path):
        """A log that is open is moved away, and a new one begun."""
        path = path.removesuffix(".1")
        opened, wrote, close = self.write(
            slot, path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        again = opened[:3] + (opened[3] | os.O_EXCL,)
        self.planned = [opened, wrote, ("rename", path, path + ".1", 0), wrote,
                        close, again, wrote, close, ("stored", path + ".1"),
                        ("stat", path)]

    def plan_burst(self, slot, path):
        """rm -r of a directory that is then made again."""
        folder = self.path(Dir)
        below = [(p, node) for p, node in self.paths
                 if p.startswith(folder + "/")]
        self.planned = [("unlink" if isinstance(node, File) else "rmdir", p)
                        for p, node in sorted(below, reverse=True)]
        self.planned += [("rmdir", folder), ("mkdir", folder),
                         ("readdir", folder)]
        self.planned += self.write(slot, folder + "/n0",
                                   os.O_WRONLY | os.O_CREAT | os.O_EXCL)

    def plan_clearing(self):
        top = self.dice.choice([p for p, _ in self.paths if "/" not in p])
        self.planned = [("unlink" if isinstance(node, File) else "rmdir", p)
                        for p, node in sorted(self.paths, reverse=True)
                        if p == top or p.startswith(top + "/")]
