"""What a provider bills by tokens is told apart from the price, to the micro-dollar and up."""

from collections.abc import Mapping
from typing import Any

import pytest

from imagegen.domain.catalog import Offering
from imagegen.domain.pricing import actual_microusd, price_microusd
from tests.fakes.catalogs import SOURCE, SQUARE, catalog, row

PRICES = {
    "textIn": "2",
    "imageOut": "120",
    "textOut": "12",
    "source": SOURCE,
    "checkedOn": "2026-11-22",
}


def offering(**changes: Any) -> Offering:
    return catalog(row("alpha-one", priority=1, **changes)).models[0]


@pytest.mark.parametrize(
    ("usage", "microusd"),
    [
        ({"output_tokens": 1_000}, 120_000),
        ({"input_tokens": 500, "output_tokens": 1_000}, 121_000),
        ({"input_tokens": 500, "output_tokens": 1_000, "thought_tokens": 250}, 124_000),
        ({"output_tokens": 0}, 0),
        ({"output_tokens": 0, "unknown_tokens": 9}, 0),
    ],
)
def test_each_kind_of_token_has_its_price_by_the_million(
    usage: Mapping[str, int], microusd: int
) -> None:
    assert actual_microusd(offering(tokenPrices=PRICES), usage) == microusd


def test_a_part_of_a_micro_dollar_is_a_whole_one() -> None:
    one = offering(tokenPrices=PRICES | {"textIn": "0.3", "imageOut": "0.4"})
    assert actual_microusd(one, {"input_tokens": 2, "output_tokens": 1}) == 1
    assert actual_microusd(one, {"input_tokens": 2, "output_tokens": 2}) == 2


@pytest.mark.parametrize("usage", [None, {}, {"input_tokens": 500}])
def test_without_the_tokens_of_the_image_nothing_is_said(usage: Mapping[str, int] | None) -> None:
    assert actual_microusd(offering(tokenPrices=PRICES), usage) is None


def test_without_prices_by_the_token_nothing_is_said() -> None:
    assert actual_microusd(offering(), {"output_tokens": 1_000}) is None


def test_an_image_for_nothing_is_not_offered() -> None:
    free = offering(price={"rule": "perImage", "usd": {"1024x1024": "0"}}, sizes=[SQUARE])
    assert price_microusd(free, free.sizes[0]) is None
    cheap = offering(price={"rule": "perImage", "usd": {"1024x1024": "0.000001"}}, sizes=[SQUARE])
    assert price_microusd(cheap, cheap.sizes[0]) == 1
