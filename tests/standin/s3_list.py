# SPDX-License-Identifier: Apache-2.0
"""The listings of the in-memory S3, as the inner text of their XML.

query["as"] has them as other servers do:
    v1        the old protocol alone: marker and NextMarker
    bare      truncated, with nothing to go on by but the last name
    encodes   names are percent-encoded, and nothing says so
    plain     names are as they are, whatever was asked for
    claims    names are as they are, and said to be encoded
    shuffled  in no order, as directory buckets of S3 have them; small pages
"""
import bisect
import time
from urllib.parse import quote
from xml.sax.saxutils import escape


def when(t):
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(t)) + (
        ".%03dZ" % (t % 1 * 1000))


def _tag(name, text):
    return "<%s>%s</%s>" % (name, escape(str(text)), name)


def _names(query):
    """How keys are written: percent-encoded, or as they are (XML cannot
    carry control bytes then, as with the real one)."""
    kind = query.get("as")
    if kind == "encodes" or (query.get("encoding-type") == b"url" and
                             kind not in ("plain", "claims")):
        return lambda key: quote(key, safe="/-_.~")
    return lambda key: key.decode("utf-8", "replace")


def _after(prefix):
    """The smallest byte string above every one that starts with prefix."""
    while prefix and prefix[-1] == 255:
        prefix = prefix[:-1]
    return prefix[:-1] + bytes([prefix[-1] + 1]) if prefix else None


def _shuffled(bucket, name, query, page):
    prefix, delimiter = query.get("prefix", b""), query.get("delimiter", b"")
    limit = min(int(query.get("max-keys", b"1000")), page, 5)
    found = {}
    for key in bucket.keys:
        if not key.startswith(prefix):
            continue
        cut = key.find(delimiter, len(prefix)) if delimiter else -1
        if cut >= 0:
            found[key[:cut + len(delimiter)]] = None
        else:
            found[key] = bucket.objects[key]
    order = sorted(found, key=lambda k: k[::-1], reverse=True)
    at = int(query.get("continuation-token", b"0"))
    shown = order[at:at + limit]
    more = at + limit < len(order)
    at += limit - 1 if limit > 2 else limit  # a name may come twice
    return _objects_xml(name, query, [(k, found[k]) for k in shown], limit,
                        b"%d" % at if more else None)


def objects(bucket, name, query, page):
    if query.get("as") == "shuffled":
        return _shuffled(bucket, name, query, page)
    prefix, delimiter = query.get("prefix", b""), query.get("delimiter", b"")
    limit = min(int(query.get("max-keys", b"1000")), page)
    kind = query.get("as")
    token = query.get("continuation-token")
    start = query.get("marker" if kind == "v1" else "start-after", b"")
    at = bisect.bisect_left(bucket.keys, prefix)
    if token is not None:
        start = bytes.fromhex(token.decode())
        past = _after(start) if delimiter and start.endswith(
            delimiter) and len(start) > len(prefix) else start + b"\0"
        at = max(at, bisect.bisect_left(bucket.keys, past))
    elif start and kind == "v1" and delimiter and start.endswith(delimiter):
        at = max(at, bisect.bisect_left(bucket.keys, _after(start)))
    elif start:
        at = max(at, bisect.bisect_right(bucket.keys, start))
    entries, last, more = [], b"", False
    while at < len(bucket.keys) and bucket.keys[at].startswith(prefix):
        key = bucket.keys[at]
        if len(entries) >= limit:
            more = True
            break
        cut = key.find(delimiter, len(prefix)) if delimiter else -1
        if cut >= 0:
            last = key[:cut + len(delimiter)]
            at = bisect.bisect_left(bucket.keys, _after(last))
            entries.append((last, None))
        else:
            last, at = key, at + 1
            entries.append((key, bucket.objects[key]))
    return _objects_xml(name, query, entries, limit, last if more else None)


def _objects_xml(name, query, entries, limit, token):
    write = _names(query)
    out = [_tag("Name", name), _tag("Prefix", write(query.get("prefix", b""))),
           _tag("KeyCount", len(entries)), _tag("MaxKeys", limit)]
    if "delimiter" in query:
        out.append(_tag("Delimiter", write(query["delimiter"])))
    kind = query.get("as")
    if (query.get("encoding-type") == b"url" and
            kind not in ("plain", "encodes")):
        out.append(_tag("EncodingType", "url"))
    out.append(_tag("IsTruncated", "true" if token is not None else "false"))
    if token is not None and kind == "v1":
        out.append(_tag("NextMarker", write(token)))
    elif token is not None and kind != "bare":
        out.append(_tag("NextContinuationToken", token.decode()
                        if kind == "shuffled" else token.hex()))
    for key, obj in entries:
        if obj is None:
            continue
        owner = ("<Owner><ID>standin</ID><DisplayName>standin</DisplayName>"
                 "</Owner>" if query.get("fetch-owner") == b"true" else "")
        out.append("<Contents>%s%s%s%s%s%s</Contents>" % (
            _tag("Key", write(key)), _tag("LastModified", when(obj.mtime)),
            _tag("ETag", obj.etag), _tag("Size", len(obj.data)), owner,
            _tag("StorageClass", obj.headers.get("x-amz-storage-class",
                                                 "STANDARD"))))
    out += ["<CommonPrefixes>%s</CommonPrefixes>" % _tag("Prefix", write(key))
            for key, obj in entries if obj is None]
    return "".join(out)


def uploads(bucket, name, query, page):
    prefix = query.get("prefix", b"")
    marker = (query.get("key-marker", b""),
              query.get("upload-id-marker", b"").decode("latin-1"))
    limit = min(int(query.get("max-uploads", b"1000")), page)
    write = _names(query)
    found = sorted((u.key, i, u) for i, u in bucket.uploads.items()
                   if u.key.startswith(prefix))
    if marker[0]:
        found = [f for f in found if f[:2] > marker or
                 (not marker[1] and f[0] > marker[0])]
        if not marker[1]:
            found = [f for f in found if f[0] > marker[0]]
    shown, more = found[:limit], len(found) > limit
    out = [_tag("Bucket", name), _tag("Prefix", write(prefix)),
           _tag("IsTruncated", "true" if more else "false")]
    if query.get("encoding-type") == b"url":
        out.append(_tag("EncodingType", "url"))
    if more:
        out += [_tag("NextKeyMarker", write(shown[-1][0])),
                _tag("NextUploadIdMarker", shown[-1][1])]
    out += ["<Upload>%s%s%s</Upload>" % (
        _tag("Key", write(key)), _tag("UploadId", upload_id),
        _tag("Initiated", when(upload.started)))
        for key, upload_id, upload in shown]
    return "".join(out)


def parts(upload, name, key, query, page):
    upload_id = query["uploadId"].decode("latin-1")
    marker = int(query.get("part-number-marker", b"0"))
    limit = min(int(query.get("max-parts", b"1000")), page)
    found = sorted(p for p in upload.parts.items() if p[0] > marker)
    shown, more = found[:limit], len(found) > limit
    out = [_tag("Bucket", name), _tag("Key", _names(query)(key)),
           _tag("UploadId", upload_id),
           _tag("IsTruncated", "true" if more else "false")]
    if more:
        out.append(_tag("NextPartNumberMarker", shown[-1][0]))
    out += ["<Part>%s%s%s%s</Part>" % (
        _tag("PartNumber", number), _tag("LastModified", when(part.mtime)),
        _tag("ETag", part.etag), _tag("Size", len(part.data)))
        for number, part in shown]
    return "".join(out)
