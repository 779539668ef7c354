"""Whatever JSON named, the text that is passed on can be written as UTF-8."""

from hypothesis import given
from hypothesis import strategies as st

from imagegen.domain.ports import TextPart, ToolUse
from imagegen.domain.text import is_first_half, legible
from tests.fakes.llms import ANY_TEXT


@given(ANY_TEXT)
def test_any_text_becomes_one_that_utf_8_can_carry(text: str) -> None:
    assert legible(text).encode().decode() == legible(text)
    assert legible(legible(text)) == legible(text)


@given(st.text())
def test_a_text_of_whole_characters_stays_as_it_is(text: str) -> None:
    assert legible(text) == text


@given(st.characters(min_codepoint=0x10000))
def test_halves_that_meet_are_one_character(whole: str) -> None:
    units = whole.encode("utf-16-be")
    first, second = (units[at : at + 2].decode("utf-16-be", "surrogatepass") for at in (0, 2))
    assert is_first_half(first)
    assert not is_first_half(second)
    assert legible(f"a{first}{second}b") == f"a{whole}b"


def test_halves_that_meet_no_other_are_replaced_one_by_one() -> None:
    assert legible("a\ud83db\ude00c") == "a\ufffdb\ufffdc"
    assert legible("\ude00\ud83d") == "\ufffd\ufffd"


@given(ANY_TEXT)
def test_what_an_llm_said_and_asked_can_always_be_written(text: str) -> None:
    asked = ToolUse(text, text, text)
    for one in (TextPart(text).text, asked.id, asked.name, asked.arguments):
        assert one == legible(text)
