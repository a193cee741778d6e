#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Our URLs against botocore's generate_presigned_url, on generated cases.

The cases come from botocore's own model of S3: each operation that a URL can
be signed for, with a random choice of all its members. stagefs gets a member
by its option where there is one and as a header where there is none; which is
which stands below, and a member of the model that stands in neither table is
a failure. Path, query pairs, signed headers and signature must be the same.
Ours is asked first, and botocore's clock is then set to the date that our URL
tells.
"""
import os
import sys

DEBIAN = "/usr/bin/python3"

# The python3 of PATH may be another one than Debian's, without botocore.
if os.access(DEBIAN, os.X_OK) and "STAGEFS_DEBIAN_PYTHON" not in os.environ:
    os.environ["STAGEFS_DEBIAN_PYTHON"] = "1"
    os.execv(DEBIAN, [DEBIAN] + sys.argv)

try:
    import botocore.auth
except ImportError:
    print("Bail out! install the Debian package python3-botocore")
    sys.exit(1)

import base64
import datetime
import email.utils
import hashlib
import random
import subprocess
from urllib.parse import urlsplit

import botocore
import botocore.client
import botocore.compat
import botocore.config
import botocore.session

CASES = 10000
PLAIN_CASES = 500
SEED = 20130524
CLI = os.path.join(os.environ.get("top_builddir", "."),
                   "tests/vectors/presign-cli")
rnd = random.Random(SEED)


class Clock:
    """Stands in for the module `datetime` inside botocore."""

    timezone = datetime.timezone

    class datetime(datetime.datetime):
        fixed = None

        @classmethod
        def utcnow(cls):
            return cls.fixed


botocore.auth.datetime = Clock
if botocore.compat.HAS_CRT:
    import botocore.crt.auth
    botocore.crt.auth.datetime = Clock
if hasattr(botocore.auth, "get_current_datetime"):
    botocore.auth.get_current_datetime = lambda *a, **k: Clock.datetime.fixed

# Our action, botocore's operation, its method's name.
OPERATIONS = [
    ("download", "GetObject", "get_object"),
    ("upload", "PutObject", "put_object"),
    ("head", "HeadObject", "head_object"),
    ("delete", "DeleteObject", "delete_object"),
    ("part", "UploadPart", "upload_part"),
    ("complete", "CompleteMultipartUpload", "complete_multipart_upload"),
    ("abort", "AbortMultipartUpload", "abort_multipart_upload"),
]

OPTIONS = {
    "ResponseCacheControl": "cache_control",
    "ResponseContentDisposition": "content_disposition",
    "ResponseContentEncoding": "content_encoding",
    "ResponseContentLanguage": "content_language",
    "ResponseContentType": "content_type",
    "ResponseExpires": "http_expires",
    "CacheControl": "cache_control",
    "ContentDisposition": "content_disposition",
    "ContentEncoding": "content_encoding",
    "ContentLanguage": "content_language",
    "ContentType": "content_type",
    "Expires": "http_expires",
    "VersionId": "version_id",
    "PartNumber": "part_number",
    "UploadId": "upload_id",
    "ContentLength": "content_length",
    "StorageClass": "storage_class",
}
# One of them at a time is our --checksum, the others are headers.
CHECKSUMS = {"ContentMD5": "md5", "ChecksumCRC32C": "crc32c",
             "ChecksumSHA256": "sha256"}
CHECKSUM_BYTES = {"ContentMD5": 16, "ChecksumCRC32C": 4, "ChecksumCRC32": 4,
                  "ChecksumSHA1": 20, "ChecksumSHA256": 32}
# What a URL does not hold: its place, and bodies.
NOT_SIGNED = {"Bucket", "Key", "Body", "MultipartUpload"}
ALWAYS = {"UploadId", "PartNumber"}

ASCII = [chr(c) for c in range(0x21, 0x7f)]
KEY_PIECES = ASCII + list(" //") + ["/./", "/../", "%41", "%2F", "..",
                                    "\u00e9", "\u4e2d", "\U0001f600", "\x01",
                                    "\t", "\n", "\x7f"]


def value(most):
    """What a header may hold: runs of blanks inside, none at the ends."""
    middle = "".join(rnd.choice(ASCII + [" ", "  "])
                     for _ in range(rnd.randint(0, most)))
    return rnd.choice(ASCII) + middle + rnd.choice(ASCII)


def word(letters, least, most):
    return "".join(rnd.choice(letters) for _ in range(rnd.randint(least, most)))


LOWER = "abcdefghijklmnopqrstuvwxyz0123456789"


def when():
    return datetime.datetime.fromtimestamp(rnd.randint(10**9, 4 * 10**9),
                                           datetime.timezone.utc)


def one_value(name, shape, derives):
    """What botocore is given, and the text on the wire."""
    if derives:
        key = word(ASCII, 32, 32)
        return key, base64.b64encode(key.encode()).decode()
    if name in CHECKSUM_BYTES:
        text = base64.b64encode(rnd.randbytes(CHECKSUM_BYTES[name])).decode()
        return text, text
    if shape.type_name == "timestamp":
        moment = when()
        if shape.serialization.get("timestampFormat") == "iso8601":
            return moment, moment.strftime("%Y-%m-%dT%H:%M:%SZ")
        return moment, email.utils.format_datetime(moment, usegmt=True)
    if shape.type_name in ("integer", "long"):
        number = rnd.randint(1, 10000)
        return number, str(number)
    if shape.type_name == "boolean":
        truth = rnd.random() < 0.5
        return truth, str(truth)
    if shape.enum and rnd.random() < 0.8:
        text = rnd.choice(shape.enum)
        return text, text
    text = value(20)
    # `attachment` alone is short for more with us.
    return (text, text) if text.lower() != "attachment" else ("a", "a")


class Case:
    def __init__(self, client, action, operation, method):
        self.client, self.action, self.method = client, action, method
        self.key = "".join(rnd.choice(KEY_PIECES)
                           for _ in range(rnd.randint(1, 40)))
        self.expires = rnd.choice([1, 3600, 604800, rnd.randint(1, 604800)])
        self.bucket = word(LOWER, 3, 12)
        self.params = {"Bucket": self.bucket, "Key": self.key}
        self.options, self.headers = [], []
        model = client.aws.meta.service_model.operation_model(operation)
        self.choose(model.input_shape.members)

    def choose(self, members):
        density = rnd.choice([0, 0.1, 0.3, 1])
        for name, shape in members.items():
            if name in NOT_SIGNED or (name not in ALWAYS and
                                      rnd.random() >= density):
                continue
            # botocore encodes the key and makes its MD5, but not for
            # the end of an upload.
            derives = self.action != "complete"
            if name == "SSECustomerKeyMD5" and derives:
                continue
            if name == "Metadata":
                self.choose_metadata()
                continue
            self.params[name], text = one_value(
                name, shape, derives and name == "SSECustomerKey")
            self.add(name, shape, text)
        self.client.used.update(self.params)

    def choose_metadata(self):
        meta = {word(LOWER + "-_.", 1, 8): value(10)
                for _ in range(rnd.randint(1, 4))}
        self.params["Metadata"] = meta
        self.headers += [("x-amz-meta-" + k, v) for k, v in meta.items()]

    def add(self, name, shape, text):
        taken = any(n == "checksum" for n, _ in self.options)
        if name in OPTIONS:
            self.options.append((OPTIONS[name], text))
        elif name in CHECKSUMS and not taken and \
                self.action in ("upload", "part"):
            if rnd.random() < 0.5:
                text = base64.b64decode(text).hex()
            self.options.append(("checksum", CHECKSUMS[name] + "=" + text))
        elif shape.serialization.get("location") == "header":
            self.headers.append((shape.serialization["name"].lower(), text))
            if name == "SSECustomerKey" and self.action != "complete":
                digest = hashlib.md5(
                    self.params[name].encode()).digest()
                self.headers.append(
                    ("x-amz-server-side-encryption-customer-key-md5",
                     base64.b64encode(digest).decode()))
        else:
            raise SystemExit("no option for %s" % name)

    def line(self):
        c = self.client
        return "\t".join(hexed(f) for f in (
            self.action, c.endpoint, self.bucket, c.style, c.region, c.key_id,
            c.secret, c.token or "", str(self.expires), self.key,
            pairs(self.options), pairs(self.headers)))

    def by_botocore(self):
        return self.client.aws.generate_presigned_url(
            self.method, self.params, ExpiresIn=self.expires)


def hexed(text):
    return text.encode().hex()


def pairs(fields):
    return ",".join(hexed(n) + "=" + hexed(v) for n, v in fields)


class Client:
    """botocore's, and what ours is told of it."""

    def __init__(self, style, signed=True):
        self.style = style
        self.used = set()
        self.endpoint = rnd.choice(["https://store.example:9000",
                                    "http://s3.example", "https://s3.example",
                                    "https://s3.eu-west-1.amazonaws.com"])
        self.region = rnd.choice(["us-east-1", "eu-west-1", "auto"])
        if "amazonaws" in self.endpoint:
            self.region = "eu-west-1"
        self.key_id = word(LOWER.upper(), 3, 24) if signed else ""
        self.secret = word(LOWER + "+/=", 1, 50) if signed else ""
        self.token = word(LOWER + "+/=", 1, 900) \
            if signed and rnd.random() < 0.4 else None
        session = botocore.session.Session()
        if signed:
            session.set_credentials(self.key_id, self.secret, self.token)
        self.aws = session.create_client(
            "s3", region_name=self.region, endpoint_url=self.endpoint,
            config=botocore.config.Config(
                signature_version="s3v4" if signed else botocore.UNSIGNED,
                s3={"addressing_style": style}))


