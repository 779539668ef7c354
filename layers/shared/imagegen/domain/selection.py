"""Which models may make an image, in which order, and why the others may not."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum

from imagegen.domain.catalog import Catalog, Offering, SizeOption, Tier, Variant
from imagegen.domain.money import label_text
from imagegen.domain.pricing import price_microusd, prompt_microusd


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


UNAVAILABLE = frozenset({Reason.NO_KEY, Reason.DISABLED, Reason.CIRCUIT})
"""The temporary reasons: a model that replaces one left out for these is a fallback."""


@dataclass(frozen=True, slots=True)
class Availability:
    """Whether a row can be called now; ``reason`` is ``None`` if it can."""

    reason: Reason | None = None
    retry_at_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Criteria:
    """What the image needs and what the caller prefers."""

    tier: Tier
    size: str
    prompt_characters: int
    prompt_tokens: int
    """The most that a tokenizer makes of the prompt."""
    max_cost_microusd: int | None = None
    provider: str | None = None
    """Preferred, not required."""
    model: str | None = None
    """A row's key or a provider's model id; preferred, not required."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A model that may make the image, at its price."""

    variant: Variant
    price_microusd: int

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
    """The first choice, if it is temporarily unavailable."""

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
    ranked = sorted(catalog.tier(criteria.tier), key=lambda row: _rank(row, criteria))
    judged = [_judge(row, criteria, availability, today) for row in ranked]
    suitable = [one for one in judged if isinstance(one, Candidate)]
    within, above = _within_multiple(suitable, price_multiple)
    first = next((one for one in judged if _could_be_first(one)), None)
    return Selection(
        tuple(within),
        tuple([one for one in judged if isinstance(one, LeftOut)] + above),
        first if isinstance(first, LeftOut) else None,
    )


def _rank(row: Offering, criteria: Criteria) -> tuple[bool, bool, int]:
    named = criteria.model in (row.key, row.model)
    return not named, row.provider != criteria.provider, row.fallback_priority


def _judge(
    row: Offering, criteria: Criteria, availability: Mapping[str, Availability], today: date
) -> Candidate | LeftOut:
    option = row.option(criteria.size)
    if option is None:
        sizes = ", ".join(o.size for o in row.sizes)
        return LeftOut(row, Reason.SIZE, f"supports {sizes}")
    price = _price(row, option, criteria)
    if row.is_retired(today):
        return LeftOut(row, Reason.RETIRED, f"shut down on {row.shutdown_on}")
    if price is None:
        return LeftOut(row, Reason.UNPRICED, f"no price for {option.size}")
    if criteria.prompt_characters > row.max_prompt_characters:
        detail = f"supports prompts of up to {row.max_prompt_characters} characters"
        return LeftOut(row, Reason.PROMPT, detail, price)
    if criteria.max_cost_microusd is not None and price > criteria.max_cost_microusd:
        detail = (
            f"{label_text(price)} is above the maxCost of {label_text(criteria.max_cost_microusd)}"
        )
        return LeftOut(row, Reason.TOO_DEAR, detail, price)
    state = availability.get(row.key, Availability(Reason.NO_KEY))
    if state.reason is not None:
        return LeftOut(row, state.reason, _DETAILS[state.reason], price)
    return Candidate(Variant(row, option), price)


def _price(row: Offering, option: SizeOption, criteria: Criteria) -> int | None:
    image = price_microusd(row, option)
    return None if image is None else image + prompt_microusd(row, criteria.prompt_tokens)


_DETAILS = {
    Reason.NO_KEY: "no key is set for this provider",
    Reason.DISABLED: "switched off by the operator",
    Reason.CIRCUIT: "paused after too many failures",
}


def _within_multiple(
    suitable: list[Candidate], multiple: Decimal
) -> tuple[list[Candidate], list[LeftOut]]:
    limit = suitable[0].price_microusd * multiple if suitable else Decimal(0)
    detail = f"costs more than {multiple} times the expected price"
    above = [
        LeftOut(c.variant.row, Reason.MULTIPLE, detail, c.price_microusd)
        for c in suitable
        if c.price_microusd > limit
    ]
    return [c for c in suitable if c.price_microusd <= limit], above


def _could_be_first(one: Candidate | LeftOut) -> bool:
    return isinstance(one, Candidate) or one.reason in UNAVAILABLE
