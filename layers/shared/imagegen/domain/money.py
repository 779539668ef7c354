"""Money: whole micro-dollars inside the service, decimal text only at its edges."""

import re
from decimal import Decimal
from typing import Annotated

from pydantic import BeforeValidator, Field

from imagegen.domain.operations import VERBS, Operation

MICRO = 1_000_000
MAX_USD = 1_000_000_000
"""More than any price here; above this, decimal arithmetic would no longer be exact."""


def parse_usd(text: str) -> int:
    """Return decimal dollars as micro-dollars: ``"0.0527"`` is 52_700.

    Raises:
        ValueError: it is not a plain decimal number, is absurdly high, or is finer than a
            micro-dollar.
    """
    # Decimal() alone would also accept "1_0", "1e1", blanks, and the digits of every script.
    if not isinstance(text, str) or not re.fullmatch(r"[0-9]*\.?[0-9]+", text):
        raise ValueError(f"{text!r} is not a decimal amount of dollars")
    amount = Decimal(text)
    if amount > MAX_USD:
        raise ValueError(f"{text!r} is not between 0 and {MAX_USD} dollars")
    micro = int(amount * MICRO)
    # Decimal rounds a product to 28 places, but compares exactly.
    if Decimal(micro) / MICRO != amount:
        raise ValueError(f"{text!r} is finer than a micro-dollar")
    return micro


Usd = Annotated[int, BeforeValidator(parse_usd)]
"""A field that holds decimal dollars in JSON or in the environment, and micro-dollars here."""


def _none_if_empty(value: object) -> object:
    """Return ``None`` for an empty text: the template passes an unset parameter as that."""
    return None if value == "" else value


UsdOrNone = Annotated[Usd | None, BeforeValidator(_none_if_empty)]
"""As ``Usd``; empty for none."""
UsdPerMillion = Annotated[
    Decimal | None, Field(ge=0, allow_inf_nan=False), BeforeValidator(_none_if_empty)
]
"""Decimal dollars for a million tokens; empty for none."""


def usd_text(price_microusd: int) -> str:
    """Return micro-dollars as decimal dollars with six places: 40_000 is ``"0.040000"``."""
    dollars, rest = divmod(price_microusd, MICRO)
    return f"{dollars}.{rest:06d}"


def label_text(price_microusd: int) -> str:
    """Return the dollars that a button shows, never less than the price: 52_700 is ``"$0.0527"``.

    Two places if they are exact, else up to four, rounded up; up to six below $0.0001.
    """
    places = 6 if price_microusd < 100 else 4
    step = 10 ** (6 - places)
    rounded = -(-price_microusd // step) * step
    text = usd_text(rounded).rstrip("0")
    whole, _, fraction = text.partition(".")
    return f"${whole}.{fraction:0<2}"


def button_label(
    ceiling_microusd: int, *, count: int = 1, operation: Operation = Operation.GENERATE
) -> str:
    """Return the button's text; its number is the most that can be charged, for all images.

    A free image is labelled as free, so that nobody takes $0.00 for a rounded price.
    """
    what = "Image" if count == 1 else f"{count} Images"
    price = label_text(ceiling_microusd) if ceiling_microusd else "Free"
    return f"{VERBS[operation]} {what} for {price}"


def usual_price(expected_microusd: int, ceiling_microusd: int) -> str:
    """Return the note beside the button, such as ``usually $0.0132``.

    It is empty if the expected price is the one on the button.
    """
    expected = label_text(expected_microusd)
    return "" if expected == label_text(ceiling_microusd) else f"usually {expected}"
