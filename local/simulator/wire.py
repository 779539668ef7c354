"""What crosses the edge: a request as a provider reads it, an answer as the edge sends it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

type Body = dict[str, Any]


class Ending(StrEnum):
    """What happens to an answer on its way out."""

    SENT = "sent"
    CUT_BEFORE = "cut_before"
    """The connection closes before the first byte."""
    CUT_DURING = "cut_during"
    """Headers and half of the body go out, then the connection closes."""
    HANG = "hang"
    """Nothing goes out; the connection stays open until the client leaves."""


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request; header names are in lower case."""

    method: str
    path: str
    """Behind the provider's base URL, with its leading slash."""
    query: Mapping[str, str]
    headers: Mapping[str, str]
    content: bytes
    origin: str
    """``http://host:port`` as the client wrote it."""

    def bearer(self) -> str:
        """Return the bearer token, empty where there is none."""
        scheme, _, token = self.headers.get("authorization", "").partition(" ")
        return token.strip() if scheme.lower() == "bearer" else ""

    def json(self) -> Body:
        """Return the body.

        Raises:
            ValueError: the body is no JSON object.
        """
        body = json.loads(self.content or b"null")
        if not isinstance(body, dict):
            # Malformed input, not a wrong call of ours.
            raise ValueError("the body must be a JSON object")  # noqa: TRY004
        return body


@dataclass(frozen=True, slots=True)
class Answer:
    """One HTTP answer and how it leaves."""

    status: int
    content: bytes
    media_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)
    ending: Ending = Ending.SENT
    delay_seconds: float | None = None
    """``None``: as long as the provider usually takes."""


def json_answer(payload: object, *, status: int = 200, **more: Any) -> Answer:
    """Return ``payload`` as JSON; ``more`` are fields of ``Answer``."""
    content = json.dumps(payload, ensure_ascii=False, separators=(",", ":")).encode()
    return Answer(status, content, **more)


def page_answer() -> Answer:
    """Return what a proxy shows instead of the provider: HTML with status 200."""
    page = b"<!DOCTYPE html><html><title>Just a moment...</title><h1>Checking</h1></html>"
    return Answer(200, page, "text/html; charset=utf-8")
