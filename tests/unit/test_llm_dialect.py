"""What is learned from a refusal: every part of a request, in every spelling of the refusal."""

# ruff: noqa: E501 a row of a table is one line

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imagegen.chat import tool_definition
from imagegen.domain.ports import ChatTurn, ToolUse
from imagegen.llm.dialect import LEARNING_CALLS, Dialect, DialectMemory, learned

TOOL = tool_definition("openai", ["openai"])
SIGNATURE = {"google": {"thought_signature": "s"}}
TURNS = (
    ChatTurn("user", "Draw a fox"),
    ChatTurn(
        "assistant",
        "",
        (ToolUse("a", "generate_image", "{}", {"extra_content": SIGNATURE}),),
        extras={"reasoning_content": "Hm"},
    ),
    ChatTurn("tool", "{}", call_id="a"),
)


def body(dialect: Dialect, turns: tuple[ChatTurn, ...] = TURNS) -> dict[str, Any]:
    return dialect.body("m", turns, instructions="Be kind.", tool=TOOL, user="u" * 32)


def pydantic(*loc: Any) -> dict[str, Any]:
    return {
        "type": "extra_forbidden",
        "loc": ["body", *loc],
        "msg": "Extra inputs are not permitted",
    }


SPELLINGS: dict[str, Callable[[str], Any]] = {
    "openai": lambda name: {"error": {"message": f"Unsupported parameter: '{name}'", "param": name, "code": "unsupported_parameter"}},
    "openai, by name": lambda name: {"error": {"message": f"Unknown parameter: '{name}'.", "param": name, "code": "unknown_parameter"}},
    "azure": lambda name: {"error": {"message": f"Unrecognized request argument supplied: {name}", "param": None, "code": None}},
    "mistral": lambda name: {"object": "error", "message": {"detail": [pydantic(name)]}, "type": "invalid_request_error"},
    "mistral, bare": lambda name: {"detail": [pydantic(name)]},
    "mistral, text": lambda name: {"object": "error", "message": json.dumps({"detail": [pydantic(name)]}), "code": "1000"},
    "mistral, list": lambda name: {"object": "Error", "detail": [pydantic(name)], "message": [pydantic(name)]},
    "vllm": lambda name: {"object": "error", "message": f"[{{'type': 'extra_forbidden', 'loc': ('body', '{name}'), 'msg': 'Extra'}}]", "code": 400},
    "vllm, nested": lambda name: {"error": {"message": f"[{{'loc': ('body', '{name}'), 'msg': 'Extra'}}]", "code": 400}},
    "ollama": lambda name: {"error": f'json: unknown field "{name}"'},
    "anthropic": lambda name: {"type": "error", "error": {"type": "invalid_request_error", "message": f"{name}: Extra inputs are not permitted"}},
    "gemini": lambda name: [{"error": {"code": 400, "message": f'Invalid JSON payload received. Unknown name "{name}": Cannot find field.', "status": "INVALID_ARGUMENT"}}],
    "gemini, details": lambda name: [{"error": {"code": 400, "message": "Invalid.", "details": [{"fieldViolations": [{"field": "", "description": f'Unknown name "{name}": Cannot find field.'}]}]}}],
    "llama.cpp": lambda name: {"error": {"code": 400, "message": f"Unsupported param: {name}", "type": "invalid_request_error"}},
    "serde": lambda name: {"error": {"message": f"unknown field `{name}`, expected one of `model`, `messages`, `max_tokens`, `stream_options`, `safety_identifier`"}},
    "json schema": lambda name: {"error": {"message": f"Additional properties are not allowed ('{name}' was unexpected)"}},
    "groq": lambda name: {"error": {"message": f"property '{name}' is unsupported", "type": "invalid_request_error"}},
    "text": lambda name: f"Bad Request: {name} is not supported",
    "fastapi 1": lambda name: {"detail": [{"loc": ["body", name], "msg": "extra fields not permitted", "type": "value_error.extra"}]},
    "detail": lambda name: {"detail": f"{name}: unexpected keyword argument"},
    "problem": lambda name: {"errors": [{"field": name, "message": "unknown"}], "title": "Bad Request"},
}  # fmt: skip
every_spelling = pytest.mark.parametrize("spelling", SPELLINGS)


