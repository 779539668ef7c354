"""Requests and answers of the HTTP server, as the simulated providers read and write them."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

type Body = dict[str, Any]


class Ending(StrEnum):
    """How an answer is sent."""

    SENT = "sent"
    CUT_BEFORE = "cut_before"
    """The connection closes before the first byte."""
    CUT_DURING = "cut_during"
    """Headers and half of the body are sent, then the connection closes."""
    HANG = "hang"
    """Nothing is sent; the connection stays open until the client closes it."""


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request; header names are in lower case."""

    method: str
    path: str
    """The path after the provider's base URL, with a leading slash."""
    query: Mapping[str, str]
    headers: Mapping[str, str]
    content: bytes
    origin: str
    """``http://host:port`` as the client wrote it."""

    def bearer(self) -> str:
        """Return the bearer token, an empty text if there is none."""
        scheme, _, token = self.headers.get("authorization", "").partition(" ")
        return token.strip() if scheme.lower() == "bearer" else ""

    def json(self) -> Body:
        """Return the body.

        Raises:
            ValueError: the body is not a JSON object.
        """
        body = json.loads(self.content or b"null")
        if not isinstance(body, dict):
            # The client's input is malformed; no code of ours passed a wrong type.
            raise ValueError("the body must be a JSON object")  # noqa: TRY004
        return body


@dataclass(frozen=True, slots=True)
class Answer:
    """One HTTP answer and how it is sent."""

    status: int
    content: bytes
    media_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)
    ending: Ending = Ending.SENT
    packing: str | None = None
    """How the body is packed, although the client accepts no packing; of ``packing.PACKINGS``."""
    delay_seconds: float | None = None
    """``None`` means the provider's usual delay."""
    parts: tuple[bytes, ...] = ()
    """The content in parts that are sent one by one, each after its share of the delay."""


def json_answer(payload: object, *, status: int = 200, **more: Any) -> Answer:
    """Return ``payload`` as JSON; ``more`` are fields of ``Answer``."""
    content = json.dumps(payload, ensure_ascii=False, separators=(",", ":")).encode()
    return Answer(status, content, **more)


def event_answer(events: Sequence[Mapping[str, Any]], **more: Any) -> Answer:
    """Return events as a stream (server-sent events); each is named by its ``type``."""
    parts = tuple(
        f"event: {one['type']}\ndata: {json.dumps(one, separators=(',', ':'))}\n\n".encode()
        for one in events
    )
    media_type = "text/event-stream; charset=utf-8"
    return Answer(200, b"".join(parts), media_type, parts=parts, **more)


def page_answer(status: int) -> Answer:
    """Return the HTML page that a proxy or a firewall may send instead of the provider."""
    page = b"<!DOCTYPE html><html><title>Just a moment...</title><h1>Checking</h1></html>"
    return Answer(status, page, "text/html; charset=utf-8")


def is_whole(value: object, low: int, high: int) -> bool:
    """Return whether a value of a JSON body is a whole number in a range."""
    return type(value) is int and low <= value <= high
