"""What a pipe of EventBridge makes of a record of a table's stream, by filters and a template.

For tests, and for the emulator, which knows neither. Of the rules of AWS these two have what
``news.yaml`` uses; what they do not know is an error.
https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-pipes-event-filtering.html
https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-pipes-input-transformation.html
"""

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

PLACE: Final = re.compile(r"<\$\.([A-Za-z0-9_.]+)>")


def passes(record: Any, patterns: Iterable[str]) -> bool:
    """Return whether one of the patterns lets a record through."""
    return any(matches(record, json.loads(pattern)) for pattern in patterns)


def matches(value: Any, pattern: Any) -> bool:
    """Return whether a value has all that a pattern asks for."""
    if isinstance(pattern, list):
        return any(_fits(value, one) for one in pattern)
    inside = value if isinstance(value, Mapping) else {}
    return all(matches(inside.get(name), wanted) for name, wanted in pattern.items())


def _fits(value: Any, wanted: Any) -> bool:
    match wanted:
        case str():
            return bool(value == wanted)
        case {"prefix": str(start)}:
            return isinstance(value, str) and value.startswith(start)
        case {"exists": bool(exists)}:
            return (value is not None) is exists
    raise ValueError(f"This operator is not known here: {wanted!r}")


def rendered(record: Any, template: str) -> str:
    """Return a template with its places filled; what a record lacks is left empty.

    As on AWS, values are not escaped.
    """
    return PLACE.sub(lambda found: _text(record, found[1].split(".")), template)


def _text(value: Any, path: list[str]) -> str:
    for name in path:
        value = value.get(name) if isinstance(value, Mapping) else None
    if value is not None and not isinstance(value, str):
        raise ValueError(f"{'.'.join(path)} is not a text.")
    return value or ""
