"""What one image of a row costs, in micro-dollars, rounded up to a whole micro-dollar.

No more is charged than the price of what arrived. A provider may make another size than the one
that was ordered. The image is still of use, so it is sold as what it is, at the lower of two
prices: that of the order and that of the size that arrived.
"""

import re
from collections.abc import Mapping, Sequence
from decimal import ROUND_CEILING, Decimal
from typing import assert_never

from imagegen.domain.catalog import Offering, Variant
from imagegen.domain.input_tokens import input_tokens
from imagegen.domain.operations import Operation, is_promised_size
from imagegen.domain.pixels import Measured
from imagegen.domain.price_rules import (
    FreeInputs,
    InputPrice,
    PatchTokens,
    PerImage,
    PerInputImage,
    PerMegapixel,
    PerRunPlusMegapixel,
    PerStartedBlock,
    PerStartedMegapixel,
    PriceRule,
)
from imagegen.domain.sizes import SizeOption
from imagegen.domain.wishes import Wishes

COST = "cost_microusd"
"""The name of what a call cost, where an answer states it, beside the counts of tokens."""
MICRO_UNITS = "billed_microunits"
"""The name of what a call bills in millionths of the vendor's unit, where an answer states it."""
STEP_TOKENS = 250
"""The image's price includes the first step of a prompt; each further step that is begun adds to
it."""
BYTES_PER_TOKEN = 4
"""Of English text, on average."""
PIECE = re.compile(r"[A-Z]?[a-z]+|[A-Z]+|[0-9]{1,3}|\s\s|[!-/:-@\\[-`{-~]|[\x00-\x08\x0b-\x1f\x7f]")
LETTERS_PER_TOKEN = 5
"""Of a word of usual length: the common ones are one token."""
MEGAPIXEL = 1024 * 1024
"""As providers count input images that they bill by megapixels."""
LONGEST_WORD = 15
"""In a longer run of letters, which is not a word, two letters make a token."""
TOLERANCE_PERCENT = 10
"""By this an edge may be shorter than that of the size that is charged: models round a ratio."""


def price_microusd(row: Offering, option: SizeOption) -> int | None:
    """Return the price of one image, or ``None`` if the row has none: then it is not offered.

    A price of zero counts as a missing price, unless the row is said to be free.
    """
    price = _price(row.price, option)
    return price if price or row.free else None


def request_microusd(
    row: Offering,
    option: SizeOption,
    *,
    token_count: int,
    inputs: Sequence[tuple[int, int]],
    has_mask: bool,
    wishes: Wishes,
) -> int | None:
    """Return the price of one image with all that is wanted of it, ``None`` if the row has none.

    ``token_count`` is that of ``prompt_tokens``, ``inputs`` and ``has_mask`` are as for
    ``inputs_microusd``.
    """
    image = price_microusd(row, option)
    if image is None:
        return None
    pictures = inputs_microusd(row, inputs, has_mask=has_mask)
    return image + pictures + prompt_microusd(row, token_count) + wishes_microusd(row, wishes)


