# SPDX-License-Identifier: Apache-2.0
"""System calls of a program that gets a signal every millisecond and handles it.

    ticking.py FOLDER restart|eintr|urg [TREE FILES]

A timer's SIGALRM, with SA_RESTART or without; or a SIGURG that another thread
sends, as Go's runtime does to its own. FOLDER is one of a mount: each kind of
call is made in it once. With TREE, a folder too, all of it is listed besides,
and FILES files are written in FOLDER. Says which call failed and how, what was
read, how many names were seen, and that the signals came. ctypes, for Python
itself would try again.
"""
import ctypes
import errno
import os
import signal
import sys
import threading
import time

libc = ctypes.CDLL(None, use_errno=True)
libc.opendir.restype = ctypes.c_void_p


class Dirent(ctypes.Structure):
    _fields_ = [("ino", ctypes.c_uint64), ("off", ctypes.c_int64),
                ("reclen", ctypes.c_ushort), ("type", ctypes.c_ubyte),
                ("name", ctypes.c_char * 256)]


libc.readdir.restype = ctypes.POINTER(Dirent)
ticks = 0


def tick(*_):
    global ticks
    ticks += 1


def start(kind):
    sig = signal.SIGURG if kind == "urg" else signal.SIGALRM
    signal.signal(sig, tick)
    signal.siginterrupt(sig, kind == "eintr")
    if kind != "urg":
        signal.setitimer(signal.ITIMER_REAL, 0.001, 0.001)
        return
    main = threading.main_thread().ident

    def send():
        while True:
            signal.pthread_kill(main, sig)
            time.sleep(0.001)

    # not this thread's: it goes to the one that works
    threading.Thread(target=send, daemon=True).start()


def call(name, *args):
    ctypes.set_errno(0)
    got = getattr(libc, name)(*args)
    err = ctypes.get_errno()
    # no timer fires amid a call that fails: it is the file system's word
    if err:
        print(name, errno.errorcode[err])
    return got


def names_of(folder):
    """(name, is it a folder) of each, without . and .."""
    d = ctypes.c_void_p(call("opendir", folder))
    found = []
    while d:
        entry = call("readdir", d)
        if not entry:
            break
        if entry.contents.name not in (b".", b".."):
            found.append((entry.contents.name, entry.contents.type == 4))
    if d:
        call("closedir", d)
    return found


def write(path, *pieces):
    fd = call("open", path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o644)
    for piece in pieces:
        call("write", fd, piece, len(piece))
        call("fsync", fd)
    call("close", fd)


def each_call(folder):
    def path(name):
        return os.path.join(folder, name)
    call("mkdir", path(b"d"), 0o755)
    write(path(b"d/f"), b"hello", b" world")
    call("stat", path(b"d/f"), ctypes.create_string_buffer(512))
    call("rename", path(b"d/f"), path(b"d/g"))
    fd = call("open", path(b"d/g"), os.O_RDONLY)
    text = ctypes.create_string_buffer(64)
    n = call("read", fd, text, 64)
    call("close", fd)
    names = len(names_of(path(b"d")))
    call("rename", path(b"d"), path(b"e"))
    call("unlink", path(b"e/g"))
    call("rmdir", path(b"e"))
    return text.raw[:n].decode(), names


def walk(folder):
    seen = 0
    for name, is_folder in names_of(folder):
        seen += 1
        if is_folder:
            seen += walk(folder + b"/" + name)
    return seen


def main():
    folder = sys.argv[1].encode()
    start(sys.argv[2])
    said = list(each_call(folder))
    if len(sys.argv) > 3:
        said.append(walk(sys.argv[3].encode()))
        for k in range(int(sys.argv[4])):
            write(os.path.join(folder, b"%03d" % k), b"%03d\n" % k)
    print(*said, "ticked" if ticks > 4 else ticks)


main()
