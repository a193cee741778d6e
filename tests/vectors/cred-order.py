#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Whose keys are used: ours against botocore's.

Every combination of sources that needs no Amazon (environment, the two files,
a program, a container endpoint of our own) is set up; botocore's session and
`stagefs presign` must end up with the same key id, under each of the profiles.
"""
import os
import sys

DEBIAN = "/usr/bin/python3"

# The python3 of PATH may be another one than Debian's, without botocore.
if os.access(DEBIAN, os.X_OK) and "STAGEFS_DEBIAN_PYTHON" not in os.environ:
    os.environ["STAGEFS_DEBIAN_PYTHON"] = "1"
    os.execv(DEBIAN, [DEBIAN] + sys.argv)

try:
    import botocore.session
except ImportError:
    print("Bail out! install the Debian package python3-botocore")
    sys.exit(1)

import itertools
import json
import subprocess
import tempfile
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from urllib.parse import parse_qs, urlsplit

STAGEFS = os.path.join(os.environ.get("top_builddir", "."), "stagefs")
SOURCES = ("environment", "credentials", "config", "program", "container")
PROFILES = (None, "dev")


class Container(BaseHTTPRequestHandler):
    def do_GET(self):
        body = json.dumps({"AccessKeyId": "AKcontainer", "Token": "T",
                           "SecretAccessKey": "S",
                           "Expiration": "2100-01-01T00:00:00Z"}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass


def keys(name):
    return "aws_access_key_id = AK%s\naws_secret_access_key = S\n" % name


def write(path, text):
    with open(path, "w", opener=lambda p, f: os.open(p, f, 0o600)) as f:
        f.write(text)


def set_up(home, sources, profile, port):
    """The environment of one case; the files are written."""
    name = profile or "default"
    env = {"HOME": home, "PATH": os.environ["PATH"],
           "AWS_EC2_METADATA_DISABLED": "true",
           "AWS_SHARED_CREDENTIALS_FILE": home + "/credentials",
           "AWS_CONFIG_FILE": home + "/config"}
    if profile:
        env["AWS_PROFILE"] = profile
    if "environment" in sources:
        env["AWS_ACCESS_KEY_ID"] = "AKenvironment"
        env["AWS_SECRET_ACCESS_KEY"] = "S"
    if "container" in sources:
        env["AWS_CONTAINER_CREDENTIALS_FULL_URI"] = (
            "http://127.0.0.1:%d/c" % port)
    write(home + "/credentials", "[%s]\n%s" % (name, keys("credentials"))
          if "credentials" in sources else "")
    config = "[%s]\noutput = json\n" % (
        "profile " + name if profile else name)
    if "config" in sources:
        config += keys("config")
    if "program" in sources:
        config += ("credential_process = echo '{\"Version\": 1, "
                   "\"AccessKeyId\": \"AKprogram\", \"SecretAccessKey\": "
                   "\"S\"}'\n")
    write(home + "/config", config)
    return env


def theirs(env):
    before = dict(os.environ)
    try:
        os.environ.clear()
        os.environ.update(env)
        found = botocore.session.Session().get_credentials()
        return found.access_key if found else None
    finally:
        os.environ.clear()
        os.environ.update(before)


def ours(env, home):
    done = subprocess.run(
        [STAGEFS, "presign", "@s/k", "--format", "url", "--config",
         home + "/stagefs.conf"], env=env, capture_output=True, text=True,
        timeout=60, check=False)
    if done.returncode:
        said = done.stderr.strip()
        return None if "there is no container endpoint" in said else said
    query = parse_qs(urlsplit(done.stdout.strip()).query)
    return query["X-Amz-Credential"][0].split("/")[0]


def main():
    server = HTTPServer(("127.0.0.1", 0), Container)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    cases = [(c, p) for n in range(len(SOURCES) + 1)
             for c in itertools.combinations(SOURCES, n) for p in PROFILES]
    print("1..%d" % len(cases))
    failed = 0
    with tempfile.TemporaryDirectory() as home:
        write(home + "/stagefs.conf", "[stage s]\nurl = s3://b/p/\n"
              "region = us-east-1\ncredentials = auto\n")
        for n, (sources, profile) in enumerate(cases, 1):
            env = set_up(home, sources, profile, server.server_address[1])
            want, got = theirs(env), ours(env, home)
            print("%sok %d - %s, profile %s" % (
                "" if got == want else "not ", n,
                " and ".join(sources) or "nothing", profile or "default"))
            if got != want:
                failed = 1
                print("# ours %s, botocore's %s" % (got, want))
    return failed


sys.exit(main())
