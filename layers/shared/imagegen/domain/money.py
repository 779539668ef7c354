"""Money is whole micro-dollars inside; decimal text only at the edges."""

import re
from decimal import Decimal
from typing import Annotated

from pydantic import BeforeValidator

MICRO = 1_000_000
MAX_USD = 1_000_000_000
"""More than anything here costs; beyond it decimal arithmetic would no longer be exact."""


def parse_usd(text: str) -> int:
    """Return decimal dollars as micro-dollars: ``"0.0527"`` is 52_700.

    Raises:
        ValueError: no plain decimal number, absurdly high, or finer than a micro-dollar.
    """
    # Python's own reading takes "1_0", "1e1", blanks and every script's digits for ten, too.
    if not isinstance(text, str) or not re.fullmatch(r"[0-9]*\.?[0-9]+", text):
        raise ValueError(f"{text!r} is no decimal amount of dollars")
    amount = Decimal(text)
    if amount > MAX_USD:
        raise ValueError(f"{text!r} is no amount of dollars from zero to {MAX_USD}")
    micro = int(amount * MICRO)
    # A product is rounded to 28 places, a comparison is exact.
    if Decimal(micro) / MICRO != amount:
        raise ValueError(f"{text!r} is finer than a micro-dollar")
    return micro


Usd = Annotated[int, BeforeValidator(parse_usd)]
"""A field that holds decimal dollars in JSON or in the environment, and micro-dollars here."""


def usd_text(price_microusd: int) -> str:
    """Return micro-dollars as decimal dollars with six places: 40_000 is ``"0.040000"``."""
    dollars, rest = divmod(price_microusd, MICRO)
    return f"{dollars}.{rest:06d}"


def label_text(price_microusd: int) -> str:
    """Return the dollars a button shows, never less than the price: 52_700 is ``"$0.0527"``.

    Cents where they are exact, else up to four places rounded up, six below $0.0001.
    """
    places = 6 if price_microusd < 100 else 4
    step = 10 ** (6 - places)
    rounded = -(-price_microusd // step) * step
    text = usd_text(rounded).rstrip("0")
    whole, _, fraction = text.partition(".")
    return f"${whole}.{fraction:0<2}"


def button_label(expected_microusd: int, ceiling_microusd: int) -> str:
    """Return what the button says; the ceiling stands there where it is another price."""
    label = f"Generate Image for {label_text(expected_microusd)}"
    if ceiling_microusd == expected_microusd:
        return label
    return f"{label} (at most {label_text(ceiling_microusd)})"
