"""Operations: what a request wants done. An image is generated, or a picture is worked on."""

from enum import StrEnum


class Operation(StrEnum):
    """What is done; each has rows of its own in the catalog, and no fallback to those of others."""

    GENERATE = "generate"
    """An image is made of a prompt, also of pictures: an edit is generated, too."""
    UPSCALE = "upscale"
    """A picture is made larger, and shows the same."""
    CUTOUT = "cutout"
    """The background of a picture is removed; its size stays."""


VERBS = {
    Operation.GENERATE: "Generate",
    Operation.UPSCALE: "Upscale",
    Operation.CUTOUT: "Cut Out",
}
"""How a button begins."""

TITLES = {Operation.UPSCALE: "An upscale", Operation.CUTOUT: "A cut-out"}
"""How a sentence about an operation without a prompt begins."""

RESULTS = {Operation.UPSCALE: "Upscaled image", Operation.CUTOUT: "Image without background"}
"""The words for an image that has no prompt, for people who cannot see it."""

WITHOUT_PROMPT = frozenset(TITLES)

DEFAULT_SCALE = 2
"""How many times longer the edges become if an upscale names no scale."""
SIZE_TOLERANCE_PERCENT = 1
"""By this an edge of an upscaled image may differ from what was sold: models round a ratio."""


def enlarged(pixels: tuple[int, int], scale: int) -> tuple[int, int]:
    """Return width and height of a picture that is upscaled; 0 leaves them as they are."""
    width, height = pixels
    return width * (scale or 1), height * (scale or 1)


def is_promised_size(operation: Operation, sold: tuple[int, int], arrived: tuple[int, int]) -> bool:
    """Return whether the result of an operation has the size that was sold.

    A cut-out has exactly the size of its picture.
    """
    tolerance = SIZE_TOLERANCE_PERCENT if operation is Operation.UPSCALE else 0
    return all(
        abs(got - wanted) * 100 <= wanted * tolerance
        for got, wanted in zip(arrived, sold, strict=True)
    )
