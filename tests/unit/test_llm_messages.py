"""How a conversation becomes the messages of an endpoint, and what is sent back to it."""

import pytest

from imagegen.chat import tool_definition
from imagegen.domain.ports import ChatTurn, Json, ToolUse
from imagegen.llm.messages import (
    MINIMAL,
    ContentForm,
    to_message,
    to_messages,
    tool_in_form,
)

TOOL = tool_definition("openai", ["openai"])
USE = ToolUse("a", "generate_image", '{"prompt": "a fox"}')


def test_without_a_system_role_the_instructions_come_with_the_first_question() -> None:
    turns = [ChatTurn("user", "a fox"), ChatTurn("assistant", "Hi")]
    found = to_messages(turns, "Be kind.", has_system_role=False)
    assert found == [
        {"role": "user", "content": "Be kind.\n\na fox"},
        {"role": "assistant", "content": "Hi"},
    ]
    assert to_messages([], "Be kind.", has_system_role=False) == [
        {"role": "user", "content": "Be kind.\n\n"}
    ]


def test_fields_of_an_answer_in_words_go_back_with_it() -> None:
    turn = ChatTurn("assistant", "Hi", extras={"reasoning": "Hm", "role": "user"})
    assert to_message(turn) == {"role": "assistant", "content": "Hi", "reasoning": "Hm"}


def test_fields_of_a_call_and_of_its_function_go_back_and_replace_nothing_of_it() -> None:
    extras: dict[str, Json] = {
        "signature": "s",
        "type": "x",
        "function": {"thought": "t", "name": "x"},
    }
    turn = ChatTurn("assistant", "", (ToolUse(USE.id, USE.name, USE.arguments, extras),))
    assert to_message(turn)["tool_calls"] == [
        {
            "signature": "s",
            "id": "a",
            "type": "function",
            "function": {"thought": "t", "name": USE.name, "arguments": USE.arguments},
        }
    ]


@pytest.mark.parametrize(
    ("form", "content"),
    [
        (ContentForm.NULL, {"content": None}),
        (ContentForm.EMPTY, {"content": ""}),
        (ContentForm.ABSENT, {}),
        (ContentForm.WORDS, {"content": "I use my tool."}),
    ],
)
def test_a_call_without_words_has_the_content_of_its_form_and_one_with_words_has_them(
    form: ContentForm, content: dict[str, str | None]
) -> None:
    turns = [ChatTurn("assistant", text, (USE,)) for text in ("", "Here it is.")]
    silent, spoken = to_messages(turns, "Be kind.", form=form)[1:]
    assert isinstance(silent, dict)
    assert isinstance(spoken, dict)
    assert {name: one for name, one in silent.items() if name == "content"} == content
    assert spoken["content"] == "Here it is."


def test_each_form_of_the_tool_leaves_out_more() -> None:
    whole, plain, least = (tool_in_form(TOOL, form) for form in (0, 1, MINIMAL))
    assert whole == TOOL
    assert "'strict'" in str(whole)
    assert "'strict'" not in str(plain)
    assert "additionalProperties" in str(plain)
    assert "additionalProperties" not in str(least)
