# SPDX-License-Identifier: Apache-2.0
"""The same operations as calls of the system, below a real directory."""
import ctypes
import errno
import mmap
import os
import stat

from tree import SLOTS, pattern

LIBC = ctypes.CDLL(None, use_errno=True)
PAGE = mmap.PAGESIZE


def checked(result):
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


class Real:
    def __init__(self, top, store, planted=None):
        self.top, self.store, self.planted = top, store, planted
        self.fds = [None] * SLOTS
        self.names = {}                 # where it is planted: slot to path
        self.moved = set()

    def call(self, op):
        return getattr(self, "do_" + op[0])(*op[1:])

    def path(self, path):
        return os.path.join(self.top, path) if path else self.top

    def end(self):
        """Closes all, whatever it says."""
        for slot, fd in enumerate(self.fds):
            if fd is not None:
                self.fds[slot] = None
                try:
                    os.close(fd)
                except OSError:
                    pass

    # ---- open files

    def do_open(self, slot, path, flags):
        fd = os.open(self.path(path), flags, 0o644)
        if stat.S_ISDIR(os.fstat(fd).st_mode):
            os.close(fd)
            return "directory"
        self.fds[slot] = fd
        self.names[slot] = path
        self.moved.discard(slot)
        return "file"

    def do_close(self, slot):
        fd, self.fds[slot] = self.fds[slot], None
        os.close(fd)

    def do_dup(self, slot, other):
        self.fds[other] = os.dup(self.fds[slot])
        self.names[other] = None
        self.moved.discard(other)

    def do_pread(self, slot, at, size):
        return os.pread(self.fds[slot], size, at)

    def do_read(self, slot, size):
        return os.read(self.fds[slot], size)

    def do_pwrite(self, slot, at, size, seed):
        if slot in self.moved:
            return size
        return os.pwrite(self.fds[slot], pattern(seed, size), at)

    def do_write(self, slot, size, seed):
        return os.write(self.fds[slot], pattern(seed, size))

    def by_child(self, call, *args):
        pid = os.fork()
        if not pid:
            number = 255
            try:
                call(*args)
                number = 0
            except OSError as e:
                number = e.errno
            finally:
                os._exit(number)
        number = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        if number:
            raise OSError(number, os.strerror(number))

    def do_child(self, slot, at, size, seed):
        self.by_child(os.pwrite, self.fds[slot], pattern(seed, size), at)
        return size

    def do_ftruncate(self, slot, size):
        os.ftruncate(self.fds[slot], size)

    def do_fallocate(self, slot, mode, at, size):
        checked(LIBC.fallocate(self.fds[slot], mode, ctypes.c_long(at),
                               ctypes.c_long(size)))

    def mapped(self, slot, at, size, prot):
        fd = self.fds[slot]
        first = at // PAGE * PAGE
        end = min(at + size, os.fstat(fd).st_size)
        if end <= at:
            raise OSError(errno.ERANGE, "the file is shorter")
        return first, end, mmap.mmap(fd, end - first, mmap.MAP_SHARED, prot,
                                     offset=first)

    def do_mwrite(self, slot, at, size, seed, flush):
        first, end, memory = self.mapped(slot, at, size,
                                         mmap.PROT_READ | mmap.PROT_WRITE)
        with memory:
            memory[at - first:end - first] = pattern(seed, end - at)
            if flush:
                memory.flush()

    def do_mread(self, slot, at, size):
        first, end, memory = self.mapped(slot, at, size, mmap.PROT_READ)
        with memory:
            return memory[at - first:end - first]

    def do_seek(self, slot, at, whence):
        return os.lseek(self.fds[slot], at, whence)

    def do_copy(self, source, target, at, to, size):
        done = 0
        there = os.fstat(self.fds[source]).st_size - at
        while True:
            n = os.copy_file_range(self.fds[source], self.fds[target],
                                   size - done, at + done, to + done)
            done += n
            if not n or done >= min(size, there):
                return done

    def do_fsync(self, slot):
        os.fsync(self.fds[slot])

    def do_fdatasync(self, slot):
        os.fdatasync(self.fds[slot])

    def do_fstat(self, slot):
        return self.shown(os.fstat(self.fds[slot]))

    # ---- names

    @staticmethod
    def shown(st):
        if stat.S_ISDIR(st.st_mode):
            return "directory", 0
        return ("file" if stat.S_ISREG(st.st_mode) else "other"), st.st_size

    def do_stat(self, path):
        return self.shown(os.stat(self.path(path)))

    def do_readdir(self, path):
        with os.scandir(self.path(path)) as entries:
            return sorted((e.name, "directory" if e.is_dir() else "file")
                          for e in entries)

    def do_fsyncdir(self, path):
        fd = os.open(self.path(path), os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(fd)
        finally:
            os.close(fd)

    def do_truncate(self, path, size):
        os.truncate(self.path(path), size)

    def do_stored(self, path):
        return self.store.read(os.path.basename(self.top) + "/" + path)

    def do_unlink(self, path):
        os.unlink(self.path(path))

    def do_mkdir(self, path):
        os.mkdir(self.path(path))

    def do_rmdir(self, path):
        os.rmdir(self.path(path))

    def do_rename(self, old, new, flags):
        if flags:
            checked(LIBC.renameat2(-100, os.fsencode(self.path(old)), -100,
                                   os.fsencode(self.path(new)), flags))
        else:
            os.rename(self.path(old), self.path(new))
        if self.planted == "lost-write":
            self.moved |= {slot for slot, name in self.names.items()
                           if name == old and self.fds[slot] is not None}

    def do_other(self, *op):
        self.by_child(self.call, op)

    # ---- numbers

    def number(self, slot=None, path=None):
        """st_ino of one of the two; None where there is nothing."""
        try:
            if slot is not None:
                return os.fstat(self.fds[slot]).st_ino
            return os.stat(self.path(path)).st_ino
        except OSError as e:
            if e.errno in (errno.ENOENT, errno.ENOTDIR):
                return None
            raise
