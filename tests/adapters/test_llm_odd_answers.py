"""Odd spellings of endpoints' answers, replayed through the whole chat."""

# ruff: noqa: E501 a row of a table is one line

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.adapters.providers.loopback import Loopback, Reply, json_reply
from tests.adapters.test_llm_over_http import (
    FOX,
    asking,
    chat,
    delta,
    offered,
    offering,
    serve,
    server,
    sse,
    two_rounds,
)

__all__ = ["server"]
NAME = "generate_image"


def piece(at: int | None = 0, **call: Any) -> dict[str, Any]:
    place = {} if at is None else {"index": at}
    return delta(tool_calls=[{**place, "type": "function", **call}])


CALLS = {
    "an empty name in the second piece": [
        piece(id="a", function={"name": NAME, "arguments": FOX[:9]}),
        piece(id="", function={"name": "", "arguments": FOX[9:]}),
    ],
    "no name in the second piece": [
        piece(id="a", function={"name": NAME, "arguments": FOX[:9]}),
        piece(id=None, function={"name": None, "arguments": FOX[9:]}),
    ],
    "the name three times": [
        piece(id="a", function={"name": NAME, "arguments": part})
        for part in (FOX[:5], FOX[5:9], FOX[9:])
    ],
    "the name in two parts": [
        piece(id="a", function={"name": "generate_", "arguments": ""}),
        piece(function={"name": "image", "arguments": FOX}),
    ],
    "arguments as an object": [piece(id="a", function={"name": NAME, "arguments": {"prompt": "A red fox"}})],
    "arguments in the first piece alone": [piece(id="a", function={"name": NAME, "arguments": FOX}), piece(function={})],
    "no index": [piece(None, id="a", function={"name": NAME, "arguments": FOX})],
    "an index that is text": [delta(tool_calls=[{"index": "0", "id": "a", "function": {"name": NAME, "arguments": FOX}}])],
    "name and arguments without an object": [delta(tool_calls=[{"index": 0, "id": "a", "type": "function", "name": NAME, "arguments": FOX}])],
    "no object, in pieces": [
        delta(tool_calls=[{"index": 0, "id": "a", "name": NAME, "arguments": FOX[:9]}]),
        delta(tool_calls=[{"index": 0, "arguments": FOX[9:]}]),
    ],
    "no object, and arguments as one": [delta(tool_calls=[{"id": "a", "name": NAME, "arguments": {"prompt": "A red fox"}}])],
    "no id": [piece(function={"name": NAME, "arguments": FOX})],
    "an index that begins at one": [piece(1, id="a", function={"name": NAME, "arguments": FOX})],
}  # fmt: skip


@pytest.mark.parametrize("kind", CALLS)
@pytest.mark.parametrize("finish", ["tool_calls", "stop", "function_call", "eos"])
def test_a_call_in_any_pieces_is_one_offer(server: Loopback, kind: str, finish: str) -> None:
    serve(server, two_rounds(*CALLS[kind], delta(finish)))
    assert offered(chat(server)) == ["A red fox"]


@pytest.mark.parametrize("line", ["data: data: {}", "data:data:{}", "data: {}"])
@pytest.mark.parametrize("end", ["[DONE]", "[done]", "[Done]"])
def test_a_line_may_have_its_field_twice_and_the_end_any_case(
    server: Loopback, line: str, end: str
) -> None:
    def lines(body: dict[str, Any]) -> Reply:
        is_first = body["messages"][-1]["role"] != "tool"
        parts = CALLS["the name three times"] if is_first else [delta(content="Done.")]
        values = [*map(json.dumps, parts), end]
        text = "".join(line.replace("{}", one) + "\n\n" for one in values)
        return Reply(200, {"Content-Type": "text/event-stream"}, text.encode())

    serve(server, lines)
    assert offered(chat(server)) == ["A red fox"]


