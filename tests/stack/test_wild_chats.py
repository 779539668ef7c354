"""Streams and refusals of LLM endpoints that nobody planned for, word for word, over the URLs.

Each kind with a few variants: what an endpoint needs back, what it refuses, and how it streams.
"""

import json
from typing import Any, cast

import pytest

from tests.stack.driver import Driver, Person
from tests.stack.test_chat import complete

HEAD = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m"}
STREAM = {"Content-Type": "text/event-stream"}
USAGE = {"prompt_tokens": 500, "completion_tokens": 60, "total_tokens": 560}
ARGUMENTS = '{"prompt":"A red fox"}'
IS_FIRST, IS_SECOND = {"lacks": '"role":"tool"'}, {"has": '"role":"tool"'}


def piece(finish: str | None = None, **delta: Any) -> dict[str, Any]:
    return {**HEAD, "choices": [{"index": 0, "delta": delta, "finish_reason": finish}]}


def stream(*pieces: dict[str, Any], **when: str) -> dict[str, Any]:
    """Return an answer of the script: a whole stream of these pieces."""
    text = "".join(f"data: {json.dumps(one)}\n\n" for one in pieces)
    return {"headers": STREAM, "text": text + "data: [DONE]\n\n", **when}


def call(arguments: str = ARGUMENTS, **more: Any) -> dict[str, Any]:
    function = {"name": "generate_image", "arguments": arguments}
    return {"index": 0, "id": "call_1", "type": "function", "function": function, **more}


def ended(words: str = "Here is the price.") -> dict[str, Any]:
    return stream(piece("stop", content=words))


def refused(status: int, body: Any, **when: str) -> dict[str, Any]:
    return {"status": status, "json": body, **when}


def heard(stack: Driver, *answers: dict[str, Any], packing: str | None = None) -> Any:
    """Return the message that a person gets of an LLM with these answers."""
    stack.provider("llm", answers=list(answers), packing=packing)
    return complete(stack.person().chat("Draw a red fox"))


def is_offered(message: Any) -> None:
    assert message["stopReason"] == "end", message
    (image,) = message["imageGenerations"]
    assert image["estimate"]["buttonLabel"].startswith("Generate Image for $")


