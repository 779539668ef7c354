"""What an image really cost, by the provider's own count of tokens."""

import pytest

from imagegen.domain import pricing
from imagegen.domain.catalog import Offering
from imagegen.domain.ports import Json
from imagegen.domain.pricing import MICRO_UNITS, actual_microusd, price_microusd
from imagegen.providers.faults import MAX_COUNT, counts_at
from local.simulator.gemini_sizes import TOKENS
from local.simulator.openai_prices import output_tokens
from tests.fakes.catalogs import catalog, real_catalog, row
from tests.fakes.service import Service

TOKEN_PRICES = {
    "textIn": "5",
    "imageOut": "30",
    "textOut": "7.5",
    "source": "https://example.com/prices",
    "checkedOn": "2026-11-22",
}
TOKEN_BILLED = [one for one in real_catalog().models if one.token_prices]
MOST_DIFFERENCE = 0.03
"""Between a size's price and its tokens' in the catalog itself; the alarm rings at a tenth."""


def billed(**usage: int) -> int | None:
    (offering,) = catalog(row("alpha-one", priority=1, tokenPrices=TOKEN_PRICES)).models
    return actual_microusd(offering, usage)


def test_each_kind_of_token_has_its_price() -> None:
    assert billed(output_tokens=1_756) == 52_680
    assert billed(output_tokens=1_756, input_tokens=25) == 52_680 + 125
    assert billed(output_tokens=1_120, thought_tokens=100) == 33_600 + 750


def test_tokens_of_input_images_have_a_price_of_their_own() -> None:
    prices = TOKEN_PRICES | {"imageIn": "8"}
    (offering,) = catalog(row("alpha-one", priority=1, tokenPrices=prices)).models
    usage = {"input_tokens": 1_034, "input_image_tokens": 1_024, "output_tokens": 196}
    assert actual_microusd(offering, usage) == 10 * 5 + 1_024 * 8 + 196 * 30
    # Without a price of their own they cost as much as text.
    assert billed(**usage) == 1_034 * 5 + 196 * 30


@pytest.mark.parametrize(
    ("micro_units", "microusd"),
    [(1_000_000, 3_000), (2_000_000, 6_000), (0, 0), (1, 1), (1_048_576, 3_146)],
)
def test_a_vendors_own_units_cost_what_the_row_has_for_one(micro_units: int, microusd: int) -> None:
    (offering,) = catalog(row("alpha-one", priority=1, unitPrice="0.003")).models
    assert actual_microusd(offering, {MICRO_UNITS: micro_units}) == microusd


def test_units_without_a_price_say_nothing_of_the_cost() -> None:
    assert billed(**{MICRO_UNITS: 1_000_000}) is None


def test_words_beside_an_image_cost_what_words_cost() -> None:
    assert billed(output_tokens=1_130, output_text_tokens=10) == 33_600 + 75


def test_every_image_in_an_answer_is_billed() -> None:
    assert billed(output_tokens=3 * 1_120) == 3 * 33_600


def test_a_part_that_is_counted_higher_than_the_whole_makes_nothing_cheaper() -> None:
    assert (billed(output_tokens=5, output_text_tokens=10) or 0) >= 10 * 7
    usage = {"input_tokens": 5, "input_image_tokens": 10, "output_tokens": 0}
    assert (billed(**usage) or 0) >= 10 * 5


@pytest.mark.parametrize("offering", TOKEN_BILLED, ids=lambda one: one.key)
def test_what_a_request_may_cost_at_most_is_bounded_in_it(offering: Offering) -> None:
    """Without a limit, an answer of Gemini may have 32,768 tokens: images, and thoughts."""
    if offering.provider != "gemini":
        return
    for option in offering.sizes:
        limit, needed = offering.sent(option)["maxOutputTokens"], tokens(offering, option.size)
        assert needed + 1_000 <= limit <= 6_144, option.size