CONTENTS: dict[str, list[Any]] = {
    "a list of text": [[{"type": "text", "text": "Hello"}], [{"type": "text", "text": " there"}]],
    "a list, then text": [[{"type": "text", "text": "Hello"}], " there"],
    "a part of another name": [[{"type": "output_text", "text": "Hello there"}]],
    "reasoning beside it": [[{"type": "reasoning", "text": "Hm"}], [{"type": "text", "text": "Hello there"}]],
    "thinking as a list": [[{"type": "thinking", "thinking": [{"type": "text", "text": "Hm"}]}, {"type": "text", "text": "Hello there"}]],
    "a tag in pieces": ["<", "th", "ink", ">Hm</", "think", ">Hello there"],
    "a tag in capitals": ["<THINK>Hm</THINK>Hello there"],
    "thinking": ["<thinking>Hm</thinking>\nHello there"],
    "a thought": ["<thought>Hm</thought>Hello there"],
    "thinking twice": ["<think>Hm</think><think>Hm again</think>Hello there"],
}  # fmt: skip


@pytest.mark.parametrize("kind", CONTENTS)
def test_only_what_is_meant_for_the_person_is_shown(server: Loopback, kind: str) -> None:
    pieces = [delta(content=one) for one in CONTENTS[kind]]
    serve(server, lambda _: sse(*pieces, delta("stop")))
    complete = chat(server)
    assert complete.problem is None
    assert complete.content == "Hello there"


REFUSALS: dict[str, Callable[[str], Reply]] = {
    "a text": lambda name: Reply(400, {"Content-Type": "text/plain"}, f"'{name}' is not supported with this model.".encode()),
    "an error that is text": lambda name: json_reply(400, {"error": f"unknown field `{name}`, expected one of `model`, `messages`"}),
    "additional properties": lambda name: json_reply(400, {"message": f"Additional properties are not allowed ('{name}' was unexpected)"}),
    "a place": lambda name: json_reply(422, {"detail": [{"type": "extra_forbidden", "loc": ["body", name], "msg": "Extra inputs are not permitted"}]}),
    "a list of errors": lambda name: json_reply(400, {"errors": [{"message": f"Unrecognized request argument supplied: {name}"}]}),
    "a list": lambda name: json_reply(400, [{"error": {"code": 400, "message": f'Invalid JSON payload received. Unknown name "{name}": Cannot find field.', "status": "INVALID_ARGUMENT"}}]),
}  # fmt: skip


@pytest.mark.parametrize("kind", REFUSALS)
@pytest.mark.parametrize("name", ["stream_options", "max_tokens", "safety_identifier"])
def test_a_refused_parameter_is_left_out_in_whatever_words_it_is_refused(
    server: Loopback, kind: str, name: str
) -> None:
    refuse = REFUSALS[kind]
    serve(server, two_rounds(), lambda body: refuse(name) if name in body else None)
    assert offered(chat(server)) == ["A red fox"]


@pytest.mark.parametrize(
    "fields",
    [
        {"reasoning_content": ""},
        {"reasoning": "Hm", "reasoning_content": "Hm"},
        {"thought_signature": "s"},
        {"signature": {"v": 1}},
    ],
    ids=str,
)
def test_fields_that_come_with_the_end_go_back_too(
    server: Loopback, fields: dict[str, Any]
) -> None:
    serve(server, two_rounds(*offering()[:1], delta("tool_calls", **fields)))
    assert offered(chat(server)) == ["A red fox"]
    (message,) = asking(server.asked[1].json())
    assert {name: message.get(name) for name in fields if fields[name]} == {
        name: value for name, value in fields.items() if value
    }


@pytest.mark.parametrize("finish", ["length", "max_tokens", "MAX_TOKENS"])
@pytest.mark.parametrize("first", [{"reasoning": "Hm"}, {"content": None}, {"content": "<think>"}])
def test_thinking_that_fills_the_room_is_said(
    server: Loopback, finish: str, first: dict[str, Any]
) -> None:
    serve(server, lambda _: sse(delta(**first), delta(finish)))
    complete = chat(server)
    assert complete.problem is None
    assert complete.content.startswith("I ran out of room")
