#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Many requests at once, and what became of each.

load.py get URL FILE N      N downloads of one URL, all connected before the
                            first is asked for, compared with FILE; who is
                            told to slow down tries again, as clients of S3 do
load.py put FILE < URLs     FILE to each URL, all at once

Prints how many were good; what was wrong goes to stderr. Counts, no times.
"""
import asyncio
import hashlib
import resource
import sys
from urllib.parse import urlsplit

PIECE = 65536
PATIENCE_S = 300


async def head_of(reader):
    """Status and headers of an answer."""
    head = await reader.readuntil(b'\r\n\r\n')
    lines = head.decode('latin-1').split('\r\n')
    fields = dict(line.lower().split(': ', 1) for line in lines[1:] if line)
    return int(lines[0].split()[1]), fields


def request(method, url, more=''):
    parts = urlsplit(url)
    return (f'{method} {parts.path}?{parts.query} HTTP/1.1\r\n'
            f'Host: {parts.netloc}\r\nConnection: close\r\n{more}\r\n').encode()


async def get(url, want, everybody):
    parts = urlsplit(url)
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
    everybody['here'] += 1
    if everybody['here'] == everybody['all']:
        everybody['go'].set()
    await everybody['go'].wait()
    writer.write(request('GET', url))
    status, fields = await head_of(reader)
    while status == 503 and 'retry-after' in fields:
        writer.close()
        await asyncio.sleep(int(fields['retry-after']))
        reader, writer = await asyncio.open_connection(parts.hostname,
                                                       parts.port)
        writer.write(request('GET', url))
        status, fields = await head_of(reader)
    digest = hashlib.sha256()
    while piece := await reader.read(PIECE):
        digest.update(piece)
    writer.close()
    assert status == 200, f'status {status}'
    assert digest.hexdigest() == want, 'other bytes'


async def put(url, path, size):
    parts = urlsplit(url)
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
    writer.write(request('PUT', url, f'Content-Length: {size}\r\n'))
    with open(path, 'rb') as f:
        while piece := f.read(PIECE):
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(0)
    status, fields = await head_of(reader)
    writer.close()
    assert status == 200, f'status {status}'
    assert fields.get('etag'), 'no ETag'


async def count(tasks):
    results = await asyncio.wait_for(
        asyncio.gather(*tasks, return_exceptions=True), PATIENCE_S)
    bad = [r for r in results if isinstance(r, BaseException)]
    for why in sorted({f'{type(r).__name__}: {r}' for r in bad})[:10]:
        print(why, file=sys.stderr)
    print(len(results) - len(bad))


async def main():
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    if sys.argv[1] == 'get':
        url, path, n = sys.argv[2], sys.argv[3], int(sys.argv[4])
        with open(path, 'rb') as f:
            want = hashlib.sha256(f.read()).hexdigest()
        everybody = {'here': 0, 'all': n, 'go': asyncio.Event()}
        await count([get(url, want, everybody) for _ in range(n)])
    else:
        path = sys.argv[2]
        with open(path, 'rb') as f:
            size = f.seek(0, 2)
        await count([put(url.strip(), path, size) for url in sys.stdin])


asyncio.run(main())
