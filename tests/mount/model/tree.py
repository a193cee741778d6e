# SPDX-License-Identifier: Apache-2.0
"""A plain file system in memory: what POSIX says that each call does.

An operation is a tuple of plain values, its name and its arguments, that means
something in any state: paths below the top, and open files by the number of
their slot. Model.call() answers with the value, or raises OSError.
"""
import errno
import os

SLOTS = 8
PUNCH, ZERO, KEEP = 2, 16, 1            # fallocate(2)
NOREPLACE, EXCHANGE = 1, 2              # renameat2(2)
CAN_READ, CAN_WRITE = (os.O_RDONLY, os.O_RDWR), (os.O_WRONLY, os.O_RDWR)
# What a store may say that it cannot do, and then has not done.
REFUSALS = {"fallocate": errno.EOPNOTSUPP, "rename": errno.EINVAL}
_BLOCK = b"".join(b"%07x " % (k * 2654435761 % (1 << 28))
                  for k in range(1 << 13))


def pattern(seed, size):
    """Bytes that tell which write they are of."""
    start = seed * 11 % len(_BLOCK)
    return (_BLOCK[start:] + _BLOCK * (size // len(_BLOCK) + 1))[:size]


def fail(number):
    raise OSError(number, os.strerror(number))


class File:
    def __init__(self):
        self.data = bytearray()
        self.opens = 0
        self.ino = None                 # known while it is open
        self.gone = False               # nothing is asked of it any more

    def resize(self, size):
        del self.data[size:]
        self.data.extend(bytes(size - len(self.data)))

    def put(self, at, data):
        if len(self.data) < at and data:
            self.resize(at)
        self.data[at:at + len(data)] = data


class Dir:
    def __init__(self):
        self.children = {}


class Open:
    """An open file description; two slots have it after a dup."""

    def __init__(self, node, flags):
        self.node, self.flags = node, flags
        self.slots = 1
        self.at = 0

    def mode(self):
        return self.flags & os.O_ACCMODE


class Model:
    def __init__(self):
        self.top = Dir()
        self.slots = [None] * SLOTS
        self.got = None                 # the real answer, where several may be

    # ---- finding

    def parent(self, path):
        *above, name = path.split("/")
        node = self.top
        for part in above:
            node = node.children.get(part)
            if node is None:
                fail(errno.ENOENT)
            if isinstance(node, File):
                fail(errno.ENOTDIR)
        return node, name

    def find(self, path):
        if path == "":
            return self.top
        folder, name = self.parent(path)
        node = folder.children.get(name)
        return node or fail(errno.ENOENT)

    def file(self, slot, modes=None):
        opened = self.slots[slot]
        if modes and opened.mode() not in modes:
            fail(errno.EBADF)
        return opened

    def paths(self):
        """(path, node) of all that has a name, in order."""
        found, todo = [], [("", self.top)]
        while todo:
            above, folder = todo.pop()
            for name, node in sorted(folder.children.items()):
                found.append((above + name, node))
                if isinstance(node, Dir):
                    todo.append((above + name + "/", node))
        return found

    def gone(self, op):
        """The file without a name that the operation reads or writes; the
        store may have its bytes no more."""
        named = {id(node) for _, node in self.paths()}
        slots = [k for k in op[1:3 if op[0] == "copy" else 2]
                 if isinstance(k, int)]
        for slot in slots:
            if self.slots[slot] and id(self.slots[slot].node) not in named:
                return self.slots[slot].node
        return None

    def ready(self, op, forgets):
        """Whether the slots are as the operation needs them."""
        name, *args = op
        if name not in ("open", "close") and any(
                isinstance(k, int) and self.slots[k] and
                self.slots[k].node.gone
                for k in args[:2 if name in ("copy", "dup") else 1]):
            return False
        if name == "open":
            return self.slots[args[0]] is None
        if name == "dup":
            return self.slots[args[1]] is None and self.slots[args[0]]
        if name == "copy":
            return self.slots[args[0]] and self.slots[args[1]]
        if name in ("mread", "mwrite"):
            opened = self.slots[args[0]]
            if not opened or args[1] >= len(opened.node.data):
                return False
            # What is not to be had any more would be a SIGBUS.
            return not (forgets and self.gone(op))
        if name == "stored":
            try:
                node = self.find(args[0])
            except OSError:
                return False
            return isinstance(node, File) and not node.opens
        return not isinstance(args and args[0], int) or self.slots[args[0]]

    def call(self, op):
        return getattr(self, "do_" + op[0])(*op[1:])

    # ---- open files

    def do_open(self, slot, path, flags):
        folder, name = self.parent(path)
        node = folder.children.get(name)
        made = node is None
        if made:
            if not flags & os.O_CREAT:
                fail(errno.ENOENT)
            node = File()
        elif flags & os.O_CREAT and flags & os.O_EXCL:
            fail(errno.EEXIST)
        elif isinstance(node, Dir):
            if flags & (os.O_CREAT | os.O_TRUNC | os.O_ACCMODE):
                fail(errno.EISDIR)
            if flags & os.O_DIRECT:
                fail(errno.EINVAL)
            return "directory"
        elif flags & os.O_DIRECTORY:
            fail(errno.ENOTDIR)
        folder.children[name] = node
        if flags & os.O_TRUNC:
            node.resize(0)
        self.slots[slot] = Open(node, flags)
        node.opens += 1
        return "file"

    def do_close(self, slot):
        opened, self.slots[slot] = self.slots[slot], None
        opened.slots -= 1
        if not opened.slots:
            opened.node.opens -= 1
            if not opened.node.opens:
                opened.node.ino = None

    def do_dup(self, slot, other):
        self.slots[other] = self.slots[slot]
        self.slots[slot].slots += 1

    def do_pread(self, slot, at, size):
        return bytes(self.file(slot, CAN_READ).node.data[at:at + size])

    def do_read(self, slot, size):
        opened = self.file(slot, CAN_READ)
        data = self.do_pread(slot, opened.at, size)
        opened.at += len(data)
        return data

    def do_pwrite(self, slot, at, size, seed):
        opened = self.file(slot, CAN_WRITE)
        if opened.flags & os.O_APPEND:
            at = len(opened.node.data)
        opened.node.put(at, pattern(seed, size))
        return size

    do_child = do_pwrite                # by a process that inherited it

    def do_write(self, slot, size, seed):
        opened = self.file(slot, CAN_WRITE)
        if opened.flags & os.O_APPEND and size:
            opened.at = len(opened.node.data)
        self.do_pwrite(slot, opened.at, size, seed)
        opened.at += size
        return size

    def do_ftruncate(self, slot, size):
        if self.file(slot).mode() not in CAN_WRITE:
            fail(errno.EINVAL)
        self.file(slot).node.resize(size)

    def do_fallocate(self, slot, mode, at, size):
        node = self.file(slot, CAN_WRITE).node
        end = at + size
        if mode & (PUNCH | ZERO):
            inside = min(end, len(node.data))
            if at < inside:
                node.data[at:inside] = bytes(inside - at)
        if not mode & KEEP and len(node.data) < end:
            node.resize(end)

    def do_mwrite(self, slot, at, size, seed, flush):
        opened = self.file(slot)
        if opened.mode() != os.O_RDWR:
            fail(errno.EACCES)
        data = opened.node.data
        data[at:at + size] = pattern(seed, min(size, len(data) - at))

    def do_mread(self, slot, at, size):
        if self.file(slot).mode() not in CAN_READ:
            fail(errno.EACCES)
        return bytes(self.file(slot).node.data[at:at + size])

    def do_seek(self, slot, at, whence):
        """Data is what may be no zero; where there are holes is the store's
        to say, but a hole has only zeros."""
        opened, got = self.file(slot), self.got
        data = opened.node.data
        if at >= len(data):
            fail(errno.ENXIO)
        if isinstance(got, OSError):
            if (whence == os.SEEK_DATA and got.errno == errno.ENXIO and
                    not any(data[at:])):
                raise got
            return "a place"
        passed = whence == os.SEEK_DATA and any(data[at:got])
        hole = whence == os.SEEK_HOLE and any(data[got:got + 1])
        if not at <= got <= len(data) or passed or hole:
            return "a place from %d to %d with data before it or no hole" % (
                at, len(data))
        opened.at = got
        return got

    def do_copy(self, source, target, at, to, size):
        if (self.file(target, CAN_WRITE).flags & os.O_APPEND):
            fail(errno.EBADF)
        data = self.file(source, CAN_READ).node.data[at:at + size]
        node = self.file(target).node
        size = len(data)
        if (node is self.file(source).node and to + size > at and
                to < at + size):
            fail(errno.EINVAL)
        node.put(to, data)
        return size

    def do_fsync(self, slot):
        pass

    do_fdatasync = do_fsync

    def do_fstat(self, slot):
        return self.shown(self.file(slot).node)

    # ---- names

    def shown(self, node):
        if isinstance(node, Dir):
            return "directory", 0
        return "file", len(node.data)

    def do_stat(self, path):
        return self.shown(self.find(path))

    def do_readdir(self, path):
        node = self.find(path)
        if isinstance(node, File):
            fail(errno.ENOTDIR)
        return [(name, self.shown(child)[0])
                for name, child in sorted(node.children.items())]

    def do_fsyncdir(self, path):
        self.do_readdir(path)

    def do_truncate(self, path, size):
        node = self.find(path)
        if isinstance(node, Dir):
            fail(errno.EISDIR)
        node.resize(size)

    def do_stored(self, path):
        return bytes(self.find(path).data)

    def do_unlink(self, path):
        folder, name = self.parent(path)
        if isinstance(self.find(path), Dir):
            fail(errno.EISDIR)
        del folder.children[name]

    def do_mkdir(self, path):
        folder, name = self.parent(path)
        if name in folder.children:
            fail(errno.EEXIST)
        folder.children[name] = Dir()

    def do_rmdir(self, path):
        folder, name = self.parent(path)
        node = self.find(path)
        if isinstance(node, File):
            fail(errno.ENOTDIR)
        if node.children:
            fail(errno.ENOTEMPTY)
        del folder.children[name]

    def do_rename(self, old, new, flags):
        out, old_name = self.parent(old)
        into, new_name = self.parent(new)
        moved = out.children.get(old_name) or fail(errno.ENOENT)
        there = into.children.get(new_name)
        if flags & NOREPLACE and there:
            fail(errno.EEXIST)
        if flags & EXCHANGE and not there:
            fail(errno.ENOENT)
        if (new + "/").startswith(old + "/") and new != old:
            fail(errno.EINVAL)
        if (old + "/").startswith(new + "/") and new != old:
            fail(errno.EINVAL if flags & EXCHANGE else errno.ENOTEMPTY)
        if there is moved:
            return
        if flags & EXCHANGE:
            out.children[old_name], into.children[new_name] = there, moved
            return
        if isinstance(there, Dir) and isinstance(moved, File):
            fail(errno.EISDIR)
        if isinstance(there, File) and isinstance(moved, Dir):
            fail(errno.ENOTDIR)
        if isinstance(there, Dir) and there.children:
            fail(errno.ENOTEMPTY)
        del out.children[old_name]
        into.children[new_name] = moved

    def do_other(self, *op):
        """The same by another process."""
        return self.call(op)
