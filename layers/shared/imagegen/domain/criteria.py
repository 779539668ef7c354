"""What an image needs, what its caller prefers, and whether one row can make it, at which price."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from imagegen.domain.abilities import InputSupport
from imagegen.domain.candidates import Availability, Candidate, LeftOut, Reason
from imagegen.domain.catalog import Offering, Tier, Variant
from imagegen.domain.formats import choose_format, format_detail, requested
from imagegen.domain.money import label_text, usd_text
from imagegen.domain.operations import Operation, enlarged
from imagegen.domain.pricing import request_microusd
from imagegen.domain.sizes import SizeOption
from imagegen.domain.wishes import NONE, Wishes

SAME_SIZE = "same"
"""The size of the first input: for each row the nearest size that it has."""


@dataclass(frozen=True, slots=True)
class Fit:
    """What a row has for a request."""

    option: SizeOption | None
    """The row's size, ``None`` if it has none."""
    missing_inputs: str | None
    """Why the row cannot work with the inputs, or without any; ``None`` if it can."""
    price_microusd: int | None
    """What the image costs, ``None`` without a size or a price for all that is wanted."""


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
    file_format: str | None = None
    """The file format that the caller requires."""
    most_bytes: int | None = None
    """The largest file that the caller can use."""
    inputs: tuple[tuple[int, int], ...] = ()
    """Widths and heights of the input images in their order, without the mask."""
    has_mask: bool = False
    encoded_bytes: int = 0
    """Of all inputs in base64, as far as it is known."""
    wishes: Wishes = NONE
    operation: Operation = Operation.GENERATE

    def names(self, row: Offering) -> bool:
        """Return whether the caller named this row: by its model, or else by its provider.

        A row of another operation is never meant.
        """
        if row.operation is not self.operation:
            return False
        if self.model is not None:
            return self.model in (row.key, row.model)
        return self.provider == row.provider

    @property
    def has_name(self) -> bool:
        """Whether the caller named a model or a provider."""
        return self.model is not None or self.provider is not None

    def fit(self, row: Offering) -> Fit:
        """Return the row's size and price for this request, and whether it takes the inputs."""
        if self.size == SAME_SIZE and self.inputs:
            option: SizeOption | None = row.nearest(*enlarged(self.inputs[0], self.wishes.scale))
        else:
            option = row.option(self.size)
        missing = self._missing_inputs(row, option)
        if option is None or missing is not None:
            return Fit(option, missing, None)
        price = request_microusd(
            row,
            option,
            token_count=self.prompt_tokens,
            inputs=self.inputs,
            has_mask=self.has_mask,
            wishes=self.wishes,
        )
        return Fit(option, None, price)

    def price_of(self, row: Offering) -> int | None:
        """Return what the row costs for this request, ``None`` if it has no size or no price."""
        return self.fit(row).price_microusd

    def _missing_inputs(self, row: Offering, option: SizeOption | None) -> str | None:
        support, count = row.inputs, len(self.inputs)
        if support is None:
            return "takes no input images, or has no published price for them" if count else None
        if count > support.most:
            return f"takes at most {support.most} input images"
        most_encoded = support.most_encoded_bytes
        if most_encoded is not None and self.encoded_bytes > most_encoded:
            return f"takes at most {support.most_megabytes} of input images"
        if self.has_mask and support.mask is None:
            return "takes no mask"
        if support.needs == "mask" and not self.has_mask:
            return "needs an input image and a mask"
        if support.needs == "image" and not count:
            return "needs an input image"
        if not count or option is None:
            return None
        if row.enlarges is not None:
            return row.enlarges.misfit(self.inputs[0], option.pixels)
        return self._misfit_of_pixels(option, support)

    def _misfit_of_pixels(self, option: SizeOption, support: InputSupport) -> str | None:
        if support.keeps_size and option.pixels != self.inputs[0]:
            return "makes the image in the size of its input image"
        pictures = [option.pixels, *self.inputs]
        megapixels = Decimal(sum(width * height for width, height in pictures)) / 1_000_000
        if support.most_megapixels is not None and megapixels > support.most_megapixels:
            most = support.most_megapixels
            return f"takes at most {most} megapixels in all input images and the image together"
        return None


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
        return LeftOut(row, Reason.TOO_DEAR, _too_dear(price, criteria.max_cost_microusd), price)
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


def _too_dear(price_microusd: int, most_microusd: int) -> str:
    """Return how a price is above a limit; both are exact where their labels would be equal."""
    price, most = label_text(price_microusd), label_text(most_microusd)
    if price == most:
        price, most = f"${usd_text(price_microusd)}", f"${usd_text(most_microusd)}"
    return f"{price} is above the maxCost of {most}"


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
