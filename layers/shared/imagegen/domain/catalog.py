"""The catalog: which models are offered, what an image costs and which parameters are sent for it.

``provider_catalog.json`` is the only place where prices are written. The whole file is validated
when it is loaded: a row with a size that has no price, or with a decimal finer than a micro-dollar,
stops the service from starting. Otherwise it would make images for nothing.
"""

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from functools import cached_property
from itertools import product
from typing import Any, Literal, Self

from pydantic import Field, HttpUrl, model_validator

from imagegen.domain.abilities import Enlargement, InputSupport, Previews
from imagegen.domain.digests import digest
from imagegen.domain.money import Usd
from imagegen.domain.operations import Operation
from imagegen.domain.price_rules import PIXEL_SIZE, CatalogModel, PerImage, PriceRule, TokenPrices
from imagegen.domain.replacements import MAX_NAME, Alias, Name, Retired
from imagegen.domain.sizes import SizeOption, nearest

FileFormat = Literal["png", "jpeg", "webp"]

Mark = Literal["c2pa", "synthid"]
"""``c2pa``: a signed manifest in the file. ``synthid``: an invisible watermark in the pixels."""


class Tier(StrEnum):
    """The quality tiers, dearest first. A fallback never leaves its tier."""

    ULTRA = "ultra"
    HIGH = "high"
    STANDARD = "standard"
    FAST = "fast"


class Offering(CatalogModel):
    """One row: a model in a tier, with its price rule."""

    key: Name = Field(max_length=MAX_NAME)
    provider: Name = Field(max_length=MAX_NAME)
    model: str = Field(min_length=1, max_length=MAX_NAME)
    operation: Operation = Operation.GENERATE
    """What the model does; rows of one operation are never candidates of another."""
    tier: Tier
    fallback_priority: int = Field(ge=1)
    params: Mapping[str, Any]
    formats: Mapping[FileFormat, Mapping[str, Any]] = {}
    """The other file formats at the same price, with the parameters that request them."""
    price: PriceRule
    free: bool = False
    """Whether a price of 0 is meant: an operator's own server. Otherwise it is a missing price."""
    bills_refusals: bool = False
    """Whether the vendor bills a request that its policy refuses; the user is never charged."""
    token_prices: TokenPrices | None = None
    unit_price: Usd | None = None
    """What one of the vendor's units costs, where its answers state how many they bill."""
    inputs: InputSupport | None = None
    transparent: Mapping[str, Any] | None = None
    """What requests a transparent background; ``None`` if the model makes none."""
    seed: str | None = Field(default=None, min_length=1)
    """The name of the parameter for a seed; ``None`` if the model has none."""
    previews: Previews | None = None
    enlarges: Enlargement | None = None
    """How the model enlarges its input; ``None`` for a row that does not upscale."""
    sizes: tuple[SizeOption, ...] = Field(min_length=1)
    """Only examples if the row keeps or enlarges its input: then it has every exact size."""
    max_prompt_characters: int = Field(ge=0)
    """0 for an operation without a prompt."""
    typical_seconds: int = Field(ge=1)
    slow_seconds: int = Field(ge=1)
    """How long an image takes that is slow but not lost."""
    seconds_source: HttpUrl | None = None
    """Where the vendor, or its users, name these times; ``None`` if they are our own estimate."""
    shutdown_on: date | None = None
    marks: tuple[Mark, ...] = ()
    """The marks of origin that the model puts into its files, as its vendor says."""
    source: HttpUrl
    checked_on: date

    @model_validator(mode="after")
    def _every_size_has_a_price(self) -> Self:
        listed = [option.size for option in self.sizes]
        if repeated := _repeated(listed):
            raise ValueError(f"{self.key}: sizes listed twice: {repeated}")
        if repeated := _repeated(option.shape for option in self.sizes if option.shape):
            raise ValueError(f"{self.key}: shapes listed twice: {repeated}")
        if isinstance(self.price, PerImage) and (unpriced := set(listed) - set(self.price.usd)):
            raise ValueError(f"{self.key}: no price for {sorted(unpriced)}")
        if self.slow_seconds < self.typical_seconds:
            raise ValueError(f"{self.key}: slowSeconds is less than typicalSeconds")
        return self

    @model_validator(mode="after")
    def _fits_its_operation(self) -> Self:
        is_plain = self.operation is Operation.GENERATE
        if is_plain == (self.max_prompt_characters == 0):
            raise ValueError(f"{self.key}: a row has a prompt if and only if it generates")
        if (self.operation is Operation.UPSCALE) != (self.enlarges is not None):
            raise ValueError(f"{self.key}: a row has enlarges if and only if it upscales")
        support = self.inputs
        if not is_plain and (support is None or (support.most, support.needs) != (1, "image")):
            raise ValueError(f"{self.key}: {self.operation} needs exactly one input image")
        if self.operation is Operation.CUTOUT and (not self.keeps_size or self.transparent is None):
            raise ValueError(f"{self.key}: a cut-out is transparent, and keeps its size")
        return self

    @cached_property
    def keeps_size(self) -> bool:
        """Whether the image comes in the size of the first input."""
        return self.inputs is not None and self.inputs.keeps_size

    @cached_property
    def has_every_size(self) -> bool:
        """Whether the image comes in a size that follows from the first input's."""
        return self.keeps_size or self.enlarges is not None

    @cached_property
    def needs_input(self) -> bool:
        """Whether the model cannot make an image without an input image."""
        return self.inputs is not None and self.inputs.needs != "nothing"

    @property
    def call_seconds(self) -> int:
        """How long a call may take at most: twice as long as a slow image."""
        return 2 * self.slow_seconds

    def option(self, size: str) -> SizeOption | None:
        """Return this model's size for a shape or an exact ``WxH``, or ``None`` if it has none.

        A model that keeps or enlarges the size of its input has every exact size.
        """
        if self.has_every_size and re.fullmatch(PIXEL_SIZE, size):
            return SizeOption(size=size, params={})
        return self.options.get(size)

    @cached_property
    def options(self) -> Mapping[str, SizeOption]:
        """The sizes by their pixels and by their shape."""
        by_shape = {str(option.shape): option for option in self.sizes if option.shape}
        return {option.size: option for option in self.sizes} | by_shape

    @property
    def watermark(self) -> str:
        """The watermark that the model puts into its files; empty if none is known."""
        return "synthid" if "synthid" in self.marks else ""

    def nearest(self, width: int, height: int) -> SizeOption:
        """Return the size that is nearest to a picture's: first in its ratio, then in pixels."""
        own = self.option(f"{width}x{height}") if self.has_every_size else None
        return own or nearest(self.sizes, width, height)

    def is_retired(self, today: date) -> bool:
        """Return whether the model is past its last day."""
        return self.shutdown_on is not None and today >= self.shutdown_on

    def sent(self, option: SizeOption) -> dict[str, Any]:
        """Return exactly the parameters that are priced and sent, besides model and prompt."""
        return {**self.params, **option.params}

    def digest(self, option: SizeOption) -> str:
        """Return 16 hex digits that bind a price to the parameters that it was made for."""
        if self.options.get(option.size) is option:
            return self.digests[option.size]
        return digest(self.provider, self.model, self.sent(option))

    @cached_property
    def digests(self) -> Mapping[str, str]:
        """The digests of the row's own sizes."""
        return {one.size: digest(self.provider, self.model, self.sent(one)) for one in self.sizes}


