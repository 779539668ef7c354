"""An LLM's stream in every published form: calls, thinking, control lines, ends and counts."""

# ruff: noqa: E501 a row of a table is one line

import json
import time
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imagegen.domain.call_errors import LlmError
from imagegen.domain.outcomes import Outcome
from imagegen.domain.ports import AnswerEnd, Json, TextPart, TokenCount, ToolUse
from imagegen.llm.answer_filter import CONTROL_WORDS, AnswerFilter, EndFilter
from imagegen.llm.call_filter import CallFilter
from imagegen.llm.event_stream import BrokenStreamError, EventStream
from imagegen.llm.stream_reader import Reader
from imagegen.llm.thinking import LONGEST, TAGS, WRAPPERS, ThinkingFilter
from imagegen.llm.unknown_fields import merged_fields

FOX, HARE = '{"prompt": "a fox"}', '{"prompt": "a hare"}'
NAME = "generate_image"


def delta(finish: str | None = None, **fields: Any) -> dict[str, Any]:
    return {"choices": [{"index": 0, "delta": fields, "finish_reason": finish}]}


def call(arguments: Any = None, name: str | None = None, **fields: Any) -> dict[str, Any]:
    function: dict[str, Any] = {} if arguments is None else {"arguments": arguments}
    return {**fields, "function": {**function, **({"name": name} if name else {})}}


def read(*bodies: Any, done: bool = True) -> list[Any]:
    reader = Reader()
    parts: list[Any] = [part for body in bodies for part in reader.read(body)]
    reader.is_done = done
    return [*parts, *reader.end()]


def uses(*calls: dict[str, Any]) -> list[ToolUse]:
    parts = read(*(delta(tool_calls=[one]) for one in calls), delta("tool_calls"))
    return [one for one in parts if isinstance(one, ToolUse)]


def words(*deltas: dict[str, Any]) -> str:
    return "".join(one.text for one in read(*deltas) if isinstance(one, TextPart))


def end_of(*bodies: Any) -> AnswerEnd:
    return next((one for one in read(*bodies) if isinstance(one, AnswerEnd)), AnswerEnd())


HALVES = (FOX[:9], FOX[9:])
ONE_CALL: dict[str, list[dict[str, Any]]] = {
    "as documented": [call("", NAME, index=0, id="a"), *(call(x, index=0) for x in HALVES)],
    "name in each": [call(x, NAME, index=0, id="a") for x in HALVES],
    "name in each, id first": [call(HALVES[0], NAME, index=0, id="a"), call(HALVES[1], NAME, index=0)],
    "name grows": [call("", "generate_", index=0, id="a"), call(FOX, NAME, index=0)],
    "name in pieces": [call("", "generate_", index=0, id="a"), call("", "image", index=0), call(FOX, index=0)],
    "no index": [call("", NAME, id="a"), call(FOX, id="a")],
    "no index, id first": [call("", NAME, id="a"), *(call(x) for x in HALVES)],
    "no id": [call("", NAME, index=0), *(call(x, index=0) for x in HALVES)],
    "neither": [call("", NAME), *(call(x) for x in HALVES)],
    "neither, name in each": [call(x, NAME) for x in HALVES],
    "id later": [call("", NAME, index=0), call(HALVES[0], index=0, id="a"), call(HALVES[1], index=0)],
    "empty id later": [call("", NAME, index=0, id="a"), call(FOX, index=0, id="")],
    "null id later": [call("", NAME, index=0, id="a"), call(FOX, index=0, id=None)],
    "index only later": [call("", NAME, id="a"), call(FOX, index=0)],
    "index as text": [call("", NAME, index="0", id="a"), call(FOX, index="0")],
    "index null": [call("", NAME, index=None, id="a"), call(FOX, index=None)],
    "index counts pieces": [call("", NAME, index=0, id="a"), call(FOX, index=1, id="a")],
    "id is a number": [call("", NAME, index=0, id=7), call(FOX, index=0, id=7)],
    "another id in each": [call(HALVES[0], NAME, index=0, id="a"), call(HALVES[1], index=0, id="b")],
    "another id in each, name first": [call("", NAME, index=0, id="a"), *(call(x, index=0, id=x[:3]) for x in HALVES)],
    "another id in each, no index": [call(HALVES[0], NAME, id="a"), call(HALVES[1], id="b")],
    "another id in each of many": [call(one, NAME if at == 0 else None, index=0, id=f"a{at}") for at, one in enumerate(FOX)],
    "spaces around the name": [call(FOX, f" {NAME}\n", index=0, id="a")],
    "a namespace": [call(FOX, f"functions.{NAME}", index=0, id="a")],
    "another namespace": [call(FOX, f"default_api:{NAME}", index=0, id="a")],
    "control words": [call(FOX, f"{NAME}<|channel|>commentary", index=0, id="a")],
    "the name twice": [call(FOX, NAME * 2, index=0, id="a")],
    "the name three times": [call(FOX, NAME * 3, index=0, id="a")],
    "whole": [call(FOX, NAME, index=0, id="a")],
    "whole and nothing else": [call(FOX, NAME)],
    "an object": [call({"prompt": "a fox"}, NAME, index=0, id="a")],
    "an object in each": [call({"prompt": "a fox"}, NAME, index=0, id="a")] * 2,
    "whole twice": [call(FOX, NAME, index=0, id="a")] * 2,
    "whole twice without id": [call(FOX, NAME, index=0)] * 2,
    "pieces, then whole": [*(call(x, NAME, index=0, id="a") for x in HALVES), call(FOX, NAME, index=0, id="a")],
    "an empty object before": [call("{}", NAME, index=0, id="a"), *(call(x, index=0) for x in HALVES)],
    "grows": [call(FOX[:n], NAME, index=0, id="a") for n in (3, 9, len(FOX))],
    "empty at the end": [call(FOX, NAME, index=0, id="a"), call("", NAME, index=0)],
    "null arguments first": [call(None, NAME, index=0, id="a"), call(FOX, index=0)],
}  # fmt: skip


