"""The file format of an image: which one comes, which may be requested, and how large it may be."""

from imagegen.domain.catalog import Offering, SizeOption

BYTES_PER_PIXEL = {"png": 2, "jpeg": 1, "webp": 1}
"""More than nearly every image needs: photographs of 1024x1024 pixels have up to 1.9 MB as PNG, and
up to 0.9 MB as JPEG or WebP of the highest quality."""
UNKNOWN = "png"
"""The format that is assumed for the size of a file whose format is not known before."""


def likely_bytes(option: SizeOption, file_format: str) -> int:
    """Return how many bytes a file of this size and format may have."""
    width, height = option.pixels
    return width * height * BYTES_PER_PIXEL.get(file_format, BYTES_PER_PIXEL[UNKNOWN])


def choose_format(
    row: Offering, option: SizeOption, wanted: str | None, most_bytes: int | None
) -> str | None:
    """Return the format to request, ``""`` for the one that comes anyway, ``None`` if none suits.

    ``wanted`` is the format that the caller requires, ``most_bytes`` the largest file.
    """
    usual = row.file_format
    if wanted is not None:
        formats = [wanted] if wanted in (usual, *row.formats) else []
    else:
        formats = [usual or UNKNOWN, *row.formats]
    for one in formats:
        if most_bytes is None or likely_bytes(option, one) <= most_bytes:
            return one if one in row.formats else ""
    return None


def format_detail(row: Offering, wanted: str | None) -> str:
    """Return why no format of a row suits."""
    if wanted is None or wanted in (row.file_format, *row.formats):
        return "its file may be too large for the answer"
    known = ", ".join(dict.fromkeys((row.file_format or "a format of its own", *row.formats)))
    return f"supports {known}"
