"""What the header Prefer says (https://www.rfc-editor.org/rfc/rfc7240#section-2)."""

import re

RESPOND_ASYNC = "respond-async"
_PREFERENCE = re.compile(r'(?:[^,"]|"(?:[^"\\]|\\.)*"?)+')
_NAME_AND_VALUE = re.compile(r"\s*([^\s=;]+)\s*(?:=\s*([^;]*))?")


def applied_preference(prefer: str) -> dict[str, str]:
    """Return the header of an answer that comes before the image; empty if it shall come after."""
    return {"preference_applied": RESPOND_ASYNC} if prefer and prefers_async(prefer) else {}


def prefers_async(prefer: str) -> bool:
    """Return whether a client would rather be answered before its image is made.

    Names are of any case, an empty value is none, and of a preference that is there twice the first
    counts. With a value it is another preference, and those that are not known are ignored.
    """
    for preference in _PREFERENCE.findall(prefer):
        found = _NAME_AND_VALUE.match(preference)
        if found and found[1].lower() == RESPOND_ASYNC:
            return (found[2] or "").strip() in ("", '""')
    return False
