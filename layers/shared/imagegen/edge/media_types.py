"""What the headers Accept and Content-Type say of media types.

Source: https://www.rfc-editor.org/rfc/rfc9110#section-12.5.1 (what a client accepts) and
#section-8.3 (the type of a body).
"""

import re
from collections.abc import Iterator, Mapping

from imagegen.wire.headers import JSON

FORM_WITH_FILES = "multipart/form-data"
_RANGE = re.compile(r'(?:[^,"]|"(?:[^"\\]|\\.)*"?)+')
_PARAMETER = re.compile(r';\s*([\w!#$%&\'*+.^`|~-]+)\s*=\s*("(?:[^"\\]|\\.)*"|[^;"\s]*)')
_WEIGHT = re.compile(r"\d*\.?\d*")
_UTF_8 = frozenset({"", "utf-8", "utf8"})


def wants_json(accept: str) -> bool:
    """Return whether a client accepts JSON and no picture.

    Many clients name JSON in every request (axios, Angular, n8n) and still want the picture at the
    address of one. So a picture goes to every client that accepts some kind of image with a weight
    above 0, and to one that accepts neither: an address of a picture is often opened by programs
    whose Accept header nobody can set. What cannot be read in the header is passed over.
    """
    weights = dict(_weights(accept))
    anything = weights.get("*/*", 0.0 if weights else 1.0)
    images = [weight for kind, weight in weights.items() if kind.startswith("image/")]
    takes_a_picture = any(images) or ("image/*" not in weights and anything > 0)
    takes_json = weights.get(JSON, weights.get("application/*", anything)) > 0
    return takes_json and not takes_a_picture


def is_json(content_type: str) -> bool:
    """Return whether a body's type is JSON, in letters of any case and with any parameters."""
    return _kind(content_type) in ("", JSON)


def is_utf_8(content_type: str) -> bool:
    """Return whether a body's type names no charset other than UTF-8."""
    return parameters(content_type).get("charset", "").lower() in _UTF_8


def is_form(content_type: str) -> bool:
    """Return whether a body is a form that may contain files."""
    return _kind(content_type) == FORM_WITH_FILES


def parameters(value: str) -> Mapping[str, str]:
    """Return the parameters of a header's value, with names in lower case."""
    return {name.lower(): one.strip('"') for name, one in _PARAMETER.findall(value)}


def _kind(value: str) -> str:
    """Return a media type without its parameters, in lower case."""
    return value.partition(";")[0].strip().lower()


def _weights(accept: str) -> Iterator[tuple[str, float]]:
    for one in _RANGE.findall(accept):
        kind = _kind(one)
        # Java's URLConnection writes "*" for "*/*".
        kind = "*/*" if kind == "*" else kind
        if re.fullmatch(r"[^\s/]+/[^\s/]+", kind):
            yield kind, _weight(parameters(one).get("q", ""))


def _weight(text: str) -> float:
    """Return the weight; 1 if it is not a number, because a client that names a type wants it."""
    return float(text) if any(map(str.isdigit, text)) and _WEIGHT.fullmatch(text) else 1.0
