#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The driver of posix.sh: runs the rows of a table of system calls.

usage: posix.py TABLE FOLDER KIND

A row is a sentence (a line that begins in the first column) and its steps
(lines that begin with a tab). A sentence that begins with `KIND: ` is for that
kind of store alone. Each row works in a folder of its own, mode 0777, which
relative paths begin at; `{N}` in a path is a name of N letters. A step is

    [@USER] [FD:] CALL ARGUMENT... [=> WANTED]

USER is 1 or 2 (ids 65501, 65502, each with a group of that number; `1+2` has
the group of 2 besides) and nothing is root, whose umask is 0, as theirs is.
WANTED is an errno's name, or the value as text; several are parted by `|`,
and `KIND:WANTED` words say it for each kind. Without it the call must succeed.
A row ends at its first step that went otherwise. Of each row one line is
printed, parted by tabs: ok or not ok, the sentence, what went otherwise.
"""
import ctypes
import errno
import os
import re
import stat
import sys
import time

AT_FDCWD, AT_EACCESS = -100, 0x200
LIBC = ctypes.CDLL(None, use_errno=True)
UTIME = {"NOW": (1 << 30) - 1, "OMIT": (1 << 30) - 2}
FIRST_ID = 65500
NAMES = errno.errorcode | {errno.EOPNOTSUPP: "EOPNOTSUPP"}


class Timespec(ctypes.Structure):
    _fields_ = [("sec", ctypes.c_long), ("nsec", ctypes.c_long)]


def checked(result):
    if result < 0:
        raise OSError(ctypes.get_errno(), "")
    return result


def flags_of(text, prefix=""):
    value = 0
    for name in text.split(","):
        value |= getattr(os, prefix + name)
    return value


def become(user):
    """user: None, "1", or "1+2"."""
    os.setresuid(-1, 0, -1)
    if not user:
        os.setgroups([])
        os.setresgid(-1, 0, -1)
        return
    first, *more = [FIRST_ID + int(n) for n in user.split("+")]
    os.setgroups(more)
    os.setresgid(-1, first, -1)
    os.setresuid(-1, first, -1)


class Row:
    def __init__(self, folder):
        self.folder = folder
        self.fds = {}
        self.saved = {}
        self.keep = None

    def path(self, text):
        text = re.sub(r"\{(\d+)\}", lambda m: "n" * int(m[1]), text)
        if text == "''":
            return ""
        return os.path.join(self.folder, text)

    def fd(self, name):
        return self.fds[name]

    # ---- names

    def do_open(self, path, flags, mode="0644"):
        fd = os.open(self.path(path), flags_of(flags), int(mode, 8))
        if self.keep:
            self.fds[self.keep] = fd
        else:
            os.close(fd)

    def do_create(self, path, mode="0644", text=""):
        fd = os.open(self.path(path), os.O_WRONLY | os.O_CREAT | os.O_EXCL,
                     int(mode, 8))
        try:
            os.write(fd, text.encode())
        finally:
            os.close(fd)

    def do_read(self, path):
        with open(self.path(path), "rb") as f:
            return f.read().decode()

    def do_append(self, path, text):
        fd = os.open(self.path(path), os.O_WRONLY | os.O_APPEND)
        try:
            os.write(fd, text.encode())
        finally:
            os.close(fd)

    def do_mkdir(self, path, mode="0755"):
        os.mkdir(self.path(path), int(mode, 8))

    def do_rmdir(self, path):
        os.rmdir(self.path(path))

    def do_unlink(self, path):
        os.unlink(self.path(path))

    def do_rename(self, old, new):
        os.rename(self.path(old), self.path(new))

    def do_renameat2(self, old, new, flags):
        bits = {"NOREPLACE": 1, "EXCHANGE": 2, "WHITEOUT": 4}
        value = sum(bits[name] for name in flags.split(","))
        checked(LIBC.renameat2(AT_FDCWD, os.fsencode(self.path(old)), AT_FDCWD,
                               os.fsencode(self.path(new)), value))

    def do_link(self, old, new):
        os.link(self.path(old), self.path(new))

    def do_symlink(self, text, path):
        os.symlink(text, self.path(path))

    def do_readlink(self, path):
        return os.readlink(self.path(path))

    def do_mknod(self, path, kind, mode="0644"):
        kinds = {"file": stat.S_IFREG, "fifo": stat.S_IFIFO,
                 "char": stat.S_IFCHR, "block": stat.S_IFBLK,
                 "socket": stat.S_IFSOCK}
        os.mknod(self.path(path), kinds[kind] | int(mode, 8),
                 os.makedev(1, 3))

    def do_ls(self, path):
        return ",".join(sorted(os.listdir(self.path(path)))) or "-"

    def do_chdir(self, path):
        os.chdir(self.path(path))
        os.chdir("/")

    # ---- attributes

    def show(self, st, fields):
        kinds = {stat.S_IFREG: "file", stat.S_IFDIR: "dir"}
        show = {
            "type": lambda: kinds.get(stat.S_IFMT(st.st_mode), "other"),
            "mode": lambda: "%04o" % stat.S_IMODE(st.st_mode),
            "uid": lambda: self.id_text(st.st_uid),
            "gid": lambda: self.id_text(st.st_gid),
            "size": lambda: str(st.st_size),
            "nlink": lambda: str(st.st_nlink),
            "ino": lambda: str(st.st_ino),
            "atime": lambda: str(st.st_atime_ns),
            "mtime": lambda: str(st.st_mtime_ns),
            "ctime": lambda: str(st.st_ctime_ns),
        }
        return ",".join(show[name]() for name in fields.split(","))

    @staticmethod
    def id_text(number):
        return str(number - FIRST_ID) if number > FIRST_ID else str(number)

    def do_stat(self, path, fields="type"):
        return self.show(os.stat(self.path(path)), fields)

    def do_fstat(self, fd, fields="type"):
        return self.show(os.fstat(self.fd(fd)), fields)

    def do_save(self, name, path, field):
        self.saved[name] = self.do_stat(path, field)

    def do_compare(self, name, path, field):
        """`same`, `later` or `earlier` than what was saved under name."""
        now, then = int(self.do_stat(path, field)), int(self.saved[name])
        return "same" if now == then else "later" if now > then else "earlier"

    def do_access(self, path, mode):
        bits = {"F": 0, "R": 4, "W": 2, "X": 1}
        value = 0
        for letter in mode:
            value |= bits[letter]
        checked(LIBC.faccessat(AT_FDCWD, os.fsencode(self.path(path)), value,
                               AT_EACCESS))

    def do_chmod(self, path, mode):
        os.chmod(self.path(path), int(mode, 8))

    def do_fchmod(self, fd, mode):
        os.fchmod(self.fd(fd), int(mode, 8))

    @staticmethod
    def number(text):
        n = int(text)
        return n if n <= 0 else n + FIRST_ID

    def do_chown(self, path, uid, gid):
        os.chown(self.path(path), self.number(uid), self.number(gid))

    def do_fchown(self, fd, uid, gid):
        os.fchown(self.fd(fd), self.number(uid), self.number(gid))

    @staticmethod
    def times(atime, mtime):
        pair = (Timespec * 2)()
        for k, text in enumerate((atime, mtime)):
            if text in UTIME:
                pair[k].nsec = UTIME[text]
            else:
                sec, _, nsec = text.partition(".")
                pair[k].sec = int(sec)
                pair[k].nsec = int(nsec.ljust(9, "0")) if nsec else 0
        return pair

    def do_utimensat(self, path, atime, mtime):
        checked(LIBC.utimensat(AT_FDCWD, os.fsencode(self.path(path)),
                               self.times(atime, mtime), 0))

    def do_futimens(self, fd, atime, mtime):
        checked(LIBC.futimens(self.fd(fd), self.times(atime, mtime)))

    def do_truncate(self, path, size):
        checked(LIBC.truncate(os.fsencode(self.path(path)),
                              ctypes.c_long(int(size))))

    # ---- open files

    def do_ftruncate(self, fd, size):
        checked(LIBC.ftruncate(self.fd(fd), ctypes.c_long(int(size))))

    def do_write(self, fd, text):
        os.write(self.fd(fd), text.encode())

    def do_pwrite(self, fd, offset, text=""):
        os.pwrite(self.fd(fd), text.encode(), int(offset))

    def do_pread(self, fd, offset, size):
        data = os.pread(self.fd(fd), int(size), int(offset))
        return data.decode().replace("\0", "0") or "-"

    def do_lseek(self, fd, offset, whence):
        return str(os.lseek(self.fd(fd), int(offset), flags_of(whence)))

    def do_fallocate(self, fd, mode, offset, size):
        checked(LIBC.fallocate(self.fd(fd), int(mode),
                               ctypes.c_long(int(offset)),
                               ctypes.c_long(int(size))))

    def do_copy_range(self, source, offset, fd, at, size):
        return str(os.copy_file_range(self.fd(source), self.fd(fd), int(size),
                                      int(offset), int(at)))

    def do_fsync(self, fd):
        os.fsync(self.fd(fd))

    def do_close(self, fd):
        os.close(self.fds.pop(fd))

    def do_umask(self, mask):
        os.umask(int(mask, 8))

    def do_tick(self):
        """Times that are taken now are later than those before."""
        time.sleep(0.02)

    # ---- a step

    def call(self, words):
        try:
            value = getattr(self, "do_" + words[0])(*words[1:])
        except OSError as e:
            return NAMES.get(e.errno, str(e.errno)), True
        return "OK" if value is None else value, False

    def step(self, text, kind):
        """None, or what went otherwise than it should."""
        line, _, wanted = text.partition(" => ")
        words = line.split()
        user = words.pop(0)[1:] if words[0].startswith("@") else None
        self.keep = words.pop(0)[:-1] if words[0].endswith(":") else None
        for word in wanted.split():
            if word.startswith(kind + ":"):
                wanted = word.partition(":")[2]
        become(user)
        try:
            got, failed = self.call(words)
        finally:
            become(None)
        if got in wanted.split("|") if wanted else not failed:
            return None
        return "%s: got %s" % (text.strip(), got)

    def end(self):
        os.umask(0)
        for fd in self.fds.values():
            try:
                os.close(fd)
            except OSError:
                pass


def rows(table):
    sentence, steps = None, []
    with open(table, encoding="utf-8") as f:
        for line in f:
            line = line.rstrip("\n")
            if not line or line.startswith("#"):
                continue
            if line.startswith("\t"):
                steps.append(line[1:])
                continue
            if sentence:
                yield sentence, steps
            sentence, steps = line, []
    if sentence:
        yield sentence, steps


def main():
    table, folder, kind = sys.argv[1:]
    os.umask(0)
    for number, (sentence, steps) in enumerate(rows(table)):
        only = re.match(r"(fs|s3): ", sentence)
        if only and only[1] != kind:
            continue
        row = Row(os.path.join(folder, "row%d" % number))
        os.mkdir(row.folder, 0o777)
        wrong = None
        for text in steps:
            wrong = wrong or row.step(text, kind)
        row.end()
        print("not ok" if wrong else "ok", sentence, wrong or "", sep="\t",
              flush=True)


main()
