"""Preview frames: handed over as they come, never returned as the image, never a reason to fail."""

import base64
import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from imagegen.domain.call_errors import ProviderError
from imagegen.domain.criteria import ordered
from imagegen.domain.inputs import PreviewFrame
from imagegen.domain.outcomes import Outcome
from imagegen.domain.ports import ImageAnswer, ImageOrder
from imagegen.domain.wishes import Wishes
from tests.adapters.providers.adapters import build_adapter
from tests.adapters.providers.edits import EDIT, fields_of, order_with
from tests.adapters.providers.loopback import PNG, Loopback, Reply, ToolUse, Wire, json_reply
from tests.contracts.vendors import check_image_request
from tests.fakes.catalogs import real_catalog
from tests.fakes.pictures import picture, png

FRAMES = [png((64, 64)), png((128, 64))]
FRAME = {
    "created_at": 1,
    "size": "1024x1024",
    "quality": "low",
    "background": "opaque",
    "output_format": "png",
}
USAGE = {
    "input_tokens": 9,
    "input_tokens_details": {"text_tokens": 9, "image_tokens": 0},
    "output_tokens": 396,
    "total_tokens": 405,
}


def text(content: bytes) -> str:
    return base64.b64encode(content).decode()


def partial(index: int, kind: str = "image_generation") -> dict[str, Any]:
    event = {"type": f"{kind}.partial_image", "b64_json": text(FRAMES[index])}
    return {**event, "partial_image_index": index, **FRAME}


def completed(kind: str = "image_generation", **changes: Any) -> dict[str, Any]:
    event = {"type": f"{kind}.completed", "b64_json": text(PNG), "usage": USAGE, **FRAME}
    return event | changes


def stream(*events: Mapping[str, Any], end: str = "\n\n") -> bytes:
    """Return the body of a stream; ``end`` closes each event."""
    return "".join(f"event: {one['type']}\ndata: {json.dumps(one)}{end}" for one in events).encode()


def reply(body: bytes) -> Reply:
    return Reply(200, {"Content-Type": "text/event-stream; charset=utf-8"}, body)


def order(seen: list[PreviewFrame], *, partials: int = 2, **changes: Any) -> ImageOrder:
    row = real_catalog().by_key["openai-fast"]
    option = ordered(row, row.sizes[0], Wishes(partials=partials))
    return replace(order_with(row, option, ()), on_preview=seen.append, **changes)


def drawn(server: Loopback, body: bytes, seen: list[PreviewFrame], **changes: Any) -> ImageAnswer:
    server.replies(reply(body))
    adapter = build_adapter("openai", server)
    return adapter.generate(order(seen, **changes), timeout_seconds=20)


def failure(server: Loopback, body: bytes, seen: list[PreviewFrame]) -> ProviderError:
    with pytest.raises(ProviderError) as caught:
        drawn(server, body, seen)
    return caught.value


@pytest.mark.parametrize("count", [0, 1, 2])
def test_frames_are_handed_over_and_the_image_is_the_last_event(
    server: Loopback, count: int
) -> None:
    """Fewer frames than requested may come."""
    seen: list[PreviewFrame] = []
    answer = drawn(server, stream(*map(partial, range(count)), completed()), seen)
    assert answer.content == PNG
    assert answer.usage == {"input_tokens": 9, "output_tokens": 396, "total_tokens": 405}
    assert seen == [PreviewFrame(index, FRAMES[index]) for index in range(count)]


def test_what_is_requested_is_what_was_priced(server: Loopback) -> None:
    drawn(server, stream(completed()), [])
    body = server.asked[0].json()
    assert (body["stream"], body["partial_images"], body["n"]) == (True, 2, 1)
    check_image_request("openai", "gpt-image-2.5-flare", body)


