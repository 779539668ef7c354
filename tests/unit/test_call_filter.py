"""What is shown of each piece of an answer that may be, or may have in it, a call as text."""

import pytest

from imagegen.llm.answer_filter import AnswerFilter
from imagegen.llm.call_filter import (
    MAX_CHARACTERS,
    MOST_BEFORE,
    NAME_WITHIN,
    CallFilter,
)

TOOL = "generate_image"
CALL = '{"name": "generate_image", "arguments": {"prompt": "a fox"}}'
MARKED = f"<tool_call>{CALL}</tool_call>"


def run(*pieces: str, tool: str = TOOL) -> tuple[list[str], str, list[str]]:
    """Return what is shown of each piece, what at the end, and the names of the calls."""
    held = CallFilter(tool)
    shown = [held.add(piece) for piece in pieces]
    rest, calls = held.end()
    return shown, rest, [one.name for one in calls]


def test_without_a_tool_nothing_is_held_back() -> None:
    assert run(MARKED, tool="") == ([MARKED], "", [])


@pytest.mark.parametrize("before", ["", "\n", "```json\n", " " * (MOST_BEFORE - 1)])
def test_a_call_that_is_the_whole_answer_is_hidden(before: str) -> None:
    assert run(before + CALL) == ([""], "", [TOOL])


def test_so_many_spaces_before_a_call_are_taken_and_no_more() -> None:
    for spaces, is_hidden in ((MOST_BEFORE, True), (MOST_BEFORE + 1, False)):
        text = " " * spaces + CALL
        for pieces in ([text], [text[:spaces], text[spaces:]]):
            shown, rest, names = run(*pieces)
            assert ("".join(shown) + rest, names) == (("", [TOOL]) if is_hidden else (text, []))
        assert run(" " * spaces)[0] == ["" if is_hidden else " " * spaces]


@pytest.mark.parametrize(
    "half", ["`", "```", "```json\n", "[", "[ ", "<tool", "generate_im", " \n"]
)
def test_what_may_become_a_call_waits_and_what_does_not_is_shown(half: str) -> None:
    assert run(half, "then words")[0] == ["", half + "then words"]


@pytest.mark.parametrize("text", ["[x", "<b>", "Hello", "generate an", "- "])
def test_what_can_be_no_call_is_shown_at_once(text: str) -> None:
    assert run(text) == ([text], "", [])


def test_a_call_behind_words_begins_a_line() -> None:
    assert run(f"Here it is:\n{MARKED}") == (["Here it is:\n"], "", [TOOL])
    assert run("Here it is:", f"\n{MARKED}") == (["Here it is:", "\n"], "", [TOOL])
    assert run("Here it is:\n", MARKED) == (["Here it is:\n", ""], "", [TOOL])
    text = f"Here it is: {MARKED}"
    assert run(text) == ([text], "", [])
    assert run("Here it is:", MARKED) == (["Here it is:", MARKED], "", [])
    assert run("x", f"<{MARKED}") == (["x", f"<{MARKED}"], "", [])


def test_a_call_of_another_tool_is_one_only_where_it_is_marked_and_alone() -> None:
    other = CALL.replace(TOOL, "draw")
    marked = f"<tool_call>{other}</tool_call>"
    assert run(marked) == ([""], "", ["draw"])
    assert run(other) == ([""], other, [])
    assert run(f"Hi.\n{marked}") == (["Hi.\n"], marked, [])
    # A mark in words that are shown says nothing of what comes behind them.
    assert run("Hi.\n", marked) == (["Hi.\n", ""], marked, [])


def test_an_example_in_the_fence_of_the_words_before_it_is_shown() -> None:
    quoted = f"{MARKED}\n```\n"
    assert run(f"As in\n```\n{quoted}") == (["As in\n```\n"], quoted, [])


def test_a_fence_that_is_not_closed_is_no_example_where_the_call_is_the_answer() -> None:
    assert run(f"```json\n{CALL}") == ([""], "", [TOOL])


def test_text_that_is_too_long_or_names_no_tool_is_shown_from_then_on() -> None:
    long = '{"a": "' + "x" * NAME_WITHIN
    assert run(long, "y", CALL) == ([long, "y", CALL], "", [])
    pieces = (long[:NAME_WITHIN], long[NAME_WITHIN:], "z")
    assert run(*pieces)[0] == ["", long, "z"]
    begun = f"<tool_call>{CALL}" + " " * (MAX_CHARACTERS - len(CALL) - len("<tool_call>"))
    assert run(begun) == ([""], "", [TOOL])
    assert run(begun, " ", f"\n{MARKED}") == (["", f"{begun} ", f"\n{MARKED}"], "", [])
    at_once = CALL[:-1] + " " * MAX_CHARACTERS
    assert run(at_once) == ([at_once], "", [])


def test_behind_a_mark_the_name_may_come_later() -> None:
    marked = "<tool_call>" + "x" * NAME_WITHIN
    assert run("Hi.\n", marked) == (["Hi.\n", ""], marked, [])


def test_a_name_in_two_pieces_is_one() -> None:
    pieces = ('{"name": "generate', '_image", "x": "' + "x" * NAME_WITHIN)
    assert run(*pieces)[0] == ["", ""]


def test_a_name_counts_only_within_the_first_characters() -> None:
    near = '{"x": "' + "x" * (NAME_WITHIN - 7 - len(TOOL)) + TOOL
    assert run(near, "y")[0] == ["", ""]
    far = '{"x": "' + "x" * (NAME_WITHIN - 6 - len(TOOL)) + TOOL
    assert run(far, "y")[0] == [far, "y"]


def test_what_was_cut_off_is_neither_shown_nor_a_call() -> None:
    for text in (MARKED[:-20], CALL[:-20], "<tool_call>{generate_image"):
        held = CallFilter(TOOL)
        assert held.add(text) == ""
        assert held.end(ran_out=True) == ("", ())
        assert held.hidden == len(text)
    held = CallFilter(TOOL)
    assert held.add("generate_ima") == ""
    assert held.end(ran_out=True) == ("generate_ima", ())
    assert held.hidden == 0


def test_at_the_end_everything_that_was_held_is_given_once() -> None:
    held = CallFilter(TOOL)
    assert held.add("<tool") == ""
    assert held.end() == ("<tool", ())
    assert held.end() == ("", ())


def test_a_whole_answer_that_was_cut_off_in_a_call_shows_nothing_of_it() -> None:
    for ran_out, rest in ((True, ""), (False, CALL[:-20])):
        answer = AnswerFilter(CallFilter(TOOL))
        assert answer.add(CALL[:-20]) == ""
        assert answer.end(ran_out=ran_out) == (rest, ())
