"""The file format of an image: which one comes, which may be requested, and how large it may be."""

from imagegen.domain.catalog import Offering
from imagegen.domain.sizes import SizeOption

BYTES_PER_PIXEL = {"png": 2, "jpeg": 1, "webp": 1}
"""More than nearly every image needs: photographs of 1024x1024 pixels have up to 1.9 MB as PNG, and
up to 0.9 MB as JPEG or WebP of the highest quality."""
UNKNOWN = "png"
"""The format that is assumed for the size of a file whose format is not known before."""


OPAQUE = "jpeg"
"""The format that has no transparency."""


def usual_format(row: Offering) -> str | None:
    """Return the format that comes if none is requested; ``None`` if it is not known before."""
    given: str | None = row.params.get("output_format")
    return "jpeg" if given == "jpg" else given


def requested(row: Offering, option: SizeOption, file_format: str) -> SizeOption | None:
    """Return the size with the parameters that request a format, ``None`` if the row has none.

    Without ``file_format`` it is the size itself: the model's usual format comes.
    """
    if not file_format:
        return option
    more = next((one for name, one in row.formats.items() if name == file_format), None)
    if more is None:
        return None
    return option.model_copy(update={"params": {**option.params, **more}})


def likely_bytes(option: SizeOption, file_format: str) -> int:
    """Return how many bytes a file of this size and format may have."""
    width, height = option.pixels
    return width * height * BYTES_PER_PIXEL.get(file_format, BYTES_PER_PIXEL[UNKNOWN])


def choose_format(
    row: Offering,
    option: SizeOption,
    wanted: str | None,
    most_bytes: int | None,
    *,
    has_alpha: bool = False,
) -> str | None:
    """Return the format to request, ``""`` for the model's usual one, ``None`` if none suits.

    ``wanted`` is the format that the caller requires, ``most_bytes`` the largest file; with
    ``has_alpha``, a format without transparency does not suit.
    """
    usual = usual_format(row)
    if wanted is not None:
        formats = [wanted] if wanted in (usual, *row.formats) else []
    else:
        formats = [usual or UNKNOWN, *row.formats]
    for one in (one for one in formats if not has_alpha or one != OPAQUE):
        if most_bytes is None or likely_bytes(option, one) <= most_bytes:
            return one if one in row.formats else ""
    return None


def format_detail(row: Offering, wanted: str | None, *, has_alpha: bool = False) -> str:
    """Return why no format of a row suits."""
    if has_alpha and wanted == OPAQUE:
        return "a JPEG has no transparent background"
    if wanted is None or wanted in (usual_format(row), *row.formats):
        return "its file may be too large for the answer"
    known = ", ".join(dict.fromkeys((usual_format(row) or "a format of its own", *row.formats)))
    return f"supports {known}"
