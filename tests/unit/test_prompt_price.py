"""What a long prompt adds to a price where the provider bills tokens."""

import re
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imagegen.domain.catalog import Offering
from imagegen.domain.pricing import (
    actual_microusd,
    price_microusd,
    prompt_microusd,
    prompt_tokens,
)
from tests.fakes.catalogs import catalog, real_catalog, row
from tests.fakes.service import Service

TOKEN_PRICES = {
    "textIn": "5",
    "imageOut": "30",
    "source": "https://example.com/prices",
    "checkedOn": "2026-11-22",
}
BY_TOKENS = [one for one in real_catalog().models if one.token_prices]
BY_IMAGE = [one for one in real_catalog().models if not one.token_prices]
TOKENS = st.integers(0, 130_000)


def billed(**prices: str) -> Offering:
    return catalog(row("alpha-standard", priority=1, tokenPrices=TOKEN_PRICES | prices)).models[0]


@pytest.mark.parametrize(
    ("tokens", "added"),
    [(0, 0), (250, 0), (251, 1_250), (500, 1_250), (501, 2_500), (8_000, 38_750)],
)
def test_every_250_tokens_begun_after_the_first_step_add_their_price(
    tokens: int, added: int
) -> None:
    assert prompt_microusd(billed(), tokens) == added


@pytest.mark.parametrize(
    ("characters", "added"),
    [(1_000, 0), (1_001, 1_250), (2_000, 1_250), (2_001, 2_500), (32_000, 38_750)],
)
def test_of_usual_english_words_a_thousand_bytes_are_one_step(characters: int, added: int) -> None:
    words = "fogs over the quiet bays where lighthouses shine "
    text = (words * 1_000)[:characters]
    assert prompt_microusd(billed(), prompt_tokens(text)) == added


def test_a_part_of_a_micro_dollar_is_a_whole_one() -> None:
    assert prompt_microusd(billed(textIn="0.000001"), 251) == 1


def test_tokens_are_priced_by_the_million() -> None:
    assert prompt_microusd(billed(textIn="1000"), 8_000) == 31 * 250 * 1_000


@given(st.sampled_from(BY_IMAGE), TOKENS)
def test_who_is_paid_by_the_image_takes_nothing_for_the_prompt(
    offering: Offering, prompt_tokens: int
) -> None:
    assert prompt_microusd(offering, prompt_tokens) == 0


@given(st.sampled_from(BY_TOKENS), TOKENS, TOKENS)
def test_a_longer_prompt_is_never_cheaper(offering: Offering, one: int, other: int) -> None:
    shorter, longer = sorted((one, other))
    assert prompt_microusd(offering, shorter) <= prompt_microusd(offering, longer)


@given(st.sampled_from(BY_TOKENS), st.integers(251, 128_000))
def test_what_is_added_covers_the_tokens_of_all_but_the_first_step(
    offering: Offering, tokens: int
) -> None:
    usage = {"input_tokens": tokens - 250, "output_tokens": 0}
    assert prompt_microusd(offering, tokens) >= (actual_microusd(offering, usage) or 0)


# What a tokenizer makes of a prompt at worst. It works on UTF-8 bytes within pieces of the text:
# at least one token for each piece, at most one for each byte.
FOREIGN = st.text(st.characters(min_codepoint=0x80, exclude_categories=["Cs"]), max_size=200)
SYMBOLS = st.text(string.punctuation, max_size=200)


@given(st.sampled_from(BY_TOKENS), FOREIGN)
def test_text_outside_ascii_is_never_priced_below_its_worst_bill(
    offering: Offering, text: str
) -> None:
    worst = {"input_tokens": max(0, len(text.encode()) - 250), "output_tokens": 0}
    price = prompt_microusd(offering, prompt_tokens(text))
    assert price >= (actual_microusd(offering, worst) or 0)


@given(SYMBOLS)
def test_every_symbol_may_be_a_token(text: str) -> None:
    assert prompt_tokens(text) >= len(text)


@given(st.text(string.digits, max_size=200))
def test_digits_are_cut_into_groups_of_three(text: str) -> None:
    assert prompt_tokens(text) >= -(-len(text) // 3)


@given(st.text(string.ascii_letters + " ", max_size=200))
def test_no_piece_of_letters_is_less_than_a_token(text: str) -> None:
    pieces = re.findall(r"[A-Z]?[a-z]+|[A-Z]+", text)
    assert prompt_tokens(text) >= len(pieces)
    assert prompt_tokens(text) >= len(text) // 4


@given(st.text(), st.text())
def test_more_text_is_never_less(one: str, other: str) -> None:
    assert prompt_tokens(one + other) >= prompt_tokens(one)


@pytest.mark.parametrize(
    ("text", "least"),
    [
        ("\u9f98" * 32_000, 95_372),
        ("\U00020000" * 100, 400),
        ("\U0001f98a" * 100, 400),
        ("a b c d e " * 100, 500),
        ("xQzTkRpW" * 100, 400),
        ("9" * 300, 100),
        ("{}[]();:" * 50, 400),
        ("q" * 1_000, 500),
        ("\n\n" * 100, 100),
    ],
    ids=[
        "rare CJK",
        "outside the plane",
        "emoji",
        "letters",
        "capitals",
        "digits",
        "code",
        "a long word",
        "lines",
    ],
)
def test_dense_text_is_priced_as_such(text: str, least: int) -> None:
    assert prompt_tokens(text) >= least


def test_a_dense_prompt_is_charged_what_it_is_billed() -> None:
    """32,000 rare characters were billed $0.4828 at a charge of $0.1246."""
    (offering,) = [one for one in BY_TOKENS if one.key == "openai-fast"]
    text = "\u9f98" * 32_000
    billed_microusd = actual_microusd(offering, {"input_tokens": 95_372, "output_tokens": 196})
    assert billed_microusd is not None
    charged = 5_900 + prompt_microusd(offering, prompt_tokens(text))
    assert charged >= billed_microusd


def test_the_button_the_hold_and_the_charge_have_the_long_prompt_in_them() -> None:
    service = Service(catalog=catalog(row("alpha-standard", priority=1, tokenPrices=TOKEN_PRICES)))
    long = service.make("a fox " * 400)
    # 800 words are 800 tokens, although they have 2,400 bytes only.
    assert long.record.expected_microusd == service.estimate().price.expected + 3 * 1_250
    assert long.record.charged_microusd == long.record.expected_microusd == service.spent()


def test_the_list_of_models_shows_the_price_without_a_long_prompt() -> None:
    for offering in BY_TOKENS:
        assert all((price_microusd(offering, option) or 0) > 0 for option in offering.sizes)
