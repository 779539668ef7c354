"""Which models may make an image, in which order, and why the others may not."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum

from imagegen.domain.catalog import Catalog, Offering, SizeOption, Variant
from imagegen.domain.criteria import Criteria
from imagegen.domain.formats import choose_format, format_detail, requested
from imagegen.domain.money import label_text
from imagegen.domain.pricing import price_microusd
from imagegen.domain.wishes import missing, ordered


class Reason(StrEnum):
    """Why a model is left out."""

    SIZE = "size_unsupported"
    PROMPT = "prompt_too_long"
    RETIRED = "retired"
    UNPRICED = "unpriced"
    NO_KEY = "no_key"
    DISABLED = "disabled"
    CIRCUIT = "circuit_open"
    TOO_DEAR = "above_max_cost"
    MULTIPLE = "above_price_multiple"
    QUALITY = "quality_unsupported"
    """Only of a named model: it is not in the tier that was requested."""
    FORMAT = "format_unsupported"
    MARKS = "marks_missing"
    INPUTS = "inputs_unsupported"
    WISH = "wish_unsupported"


UNAVAILABLE = frozenset({Reason.NO_KEY, Reason.DISABLED, Reason.CIRCUIT})
"""The temporary reasons. The first model of a tier is replaced if it is left out for one of these,
and a named model if it is left out for any reason."""


@dataclass(frozen=True, slots=True)
class Availability:
    """Whether a row can be called now; ``reason`` is ``None`` if it can."""

    reason: Reason | None = None
    retry_at_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Candidate:
    """A model that may make the image, at its price."""

    variant: Variant
    price_microusd: int
    file_format: str = ""
    """The file format that is requested; empty for the one that comes anyway."""

    @property
    def key(self) -> str:
        """The row's key."""
        return self.variant.row.key


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A model of the tier that may not make the image, and why."""

    row: Offering
    reason: Reason
    detail: str
    price_microusd: int | None = None


@dataclass(frozen=True, slots=True)
class Selection:
    """The candidates in order, and everything that was left out."""

    candidates: tuple[Candidate, ...]
    left_out: tuple[LeftOut, ...]
    replaced: LeftOut | None
    """What another model replaces: the named model, for any reason, or the tier's first choice, if
    it is temporarily unavailable. Its price is ``None`` if it has none for this size."""

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
    fitting = _ordered([one for one in judged if isinstance(one, Candidate)], criteria)
    replaced = _replaced(catalog, criteria, judged)
    within, above = _within_multiple(fitting, replaced, price_multiple)
    return Selection(
        tuple(within),
        tuple([one for one in judged if isinstance(one, LeftOut)] + above),
        replaced,
    )


def suitable(
    catalog: Catalog, criteria: Criteria, availability: Mapping[str, Availability], today: date
) -> tuple[Candidate, ...]:
    """Return every model of the tier that can make the image, whatever the first one costs."""
    judged = _judged(catalog, criteria, availability, today)
    return tuple(one for one in judged if isinstance(one, Candidate))


def _judged(
    catalog: Catalog, criteria: Criteria, availability: Mapping[str, Availability], today: date
) -> list[Candidate | LeftOut]:
    ranked = sorted(catalog.tier(criteria.tier), key=lambda row: _rank(row, criteria))
    return [_judge(row, criteria, availability, today) for row in ranked]


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


def _judge(
    row: Offering, criteria: Criteria, availability: Mapping[str, Availability], today: date
) -> Candidate | LeftOut:
    option = criteria.option_of(row)
    if option is None:
        if detail := criteria.missing_inputs(row):
            return LeftOut(row, Reason.INPUTS, detail)
        sizes = ", ".join(o.size for o in row.sizes)
        supported = "only the size of its input image" if row.keeps_size else sizes
        return LeftOut(row, Reason.SIZE, f"supports {supported}")
    price = criteria.price_at(row, option)
    if found := _misfit(row, option, criteria, today):
        return LeftOut(row, *found, price)
    if price is None:
        return LeftOut(row, Reason.UNPRICED, f"no price for {option.size}")
    if criteria.max_cost_microusd is not None and price > criteria.max_cost_microusd:
        most = label_text(criteria.max_cost_microusd)
        detail = f"{label_text(price)} is above the maxCost of {most}"
        return LeftOut(row, Reason.TOO_DEAR, detail, price)
    wanted, clear = criteria.file_format, criteria.wishes.transparent
    file_format = choose_format(row, option, wanted, criteria.most_bytes, has_alpha=clear)
    if file_format is None:
        return LeftOut(row, Reason.FORMAT, format_detail(row, wanted, has_alpha=clear), price)
    state = availability.get(row.key, Availability(Reason.NO_KEY))
    if state.reason is not None:
        return LeftOut(row, state.reason, _DETAILS[state.reason], price)
    asked = requested(row, option, file_format) or option
    sent = ordered(row, asked, criteria.wishes, has_inputs=bool(criteria.inputs))
    return Candidate(Variant(row, sent), price, file_format)


def _misfit(
    row: Offering, option: SizeOption, criteria: Criteria, today: date
) -> tuple[Reason, str] | None:
    """Return why a row cannot make the image, whatever its price and its state are."""
    if row.is_retired(today):
        return Reason.RETIRED, f"shut down on {row.shutdown_on}"
    if detail := criteria.missing_inputs(row):
        return Reason.INPUTS, detail
    if detail := missing(row, criteria.wishes):
        return Reason.WISH, detail
    if criteria.prompt_characters > row.max_prompt_characters and price_microusd(row, option):
        return Reason.PROMPT, f"supports prompts of up to {row.max_prompt_characters} characters"
    return None


_DETAILS = {
    Reason.NO_KEY: "no key is set for this provider",
    Reason.DISABLED: "switched off by the operator",
    Reason.CIRCUIT: "paused after too many failures",
    Reason.MARKS: "its files have no known mark of origin",
}


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
    detail = f"costs more than {multiple} times the expected price"
    above = [
        LeftOut(one.variant.row, Reason.MULTIPLE, detail, one.price_microusd)
        for one in fitting
        if one not in within
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
