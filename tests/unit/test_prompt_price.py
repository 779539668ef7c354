"""What a long prompt adds to a price where the provider bills tokens."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imagegen.domain.catalog import Offering
from imagegen.domain.pricing import actual_microusd, price_microusd, prompt_microusd
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
BYTES = st.integers(0, 130_000)


def billed(**prices: str) -> Offering:
    return catalog(row("alpha-standard", priority=1, tokenPrices=TOKEN_PRICES | prices)).models[0]


@pytest.mark.parametrize(
    ("prompt_bytes", "added"),
    [(0, 0), (1_000, 0), (1_001, 1_250), (2_000, 1_250), (2_001, 2_500), (32_000, 38_750)],
)
def test_every_thousand_bytes_begun_after_the_first_add_the_price_of_250_tokens(
    prompt_bytes: int, added: int
) -> None:
    assert prompt_microusd(billed(), prompt_bytes) == added


def test_a_part_of_a_micro_dollar_is_a_whole_one() -> None:
    assert prompt_microusd(billed(textIn="0.000001"), 1_001) == 1


def test_tokens_are_priced_by_the_million() -> None:
    assert prompt_microusd(billed(textIn="1000"), 32_000) == 31 * 250 * 1_000


@given(st.sampled_from(BY_IMAGE), BYTES)
def test_who_is_paid_by_the_image_takes_nothing_for_the_prompt(
    offering: Offering, prompt_bytes: int
) -> None:
    assert prompt_microusd(offering, prompt_bytes) == 0


@given(st.sampled_from(BY_TOKENS), BYTES, BYTES)
def test_a_longer_prompt_is_never_cheaper(offering: Offering, one: int, other: int) -> None:
    shorter, longer = sorted((one, other))
    assert prompt_microusd(offering, shorter) <= prompt_microusd(offering, longer)


@given(st.sampled_from(BY_TOKENS), st.integers(1_001, 128_000))
def test_what_is_added_covers_the_tokens_of_all_but_the_first_step(
    offering: Offering, prompt_bytes: int
) -> None:
    tokens = {"input_tokens": (prompt_bytes - 1_000) // 4, "output_tokens": 0}
    assert prompt_microusd(offering, prompt_bytes) >= (actual_microusd(offering, tokens) or 0)


def test_the_button_the_hold_and_the_charge_have_the_long_prompt_in_them() -> None:
    service = Service(catalog=catalog(row("alpha-standard", priority=1, tokenPrices=TOKEN_PRICES)))
    long = service.make("a fox " * 400)
    assert long.record.expected_microusd == service.estimate().price.expected + 2 * 1_250
    assert long.record.charged_microusd == long.record.expected_microusd == service.spent()


def test_the_list_of_models_shows_the_price_without_a_long_prompt() -> None:
    for offering in BY_TOKENS:
        assert all((price_microusd(offering, option) or 0) > 0 for option in offering.sizes)