@every_spelling
@pytest.mark.parametrize("name", ["stream_options", "safety_identifier"])
def test_an_optional_field_is_left_out_after_its_refusal(spelling: str, name: str) -> None:
    before = Dialect()
    sent = body(before)
    assert name in sent
    after = learned(before, sent, SPELLINGS[spelling](name))
    assert after is not None
    assert body(after).keys() == sent.keys() - {name}
    assert not after.is_bare


@every_spelling
@pytest.mark.parametrize("names", [("max_tokens", "max_completion_tokens"), ("max_completion_tokens", "max_tokens")])  # fmt: skip
def test_the_limit_gets_its_other_name_and_then_none(spelling: str, names: tuple[str, str]) -> None:
    first, second = names
    dialect = Dialect(limit_names=names)
    after = learned(dialect, body(dialect), SPELLINGS[spelling](first))
    assert after is not None
    assert (first in body(after), second in body(after)) == (False, True)
    last = learned(after, body(after), SPELLINGS[spelling](second))
    assert last is not None
    assert not {first, second} & body(last).keys()


@every_spelling
def test_a_field_that_came_from_the_endpoint_is_kept_back_after_its_refusal(spelling: str) -> None:
    for name in ("reasoning_content", "extra_content"):
        after = learned(Dialect(), body(Dialect()), SPELLINGS[spelling](name))
        assert after is not None
        assert name not in json.dumps(body(after)["messages"])
        assert body(after).keys() == body(Dialect()).keys()


@pytest.mark.parametrize(
    "answer",
    [
        {"detail": [pydantic("messages", 1, "assistant", "reasoning_content")]},
        {"error": {"message": "'messages.2' : property 'reasoning_content' is unsupported"}},
        {"error": {"message": "bad", "param": "messages[2].reasoning_content"}},
        {"error": {"message": "messages.1.reasoning_content: Extra inputs are not permitted"}},
    ],
)
def test_a_path_to_a_field_of_a_message_names_it(answer: Any) -> None:
    after = learned(Dialect(), body(Dialect()), answer)
    assert after is not None
    assert after.kept_back == {"reasoning_content"}


@pytest.mark.parametrize(
    "answer",
    [
        {"error": {"message": "tools.0.function.strict: Extra inputs are not permitted"}},
        {"error": {"message": "Unknown parameter", "param": "tools[0].function.strict"}},
        {"detail": [pydantic("tools", 0, "function", "strict")]},
        {"error": {"message": "strict mode is not supported"}},
        [
            {
                "error": {
                    "message": "Unknown name \"strict\" at 'tools[0].function': Cannot find field."
                }
            }
        ],
    ],
)
def test_a_tool_without_strict_has_optional_arguments(answer: Any) -> None:
    after = learned(Dialect(), body(Dialect()), answer)
    assert after is not None
    function = body(after)["tools"][0]["function"]
    assert "strict" not in function
    assert function["parameters"]["required"] == ["prompt"]
    assert function["parameters"]["properties"]["size"]["type"] == "string"
    assert None not in function["parameters"]["properties"]["quality"]["enum"]


@pytest.mark.parametrize(
    "answer",
    [
        [{"error": {"message": "Unknown name \"type\" at 'tools[0].function_declarations[0].parameters.properties[1].value': Proto field is not repeating, cannot start list."}}],
        [{"error": {"message": 'Unknown name "additionalProperties" at \'tools[0]\''}}],
        {"error": "json: cannot unmarshal array into Go struct field .tools.function.parameters.properties.type of type string"},
        {"error": {"message": "Invalid schema for function 'generate_image'", "param": "tools[0].function.parameters"}},
        {"error": {"message": "bad", "param": "tools"}},
        {"error": {"message": "enum: null is not allowed"}},
    ],
)  # fmt: skip
def test_a_refused_schema_becomes_a_plain_one(answer: Any) -> None:
    after = learned(Dialect(), body(Dialect()), answer)
    assert after is not None
    function = body(after)["tools"][0]["function"]
    assert "strict" not in function
    assert "additionalProperties" not in json.dumps(function)
    assert "null" not in json.dumps(function["parameters"])


