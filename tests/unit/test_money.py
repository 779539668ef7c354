"""Money is whole micro-dollars, and a label never says less than the price."""

from decimal import Decimal
from typing import cast

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from imagegen.domain.errors import ParameterError
from imagegen.domain.money import button_label, label_text, parse_usd, usd_text, usual_price
from imagegen.openai_api.model_names import Named
from imagegen.openai_api.models import ImagesRequest, to_estimate_request
from imagegen.wire.estimates import EstimateRequest
from tests.fakes.catalogs import real_catalog

AMOUNTS = st.integers(0, 10**12)


@given(AMOUNTS)
def test_text_of_an_amount_reads_back_as_the_amount(amount: int) -> None:
    assert parse_usd(usd_text(amount)) == amount


@given(AMOUNTS)
@example(1)
@example(99)
@example(100)
@example(9_999)
@example(10_001)
def test_a_label_is_never_below_the_price_and_at_most_a_hundredth_of_a_cent_above(
    amount: int,
) -> None:
    said = Decimal(label_text(amount).removeprefix("$")) * 1_000_000
    assert amount <= said < amount + 100


@given(st.integers(1, 10**12))
def test_a_positive_price_is_never_labelled_as_nothing(amount: int) -> None:
    assert label_text(amount) != "$0.00"
    assert Decimal(label_text(amount).removeprefix("$")) > 0


@pytest.mark.parametrize(
    ("amount", "label"),
    [
        (50_000, "$0.05"),
        (52_700, "$0.0527"),
        (52_701, "$0.0528"),
        (1_000_000, "$1.00"),
        (1_500_000, "$1.50"),
        (99, "$0.000099"),
        (0, "$0.00"),
    ],
)
def test_a_label_has_cents_and_more_places_only_where_they_are_needed(
    amount: int, label: str
) -> None:
    assert label_text(amount) == label


def test_the_button_has_one_number() -> None:
    assert button_label(70_000) == "Generate Image for $0.07"
    assert button_label(280_000, count=4) == "Generate 4 Images for $0.28"


def test_what_is_usual_is_said_where_the_button_says_something_else() -> None:
    assert usual_price(50_000, 70_000) == "usually $0.05"
    assert usual_price(50_000, 50_000) == ""
    assert usual_price(13_201, 13_250) == ""  # both are $0.0133, rounded up


@pytest.mark.parametrize(
    "text",
    [
        "0.0000001",
        "-0.01",
        "NaN",
        "sNaN",
        "Infinity",
        "",
        "five",
        "0x5",
        "$5",
        "1e-7",
        "0.0000010000000000000000000000000000001",
        "1_0",
        "1e1",
        "1E1",
        "+1",
        " 1",
        "1 ",
        "1\n",
        "1.",
        ".",
        "0.05, 0.05",
        "\uff11",
        "\u0665",
        "0.\u0665",
        "\u00b2",
        "1" * 5_000,
        "-0",
    ],
)
def test_no_amount_of_micro_dollars_is_an_error(text: str) -> None:
    with pytest.raises(ValueError, match=r"dollar"):
        parse_usd(text)


@given(st.text("0123456789.eE+-_ \u0665\uff11", max_size=8))
def test_only_plain_ascii_decimals_are_amounts(text: str) -> None:
    try:
        parse_usd(text)
    except ValueError:
        return
    assert set(text) <= set("0123456789.")


@pytest.mark.parametrize("text", ["1_0", "\u0665", "1e1", " 5 "])
def test_the_most_to_pay_is_a_plain_decimal_in_a_body_and_in_a_header(text: str) -> None:
    with pytest.raises(ValueError, match="dollars"):
        EstimateRequest.model_validate({"prompt": "a fox", "maxCost": text})
    with pytest.raises(ParameterError, match="dollars"):
        to_estimate_request(ImagesRequest(prompt="a fox"), Named(None, None), real_catalog(), text)


@given(st.text(max_size=30))
def test_any_other_text_is_a_value_error_or_an_amount(text: str) -> None:
    try:
        assert parse_usd(text) >= 0
    except ValueError:
        return


@pytest.mark.parametrize("amount", ["1e999999", "1e999990", "9" * 5000, 1e300, "1e5000"])
def test_an_absurd_amount_is_the_callers_error_and_not_a_crash(amount: object) -> None:
    with pytest.raises(ValueError, match="dollars"):
        EstimateRequest.model_validate({"prompt": "a fox", "maxCost": amount})


@pytest.mark.parametrize(
    ("given_", "expected"),
    [
        *[("0.05", 50_000), (".05", 50_000), ("007", 7_000_000), ("1.0" + "0" * 99, 1_000_000)],
        *[(0.05, 50_000), (1, 1_000_000), (0.00001, 10), (1e-6, 1), (1e1, 10_000_000)],
    ],
)
def test_dollars_come_in_as_text_or_number(given_: object, expected: int) -> None:
    request = EstimateRequest.model_validate({"prompt": "a fox", "maxCost": given_})
    assert request.max_cost == expected


def test_what_is_no_text_is_no_amount() -> None:
    for value in (None, 5, b"5"):
        with pytest.raises(ValueError, match="not a decimal amount"):
            parse_usd(cast("str", value))
