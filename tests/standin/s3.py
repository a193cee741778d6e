# SPDX-License-Identifier: Apache-2.0
"""A small S3 in memory: what stagefs asks of a store, and the answers that
Amazon's documentation promises. Keys are bytes. One lock around everything.
"""
import base64
import bisect
import hashlib
import threading
import time
from urllib.parse import parse_qsl, quote, unquote_to_bytes, urlencode
from xml.etree import ElementTree
from xml.sax.saxutils import escape

import s3_list
from sigv4 import Refused, split_query, verify

KEPT = ("content-type", "cache-control", "content-disposition",
        "content-encoding", "content-language", "expires")
# What a copy does not have from its source.
PLACED = ("x-amz-storage-class", "x-amz-server-side-encryption",
          "x-amz-server-side-encryption-aws-kms-key-id",
          "x-amz-website-redirect-location")
CUSTOMER = "server-side-encryption-customer-"
XML_HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n'
XMLNS = ' xmlns="http://s3.amazonaws.com/doc/2006-03-01/"'
request_ids = iter(range(1, 1 << 62))


class Answer:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body


def xml_answer(root, inner, status=200, headers=None):
    text = "%s<%s%s>%s</%s>" % (XML_HEAD, root, XMLNS, inner, root)
    return Answer(status, {"Content-Type": "application/xml",
                           **(headers or {})}, text.encode())


def error_answer(status, code, message, headers=None, **extra):
    request_id = "standin-%06d" % next(request_ids)
    more = "".join("<%s>%s</%s>" % (k, escape(v), k)
                   for k, v in extra.items())
    text = ("%s<Error><Code>%s</Code><Message>%s</Message>%s"
            "<RequestId>%s</RequestId></Error>" % (
                XML_HEAD, escape(code), escape(message), more, request_id))
    head = {"Content-Type": "application/xml", "x-amz-request-id": request_id}
    if "Region" in extra:
        head["x-amz-bucket-region"] = extra["Region"]
    return Answer(status, {**head, **(headers or {})}, text.encode())


# What a server may not know, or demand: how a request is told that asks for
# it (method, query, headers), and how it is refused.
def writes(method):
    return method in ("PUT", "POST")


def has_checksum(headers):
    return any(n.lower().startswith(("x-amz-checksum-", "x-amz-sdk-checksum"))
               for n in headers.keys())


LACKS = {
    "absent": (lambda m, q, h: writes(m) and "If-None-Match" in h,
               "If-None-Match is not supported"),
    "match": (lambda m, q, h: writes(m) and "If-Match" in h,
              "If-Match is not supported"),
    "checksum": (lambda m, q, h: has_checksum(h),
                 "x-amz-checksum-crc32c is not supported"),
    "batch": (lambda m, q, h: m == "POST" and "delete" in q,
              "delete is not supported"),
    "encoding": (lambda m, q, h: "encoding-type" in q,
                 "encoding-type is not supported"),
    # A bucket with Object Lock.
    "lock": (lambda m, q, h: m == "PUT" and "tagging" not in q and
             "x-amz-copy-source" not in h and "Content-MD5" not in h and
             not has_checksum(h),
             "Content-MD5 OR x-amz-checksum- HTTP header is required for Put "
             "Object requests with Object Lock parameters"),
    # Takes no notice of conditions.
    "deaf": (lambda m, q, h: False, ""),
    # Takes no notice of Range: all answers are whole.
    "range": (lambda m, q, h: False, ""),
    # Encrypts only what it is told to, where it would all by its own key.
    "default": (lambda m, q, h: False, ""),
}
SSE = "x-amz-server-side-encryption"


class Obj:
    def __init__(self, data, headers, mtime, etag=None, tags="", key=None):
        self.data, self.headers, self.mtime = data, headers, mtime
        self.tags = tags
        self.key = key
        # Under a key an ETag is no MD5.
        if key or headers.get("x-amz-server-side-encryption") == "aws:kms":
            data = bytes(data) + b"%d" % next(request_ids)
        self.etag = etag or '"%s"' % hashlib.md5(data).hexdigest()


class Upload:
    def __init__(self, key, headers, started, tags, customer):
        self.key, self.headers, self.started = key, headers, started
        self.tags = tags
        self.customer = customer
        self.parts = {}


class Bucket:
    def __init__(self):
        self.objects, self.keys, self.uploads = {}, [], {}

    def put(self, key, obj):
        if key not in self.objects:
            bisect.insort(self.keys, key)
        self.objects[key] = obj

    def delete(self, key):
        if self.objects.pop(key, None) is not None:
            del self.keys[bisect.bisect_left(self.keys, key)]