@pytest.mark.parametrize(
    "answer",
    [
        {"error": {"message": "invalid message content type: <nil>"}},
        {"error": {"message": "Invalid value for 'content': expected a string, got null.", "param": "messages.[2].content"}},
        {"error": {"message": "messages[2]: missing field `content` at line 1 column 9"}},
        {"error": {"message": "messages.2.content: Input should be a valid string"}},
        {"detail": [{"type": "missing", "loc": ["body", "messages", 2, "assistant", "content"], "msg": "Field required"}]},
        {"error": {"code": 400, "message": "Failed to parse messages: Expected 'content' to be a string"}},
    ],
)  # fmt: skip
def test_an_assistant_without_words_gets_another_empty_content(answer: Any) -> None:
    dialect: Dialect | None = Dialect()
    contents: list[Any] = []
    while dialect is not None and not dialect.is_bare:
        contents.append(body(dialect)["messages"][2].get("content", "absent"))
        dialect = learned(dialect, body(dialect), answer)
    assert contents == [None, "", "absent", "I use my tool."]


def test_parts_of_a_content_that_are_not_accepted_become_text() -> None:
    turns = (
        *TURNS[:1],
        ChatTurn("assistant", "Hi", TURNS[1].asked, extras={"content": [{}]}),
        TURNS[2],
    )
    error = "json: cannot unmarshal array into Go struct field ChatRequest.messages.content of type string"
    after = learned(Dialect(), body(Dialect(), turns), {"error": error})
    assert after is not None
    assert body(after, turns)["messages"][2]["content"] == "Hi"


@pytest.mark.parametrize(
    "text",
    [
        "The reasoning_content in the thinking mode must be passed back to the API.",
        "Missing `reasoning_content` field in the assistant message at message index 2.",
        "thinking is enabled but reasoning_content is missing in assistant tool call message at index 2",
        "messages[2].reasoning_content is required",
    ],
)
def test_a_required_field_is_added_where_the_endpoint_sent_none(text: str) -> None:
    asking = ChatTurn("assistant", "", (ToolUse("a", "generate_image", "{}"),))
    turns = (TURNS[0], asking, TURNS[2])
    after = learned(Dialect(), body(Dialect(), turns), {"error": {"message": text}})
    assert after is not None
    assert body(after, turns)["messages"][2]["reasoning_content"] == ""
    assert body(after, TURNS)["messages"][2]["reasoning_content"] == "Hm", (
        "what came is not replaced"
    )


@pytest.mark.parametrize(
    "answer",
    [
        {"error": {"message": "System role not supported"}},
        {"error": {"message": "Unsupported value: 'messages[0].role' does not support 'system' with this model.", "param": "messages[0].role"}},
        {"error": {"message": "Developer instruction is not enabled; system instructions are not supported for this model"}},
        {"detail": [{"loc": ["body", "messages", 0, "role"], "msg": "unexpected value"}]},
    ],
)  # fmt: skip
def test_without_a_system_role_the_instructions_come_with_the_first_question(answer: Any) -> None:
    after = learned(Dialect(), body(Dialect()), answer)
    assert after is not None
    messages = body(after)["messages"]
    assert [one["role"] for one in messages] == ["user", "assistant", "tool"]
    assert messages[0]["content"] == "Be kind.\n\nDraw a fox"


