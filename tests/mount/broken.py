#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The driver of broken.sh: each way of writing, with each fault of the server.

usage: broken.py FOLDER PREFIX SERVER WORK[,WORK...]    (empty: all)

A row is a piece of work, the requests that a fault hits, the fault, and what
the program must see: `done`, `refused` or `either`. Whatever it sees, this must
hold: after success the store has all of the new state; after an error it has
the old one (of several files each in its old or its new state, none of them
nowhere); no upload is left; the mount shows what the store has; and the same
work once more, on a good server, succeeds. Of each row one line is printed,
parted by tabs: ok or not ok, the sentence, what is wrong.
"""
import errno
import json
import os
import random
import sys
import time
import urllib.request

import s3

WAIT_S = 60
END_S = 90                              # the stage's deadline is 20 s
OLD, NEW = b"old text\n" * 300, b"the new one\n" * 500
MIB = 1 << 20
LARGE = random.Random(1).randbytes(20 * MIB)
PART = b"amid" * 100


def put(path, data, flags=os.O_TRUNC):
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | flags, 0o644)
    try:
        at = 0
        while at < len(data):
            at += os.write(fd, data[at:at + MIB])
    except OSError:
        os.close(fd)
        raise
    os.close(fd)


def change(path, at, data, flush=False):
    fd = os.open(path, os.O_RDWR)
    try:
        os.pwrite(fd, data, at)
        if flush:
            os.fsync(fd)
    finally:
        os.close(fd)


def remove_all(folder, names):
    for name in names:
        try:
            os.unlink(folder + "/" + name)
        except FileNotFoundError:
            pass                        # of the first try
    fd = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def move(old, new):
    try:
        os.rename(old, new)
    except FileNotFoundError:
        if not os.path.exists(new):
            raise


MANY = ["m%d" % k for k in range(6)]
# What is there, what is done (at folder f), what is there then.
WORK = {
    "a new file": ({}, lambda f: put(f + "/a", NEW), {"a": NEW}),
    "a new file with O_EXCL": (
        {}, lambda f: put(f + "/a", NEW, os.O_EXCL), {"a": NEW}),
    "an empty file": ({}, lambda f: put(f + "/a", b""), {"a": b""}),
    "another text": ({"a": OLD}, lambda f: put(f + "/a", NEW), {"a": NEW}),
    "an appended text": (
        {"a": OLD}, lambda f: put(f + "/a", NEW, os.O_APPEND),
        {"a": OLD + NEW}),
    "a change": ({"a": OLD}, lambda f: change(f + "/a", 100, PART),
                 {"a": OLD[:100] + PART + OLD[100 + len(PART):]}),
    "a change and fsync": (
        {"a": OLD}, lambda f: change(f + "/a", 100, PART, True),
        {"a": OLD[:100] + PART + OLD[100 + len(PART):]}),
    "a truncation": ({"a": OLD}, lambda f: os.truncate(f + "/a", 9),
                     {"a": OLD[:9]}),
    "a large file": ({"a": OLD}, lambda f: put(f + "/a", LARGE),
                     {"a": LARGE}),
    "a change in a large file": (
        {"a": LARGE}, lambda f: change(f + "/a", 9 * MIB, PART),
        {"a": LARGE[:9 * MIB] + PART + LARGE[9 * MIB + len(PART):]}),
    "a directory": ({}, lambda f: os.mkdir(f + "/d"), {"d/": b""}),
    "a move": ({"a": OLD}, lambda f: move(f + "/a", f + "/b"), {"b": OLD}),
    "a move over another": (
        {"a": NEW, "b": OLD}, lambda f: move(f + "/a", f + "/b"), {"b": NEW}),
    "a move of a directory": (
        {"d/": b"", "d/x": OLD, "d/y": NEW, "d/e/z": OLD},
        lambda f: move(f + "/d", f + "/g"),
        {"g/": b"", "g/x": OLD, "g/y": NEW, "g/e/z": OLD}),
    "a removal": ({"a": OLD}, lambda f: remove_all(f, ["a"]), {}),
    "removals": ({name: OLD for name in MANY},
                 lambda f: remove_all(f, MANY), {}),
}
# What another time is an error, or is done twice.
ONCE = ["a new file with O_EXCL", "an appended text", "a directory"]
PUT = {"method": "PUT", "lacking": "x-amz-copy-source"}
COPY = {"method": "PUT", "header": "x-amz-copy-source"}
BEGIN = {"method": "POST", "query": "uploads"}
SEND = {"method": "PUT", "query": "partNumber="}
COMPLETE = {"method": "POST", "query": "uploadId="}
DELETE = {"method": "DELETE", "lacking": "uploadId"}
BATCH = {"method": "POST", "query": "delete", "key": ""}
SMALL = ["a new file", "a new file with O_EXCL", "an empty file",
         "another text", "an appended text", "a change", "a change and fsync",
         "a truncation", "a directory"]
UPLOADS = ["a large file", "a change in a large file"]
MOVES = ["a move", "a move over another", "a move of a directory"]
SEVERAL = MOVES + ["removals"]          # of which some may be done by then
# Requests and whose they are: the name of them, the match, the work.
REQUESTS = [
    ("PUT", PUT, SMALL), ("the beginning of an upload", BEGIN, UPLOADS),
    ("a part", SEND, UPLOADS), ("the completion", COMPLETE, UPLOADS),
    ("a copy", COPY, MOVES), ("DELETE", DELETE, MOVES[:2] + ["a removal"]),
    ("a batch", BATCH, ["removals"]),
]
# What goes on until the deadline is seen of these alone.
LONG = {
    "fails always": ["a new file", "an appended text", "a move",
                     "a large file"],
    "is done and every answer is lost": ["a new file", "an appended text",
                                         "a removal"],
}


def status(number, code, count):
    return ({"type": "status", "status": number, "code": code,
             "message": "as scripted"}, count)


# Faults: what is said of it, the action and how often (0: always), what the
# program sees, and the requests that it is for (all).
INNER = ["the completion", "a copy"]
FAULTS = [
    ("is refused", *status(403, "AccessDenied", 0), "refused", None),
    ("says twice to slow down", *status(503, "SlowDown", 2), "done", None),
    ("fails once", *status(500, "InternalError", 1), "done", None),
    ("fails always", *status(500, "InternalError", 0), "refused",
     ["PUT", "a copy", "the completion"]),
    ("finds a conflict once", *status(409, "ConditionalRequestConflict", 1),
     "done", ["PUT", "the completion"]),
    ("finds the store full", *status(507, "InsufficientStorage", 0),
     "refused", ["PUT", "a part"]),
    ("is reset twice", {"type": "reset"}, 2, "done", None),
    ("is done and its answer is lost", {"type": "lose"}, 1, "done", None),
    ("is done twice and both answers are lost", {"type": "lose"}, 2, "done",
     ["PUT", "a part", "the completion", "a copy"]),
    ("is done and every answer is lost", {"type": "lose"}, 0, "either",
     ["PUT", "DELETE"]),
    ("is done and its answer comes too late",
     {"type": "stall", "when": "answer", "seconds": 10}, 1, "either",
     ["PUT", "a part", "the completion", "a copy"]),
    ("has an answer that is cut", {"type": "cut", "after": "half"}, 1, "done",
     INNER + ["the beginning of an upload", "a batch"]),
    ("has an error in an answer of 200", {"type": "error_in_200",
                                          "code": "InternalError"}, 1,
     "done", INNER),
    ("is refused in an answer of 200", {"type": "error_in_200",
                                        "code": "AccessDenied"}, 0,
     "refused", INNER),
    ("is not done and answered with rubbish", {"type": "garbage"}, 2, "either",
     INNER + ["the beginning of an upload", "a batch"]),
    ("finds no such upload", *status(404, "NoSuchUpload", 1), "either",
     ["a part", "the completion"]),
]


# Faults of what was done, so that the beginning of an upload leaves one.
LOST = ["lose", "cut"]
LOST_SAID = "an answer was lost when an upload was begun"


class Row:
    def __init__(self, folder, prefix, server, number):
        self.folder = "%s/row%d" % (folder, number)
        self.prefix = "%srow%d/" % (prefix, number)
        self.server = server

    def ask(self, path, value=None):
        data = None if value is None else json.dumps(value).encode()
        with urllib.request.urlopen(self.server + path, data) as answer:
            return json.load(answer)

    def good_again(self):
        """What the fault hit."""
        hit = sum(bool(r["fault"]) for r in self.ask("/_requests"))
        self.ask("/_reset", "")
        return hit

    def stored(self):
        """Keys and bytes; the markers of directories with something in them
        may be there or not."""
        found = {o["Key"][len(self.prefix):]:
                 s3.S3.get_object(Bucket=s3.BUCKET, Key=o["Key"])["Body"].read()
                 for o in s3.objects(self.prefix)}
        return plain(found)

    def shown(self):
        found = {}
        for folder, dirs, names in os.walk(self.folder):
            below = os.path.relpath(folder, self.folder)
            below = "" if below == "." else below + "/"
            found.update({below + name + "/": b"" for name in dirs})
            for name in names:
                with open(folder + "/" + name, "rb") as f:
                    found[below + name] = f.read()
        return plain(found)

    def prepare(self, state):
        os.mkdir(self.folder)
        for name, data in state.items():
            path = self.folder + "/" + name
            os.makedirs(os.path.dirname(path), exist_ok=True)
            if not name.endswith("/"):
                put(path, data)

    def attempt(self, work):
        try:
            work(self.folder)
            return None
        except OSError as e:
            return errno.errorcode.get(e.errno, str(e.errno))

    def run(self, name, match, action, count, wanted):
        """What is wrong, or None."""
        old, work, new = WORK[name]
        self.prepare(old)
        self.ask("/_reset", "")
        self.ask("/_fault", {"action": action, "match": {
            "key": self.prefix, "count": count, **match}})
        began = time.monotonic()
        error = self.attempt(work)
        took = time.monotonic() - began
        hit = self.good_again()
        if not hit:
            return "there was no such request"
        if took > END_S:
            return "it took %d s" % took
        saw = "refused" if error else "done"
        if wanted not in (saw, "either"):
            return "the program saw %s, wanted is %s" % (
                error or "success", wanted)
        old, new = plain(old), plain(new)
        now = self.stored()
        wrong = self.judge(now, old, new, error)
        if wanted == "refused" and name not in SEVERAL and now != old:
            wrong = "the store has %s" % sizes(now)
        if wrong:
            return "the program saw %s, %s" % (error or "success", wrong)
        lost = hit if match is BEGIN and action["type"] in LOST else 0
        wrong = self.judge_left(lost)
        if wrong:
            return wrong
        if not until(lambda: self.shown() == self.stored()):
            return "the mount shows %s, the store has %s" % (
                sizes(self.shown()), sizes(self.stored()))
        done = now == new and name in ONCE
        again = error and not done and self.attempt(work)
        if again:
            return "once more, on a good server: " + again
        if error and self.stored() != new:
            return "once more, on a good server: %s" % sizes(self.stored())
        return None

    def judge_left(self, lost):
        """Nothing is left but what began when the answer was lost: nobody
        knows its id, so it has no part, and the log says so."""
        if not until(lambda: len(list(s3.pending(self.prefix))) <= lost):
            return "an upload is left"
        left = list(s3.pending(self.prefix))
        if len(left) != lost:
            return "%d uploads are left, not %d" % (len(left), lost)
        for key, upload in left:
            if s3.S3.list_parts(Bucket=s3.BUCKET, Key=key,
                                UploadId=upload).get("Parts"):
                return "an upload is left with a part"
            s3.S3.abort_multipart_upload(Bucket=s3.BUCKET, Key=key,
                                         UploadId=upload)
        with open(os.environ["LOG"]) as f:
            said = sum(self.prefix in line and LOST_SAID in line for line in f)
        if lost and not said:
            return "the log does not say that an upload may be left"
        return None

    @staticmethod
    def judge(now, old, new, error):
        if not error:
            return None if now == new else "the store has %s, wanted is %s" % (
                sizes(now), sizes(new))
        for key in old.keys() | new.keys() | now.keys():
            if key.endswith("/"):
                continue
            if now.get(key) not in (old.get(key), new.get(key)):
                return "of %s the store has neither the old nor the new" % key
        for data in set(old.values()) & set(new.values()):
            if data and data not in now.values():
                return "a file is nowhere"
        return None


def plain(state):
    """Without the markers of directories that have something in them."""
    return {key: data for key, data in state.items()
            if key and not (key.endswith("/") and any(
                other.startswith(key) and other != key for other in state))}


def sizes(state):
    return {key: len(data) for key, data in sorted(state.items())}


def until(true):
    """An error that no close could return is said by the next open, once."""
    end = time.monotonic() + WAIT_S
    while time.monotonic() < end:
        try:
            if true():
                return True
        except OSError:
            pass
        time.sleep(0.2)
    return False


def rows():
    for request, match, works in REQUESTS:
        for text, action, count, wanted, only in FAULTS:
            if only is None or request in only:
                for work in works:
                    if work not in LONG.get(text, works):
                        continue
                    yield (work, "%s: %s %s" % (work, request, text), match,
                           action, count, wanted)


def main():
    folder, prefix, server, only = sys.argv[1:]
    for number, (work, sentence, *rest) in enumerate(rows()):
        if only and work not in only.split(","):
            continue
        wrong = Row(folder, prefix, server, number).run(work, *rest)
        print("not ok" if wrong else "ok", sentence, wrong or "", sep="\t",
              flush=True)


main()
