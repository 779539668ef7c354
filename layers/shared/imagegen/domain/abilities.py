"""What a catalog row says about abilities that only some models have."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import Field, HttpUrl

from imagegen.domain.inputs import InputFields
from imagegen.domain.money import Usd
from imagegen.domain.price_rules import CatalogModel, InputPrice


class InputSupport(CatalogModel):
    """Which input images a model takes. A model without a published price for them takes none."""

    most: int = Field(ge=1)
    """The most pictures in one call, without the mask."""
    price: InputPrice
    mask: Literal["alpha", "white", "black"] | None = None
    """How the model's own mask marks what to change: transparent, or by this colour. ``None``: no
    mask."""
    needs: Literal["nothing", "image", "mask"] = "nothing"
    """What the model cannot work without."""
    params: Mapping[str, Any] = {}
    """What is sent only with inputs."""
    field: str = ""
    """The name of the field for the pictures; empty if the provider has one form for all models."""
    is_list: bool = False
    """Whether that field is a list."""
    mask_field: str = ""
    most_megapixels: Annotated[Decimal, Field(gt=0)] | None = None
    """The most millions of pixels in all pictures and the made image together."""
    most_encoded_bytes: int | None = Field(default=None, ge=1)
    """The most bytes of all pictures in base64, where they are a part of the request."""
    keeps_size: bool = False
    """Whether the image comes in the size of the first picture, and in no other."""
    source: HttpUrl

    @property
    def most_megabytes(self) -> str:
        """The most megabytes of all pictures, as text; empty without a limit."""
        most_bytes = (self.most_encoded_bytes or 0) * 3 // 4
        return f"{most_bytes // 100_000 / 10} MB" if most_bytes else ""

    @property
    def fields(self) -> InputFields | None:
        """The names of the fields, ``None`` if the provider has one form for all models."""
        return InputFields(self.field, self.is_list, self.mask_field) if self.field else None


class Enlargement(CatalogModel):
    """How a model enlarges its input image. What exceeds it is refused before it is priced."""

    scales: Mapping[Literal["2", "4"], Mapping[str, Any]] = Field(min_length=1)
    """The factors for both edges, each with the parameters that request it."""
    least_edge: int = Field(default=1, ge=1)
    """The least pixels of an edge of the input image."""
    most_edge: int | None = Field(default=None, ge=1)
    """The most pixels of an edge of the enlarged image."""
    most_megapixels: Annotated[Decimal, Field(gt=0)]
    """The most millions of pixels of the enlarged image."""
    source: HttpUrl

    def params(self, scale: int) -> Mapping[str, Any] | None:
        """Return what requests a scale, ``None`` if the model does not have it."""
        return next((params for name, params in self.scales.items() if name == str(scale)), None)

    def misfit(self, pixels: tuple[int, int], result: tuple[int, int]) -> str | None:
        """Return why an input of this size cannot be enlarged to a result, ``None`` if it can."""
        if min(pixels) < self.least_edge:
            return f"takes images with edges of at least {self.least_edge} pixels"
        if self.most_edge is not None and max(result) > self.most_edge:
            return f"makes edges of at most {self.most_edge} pixels, not {max(result)}"
        width, height = result
        if Decimal(width * height) / 1_000_000 > self.most_megapixels:
            return f"makes at most {self.most_megapixels} megapixels, not {width}x{height}"
        return None


class Previews(CatalogModel):
    """The preview frames that a model can send while it works."""

    most: int = Field(ge=1)
    usd: Usd
    """The price of one frame."""
    count: str
    """The name of the parameter for their number."""
    params: Mapping[str, Any] = {}
    """What else is sent with it."""
    source: HttpUrl