@pytest.mark.parametrize("form", ONE_CALL)
def test_one_call_is_one_call_in_every_form(form: str) -> None:
    (use,) = uses(*ONE_CALL[form])
    assert (use.name, json.loads(use.arguments)) == (NAME, {"prompt": "a fox"})
    assert use.id


TWO_CALLS: dict[str, list[dict[str, Any]]] = {
    "interleaved by index": [
        call("", NAME, index=0, id="a"), call("", NAME, index=1, id="b"),
        call(FOX[:9], index=0), call(HARE[:9], index=1), call(FOX[9:], index=0), call(HARE[9:], index=1),
    ],
    "interleaved by id": [
        call("", NAME, id="a"), call("", NAME, id="b"),
        call(FOX[:9], id="a"), call(HARE[:9], id="b"), call(FOX[9:], id="a"), call(HARE[9:], id="b"),
    ],
    "interleaved by id, all index 0": [
        call("", NAME, index=0, id="a"), call("", NAME, index=0, id="b"), call(FOX[:9], index=0, id="a"),
        call(HARE[:9], index=0, id="b"), call(FOX[9:], index=0, id="a"), call(HARE[9:], index=0, id="b"),
    ],
    "interleaved by index without ids": [
        call("", NAME, index=0), call("", NAME, index=1), call(FOX, index=0), call(HARE, index=1),
    ],
    "all index 0, whole": [call(FOX, NAME, index=0, id="a"), call(HARE, NAME, index=0, id="b")],
    "all index 0, ids first": [
        call("", NAME, index=0, id="a"), call(FOX, index=0), call("", NAME, index=0, id="b"), call(HARE, index=0),
    ],
    "all index 0, no ids": [call(FOX, NAME, index=0), call(HARE, NAME, index=0)],
    "no index, no ids": [call(FOX, NAME), call(HARE, NAME)],
    "no index, no ids, in pieces": [
        call("", NAME), call(FOX[:9]), call(FOX[9:]), call("", NAME), call(HARE[:9]), call(HARE[9:]),
    ],
    "no index, whole with ids": [call(FOX, NAME, id="a"), call(HARE, NAME, id="b")],
    "one id for both": [call(FOX, NAME, index=0, id="a"), call(HARE, NAME, index=1, id="a")],
    "one id for both, no index": [call(FOX, NAME, id="a"), call(HARE, NAME, id="a")],
    "names in each": [
        call("", NAME, index=0, id="a"), call(FOX, NAME, index=0, id="a"),
        call("", NAME, index=1, id="b"), call(HARE, NAME, index=1, id="b"),
    ],
    "objects": [call({"prompt": "a fox"}, NAME), call({"prompt": "a hare"}, NAME)],
}  # fmt: skip


@pytest.mark.parametrize("form", TWO_CALLS)
def test_two_calls_are_two_calls_in_every_form(form: str) -> None:
    found = uses(*TWO_CALLS[form])
    assert [use.name for use in found] == [NAME, NAME]
    assert [json.loads(use.arguments)["prompt"] for use in found] == ["a fox", "a hare"]
    assert len({use.id for use in found}) == 2


