#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Our signatures against botocore's, on generated requests.

Every case goes through botocore's S3SigV4QueryAuth or S3SigV4Auth with its
clock fixed, and through sign/sigv4 by way of sigv4-cli. Path bytes, query
pairs, signed headers and signature must be the same. The last tests ask a
whole botocore client, for path-style and virtual-host addressing; where
python3-awscrt is installed it signs by the AWS SDK's C library, so that there
are two opinions beside ours.
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

import datetime
import hashlib
import random
import subprocess
from urllib.parse import unquote_to_bytes, urlsplit

import botocore.awsrequest
import botocore.client
import botocore.compat
import botocore.config
import botocore.credentials
import botocore.session
import botocore.utils

CASES = 10000           # of each form
CLIENT_CASES = 200      # of each addressing style
SEED = 20130524
UNSIGNED = "UNSIGNED-PAYLOAD"
CLI = os.path.join(os.environ.get("top_builddir", "."),
                   "tests/vectors/sigv4-cli")
WIRE_ORDER = ["X-Amz-Algorithm", "X-Amz-Credential", "X-Amz-Date",
              "X-Amz-Expires", "X-Amz-Security-Token", "X-Amz-SignedHeaders",
              "X-Amz-Signature"]

rnd = random.Random(SEED)
failures = 0
tests = 0


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


def set_clock(seconds):
    Clock.datetime.fixed = datetime.datetime(1970, 1, 1) + \
        datetime.timedelta(seconds=seconds)


# What keys and values are made of: plain bytes, those that encoders get
# wrong, controls, and UTF-8 of every length.
PIECES = list("abcXYZ019-._~") + list(" +%/&=?#:;,@!$'()*[]{}|\\^`\"<>") + \
    ["//", "/./", "/../", "%41", "%2F", "%zz", "..", "\u00e9", "\u4e2d",
     "\U0001f600", "\x01", "\t", "\n", "\r", "\x1f", "\x7f"]


def text(most, least=0):
    return "".join(rnd.choice(PIECES) for _ in range(rnd.randint(least, most)))


def word(letters, least, most):
    return "".join(rnd.choice(letters) for _ in range(rnd.randint(least, most)))


LOWER = "abcdefghijklmnopqrstuvwxyz0123456789"
BASE64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/="
HEADER_NAMES = ["Content-Type", "content-md5", "x-amz-acl", "X-Amz-Meta-A",
                "x-amz-meta-b-c", "X-AMZ-STORAGE-CLASS", "range", "If-Match",
                "if-none-match", "cache-control", "x-amz-tagging",
                "content-disposition", "x-amz-meta-0", "zz", "a"]
# White space that one implementation takes for such and the other must too.
VALUE_PIECES = list("abcXYZ019-._~+%/&=?#:;,@!$'()*") + \
    [" ", "  ", "\t", " \t ", '"', '"a  b"', "\u00e9", "\u4e2d"]


def header_value():
    return "".join(rnd.choice(VALUE_PIECES)
                   for _ in range(rnd.randint(0, 12)))


def key_bytes():
    """A key; now and then with bytes that are no UTF-8."""
    key = text(24, 1).encode()
    if rnd.random() < 0.1:
        key += bytes(rnd.randint(128, 255) for _ in range(3))
    return key