@pytest.mark.parametrize(
    "answer",
    [
        {
            "error": {
                "message": "Your organization must be verified to stream this model.",
                "param": "stream",
            }
        },
        {"error": {"message": "'stream' is not supported with tools by this server"}},
        {"detail": [pydantic("stream")]},
    ],
)
def test_an_endpoint_that_does_not_stream_is_asked_for_the_whole_answer(answer: Any) -> None:
    after = learned(Dialect(), body(Dialect()), answer)
    assert after is not None
    assert body(after)["stream"] is False
    assert "stream_options" not in body(after)


def test_everything_that_a_structured_refusal_names_is_learned_at_once() -> None:
    answer: Any = {
        "detail": [
            pydantic("stream_options"),
            pydantic("safety_identifier"),
            pydantic("max_tokens"),
        ]
    }
    after = learned(Dialect(), body(Dialect()), answer)
    assert after is not None
    assert not {"stream_options", "safety_identifier", "max_tokens"} & body(after).keys()


@pytest.mark.parametrize("answer", ["", None, [], {}, {"error": {}}, "<html>Bad Request</html>", {"error": {"message": "Bad request."}}])  # fmt: skip
def test_a_refusal_without_a_name_is_answered_with_the_smallest_request_once(answer: Any) -> None:
    memory = DialectMemory(Dialect())
    bare = memory.after(memory.dialect, body(memory.dialect), answer)
    assert bare is not None
    assert bare.is_bare
    assert "stream_options" not in body(bare)
    assert "max_tokens" in body(bare), "what an answer costs stays limited"
    assert memory.after(bare, body(bare), answer) is None
    assert memory.after(memory.dialect, body(memory.dialect), answer) is None, "it did not help"


@pytest.mark.parametrize(
    "answer",
    [
        {"error": {"message": "m does not support tools"}},
        {"error": {"message": "This model's maximum context length is 8192 tokens.", "code": "context_length_exceeded", "param": "messages"}},
        {"error": {"message": "prompt is too long: 9000 tokens"}},
    ],
)  # fmt: skip
def test_nothing_is_tried_where_no_other_form_can_help(answer: Any) -> None:
    assert learned(Dialect(), body(Dialect()), answer) is None


@given(st.text(max_size=80), st.sampled_from([*SPELLINGS]), st.integers(0, 3))
def test_learning_always_ends(text: str, spelling: str, extra: int) -> None:
    """Whatever an endpoint goes on to refuse, there is an end of forms to try."""
    names = [text, *body(Dialect()), "content", "strict", "system role", "reasoning_content"]
    memory, dialect, tried = DialectMemory(Dialect()), Dialect(), 0
    for step in range(100):
        name = names[(step * (extra + 1)) % len(names)]
        found = memory.after(dialect, body(dialect), SPELLINGS[spelling](name))
        if found is None:
            break
        assert found != dialect, "each step changes something"
        dialect, tried = found, tried + 1
    assert tried < 30
    assert LEARNING_CALLS < 10


def test_a_limit_that_was_not_sent_is_not_the_one_that_was_refused() -> None:
    sent = body(Dialect(limit_names=("max_completion_tokens",)))
    answer = {"error": {"message": "Unsupported parameter", "param": "max_tokens"}}
    after = learned(Dialect(), sent, answer)
    assert after is None or after.limit_names == Dialect().limit_names


def test_after_the_smallest_request_failed_a_refusal_that_names_a_field_is_still_followed() -> None:
    memory = DialectMemory(Dialect())
    memory.is_bare_useless = True
    answer = {"error": {"message": "Unsupported parameter: 'stream'", "param": "stream"}}
    after = memory.after(Dialect(), body(Dialect()), answer)
    assert after is not None
    assert not after.is_streamed
    assert memory.after(Dialect(), body(Dialect()), {"error": "no"}) is None


def test_another_empty_content_is_tried_only_where_a_message_has_none() -> None:
    spoken = (TURNS[0], ChatTurn("assistant", "I draw it.", TURNS[1].asked), TURNS[2])
    answer = {"error": {"message": "content is not accepted", "param": "messages.1.content"}}
    after = learned(Dialect(), body(Dialect(), spoken), answer)
    assert after is None or after.is_bare
