"""Reads multipart forms, as clients send files in them: strictly, and over bytes.

Format: https://www.rfc-editor.org/rfc/rfc7578 and https://www.rfc-editor.org/rfc/rfc2046#section-5.1.
What no client sends is refused instead of guessed: nested forms, folded headers, text before or
after the parts, a part without a name. Python's ``email`` reads the same formats leniently.
"""

import base64
import re
from collections.abc import Iterator

from imagegen.domain.errors import InvalidRequestError
from imagegen.edge.media_types import parameters
from imagegen.edge.requests import Event

MOST_PARTS = 40
"""More than a request has fields and pictures."""
MOST_HEADER_BYTES = 4_096
"""Of one part: a name, and the name of a file in the letters of any script."""
MOST_NAME_CHARACTERS = 64
_BOUNDARY = re.compile(r"[0-9A-Za-z'()+_,\-./:=? ]{0,69}[0-9A-Za-z'()+_,\-./:=?]")
_DISPOSITION = re.compile(
    r"form-data\s*;\s*name=(?:\"([^\"\\]*)\"|([^\s;\"\\]+))\s*(?:;.*)?", re.IGNORECASE
)
_NAME = re.compile(rf"[\x21-\x7e]{{1,{MOST_NAME_CHARACTERS}}}")
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
_PLAIN = frozenset({"7bit", "8bit", "binary"})


def form_fields(event: Event) -> list[tuple[str, bytes]]:
    """Return the names and contents of a form's parts, in their order.

    Raises:
        InvalidRequestError: the body is not a whole form; the message says why.
    """
    body: str = event.get("body") or ""
    try:
        encoded = event.get("isBase64Encoded")
        content = base64.b64decode(body, validate=True) if encoded else body.encode()
    except ValueError:
        raise InvalidRequestError("The body cannot be decoded: it is not base64.") from None
    return parse_form(content, event["headers"].get("content-type", ""))


def parse_form(content: bytes, content_type: str) -> list[tuple[str, bytes]]:
    """Return the names and contents of the parts; ``content_type`` has the boundary.

    Raises:
        InvalidRequestError: the bytes are not a whole form; the message says why.
    """
    fields = list[tuple[str, bytes]]()
    for head, part in _parts(content, b"--" + _boundary(content_type)):
        if len(fields) == MOST_PARTS:
            raise InvalidRequestError(f"The form has more than {MOST_PARTS} parts.")
        fields.append((_name(head), part))
    return fields


def _boundary(content_type: str) -> bytes:
    text = parameters(content_type).get("boundary", "")
    if not _BOUNDARY.fullmatch(text):
        raise InvalidRequestError(
            "The header Content-Type has no valid boundary. Let the client write this header: "
            "multipart/form-data; boundary=<text>."
        )
    return text.encode()


def _parts(content: bytes, mark: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yield the headers and the content of each part; nothing is copied but these."""
    if not content.startswith(mark):
        raise InvalidRequestError("The form does not begin with the boundary of its Content-Type.")
    start, delimiter = len(mark), b"\r\n" + mark
    while content[start : start + 2] == b"\r\n":
        end_of_head = content.find(b"\r\n\r\n", start, start + MOST_HEADER_BYTES)
        if end_of_head < 0:
            raise InvalidRequestError(
                f"The headers of a part do not end within {MOST_HEADER_BYTES} bytes."
            )
        body = end_of_head + 4
        end = content.find(delimiter, body)
        if end < 0:
            raise InvalidRequestError("The form is cut off: its last boundary is missing.")
        yield content[start + 2 : end_of_head], content[body:end]
        start = end + len(delimiter)
    if content[start : start + 2] != b"--" or content[start + 2 :].strip(b"\r\n"):
        raise InvalidRequestError("The form is broken after a boundary.")


def _name(head: bytes) -> str:
    """Return the name of a part.

    Raises:
        InvalidRequestError: it has none, or headers that no form has.
    """
    headers = _headers(head)
    found = _DISPOSITION.fullmatch(headers.get("content-disposition", ""))
    name = (found[1] or found[2]) if found else None
    if not name or not _NAME.fullmatch(name):
        raise InvalidRequestError(
            "A part of the form has no valid name. It needs the header Content-Disposition: "
            f'form-data; name="<1 to {MOST_NAME_CHARACTERS} characters>".'
        )
    if headers.get("content-type", "").lower().startswith("multipart/"):
        raise InvalidRequestError("A part of the form is a form. Send each file in a part.")
    if headers.get("content-transfer-encoding", "binary").lower() not in _PLAIN:
        raise InvalidRequestError("A part of the form is encoded. Send the bytes as they are.")
    return name


def _headers(head: bytes) -> dict[str, str]:
    found: dict[str, str] = {}
    for line in head.decode("utf-8", "replace").split("\r\n"):
        name, colon, value = line.partition(":")
        key = name.lower()
        if not colon or not key or key != key.strip() or _CONTROL.search(line) or key in found:
            raise InvalidRequestError("A header of a part of the form is not valid.")
        found[key] = value.strip()
    return found
