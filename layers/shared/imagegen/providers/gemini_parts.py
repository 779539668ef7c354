"""Reads the parts of Gemini's answers that more than one rule needs."""

import re
from collections.abc import Mapping

from imagegen.domain.ports import Json
from imagegen.providers.faults import bounded_seconds, dig, items_at, text_at


def final_parts(body: Json) -> list[Json]:
    """Return the parts of the answer that are no thoughts."""
    parts = items_at(body, "candidates", 0, "content", "parts")
    return [part for part in parts if dig(part, "thought") is not True]


def without_words(part: Json) -> Json:
    """Return a part without its words."""
    given = part if isinstance(part, Mapping) else {}
    return {name: one for name, one in given.items() if name != "text"}


def tokens_of(body: Json, details: str, modality: str) -> Json:
    """Return the tokens of one modality, ``None`` if they are not listed."""
    listed = items_at(body, "usageMetadata", details)
    found = (dig(one, "tokenCount") for one in listed if text_at(one, "modality") == modality)
    return next(found, None)


def error_reason(body: Json) -> str:
    """Return Google's reason for an error, an empty text without one."""
    reasons = (text_at(item, "reason") for item in items_at(body, "error", "details"))
    return next(filter(None, reasons), "")


def retry_delay(body: Json) -> int | None:
    """Return after how many seconds a repetition is allowed, ``None`` if that is not said."""
    for item in items_at(body, "error", "details"):
        if match := re.fullmatch(r"([0-9]{1,9}(?:\.[0-9]+)?)s", text_at(item, "retryDelay")):
            return bounded_seconds(float(match[1]))
    return None
