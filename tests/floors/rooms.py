# SPDX-License-Identifier: Apache-2.0
"""What tests/check-floors holds the sources to."""

import re

# room: its floor, the rooms it may use besides itself ("*": all), what it is
ROOMS = {
    "base": (0, "", "bytes, text, time, locks, waiting, logs, options, INI, "
             "digests, budgets: knows nothing of us"),
    "sign": (1, "base", "Signature Version 4: pure, no I/O, no clock"),
    "net": (1, "base", "URLs, the HTTP engine over libcurl, retries"),
    "sql": (1, "base", "Databend's stage statements as plain structures: "
            "pure"),
    "auth": (2, "base sign net", "credentials, and the signer of a store"),
    "store": (3, "base", "object stores behind one vtable, and its contract"),
    "store/s3": (3, "base sign net auth store", "S3 and what speaks it"),
    "store/local": (3, "base sign net store", "plain files of a local disk"),
    "stage/conf": (4, "base net auth store store/s3 store/local",
                   "connection settings, and the store that they describe"),
    "stage": (4, "base store stage/conf", "stages, the catalog of them, "
              "`@stage/path`"),
    "presign": (4, "base store stage", "the PRESIGN row and what is signed"),
    "fs/names": (5, "base store stage", "the tree of names: no call to a "
                 "store, no I/O"),
    "fs/cache": (5, "base store",
                 "blocks of objects, in memory and on a disk; read-ahead"),
    "fs/content": (5, "base store stage fs/names fs/cache",
                   "an open file's bytes: reading, writing, publishing"),
    "fs/burst": (5, "base store fs/names", "changes of names that are "
                 "gathered for a moment, and leave together"),
    "fs/attr": (5, "base store stage fs/names fs/burst fs/content",
                "attributes that are kept in the metadata of objects"),
    "fs/write_back": (5, "base store stage fs/names fs/content",
                      "changes that are sent later, and their journal"),
    "fs": (5, "base store stage fs/names fs/burst fs/cache fs/content "
           "fs/attr fs/write_back",
           "the operations of a file system over stages"),
    "fs/rename": (5, "base store stage fs/names fs/content fs/attr "
                  "fs/write_back fs",
                  "rename of files and trees, in stores that have none"),
    "fs/xattr": (5, "base store stage presign fs/names fs/content "
                 "fs/attr fs/write_back fs",
                 "extended attributes: computed ones, and callers' own"),
    "gateway": (5, "base store store/local stage", "the HTTP server: "
                "connections, addresses, which request may come in"),
    "gateway/login": (5, "base store stage gateway", "users and passwords"),
    "gateway/objects": (5, "base sign store store/local gateway",
                        "pre-signed GET, HEAD and PUT of local stages"),
    "gateway/upload": (5, "base store stage gateway gateway/login",
                       "Databend's upload API"),
    "gateway/service": (5, "base gateway gateway/login gateway/objects "
                        "gateway/upload", "the gateway as a whole"),
    "fuse": (6, "base fs fs/rename fs/xattr",
             "the kernel's requests, translated"),
    "config": (6, "base stage stage/conf", "the configuration"),
    "client": (6, "base net sql store stage stage/conf presign config",
               "a verb's session; what statements do"),
    "transfer": (6, "base net store store/s3 stage stage/conf client",
                 "many files to and from stages, by pre-signed URLs"),
    "cli": (7, "*", "the verbs of the command line"),
    "mount": (7, "*", "the daemons: mounting, serving, their end"),
    "": (8, "*", "main()"),
}

# a library's headers, and the files under src/ that may include them
VENDORS = [
    ("<curl/*>", r"curl/.*", "net/", r"net/.*"),
    ("<openssl/*>", r"openssl/.*", "base/digest.c, base/kdf.c, sign/",
     r"base/(digest|kdf)\.c|sign/.*"),
    ("<isa-l/*>", r"isa-l(/.*|\.h)", "base/digest.c", r"base/digest\.c"),
    ("<fuse*.h>, <linux/fuse.h>", r"(linux/|fuse3?/)?(fuse|cuse)[a-z_]*\.h",
     "fuse/", r"fuse/.*"),
    ("<ini.h>", r"ini\.h", "base/ini.c", r"base/ini\.c"),
    ("<microhttpd.h>", r"microhttpd\.h", "gateway/", r"gateway/[^/]*"),
    ("<expat.h>", r"expat\w*\.h", "base/xml.c", r"base/xml\.c"),
    ("<jansson.h>", r"jansson\w*\.h",
     "auth/, client/mount_presign.c, store/xattrs.c, "
     "transfer/transfer_row.c",
     r"auth/.*|client/mount_presign\.c|store/xattrs\.c|"
     r"transfer/transfer_row\.c"),
    ("<pcre2.h>", r"pcre2\w*\.h", "client/", r"client/.*"),
    ("<histedit.h>", r"histedit\.h", "cli/sql_prompt.c",
     r"cli/sql_prompt\.c"),
    ("<qrencode.h>", r"qrencode\.h", "client/qr.c", r"client/qr\.c"),
    ("<cmocka.h>", r"cmocka\w*\.h", "tests only", r"(?!)"),
]

# written by configure into the build folder
GENERATED = {"config.h"}

LINES_MAX = 600
SOURCES_MAX = 30
INTERNAL_MAX = 4

# Circles that are known, to be broken: each a set of files of one room. One
# that is no longer there is a failure too.
CIRCLES = [
]

# Rooms that do no I/O and ask no clock of the machine, themselves or by what
# they call; and which functions of ours they may not call besides.
CLOCK = r"clock_(now|mono)\w*"
QUIET = {
    "sign": CLOCK,
    "sql": CLOCK,
    "fs/names": r"store_\w+",
}

# What in the C library is I/O (a fortified or 64 bit name counts as well) ...
IO = re.compile(r"(__)?(isoc99_)?(" + "|".join("""
    open openat openat2 creat close dup2? dup3 read pread readv write pwrite
    writev lseek f?truncate fsync fdatasync copy_file_range sendfile splice
    f?stat lstat fstatat statx access faccessat mkdir mkdirat rmdir unlink
    unlinkat rename renameat2? link linkat symlink symlinkat readlink
    readlinkat f?chmod f?chown f?opendir readdir getdents [fl]?[gs]etxattr
    [fl]?(list|remove)xattr socket connect accept4? bind listen send\w*
    recv\w* p?poll epoll_\w+ select ioctl fcntl mmap fopen fdopen fclose
    fread fwrite fputs fputc putc puts putchar printf fprintf vfprintf fgets
    getdelim getline scanf fscanf getrandom syscall u?sleep nanosleep
    openlog syslog popen system execv\w* posix_spawnp? fork getenv
""".split()) + r")(64)?(_2)?(_chk)?")
# ... and the files of ours that any room may call although they do some: the
# second says in a sanitizer build which lock is taken out of order.
IO_OF_ALL = {"base/log", "base/lock"}