def test_nano_banana_draws_one_image_and_thinks_little() -> None:
    offering = real_catalog().by_key["gemini-high"]
    for option in offering.sizes:
        sent = offering.sent(option)
        assert sent["thinkingConfig"] == {"thinkingLevel": "MINIMAL"}
        assert sent["maxOutputTokens"] < 2 * tokens(offering, option.size)


def test_a_part_of_a_micro_dollar_is_a_whole_one() -> None:
    assert billed(output_tokens=0, thought_tokens=1) == 8


@pytest.mark.parametrize("usage", [{}, {"input_tokens": 5}, {"total_tokens": 1_781}])
def test_a_count_without_the_images_tokens_says_nothing(usage: dict[str, int]) -> None:
    assert billed(**usage) is None


def test_without_token_prices_or_a_count_nothing_is_known() -> None:
    (plain,) = catalog(row("alpha-one", priority=1)).models
    assert actual_microusd(plain, {"output_tokens": 1}) is None
    assert actual_microusd(TOKEN_BILLED[0], None) is None


def test_a_provider_that_is_billed_by_tokens_has_their_prices_in_every_row() -> None:
    by_tokens = {one.provider for one in TOKEN_BILLED}
    assert by_tokens >= {"openai", "gemini"}
    rows = {one.key for one in real_catalog().models if one.provider in by_tokens}
    assert {one.key for one in TOKEN_BILLED} == rows


def tokens(offering: Offering, size: str) -> int:
    option = offering.option(size)
    assert option is not None
    if offering.provider == "openai":
        return output_tokens(offering.params["quality"], *option.pixels)
    return TOKENS[offering.model][option.params["imageConfig"]["imageSize"]]


@pytest.mark.parametrize("offering", TOKEN_BILLED, ids=lambda one: one.key)
def test_a_price_in_the_catalog_is_what_its_tokens_cost(offering: Offering) -> None:
    for option in offering.sizes:
        price = price_microusd(offering, option)
        actual = actual_microusd(offering, {"output_tokens": tokens(offering, option.size)})
        assert price is not None
        assert actual is not None
        assert abs(actual - price) <= MOST_DIFFERENCE * price, option.size


def test_the_record_of_an_image_holds_what_it_really_cost_and_the_user_pays_the_price() -> None:
    service = Service(catalog=catalog(row("alpha-standard", priority=1, tokenPrices=TOKEN_PRICES)))
    service.providers["alpha"].usage = {"output_tokens": 1_756}
    record = service.make().record
    assert (record.actual_microusd, record.charged_microusd) == (52_680, 50_000)
    assert service.spent() == 50_000


def test_a_provider_that_counts_nothing_leaves_it_open() -> None:
    assert Service().make().record.actual_microusd is None


@pytest.mark.parametrize("count", [-1, MAX_COUNT + 1, 10**60, True, 1.5, "5", None])
def test_what_no_provider_could_have_counted_is_no_count(count: object) -> None:
    """A number of forty digits would fit no store, once the image is charged."""
    names = {"input_tokens": "input_tokens", "output_tokens": "output_tokens"}
    body: Json = {"usage": {"input_tokens": 7, "output_tokens": count}}  # type: ignore[dict-item]
    assert counts_at(body, names, "usage") == {"input_tokens": 7}
    assert counts_at(
        {"usage": {"input_tokens": 0, "output_tokens": MAX_COUNT}}, names, "usage"
    ) == {
        "input_tokens": 0,
        "output_tokens": MAX_COUNT,
    }


@pytest.mark.parametrize(
    ("usage", "expected"),
    [
        (None, None),
        ({}, None),
        ({"input_tokens": 7}, None),
        ({"output_tokens": 5}, (0, 5)),
        ({"input_tokens": 7, "output_tokens": 5}, (7, 5)),
        ({"input_tokens": 7, "output_tokens": 5, "thought_tokens": 3}, (7, 8)),
    ],
)
def test_tokens_are_told_where_the_image_s_are_counted(
    usage: dict[str, int] | None, expected: tuple[int, int] | None
) -> None:
    assert pricing.tokens(usage) == expected
