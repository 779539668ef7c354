"""What one image of a row costs, in micro-dollars, rounded up to a whole micro-dollar."""

from collections.abc import Mapping
from decimal import ROUND_CEILING, Decimal
from typing import assert_never

from imagegen.domain.catalog import (
    Offering,
    PerImage,
    PerMegapixel,
    PerRunPlusMegapixel,
    PriceRule,
    SizeOption,
)

PROMPT_STEP_BYTES = 1_000
"""The image's price includes a prompt's first step; each further step that is begun adds to it."""
STEP_TOKENS = 250
"""A token has about four bytes: slightly more in English, about three in other scripts."""


def price_microusd(row: Offering, option: SizeOption) -> int | None:
    """Return the price of one image, or ``None`` if the row has none: then it is not offered.

    A price of zero counts as a missing price: no provider makes images for free.
    """
    return _price(row.price, option) or None


def prompt_microusd(row: Offering, prompt_bytes: int) -> int:
    """Return what a long prompt adds to the price, in micro-dollars.

    Providers that bill tokens also bill those of the prompt. Without this addition, a prompt of
    32,000 characters would cost the operator seven times the price of a fast image.
    """
    if row.token_prices is None:
        return 0
    steps = max(0, -(-prompt_bytes // PROMPT_STEP_BYTES) - 1)
    return -(-steps * STEP_TOKENS * row.token_prices.text_in // 1_000_000)


def actual_microusd(row: Offering, usage: Mapping[str, int] | None) -> int | None:
    """Return what the provider bills for an image by its tokens, or ``None`` if that is unknown.

    ``usage`` is that of ``ImageAnswer``; without ``output_tokens``, the bill is unknown.
    """
    prices = row.token_prices
    if prices is None or not usage or "output_tokens" not in usage:
        return None
    each = {
        "input_tokens": prices.text_in,
        "output_tokens": prices.image_out,
        "thought_tokens": prices.text_out,
    }
    # Prices are in micro-dollars per million tokens: one token costs a millionth of the price.
    return -(-sum(usage.get(kind, 0) * price for kind, price in each.items()) // 1_000_000)


def tokens(usage: Mapping[str, int] | None) -> tuple[int, int] | None:
    """Return input and output tokens, thoughts included, or ``None`` if they are unknown."""
    if not usage or "output_tokens" not in usage:
        return None
    return usage.get("input_tokens", 0), usage["output_tokens"] + usage.get("thought_tokens", 0)


def _price(rule: PriceRule, option: SizeOption) -> int | None:
    match rule:
        case PerImage():
            return rule.usd.get(option.size)
        case PerMegapixel():
            return _ceiling(rule.usd * option.megapixels)
        case PerRunPlusMegapixel():
            return rule.usd_per_run + _ceiling(rule.usd * option.megapixels)
    assert_never(rule)


def _ceiling(amount: Decimal) -> int:
    return int(amount.to_integral_value(ROUND_CEILING))
