"""Packs bodies as proxies in front of providers do, although ``identity`` is requested."""

import gzip
import zlib
from collections.abc import Callable, Mapping

type Pack = Callable[[bytes], bytes]


def raw_deflate(content: bytes) -> bytes:
    """Return the content deflated without zlib's frame."""
    engine = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return engine.compress(content) + engine.flush()


def gzip_twice(content: bytes) -> bytes:
    """Return the content packed by two proxies."""
    return gzip.compress(gzip.compress(content))


# By name: the label, empty for none, and how the bytes are packed.
PACKINGS: Mapping[str, tuple[str, Pack]] = {
    "gzip": ("gzip", gzip.compress),
    "deflate": ("deflate", zlib.compress),
    "raw-deflate": ("deflate", raw_deflate),
    "gzip-twice": ("gzip, gzip", gzip_twice),
    "gzip-unlabelled": ("", gzip.compress),
    "plain-labelled-gzip": ("gzip", bytes),
    "unknown": ("br", lambda content: b"\x0b" + content[::-1]),
}


def packed(content: bytes, packing: str | None) -> tuple[bytes, dict[str, str]]:
    """Return the packed content, and the header that labels it."""
    if packing is None:
        return content, {}
    label, pack = PACKINGS[packing]
    return pack(content), {"Content-Encoding": label} if label else {}
