"""What is shown of each piece of an answer whose thinking has no opening tag."""

import pytest

from imagegen.llm.thinking import UnopenedFilter


def shown(*pieces: str, is_expected: bool = False) -> list[str]:
    """Return what is shown of each piece, and at the end."""
    hidden = UnopenedFilter(is_expected=is_expected)
    return [*(hidden.add(piece) for piece in pieces), hidden.end()]


@pytest.mark.parametrize("closing", ["</think>", "</THINK>", "[/THINK]", "[/think]"])
def test_a_tag_at_the_very_start_is_hidden_in_any_case(closing: str) -> None:
    assert shown(f"{closing}\n\nHello!") == ["Hello!", ""]
    assert shown(f"{closing}Hello!") == ["Hello!", ""]


@pytest.mark.parametrize("tag", ["</th\u0131nk>", "[/TH\u0130NK]"])
def test_letters_that_are_only_alike_make_no_tag(tag: str) -> None:
    assert "".join(shown(f"{tag}\nHello!")) == f"{tag}\nHello!"


@pytest.mark.parametrize("opening", ["<think>", "<THINK>", "[Think]"])
def test_behind_an_opening_tag_nothing_is_hidden(opening: str) -> None:
    text = f"So: {opening}\na.\n</think>\nb"
    assert shown(text) == [text, ""]


def test_a_closing_tag_before_an_opening_one_ends_thinking() -> None:
    text = "Hm.\n</think>\nUse <think> for that."
    assert shown(text) == ["Use <think> for that.", ""]
    assert shown(text, is_expected=True) == ["Use <think> for that.", ""]


def test_tags_with_a_bar_belong_to_others() -> None:
    for tag in ("<|/thinking|>", "<|channel|>final<|message|>"):
        assert shown(f"Hm.\n{tag}\nHello!") == [f"Hm.\n{tag}\nHello!", ""]


def test_held_text_is_given_back_whole_where_no_tag_came() -> None:
    assert shown("One. ", "Two. ", "Three.", is_expected=True) == ["", "", "", "One. Two. Three."]


def test_what_was_shown_before_the_tag_stays() -> None:
    assert shown("Thoughts one.", " More.\n</think>\nHello!") == [
        "Thoughts one.",
        " More.\n\nHello!",
        "",
    ]


def test_only_what_may_become_a_tag_is_held_back() -> None:
    assert shown("a < b", " and <b", ">") == ["a < b", " and <b", ">", ""]
    assert shown("a.\n</th", "e end") == ["a.\n", "</the end", ""]


def test_spaces_are_taken_away_behind_the_tag_and_not_behind_the_first_word() -> None:
    pieces = ("Hm.\n</think>", "\n", "  ", " Hello", "  you", "\n")
    assert shown(*pieces, is_expected=True) == ["", "", "", "Hello", "  you", "\n", ""]