def test_an_edit_streams_too(server: Loopback) -> None:
    seen: list[PreviewFrame] = []
    details = {"text_tokens": 9, "image_tokens": 1024}
    usage = USAGE | {"input_tokens": 1033, "input_tokens_details": details}
    body = stream(partial(0, "image_edit"), completed("image_edit", usage=usage))
    answer = drawn(server, body, seen, inputs=(EDIT,))
    assert answer.usage is not None
    assert answer.usage["input_image_tokens"] == 1024
    assert len(seen) == 1
    assert fields_of(server.asked[0])["stream"] is True


def test_an_edit_in_a_stream_that_did_not_get_its_picture_is_no_image(server: Loopback) -> None:
    server.replies(reply(stream(completed("image_edit"))))
    adapter, one = build_adapter("openai", server), order([], inputs=(EDIT,))
    with pytest.raises(ProviderError) as caught:
        adapter.generate(one, timeout_seconds=20)
    assert caught.value.outcome is Outcome.NO_IMAGE


def test_frames_come_before_the_image_is_there(server: Loopback) -> None:
    seen: list[PreviewFrame] = []
    seen_at_the_end: list[int] = []

    def script(_asked: ToolUse, wire: Wire) -> None:
        head = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n"
        wire.send(head + stream(partial(0)))
        while not seen:  # the frame is handed over while the stream is open
            wire.is_over.wait(0.005)
        seen_at_the_end.append(len(seen))
        wire.send(stream(completed()))

    server.script = script
    adapter = build_adapter("openai", server)
    assert adapter.generate(order(seen), timeout_seconds=20).content == PNG
    assert seen_at_the_end == [1]


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(stream(partial(0)), id="ends after a frame"),
        pytest.param(stream(), id="empty"),
        pytest.param(stream(partial(0), completed())[:-200], id="cut inside the image"),
        pytest.param(stream(partial(0)) + b"data: [DONE]\n\n", id="done without an image"),
        pytest.param(stream({"type": "something.new"}), id="an unknown event"),
        pytest.param(stream(partial(0)) + b"data: no json\n\n", id="no JSON"),
    ],
)
def test_a_stream_without_its_image_is_an_unknown_outcome(server: Loopback, body: bytes) -> None:
    seen: list[PreviewFrame] = []
    assert failure(server, body, seen).outcome is Outcome.UNKNOWN
    assert len(seen) <= 1


def test_a_connection_that_breaks_after_a_frame_is_an_unknown_outcome(server: Loopback) -> None:
    def script(_asked: ToolUse, wire: Wire) -> None:
        head = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Length: 999999\r\n"
        wire.send(head + b"\r\n" + stream(partial(0)))
        wire.reset()

    server.script = script
    with pytest.raises(ProviderError) as caught:
        build_adapter("openai", server).generate(order([]), timeout_seconds=20)
    assert caught.value.outcome is Outcome.UNKNOWN


def test_a_stream_that_falls_silent_ends_at_the_deadline(server: Loopback) -> None:
    def script(_asked: ToolUse, wire: Wire) -> None:
        head = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n"
        wire.send(head + stream(partial(0)))
        wire.hold()

    server.script = script
    with pytest.raises(ProviderError) as caught:
        build_adapter("openai", server).generate(order([]), timeout_seconds=0.6)
    assert caught.value.outcome is Outcome.UNKNOWN


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        (
            {"code": "moderation_blocked", "type": "image_generation_user_error"},
            Outcome.REFUSED,
        ),
        ({"code": "server_error", "type": "server_error"}, Outcome.UNAVAILABLE),
        ({"code": "rate_limit_exceeded", "type": "requests"}, Outcome.RATE_LIMITED),
        ({"code": "insufficient_quota", "type": "insufficient_quota"}, Outcome.ACCOUNT),
        ({"code": "invalid_value", "type": "invalid_request_error"}, Outcome.BAD_PARAMETER),
        ({"code": "of a new kind", "type": "of a new kind"}, Outcome.NO_IMAGE),
    ],
)
def test_an_error_event_is_classified(
    server: Loopback, error: dict[str, Any], outcome: Outcome
) -> None:
    event = {"type": "error", "error": {**error, "message": "CANARY-VENDOR-TEXT", "param": None}}
    caught = failure(server, stream(partial(0), event), [])
    assert caught.outcome is outcome
    assert "CANARY" not in str(caught)


