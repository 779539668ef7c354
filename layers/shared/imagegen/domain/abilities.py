"""What a catalog row says about abilities that only some models have."""

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import Field, HttpUrl

from imagegen.domain.money import Usd
from imagegen.domain.price_rules import CatalogModel, InputPrice


class InputSupport(CatalogModel):
    """Which input images a model takes. A model without a published price for them takes none."""

    most: int = Field(ge=1)
    """The most pictures in one call, without the mask."""
    price: InputPrice
    mask: Literal["alpha", "white"] | None = None
    """How the model's own mask marks what to change: transparent or white. ``None``: no mask."""
    needs: Literal["nothing", "image", "mask"] = "nothing"
    """What the model cannot work without."""
    params: Mapping[str, Any] = {}
    """What is sent only with inputs."""
    source: HttpUrl


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
