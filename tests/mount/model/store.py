# SPDX-License-Identifier: Apache-2.0
"""What the store itself holds, asked of it without the mount."""
import hashlib
import importlib.util
import os
import subprocess

from tree import Dir


def names_differ(there, here):
    """A sentence, or None; both are sets of names."""
    for names, where in ((there - here, "only in the store"),
                         (here - there, "not in the store")):
        if names:
            return "%s: %s" % (where, ", ".join(sorted(names)[:5]))
    return None


class Disk:
    """A directory of this machine."""
    forgets = False

    def __init__(self, root, _):
        self.root = root

    def read(self, name):
        with open(os.path.join(self.root, name), "rb") as f:
            return f.read()

    def check(self, top, paths):
        """A sentence on what is otherwise than it should be, or None."""
        found = set()
        start = os.path.join(self.root, top)
        for folder, dirs, files in os.walk(start):
            below = os.path.relpath(folder, start)
            below = "" if below == "." else below + "/"
            found |= {below + name + "/" for name in dirs}
            found |= {below + name for name in files}
        wanted = {path + "/" if isinstance(node, Dir) else path
                  for path, node in paths}
        wrong = names_differ(found, wanted)
        for path, node in paths:
            if not wrong and not isinstance(node, Dir):
                if self.read(top + "/" + path) != node.data:
                    wrong = "bytes of " + path
        return wrong


class S3:
    """Objects below a prefix, by s3.py beside the tests."""
    forgets = True                      # what was removed while it was open

    def __init__(self, prefix, flush):
        self.prefix, self.flush = prefix, flush
        self.client = None              # each process has one of its own

    def s3(self):
        if not self.client:
            above = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
            spec = importlib.util.spec_from_file_location(
                "s3", os.path.join(above, "s3.py"))
            self.client = importlib.util.module_from_spec(spec)
            spec.loader.exec_module(self.client)
        return self.client

    def read(self, name):
        if self.flush:
            subprocess.run(["bash", "-c", self.flush], check=True,
                           stdin=subprocess.DEVNULL, timeout=300)
        client = self.s3()
        return client.S3.get_object(Bucket=client.BUCKET,
                                    Key=self.prefix + name)["Body"].read()

    def check(self, top, paths):
        start = self.prefix + top + "/"
        found = {o["Key"][len(start):]: o["ETag"].strip('"')
                 for o in self.s3().objects(start)}
        found.pop("", None)             # the top's own marker
        files = {path: node for path, node in paths
                 if not isinstance(node, Dir)}
        # A directory with something in it needs no marker.
        full = {path.rpartition("/")[0] + "/" for path, _ in paths}
        markers = {path + "/" for path, node in paths if isinstance(node, Dir)}
        wrong = names_differ(set(found) - (markers & full),
                             set(files) | (markers - full))
        for path, node in files.items():
            if wrong:
                break
            etag = found[path]
            if "-" not in etag:         # else it says nothing of the bytes
                same = etag == hashlib.md5(node.data).hexdigest()
            else:
                same = self.read(top + "/" + path) == node.data
            if not same:
                wrong = "bytes of " + path
        return wrong


def store_of(args):
    kind, _, where = args.store.partition(":")
    return {"fs": Disk, "s3": S3}[kind](where, args.flush)
