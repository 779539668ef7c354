"""Writes a stream of server-sent events as a page shows it."""

import json
from typing import Any, Final

from generators.docs.placeholders import stable

TEXT: Final = "text_delta"
OFFER: Final = "<what POST /estimate answers>"


def shown(stream: str) -> str:
    """Return a stream with placeholders, shortened for a page.

    Of successive pieces of text only the first is shown. Offers are replaced by a placeholder,
    because the page shows them as the answer of ``POST /estimate``.
    """
    events = [_event(one) for one in stream.strip().split("\n\n")]
    kept = [
        (name, data)
        for before, (name, data) in zip([("", {}), *events], events, strict=False)
        if not name == before[0] == TEXT
    ]
    return "\n".join(f"event: {name}\ndata: {_line(data)}\n" for name, data in kept)


def _event(text: str) -> tuple[str, Any]:
    first, _, second = text.partition("\n")
    return first.removeprefix("event: "), json.loads(second.removeprefix("data: "))


def _line(data: Any) -> str:
    return json.dumps(_without_offers(stable(data)), ensure_ascii=False)


def _without_offers(value: Any) -> Any:
    match value:
        case dict():
            return {
                key: OFFER if key == "estimate" else _without_offers(one)
                for key, one in value.items()
            }
        case list():
            return [_without_offers(one) for one in value]
        case _:
            return value