def test_an_error_event_may_have_its_fields_itself(server: Loopback) -> None:
    event = {"type": "error", "code": "moderation_blocked", "message": "x", "param": None}
    assert failure(server, stream(partial(0), event), []).outcome is Outcome.REFUSED


def test_an_error_before_the_stream_is_classified(server: Loopback) -> None:
    error = {"code": "moderation_blocked", "type": "x", "message": "y", "param": None}
    server.replies(json_reply(400, {"error": error}))
    with pytest.raises(ProviderError) as caught:
        build_adapter("openai", server).generate(order([]), timeout_seconds=20)
    assert caught.value.outcome is Outcome.REFUSED


def test_an_address_that_ignores_the_stream_still_sells_its_image(server: Loopback) -> None:
    seen: list[PreviewFrame] = []
    server.replies(json_reply(200, {"created": 1, "data": [{"b64_json": text(PNG)}]}))
    answer = build_adapter("openai", server).generate(order(seen), timeout_seconds=20)
    assert (answer.content, seen) == (PNG, [])


def test_a_frame_that_cannot_be_kept_does_not_cost_the_image(server: Loopback) -> None:
    def fail(_frame: PreviewFrame) -> None:
        raise RuntimeError("the store is away")

    server.replies(reply(stream(partial(0), partial(1), completed())))
    one = replace(order([]), on_preview=fail)
    assert build_adapter("openai", server).generate(one, timeout_seconds=20).content == PNG


def test_frames_that_nobody_wants_are_dropped(server: Loopback) -> None:
    server.replies(reply(stream(partial(0), completed())))
    one = replace(order([]), on_preview=None)
    assert build_adapter("openai", server).generate(one, timeout_seconds=20).content == PNG


@pytest.mark.parametrize(
    "change",
    [{"b64_json": "no image"}, {"b64_json": None}, {"partial_image_index": "0"}],
)
def test_a_broken_frame_is_no_frame(server: Loopback, change: dict[str, Any]) -> None:
    seen: list[PreviewFrame] = []
    assert drawn(server, stream(partial(0) | change, completed()), seen).content == PNG
    assert seen == []


@pytest.mark.parametrize("image", ["no image", None, ""])
def test_a_frame_never_takes_the_place_of_a_broken_image(
    server: Loopback, image: str | None
) -> None:
    seen: list[PreviewFrame] = []
    caught = failure(server, stream(partial(0), completed(b64_json=image)), seen)
    assert caught.outcome in {Outcome.UNAVAILABLE, Outcome.NO_IMAGE, Outcome.REFUSED}
    assert len(seen) == 1


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(stream(partial(0), completed()).replace(b"\n", b"\r\n"), id="CRLF"),
        pytest.param(stream(partial(0), completed()).rstrip(b"\n"), id="no line at the end"),
        pytest.param(b": hello\n\n" + stream(partial(0), completed()), id="a comment"),
        pytest.param(stream(partial(0), completed()).replace(b"data: ", b"data:"), id="no space"),
    ],
)
def test_other_spellings_of_a_stream_are_read(server: Loopback, body: bytes) -> None:
    seen: list[PreviewFrame] = []
    assert drawn(server, body, seen).content == PNG
    assert len(seen) == 1


def test_a_stream_has_room_for_its_frames(server: Loopback) -> None:
    """The limit of an answer is one of one image; a stream has several."""
    large = picture("PNG", size=(700, 700), compress_level=0)
    event = {**partial(0), "b64_json": text(large)}
    server.replies(reply(stream(event, {**event, "partial_image_index": 1}, completed())))
    provider: Any = build_adapter("openai", server)
    seen: list[PreviewFrame] = []
    limited = replace(provider, http=replace(provider.http, max_bytes=len(text(large)) + 2000))
    assert limited.generate(order(seen), timeout_seconds=20).content == PNG
    assert [len(one.content) for one in seen] == [len(large)] * 2