def crc32c(data):
    crc = 0xffffffff
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = (crc >> 1) ^ (0x82f63b78 if crc & 1 else 0)
    return (crc ^ 0xffffffff).to_bytes(4, "big")


class S3:
    CHECKS = {"content-md5": lambda b: hashlib.md5(b).digest(),
              "x-amz-checksum-sha256": lambda b: hashlib.sha256(b).digest(),
              "x-amz-checksum-crc32c": crc32c}
    CRC_MAX = 1 << 16  # beyond, the CRC in Python would take seconds

    def __init__(self, args):
        self.args = args
        self.lock = threading.Lock()
        self.upload_ids = iter(range(1, 1 << 62))
        self.lacks = {"default": 0}
        self.clear()

    def clear(self):
        with self.lock:
            self.buckets = {name: Bucket() for name in self.args.bucket}

    def split(self, raw_path, headers):
        """(bucket, key as bytes)."""
        host = (headers.get("Host") or "").partition(":")[0]
        path = unquote_to_bytes(raw_path[1:])
        if self.args.domain and host.endswith("." + self.args.domain):
            return host[:-len(self.args.domain) - 1], path
        bucket, _, key = path.partition(b"/")
        return bucket.decode("latin-1"), key

    def key_of(self, raw_path, headers):
        return self.split(raw_path, headers)[1].decode("utf-8",
                                                       "surrogateescape")

    def answer(self, method, raw_path, raw_query, headers, body, now, regions,
               kind=None):
        try:
            verify(method, raw_path, raw_query, headers, body, now=now,
                   keys={self.args.access_key: self.args.secret},
                   regions=[self.args.region] + regions,
                   token=self.args.token)
            self.check_body(headers, body)
            bucket, key = self.split(raw_path, headers)
            query = {unquote_to_bytes(n).decode("latin-1"): unquote_to_bytes(v)
                     for n, v in split_query(raw_query)}
            self.refuse(method, query, headers)
            if kind:
                query["as"] = kind
            with self.lock:
                answer = self.route(method, bucket, key, query, headers, body)
        except Refused as no:
            return error_answer(no.status, no.code, no.message, **no.extra)
        answer.headers.setdefault("x-amz-request-id",
                                  "standin-%06d" % next(request_ids))
        return answer

    def lack(self, lacks):
        """From now on: word of LACKS -> the status that it is refused with."""
        if set(lacks) - set(LACKS):
            raise ValueError("no such lack")
        self.lacks = lacks

    def refuse(self, method, query, headers):
        for word, status in self.lacks.items():
            asks, message = LACKS[word]
            if not asks(method, query, headers):
                continue
            code = "NotImplemented" if status == 501 else (
                "InvalidRequest" if word == "lock" else "InvalidArgument")
            raise Refused(status, code, message)

    def check_body(self, headers, body):
        for name, digest in self.CHECKS.items():
            given = headers.get(name)
            if given is None or (digest is crc32c and
                                 len(body) > self.CRC_MAX):
                continue
            if given != base64.b64encode(digest(body)).decode():
                raise Refused(400, "BadDigest", "%s does not match" % name)

    def route(self, method, name, key, query, headers, body):
        if not name and method == "GET":
            inner = "".join("<Bucket><Name>%s</Name></Bucket>" % n
                            for n in sorted(self.buckets))
            return xml_answer("ListAllMyBucketsResult",
                              "<Buckets>%s</Buckets>" % inner)
        if method == "PUT" and not key:
            self.buckets.setdefault(name, Bucket())
            return Answer(200, {"Location": "/" + name}, b"")
        bucket = self.buckets.get(name)
        if bucket is None:
            raise Refused(404, "NoSuchBucket",
                          "The specified bucket does not exist",
                          BucketName=name)
        target = "object" if key else "bucket"
        for verb, where, needs, call in self.ROUTES:
            if verb == method and where == target and needs in (
                    None, *query, *headers.keys()):
                return call(self, bucket, name, key, query, headers, body)
        raise Refused(405, "MethodNotAllowed",
                      "The specified method is not allowed")

    def head_bucket(self, bucket, name, key, query, headers, body):
        return Answer(200, {"x-amz-bucket-region": self.args.region}, b"")

    def location(self, bucket, name, key, query, headers, body):
        return xml_answer("LocationConstraint", self.args.region)

    def list(self, bucket, name, key, query, headers, body):
        if query.get("list-type") != b"2":
            raise Refused(501, "NotImplemented", "only list-type=2")
        return xml_answer("ListBucketResult", s3_list.objects(
            bucket, name, query, self.args.page))

    def list_uploads(self, bucket, name, key, query, headers, body):
        return xml_answer("ListMultipartUploadsResult", s3_list.uploads(
            bucket, name, query, self.args.page))

    def list_parts(self, bucket, name, key, query, headers, body):
        upload = self.upload(bucket, key, query)
        return xml_answer("ListPartsResult", s3_list.parts(
            upload, name, key, query, self.args.page))

    def get(self, bucket, name, key, query, headers, body):
        obj = bucket.objects.get(key)
        if obj is None:
            raise Refused(404, "NoSuchKey",
                          "The specified key does not exist.")
        check_customer(obj.key, headers)
        head = {"ETag": obj.etag, "Accept-Ranges": "bytes",
                "Last-Modified": time.strftime("%a, %d %b %Y %H:%M:%S GMT",
                                               time.gmtime(obj.mtime)),
                "Content-Type": "binary/octet-stream", **obj.headers}
        if "content-type" in obj.headers:
            del head["Content-Type"]
        if obj.key:
            head["x-amz-" + CUSTOMER + "algorithm"] = "AES256"
        if obj.tags:
            head["x-amz-tagging-count"] = str(len(obj.tags.split("&")))
        for name, value in query.items():
            if name.startswith("response-"):
                named = name[len("response-"):].title()
                head = {n: v for n, v in head.items() if n.title() != named}
                head[named] = value.decode("latin-1")
        if not matches(headers.get("If-Match"), obj):
            raise Refused(412, "PreconditionFailed", "If-Match")
        if headers.get("If-None-Match") in (obj.etag, "*"):
            return Answer(304, head, b"")
        span = None
        if query.get("as") != "whole" and "range" not in self.lacks:
            span = parse_range(headers.get("Range"), len(obj.data))
        if span is None:
            return Answer(200, head, obj.data)
        first, end = span
        head["Content-Range"] = "bytes %d-%d/%d" % (first, end - 1,
                                                    len(obj.data))
        return Answer(206, head, memoryview(obj.data)[first:end])

    def put(self, bucket, name, key, query, headers, body):
        self.check_write(bucket, key, headers)
        obj = Obj(body, self.encrypted(headers), time.time(),
                  tags=headers.get("x-amz-tagging", ""),
                  key=customer_key(headers))
        bucket.put(key, obj)
        return Answer(200, {"ETag": obj.etag, **sse_of(obj)}, b"")

    def put_tagging(self, bucket, name, key, query, headers, body):
        obj = bucket.objects.get(key)
        if obj is None:
            raise Refused(404, "NoSuchKey",
                          "The specified key does not exist.")
        obj.tags = urlencode(
            [(local(e, "Key").text, local(e, "Value").text or "")
             for e in parse_xml(body).iter() if e.tag.endswith("}Tag")],
            quote_via=quote)
        return Answer(200, {}, b"")

    def tagging(self, bucket, name, key, query, headers, body):
        obj = bucket.objects.get(key)
        if obj is None:
            raise Refused(404, "NoSuchKey",
                          "The specified key does not exist.")
        pairs = parse_qsl(obj.tags, keep_blank_values=True)
        return xml_answer("Tagging", "<TagSet>%s</TagSet>" % "".join(
            "<Tag><Key>%s</Key><Value>%s</Value></Tag>" % (
                escape(k), escape(v)) for k, v in pairs))

    def check_write(self, bucket, key, headers):
        if len(key) > 1024:
            raise Refused(400, "KeyTooLongError", "Your key is too long")
        old = bucket.objects.get(key)
        if "deaf" in self.lacks:
            return
        if headers.get("If-None-Match") == "*" and old is not None:
            raise Refused(412, "PreconditionFailed", "If-None-Match")
        if headers.get("If-Match") is not None:
            if old is None:
                raise Refused(404, "NoSuchKey",
                              "The specified key does not exist.")
            if not matches(headers["If-Match"], old):
                raise Refused(412, "PreconditionFailed", "If-Match")

    def source(self, headers):
        path = unquote_to_bytes(headers["x-amz-copy-source"].partition("?")[0])
        name, _, key = path.lstrip(b"/").partition(b"/")
        bucket = self.buckets.get(name.decode("latin-1"))
        if bucket is None:
            raise Refused(404, "NoSuchBucket", "no source bucket")
        obj = bucket.objects.get(key)
        if obj is None:
            raise Refused(404, "NoSuchKey", "no source object")
        if not matches(headers.get("x-amz-copy-source-if-match"), obj):
            raise Refused(412, "PreconditionFailed", "copy-source-if-match")
        check_customer(obj.key, headers, "x-amz-copy-source-")
        return obj

    def copy(self, bucket, name, key, query, headers, body):
        src = self.source(headers)
        if query.get("as") != "deaf":
            self.check_write(bucket, key, headers)
        replace = headers.get("x-amz-metadata-directive") == "REPLACE"
        if not replace and bucket.objects.get(key) is src:
            raise Refused(400, "InvalidRequest", "a copy onto itself that "
                          "changes nothing is illegal")
        kept = self.encrypted(headers)
        if not replace:
            kept = {**{k: v for k, v in src.headers.items()
                       if k not in PLACED},
                    **{k: v for k, v in kept.items() if k in PLACED}}
        tags = "" if replace and self.args.forget_tags else src.tags
        obj = Obj(src.data, kept, time.time(), tags=tags,
                  key=customer_key(headers))
        bucket.put(key, obj)
        return copy_answer("CopyObjectResult", obj)

    def encrypted(self, headers):
        """What is kept of what is made."""
        kept = kept_headers(headers)
        if "default" not in self.lacks and customer_key(headers) is None:
            kept.setdefault(SSE, "AES256")
        return kept

    def delete(self, bucket, name, key, query, headers, body):
        obj = bucket.objects.get(key)
        if (obj and query.get("as") != "deaf" and
                not matches(headers.get("If-Match"), obj)):
            raise Refused(412, "PreconditionFailed", "If-Match")
        bucket.delete(key)
        return Answer(204, {}, b"")

    def delete_many(self, bucket, name, key, query, headers, body):
        root = parse_xml(body)
        keys = [local(e, "Key").text or "" for e in root
                if e.tag.endswith("Object")]
        if len(keys) > 1000:
            raise Refused(400, "MalformedXML", "over 1000 keys")
        quiet = local(root, "Quiet")
        out = []
        for text in keys:
            bucket.delete(text.encode("utf-8"))
            if quiet is None or quiet.text != "true":
                out.append("<Deleted><Key>%s</Key></Deleted>" % escape(text))
        return xml_answer("DeleteResult", "".join(out))

    def upload(self, bucket, key, query):
        upload = bucket.uploads.get(query["uploadId"].decode("latin-1"))
        if upload is None or upload.key != key:
            raise Refused(404, "NoSuchUpload",
                          "The specified upload does not exist.")
        return upload

    def create_upload(self, bucket, name, key, query, headers, body):
        upload_id = "upload-%d" % next(self.upload_ids)
        bucket.uploads[upload_id] = Upload(key, kept_headers(headers),
                                           time.time(),
                                           "" if self.args.forget_tags else
                                           headers.get("x-amz-tagging", ""),
                                           customer_key(headers))
        return xml_answer("InitiateMultipartUploadResult",
                          "<Bucket>%s</Bucket><Key>%s</Key><UploadId>%s"
                          "</UploadId>" % (name, xml_key(key), upload_id))

    def part(self, bucket, name, key, query, headers, body):
        upload = self.upload(bucket, key, query)
        number = int(query.get("partNumber", b"0"))
        if not 1 <= number <= 10000:
            raise Refused(400, "InvalidArgument", "part number")
        check_customer(upload.customer, headers)
        if "x-amz-copy-source" not in headers:
            obj = Obj(body, {}, time.time())
            for other in upload.parts.values():
                if other.etag == obj.etag:
                    obj.data = other.data   # zeros take no room
                    break
            upload.parts[number] = obj
            return Answer(200, {"ETag": obj.etag}, b"")
        data = self.source(headers).data
        span = parse_range(headers.get("x-amz-copy-source-range"), len(data))
        first, end = span or (0, len(data))
        upload.parts[number] = obj = Obj(memoryview(data)[first:end], {},
                                         time.time())
        return copy_answer("CopyPartResult", obj)

    def complete(self, bucket, name, key, query, headers, body):
        upload = self.upload(bucket, key, query)
        check_customer(upload.customer, headers)
        self.check_write(bucket, key, headers)
        listed = [(int(local(e, "PartNumber").text),
                   (local(e, "ETag").text or "").strip('"'))
                  for e in parse_xml(body) if e.tag.endswith("Part")]
        if not listed:
            raise Refused(400, "MalformedXML", "no parts")
        if [n for n, _ in listed] != sorted({n for n, _ in listed}):
            raise Refused(400, "InvalidPartOrder", "not ascending")
        parts = []
        for number, etag in listed:
            part = upload.parts.get(number)
            if part is None or part.etag.strip('"') != etag:
                raise Refused(400, "InvalidPart", "part %d" % number)
            parts.append(part)
        if any(len(p.data) < self.args.min_part for p in parts[:-1]):
            raise Refused(400, "EntityTooSmall", "a part is too small")
        if self.args.even_parts and (
                len({len(p.data) for p in parts[:-1]}) > 1 or
                len(parts[-1].data) > len(parts[0].data)):
            raise Refused(400, "InvalidPart", "All non-trailing parts must "
                          "have the same length.")
        digest = hashlib.md5(b"".join(bytes.fromhex(p.etag.strip('"'))
                                      for p in parts)).hexdigest()
        obj = Obj(b"".join(p.data for p in parts), upload.headers,
                  time.time(), '"%s-%d"' % (digest, len(parts)),
                  upload.tags, upload.customer)
        bucket.put(key, obj)
        del bucket.uploads[query["uploadId"].decode("latin-1")]
        return xml_answer("CompleteMultipartUploadResult",
                          "<Bucket>%s</Bucket><Key>%s</Key><ETag>%s</ETag>"
                          % (name, xml_key(key), escape(obj.etag)))

    def abort(self, bucket, name, key, query, headers, body):
        self.upload(bucket, key, query)
        del bucket.uploads[query["uploadId"].decode("latin-1")]
        return Answer(204, {}, b"")

    # The first row that fits; `needs` is a query parameter or a header.
    ROUTES = (
        ("HEAD", "bucket", None, head_bucket),
        ("GET", "bucket", "location", location),
        ("GET", "bucket", "uploads", list_uploads),
        ("GET", "bucket", None, list),
        ("POST", "bucket", "delete", delete_many),
        ("HEAD", "object", None, get),
        ("GET", "object", "uploadId", list_parts),
        ("GET", "object", "tagging", tagging),
        ("GET", "object", None, get),
        ("PUT", "object", "partNumber", part),
        ("PUT", "object", "x-amz-copy-source", copy),
        ("PUT", "object", "tagging", put_tagging),
        ("PUT", "object", None, put),
        ("POST", "object", "uploads", create_upload),
        ("POST", "object", "uploadId", complete),
        ("DELETE", "object", "uploadId", abort),
        ("DELETE", "object", None, delete),
    )


