"""What a model thinks is hidden, whatever its family writes around it."""

import pytest

from imagegen.llm.thinking import ThinkingFilter

PAIRS = [
    *(
        (f"<{name}>", f"</{name}>")
        for name in (
            *("think", "thinking", "thought", "thoughts", "reasoning", "reason", "reflection"),
            *("seed:think", "mm:think", "antthinking", "scratchpad", "internal_thought"),
            *("THINK", "Seed:Think"),
        )
    ),
    *(("[THINK]", "[/THINK]"), ("[thinking]", "[/thinking]"), ("◁think▷", "◁/think▷")),
    ("<|begin_of_thought|>", "<|end_of_thought|>"),
    ("<|thinking|>", "<|/thinking|>"),
    ("<|START_THINKING|>", "<|END_THINKING|>"),
    ("<|channel>thought", "<channel|>"),
    ("<|channel|>analysis<|message|>", "<|channel|>final<|message|>"),
    ("<|channel|>analysis<|message|>", "<|end|>"),
    ("<|start|>assistant<|channel|>analysis<|message|>", "<|channel|>final<|message|>"),
]
"""As the families' templates have them (``imagegen/llm/thinking.py`` names the families)."""
ALONE = [
    *("<|START_RESPONSE|>", "<|START_TEXT|>"),
    *(
        f"{start}<|channel|>{channel}<|message|>"
        for start in ("", "<|start|>assistant")
        for channel in ("final", "commentary")
    ),
]


def shown(text: str, size: int) -> str:
    hidden = ThinkingFilter()
    pieces = [hidden.add(text[at : at + size]) for at in range(0, len(text), size)]
    return "".join([*pieces, hidden.end()])


@pytest.mark.parametrize(("opening", "closing"), PAIRS)
@pytest.mark.parametrize("size", [1, 7, 1_000])
def test_thinking_between_two_tags_is_hidden(opening: str, closing: str, size: int) -> None:
    assert shown(f"\n{opening}A fox?\n{closing}\n\nHere it is.", size) == "Here it is."
    assert shown(f"{opening}A fox that never ends", size) == ""


@pytest.mark.parametrize("tag", ALONE)
@pytest.mark.parametrize("size", [1, 7, 1_000])
def test_a_tag_before_the_answer_itself_is_hidden_alone(tag: str, size: int) -> None:
    assert shown(f"{tag}Here it is.", size) == "Here it is."


def test_a_tag_may_come_behind_many_spaces_and_words_may_not() -> None:
    hidden = ThinkingFilter()
    assert [hidden.add(one) for one in (" " * 20, "<think>", "x", "</think>", "Hi")] == [
        *("", "", "", ""),
        "Hi",
    ]
    plain = ThinkingFilter()
    assert [plain.add("So: "), plain.add("<think>x</think>")] == ["So: ", "<think>x</think>"]


def test_at_the_end_what_was_held_is_given_once() -> None:
    hidden = ThinkingFilter()
    assert hidden.add("<thin") == ""
    assert (hidden.end(), hidden.end()) == ("<thin", "")