class Case:
    def __init__(self, form):
        self.form = form
        self.method = rnd.choice(["GET", "PUT", "HEAD", "POST", "DELETE"])
        self.scheme = rnd.choice(["http", "https"])
        bucket = word(LOWER, 3, 12)
        host = rnd.choice(["s3.amazonaws.com", "127.0.0.1", "[::1]",
                           "s3.us-east-2.amazonaws.com", "minio.example"])
        port = rnd.choice([None, None, 9000, 8443,
                           443 if self.scheme == "http" else 80])
        self.path = b"/" + key_bytes()
        if host[0] in "[1" or rnd.random() < 0.5:
            self.path = b"/" + bucket.encode() + self.path
        else:
            host = bucket + "." + host
        self.host = host if port is None else "%s:%d" % (host, port)
        self.key_id = word(BASE64.replace("/", ""), 3, 24)
        self.secret = word(BASE64, 1, 50)
        self.token = word(BASE64, 1, 1500) if rnd.random() < 0.4 else None
        self.region = rnd.choice(["us-east-1", "eu-central-1", "auto", "",
                                  "cn-north-1", word(LOWER, 1, 20)])
        self.time = rnd.randint(10**9, 4 * 10**9)
        self.expires = rnd.choice([1, 3600, 604800, rnd.randint(1, 604800)])
        self.params = self.make_params()
        self.headers = [(rnd.choice(HEADER_NAMES), header_value())
                        for _ in range(rnd.randint(0, 6))]
        self.body = b""
        self.hash = ""
        if form == "header":
            self.choose_payload()

    def make_params(self):
        names = ["prefix", "delimiter", "uploads", "partNumber", "versionId",
                 "response-content-type", "list-type", "acl"]
        params = [(rnd.choice(names) if rnd.random() < 0.7 else text(5, 1),
                   text(8)) for _ in range(rnd.randint(0, 5))]
        # botocore's query form takes a mapping.
        return params if self.form == "header" else list(dict(params).items())

    def choose_payload(self):
        self.body = rnd.randbytes(rnd.randint(0, 64))
        self.hash = hashlib.sha256(self.body).hexdigest()
        self.streams = rnd.random() < 0.3
        if self.streams:
            self.headers.append(("Content-MD5", "1B2M2Y8AsgTpgAmY7PhCfg=="))
        has_md5 = any(n.lower() == "content-md5" for n, _ in self.headers)
        if self.scheme == "https" and self.streams and has_md5:
            self.hash = UNSIGNED

    def url(self):
        return "%s://%s%s" % (self.scheme, self.host,
                              botocore.utils.percent_encode(self.path,
                                                            safe="/~"))

    def by_botocore(self):
        set_clock(self.time)
        creds = botocore.credentials.Credentials(self.key_id, self.secret,
                                                 self.token)
        params = self.params if self.form == "header" else dict(self.params)
        request = botocore.awsrequest.AWSRequest(
            method=self.method, url=self.url(), params=params, data=self.body)
        for name, value in self.headers:
            request.headers.add_header(name, value)
        if self.form == "query":
            signer = botocore.auth.S3SigV4QueryAuth(
                creds, "s3", self.region, expires=self.expires)
        else:
            request.context["has_streaming_input"] = self.streams
            signer = botocore.auth.S3SigV4Auth(creds, "s3", self.region)
        signer.add_auth(request)
        return request

    def line(self):
        headers = list(self.headers)
        if self.form == "header":
            stamp = datetime.datetime.fromtimestamp(
                self.time, datetime.timezone.utc).strftime("%Y%m%dT%H%M%SZ")
            headers += [("x-amz-date", stamp),
                        ("x-amz-content-sha256", self.hash)]
            if self.token:
                headers.append(("x-amz-security-token", self.token))
        return "\t".join(hexed(f) for f in (
            self.form, self.method, self.host, self.path, self.key_id,
            self.secret, self.token or "", self.region, str(self.time),
            str(self.expires), self.hash, pairs(self.params),
            pairs(headers)))


def hexed(value):
    return (value if isinstance(value, bytes) else value.encode()).hex()


def pairs(fields):
    return ",".join(hexed(n) + "=" + hexed(v) for n, v in fields)


def ours(cases):
    done = subprocess.run([CLI], input="\n".join(c.line() for c in cases)
                          + "\n", stdout=subprocess.PIPE, text=True,
                          timeout=120, check=True)
    return done.stdout.splitlines()


def raw_pairs(query):
    return [tuple(p.split("=", 1)) for p in query.split("&")]


def compare_query(case, answer):
    """None, or what differs."""
    url = urlsplit(case.by_botocore().url)
    path, _, query = answer.partition("\t")
    if path != url.path:
        return "path: %r is not %r" % (path, url.path)
    theirs, mine = raw_pairs(url.query), raw_pairs(query)
    if sorted(theirs) != sorted(mine):
        return "query: %r is not %r" % (sorted(mine), sorted(theirs))
    want = [n for n in WIRE_ORDER
            if case.token or n != "X-Amz-Security-Token"]
    if [n for n, _ in mine[-len(want):]] != want:
        return "wire order: %r" % [n for n, _ in mine]
    own = [(unquote_to_bytes(n).decode(), unquote_to_bytes(v).decode())
           for n, v in mine[:-len(want)]]
    if own != case.params:
        return "own parameters: %r is not %r" % (own, case.params)
    return None


