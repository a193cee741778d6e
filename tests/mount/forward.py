#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""forward.py PORT HOST:PORT: what comes to 127.0.0.1:PORT goes there.

For the documents' sessions, which name port 9000 whatever port the tests'
object store has. Says `up` once it listens.
"""
import asyncio
import sys


async def pump(reader, writer):
    try:
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    except OSError:
        pass
    finally:
        writer.close()


async def main(port, host, to):
    async def accept(reader, writer):
        try:
            up, down = await asyncio.open_connection(host, to)
        except OSError:
            writer.close()
            return
        await asyncio.gather(pump(reader, down), pump(up, writer))

    server = await asyncio.start_server(accept, "127.0.0.1", port)
    print("up", flush=True)
    await server.serve_forever()


host, to = sys.argv[2].rsplit(":", 1)
asyncio.run(main(int(sys.argv[1]), host, int(to)))