def test_a_call_without_arguments_has_an_empty_object() -> None:
    forms: list[Any] = [None, "", "  ", {}]
    for arguments in forms:
        assert [one.arguments for one in uses(call(arguments, NAME, index=0, id="a"))] == ["{}"]


def test_ids_of_ours_do_not_repeat_those_of_earlier_calls() -> None:
    reader = Reader(frozenset({"call_0"}))
    list(reader.read(delta("tool_calls", tool_calls=[call(FOX, NAME)])))
    (use,) = reader.end()
    assert isinstance(use, ToolUse)
    assert use.id == "call_1"


@pytest.mark.parametrize(
    "piece",
    [{}, None, {"index": 0}, {"index": 0, "function": {}}, {"index": 0, "function": None}, 7],
)
def test_an_empty_piece_is_no_call(piece: Any) -> None:
    assert uses(piece) == []
    assert len(uses(piece, call(FOX, NAME, index=0, id="a"))) == 1


def test_a_call_in_the_old_form_is_a_call() -> None:
    function = {"name": NAME, "arguments": FOX}
    parts = read(delta(function_call=function), delta("function_call"))
    assert [one.name for one in parts if isinstance(one, ToolUse)] == [NAME]


# What must go back.

SIGNATURE = {"google": {"thought_signature": "EjQKMg=="}}


@pytest.mark.parametrize("place", range(3))
@pytest.mark.parametrize("times", [1, 2])
def test_fields_of_a_call_go_back_whichever_piece_has_them(place: int, times: int) -> None:
    pieces = [call("", NAME, index=0, id="a"), call(FOX[:9], index=0), call(FOX[9:], index=0)]
    for one in pieces[place : place + times]:
        one["extra_content"] = SIGNATURE
    (use,) = uses(*pieces)
    assert use.extras == {"extra_content": SIGNATURE}


def test_fields_of_a_calls_function_go_back() -> None:
    piece = call(FOX, NAME, index=0, id="a")
    piece["function"]["thought"] = "s"
    assert uses(piece)[0].extras == {"function": {"thought": "s"}}


@pytest.mark.parametrize(
    ("deltas", "extras"),
    [
        ([{"reasoning_content": "Hm"}, {"reasoning_content": ", a fox"}], {"reasoning_content": "Hm, a fox"}),
        ([{"reasoning": "ha"}, {"reasoning": "ha"}], {"reasoning": "haha"}),
        ([{"reasoning_content": ""}, {"reasoning_content": None}], {"reasoning_content": ""}),
        ([{"extra_content": SIGNATURE}], {"extra_content": SIGNATURE}),
        ([{"extra_content": {"google": {"thought": True}}}, {"extra_content": SIGNATURE}],
         {"extra_content": {"google": {"thought": True, **SIGNATURE["google"]}}}),
        ([{"reasoning_details": [{"index": 0, "type": "reasoning.text", "text": "A", "id": "r"}]},
          {"reasoning_details": [{"index": 0, "type": "reasoning.text", "text": "B", "id": "r"}]},
          {"reasoning_details": [{"index": 1, "type": "reasoning.encrypted", "data": "x="}]}],
         {"reasoning_details": [{"index": 0, "type": "reasoning.text", "text": "AB", "id": "r"},
                                {"index": 1, "type": "reasoning.encrypted", "data": "x="}]}),
        ([{"reasoning_details": [{"text": "A"}]}, {"reasoning_details": [{"text": "B"}]}],
         {"reasoning_details": [{"text": "A"}, {"text": "B"}]}),
        ([{"reasoning_content": "The user"}, {"reasoning_content": "The user wants a fox"}],
         {"reasoning_content": "The user wants a fox"}),
        ([{"signature": "c2ln"}, {"signature": "c2ln"}], {"signature": "c2ln"}),
        ([{"signature": "c2"}, {"signature": "ln"}], {"signature": "c2ln"}),
        ([{"thinking_blocks": [{"type": "thinking", "thinking": "Hm", "signature": "s"}]}],
         {"thinking_blocks": [{"type": "thinking", "thinking": "Hm", "signature": "s"}]}),
        ([{"role": "assistant", "refusal": None, "annotations": [], "audio": None}], {}),
    ],
)  # fmt: skip
def test_unknown_fields_of_a_message_go_back(
    deltas: list[dict[str, Any]], extras: dict[str, Any]
) -> None:
    assert end_of(*(delta(**one) for one in deltas), delta("stop", content="Hi")).extras == extras


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=8,
)  # fmt: skip


