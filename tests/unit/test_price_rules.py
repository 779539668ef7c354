"""How the catalog may write a price: a field that is mistyped or left out prices nothing."""

from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from imagegen.domain.price_rules import InputPrice, PerImage, PerRunPlusMegapixel, PriceRule

RULES: TypeAdapter[Any] = TypeAdapter(PriceRule)
INPUTS: TypeAdapter[Any] = TypeAdapter(InputPrice)


@pytest.mark.parametrize("size", ["square", "1024", "1024x", "0x1024", "1024x01024", "5x5", " 1x1"])
def test_a_price_of_a_size_names_its_pixels(size: str) -> None:
    with pytest.raises(ValidationError):
        RULES.validate_python({"rule": "perImage", "usd": {size: "0.05"}})
    RULES.validate_python({"rule": "perImage", "usd": {"1024x1536": "0.05"}})


def test_a_price_with_a_field_that_no_rule_has_is_refused() -> None:
    with pytest.raises(ValidationError):
        RULES.validate_python({"rule": "perMegapixel", "usd": "0.05", "usdPerRun": "1"})


def test_a_price_cannot_be_changed() -> None:
    price = RULES.validate_python({"rule": "perMegapixel", "usd": "0.05"})
    with pytest.raises(ValidationError):
        price.usd = 1


def test_a_field_has_the_name_of_the_file_and_that_of_the_code() -> None:
    written = RULES.validate_python({"rule": "perRunPlusMegapixel", "usdPerRun": "1", "usd": "2"})
    made = PerRunPlusMegapixel(rule="perRunPlusMegapixel", usd_per_run="1", usd="2")
    assert written == made


@pytest.mark.parametrize(
    ("rule", "name"), [("patchTokens", "cap"), ("perStartedMegapixel", "most")]
)
def test_at_least_one_token_or_megapixel_is_billed(rule: str, name: str) -> None:
    price = "usdPerMillion" if rule == "patchTokens" else "usd"
    assert INPUTS.validate_python({"rule": rule, price: "1", name: 1})
    for wrong in (0, -1):
        with pytest.raises(ValidationError):
            INPUTS.validate_python({"rule": rule, price: "1", name: wrong})


def test_a_copy_may_change_a_field_and_shares_the_others() -> None:
    price = RULES.validate_python({"rule": "perImage", "usd": {"1024x1024": "0.05"}})
    assert isinstance(price, PerImage)
    assert price.model_copy().usd is price.usd
    assert price.model_copy(deep=True).usd is not price.usd
