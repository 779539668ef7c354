"""Reads an image that comes as a stream of events, with preview frames before it.

https://developers.openai.com/api/docs/guides/image-generation#streaming. Only the event that is
last by its type has the image: a preview frame is never returned as one.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress

from imagegen.domain.inputs import PreviewFrame
from imagegen.domain.ports import Json
from imagegen.providers.faults import dig, text_at
from imagegen.providers.pictures import decoded_image

type OnPreview = Callable[[PreviewFrame], None]

# The status with which the API answers the same error outside of a stream; by code or type.
STATUSES = {
    "server_error": 500,
    "rate_limit_exceeded": 429,
    "invalid_request_error": 400,
    "image_generation_user_error": 400,
}


def is_event_stream(headers: Mapping[str, str]) -> bool:
    """Return whether an answer is a stream; an API may ignore that one was requested."""
    return headers.get("content-type", "").lower().startswith("text/event-stream")


def read_image(lines: Iterable[str], on_preview: OnPreview | None) -> tuple[int, Json] | None:
    """Return status and body of the answer that the stream has instead of one, ``None`` if it ends.

    The body has the format of an answer without a stream: with ``data`` and ``usage``, or with
    ``error``. Reading ends with it. Each frame is handed to ``on_preview``. What fails there does
    not fail the image, which is paid for.

    Raises:
        ValueError: an event is not JSON.
    """
    for text in _events(lines):
        event: Json = json.loads(text)
        kind = text_at(event, "type")
        if kind == "error" or dig(event, "error"):
            return _error_in(event)
        if kind.endswith(".completed"):
            image = {"b64_json": dig(event, "b64_json")}
            return 200, {"data": [image], "usage": dig(event, "usage")}
        if kind.endswith(".partial_image") and on_preview is not None:
            _hand_over(event, on_preview)
    return None


def _error_in(event: Json) -> tuple[int, Json]:
    error = dig(event, "error") or event
    words = (text_at(error, "code"), text_at(error, "type"))
    return next((STATUSES[word] for word in words if word in STATUSES), 200), {"error": error}


def _hand_over(event: Json, on_preview: OnPreview) -> None:
    content, index = decoded_image(text_at(event, "b64_json")), dig(event, "partial_image_index")
    if content and type(index) is int:
        with suppress(Exception):
            on_preview(PreviewFrame(index, content))


def _events(lines: Iterable[str]) -> Iterator[str]:
    """Yield the data of each event (https://html.spec.whatwg.org/multipage/server-sent-events.html).

    The last event counts without the empty line behind it, too: it may have the image.
    """
    data: list[str] = []
    for line in lines:
        if line.startswith("data:"):
            data.append(line.removeprefix("data:").removeprefix(" "))
        elif not line and data:
            yield from _whole(data)
            data = []
    yield from _whole(data)


def _whole(data: list[str]) -> Iterator[str]:
    text = "\n".join(data)
    if text and text != "[DONE]":
        yield text
