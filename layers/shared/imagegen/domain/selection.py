"""Which models may make an image, in which order, and why the others may not."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from imagegen.domain.candidates import (
    UNAVAILABLE,
    Availability,
    Candidate,
    LeftOut,
    Reason,
)
from imagegen.domain.catalog import Catalog, Offering
from imagegen.domain.criteria import Criteria, judge


@dataclass(frozen=True, slots=True)
class Selection:
    """The candidates in order, and everything that was left out."""

    candidates: tuple[Candidate, ...]
    left_out: tuple[LeftOut, ...]
    replaced: LeftOut | None
    """What another model replaces: the named model, for any reason, or the tier's first choice, if
    it is temporarily unavailable. Its price is ``None`` if it has none for this size."""
    suitable: tuple[Candidate, ...] = ()
    """Every model of the tier that can make the image, whatever the first one costs; by the
    catalog's priority, whatever the caller named."""

    @property
    def expected_microusd(self) -> int:
        """The first candidate's price; 0 without candidates."""
        return self.candidates[0].price_microusd if self.candidates else 0

    @property
    def ceiling_microusd(self) -> int:
        """The dearest candidate's price; 0 without candidates."""
        return max((c.price_microusd for c in self.candidates), default=0)


def select(
    catalog: Catalog,
    criteria: Criteria,
    availability: Mapping[str, Availability],
    *,
    price_multiple: Decimal,
    today: date,
) -> Selection:
    """Return the models that may make the image, in order, and those that may not.

    ``availability`` is by row key; a row that is missing there counts as a row without a key.
    """
    judged = _judged(catalog, criteria, availability, today)
    able = [one for one in judged if isinstance(one, Candidate)]
    fitting = _ordered(able, criteria)
    replaced = _replaced(catalog, criteria, judged)
    within, above = _within_multiple(fitting, replaced, price_multiple)
    return Selection(
        tuple(within),
        tuple([one for one in judged if isinstance(one, LeftOut)] + above),
        replaced,
        tuple(sorted(able, key=lambda one: one.variant.row.fallback_priority)),
    )


def suitable(
    rows: Iterable[Offering],
    criteria: Criteria,
    availability: Mapping[str, Availability],
    today: date,
) -> tuple[Candidate, ...]:
    """Return every one of the rows that can make the image, whatever the first one costs."""
    judged = judge(rows, criteria, availability, today)
    return tuple(one for one in judged if isinstance(one, Candidate))


def _judged(
    catalog: Catalog, criteria: Criteria, availability: Mapping[str, Availability], today: date
) -> list[Candidate | LeftOut]:
    rows = catalog.tier(criteria.tier, criteria.operation)
    ranked = sorted(rows, key=lambda row: _rank(row, criteria))
    return judge(ranked, criteria, availability, today)


def _rank(row: Offering, criteria: Criteria) -> tuple[bool, bool, int]:
    return *_preference(row, criteria), row.fallback_priority


def _preference(row: Offering, criteria: Criteria) -> tuple[bool, bool]:
    return criteria.model not in (row.key, row.model), row.provider != criteria.provider


def _ordered(fitting: list[Candidate], criteria: Criteria) -> list[Candidate]:
    """Return the candidates as they are tried: behind the first one the cheapest first.

    The catalog's priority decides only which one is first. What the caller named stays in front.
    """

    def rank(one: Candidate) -> tuple[bool, bool, int, int]:
        row = one.variant.row
        return *_preference(row, criteria), one.price_microusd, row.fallback_priority

    return fitting[:1] + sorted(fitting[1:], key=rank)


def _within_multiple(
    fitting: list[Candidate], replaced: LeftOut | None, multiple: Decimal
) -> tuple[list[Candidate], list[LeftOut]]:
    """Return the candidates within the multiple of what they may replace, and the others.

    That is the first candidate, and before it the model that the first candidate replaces. If that
    model is so cheap that no candidate is within its multiple, the offer is still made: its price
    and the fallback are shown before the click.
    """
    within = fitting
    if replaced is not None and replaced.price_microusd is not None:
        most = replaced.price_microusd * multiple
        within = [one for one in fitting if one.price_microusd <= most] or fitting
    most = within[0].price_microusd * multiple if within else Decimal(0)
    within = [one for one in within if one.price_microusd <= most]
    kept = {one.key for one in within}
    detail = f"costs more than {multiple} times the expected price"
    above = [
        LeftOut(one.variant.row, Reason.MULTIPLE, detail, one.price_microusd)
        for one in fitting
        if one.key not in kept
    ]
    return within, above


def _replaced(
    catalog: Catalog,
    criteria: Criteria,
    judged: list[Candidate | LeftOut],
) -> LeftOut | None:
    """Return what the first candidate replaces, ``None`` if it is what the caller asked for."""
    if not criteria.has_name:
        first = next((one for one in judged if _could_be_first(one)), None)
        return first if isinstance(first, LeftOut) else None
    named = [one for one in judged if criteria.names(_row(one))]
    if any(isinstance(one, Candidate) for one in named):
        return None
    left_out = [one for one in named if isinstance(one, LeftOut)]
    return left_out[0] if left_out else _of_another_tier(catalog, criteria)


def _of_another_tier(catalog: Catalog, criteria: Criteria) -> LeftOut | None:
    """Return the cheapest named row if none is in the tier, ``None`` if the catalog has none."""
    rows = [row for row in catalog.models if criteria.names(row)]
    detail = f"is not in the tier {criteria.tier}"
    found = [LeftOut(row, Reason.QUALITY, detail, criteria.price_of(row)) for row in rows]
    priced = [one for one in found if one.price_microusd is not None] or found
    return min(priced, key=lambda one: one.price_microusd or 0, default=None)


def _row(one: Candidate | LeftOut) -> Offering:
    return one.variant.row if isinstance(one, Candidate) else one.row


def _could_be_first(one: Candidate | LeftOut) -> bool:
    return isinstance(one, Candidate) or one.reason in UNAVAILABLE
