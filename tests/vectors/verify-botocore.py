#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""URLs that botocore's client makes, before sigv4_verify().

Each is accepted as it is; and refused with another method, host, path, key,
signed header, or an hour after it has ended.
"""
import os
import sys

DEBIAN = "/usr/bin/python3"

# The python3 of PATH may be another one than Debian's, without botocore.
if os.access(DEBIAN, os.X_OK) and "STAGEFS_DEBIAN_PYTHON" not in os.environ:
    os.environ["STAGEFS_DEBIAN_PYTHON"] = "1"
    os.execv(DEBIAN, [DEBIAN] + sys.argv)

try:
    import botocore.config
    import botocore.session
except ImportError:
    print("Bail out! install the Debian package python3-botocore")
    sys.exit(1)

import random
import subprocess
import time
from urllib.parse import urlsplit

CASES = 300
CLI = os.path.join(os.environ.get("top_builddir", "."),
                   "tests/vectors/verify-cli")
KEY, SECRET, REGION = "AKIDLOCAL", "se/cr+et", "us-east-1"
PIECES = list("abcXYZ019-._~") + list(" +%/&=?#:;,@!$'()*[]{}|\\^`\"<>") + \
    ["//", "%41", "%2F", "\u00e9", "\u4e2d", "\U0001f600"]
rnd = random.Random(20130524)


def text(least, most):
    return "".join(rnd.choice(PIECES) for _ in range(rnd.randint(least, most)))


def client():
    session = botocore.session.Session()
    session.set_credentials(KEY, SECRET)
    return session.create_client(
        "s3", region_name=REGION, endpoint_url="http://127.0.0.1:8000",
        config=botocore.config.Config(signature_version="s3v4",
                                      s3={"addressing_style": "path"}))


def cases(s3):
    """method, URL, the headers that must be sent, seconds that it lives"""
    for _ in range(CASES):
        name = {"Bucket": "storage", "Key": "k" + text(1, 24)}
        expires = rnd.randint(60, 604800)
        kind = rnd.choice(["get_object", "put_object", "head_object",
                           "delete_object"])
        headers = {}
        if kind == "get_object":
            name["ResponseContentType"] = "text/" + text(1, 8)
        if kind == "put_object":
            name["ContentType"] = headers["content-type"] = "text/csv"
            name["Metadata"] = {"a": "b c"}
            headers["x-amz-meta-a"] = "b c"
        url = s3.generate_presigned_url(kind, name, ExpiresIn=expires)
        yield kind.split("_")[0].upper(), url, headers, expires


def line(method, url, headers, now, secret=SECRET, host=None):
    parts = urlsplit(url)
    fields = [method, parts.path + "?" + parts.query, KEY, secret, REGION,
              str(now), "Host:" + (host or parts.netloc)]
    return "\t".join(fields + [f"{n}:{v}" for n, v in headers.items()])


def changed(method, url, headers, expires, now):
    """Sentence, line: each one thing away from what was signed."""
    yield "method", line("POST", url, headers, now)
    yield "host", line(method, url, headers, now, host="localhost:8000")
    yield "path", line(method, url.replace("?", "x?", 1), headers, now)
    yield "key", line(method, url, headers, now, secret="other")
    yield "query", line(method, url + "&acl=", headers, now)
    yield "time", line(method, url, headers, now + expires + 3600)
    yield "header", line(method, url, {**headers, "x-amz-meta-z": "1"}, now)
    if headers:
        yield "type", line(method, url, {**headers, "content-type": "a"}, now)


def verdicts(lines):
    done = subprocess.run([CLI], input="\n".join(lines) + "\n",
                          stdout=subprocess.PIPE, text=True, timeout=120,
                          check=True)
    return done.stdout.splitlines()


def main():
    now = int(time.time())
    good, bad = [], []
    for method, url, headers, expires in cases(client()):
        good.append((url, line(method, url, headers, now)))
        bad += changed(method, url, headers, expires, now)
    got = verdicts(text for _, text in good)
    wrong = [f"{v}: {url}" for (url, _), v in zip(good, got) if v != "valid"]
    got_bad = verdicts(text for _, text in bad)
    passed = [f"{what}: {text}" for (what, text), v in zip(bad, got_bad)
              if v == "valid"]
    rows = [
        (f"{CASES} URLs of botocore's are accepted",
         len(got) == len(good) == CASES and not wrong, wrong),
        (f"{len(bad)} that differ in one thing are refused",
         len(got_bad) == len(bad) and not passed, passed),
    ]
    for number, (sentence, ok, remarks) in enumerate(rows, 1):
        for remark in remarks[:5]:
            print("# " + remark)
        print(f"{'ok' if ok else 'not ok'} {number} - {sentence}")
    print(f"1..{len(rows)}")
    return not all(ok for _, ok, _ in rows)


if __name__ == "__main__":
    sys.exit(main())
