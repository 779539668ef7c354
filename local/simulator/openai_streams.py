"""OpenAI's streams of images: preview frames, then the picture, as server-sent events."""

from secrets import token_hex
from typing import Any

from local.simulator.desk import Desk, Order
from local.simulator.openai_prices import usage_of
from local.simulator.spoil import base64_of, coarse
from local.simulator.wire import Answer, Body, event_answer

CREATED = 1_788_825_600
FRAME_EDGE = 32
"""The squares of the first frame, in pixels; in each further one they are half as large."""


def streamed(desk: Desk, kind: str) -> Answer:
    """Return the picture behind its preview frames; ``kind`` begins the names of the events."""
    order, frame = desk.order, frame_of(desk.order)
    picture = base64_of(desk.pictures[0], desk.spoil) if desk.pictures else None
    events: list[Body] = [
        {
            "type": f"{kind}.partial_image",
            "b64_json": base64_of(coarse(one, FRAME_EDGE >> index), desk.spoil),
            "partial_image_index": index,
            **frame,
        }
        for one in desk.pictures[:1]
        for index in range(order.partials)
    ]
    last: dict[str, Any] = {"type": f"{kind}.completed", "b64_json": picture, **frame}
    ending = desk.details.get("stream", "completes")
    if ending == "fails":
        events.append({"type": "error", "error": desk.details["error"]})
    elif ending == "completes" and picture:
        events.append({**last, "usage": usage_in_stream(desk)})
    return event_answer(events, headers={"x-request-id": f"req_{token_hex(16)}"})


def usage_in_stream(desk: Desk) -> Body:
    """Return the tokens; in a stream, those of the output are not told apart."""
    usage = usage_of(desk.order, input_lost=bool(desk.details.get("input_lost")))
    return {name: count for name, count in usage.items() if name != "output_tokens_details"}


def frame_of(order: Order) -> Body:
    """Return the fields that every event has."""
    return {
        "created_at": CREATED,
        "size": f"{order.width}x{order.height}",
        "quality": order.quality,
        "background": "transparent" if order.transparent else "opaque",
        "output_format": order.image_format,
    }
