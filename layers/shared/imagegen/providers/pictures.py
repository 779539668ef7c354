"""Finds the image in an answer, in whatever form it is written there.

An image that was made is paid for, so it is not lost over its form: base64 in any spelling, a data
URI, a link, or one of these inside a list or an object. The bytes decide whether it is an image;
labels are ignored.
"""

import base64
import binascii
import re
from collections.abc import Iterator, Mapping
from urllib.parse import unquote_to_bytes

from imagegen.domain.pixels import is_whole, media_type_of
from imagegen.domain.ports import Json

MAX_IMAGE_BYTES = 25 * 1024 * 1024
MAX_DEPTH = 8
MAX_LINKS = 4
"""The most links of one answer that are tried."""

# The names under which vendors put an image; what stands there is read before anything else.
IMAGE_FIELDS = (
    "b64_json",
    "base64",
    "b64",
    "image_base64",
    "bytesBase64Encoded",
    "inlineData",
    "inline_data",
    "data",
    "url",
    "uri",
    "image_url",
    "imageUrl",
    "fileData",
    "file_data",
    "fileUri",
    "file_uri",
    "image",
    "images",
    "output",
)
LINK = re.compile(r"https?://\S+", re.IGNORECASE)
DATA_URI = re.compile(r"data:([^,]*),", re.IGNORECASE)
# Strict base64 needs no repair; anything else in the alphabets and between them does.
REPAIRABLE = re.compile(r"[A-Za-z0-9+/_\-=\s]*")
ESCAPED = re.compile(r"\\[nrt]|\\(?=/)")


def is_image(content: bytes) -> bool:
    """Return whether the first bytes are those of a PNG, JPEG or WebP file."""
    return media_type_of(content) is not None


def pictures_in(value: Json) -> Iterator[bytes | str]:
    """Yield the images in a part of an answer: those that it contains, then links to others.

    The order of the answer is kept. Each link is ``http`` or ``https``, and nothing more is
    known of it.
    """
    links: list[str] = []
    for one in _walk(value, MAX_DEPTH):
        if isinstance(one, bytes):
            yield one
        else:
            links.append(one)
    yield from links[:MAX_LINKS]


def pictures_of(body: Json) -> Iterator[bytes | str]:
    """Yield the images under the names that vendors use, wherever in the body these are."""
    if isinstance(body, Mapping):
        yield from pictures_in({name: one for name, one in body.items() if name in IMAGE_FIELDS})


def decoded_image(text: str) -> bytes | None:
    """Return the image that a text encodes, ``None`` if it does not encode an image.

    The text is a data URI, or base64 in either alphabet, with or without padding, spaces and line
    ends.
    """
    if len(text) > MAX_IMAGE_BYTES * 3:  # percent-encoded, three characters for a byte
        return None
    label = DATA_URI.match(text.lstrip())
    content = _uri_bytes(text.lstrip()[label.end() :]) if label else _decoded(text)
    return content if content and len(content) <= MAX_IMAGE_BYTES else None


def _walk(value: Json, depth: int) -> Iterator[bytes | str]:
    if isinstance(value, str):
        yield from _in_text(value)
    elif depth and isinstance(value, list):
        for one in value:
            yield from _walk(one, depth - 1)
    elif depth and isinstance(value, Mapping):
        for name in (*IMAGE_FIELDS, *(name for name in value if name not in IMAGE_FIELDS)):
            yield from _walk(value.get(name), depth - 1)


def _in_text(text: str) -> Iterator[bytes | str]:
    if LINK.fullmatch(text.strip()):
        yield text.strip()
    elif content := decoded_image(text):
        yield content


def _uri_bytes(payload: str) -> bytes | None:
    """Return the image after the comma of a data URI (RFC 2397), with or without base64."""
    plain = unquote_to_bytes(payload)
    return plain if is_image(plain) else _decoded(plain.decode("latin-1"))


def _decoded(text: str) -> bytes | None:
    try:
        content = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return _repaired(text)
    return content if is_image(content) else None


def _repaired(text: str) -> bytes | None:
    """Return the image in base64 that is not spelled strictly."""
    text = ESCAPED.sub("", text).strip(" \t\r\n\"'")
    if "%" in text:
        text = unquote_to_bytes(text).decode("latin-1")
    if not REPAIRABLE.fullmatch(text):
        return None
    content = _joined(re.sub(r"\s+", "", text))
    if content and " " in text and "+" not in text and not is_whole(content):
        # A form's decoder has turned each plus into a space.
        content = _joined(text.replace(" ", "+"))
    return content


def _joined(text: str) -> bytes | None:
    """Return the image in base64 of either alphabet; padding may be absent, or between parts."""
    parts = re.split("=+", text.translate({ord("-"): "+", ord("_"): "/"}))
    try:
        content = b"".join(base64.b64decode(part + "=" * (-len(part) % 4)) for part in parts)
    except (binascii.Error, ValueError):
        return None
    return content if is_image(content) else None
