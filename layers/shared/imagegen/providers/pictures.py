"""Finds the image in an answer, in whatever form it is written there.

An image that was made is paid for, so it is not lost over its form: base64 in any spelling, a data
URI, a link, an image in Markdown or HTML, a list of bytes, or one of these inside a list or an
object, which may itself be written as text. The bytes decide whether it is an image; labels are
ignored.
"""

import base64
import binascii
import json
import re
from collections.abc import Iterator, Mapping
from urllib.parse import unquote_to_bytes

from pydantic import ConfigDict, TypeAdapter, ValidationError

from imagegen.domain.pixels import is_whole, media_type_of
from imagegen.domain.ports import Json
from imagegen.providers.faults import HttpAnswer

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
# The names around an image in answers of other routes and vendors, which a gateway may pass on:
# chat completions (``choices[].message.images`` or ``.content``), generateContent, predictions.
FRAME_FIELDS = (
    *("choices", "message", "content", "candidates", "parts", "predictions", "artifacts"),
    *("result", "results", "response", "generated_images", "generatedImages"),
    # The answer of a Lambda function that nothing has unpacked.
    "body",
)
ECHOES = frozenset({"prompt", "revised_prompt"})
"""The names under which an answer repeats the request: a picture or a link there is the user's."""
LINK = re.compile(r"https?://\S+", re.IGNORECASE)
DATA_URI = re.compile(r"data:([^,]*),", re.IGNORECASE)
BASE64 = TypeAdapter(bytes, config=ConfigDict(val_json_bytes="base64"))
"""Decodes base64 in one of the alphabets, padded or not, four times as fast as ``binascii``."""
# Plain base64 needs no repair; anything else in the alphabets and between them does.
REPAIRABLE = re.compile(r"[A-Za-z0-9+/_\-=\s]*")
ESCAPED = re.compile(r"\\[nrt]|\\(?=/)")
SHOWN_IMAGE = re.compile(
    r"!\[[^\]\n]{0,1000}\]\(\s*<?([^\s<>()]+)"
    r"|<img\s[^<>]{0,1000}?\bsrc\s{0,9}=\s{0,9}[\"']?([^\s\"'<>]+)",
    re.IGNORECASE,
)
"""An image in Markdown or HTML."""
JSON_STARTS = ("[", "{", '"')


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


def pictures_of(answer: HttpAnswer) -> Iterator[bytes | str]:
    """Yield the answer itself if it is an image, else the images under the names that vendors use.

    What is under other names is not read.
    """
    body = answer.body
    if answer.image:
        yield answer.image
    elif isinstance(body, Mapping):
        names = (*IMAGE_FIELDS, *FRAME_FIELDS)
        yield from pictures_in({name: one for name, one in body.items() if name in names})


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
        yield from _in_text(value, depth)
    elif depth and isinstance(value, list):
        if content := _listed_bytes(value):
            yield content
            return
        for one in value:
            yield from _walk(one, depth - 1)
    elif depth and isinstance(value, Mapping):
        others = (name for name in value if name not in IMAGE_FIELDS and name not in ECHOES)
        for name in (*IMAGE_FIELDS, *others):
            yield from _walk(value.get(name), depth - 1)


def _in_text(text: str, depth: int) -> Iterator[bytes | str]:
    plain = text.strip().removeprefix("<").removesuffix(">")
    if LINK.fullmatch(plain):
        yield plain
    elif content := decoded_image(text):
        yield content
    elif (value := _written_as_json(text)) is not None:
        yield from _walk(value, depth - 1) if depth else ()
    else:
        for found in SHOWN_IMAGE.finditer(text):
            yield from _in_text(found[1] or found[2], depth)


def _listed_bytes(value: list[Json]) -> bytes | None:
    """Return the image whose bytes are numbers in a list, as Node.js writes a buffer."""
    if not value or len(value) > MAX_IMAGE_BYTES:
        return None
    numbers = [one for one in value if type(one) is int and 0 <= one < 256]
    content = bytes(numbers) if len(numbers) == len(value) else b""
    return content if is_image(content) else None


def _written_as_json(text: str) -> Json:
    """Return the value that a text is the JSON of, ``None`` if it is no list, object or text."""
    if not text.lstrip().startswith(JSON_STARTS) or len(text) > MAX_IMAGE_BYTES * 3:
        return None
    try:
        value: Json = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return value


def _uri_bytes(payload: str) -> bytes | None:
    """Return the image after the comma of a data URI (RFC 2397), with or without base64."""
    plain = unquote_to_bytes(payload)
    return plain if is_image(plain) else _decoded(plain.decode("latin-1"))


def _decoded(text: str) -> bytes | None:
    try:
        # Not ``base64.b64decode``, which makes a copy of the text first: it may have 30 MB.
        content = BASE64.validate_strings(text)
    except ValidationError:
        return _repaired(text)
    return content if is_image(content) else None


def _repaired(text: str) -> bytes | None:
    """Return the image in base64 that is spelled in another way."""
    text = ESCAPED.sub("", text).strip(" \t\r\n\"'")
    # Bytes as Python shows them begin with ``b'``.
    text = text.removeprefix("b'").removeprefix('b"')
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
