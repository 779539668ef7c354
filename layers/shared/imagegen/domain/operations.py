"""Operations: what a request wants done. An image is generated, or a picture is worked on."""

from enum import StrEnum

from imagegen.domain.errors import ParameterError


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


def check_opaque(content: bytes, field: str = "inputs.0") -> None:
    """Raise if some pixel of a picture is transparent: an upscaled image is opaque.

    Raises:
        ParameterError: it is transparent, or its alpha cannot be read.
    """
    # Imported here: few requests are for an upscale.
    from imagegen.domain.pixels import BrokenImageError  # noqa: PLC0415
    from imagegen.domain.transparency import read_transparency  # noqa: PLC0415

    try:
        is_transparent = read_transparency(content).is_transparent
    except BrokenImageError as error:
        raise ParameterError(field, f"The file is damaged: {error}. Choose another one.") from None
    if is_transparent:
        raise transparent_input(field)


def transparent_input(field: str) -> ParameterError:
    """Return the error for a transparent picture that is to be upscaled."""
    return ParameterError(
        field,
        "The picture is transparent, and an upscale would fill that. Upscale the picture that it "
        "was cut out of, then cut that out.",
    )
