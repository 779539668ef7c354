"""What an image needs and what its caller prefers, and what that means for one row."""

from dataclasses import dataclass
from decimal import Decimal

from imagegen.domain.abilities import InputSupport
from imagegen.domain.catalog import Offering, Tier
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