@given(st.dictionaries(st.text(max_size=6), JSON, max_size=4))
def test_what_comes_in_one_piece_goes_back_as_it_is(fields: dict[str, Json]) -> None:
    assert merged_fields([fields]) == json.loads(json.dumps(fields))


def test_fields_without_end_are_refused() -> None:
    with pytest.raises(LlmError):
        read(delta("stop", content="Hi", blob="x" * 1_100_000))


# Text.


def test_parts_of_a_content_show_their_text_and_go_back_whole() -> None:
    thought = {"type": "thinking", "thinking": [{"type": "text", "text": "Hmm"}]}
    parts: list[list[Any]] = [
        [thought],
        [{"type": "text", "text": "Hello "}],
        [{"type": "reference", "reference_ids": [1]}, {"type": "text", "text": "there"}],
    ]
    bodies = [*(delta(content=one) for one in parts), delta("stop")]
    assert words(*bodies) == "Hello there"
    sent = end_of(*bodies).extras["content"]
    assert sent == [
        thought,
        {"type": "text", "text": "Hello "},
        {"type": "reference", "reference_ids": [1]},
        {"type": "text", "text": "there"},
    ]


@pytest.mark.parametrize(
    "content",
    [
        "Hello",
        [{"type": "text", "text": "Hello"}],
        [{"type": "output_text", "text": "Hello"}],
        {"type": "text", "text": "Hello"},
        [{"type": "text", "text": {"value": "Hello"}}],
        ["Hel", "lo"],
        [{"text": "Hello"}],
        [{"type": "refusal", "refusal": "Hello"}],
        [{"type": "thinking", "thinking": "Hm"}, {"type": "text", "text": "Hello"}, None, 7],
    ],
)
def test_content_of_any_form_is_shown(content: Any) -> None:
    assert words(delta(content=content), delta("stop")) == "Hello"


def test_a_refusal_is_shown_as_the_answer() -> None:
    assert words(delta(refusal="I can't "), delta(refusal="do that."), delta("stop")) == (
        "I can't do that."
    )


def cuts(text: str, size: int) -> list[str]:
    return [text[start : start + size] for start in range(0, len(text), size)]


def test_spaces_are_held_back_as_long_as_a_tag_may_follow_them() -> None:
    held = ThinkingFilter()
    assert held.add(" " * (LONGEST - 1)) == ""
    assert held.add(" ") == " " * LONGEST
    assert ThinkingFilter().add(" " * LONGEST) == " " * LONGEST


def test_behind_thinking_spaces_are_no_answer_and_more_thinking_may_follow() -> None:
    hidden = ThinkingFilter()
    assert hidden.add("<think>Hm</think>") == hidden.add("\n" * LONGEST) == ""
    assert hidden.add("<think>Hm again</think>\nHello") == "Hello"
    ended = ThinkingFilter()
    assert ended.add("<think>Hm</think>") == ended.add("\n\n") == ended.end() == ""


@pytest.mark.parametrize("size", [1, 3, 1_000])
@pytest.mark.parametrize("opening", WRAPPERS)
@pytest.mark.parametrize("thought", ["", "<|START_THINKING|>Hm<|END_THINKING|>"])
def test_the_tags_around_an_answer_are_hidden_and_it_is_shown(
    opening: str, thought: str, size: int
) -> None:
    hidden, ending = ThinkingFilter(), EndFilter()
    closing = opening.replace("start_", "end_") if "start_" in opening else "<|end|>"
    text = f"{thought}{opening.upper()}Hello!{closing.upper()}"
    pieces = [text[at : at + size] for at in range(0, len(text), size)]
    shown = [ending.add(hidden.add(one)) for one in pieces]
    shown += [ending.add(hidden.end()), ending.end()]
    assert "".join(shown) == "Hello!"


