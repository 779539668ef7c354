"""Unpacks answers that arrive compressed, although ``identity`` was requested.

A proxy in front of a provider may pack what it passes on, may label packed bytes as plain, and may
unpack them and keep the label. The bytes decide, and the label only where the bytes do not: gzip,
and deflate with and without its zlib frame (https://www.rfc-editor.org/rfc/rfc9110#name-deflate-coding).
Brotli and zstd cannot be unpacked with the standard library of Python 3.13.
"""

import zlib
from collections.abc import Iterable, Iterator

INFLATED_BYTES = 256 * 1024
"""The most bytes that one step unpacks, so that a bomb is noticed after the first of them."""
MAX_LAYERS = 3
"""A body that is packed more often than this is not an answer."""
GZIP_MAGIC = b"\x1f\x8b"
PLAIN_CODINGS = frozenset({"", "identity"})
_GZIP, _ZLIB, _RAW = 31, 15, -15
_TEXT_STARTS = (b"{", b"[", b'"', b"<", b"data:", b"event:", b":", b"\xef\xbb\xbf")
_IMAGE_STARTS = (b"\x89PNG", b"\xff\xd8\xff", b"RIFF")
_ENOUGH_BYTES = 8


class UnpackError(Exception):
    """The bytes cannot be unpacked; the message repeats none of them."""


def codings_in(header: str) -> list[str]:
    """Return the codings of a Content-Encoding header in the order to undo them."""
    names = (name.strip().lower() for name in header.split(","))
    return [name for name in reversed(list(names)) if name not in PLAIN_CODINGS]


def unpacked(chunks: Iterable[bytes], header: str) -> Iterator[bytes]:
    """Yield the chunks unpacked, in pieces of at most 256 KiB.

    The caller bounds their sum.

    Raises:
        UnpackError: the coding is not supported, the bytes are damaged, or they are packed more
            than three times.
    """
    codings = codings_in(header)
    if len(codings) > MAX_LAYERS:
        raise UnpackError("packed too often")
    for coding in codings:
        chunks = _undone(chunks, coding)
    # Packed bytes without a label: neither JSON nor an image begins as gzip and zlib do.
    for _ in range(MAX_LAYERS - len(codings)):
        chunks = _undone(chunks, "")
    yield from chunks


def _undone(chunks: Iterable[bytes], coding: str) -> Iterator[bytes]:
    """Yield the chunks with one coding undone, or as they are if they are not in it."""
    rest = iter(chunks)
    head = _head(rest)
    if head.startswith(GZIP_MAGIC):
        yield from _inflated(head, rest, _GZIP)
    elif not coding and head.startswith(b"x") and _is_zlib(head):
        yield from _inflated(head, rest, _ZLIB)
    elif coding in {"", "gzip", "x-gzip"} or _is_plain(head):
        yield head
        yield from rest
    elif coding == "deflate":
        yield from _inflated(head, rest, _ZLIB if _is_zlib(head) else _RAW)
    else:
        raise UnpackError(f"packed as {coding!r}" if coding.isalnum() else "packed")


def _head(chunks: Iterator[bytes]) -> bytes:
    """Return the first chunks, joined until they show what they are."""
    head = b""
    for chunk in chunks:
        head += chunk
        if len(head.lstrip()) >= _ENOUGH_BYTES:
            break
    return head


def _is_plain(head: bytes) -> bool:
    return not head or head.lstrip().startswith(_TEXT_STARTS) or head.startswith(_IMAGE_STARTS)


def _is_zlib(head: bytes) -> bool:
    """Return whether the bytes begin with a zlib frame (RFC 1950, section 2.2)."""
    return len(head) > 1 and head[0] & 0x0F == 8 and int.from_bytes(head[:2]) % 31 == 0


def _inflated(head: bytes, rest: Iterator[bytes], window_bits: int) -> Iterator[bytes]:
    """Yield the inflated bytes of one or, in gzip, of several members.

    Anything behind the last member is ignored. A stream whose end is missing is no error here,
    because only a checksum may be missing: the reader of the content notices if it is incomplete.
    """
    engine, left = zlib.decompressobj(window_bits), b""
    for chunk in _chain(head, rest):
        left += chunk
        # After the end of a member, one byte does not show whether another begins.
        while left and not (engine.eof and left == GZIP_MAGIC[:1]):
            if engine.eof:
                if window_bits != _GZIP or not left.startswith(GZIP_MAGIC):
                    return
                engine = zlib.decompressobj(window_bits)
            yield from _pieces(engine, left)
            left = engine.unused_data


def _pieces(engine: "zlib._Decompress", packed: bytes) -> Iterator[bytes]:
    """Yield what the bytes inflate to, at most ``INFLATED_BYTES`` at once."""
    full = True
    while full or packed:
        try:
            piece = engine.decompress(packed, INFLATED_BYTES)
        except zlib.error:
            raise UnpackError("damaged packing") from None
        if piece:
            yield piece
        packed, full = engine.unconsumed_tail, len(piece) == INFLATED_BYTES and not engine.eof


def _chain(head: bytes, rest: Iterator[bytes]) -> Iterator[bytes]:
    yield head
    yield from rest
