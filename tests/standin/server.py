#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A scripted stand-in for an HTTP or S3 server, for tests.

    server.py [--port 0] [--s3 --access-key K --secret S --region R ...]

Prints the port that it listens on (127.0.0.1) as a line, serves until it is
killed or, with --until-eof, until its standard input is closed.

Without --s3:  /bytes/N   N bytes of a known pattern, ranges and If-Match
               /echo      what came, as JSON
               else       200 "ok\\n"
With --s3: a small in-memory S3 (s3.py) that verifies signatures (sigv4.py).
With --auth: what gives out credentials (aws_auth.py).

Both: CONNECT opens a tunnel (so it can stand in for a proxy), POST /_fault (JSON, see faults.py), GET /_requests (the log),
GET /_stats (requests, connections, most at once), POST /_release (answers what
the fault `hold` holds), POST /_reset (forgets faults, log and clock; with
?objects=1 buckets are emptied too), POST /_lacks (JSON {word: status}: what
the S3 does not know from now on, LACKS of s3.py).
"""
import argparse
import email.utils
import hashlib
import json
import re
import socket
import ssl
import struct
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote

from aws_auth import AwsAuth
from faults import Faults
from s3 import S3, Answer, error_answer


HOLD_MAX = 300  # seconds


class State:
    """What all connections share."""

    def __init__(self, args):
        self.lock = threading.Lock()
        self.faults = Faults()
        self.s3 = S3(args) if args.s3 else None
        self.auth = AwsAuth(args) if args.auth else None
        self.connections = 0
        self.clear()

    def clear(self):
        with self.lock:
            self.log = []
            self.active = self.most = 0
            self.first_connection = self.connections

    def now(self):
        return time.time() + self.faults.clock_shift

    def connect(self):
        with self.lock:
            self.connections += 1
            return self.connections

    def begin(self, entry):
        with self.lock:
            self.active += 1
            self.most = max(self.most, self.active)
            entry["n"] = len(self.log) + 1
            self.log.append(entry)

    def end(self):
        with self.lock:
            self.active = max(0, self.active - 1)

    def stats(self):
        with self.lock:
            return {"requests": len(self.log), "most_at_once": self.most,
                    "faults": sum(1 for e in self.log if e["fault"]),
                    "active": self.active,
                    "connections": len({e["connection"] for e in self.log})}


def pass_on(source, target):
    try:
        while True:
            data = source.recv(65536)
            if not data:
                break
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)
    except OSError:
        pass


def pattern(start, n):
    """Byte i is (i * 31 + (i >> 8)) & 255."""
    return bytes((i * 31 + (i >> 8)) & 255 for i in range(start, start + n))


def plain_answer(method, path, query, headers, body):
    """The server that is no S3."""
    if path.startswith("/bytes/"):
        size = int(path[7:])
        etag = '"bytes-%d"' % size
        if headers.get("If-Match", etag) != etag:
            return Answer(412, {}, b"")
        extra = {"ETag": etag, "Accept-Ranges": "bytes"}
        wanted = headers.get("Range")
        if not wanted:
            return Answer(200, extra, pattern(0, size))
        first, _, last = wanted[len("bytes="):].partition("-")
        first = int(first)
        last = min(int(last) if last else size - 1, size - 1)
        if first > last:
            return Answer(416, {"Content-Range": "bytes */%d" % size}, b"")
        extra["Content-Range"] = "bytes %d-%d/%d" % (first, last, size)
        return Answer(206, extra, pattern(first, last - first + 1))
    if path == "/echo":
        return Answer(200, {"Content-Type": "application/json"}, json.dumps({
            "method": method, "query": query, "length": len(body),
            "sha256": hashlib.sha256(body).hexdigest(),
            "headers": [[k.lower(), v] for k, v in headers.items()],
        }).encode())
    return Answer(200, {"Content-Type": "text/plain"}, b"ok\n")


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    timeout = 300

    def setup(self):
        super().setup()
        self.state = self.server.state
        self.connection_id = self.state.connect()

    def log_message(self, *args):
        pass

    def read_body(self):
        if "chunked" in self.headers.get("Transfer-Encoding", ""):
            return None
        left = int(self.headers.get("Content-Length") or 0)
        return self.rfile.read(left) if left else b""

    def do_any(self):
        raw_path, _, raw_query = self.path.partition("?")
        if raw_path.startswith("/_"):
            return self.admin(raw_path, raw_query, self.read_body())
        entry = {"method": self.command, "path": raw_path, "query": raw_query,
                 "headers": {k.lower(): v for k, v in self.headers.items()},
                 "length": int(self.headers.get("Content-Length") or 0),
                 "connection": self.connection_id, "time": time.time(),
                 "status": 0, "fault": None}
        # A test that sees it counted knows that it has its fault already.
        s3 = self.state.s3
        key = s3.key_of(raw_path, self.headers) if s3 else unquote(raw_path)
        act = self.state.faults.find(self.command, key, raw_query,
                                     self.region(raw_query),
                                     str(self.headers)) or {}
        entry["fault"] = act.get("type")
        self.state.begin(entry)
        try:
            self.serve(entry, act, raw_path, raw_query)
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True
        finally:
            self.state.end()

    do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = do_any

    def do_CONNECT(self):
        """Passes bytes on both ways until both ends have had enough."""
        entry = {"method": "CONNECT", "path": self.path, "query": "",
                 "headers": {k.lower(): v for k, v in self.headers.items()},
                 "length": 0, "connection": self.connection_id,
                 "time": time.time(), "status": 200, "fault": None}
        self.state.begin(entry)
        host, _, port = self.path.rpartition(":")
        with socket.create_connection((host, int(port))) as far:
            self.wfile.write(b"HTTP/1.1 200 Connection established\r\n"
                             b"X-Proxy: standin\r\n\r\n")
            back = threading.Thread(target=pass_on, daemon=True,
                                    args=(far, self.connection))
            back.start()
            pass_on(self.connection, far)
            back.join()
        self.close_connection = True
        self.state.end()

    def region(self, raw_query):
        """The region that the request claims to be signed for."""
        text = self.headers.get("Authorization") or unquote(raw_query)
        words = text.partition("Credential=")[2].split(",")[0].split("/")
        return words[-3] if len(words) >= 5 else ""

    def serve(self, entry, act, raw_path, raw_query):
        s3 = self.state.s3
        kind = act.get("type")
        if kind == "reset" and act.get("when", "before") == "before":
            return self.reset()
        if kind == "stall" and act.get("when") == "request":
            time.sleep(act["seconds"])
        body = self.read_body()
        if body is None:
            return self.send(error_answer(411, "MissingContentLength",
                                          "no chunked uploads here"))
        if (kind in ("stall", "latency") and
                act.get("when", "headers") == "headers"):
            time.sleep(act["seconds"])
        if kind == "hold":
            act["gate"].wait(HOLD_MAX)
        if kind == "raw":
            self.wfile.write(act["text"].encode("latin-1"))
            self.close_connection = True
            return None
        answer = self.scripted(kind, act)
        if answer is None and s3:
            answer = s3.answer(self.command, raw_path, raw_query,
                               self.headers, body, self.state.now(),
                               self.state.faults.regions,
                               "deaf" if kind == "deaf" else act.get("as"))
        elif answer is None and self.state.auth:
            answer = self.state.auth.answer(self.command, raw_path, raw_query,
                                            self.headers, body,
                                            self.state.now())
        elif answer is None:
            answer = plain_answer(self.command, raw_path, raw_query,
                                  self.headers, body)
        entry["status"] = answer.status
        if kind == "stall" and act.get("when") == "answer":
            time.sleep(act["seconds"])
        if kind == "lose":
            return self.reset()
        return self.send(answer, kind, act)

    def scripted(self, kind, act):
        """The answer that the fault gives instead of the right one."""
        if kind in ("status", "error_in_200"):
            status = act["status"] if kind == "status" else 200
            extra = dict(act.get("headers", {}))
            if "retry_after" in act:
                extra["Retry-After"] = str(act["retry_after"])
            if "body" in act:
                return Answer(status, extra, act["body"].encode())
            return error_answer(status, act.get("code", "InternalError"),
                                act.get("message", "as scripted"),
                                headers=extra)
        if kind == "garbage":
            text = act.get("body", "<ListBucketResult><Contents>\x01</Con")
            return Answer(200, {"Content-Type": "application/xml"},
                          text.encode("latin-1"))
        if kind == "redirect":
            status = act.get("status", 301)
            code = {400: "AuthorizationHeaderMalformed",
                    307: "TemporaryRedirect"}.get(status, "PermanentRedirect")
            extra = {"x-amz-bucket-region": act["region"]}
            if "location" in act:
                extra["Location"] = act["location"]
            return error_answer(status, code, "the bucket is elsewhere",
                                headers=extra, Region=act["region"])
        return None

    def send(self, answer, kind=None, act=None):
        body = b"" if self.command == "HEAD" else answer.body
        if kind == "no_length" and 200 <= answer.status < 300:
            return self.send_without_length(answer, body, act)
        if kind == "rewrite":
            body = self.rewrite(answer, body, act)
        length = len(answer.body)
        if kind == "wrong_length":
            length = max(0, length + act["delta"])
        if answer.status in (204, 304):
            body, length = b"", None
        head = ["HTTP/1.1 %d %s" % (answer.status, self.responses.get(
            answer.status, ("Unknown",))[0])]
        head.append("Date: " + email.utils.formatdate(self.state.now(),
                                                      usegmt=True))
        head.append("Server: " + (act or {}).get("server", "standin"))
        if length is not None and "Content-Length" not in answer.headers:
            head.append("Content-Length: %d" % length)
        head += ["%s: %s" % item for item in answer.headers.items()]
        after = (act or {}).get("after", 0)
        if after == "half":
            after = len(body) // 2
        broken = kind in ("cut", "wrong_length", "reset")
        if broken or self.close_connection:
            self.close_connection = True
        blob = ("\r\n".join(head) + "\r\n\r\n").encode("latin-1")
        part = body[:after] if kind in ("cut", "reset") or (
            kind == "stall" and act.get("when") == "body") else body
        if kind == "trickle":
            self.wfile.write(blob)
            step = max(1, -(-len(body) // act["pieces"]))
            for at in range(0, len(body), step):
                time.sleep(act["seconds"])
                self.wfile.write(body[at:at + step])
        elif len(part) < 65536:
            self.wfile.write(blob + part)
        else:
            self.wfile.write(blob)
            self.wfile.write(part)
        if kind == "reset":
            return self.reset()
        if kind == "stall" and act.get("when") == "body":
            time.sleep(act["seconds"])
            self.wfile.write(body[after:])
        return None

    def rewrite(self, answer, body, act):
        if "header" in act:
            old = answer.headers.get(act["header"], "")
            answer.headers[act["header"]] = re.sub(act["from"], act["to"], old)
        else:
            body = answer.body = re.sub(act["from"].encode(),
                                        act["to"].encode(), bytes(answer.body))
        return body

    def send_without_length(self, answer, body, act):
        """As a server does that makes its answer while it sends it."""
        body = bytes(body)
        if self.command != "HEAD":
            body += b"+" * act.get("append", 0)
        head = ["HTTP/1.1 %d %s" % (answer.status,
                                    self.responses[answer.status][0])]
        head += ["%s: %s" % item for item in
                 {**answer.headers, **act.get("headers", {})}.items()]
        if act.get("close"):
            self.close_connection = True
        elif self.command != "HEAD":
            head.append("Transfer-Encoding: chunked")
            pieces = [body[i:i + 65536] for i in range(0, len(body), 65536)]
            body = b"".join(b"%x\r\n%s\r\n" % (len(piece), piece)
                            for piece in [*pieces, b""])
        self.wfile.write(("\r\n".join(head) + "\r\n\r\n").encode("latin-1"))
        self.wfile.write(body)

    def reset(self):
        """Closes so that the peer gets a RST."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                                   struct.pack("ii", 1, 0))
        self.rfile.close()
        self.connection.close()
        self.close_connection = True

    def finish(self):
        try:
            super().finish()
        except (OSError, ValueError):
            pass

    def admin(self, path, query, body):
        state = self.state
        result = {"ok": True}
        status = 200
        if path == "/_fault" and self.command == "POST":
            try:
                spec = json.loads(body)
                for fault in spec if isinstance(spec, list) else [spec]:
                    state.faults.add(fault)
            except (ValueError, KeyError, TypeError) as bad:
                status, result = 400, {"error": str(bad)}
        elif path == "/_requests":
            with state.lock:
                result = list(state.log)
        elif path == "/_stats":
            result = state.stats()
        elif path == "/_auth" and self.command == "POST":
            state.auth.set(json.loads(body))
        elif path == "/_release" and self.command == "POST":
            state.faults.release()
        elif path == "/_lacks" and self.command == "POST":
            try:
                state.s3.lack(json.loads(body))
            except ValueError as bad:
                status, result = 400, {"error": str(bad)}
        elif path == "/_reset" and self.command == "POST":
            state.faults.clear()
            state.clear()
            if state.auth:
                state.auth.clear()
            if state.s3 and "objects=1" in query:
                state.s3.clear()
        else:
            status, result = 404, {"error": "no such path"}
        self.send(Answer(status, {"Content-Type": "application/json"},
                         json.dumps(result).encode()))


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 512

    def shutdown_request(self, request):
        try:
            request.shutdown(socket.SHUT_WR)
        except OSError:
            pass
        self.close_request(request)

    def handle_error(self, request, client_address):
        if not isinstance(sys.exc_info()[1], (OSError, ValueError)):
            super().handle_error(request, client_address)


