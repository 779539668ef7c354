"""A provider that answers at once with the same image: what is left of a call is the caller's.

    python bench/provider.py BYTES     prints its port

It answers POST .../images/generations and .../moderations, and orders of Black Forest Labs.

Standard library alone, one thread, no parsing beyond where a request ends: two thousand a second.
"""

import asyncio
import base64
import json
import random
import struct
import sys
import zlib
from contextlib import suppress

VERDICT = json.dumps(
    {
        "id": "m",
        "model": "omni-moderation-latest",
        "results": [{"flagged": False, "categories": {}}],
    }
).encode()


def picture(size: int) -> bytes:
    """Return a PNG of 1024 x 1024 pixels, noise at the left, in about ``size`` bytes."""
    noise, row_bytes = random.Random(0), 3 * 1024
    noisy = min(row_bytes, size // 1024)
    lines = (b"\0" + noise.randbytes(noisy) + bytes(row_bytes - noisy) for _ in range(1024))
    rows = zlib.compress(b"".join(lines))
    header = struct.pack(">IIBBBBB", 1024, 1024, 8, 2, 0, 0, 0)
    filler = _chunk(b"fiLl", b"\0" * max(0, size - len(rows) - 69))
    end = filler + _chunk(b"IDAT", rows) + _chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", header) + end


def photo(size: int) -> bytes:
    """Return a square PNG of noise in about ``size`` bytes, of which none is metadata."""
    side, noise = int((size / 3) ** 0.5), random.Random(size)
    rows = zlib.compress(b"".join(b"\0" + noise.randbytes(3 * side) for _ in range(side)), 0)
    header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    body = _chunk(b"IDAT", rows) + _chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", header) + body


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def answered(body: bytes) -> bytes:
    """Return a whole answer, its length said."""
    head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}"
    return head.encode() + b"\r\n\r\n" + body


async def serve(size: int) -> None:
    """Serve until ended."""
    data = base64.b64encode(picture(size)).decode()
    image = {"created": 1, "data": [{"b64_json": data}]}
    by_path = {
        b"/moderations": answered(VERDICT),
        b"/get_result": answered(
            json.dumps({"status": "Ready", "result": {"sample": data}}).encode()
        ),
        b"/flux-": answered(b'{"id": "job"}'),
        b"": answered(json.dumps(image).encode()),
    }

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).lower()
                length = head.partition(b"content-length:")[2].partition(b"\r\n")[0]
                await reader.readexactly(int(length or 0))
                path = head.partition(b"\r\n")[0]
                writer.write(next(answer for part, answer in by_path.items() if part in path))
                await writer.drain()
                if b"connection: close" in head:
                    break
        writer.close()

    server = await asyncio.start_server(talk, "127.0.0.1", 0, backlog=1024)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1])))