def prompt_tokens(text: str) -> int:
    """Return how many tokens the text has at most, apart from invented words; no tokenizer is used.

    Tokenizers of the byte-pair kind work on UTF-8 bytes and never make more tokens than bytes.
    Dense text comes close: 32,000 rare CJK characters have 96,000 bytes, and ``o200k_base``, which
    OpenAI uses, makes 95,372 tokens of them. The tokenizers first cut the text into pieces: letters
    at each change to a capital, digits into groups of three (https://github.com/openai/tiktoken).

    Outside ASCII every byte counts as a token. For invented words of usual length in ASCII letters,
    a tokenizer may make twice as many tokens as are counted here.
    """
    plain = "".join(filter(str.isascii, text)) if not text.isascii() else text
    foreign_bytes = len(text.encode("utf-8", "surrogatepass")) - len(plain)
    pieces = sum(_tokens(piece) for piece in PIECE.findall(plain))
    return foreign_bytes + max(pieces, -(-len(plain) // BYTES_PER_TOKEN))


def prompt_microusd(row: Offering, token_count: int) -> int:
    """Return what a long prompt adds to the price, in micro-dollars.

    ``token_count`` is that of ``prompt_tokens``. Providers that bill tokens also bill those of the
    prompt: without this addition, a prompt of 32,000 characters would cost the
    operator up to eighty times the price of a fast image.
    """
    if row.token_prices is None:
        return 0
    steps = max(0, -(-token_count // STEP_TOKENS) - 1)
    return -(-steps * STEP_TOKENS * row.token_prices.text_in // 1_000_000)


def inputs_microusd(row: Offering, sizes: Sequence[tuple[int, int]], *, has_mask: bool) -> int:
    """Return what input images add to the price, in micro-dollars; the row must take them.

    ``sizes`` are widths and heights. A mask is billed like an image of the first one's size: it is
    not documented that it is free.
    """
    if not sizes or row.inputs is None:
        return 0
    billed = [*sizes, sizes[0]] if has_mask else sizes
    return sum(_input_price(row.inputs.price, *size) for size in billed)


def most_for_input_microusd(row: Offering) -> int:
    """Return the most that one input image adds to the price, in micro-dollars."""
    if row.inputs is None:
        return 0
    match row.inputs.price:
        case PatchTokens(usd_per_million=usd, cap=cap):
            return -(-cap * usd // 1_000_000)
        case PerStartedMegapixel(usd=usd, most=most):
            return usd * most
        case PerInputImage(usd=usd):
            return usd
        case FreeInputs():
            return 0
    assert_never(row.inputs.price)


def wishes_microusd(row: Offering, wishes: Wishes) -> int:
    """Return what wishes add to the price, in micro-dollars: the preview frames."""
    return wishes.partials * row.previews.usd if row.previews else 0


def actual_microusd(row: Offering, usage: Mapping[str, int] | None) -> int | None:
    """Return what the provider bills for an image, or ``None`` if that is unknown.

    ``usage`` is that of ``ImageAnswer``. It contains the cost itself, the vendor's units, or
    tokens; without ``output_tokens``, their bill is unknown. The tokens of input images are part of
    ``input_tokens``, those of words part of ``output_tokens``.
    """
    if usage and COST in usage:
        return usage[COST]
    if usage and MICRO_UNITS in usage and row.unit_price is not None:
        return -(-usage[MICRO_UNITS] * row.unit_price // 1_000_000)
    prices = row.token_prices
    if prices is None or not usage or "output_tokens" not in usage:
        return None
    image_in = prices.text_in if prices.image_in is None else prices.image_in
    images = usage.get("input_image_tokens", 0)
    words = usage.get("output_text_tokens", 0)
    each = (
        (max(0, usage.get("input_tokens", 0) - images), prices.text_in),
        (images, image_in),
        (max(0, usage["output_tokens"] - words), prices.image_out),
        (words, prices.text_out or prices.image_out),
        (usage.get("thought_tokens", 0), prices.text_out),
    )
    # Prices are in micro-dollars per million tokens: one token costs a millionth of the price.
    return -(-sum(count * price for count, price in each) // 1_000_000)


def tokens(usage: Mapping[str, int] | None) -> tuple[int, int] | None:
    """Return input and output tokens, thoughts included, or ``None`` if they are unknown."""
    if not usage or "output_tokens" not in usage:
        return None
    return usage.get("input_tokens", 0), usage["output_tokens"] + usage.get("thought_tokens", 0)


def charge_microusd(variant: Variant, measured: Measured, *, quoted_microusd: int) -> int | None:
    """Return what is charged for the image, ``None`` if it is smaller than every size of the row.

    The result of another operation than generating is only sold in the size that was promised.

    ``quoted_microusd`` is the price in the quote, which is never exceeded, also not for a larger
    image. What prompt, inputs and wishes add to it is a part of the price of any size. An image
    smaller than ordered, in a size that the row does not list, costs as much as the cheapest listed
    size that fits into it.
    """
    row, ordered = variant.row, variant.option
    if row.operation is not Operation.GENERATE:
        arrived_pixels = (measured.width, measured.height)
        is_sold = is_promised_size(row.operation, ordered.pixels, arrived_pixels)
        return quoted_microusd if is_sold else None
    if _is(measured, ordered):
        return quoted_microusd
    arrived = [option for option in row.sizes if _is(measured, option)]
    if not arrived and _covers(measured, ordered):
        return quoted_microusd
    arrived = arrived or [option for option in row.sizes if _covers(measured, option)]
    prices = [price_microusd(row, option) for option in arrived]
    added = max(0, quoted_microusd - (price_microusd(row, ordered) or 0))
    known = [price + added for price in prices if price is not None]
    return min(quoted_microusd, *known) if known else None


def _price(rule: PriceRule, option: SizeOption) -> int | None:
    match rule:
        case PerImage():
            return rule.usd.get(option.size)
        case PerMegapixel():
            return _ceiling(rule.usd * option.megapixels)
        case PerRunPlusMegapixel():
            return rule.usd_per_run + _ceiling(rule.usd * option.megapixels)
        case PerStartedBlock():
            return rule.usd * _ceiling(option.megapixels / rule.megapixels)
    assert_never(rule)


def _input_price(rule: InputPrice, width: int, height: int) -> int:
    match rule:
        case PatchTokens():
            tokens_in = input_tokens(width, height, cap=rule.cap)
            return -(-tokens_in * rule.usd_per_million // 1_000_000)
        case PerInputImage():
            return rule.usd
        case PerStartedMegapixel():
            return rule.usd * min(rule.most, -(-width * height // MEGAPIXEL))
        case FreeInputs():
            return 0
    assert_never(rule)


def _ceiling(amount: Decimal) -> int:
    return int(amount.to_integral_value(ROUND_CEILING))


def _tokens(piece: str) -> int:
    if not piece.isalpha():
        return 1
    return -(-len(piece) // (2 if len(piece) > LONGEST_WORD else LETTERS_PER_TOKEN))


def _is(measured: Measured, option: SizeOption) -> bool:
    """Return whether the image has this size, within the tolerance in both directions."""
    larger = all(
        got * (100 - TOLERANCE_PERCENT) <= 100 * asked
        for got, asked in zip((measured.width, measured.height), option.pixels, strict=True)
    )
    return larger and _covers(measured, option)


def _covers(measured: Measured, option: SizeOption) -> bool:
    """Return whether the image is at least as large as the size, within the tolerance."""
    return all(
        got * 100 >= asked * (100 - TOLERANCE_PERCENT)
        for got, asked in zip((measured.width, measured.height), option.pixels, strict=True)
    )
