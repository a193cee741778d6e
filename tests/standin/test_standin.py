#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The stand-in is an S3 in the eyes of boto3, which knows nothing of it, and
misbehaves as it is told. TAP."""
import http.client
import json
import os
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

HERE = os.path.dirname(os.path.abspath(__file__))
KEYS = ["a b+c%~\u00e9.txt", "d/x", "d/y", "d/e/z", "d//q", "z", "w/1",
        "w/2", "..", "x/../y"]
TESTS = []
os.environ["no_proxy"] = "*"


def test(sentence):
    def add(function):
        TESTS.append((sentence, function))
        return function
    return add


class Server:
    def __init__(self, *args):
        self.process = subprocess.Popen(
            [sys.executable, os.path.join(HERE, "server.py"), "--s3",
             "--access-key", "AK", "--secret", "SK", "--bucket", "b",
             "--until-eof", "--page", "3", *args],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.url = "http://127.0.0.1:%d" % int(self.process.stdout.readline())

    def stop(self):
        self.process.stdin.close()
        self.process.wait(10)

    def client(self, secret="SK", region="us-east-1", token=None):
        return boto3.client(
            "s3", endpoint_url=self.url, aws_access_key_id="AK",
            aws_secret_access_key=secret, aws_session_token=token,
            region_name=region, config=Config(
                signature_version="s3v4", s3={"addressing_style": "path"},
                retries={"max_attempts": 0}))

    def fill(self):
        s3 = self.client()
        for key in KEYS:
            s3.put_object(Bucket="b", Key=key, Body=key.encode(),
                          Metadata={"mode": "33188"})
        return s3

    def post(self, path, value=None):
        data = json.dumps(value or {}).encode()
        request = urllib.request.Request(self.url + path, data=data)
        return json.load(urllib.request.urlopen(request))

    def get(self, path):
        return json.load(urllib.request.urlopen(self.url + path))

    def fault(self, action, **match):
        self.post("/_reset")
        self.post("/_fault", {"match": match, "action": action})


def code_of(call, **args):
    try:
        call(**args)
    except ClientError as error:
        return error.response["Error"]["Code"]
    return None


@test("objects come back under every odd key")
def objects(server):
    s3 = server.fill()
    for key in KEYS:
        got = s3.get_object(Bucket="b", Key=key)
        assert got["Body"].read() == key.encode(), key
        assert got["Metadata"] == {"mode": "33188"}


@test("listings are paged, in order, with and without a delimiter")
def listings(server):
    s3 = server.fill()

    def names(**args):
        keys, prefixes = [], []
        pages = s3.get_paginator("list_objects_v2")
        for page in pages.paginate(Bucket="b", **args):
            keys += [o["Key"] for o in page.get("Contents", [])]
            prefixes += [p["Prefix"] for p in page.get("CommonPrefixes", [])]
        return keys, prefixes

    assert names() == (sorted(KEYS, key=str.encode), [])
    assert names(Delimiter="/") == (["..", KEYS[0], "z"], ["d/", "w/", "x/"])
    assert names(Delimiter="/", Prefix="d/") == (["d/x", "d/y"],
                                                 ["d//", "d/e/"])


@test("ranges and conditions are kept")
def conditions(server):
    s3 = server.fill()
    etag = s3.head_object(Bucket="b", Key="d/x")["ETag"]
    got = s3.get_object(Bucket="b", Key="d/x", Range="bytes=1-1",
                        IfMatch=etag)
    assert got["Body"].read() == b"/" and got["ContentRange"] == "bytes 1-1/3"
    assert code_of(s3.get_object, Bucket="b", Key="d/x",
                   IfMatch='"other"') == "PreconditionFailed"
    assert code_of(s3.get_object, Bucket="b", Key="d/x",
                   Range="bytes=3-") == "InvalidRange"
    assert code_of(s3.get_object, Bucket="b", Key="no") == "NoSuchKey"
    assert code_of(s3.get_object, Bucket="no", Key="x") == "NoSuchBucket"
    assert code_of(s3.copy_object, Bucket="b", Key="c", CopySource="b/d/x",
                   CopySourceIfMatch='"other"') == "PreconditionFailed"


@test("a multipart upload is put together, or aborted")
def multipart(server):
    s3 = server.fill()
    where = {"Bucket": "b", "Key": "mp"}
    where["UploadId"] = s3.create_multipart_upload(**where)["UploadId"]
    first = s3.upload_part(PartNumber=1, Body=b"x" * 10, **where)["ETag"]
    second = s3.upload_part_copy(PartNumber=2, CopySource="b/d/x",
                                 **where)["CopyPartResult"]["ETag"]
    uploads = s3.list_multipart_uploads(Bucket="b")["Uploads"]
    assert [u["Key"] for u in uploads] == ["mp"]
    assert [p["Size"] for p in s3.list_parts(**where)["Parts"]] == [10, 3]
    wrong = {"Parts": [{"PartNumber": 1, "ETag": second}]}
    assert code_of(s3.complete_multipart_upload, MultipartUpload=wrong,
                   **where) == "InvalidPart"
    s3.complete_multipart_upload(MultipartUpload={"Parts": [
        {"PartNumber": 1, "ETag": first}, {"PartNumber": 2, "ETag": second}]},
        **where)
    assert s3.get_object(Bucket="b", Key="mp")["Body"].read() == (
        b"x" * 10 + b"d/x")
    assert code_of(s3.abort_multipart_upload, **where) == "NoSuchUpload"
    where["UploadId"] = s3.create_multipart_upload(
        Bucket="b", Key="mp")["UploadId"]
    s3.abort_multipart_upload(**where)
    assert "Uploads" not in s3.list_multipart_uploads(Bucket="b")


@test("objects are copied and deleted, one and many")
def delete(server):
    s3 = server.fill()
    s3.copy_object(Bucket="b", Key="copy", CopySource="b/d/x")
    assert s3.head_object(Bucket="b", Key="copy")["Metadata"]
    s3.delete_objects(Bucket="b", Delete={
        "Objects": [{"Key": k} for k in KEYS + ["none"]]})
    s3.delete_object(Bucket="b", Key="copy")
    assert s3.list_objects_v2(Bucket="b")["KeyCount"] == 0


@test("a wrong secret, region or token is refused")
def wrong_credentials(server):
    server.fill()
    where = {"Bucket": "b", "Key": "d/x"}
    assert code_of(server.client(secret="no").get_object,
                   **where) == "SignatureDoesNotMatch"
    assert code_of(server.client(token="no").get_object,
                   **where) == "InvalidToken"
    # boto3 asks again with the region that the refusal names
    server.client(region="eu-west-1").get_object(**where)
    codes = [r["status"] for r in server.get("/_requests")]
    assert 400 in codes, codes


@test("a pre-signed URL works, and one with a changed byte does not")
def presigned(server):
    s3 = server.fill()
    url = s3.generate_presigned_url("get_object", ExpiresIn=60,
                                    Params={"Bucket": "b", "Key": KEYS[0]})
    assert urllib.request.urlopen(url).read() == KEYS[0].encode()
    flipped = url[:-1] + ("0" if url[-1] != "0" else "1")
    try:
        urllib.request.urlopen(flipped)
        raise AssertionError("accepted")
    except urllib.error.HTTPError as error:
        assert error.code == 403


def outcome(url):
    """What a simple client makes of a URL: the body, status or failure."""
    try:
        return urllib.request.urlopen(url).read()
    except urllib.error.HTTPError as error:
        return error.code
    except (OSError, http.client.HTTPException) as error:
        return type(error)


FAULTS = (
    ({"type": "status", "status": 503, "code": "SlowDown"}, 503),
    ({"type": "reset"}, ConnectionResetError),
    ({"type": "reset", "when": "body", "after": 1}, ConnectionResetError),
    ({"type": "lose"}, ConnectionResetError),
    ({"type": "cut", "after": 1}, http.client.IncompleteRead),
    ({"type": "wrong_length", "delta": 5}, http.client.IncompleteRead),
    ({"type": "wrong_length", "delta": -1}, b"d/"),
    ({"type": "stall", "seconds": 0.1, "when": "body", "after": 1}, b"d/x"),
    ({"type": "latency", "seconds": 0.1}, b"d/x"),
    ({"type": "redirect", "region": "eu-west-1", "status": 307}, 307),
    ({"type": "redirect", "region": "eu-west-1", "status": 400}, 400),
    ({"type": "raw", "text": "hello\n"}, http.client.BadStatusLine),
    ({"type": "garbage", "body": "<x"}, b"<x"),
)


@test("every fault does what it is named for, and once")
def faults(server):
    s3 = server.fill()
    for action, wanted in FAULTS:
        server.fault(action, method="GET", key="^d/x$")
        url = s3.generate_presigned_url(
            "get_object", Params={"Bucket": "b", "Key": "d/x"})
        got = outcome(url)
        assert got == wanted, (action, got)
        assert outcome(url) == b"d/x", action
    server.fault({"type": "status", "status": 500}, nth=2, count=2)
    got = [outcome(url) for _ in range(4)]
    assert got == [b"d/x", 500, 500, b"d/x"], got
    server.fault({"type": "status", "status": 500}, nth=2, every=3, count=2)
    got = [outcome(url) == 500 for _ in range(9)]
    assert got == [k in (1, 4) for k in range(9)], got


@test("what is held is answered when it is released")
def hold(server):
    s3 = server.fill()
    url = s3.generate_presigned_url(
        "get_object", Params={"Bucket": "b", "Key": "d/x"})
    for path in "/_release", "/_reset":
        server.fault({"type": "hold"}, key="^d/x$")
        got = []
        held = threading.Thread(target=lambda: got.append(outcome(url)))
        held.start()
        while server.get("/_stats")["active"] < 1:
            time.sleep(0.01)
        assert outcome(url) == b"d/x" and not got, got
        server.post(path)
        held.join()
        assert got == [b"d/x"], got


@test("a clock that is off refuses what is signed by the right one")
def skew(server):
    s3 = server.fill()
    server.fault({"type": "skew", "seconds": 3600})
    assert code_of(s3.get_object, Bucket="b",
                   Key="d/x") == "RequestTimeTooSkewed"
    server.post("/_reset")
    s3.get_object(Bucket="b", Key="d/x")
    assert server.get("/_stats")["requests"] == 1


def main():
    print("1..%d" % len(TESTS))
    failed = 0
    for n, (sentence, function) in enumerate(TESTS, 1):
        server = Server()
        try:
            function(server)
            print("ok %d - %s" % (n, sentence), flush=True)
        except Exception as error:  # whatever it is, it is the result
            failed = 1
            print("not ok %d - %s" % (n, sentence))
            print("# %r" % error, flush=True)
        finally:
            server.stop()
    return failed


if __name__ == "__main__":
    sys.exit(main())