@pytest.mark.parametrize("opening", TAGS)
@pytest.mark.parametrize("size", [1, 3, 7, 1000])
def test_thinking_is_hidden_in_every_spelling_however_it_is_cut(opening: str, size: int) -> None:
    for tag in (opening, opening.upper()):
        text = f"\n{tag}\nThe user says <hi> & [hi]{TAGS[opening]}\n\nHello!"
        bodies = [*(delta(content=one) for one in cuts(text, size)), delta("stop")]
        assert words(*bodies) == "Hello!"
        assert end_of(*bodies).extras == {"content": text}, "the endpoint gets its own text back"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("<think>a</think><think>b</think>Hi", "Hi"),
        ("<think>a</think>\n<thinking>b</thinking>\nHi", "Hi"),
        ("<think></think>Hi", "Hi"),
        ("<think>never closed", ""),
        ("<think>a</think>", ""),
        ("Use the <think> tag.</think>", "Use the <think> tag.</think>"),
        ("A <think>b</think>", "A <think>b</think>"),
        ("<thin", "<thin"),
        ("<", "<"),
        ("<b>bold</b>", "<b>bold</b>"),
        ("  two spaces", "  two spaces"),
        ("\n", "\n"),
        ("<thinkers> are many", "<thinkers> are many"),
        ("[thin", "[thin"),
    ],
)
@pytest.mark.parametrize("size", [1, 2, 1000])
def test_only_thinking_at_the_start_is_hidden(text: str, shown: str, size: int) -> None:
    assert words(*(delta(content=one) for one in cuts(text, size)), delta("stop")) == shown


@given(st.text(st.sampled_from("<>/think[] \nabİ◁▷|"), max_size=60), st.integers(1, 9))
def test_what_is_shown_does_not_depend_on_how_it_was_cut(text: str, size: int) -> None:
    def shown(parts: list[str]) -> str:
        hidden = ThinkingFilter()
        return "".join([*map(hidden.add, parts), hidden.end()])

    assert shown(cuts(text, size)) == shown([text])


# Ends.


@pytest.mark.parametrize(
    ("finish", "ran_out"), [("length", True), ("max_tokens", True), ("MAX_TOKENS", True), ("stop", False)]
)  # fmt: skip
def test_an_answer_that_ran_out_of_tokens_says_so(finish: str, ran_out: bool) -> None:  # noqa: FBT001
    assert end_of(delta(finish, content="")).ran_out is ran_out


@pytest.mark.parametrize(
    "finish",
    ["content_filter", "SAFETY", "PROHIBITED_CONTENT", "RECITATION", "sensitive", "refusal"],
)
def test_a_filtered_answer_is_a_refusal(finish: str) -> None:
    with pytest.raises(LlmError) as caught:
        read(delta(finish, content="Hel"))
    assert caught.value.outcome is Outcome.REFUSED


@pytest.mark.parametrize(
    ("bodies", "done", "is_whole"),
    [
        ([delta(content="Hi")], True, True),
        ([delta(content="Hi")], False, False),
        ([delta("stop", content="Hi")], False, True),
        ([], True, False),
        ([delta("error", content="Hi")], True, False),
        ([delta("abort", content="Hi")], True, False),
        ([delta("insufficient_system_resource", content="Hi")], True, False),
        ([delta("network_error", content="Hi")], True, False),
        ([delta(tool_calls=[call(FOX, NAME, index=0)])], True, True),
    ],
)
def test_an_answer_is_whole_with_a_reason_or_the_mark_of_the_end(
    bodies: list[Any], done: bool, is_whole: bool  # noqa: FBT001
) -> None:  # fmt: skip
    if is_whole:
        assert read(*bodies, done=done)
        return
    with pytest.raises(LlmError):
        read(*bodies, done=done)


@pytest.mark.parametrize(
    ("body", "outcome"),
    [
        ({"error": {"message": "m", "code": "server_error"}}, Outcome.UNAVAILABLE),
        ({"error": {"message": "m", "code": 429}}, Outcome.RATE_LIMITED),
        ({"error": {"message": "m", "code": "503"}}, Outcome.UNAVAILABLE),
        ({"error": "overloaded"}, Outcome.UNAVAILABLE),
        ({"type": "error", "error": {"type": "overloaded_error"}}, Outcome.UNAVAILABLE),
        ({"type": "error", "error": {"type": "rate_limit_error"}}, Outcome.RATE_LIMITED),
        ({"object": "error", "message": "m", "code": 400}, Outcome.BAD_PARAMETER),
        ([{"error": {"code": 429, "status": "RESOURCE_EXHAUSTED"}}], Outcome.RATE_LIMITED),
        ({"error": {"code": "insufficient_quota"}}, Outcome.ACCOUNT),
        ({"base_resp": {"status_code": 1004, "status_msg": "m"}}, Outcome.UNAVAILABLE),
        ({"code": "InvalidParameter", "message": "m"}, Outcome.UNAVAILABLE),
        ({"error": {"code": "content_filter"}}, Outcome.REFUSED),
        ({"choices": [], "error": {"code": 502}}, Outcome.UNAVAILABLE),
    ],
)
def test_an_error_inside_the_stream_is_one(body: Any, outcome: Outcome) -> None:
    with pytest.raises(LlmError) as caught:
        read(delta(content="Hi"), body)
    assert caught.value.outcome is outcome