def ours(cases):
    done = subprocess.run([CLI], input="\n".join(c.line() for c in cases)
                          + "\n", stdout=subprocess.PIPE, text=True,
                          timeout=300, check=True)
    return [a if a.startswith("error") else bytes.fromhex(a).decode()
            for a in done.stdout.splitlines()]


def raw_pairs(query):
    return [tuple(p.split("=", 1)) for p in query.split("&")] if query else []


def compare(case, mine):
    """None, or what differs."""
    if mine.startswith("error"):
        return "%s %r: %s" % (case.method, case.params, mine)
    url = urlsplit(mine)
    query = raw_pairs(url.query)
    date = dict(query).get("X-Amz-Date")
    if date:
        Clock.datetime.fixed = datetime.datetime.strptime(date,
                                                          "%Y%m%dT%H%M%SZ")
    theirs = urlsplit(case.by_botocore())
    for part in "scheme", "netloc", "path":
        if getattr(url, part) != getattr(theirs, part):
            return "%s: %r is not %r" % (part, mine, theirs.geturl())
    if sorted(query) != sorted(raw_pairs(theirs.query)):
        return "query: %r is not %r" % (mine, theirs.geturl())
    return None


tests = failures = 0


def report(sentence, wrong):
    global tests, failures
    tests += 1
    failures += bool(wrong)
    for what in wrong[:5]:
        print("# " + what)
    print("%sok %d - %s" % ("not " if wrong else "", tests, sentence))


