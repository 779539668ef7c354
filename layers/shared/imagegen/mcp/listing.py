"""The tool that lists the models which can make images now."""

from typing import Any

from pydantic import Field

from imagegen.domain.catalog import Tier
from imagegen.domain.money import label_text
from imagegen.domain.operations import Operation
from imagegen.domain.sizes import Shape
from imagegen.mcp.results import content, definition, schema, structured
from imagegen.wire.model_list import Models, OfferedModel
from imagegen.wire.values import EdgeModel, MicroUsd

MODELS_TOOL = "list_models"
NEEDS = {"image": "input image", "mask": "input image and a mask"}
LISTING = (
    "Returns the models that can make images now, with operation, quality, provider, and the price "
    "and usual time of a square image; an upscale or a cut-out has the price of a usual size."
)


class ListedModel(EdgeModel):
    """One model that can make images now."""

    key: str
    model: str
    provider: str
    operation: Operation
    quality: Tier
    price: MicroUsd = Field(description="Of a square image, in US dollars.")
    typical_seconds: int


class AvailableModels(EdgeModel):
    """The models that can make images now, and how many others there are."""

    models: tuple[ListedModel, ...]
    unavailable: int


class NoArguments(EdgeModel):
    """The arguments of a tool that takes none."""


def models_definition() -> dict[str, Any]:
    """Return the tool's definition."""
    arguments = schema(NoArguments)
    return definition(MODELS_TOOL, "Models and prices", LISTING, arguments, AvailableModels)


def models_result(models: Models) -> dict[str, Any]:
    """Return the result of the tool."""
    found = models.models
    rows = [row for row in found if row.available]
    listed = tuple(map(_listed, rows))
    lines = [
        f"{one.key} ({one.model}, {one.provider}): {_does(one)}, {label_text(one.price)}, "
        f"{one.typical_seconds} s{_needs(row)}"
        for one, row in zip(listed, rows, strict=True)
    ]
    text = "\n".join([f"{len(listed)} of {len(found)} models are available now.", *lines])
    answer = AvailableModels(models=listed, unavailable=len(found) - len(listed))
    # The text has the same values: as JSON they would take the model's context a second time.
    return {**structured(text, answer), **content(text)}


def _does(one: ListedModel) -> str:
    return one.quality if one.operation is Operation.GENERATE else one.operation


def _needs(row: OfferedModel) -> str:
    support = row.inputs
    return (
        ""
        if support is None or support.needs == "nothing"
        else f", needs an {NEEDS[support.needs]}"
    )


def _listed(row: OfferedModel) -> ListedModel:
    square = next((one for one in row.sizes if one.shape is Shape.SQUARE), row.sizes[0])
    return ListedModel(
        key=row.key,
        model=row.model,
        provider=row.provider,
        operation=row.operation,
        quality=row.quality,
        price=square.price,
        typical_seconds=row.typical_seconds,
    )