def kept_headers(headers):
    return {k.lower(): v for k, v in headers.items()
            if k.lower() in KEPT + PLACED or
            k.lower().startswith("x-amz-meta-")}


def sse_of(obj):
    return {n: v for n, v in obj.headers.items() if n.startswith(SSE)}


def customer_key(headers, start="x-amz-"):
    """The MD5 of the key that a request has (SSE-C), or None."""
    key = headers.get(start + CUSTOMER + "key")
    if key is None:
        return None
    digest = base64.b64encode(hashlib.md5(base64.b64decode(key)).digest())
    if (digest.decode() != headers.get(start + CUSTOMER + "key-MD5") or
            headers.get(start + CUSTOMER + "algorithm") != "AES256"):
        raise Refused(400, "InvalidArgument", "the key is no key")
    return digest


def check_customer(key, headers, start="x-amz-"):
    if customer_key(headers, start) != key:
        raise Refused(400, "InvalidRequest", "the object was stored using a "
                      "form of Server Side Encryption: the correct parameters "
                      "must be provided")


def matches(condition, obj):
    return condition is None or condition == "*" or condition.strip(
        '"') == obj.etag.strip('"')


def parse_range(text, size):
    """(first, end), or None: the whole. 416 when nothing is left of it."""
    if not text or not text.startswith("bytes="):
        return None
    first, _, last = text[6:].partition("-")
    if not first:
        start, end = max(0, size - int(last)), size
    else:
        start = int(first)
        end = min(int(last) + 1 if last else size, size)
    if start >= end:
        raise Refused(416, "InvalidRange",
                      "The requested range is not satisfiable")
    return start, end


def parse_xml(body):
    try:
        return ElementTree.fromstring(body)
    except ElementTree.ParseError:
        raise Refused(400, "MalformedXML", "not well-formed") from None


def local(element, name):
    for child in element:
        if child.tag.rpartition("}")[2] == name:
            return child
    return None


def xml_key(key):
    return escape(key.decode("utf-8", "replace"))


def copy_answer(root, obj):
    return xml_answer(root, "<LastModified>%s</LastModified><ETag>%s</ETag>"
                      % (s3_list.when(obj.mtime), escape(obj.etag)),
                      headers=sse_of(obj))
