"""Choices: the few models, of all tiers, that a person may take instead, each with its price."""

from bisect import bisect_right
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from enum import StrEnum

from imagegen.domain.candidates import Availability, Candidate
from imagegen.domain.catalog import Catalog, Offering, Tier
from imagegen.domain.criteria import Criteria
from imagegen.domain.selection import Selection, suitable


class Label(StrEnum):
    """What a choice is the best in."""

    CHOSEN = "chosen"
    """What the offer's own quote makes."""
    CHEAPEST = "cheapest"
    FASTEST = "fastest"
    BEST = "best"
    """The first choice of the highest tier that can make the image."""


@dataclass(frozen=True, slots=True)
class Choice:
    """One model that a person may take: its tier and its key, sent as ``quality`` and ``model``."""

    labels: tuple[Label, ...]
    row: Offering
    expected_microusd: int
    ceiling_microusd: int
    """The most that its offer can cost, which is the number on its button."""


def choices(
    catalog: Catalog,
    criteria: Criteria,
    availability: Mapping[str, Availability],
    chosen: Selection,
    *,
    price_multiple: Decimal,
    today: date,
) -> tuple[Choice, ...]:
    """Return one to four choices without repetition, what the offer itself makes first.

    An offer of any of them that is requested now, by its tier and key, has the price given here.
    """
    tiers = {
        # The models of the offer's own tier are judged already.
        tier: chosen.suitable
        if tier is criteria.tier
        else suitable(catalog.tier(tier, criteria.operation), criteria, availability, today)
        for tier in Tier
    }
    every = [one for tier in tiers.values() for one in _choices(tier, price_multiple)]
    first = chosen.candidates[0]
    own = Choice((), first.variant.row, first.price_microusd, chosen.ceiling_microusd)
    every = [own if one.row.key == own.row.key else one for one in every] or [own]
    return _labelled(
        (
            (Label.CHOSEN, own),
            (Label.CHEAPEST, min(every, key=_by_price)),
            (Label.FASTEST, min(every, key=_by_time)),
            # The first of the highest tier that has any: the tiers are in their order.
            (Label.BEST, every[0]),
        )
    )


def _labelled(found: Iterable[tuple[Label, Choice]]) -> tuple[Choice, ...]:
    by_key: dict[str, Choice] = {}
    for label, one in found:
        known = by_key.get(one.row.key, one)
        by_key[one.row.key] = replace(known, labels=(*known.labels, label))
    return tuple(by_key.values())


def _choices(tier: Collection[Candidate], price_multiple: Decimal) -> Iterator[Choice]:
    """Yield a tier's choices.

    A choice's ceiling is the highest price among the models that may replace it if it is named. Its
    own price is always among these, because the multiple is at least 1.
    """
    prices = sorted(one.price_microusd for one in tier)
    for one in tier:
        ceiling = prices[bisect_right(prices, one.price_microusd * price_multiple) - 1]
        yield Choice((), one.variant.row, one.price_microusd, ceiling)


def _by_price(one: Choice) -> tuple[int, int, str]:
    return one.ceiling_microusd, one.row.typical_seconds, one.row.key


def _by_time(one: Choice) -> tuple[int, int, str]:
    return one.row.typical_seconds, one.ceiling_microusd, one.row.key
