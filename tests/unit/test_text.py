"""Whatever JSON named, the text that is passed on can be written as UTF-8."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imagegen.domain.ports import TextPart, ToolUse
from imagegen.domain.quote import prompt_hash
from imagegen.domain.text import REPLACED, is_blank, is_first_half, is_same_name, legible
from imagegen.wire.estimates import EstimateRequest
from imagegen.wire.images import GenerateRequest
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


# What people see.

INVISIBLE = {
    "nothing": "",
    "spaces": " \t\r\n\u00a0\u2003\u3000\u1680",
    "line and paragraph separators": "\u2028\u2029\u0085",
    "zero width": "\u200b\u200c\u200d\u2060\ufeff",
    "Hangul fillers": "\u115f\u1160\u3164\uffa0",
    "Braille without dots": "\u2800",
    "variation selectors": "\ufe00\ufe0f\U000e0100\U000e01ef\u180b",
    "tags": "\U000e0001\U000e0041\U000e007f",
    "directions": "\u200e\u200f\u202a\u202e\u2066\u2069\u061c",
    "soft hyphen and joiners": "\u00ad\u034f\u17b4\u17b5\u180e",
    "invisible operators": "\u2061\u2062\u2063\u2064\u2065",
    "controls": "\x00\x01\x1b\x7f\x9f",
    "musical blanks": "\U0001d159\U0001d173\U0001d17a",
    "Egyptian blanks": "\U00013441\U00013442\U00013430",
    "marks without a letter": "\u0301\u20dd\u0489",
    "no characters": "\ufdd0\uffff\U0001fffe",
    "halves": "\ud83d",
}
VISIBLE = {
    "a letter": "a",
    "a digit": "7",
    "a sign": "!",
    "an emoji": "\U0001f98a",
    "an emoji of several": "\U0001f468\u200d\U0001f469\u200d\U0001f467",
    "a flag of tags": "\U0001f3f4\U000e0067\U000e0062\U000e007f",
    "a keycap": "1\ufe0f\u20e3",
    "Hangul": "\ud55c",
    "halves of Hangul": "\u1112\u1161",
    "Braille with dots": "\u2801",
    "a letter with an accent beside it": "e\u0301",
    "Devanagari": "\u0928\u093f",
    "Thai": "\u0e01\u0e33",
    "Arabic": "\u062b",
    "Chinese": "\u72d0",
    "a character of Unicode's next version": "\U0001fadc",
    "an Egyptian sign": "\U00013000",
}


@pytest.mark.parametrize("text", INVISIBLE.values(), ids=INVISIBLE.keys())
def test_a_prompt_that_nobody_can_see_is_empty(text: str) -> None:
    assert is_blank(text)
    assert is_blank(text * 3)
    assert not is_blank(f"{text}a{text}")
    # A picture is upscaled without a prompt, and its quote says so.
    for body in (EstimateRequest, GenerateRequest) if text else (EstimateRequest,):
        with pytest.raises(ValueError, match="prompt"):
            body.model_validate({"prompt": text, "quote": "q"})


@pytest.mark.parametrize("text", VISIBLE.values(), ids=VISIBLE.keys())
def test_a_prompt_of_one_character_is_a_prompt(text: str) -> None:
    assert EstimateRequest(prompt=text).prompt == text


@given(st.text(st.characters(categories=["Cc", "Cf", "Cs", "Zs", "Zl", "Zp", "Mn", "Me"])))
def test_what_unicode_gives_no_picture_is_blank_in_any_mixture(text: str) -> None:
    assert is_blank(text)


@given(st.text(st.sampled_from("".join(INVISIBLE.values()))))
def test_every_mixture_of_invisible_characters_is_blank(text: str) -> None:
    assert is_blank(text)


@given(st.text(), st.characters(categories=["L", "N", "P", "S"]), st.text())
def test_one_visible_character_is_enough(before: str, one: str, after: str) -> None:
    is_filler = one in "\u115f\u1160\u3164\uffa0\u2800\U0001d159\U00013441\U00013442"
    assert is_blank(one) is is_filler
    assert is_filler or not is_blank(before + one + after)


@given(st.text())
def test_blank_is_at_least_what_python_strips(text: str) -> None:
    assert text.strip() or is_blank(text)


@pytest.mark.parametrize("name", ["prompt", "style"])
def test_text_that_a_decoder_has_damaged_is_not_sold(name: str) -> None:
    fields = {"prompt": "a boat", name: f"a {REPLACED} boat"}
    with pytest.raises(ValueError, match=r"U\+FFFD"):
        EstimateRequest.model_validate(fields)


@given(st.text(min_size=1))
def test_escaped_and_unescaped_json_are_one_prompt(text: str) -> None:
    escaped, raw = (json.loads(json.dumps(text, ensure_ascii=one)) for one in (True, False))
    assert prompt_hash(escaped) == prompt_hash(raw) == prompt_hash(text)


def test_escapes_in_any_case_are_one_prompt() -> None:
    spellings = ('"\\ud83e\\udd8a"', '"\\uD83E\\uDD8A"', '"\\uD83e\\udD8a"', '"\U0001f98a"')
    assert {prompt_hash(json.loads(one)) for one in spellings} == {prompt_hash("\U0001f98a")}


# The edges of what is blank, by Unicode's tables.

EDGES_OF_BLANK = (
    *(0x115F, 0x1160, 0x2065, 0x3164, 0xFFA0, 0xFFF0, 0xFFF8, 0xE0000, 0xE0FFF, 0x2800),
    *(0x1D159, 0x13441, 0x13442, 0xFFFC, 0xFDD0, 0xFDEF, 0xFFFE, 0xFFFF, 0x1FFFE, 0x10FFFF),
)
BESIDE_BLANK = (
    *(0x115E, 0x1161, 0x3163, 0x3165, 0xFF9F, 0xFFA1, 0xFFEF, 0xE1000, 0x27FF, 0x2801),
    *(0x1D158, 0x1D15A, 0x13443, 0xFFFD, 0xFDCF, 0xFDF0, 0x1FFFD, ord("!"), ord("~")),
)


@pytest.mark.parametrize("point", EDGES_OF_BLANK, ids=hex)
def test_a_character_without_a_picture_is_blank(point: int) -> None:
    assert is_blank(chr(point))


@pytest.mark.parametrize("point", BESIDE_BLANK, ids=hex)
def test_the_character_beside_it_is_not(point: int) -> None:
    assert not is_blank(chr(point))


@pytest.mark.parametrize(("name", "most"), [("prompt", 32_000), ("style", 200)])
def test_a_text_may_have_so_many_characters(name: str, most: int) -> None:
    EstimateRequest.model_validate({"prompt": "a boat", name: "x" * most})
    with pytest.raises(ValueError, match=name):
        EstimateRequest.model_validate({"prompt": "a boat", name: "x" * (most + 1)})


def test_a_prompt_that_is_paid_for_is_as_long_as_that_of_its_estimate() -> None:
    GenerateRequest.model_validate({"prompt": "x" * 32_000, "quote": "q"})
    with pytest.raises(ValueError, match="prompt"):
        GenerateRequest.model_validate({"prompt": "x" * 32_001, "quote": "q"})
    with pytest.raises(ValueError, match=r"U\+FFFD"):
        GenerateRequest.model_validate({"prompt": f"a {REPLACED}", "quote": "q"})


@pytest.mark.parametrize("other", ["image-size", "ImageSize", "IMAGE_SIZE", "image size:0"])
def test_a_name_is_the_same_in_any_spelling(other: str) -> None:
    assert is_same_name("image_size", other)
    assert not is_same_name("image_size", f"x{other}")
