#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A proxy in front of an HTTP server that adds round-trip time and counts.

    latency.py --port 9000 --to localhost:7480 --rtt 20 [--control 9001]

Bytes of either direction arrive half of --rtt milliseconds later than they
came; nothing else is changed, so Host and signatures stay good. A connection
costs its client one round trip before the first request. GET /
on the control port answers a JSON of requests by method, of bytes by direction
and of the most connections at once, and begins anew.
"""
import argparse
import asyncio
import json
import re

REQUEST = re.compile(rb"^(GET|PUT|HEAD|POST|DELETE) \S+ HTTP/1\.1\r\n")
CHUNK = 256 * 1024


class Counts:
    def __init__(self):
        self.open = 0
        self.reset()

    def reset(self):
        self.requests = {}
        self.sent = self.received = 0
        self.most = self.open

    def as_json(self):
        return json.dumps({"requests": sum(self.requests.values()),
                           "by_method": self.requests, "sent": self.sent,
                           "received": self.received, "most": self.most})


async def pump(reader, writer, delay, seen):
    """What is read now is written `delay` seconds later, in order."""
    queue = asyncio.Queue(maxsize=64)
    loop = asyncio.get_running_loop()

    async def deliver():
        while True:
            when, data = await queue.get()
            wait = when - loop.time()
            if wait > 0:
                await asyncio.sleep(wait)
            if not data:
                break
            writer.write(data)
            await writer.drain()
        if writer.can_write_eof():
            writer.write_eof()

    task = asyncio.create_task(deliver())
    try:
        while True:
            data = await reader.read(CHUNK)
            if data:
                seen(data)
            await queue.put((loop.time() + delay, data))
            if not data:
                break
        await task
    except (ConnectionError, OSError):
        task.cancel()
        writer.close()


async def serve(client, to_client, args, counts):
    counts.open += 1
    counts.most = max(counts.most, counts.open)

    def to_server(data):
        counts.sent += len(data)
        found = REQUEST.match(data)
        if found:
            method = found[1].decode()
            counts.requests[method] = counts.requests.get(method, 0) + 1

    def from_server(data):
        counts.received += len(data)

    try:
        await asyncio.sleep(args.rtt / 1000)
        host, port = args.to.rsplit(":", 1)
        server, to = await asyncio.open_connection(host, int(port),
                                                   limit=CHUNK)
        await asyncio.gather(
            pump(client, to, args.rtt / 2000, to_server),
            pump(server, to_client, args.rtt / 2000, from_server))
        to.close()
    except (ConnectionError, OSError):
        pass
    finally:
        counts.open -= 1
        to_client.close()


async def control(reader, writer, counts):
    await reader.readline()
    body = counts.as_json().encode() + b"\n"
    counts.reset()
    writer.write(b"HTTP/1.0 200 OK\r\nContent-Type: application/json\r\n"
                 b"Content-Length: %d\r\n\r\n%s" % (len(body), body))
    await writer.drain()
    writer.close()


async def main():
    parse = argparse.ArgumentParser()
    parse.add_argument("--port", type=int, required=True)
    parse.add_argument("--to", required=True, metavar="HOST:PORT")
    parse.add_argument("--rtt", type=float, default=20, metavar="MS")
    parse.add_argument("--control", type=int)
    args = parse.parse_args()
    counts = Counts()
    await asyncio.start_server(
        lambda r, w: serve(r, w, args, counts), "127.0.0.1", args.port,
        limit=CHUNK)
    if args.control:
        await asyncio.start_server(lambda r, w: control(r, w, counts),
                                   "127.0.0.1", args.control)
    await asyncio.Event().wait()


if __name__ == "__main__":
    try:
        asyncio.run(main())
    except KeyboardInterrupt:
        pass
