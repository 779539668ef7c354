"""Reads multipart forms (https://www.rfc-editor.org/rfc/rfc7578)."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from local.simulator.wire import Request

BOUNDARY = re.compile(r'boundary="?([^";]+)"?')
NAME = re.compile(r'\bname="([^"]*)"')
FILE_NAME = re.compile(r'\bfilename="([^"]*)"')
MEDIA_TYPE = re.compile(r"^content-type:\s*([^\r\n;]+)", re.IGNORECASE | re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a form; ``file_name`` is ``None`` for a plain field."""

    name: str
    content: bytes
    media_type: str = ""
    file_name: str | None = None


def is_form(request: Request) -> bool:
    """Return whether the body is a form."""
    return request.headers.get("content-type", "").startswith("multipart/form-data")


def parts_of(request: Request) -> tuple[Part, ...]:
    """Return the parts in their order.

    Raises:
        ValueError: the header has no boundary, or the last boundary is missing.
    """
    found = BOUNDARY.search(request.headers.get("content-type", ""))
    if not found:
        raise ValueError("the form has no boundary")
    mark = b"--" + found[1].encode()
    if not request.content.rstrip(b"\r\n").endswith(mark + b"--"):
        raise ValueError("the form is cut off")
    return tuple(_parts(request.content, mark))


def _parts(content: bytes, mark: bytes) -> Iterator[Part]:
    for piece in (b"\r\n" + content).split(b"\r\n" + mark)[1:-1]:
        head, _, body = piece.removeprefix(b"\r\n").partition(b"\r\n\r\n")
        text = head.decode("utf-8", "replace")
        name, file_name, media_type = (
            NAME.search(text),
            FILE_NAME.search(text),
            MEDIA_TYPE.search(text),
        )
        yield Part(
            name[1] if name else "",
            body,
            media_type[1].strip() if media_type else "",
            file_name[1] if file_name else None,
        )
