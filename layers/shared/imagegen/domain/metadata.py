"""Removes from an image what may identify a person: EXIF with GPS, XMP, IPTC, comments, texts.

What an image needs to look the same is kept: its coded data byte for byte, colour profiles, alpha
and frames. Its orientation is kept, alone in new EXIF data, and so are provenance marks (C2PA).
Everything else is removed, because anything may be in it. So are bytes behind the end of the image:
phones store a second image with all its EXIF data there.

A C2PA manifest that is kept still names its maker, but its hash was computed with the metadata, so
a verifier reports that the file was changed. Only the manifest's signer could prevent that.
"""

import struct
from collections.abc import Iterable, Iterator

from imagegen.domain.jpeg_segments import (
    APP0,
    APP1,
    APP2,
    APP11,
    APP14,
    APP15,
    COM,
    EOI,
    Segment,
    packed_segment,
    segments_of,
)
from imagegen.domain.marks import PNG_CHUNK, WEBP_CHUNK, is_jumbf_segment
from imagegen.domain.orientation import (
    EXIF_HEADER,
    UPRIGHT,
    WEBP_EXIF_FLAG,
    exif_with,
    is_exif,
    read_orientation,
)
from imagegen.domain.pixels import (
    JPEG_START,
    PNG_SIGNATURE,
    BrokenImageError,
    MediaType,
    media_type_of,
)
from imagegen.domain.png_chunks import chunks_of, packed_chunk
from imagegen.domain.webp import riff_chunks

NOT_CRITICAL = 0x20
PNG_COLOURS = frozenset(
    {b"tRNS", b"cHRM", b"gAMA", b"iCCP", b"sBIT", b"sRGB", b"cICP", b"mDCV", b"cLLI", b"bKGD"}
)
PNG_KEPT = PNG_COLOURS | {b"pHYs", b"acTL", b"fcTL", b"fdAT", PNG_CHUNK}
WEBP_KEPT = frozenset({b"VP8X", b"ICCP", b"ANIM", b"ALPH", b"VP8 ", b"VP8L", WEBP_CHUNK})
FRAME_KEPT = frozenset({b"ALPH", b"VP8 ", b"VP8L"})
WEBP_XMP_FLAG = 0x04
FRAME_BYTES = 16
"""What precedes the chunks of one frame of an animation."""
JFIF, ICC, ADOBE = b"JFIF\0", b"ICC_PROFILE\0", b"Adobe"
JFIF_BYTES = 12
"""What precedes the thumbnail in a JFIF segment: the first version of an image that was cropped."""

type Part = bytes | memoryview


def without_metadata(content: bytes) -> bytes:
    """Return a PNG, JPEG or WebP that looks the same and says nothing else.

    Raises:
        BrokenImageError: the structure is damaged, or the format is another one.
    """
    orientation = read_orientation(content)
    try:
        match media_type_of(content):
            case MediaType.PNG:
                return b"".join((PNG_SIGNATURE, *_png_parts(content, orientation)))
            case MediaType.JPEG:
                parts = _jpeg_parts(content, orientation)
                return b"".join((JPEG_START[:2], *parts, bytes((0xFF, EOI))))
            case MediaType.WEBP:
                return _riff(_webp_parts(content, orientation))
            case None:
                raise BrokenImageError("the bytes are not a PNG, JPEG or WebP")
    except (struct.error, IndexError):
        raise BrokenImageError("the image is cut off") from None


def _png_parts(content: bytes, orientation: int) -> Iterator[Part]:
    view, at, is_written = memoryview(content), len(PNG_SIGNATURE), orientation == UPRIGHT
    for kind, data in chunks_of(content):
        end = at + len(data) + 12
        if kind in PNG_KEPT or not kind[0] & NOT_CRITICAL:
            yield view[at:end]
        elif kind == b"eXIf" and not is_written:
            is_written = True
            yield packed_chunk(kind, exif_with(orientation))
        at = end
    yield packed_chunk(b"IEND", b"")


def _jpeg_parts(content: bytes, orientation: int) -> Iterator[Part]:
    view, is_written = memoryview(content), orientation == UPRIGHT
    for segment in segments_of(content):
        if segment.marker == APP0 and bytes(segment.data[: len(JFIF)]) == JFIF:
            yield packed_segment(APP0, bytes(segment.data[:JFIF_BYTES]).ljust(14, b"\0"))
        elif segment.marker == APP1 and is_exif(segment.data) and not is_written:
            is_written = True
            yield packed_segment(APP1, EXIF_HEADER + b"\0" + exif_with(orientation))
        elif _is_kept(segment):
            yield view[segment.start : segment.end]


def _is_kept(segment: Segment) -> bool:
    """Return whether a segment is part of the image, of its colours, or of its marks."""
    data = segment.data
    match segment.marker:
        case marker if marker == COM:
            return False
        case marker if marker == APP2:
            return bytes(data[: len(ICC)]) == ICC
        case marker if marker == APP11:
            return is_jumbf_segment(data)
        case marker if marker == APP14:
            return bytes(data[: len(ADOBE)]) == ADOBE
        case marker:
            return not APP0 <= marker <= APP15


def _webp_parts(content: bytes, orientation: int) -> Iterator[bytes]:
    is_written = orientation == UPRIGHT
    for kind, data in riff_chunks(content):
        if kind == b"VP8X":
            yield _webp_chunk(kind, _canvas(data, has_exif=not is_written))
        elif kind == b"EXIF" and not is_written:
            is_written = True
            yield _webp_chunk(kind, exif_with(orientation))
        elif kind == b"ANMF":
            frame = riff_chunks(_riff([bytes(data[FRAME_BYTES:])]))
            # There are no frames in a frame, so none is read: they could be nested without end.
            parts = (_webp_chunk(one, bytes(part)) for one, part in frame if one in FRAME_KEPT)
            yield _webp_chunk(kind, bytes(data[:FRAME_BYTES]) + b"".join(parts))
        elif kind in WEBP_KEPT:
            yield _webp_chunk(kind, bytes(data))


def _riff(parts: Iterable[bytes]) -> bytes:
    chunks = list(parts)
    length = sum(map(len, chunks)) + 4
    return b"".join((struct.pack("<4sI4s", b"RIFF", length, b"WEBP"), *chunks))


def _canvas(data: memoryview, *, has_exif: bool) -> bytes:
    """Return VP8X with the flags of the metadata that are still there."""
    flags = data[0] & ~(WEBP_EXIF_FLAG | WEBP_XMP_FLAG)
    return bytes((flags | (WEBP_EXIF_FLAG if has_exif else 0),)) + data[1:]


def _webp_chunk(kind: bytes, data: bytes) -> bytes:
    return kind + struct.pack("<I", len(data)) + data + bytes(len(data) % 2)
