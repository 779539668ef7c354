"""What one image of a row costs, in micro-dollars, rounded up to a whole one."""

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
"""The first of these steps is in the image's price; each one begun after it adds to it."""
STEP_TOKENS = 250
"""Four bytes are about a token: English a little more, other scripts about three."""


def price_microusd(row: Offering, option: SizeOption) -> int | None:
    """Return the price of one image, or ``None`` where the row has none: then it is not offered.

    A price of zero is no price: nobody draws for nothing.
    """
    return _price(row.price, option) or None


def prompt_microusd(row: Offering, prompt_bytes: int) -> int:
    """Return what a long prompt adds: providers that bill tokens bill those of the prompt, too.

    Without it, 32,000 characters cost the operator seven times the price of a fast image.
    """
    if row.token_prices is None:
        return 0
    steps = max(0, -(-prompt_bytes // PROMPT_STEP_BYTES) - 1)
    return -(-steps * STEP_TOKENS * row.token_prices.text_in // 1_000_000)


def actual_microusd(row: Offering, usage: Mapping[str, int] | None) -> int | None:
    """Return what the provider bills for an image by its tokens, or ``None`` where nothing says so.

    ``usage`` counts tokens as ``ImageAnswer`` has them; without those of the image it says nothing.
    """
    prices = row.token_prices
    if prices is None or not usage or "output_tokens" not in usage:
        return None
    each = {
        "input_tokens": prices.text_in,
        "output_tokens": prices.image_out,
        "thought_tokens": prices.text_out,
    }
    # Dollars per million tokens in micro-dollars: a millionth of it for each token.
    return -(-sum(usage.get(kind, 0) * price for kind, price in each.items()) // 1_000_000)


def tokens(usage: Mapping[str, int] | None) -> tuple[int, int] | None:
    """Return the tokens in and out, thoughts among them, ``None`` where nothing says so."""
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