@pytest.mark.parametrize("error", [None, "", {}, False, {"code": 0, "message": ""}])
def test_an_empty_error_is_none(error: Any) -> None:
    assert words({**delta(content="Hi"), "error": error}, delta("stop")) == "Hi"


COUNTS: list[dict[str, Any]] = [
    {"usage": {"prompt_tokens": 9, "completion_tokens": 5, "total_tokens": 14}},
    {"x_groq": {"usage": {"prompt_tokens": 9, "completion_tokens": 5}}},
    {"choices": [{"delta": {}, "usage": {"prompt_tokens": 9, "completion_tokens": 5}}]},
    {"choices": [{"delta": {"usage": {"prompt_tokens": 9, "completion_tokens": 5}}}]},
    {"usage": {"input_tokens": 9, "output_tokens": 5}},
    {"usage": {"prompt_tokens": 9, "completion_tokens": 1, "total_tokens": 14}},
    {"usage": None, "x_groq": {"usage": {"prompt_tokens": 9, "completion_tokens": 5}}},
    {"prompt_eval_count": 9, "eval_count": 5},
    {"timings": {"prompt_n": 9, "predicted_n": 5}},
]


@pytest.mark.parametrize("body", COUNTS, ids=str)
def test_tokens_are_counted_wherever_they_are(body: dict[str, Any]) -> None:
    zeros = {"usage": {"prompt_tokens": 0, "completion_tokens": 0}}
    parts = read({**delta(content="Hi"), **zeros}, {"usage": None}, delta("stop"), body)
    assert parts[-1] == TokenCount(9, 5)
    assert read(delta("stop", content="Hi"), body, zeros, {"usage": {}})[-1] == TokenCount(9, 5)


def test_a_whole_answer_is_read_like_a_stream() -> None:
    message = {
        "role": "assistant",
        "content": "Hi",
        "reasoning_content": "Hm",
        "tool_calls": [{**call(FOX, NAME, id="a"), "extra_content": SIGNATURE}],
    }
    whole = {"choices": [{"message": message, "finish_reason": "tool_calls"}]}
    text, use, end = read(whole)
    assert (text, use.extras) == (TextPart("Hi"), {"extra_content": SIGNATURE})
    assert end.extras == {"reasoning_content": "Hm"}


def test_a_whole_message_at_the_end_of_a_stream_is_not_read_twice() -> None:
    last = {"choices": [{"message": {"content": "Hello"}, "finish_reason": "stop"}]}
    assert words(delta(content="Hel"), delta(content="lo"), last) == "Hello"


# The bytes.


def events(*chunks: bytes) -> list[Json]:
    return list(EventStream().read(iter(chunks)))


ONE, OTHER = b'{"n":1}', b'{"n":2}'
BOTH: list[Json] = [{"n": 1}, {"n": 2}]
BODIES: dict[str, bytes] = {
    "as documented": b"data: %b\n\ndata: %b\n\n" % (ONE, OTHER),
    "CRLF": b"data: %b\r\n\r\ndata: %b\r\n\r\n" % (ONE, OTHER),
    "CR": b"data: %b\r\rdata: %b\r\r" % (ONE, OTHER),
    "no space": b"data:%b\n\ndata:%b\n\n" % (ONE, OTHER),
    "BOM": b"\xef\xbb\xbfdata: %b\n\ndata: %b\n\n" % (ONE, OTHER),
    "keep-alive": b": keep-alive\n\ndata: %b\n\n: OPENROUTER PROCESSING\n\ndata: %b\n\n"
    % (ONE, OTHER),
    "fields": b"event: message\nid: 7\nretry: 10\ndata: %b\n\nevent: x\ndata: %b\n\n"
    % (ONE, OTHER),
    "no blank line": b"data: %b\ndata: %b\n" % (ONE, OTHER),
    "no last line end": b"data: %b\n\ndata: %b" % (ONE, OTHER),
    "CR, no last line end": b"data: %b\r\rdata: %b" % (ONE, OTHER),
    "several lines": b'data: {\ndata: "n":1\ndata: }\n\ndata: %b\n\n' % OTHER,
    "several lines, CRLF": b'data: {\r\ndata: "n":1\r\ndata: }\r\n\r\ndata: %b\r\n\r\n' % OTHER,
    "ping": b"data: ping\n\ndata: %b\n\ndata:\n\ndata: %b\n\n" % (ONE, OTHER),
    "after the end": b"data: %b\n\ndata: %b\n\ndata: [DONE]\n\ndata: {broken" % (ONE, OTHER),
    "JSON lines": b"%b\n%b\n" % (ONE, OTHER),
    "spaces": b"data:   %b  \n\n\n\n data\ndata: %b\n\n" % (ONE, OTHER),
}