def run(cases):
    answers = ours(cases)
    wrong = [] if len(answers) == len(cases) else ["answers are missing"]
    for i, (case, answer) in enumerate(zip(cases, answers)):
        difference = compare(case, answer)
        if difference:
            wrong.append("case %d: %s" % (i, difference))
    return wrong


def coverage(clients):
    """Every member of every operation was used somewhere."""
    used = set().union(*(c.used for c in clients))
    model = clients[0].aws.meta.service_model
    return ["%s of %s was never used" % (name, operation)
            for _, operation, _ in OPERATIONS
            for name in model.operation_model(operation).input_shape.members
            if name not in used and name not in {"Body", "MultipartUpload"}]


def sanity(case):
    """A comparison that could not fail would prove nothing."""
    answer = ours([case])[0]
    changed = answer[:-1] + ("0" if answer[-1] != "0" else "1")
    return [] if compare(case, changed) and not compare(case, answer) else \
        ["a changed signature passed"]


clients = [Client(style) for style in ("path", "virtual") for _ in range(12)]
plain = [Client(style, signed=False) for style in ("path", "virtual")]
cases = [Case(rnd.choice(clients), *rnd.choice(OPERATIONS))
         for _ in range(CASES)]
# Nobody may override an answer (we refuse it, Amazon does at use).
unsigned = [c for c in (Case(rnd.choice(plain), *rnd.choice(OPERATIONS))
                        for _ in range(2 * PLAIN_CASES))
            if not any(n.startswith("Response") for n in c.params)]
print("1..4")
report("a comparison notices a changed signature", sanity(cases[0]))
report("%d URLs as botocore's client makes them" % CASES, run(cases))
report("every member of botocore's operations is among them",
       coverage(clients))
report("plain URLs of nobody, as botocore's client makes them",
       run(unsigned[:PLAIN_CASES]))
sys.exit(failures != 0)
