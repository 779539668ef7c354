"""What may be charged for the image that arrived: never more than the price of what was got.

A provider may make another size than the one that was ordered. The image is still of use, so it is
sold as what it is, at the lower of two prices: that of the order and that of the size that arrived.
"""

from imagegen.domain.catalog import SizeOption, Variant
from imagegen.domain.pixels import Measured
from imagegen.domain.pricing import price_microusd, prompt_microusd, prompt_tokens

TOLERANCE_PERCENT = 10
"""By this an edge may be shorter than that of the size that is charged: models round a ratio."""


def charge_microusd(
    variant: Variant, measured: Measured, *, quoted_microusd: int, prompt: str
) -> int | None:
    """Return what is charged for the image, ``None`` if it is smaller than every size of the row.

    ``quoted_microusd`` is the price in the quote, which is never exceeded, also not for a larger
    image. What the prompt adds is a part of the price of any size. An image smaller than ordered,
    in a size that the row does not list, costs as much as the cheapest listed size that fits into
    it.
    """
    row, ordered = variant.row, variant.option
    if _is(measured, ordered):
        return quoted_microusd
    arrived = [option for option in row.sizes if _is(measured, option)]
    if not arrived and _covers(measured, ordered):
        return quoted_microusd
    arrived = arrived or [option for option in row.sizes if _covers(measured, option)]
    prices = [price_microusd(row, option) for option in arrived]
    added = prompt_microusd(row, prompt_tokens(prompt))
    known = [price + added for price in prices if price is not None]
    return min(quoted_microusd, *known) if known else None


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