@pytest.mark.parametrize("form", BODIES)
@pytest.mark.parametrize("size", [1, 2, 5, 10_000])
def test_a_stream_is_read_in_every_form_however_it_is_cut(form: str, size: int) -> None:
    body = BODIES[form]
    chunks = [body[start : start + size] for start in range(0, len(body), size)]
    assert events(*chunks) == BOTH


def test_a_long_line_in_thousands_of_pieces_is_searched_once() -> None:
    pieces = [b'data: {"n":"', *[b"x" * 1_000] * 4_000, b'"}\n\n']
    start = time.process_time()
    assert events(*pieces) == [{"n": "x" * 4_000_000}]
    # To search the line so far with each piece takes more than 10 s.
    assert time.process_time() - start < 3


def test_the_end_is_marked_or_not() -> None:
    for body, is_done in ((b"data: [DONE]", True), (b"data:[DONE]\n\n", True), (b"[DONE]", True), (b"data: {}\n\n", False)):  # fmt: skip
        stream = EventStream()
        list(stream.read([body]))
        assert stream.is_done is is_done


@pytest.mark.parametrize("text", ['{"n": 1}', '\n{\n  "n": 1\n}\n', '\ufeff{"n": 1}'])
def test_json_without_a_stream_is_a_whole_answer(text: str) -> None:
    stream = EventStream()
    assert list(stream.read([text.encode()])) == [{"n": 1}]
    assert stream.is_done


@pytest.mark.parametrize(
    "body", [b"data: {broken\n\n", b'data: {"a": 1', b"data: [1, \n\n", b"{broken"]
)
def test_json_that_is_cut_off_breaks_the_stream(body: bytes) -> None:
    with pytest.raises(BrokenStreamError):
        events(body)


def test_a_page_is_no_answer() -> None:
    assert events(b"<!DOCTYPE html>\n<html>style { a: b }</html>") == []


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(body: bytes) -> None:
    def tried() -> Iterator[Json]:
        try:
            yield from EventStream().read([body])
        except BrokenStreamError:
            return

    list(tried())


# Rules that a change of the reader had broken without a red test.


def test_another_name_at_the_same_index_begins_another_call() -> None:
    found = uses(call(FOX, NAME, index=0), call("", "other_tool", index=0), call(HARE, index=0))
    assert [(one.name, one.arguments) for one in found] == [(NAME, FOX), ("other_tool", HARE)]


@pytest.mark.parametrize("again", [NAME, "generate_", "generate_image_now"])
def test_a_name_that_repeats_or_grows_after_the_first_arguments_is_that_of_the_same_call(
    again: str,
) -> None:
    found = uses(call(HALVES[0], NAME, index=0), call(HALVES[1], again, index=0))
    assert [one.arguments for one in found] == [FOX]
    assert found[0].name == max(NAME, again, key=len)


@pytest.mark.parametrize("index", ["x", "", "1.5", "-1", "12345", "²", True, 1.5])
def test_an_index_that_is_no_number_is_none(index: Any) -> None:
    found = uses(call(FOX, NAME, index=index, id="a"))
    assert [(one.name, one.arguments) for one in found] == [(NAME, FOX)]


def test_pieces_of_one_part_go_back_as_one_part() -> None:
    thoughts = [{"type": "thinking", "thinking": "Hm, "}, {"type": "thinking", "thinking": "yes."}]
    texts = [{"type": "text", "text": "a "}, {"type": "text", "text": "fox"}]
    bodies = [*(delta(content=[one]) for one in (*thoughts, *texts)), delta("stop")]
    assert end_of(*bodies).extras["content"] == [
        {"type": "thinking", "thinking": "Hm, yes."},
        {"type": "text", "text": "a fox"},
    ]