def main():
    parse = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parse.add_argument("--port", type=int, default=0)
    parse.add_argument("--until-eof", action="store_true")
    parse.add_argument("--tls", metavar="PEM", help="certificate and key")
    parse.add_argument("--s3", action="store_true")
    parse.add_argument("--auth", action="store_true")
    parse.add_argument("--access-key", default="standin")
    parse.add_argument("--secret", default="standin-secret")
    parse.add_argument("--token", help="the session token that is asked for")
    parse.add_argument("--region", default="us-east-1")
    parse.add_argument("--bucket", action="append", default=[])
    parse.add_argument("--domain", help="for BUCKET.DOMAIN addressing")
    parse.add_argument("--min-part", type=int, default=0,
                       help="smallest part but the last (S3: 5242880)")
    parse.add_argument("--even-parts", action="store_true",
                       help="all but the last of one length, as R2")
    parse.add_argument("--forget-tags", action="store_true",
                       help="of the beginning of an upload, and of a copy "
                       "with other headers, as Ceph 16")
    parse.add_argument("--page", type=int, default=1000,
                       help="most entries in a page of a listing")
    parse.add_argument("--skew", type=int, default=0,
                       help="seconds that the clock is off")
    args = parse.parse_args()
    server = Server(("127.0.0.1", args.port), Handler)
    server.state = State(args)
    server.state.faults.clock_shift = args.skew
    if args.tls:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(args.tls)
        server.socket = context.wrap_socket(
            server.socket, server_side=True, do_handshake_on_connect=False)
    print(server.server_address[1], flush=True)
    if args.until_eof:
        def until_eof():
            sys.stdin.buffer.read()
            server.shutdown()
        threading.Thread(target=until_eof, daemon=True).start()
    try:
        server.serve_forever(poll_interval=0.1)
    except KeyboardInterrupt:
        pass


if __name__ == "__main__":
    main()