class Catalog(CatalogModel):
    """The whole file."""

    schema_version: Literal[1]
    currency: Literal["USD"]
    models: tuple[Offering, ...] = Field(min_length=1)
    retired: tuple[Retired, ...]
    aliases: tuple[Alias, ...] = ()

    @model_validator(mode="after")
    def _keys_agree(self) -> Self:
        keys = [row.key for row in self.models]
        if repeated := _repeated(keys):
            raise ValueError(f"keys used twice: {repeated}")
        ranks = ((row.operation, row.tier, row.fallback_priority) for row in self.models)
        if repeated := _repeated(ranks):
            raise ValueError(f"priorities used twice in a tier: {repeated}")
        pairs = {(row.operation, row.tier) for row in self.models}
        without = [one for one, _ in pairs if one is not Operation.GENERATE]
        if repeated := _repeated(without):
            raise ValueError(f"operations without a prompt in several tiers: {repeated}")
        if missing := set(self.replacements.values()) - set(keys):
            raise ValueError(f"replaced by rows that do not exist: {sorted(missing)}")
        return self

    @cached_property
    def by_key(self) -> dict[str, Offering]:
        """The rows by key."""
        return {row.key: row for row in self.models}

    @cached_property
    def providers(self) -> tuple[str, ...]:
        """Every provider, in the order of the file."""
        return tuple(dict.fromkeys(row.provider for row in self.models))

    @cached_property
    def replacements(self) -> dict[str, str]:
        """The keys of the rows that take the place of models that are not offered, by model."""
        aliases = {one.model: one.replaced_by for one in self.aliases}
        return aliases | {one.model: one.replaced_by for one in self.retired}

    def rows_of(self, operation: Operation) -> tuple[Offering, ...]:
        """Return the rows of an operation, in the order of the file."""
        return tuple(row for row in self.models if row.operation is operation)

    def tier(self, tier: Tier, operation: Operation = Operation.GENERATE) -> tuple[Offering, ...]:
        """Return the rows of a tier for an operation, by fallback priority."""
        return self.tiers[operation, tier]

    @cached_property
    def tiers(self) -> Mapping[tuple[Operation, Tier], tuple[Offering, ...]]:
        """The rows of each operation and tier by fallback priority."""
        rows = sorted(self.models, key=lambda row: row.fallback_priority)
        return {
            key: tuple(row for row in rows if (row.operation, row.tier) == key)
            for key in product(Operation, Tier)
        }

    def retirement(self, model: str) -> Retired | None:
        """Return the entry of a retired model, or ``None`` if it is not retired."""
        return next((row for row in self.retired if row.model == model), None)


@dataclass(frozen=True, slots=True)
class Variant:
    """One row at one size: what is priced and sent."""

    row: Offering
    option: SizeOption


def parse_catalog(text: str | bytes) -> Catalog:
    """Return the catalog in a file's text.

    Raises:
        pydantic.ValidationError: names the row and what is wrong with it.
    """
    return Catalog.model_validate_json(text)


def _repeated(values: Iterable[Any]) -> list[Any]:
    return [value for value, count in Counter(values).items() if count > 1]
