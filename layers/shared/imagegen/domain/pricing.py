"""What one image of a row costs, in micro-dollars, rounded up to a whole one."""

from decimal import ROUND_CEILING, Decimal

from imagegen.domain.catalog import Offering, PerImage, PerMegapixel, PriceRule, SizeOption


def price_microusd(row: Offering, option: SizeOption) -> int | None:
    """Return the price of one image, or ``None`` where the row has none: then it is not offered.

    A price of zero is no price: nobody draws for nothing.
    """
    price = _price(row.price, option)
    return price if price and price > 0 else None


def _price(rule: PriceRule, option: SizeOption) -> int | None:
    if isinstance(rule, PerImage):
        return rule.usd.get(option.size)
    if isinstance(rule, PerMegapixel):
        return _ceiling(rule.usd * option.megapixels)
    return rule.usd_per_run + _ceiling(rule.usd * option.megapixels)


def _ceiling(amount: Decimal) -> int:
    return int(amount.to_integral_value(ROUND_CEILING))