@pytest.mark.parametrize("usage", [{"prompt_tokens": 9}, {"completion_tokens": 5}, {}])
def test_half_a_count_is_none(usage: dict[str, int]) -> None:
    parts = read(delta(content="Hi"), {"usage": usage}, delta("stop"))
    assert [one for one in parts if isinstance(one, TokenCount)] == []


def test_an_id_that_comes_with_a_second_whole_object_is_that_of_another_call() -> None:
    found = uses(call(FOX, NAME, index=0), call(HARE, NAME, index=0, id="b"))
    assert [one.arguments for one in found] == [FOX, HARE]
    assert found[1].id == "b"


def test_what_comes_with_another_id_behind_whole_arguments_does_not_spoil_them() -> None:
    found = uses(call(FOX, NAME, index=0, id="a"), call("\n,", index=0, id="b"))
    assert (found[0].id, found[0].name, found[0].arguments) == ("a", NAME, FOX)


def test_nothing_is_added_to_a_call_that_was_written_as_text() -> None:
    text = json.dumps({"name": NAME, "arguments": json.loads(FOX)})
    reader = Reader(text=AnswerFilter(CallFilter(NAME)))
    list(reader.read(delta("stop", content=f"<tool_call>{text}</tool_call>")))
    (found,) = (one for one in reader.end() if isinstance(one, ToolUse))
    assert (found.name, json.loads(found.arguments), found.extras) == (NAME, json.loads(FOX), {})


def test_lists_of_texts_go_back_as_one_list() -> None:
    bodies = [delta(notes=["Hm"]), delta(notes=["yes", 3]), delta("stop")]
    assert end_of(*bodies).extras["notes"] == ["Hm", "yes", 3]


@pytest.mark.parametrize("refusal", [True, 7, {"reason": "no"}, ["no"]])
def test_a_refusal_that_is_no_text_is_not_shown(refusal: Any) -> None:
    assert words(delta(content="Hi", refusal=refusal), delta("stop")) == "Hi"


@pytest.mark.parametrize("finish", [True, 7, {"reason": "stop"}])
def test_a_reason_that_is_no_text_is_none(finish: Any) -> None:
    with pytest.raises(LlmError):
        read(delta(finish, content="Hi"), done=False)


# Control words at the end of the text.


def shown(text: str, size: int) -> str:
    pieces = [delta(content=text[at : at + size]) for at in range(0, len(text), size)]
    return "".join(part.text for part in read(*pieces, delta("stop")) if isinstance(part, TextPart))


BAR, LOW = "\uff5c", "\u2581"
ENDS = {
    "ChatML and Qwen": ["<|im_end|>", "<|endoftext|>"],
    "Llama 3": ["<|eot_id|>", "<|eom_id|>", "<|end_of_text|>"],
    "Phi and gpt-oss": ["<|end|>", "<|return|>"],
    "GLM": ["<|user|>", "<|eos|>"],
    "Gemma": ["<end_of_turn>", "<|end_of_turn|>", "<eos>", "<turn|>"],
    "Mistral and Llama 2": ["</s>"],
    "Cohere": ["<|END_RESPONSE|>", "<|END_TEXT|>", "<|END_OF_TURN_TOKEN|>"],
    "DeepSeek": [f"<{BAR}end{LOW}of{LOW}sentence{BAR}>"],
}


@pytest.mark.parametrize("family", ENDS)
def test_the_words_that_end_an_answer_of_a_family_are_not_shown(family: str) -> None:
    for word in ENDS[family]:
        ending = EndFilter()
        assert ending.add(f"Hello!{word}") + ending.end() == "Hello!"


@pytest.mark.parametrize("size", [1, 2, 5, 100])
@pytest.mark.parametrize("word", CONTROL_WORDS)
def test_a_control_word_behind_the_answer_is_hidden(word: str, size: int) -> None:
    assert shown(f"Hello there{word}", size) == "Hello there"
    assert shown(f"Hello there\n{word} {word}\n", size).rstrip() == "Hello there"


@pytest.mark.parametrize("size", [1, 3, 100])
@pytest.mark.parametrize(
    "text",
    ["<|im_end|> ends a turn", "It is a < b", "Close it with </div>", "x <", "<b>bold</b>", "i <3 you",
     "Models end with <|im_end|> or </s>, you see", "a\n\n", "<", "see <https://example.com>"],
)  # fmt: skip
def test_all_other_text_is_shown_whole(text: str, size: int) -> None:
    assert shown(text, size) == text


def test_an_endless_row_of_brackets_is_passed_on() -> None:
    assert shown("<x>" * 5_000, 1_000) == "<x>" * 5_000
