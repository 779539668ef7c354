"""The JSON of the list of models that are offered now."""

from typing import Literal

from pydantic import Field

from imagegen.domain.catalog import Tier
from imagegen.domain.operations import Operation
from imagegen.wire.values import EdgeModel, MicroUsd


class OfferedSize(EdgeModel):
    """A size of a model and its price."""

    size: str
    shape: str | None
    price: MicroUsd


class OfferedInputs(EdgeModel):
    """Which input images a model takes."""

    most: int = Field(description="Pictures in one request, without the mask.")
    price: MicroUsd = Field(description="The most that one picture adds to an image's price.")
    mask: bool
    needs: Literal["nothing", "image", "mask"] = Field(
        description="Which input the model requires."
    )


class OfferedPreviews(EdgeModel):
    """The preview frames that a model can send."""

    most: int
    price: MicroUsd = Field(description="The price of one frame.")


class OfferedModel(EdgeModel):
    """A row of the catalog as it is offered now."""

    key: str
    provider: str
    model: str
    operation: Operation
    quality: Tier
    fallback_priority: int
    sizes: tuple[OfferedSize, ...]
    scales: tuple[int, ...] = Field(
        description="Of an upscale: how many times longer it can make the edges."
    )
    inputs: OfferedInputs | None = Field(description="`null`: it takes no input images.")
    transparent: bool = Field(description="Whether it makes transparent backgrounds.")
    seed: bool = Field(description="Whether a seed can be given.")
    previews: OfferedPreviews | None = Field(description="`null`: it sends no preview frames.")
    max_prompt_characters: int
    typical_seconds: int
    available: bool
    reason: str | None
    shutdown_on: str | None


class RetiredModel(EdgeModel):
    """A model that was shut down, and the model that replaces it."""

    provider: str
    model: str
    shutdown_on: str
    replaced_by: str


class Models(EdgeModel):
    """The catalog."""

    models: tuple[OfferedModel, ...]
    retired: tuple[RetiredModel, ...]
