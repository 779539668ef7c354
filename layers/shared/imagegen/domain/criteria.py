"""What an image needs and what its caller prefers, and what that means for one row."""

from dataclasses import dataclass
from decimal import Decimal

from imagegen.domain.abilities import InputSupport
from imagegen.domain.catalog import Offering, Tier
from imagegen.domain.operations import Operation, enlarged
from imagegen.domain.pricing import (
    inputs_microusd,
    price_microusd,
    prompt_microusd,
    wishes_microusd,
)
from imagegen.domain.sizes import SizeOption
from imagegen.domain.wishes import NONE, Wishes

SAME_SIZE = "same"
"""The size of the first input: for each row the nearest size that it has."""


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

    def option_of(self, row: Offering) -> SizeOption | None:
        """Return the row's size for this request, ``None`` if it has none."""
        if self.size == SAME_SIZE and self.inputs:
            return row.nearest(*enlarged(self.inputs[0], self.wishes.scale))
        return row.option(self.size)

    def price_of(self, row: Offering) -> int | None:
        """Return what the row costs for this request, ``None`` if it has no size or no price."""
        option = self.option_of(row)
        return None if option is None else self.price_at(row, option)

    def price_at(self, row: Offering, option: SizeOption) -> int | None:
        """Return what the row costs at a size, ``None`` without a price."""
        image = price_microusd(row, option)
        if image is None or self.missing_inputs(row):
            return None
        pictures = inputs_microusd(row, self.inputs, has_mask=self.has_mask)
        added = prompt_microusd(row, self.prompt_tokens) + wishes_microusd(row, self.wishes)
        return image + pictures + added

    def missing_inputs(self, row: Offering) -> str | None:
        """Return why a row cannot work with these inputs, or without any, ``None`` if it can."""
        support, count = row.inputs, len(self.inputs)
        if support is None:
            return "takes no input images, or has no published price for them" if count else None
        if count > support.most:
            return f"takes at most {support.most} input images"
        if self.has_mask and support.mask is None:
            return "takes no mask"
        if support.needs == "mask" and not self.has_mask:
            return "needs an input image and a mask"
        if support.needs == "image" and not count:
            return "needs an input image"
        return self._misfit_of_pixels(row, support) if count else None

    def _misfit_of_pixels(self, row: Offering, support: InputSupport) -> str | None:
        option = self.option_of(row)
        if option is None:
            return None
        if row.enlarges and (found := row.enlarges.misfit(self.inputs[0], option.pixels)):
            return found
        if support.keeps_size and option.pixels != self.inputs[0]:
            return "makes the image in the size of its input image"
        pictures = [option.pixels, *self.inputs]
        megapixels = Decimal(sum(width * height for width, height in pictures)) / 1_000_000
        if support.most_megapixels is not None and megapixels > support.most_megapixels:
            most = support.most_megapixels
            return f"takes at most {most} megapixels in all input images and the image together"
        return None
