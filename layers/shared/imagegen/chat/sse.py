"""A chat's events as server-sent events (https://html.spec.whatwg.org/#server-sent-events)."""

from collections.abc import Iterable, Iterator

from imagegen.wire.messages import ChatEvent, MessageComplete, MessageStart, TextDelta, ToolCall

EVENT_NAMES: dict[type, str] = {
    MessageStart: "message_start",
    TextDelta: "text_delta",
    ToolCall: "tool_call",
    MessageComplete: "message_complete",
}


def to_sse_pieces(events: Iterable[ChatEvent]) -> Iterator[str]:
    """Yield the text of each event; its JSON is a single line, so nothing is escaped."""
    for event in events:
        yield f"event: {EVENT_NAMES[type(event)]}\ndata: {event.model_dump_json(by_alias=True)}\n\n"


def to_sse(events: Iterable[ChatEvent]) -> str:
    """Return all events as one stream."""
    return "".join(to_sse_pieces(events))