def compare_header(case, answer):
    request = case.by_botocore()
    path, _, value = answer.partition("\t")
    if path != urlsplit(request.url).path:
        return "path: %r is not %r" % (path, urlsplit(request.url).path)
    if request.headers["X-Amz-Content-SHA256"] != case.hash:
        return "the test's payload hash"
    theirs = request.headers["Authorization"]
    return None if value == theirs else "%r is not %r" % (value, theirs)


def report(sentence, wrong):
    global failures, tests
    tests += 1
    failures += bool(wrong)
    for what in wrong[:5]:
        print("# " + what)
    print("%sok %d - %s" % ("not " if wrong else "", tests, sentence))


def run(form, compare):
    cases = [Case(form) for _ in range(CASES)]
    answers = ours(cases)
    wrong = [] if len(answers) == len(cases) else ["answers are missing"]
    for i, (case, answer) in enumerate(zip(cases, answers)):
        difference = compare(case, answer)
        if difference:
            wrong.append("case %d: %s" % (i, difference))
    return wrong


def sanity(cases):
    """A comparison that could not fail would prove nothing."""
    wrong = []
    for case, compare in cases:
        answer = ours([case])[0]
        for change in (lambda a: a[:-1] + ("0" if a[-1] != "0" else "1"),
                       lambda a: a.replace("/", "//", 1)):
            if not compare(case, change(answer)):
                wrong.append("a changed answer passed: %r" % answer)
    return wrong


def client_cases(style):
    """Whole URLs, as botocore's client makes them."""
    endpoint = "https://store.example:9000"
    session = botocore.session.Session()
    session.set_credentials("AKIDEXAMPLE", "secret", "to/ken+=")
    client = session.create_client(
        "s3", region_name="eu-west-1", endpoint_url=endpoint,
        config=botocore.config.Config(signature_version="s3v4",
                                      s3={"addressing_style": style}))
    for _ in range(CLIENT_CASES):
        # A client drops what is no UTF-8 text, so keys are text here.
        key = text(24, 1)
        expires = rnd.randint(1, 604800)
        when = rnd.randint(10**9, 4 * 10**9)
        upload = rnd.random() < 0.5
        set_clock(when)
        if upload:
            kind = rnd.choice(["text/csv", "application/octet-stream"])
            url = client.generate_presigned_url(
                "put_object", {"Bucket": "bucket", "Key": key,
                               "ContentType": kind}, ExpiresIn=expires)
        else:
            shown = text(8, 1)
            url = client.generate_presigned_url(
                "get_object", {"Bucket": "bucket", "Key": key,
                               "ResponseContentDisposition": shown},
                ExpiresIn=expires)
        case = Case("query")
        case.method = "PUT" if upload else "GET"
        case.host = "store.example:9000" if style == "path" else \
            "bucket.store.example:9000"
        case.path = (b"/bucket/" if style == "path" else b"/") + key.encode()
        case.key_id, case.secret = "AKIDEXAMPLE", "secret"
        case.token, case.region = "to/ken+=", "eu-west-1"
        case.time, case.expires = when, expires
        case.params = [] if upload else \
            [("response-content-disposition", shown)]
        case.headers = [("Content-Type", kind)] if upload else []
        yield case, url


def run_client(style):
    wrong = []
    cases = list(client_cases(style))
    for (case, url), answer in zip(cases, ours([c for c, _ in cases])):
        path, _, query = answer.partition("\t")
        split = urlsplit(url)
        if split.netloc != case.host or split.path != path or \
                sorted(raw_pairs(split.query)) != sorted(raw_pairs(query)):
            wrong.append("%s?%s is not %s" % (path, query, url))
    return wrong


print("1..5")
report("a comparison notices a changed signature and a changed path",
       sanity([(Case("query"), compare_query),
               (Case("header"), compare_header)]))
report("query form: %d requests as botocore signs them" % CASES,
       run("query", compare_query))
report("header form: %d requests as botocore signs them" % CASES,
       run("header", compare_header))
report("URLs of botocore's client, path-style", run_client("path"))
report("URLs of botocore's client, virtual host", run_client("virtual"))
sys.exit(failures != 0)
