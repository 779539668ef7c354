"""The sizes of a model: by pixels, and some of them by a name for their shape."""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from enum import StrEnum
from functools import cached_property
from typing import Annotated, Any

from pydantic import Field

from imagegen.domain.price_rules import CatalogModel, PixelSize


class Shape(StrEnum):
    """Sizes by name; each model has its own pixels nearest to the shape."""

    SQUARE = "square"
    LANDSCAPE = "landscape"
    PORTRAIT = "portrait"


class SizeOption(CatalogModel):
    """One size that a model supports, with the parameters that request it."""

    size: PixelSize
    shape: Shape | None = None
    params: Mapping[str, Any]
    billed_megapixels: Annotated[Decimal, Field(gt=0)] | None = None
    """What the provider bills, if that is not width x height / 1,000,000."""

    @cached_property
    def pixels(self) -> tuple[int, int]:
        """Width and height."""
        width, height = self.size.split("x")
        return int(width), int(height)

    @cached_property
    def megapixels(self) -> Decimal:
        """Millions of pixels as billed."""
        width, height = self.pixels
        return self.billed_megapixels or Decimal(width * height) / 1_000_000


def nearest(sizes: Iterable[SizeOption], width: int, height: int) -> SizeOption:
    """Return the size that is nearest to a picture's: first in its ratio, then in pixels."""

    def distance(option: SizeOption) -> tuple[Decimal, int]:
        own_width, own_height = option.pixels
        larger, smaller = sorted((own_width * height, own_height * width), reverse=True)
        return Decimal(larger) / smaller, abs(own_width * own_height - width * height)

    return min(sizes, key=distance)