def as_sent(value: Any) -> str:
    """Return a value as it stands in the body of a request."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


# What an endpoint sent comes back to it untouched.

SIGNED = {"extra_content": {"google": {"thought_signature": "EjQKMg=="}}}
STATE: dict[str, tuple[list[dict[str, Any]], str]] = {
    "a signature of the call": ([piece(tool_calls=[call() | SIGNED])], as_sent(SIGNED)[1:-1]),
    "a signature of the function": (
        [piece(tool_calls=[{**call(), "provider_specific_fields": {"sig": "a+b/="}}])],
        as_sent({"sig": "a+b/="}),
    ),
    "thoughts in pieces": (
        [
            piece(reasoning_content="Let me "),
            piece(reasoning_content="think"),
            piece(tool_calls=[call()]),
        ],
        as_sent({"reasoning_content": "Let me think"})[1:-1],
    ),
    "signed blocks of thoughts": (
        [
            piece(reasoning_details=[{"type": "reasoning.encrypted", "data": "x9"}]),
            piece(tool_calls=[call()]),
        ],
        as_sent({"type": "reasoning.encrypted", "data": "x9"}),
    ),
    "thoughts of another name": (
        [piece(reasoning="Hm, "), piece(reasoning="a fox"), piece(tool_calls=[call()])],
        as_sent({"reasoning": "Hm, a fox"})[1:-1],
    ),
}


@pytest.mark.parametrize("kind", STATE)
def test_what_an_endpoint_sent_comes_back_to_it(stack: Driver, kind: str) -> None:
    pieces, needed = STATE[kind]
    lost = refused(400, {"error": {"message": "state is missing"}}, lacks=needed)
    first = stream(*pieces, piece("tool_calls"), **IS_FIRST)
    is_offered(heard(stack, first, lost, ended()))


# A field that an endpoint refuses is left out, or sent under its other name.


def unsupported(name: str) -> dict[str, Any]:
    error = {"message": f"Unsupported parameter: '{name}'.", "param": name}
    return {"error": {**error, "code": "unsupported_parameter", "type": "invalid_request_error"}}


def extra(name: str) -> dict[str, Any]:
    location = {"type": "extra_forbidden", "loc": ["body", name], "msg": "Extra inputs"}
    return {"object": "error", "detail": [location]}


REFUSED: dict[str, tuple[int, Any, str]] = {
    "max_tokens by its name": (400, unsupported("max_tokens"), '"max_tokens"'),
    "max_tokens in words": (
        400,
        {"error": {"message": "Use 'max_completion_tokens' instead of 'max_tokens'."}},
        '"max_tokens"',
    ),
    "stream_options by place": (422, extra("stream_options"), '"stream_options"'),
    "stream_options in words": (
        400,
        {"message": "property 'stream_options' is unsupported"},
        '"stream_options"',
    ),
    "strict in words": (400, {"error": {"message": "Unknown field: strict"}}, '"strict"'),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_what_an_endpoint_refuses_is_learned_once(stack: Driver, kind: str) -> None:
    stack.restart()
    status, body, field = REFUSED[kind]
    no = refused(status, body, has=field)
    assert heard(stack, no, ended("Hi"))["content"] == "Hi"
    calls = [_calls_of_chat(stack) for _ in range(5)]
    # Another instance, if one answers, learns it once, too.
    assert calls.count(1) >= 3
    assert max(calls) <= 2


def _calls_of_chat(stack: Driver) -> int:
    """Chat once more, and return how many calls the endpoint got for it."""
    before = stack.counts("llm")["calls"]
    assert complete(stack.person().chat("And now?"))["content"] == "Hi"
    return cast(int, stack.counts("llm")["calls"] - before)


# A call is put together, however it is cut.

CUT: dict[str, list[dict[str, Any]]] = {
    "the name in each piece": [call('{"prompt":'), call('"A red fox"}')],
    "an index that is always 0, by ids": [call(), call(id="call_2")][:1],
    "no index": [{key: value for key, value in call().items() if key != "index"}],
    "empty names later": [
        call('{"prompt":'),
        {"index": 0, "id": "", "function": {"name": "", "arguments": '"A red fox"}'}},
    ],
    "nulls later": [
        call(""),
        {"index": 0, "id": None, "type": None, "function": {"name": None, "arguments": ARGUMENTS}},
    ],
    "another spelling of the name": [
        {**call(), "function": {"name": "Generate-Image:0", "arguments": ARGUMENTS}}
    ],
    "a fence and control words": [call(f"```json\n{ARGUMENTS}\n```<|im_end|>")],
    "words for nothing": [call('{"prompt":"A red fox","quality":"auto","size":"","style":"None"}')],
    "arguments as an object": [
        {**call(), "function": {"name": "generate_image", "arguments": json.loads(ARGUMENTS)}}
    ],
}


@pytest.mark.parametrize("kind", CUT)
def test_a_call_in_any_pieces_is_one_offer(stack: Driver, kind: str) -> None:
    pieces = [piece(tool_calls=[one]) for one in CUT[kind]]
    is_offered(heard(stack, stream(*pieces, piece("tool_calls"), **IS_FIRST), ended()))


# How a stream ends.


@pytest.mark.parametrize("finish", [None, "", "stop", "function_call"])
def test_done_says_that_a_call_is_whole(stack: Driver, finish: str | None) -> None:
    pieces = [piece(tool_calls=[call()]), *([piece(finish)] if finish is not None else [])]
    is_offered(heard(stack, stream(*pieces, **IS_FIRST), ended()))


def test_a_whole_text_needs_no_reason_to_end(stack: Driver) -> None:
    assert heard(stack, stream(piece(content="Hello")))["content"] == "Hello"


@pytest.mark.parametrize("words", ["", "\n"])
def test_an_answer_without_room_says_so(stack: Driver, words: str) -> None:
    used = {**HEAD, "choices": [], "usage": {**USAGE, "completion_tokens": 4_096}}
    message = heard(stack, stream(piece("length", content=words), used))
    assert "room" in message["content"]


# What is shown of an answer.

THOUGHT = [{"type": "thinking", "thinking": [{"type": "text", "text": "Hmm"}]}]
SHOWN: dict[str, list[dict[str, Any]]] = {
    "a list of parts": [
        piece(content=THOUGHT),
        piece(content=[{"type": "text", "text": "Hello there"}]),
    ],
    "one part as an object": [piece(content=[{"type": "output_text", "text": "Hello there"}])],
    "thoughts in tags": [
        piece(content="<think>\nThe user"),
        piece(content=" hi</think>\n\nHello there"),
    ],
    "tags that are cut": [
        piece(content="<thi"),
        piece(content="nk>Hm</th"),
        piece(content="ink>Hello"),
        piece(content=" there"),
    ],
    "thoughts in their own field": [piece(reasoning_content="Hm"), piece(content="Hello there")],
}


@pytest.mark.parametrize("kind", SHOWN)
def test_words_are_shown_and_thoughts_are_not(stack: Driver, kind: str) -> None:
    assert heard(stack, stream(*SHOWN[kind], piece("stop")))["content"].strip() == "Hello there"


@pytest.mark.parametrize("packing", ["gzip", "deflate", "gzip-unlabelled"])
def test_a_packed_stream_is_read(stack: Driver, packing: str) -> None:
    assert heard(stack, ended("Hello"), packing=packing)["content"] == "Hello"


def test_a_person_reads_the_price_of_what_was_called(stack: Driver) -> None:
    person: Person = stack.person()
    stack.provider("llm", answers=[stream(piece(tool_calls=[call()]), **IS_FIRST), ended()])
    (image,) = complete(person.chat("Draw a red fox"))["imageGenerations"]
    made = person.confirm(image["estimate"])
    assert (made.status, made.json["cost"]["charged"]) == (200, person.usage()["spent"])
