"""Whether one model can make an image: at which price, or why not."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from imagegen.domain.catalog import Offering, Variant
from imagegen.domain.criteria import Criteria, Fit
from imagegen.domain.formats import choose_format, format_detail, requested
from imagegen.domain.money import label_text
from imagegen.domain.sizes import SizeOption
from imagegen.domain.wishes import Wishes


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
    PRICE = "price_unconfirmed"
    """Its vendor states another price than the catalog, or no longer takes the request."""
    INPUTS = "inputs_unsupported"
    WISH = "wish_unsupported"


UNAVAILABLE = frozenset({Reason.NO_KEY, Reason.DISABLED, Reason.CIRCUIT, Reason.PRICE})
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
    """The file format that is requested; empty for the model's usual one."""

    @property
    def key(self) -> str:
        """The row's key."""
        return self.variant.row.key


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A model that may not make the image, and why."""

    row: Offering
    reason: Reason
    detail: str
    price_microusd: int | None = None


def judge(
    rows: Iterable[Offering],
    criteria: Criteria,
    availability: Mapping[str, Availability],
    today: date,
) -> list[Candidate | LeftOut]:
    """Return each row as a candidate with its price, or why it is left out, in the rows' order.

    What it is does not depend on the tier, the provider and the model of ``criteria``.
    ``availability`` is by row key; a row that is missing there counts as a row without a key.
    """
    return [_judge(row, criteria, availability, today) for row in rows]


def _judge(
    row: Offering, criteria: Criteria, availability: Mapping[str, Availability], today: date
) -> Candidate | LeftOut:
    fit = criteria.fit(row)
    option, price = fit.option, fit.price_microusd
    if option is None:
        if fit.missing_inputs:
            return LeftOut(row, Reason.INPUTS, fit.missing_inputs)
        sizes = ", ".join(o.size for o in row.sizes)
        supported = "only the size of its input image" if row.keeps_size else sizes
        return LeftOut(row, Reason.SIZE, f"supports {supported}")
    if found := _misfit(row, fit, criteria, today):
        return LeftOut(row, *found, price)
    if price is None:
        return LeftOut(row, Reason.UNPRICED, f"no price for {option.size}")
    if criteria.max_cost_microusd is not None and price > criteria.max_cost_microusd:
        most = label_text(criteria.max_cost_microusd)
        detail = f"{label_text(price)} is above the maxCost of {most}"
        return LeftOut(row, Reason.TOO_DEAR, detail, price)
    file_format = _file_format(row, option, criteria)
    if file_format is None:
        wanted, clear = criteria.file_format, criteria.wishes.transparent
        return LeftOut(row, Reason.FORMAT, format_detail(row, wanted, has_alpha=clear), price)
    state = availability.get(row.key, _NO_KEY)
    if state.reason is not None:
        return LeftOut(row, state.reason, _DETAILS[state.reason], price)
    sent = sent_option(row, option, file_format, criteria.wishes, has_inputs=bool(criteria.inputs))
    return Candidate(Variant(row, sent or option), price, file_format)


def _file_format(row: Offering, option: SizeOption, criteria: Criteria) -> str | None:
    """Return the format to request, ``""`` for the model's usual one, ``None`` if none suits.

    The usual format suits most requests: they have no requirement for the format.
    """
    wanted, most, clear = criteria.file_format, criteria.most_bytes, criteria.wishes.transparent
    if wanted is None and most is None and not clear:
        return ""
    return choose_format(row, option, wanted, most, has_alpha=clear)


def sent_option(
    row: Offering, option: SizeOption, file_format: str, wishes: Wishes, *, has_inputs: bool
) -> SizeOption | None:
    """Return the size with all parameters that are sent, ``None`` if the row lacks the format.

    Without ``file_format``, no format is requested, and the model's usual one comes.
    """
    asked = requested(row, option, file_format) if file_format else option
    return None if asked is None else ordered(row, asked, wishes, has_inputs=has_inputs)


def ordered(
    row: Offering, option: SizeOption, wishes: Wishes, *, has_inputs: bool = False
) -> SizeOption:
    """Return the size with the parameters for wishes and inputs; the row can meet them all."""
    more = dict(row.inputs.params) if has_inputs and row.inputs else {}
    if wishes.transparent:
        more |= row.transparent or {}
    if wishes.seed is not None and row.seed is not None:
        more[row.seed] = wishes.seed
    if wishes.partials and row.previews is not None:
        more |= {**row.previews.params, row.previews.count: wishes.partials}
    if wishes.scale and row.enlarges is not None:
        more |= row.enlarges.params(wishes.scale) or {}
    return option.model_copy(update={"params": {**option.params, **more}}) if more else option


def _misfit(row: Offering, fit: Fit, criteria: Criteria, today: date) -> tuple[Reason, str] | None:
    """Return why a row cannot make the image, whatever its price and its state are."""
    if row.is_retired(today):
        return Reason.RETIRED, f"shut down on {row.shutdown_on}"
    if fit.missing_inputs:
        return Reason.INPUTS, fit.missing_inputs
    if detail := _missing(row, criteria.wishes):
        return Reason.WISH, detail
    if criteria.prompt_characters > row.max_prompt_characters and fit.price_microusd is not None:
        return Reason.PROMPT, f"supports prompts of up to {row.max_prompt_characters} characters"
    return None


def _missing(row: Offering, wishes: Wishes) -> str | None:
    """Return which wish a row cannot meet, in words, ``None`` if it can meet all."""
    if wishes.transparent and row.transparent is None:
        return "makes no transparent background"
    if wishes.seed is not None and row.seed is None:
        return "has no seed"
    if wishes.partials and (row.previews is None or wishes.partials > row.previews.most):
        return "sends no preview frames" if row.previews is None else "sends fewer preview frames"
    if wishes.scale and (row.enlarges is None or row.enlarges.params(wishes.scale) is None):
        return f"does not enlarge {wishes.scale} times"
    return None


_NO_KEY = Availability(Reason.NO_KEY)
_DETAILS = {
    Reason.NO_KEY: "no key is set for this provider",
    Reason.DISABLED: "switched off by the operator",
    Reason.CIRCUIT: "paused after too many failures",
    Reason.MARKS: "its files have no known mark of origin",
    Reason.PRICE: "its price is checked, because its vendor states another one",
}
