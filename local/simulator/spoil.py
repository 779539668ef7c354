"""Damages a drawn image, to test the checks of clients."""

import base64
import struct
from dataclasses import dataclass, replace
from io import BytesIO
from zlib import crc32

from PIL import Image

from local.simulator.faults import Spoil

HUGE_BYTES = 31_000_000
LARGE_BYTES = 10_000_000
PNG_END_BYTES = 12
"""Of the last chunk, which has a length, a type and a checksum."""
EDGES = {Spoil.TINY: 8, Spoil.SQUARE: 1024}
"""The edges of squares that arrive whatever was ordered."""


@dataclass(frozen=True, slots=True)
class Picture:
    """The bytes of a picture, and the media type with which they are sent."""

    content: bytes
    media_type: str


def spoiled(picture: Picture, spoil: Spoil | None) -> Picture:
    """Return the picture with damaged bytes; damage to its file or encoding is done elsewhere."""
    if spoil is Spoil.TEXT:
        page = b"<!DOCTYPE html><html><body>The image is being prepared</body></html>"
        return replace(picture, content=page)
    if spoil is Spoil.TRUNCATED:
        return replace(picture, content=picture.content[: len(picture.content) // 2])
    if spoil is Spoil.HOLE:
        # A PNG in any case: the data of the other formats cannot be checked without a decoder.
        content = encoded(opened(picture), "png")
        return replace(picture, content=content[: len(content) // 2] + content[-12:])
    if spoil is Spoil.TRAILING:
        return replace(picture, content=picture.content + b"\r\n--boundary--\r\n")
    if spoil in EDGES or spoil is Spoil.BLANK:
        return replace(picture, content=repainted(picture, spoil))
    if spoil is Spoil.LARGE:
        return replace(picture, content=filled(encoded(opened(picture), "png")))
    if spoil is Spoil.HUGE:
        # More than 30 MB are sent in any case; base64 adds a third.
        return replace(picture, content=picture.content.ljust(HUGE_BYTES, b"\0"))
    return picture


def filled(content: bytes) -> bytes:
    """Return a PNG in ``LARGE_BYTES``: with a chunk that readers pass over, and whole."""
    data = bytes(LARGE_BYTES - len(content) - PNG_END_BYTES)
    kind = b"fiLl"
    chunk = struct.pack(">I", len(data)) + kind + data + struct.pack(">I", crc32(kind + data))
    return content[:-PNG_END_BYTES] + chunk + content[-PNG_END_BYTES:]


def repainted(picture: Picture, spoil: Spoil) -> bytes:
    """Return the picture in black, or as a square of another size."""
    image = opened(picture)
    if spoil is Spoil.BLANK:
        image = Image.new("RGB", image.size)
    else:
        image = image.resize((EDGES[spoil], EDGES[spoil]))
    return encoded(image, picture.media_type.removeprefix("image/"))


def coarse(picture: Picture, edge: int) -> Picture:
    """Return the picture in squares of so many pixels; one that cannot be read stays as it is."""
    try:
        image = opened(picture)
        small = image.reduce(edge)
    except (OSError, SyntaxError):
        return picture
    whole = small.resize(image.size, Image.Resampling.NEAREST)
    return replace(picture, content=encoded(whole, picture.media_type.removeprefix("image/")))


def opened(picture: Picture) -> Image.Image:
    """Return the picture's pixels."""
    return Image.open(BytesIO(picture.content))


def encoded(image: Image.Image, kind: str) -> bytes:
    """Return the file of a picture."""
    out = BytesIO()
    image.save(out, kind)
    return out.getvalue()


def base64_of(picture: Picture, spoil: Spoil | None) -> str:
    """Return the picture as base64 for JSON, in one of its spellings or damaged."""
    if spoil is Spoil.NOT_BASE64:
        return "!bm8gYmFzZTY0!"
    if spoil is Spoil.URL_SAFE:
        return base64.urlsafe_b64encode(picture.content).decode().rstrip("=")
    text = base64.b64encode(picture.content).decode()
    if spoil is Spoil.UNPADDED:
        return text.rstrip("=")
    if spoil is Spoil.LINES:
        return "\r\n".join(text[at : at + 76] for at in range(0, len(text), 76))
    return data_uri(text) if spoil is Spoil.DATA_URI else text


def data_uri(text: str) -> str:
    """Return base64 as a data URI with a type that says nothing."""
    return f"data:application/octet-stream;base64,{text}"
