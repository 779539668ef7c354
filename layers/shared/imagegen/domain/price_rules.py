"""How the catalog writes prices: for an image, for its pixels, for a run, and for tokens."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, HttpUrl, StringConstraints
from pydantic.alias_generators import to_camel

from imagegen.domain.money import Usd

PIXEL_SIZE = r"^[1-9][0-9]{1,4}x[1-9][0-9]{1,4}$"

PixelSize = Annotated[str, StringConstraints(pattern=PIXEL_SIZE)]


class CatalogModel(BaseModel):
    """A part of the catalog file."""

    model_config = ConfigDict(
        alias_generator=to_camel, frozen=True, extra="forbid", validate_by_name=True
    )

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """Return a copy with changed fields, without what was computed from the fields before."""
        copied = super().model_copy(update=update, deep=deep)
        for computed in copied.__dict__.keys() - type(self).model_fields.keys():
            del copied.__dict__[computed]
        return copied


class PerImage(CatalogModel):
    """A price for each size."""

    rule: Literal["perImage"]
    usd: Mapping[PixelSize, Usd]


class PerMegapixel(CatalogModel):
    """A price for each million pixels."""

    rule: Literal["perMegapixel"]
    usd: Usd


class PerRunPlusMegapixel(CatalogModel):
    """A price for the run and one for each million pixels."""

    rule: Literal["perRunPlusMegapixel"]
    usd_per_run: Usd
    usd: Usd


class PerStartedBlock(CatalogModel):
    """A price for each block of so many million pixels that the image begins."""

    rule: Literal["perStartedBlock"]
    usd: Usd
    megapixels: Annotated[Decimal, Field(gt=0)]


class PatchTokens(CatalogModel):
    """A price for the tokens of an input image, which are counted from its pixels, up to a cap."""

    rule: Literal["patchTokens"]
    usd_per_million: Usd
    cap: int = Field(ge=1)


class PerInputImage(CatalogModel):
    """The same price for each input image."""

    rule: Literal["perImage"]
    usd: Usd


class PerStartedMegapixel(CatalogModel):
    """A price for each megapixel that an input image begins, up to a number of megapixels."""

    rule: Literal["perStartedMegapixel"]
    usd: Usd
    most: int = Field(ge=1)


class FreeInputs(CatalogModel):
    """Input images cost nothing."""

    rule: Literal["free"]


InputPrice = Annotated[
    PatchTokens | PerInputImage | PerStartedMegapixel | FreeInputs, Field(discriminator="rule")
]


PriceRule = Annotated[
    PerImage | PerMegapixel | PerRunPlusMegapixel | PerStartedBlock, Field(discriminator="rule")
]


class TokenPrices(CatalogModel):
    """What a provider bills by tokens, in dollars per million tokens: an image's actual cost."""

    text_in: Usd
    image_in: Usd | None = None
    """For the tokens of input images; ``None`` if they cost as much as text."""
    image_out: Usd
    text_out: Usd = 0
    """For thinking tokens and words beside the image, if the model has any."""
    source: HttpUrl
    checked_on: date
