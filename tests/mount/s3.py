#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The server's side of the mount tests: objects by boto3, not by us.

    s3.py put KEY FILE [content_type=T, cache_control=, content_encoding=,
          content_disposition=, storage_class=, tagging=...]
          [NAME=VALUE metadata...]
    s3.py plant PREFIX COUNT      objects PREFIX0000 on, each of its key's bytes
    s3.py multipart KEY FILE PART_BYTES
    s3.py get KEY                 the bytes, on stdout
    s3.py delete KEY...
    s3.py delete-prefix PREFIX    objects and pending uploads
    s3.py list PREFIX             SIZE<tab>key below the prefix, a line each
    s3.py head KEY                JSON
    s3.py tags KEY                NAME=VALUE, a line each
    s3.py uploads PREFIX          pending multipart uploads, key<tab>id
    s3.py start-upload KEY        makes one and says its id
    s3.py parts PREFIX            bytes of the parts in pending uploads
    s3.py part-urls KEY COUNT     starts an upload: its id, then a URL a part
    s3.py complete KEY ID         completes it with the parts that are there
    s3.py compare PREFIX DIR      both hold the same files, byte by byte
    s3.py url get|put KEY SECONDS a pre-signed URL
"""
import json
import os
import sys
from concurrent.futures import ThreadPoolExecutor

import boto3
from boto3.s3.transfer import TransferConfig
from botocore.config import Config
from botocore.exceptions import ClientError

BUCKET = os.environ["STAGEFS_TEST_S3_BUCKET"]
S3 = boto3.client(
    "s3", endpoint_url=os.environ["STAGEFS_TEST_S3_ENDPOINT"],
    aws_access_key_id=os.environ["STAGEFS_TEST_S3_ACCESS_KEY"],
    aws_secret_access_key=os.environ["STAGEFS_TEST_S3_SECRET_KEY"],
    region_name="us-east-1",
    config=Config(signature_version="s3v4", max_pool_connections=16,
                  connect_timeout=10, read_timeout=120,
                  s3={"addressing_style": "path"}))
CHUNK = 1 << 20
SETTINGS = {n.lower().replace("-", "_"): n.replace("-", "") for n in (
    "Content-Type", "Content-Encoding", "Content-Disposition",
    "Cache-Control", "Storage-Class", "Tagging")}


def objects(prefix):
    for page in S3.get_paginator("list_objects_v2").paginate(
            Bucket=BUCKET, Prefix=prefix):
        yield from page.get("Contents", [])


def pending(prefix):
    for page in S3.get_paginator("list_multipart_uploads").paginate(
            Bucket=BUCKET, Prefix=prefix):
        for up in page.get("Uploads", []):
            if up["Key"].startswith(prefix):
                yield up["Key"], up["UploadId"]


def put(key, path, *settings):
    extra, meta = {}, {}
    for setting in settings:
        name, value = setting.split("=", 1)
        if name in SETTINGS:
            extra[SETTINGS[name]] = value
        else:
            meta[name] = value
    with open(path, "rb") as body:
        S3.put_object(Bucket=BUCKET, Key=key, Body=body, Metadata=meta, **extra)


def plant(prefix, count):
    def one(number):
        key = f"{prefix}{number:04}"
        S3.put_object(Bucket=BUCKET, Key=key, Body=key.encode())

    with ThreadPoolExecutor(16) as pool:
        list(pool.map(one, range(int(count))))


def multipart(key, path, part_bytes):
    S3.upload_file(path, BUCKET, key, Config=TransferConfig(
        multipart_threshold=1, multipart_chunksize=int(part_bytes),
        max_concurrency=4))


def get(key):
    body = S3.get_object(Bucket=BUCKET, Key=key)["Body"]
    for chunk in body.iter_chunks(CHUNK):
        sys.stdout.buffer.write(chunk)


def delete(*keys):
    for key in keys:
        S3.delete_object(Bucket=BUCKET, Key=key)


def delete_pending(prefix):
    for key, upload in list(pending(prefix)):
        S3.abort_multipart_upload(Bucket=BUCKET, Key=key, UploadId=upload)


def delete_prefix(prefix):
    if len(prefix) < 3:
        sys.exit("s3.py: so short a prefix is a mistake")
    delete_pending(prefix)
    keys = [{"Key": o["Key"]} for o in objects(prefix)]
    for i in range(0, len(keys), 1000):
        S3.delete_objects(Bucket=BUCKET, Delete={
            "Objects": keys[i:i + 1000], "Quiet": True})


def list_(prefix):
    for o in objects(prefix):
        print(f"{o['Size']}\t{o['Key'][len(prefix):]}")


def head(key):
    try:
        answer = S3.head_object(Bucket=BUCKET, Key=key)
    except ClientError as e:
        sys.exit(f"s3.py: {key}: {e}")
    del answer["ResponseMetadata"]
    print(json.dumps(answer, default=lambda v: v.isoformat()))


def tags(key):
    for tag in S3.get_object_tagging(Bucket=BUCKET, Key=key)["TagSet"]:
        print(f"{tag['Key']}={tag['Value']}")


def uploads(prefix):
    for key, upload in pending(prefix):
        print(f"{key}\t{upload}")


def start_upload(key):
    print(S3.create_multipart_upload(Bucket=BUCKET, Key=key)["UploadId"])


def part_urls(key, count):
    upload = S3.create_multipart_upload(Bucket=BUCKET, Key=key)["UploadId"]
    print(upload)
    for number in range(1, int(count) + 1):
        print(S3.generate_presigned_url("upload_part", ExpiresIn=3600, Params={
            "Bucket": BUCKET, "Key": key, "UploadId": upload,
            "PartNumber": number}))


def complete(key, upload):
    done = [{"PartNumber": p["PartNumber"], "ETag": p["ETag"]}
            for page in S3.get_paginator("list_parts").paginate(
                Bucket=BUCKET, Key=key, UploadId=upload)
            for p in page["Parts"]]
    S3.complete_multipart_upload(Bucket=BUCKET, Key=key, UploadId=upload,
                                 MultipartUpload={"Parts": done})


def parts(prefix):
    total = 0
    for key, upload in pending(prefix):
        try:
            for page in S3.get_paginator("list_parts").paginate(
                    Bucket=BUCKET, Key=key, UploadId=upload):
                total += sum(p["Size"] for p in page.get("Parts", []))
        except ClientError as e:
            # It was completed between the two requests.
            if e.response["Error"]["Code"] != "NoSuchUpload":
                raise
    print(total)


def same(key, path):
    body = S3.get_object(Bucket=BUCKET, Key=key)["Body"]
    with open(path, "rb") as mine:
        while True:
            theirs = body.read(CHUNK)
            if theirs != mine.read(len(theirs) or 1):
                return f"{key}: differs from {path}"
            if not theirs:
                return None


def compare(prefix, top):
    here = {}
    for folder, _, names in os.walk(top):
        for name in names:
            path = os.path.join(folder, name)
            here[os.path.relpath(path, top)] = path
    there = {o["Key"][len(prefix):]: o["Key"] for o in objects(prefix)
             if not o["Key"].endswith("/")}
    wrong = [f"{n}: only on the server" for n in there.keys() - here.keys()]
    wrong += [f"{n}: not on the server" for n in here.keys() - there.keys()]
    both = sorted(here.keys() & there.keys())
    with ThreadPoolExecutor(8) as pool:
        wrong += [w for w in pool.map(
            lambda n: same(there[n], here[n]), both) if w]
    print(f"{len(both)} files compared")
    if wrong:
        sys.exit("\n".join(sorted(wrong)[:20]))


def url(verb, key, seconds):
    method = {"get": "get_object", "put": "put_object"}[verb]
    print(S3.generate_presigned_url(method, ExpiresIn=int(seconds),
                                    Params={"Bucket": BUCKET, "Key": key}))


COMMANDS = {
    "put": put, "plant": plant, "multipart": multipart, "get": get, "delete": delete,
    "delete-prefix": delete_prefix, "list": list_, "head": head,
    "uploads": uploads, "start-upload": start_upload, "parts": parts,
    "part-urls": part_urls, "complete": complete, "compare": compare,
    "tags": tags, "url": url,
}

if __name__ == "__main__":
    if len(sys.argv) < 2 or sys.argv[1] not in COMMANDS:
        sys.exit(__doc__)
    COMMANDS[sys.argv[1]](*sys.argv[2:])
