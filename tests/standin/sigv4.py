# SPDX-License-Identifier: Apache-2.0
"""Verifies AWS Signature Version 4, header and query form, for S3 and, in
header form, for services that want no x-amz-content-sha256.

Written from the AWS documentation alone ("Authenticating Requests (AWS
Signature Version 4)", Amazon S3 API Reference); shares no code with stagefs.
"""
import calendar
import hashlib
import hmac
import time
from urllib.parse import quote, unquote_to_bytes

ALGORITHM = "AWS4-HMAC-SHA256"
MAX_SKEW_S = 900
UNSIGNED = "UNSIGNED-PAYLOAD"


class Refused(Exception):
    """An error answer: HTTP status, S3 code, message, extra XML elements."""

    def __init__(self, status, code, message, **extra):
        super().__init__(message)
        self.status, self.code, self.message = status, code, message
        self.extra = extra


def _mac(key, text):
    return hmac.new(key, text.encode(), hashlib.sha256).digest()


def _encode(raw):
    return quote(unquote_to_bytes(raw), safe="-_.~")


def split_query(query):
    """The raw (name, value) pairs of a query string."""
    pairs = []
    for item in query.split("&") if query else []:
        name, _, value = item.partition("=")
        pairs.append((name, value))
    return pairs


def _canonical_query(pairs):
    encoded = sorted((_encode(n), _encode(v)) for n, v in pairs
                     if n != "X-Amz-Signature")
    return "&".join(n + "=" + v for n, v in encoded)


def _canonical_headers(headers, names):
    lines = []
    for name in names:
        values = headers.get_all(name)
        if values is None:
            raise Refused(403, "SignatureDoesNotMatch",
                          "signed header %s is absent" % name)
        lines.append(name + ":" + ",".join(" ".join(v.split())
                                           for v in values) + "\n")
    return "".join(lines)


def _parse_time(text):
    try:
        return calendar.timegm(time.strptime(text, "%Y%m%dT%H%M%SZ"))
    except (TypeError, ValueError):
        raise Refused(403, "AccessDenied", "bad or missing date") from None


def _from_header(headers, body, service):
    words = headers["Authorization"].split(None, 1)
    if len(words) != 2 or words[0] != ALGORITHM:
        raise Refused(400, "InvalidArgument", "unsupported authorization")
    fields = dict(part.strip().partition("=")[::2]
                  for part in words[1].split(","))
    payload = headers.get("x-amz-content-sha256")
    if service != "s3":
        payload = hashlib.sha256(body).hexdigest()
    if payload is None:
        raise Refused(400, "InvalidRequest",
                      "Missing required header x-amz-content-sha256")
    return (fields.get("Credential", ""), headers.get("x-amz-date"),
            fields.get("SignedHeaders", ""), fields.get("Signature", ""),
            payload, headers.get("x-amz-security-token"))


def _from_query(values):
    if values.get("X-Amz-Algorithm") != ALGORITHM:
        raise Refused(400, "AuthorizationQueryParametersError",
                      "X-Amz-Algorithm must be " + ALGORITHM)
    return (values.get("X-Amz-Credential", ""), values.get("X-Amz-Date"),
            values.get("X-Amz-SignedHeaders", ""),
            values.get("X-Amz-Signature", ""), UNSIGNED,
            values.get("X-Amz-Security-Token"))


def _check_expiry(values, signed_at, now):
    try:
        expires = int(values.get("X-Amz-Expires", ""))
    except ValueError:
        expires = 0
    if not 1 <= expires <= 604800:
        raise Refused(400, "AuthorizationQueryParametersError",
                      "X-Amz-Expires must be 1 to 604800")
    if signed_at > now + MAX_SKEW_S:
        raise Refused(403, "AccessDenied", "Request is not valid yet")
    if now > signed_at + expires:
        raise Refused(403, "AccessDenied", "Request has expired")


def _check_skew(signed_at, now):
    if abs(now - signed_at) > MAX_SKEW_S:
        raise Refused(403, "RequestTimeTooSkewed",
                      "The difference between the request time and the "
                      "current time is too large.",
                      ServerTime=time.strftime("%Y-%m-%dT%H:%M:%SZ",
                                               time.gmtime(now)),
                      MaxAllowedSkewMilliseconds=str(MAX_SKEW_S * 1000))


def _check_scope(credential, keys, regions, service):
    """(access key, date, region) of a credential that may be used here."""
    parts = credential.rsplit("/", 4)
    if len(parts) != 5 or parts[3] != service or parts[4] != "aws4_request":
        raise Refused(400, "AuthorizationHeaderMalformed",
                      "the credential is malformed")
    if parts[0] not in keys:
        raise Refused(403, "InvalidAccessKeyId",
                      "The AWS Access Key Id you provided does not exist in "
                      "our records.")
    if parts[2] not in regions:
        raise Refused(400, "AuthorizationHeaderMalformed",
                      "the region '%s' is wrong; expecting '%s'"
                      % (parts[2], regions[-1]), Region=regions[-1])
    return parts[0], parts[1], parts[2]


def verify(method, raw_path, raw_query, headers, body, *, keys, regions, now,
           token=None, service="s3"):
    """Raises Refused unless the request is signed by one of keys (id: secret)
    for one of the regions. Returns the region it was signed for."""
    pairs = split_query(raw_query)
    values = {n: unquote_to_bytes(v).decode("utf-8", "replace")
              for n, v in pairs}
    presigned = "X-Amz-Signature" in values
    if presigned and headers.get("Authorization"):
        raise Refused(400, "InvalidArgument",
                      "Only one auth mechanism allowed")
    if not presigned and not headers.get("Authorization"):
        raise Refused(403, "AccessDenied", "Access Denied")
    credential, date, signed, signature, payload, got_token = (
        _from_query(values) if presigned else _from_header(headers, body, service))
    key_id, scope_date, region = _check_scope(credential, keys, regions,
                                               service)
    signed_at = _parse_time(date)
    if presigned:
        _check_expiry(values, signed_at, now)
    else:
        _check_skew(signed_at, now)
    if date[:8] != scope_date:
        raise Refused(403, "SignatureDoesNotMatch", "Invalid credential date")
    if got_token != token:
        raise Refused(400, "InvalidToken", "The provided token is malformed")
    names = signed.split(";")
    if names != sorted(names) or "host" not in names:
        raise Refused(403, "SignatureDoesNotMatch", "bad SignedHeaders")
    for name in headers.keys():
        if name.lower().startswith("x-amz-") and name.lower() not in names:
            raise Refused(403, "AccessDenied", "There were headers present in "
                          "the request which were not signed",
                          HeadersNotSigned=name.lower())
    canonical = "\n".join((method, raw_path or "/", _canonical_query(pairs),
                           _canonical_headers(headers, names), signed,
                           payload))
    scope = "/".join((scope_date, region, service, "aws4_request"))
    to_sign = "\n".join((ALGORITHM, date, scope, hashlib.sha256(
        canonical.encode("latin-1")).hexdigest()))
    key = ("AWS4" + keys[key_id]).encode()
    for word in (scope_date, region, service, "aws4_request"):
        key = _mac(key, word)
    if not hmac.compare_digest(_mac(key, to_sign).hex(), signature):
        raise Refused(403, "SignatureDoesNotMatch",
                      "The request signature we calculated does not match "
                      "the signature you provided.")
    if payload != UNSIGNED and hashlib.sha256(body).hexdigest() != payload:
        raise Refused(400, "XAmzContentSHA256Mismatch",
                      "The provided 'x-amz-content-sha256' header does not "
                      "match what was computed.")
    return region
