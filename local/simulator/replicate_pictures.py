"""Checks the pictures that Replicate's models take, each under its own names.

https://replicate.com/black-forest-labs/flux-2-pro/api and the pages of the other models.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from local.simulator.desk import Mask
from local.simulator.given import Given
from local.simulator.wire import Body

type Opener = Callable[[object], Given]

LISTS = {"black-forest-labs/flux-2-max": 8, "black-forest-labs/flux-2-pro": 8}
"""The models with ``input_images``, and how many."""
ONE = {"black-forest-labs/flux-kontext-pro", "black-forest-labs/flux-kontext-max"}
FILL = "black-forest-labs/flux-fill-pro"
MICROUSD_PER_MEGAPIXEL = {
    "black-forest-labs/flux-2-max": 30_000,
    "black-forest-labs/flux-2-pro": 15_000,
}
MOST_PIXELS = 9_000_000
"""Of all pictures of FLUX.2 together."""
MEGAPIXEL, MOST_BILLED = 1024 * 1024, 4


class PictureError(Exception):
    """A picture does not fit."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


@dataclass(frozen=True, slots=True)
class Pictures:
    """The pictures of a prediction."""

    inputs: tuple[Given, ...] = ()
    mask: Mask | None = None


def pictures_of(model: str, given: Body, opener: Opener) -> Pictures:
    """Return the pictures of a prediction's input.

    Raises:
        PictureError: one is missing, cannot be opened, or does not fit.
    """
    if model in LISTS:
        return Pictures(_listed(given.get("input_images", []), LISTS[model], opener))
    if model in ONE and given.get("input_image") is not None:
        return Pictures((opened("input_image", given["input_image"], opener),))
    return _filled(given, opener) if model == FILL else Pictures()


def added_microusd(model: str, inputs: Sequence[Given]) -> int:
    """Return what the pictures add to the price: each begins at least one megapixel."""
    begun = (min(MOST_BILLED, -(-one.width * one.height // MEGAPIXEL)) for one in inputs)
    return sum(begun) * MICROUSD_PER_MEGAPIXEL.get(model, 0)


def _listed(values: object, most: int, opener: Opener) -> tuple[Given, ...]:
    if not isinstance(values, list) or len(values) > most:
        raise PictureError("input_images", f"Must be a list of at most {most}")
    inputs = tuple(opened("input_images", one, opener) for one in values)
    if sum(one.width * one.height for one in inputs) > MOST_PIXELS:
        raise PictureError("input_images", "The images have more than 9 megapixels in total")
    return inputs


def _filled(given: Body, opener: Opener) -> Pictures:
    if given.get("image") is None:
        raise PictureError("image", "image is required")
    image = opened("image", given["image"], opener)
    if given.get("mask") is None:
        if not image.has_alpha:
            raise PictureError("mask", "mask is required, or an image with alpha")
        return Pictures((image,), Mask(image))
    mask = opened("mask", given["mask"], opener)
    if (mask.width, mask.height) != (image.width, image.height):
        raise PictureError("mask", "Must have the same size as image")
    return Pictures((image,), Mask(mask, is_white=True))


def opened(field: str, value: object, opener: Opener) -> Given:
    """Return the picture in a field.

    Raises:
        PictureError: it cannot be opened.
    """
    try:
        return opener(value)
    except ValueError as error:
        raise PictureError(field, f"Cannot be opened: {error}") from error
