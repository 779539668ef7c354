"""Ideogram's Precise Edit, which takes a form, keeps the picture's size and has a price of its own.

https://developer.ideogram.ai/api-reference/images/precise-edit/ideogram-4-5, and for masks
https://developer.ideogram.ai/ideogram-api/masked-edits, both read on 2026-11-26.
"""

from dataclasses import replace
from urllib.parse import quote

from imagegen.domain.inputs import InputFields, InputFile, Role
from imagegen.domain.ports import ImageOrder
from imagegen.providers.http import FilePart
from imagegen.providers.input_files import cannot_send, file_name, mask_of, pictures_of_order

ENDING = "-precise-edit"
"""What the catalog adds to the name of a model that is asked for an edit."""
FIELDS = InputFields("image", mask="mask")
SAMPLE_EDGE = 256


def path_of(model: str) -> str:
    """Return the path of a model's orders, or of its edits."""
    name = model.removesuffix(ENDING)
    kind = "generate" if name == model else "precise-edit"
    return f"/v2/image/{kind}/{quote(name, safe='')}"


def is_edit(order: ImageOrder) -> bool:
    """Return whether an order is for an edit."""
    return order.model.endswith(ENDING)


def files_of(provider: str, order: ImageOrder) -> dict[str, FilePart] | None:
    """Return the files of an order by their fields, ``None`` without any.

    A mask that allows every pixel to change is left out: it restricts nothing, and Ideogram
    requires a mask to have both colours.

    Raises:
        ProviderError: ``NOT_CALLED``: the mask cannot be converted.
    """
    fields = order.input_fields
    if not order.inputs or fields is None:
        return None
    picture, mask = pictures_of_order(order)[0], mask_of(order)
    found = {fields.pictures: (file_name(1, picture), picture.content, picture.media_type)}
    dark = _darkened(provider, mask) if mask else None
    if mask and dark:
        found[fields.mask] = (file_name(1, mask), dark, mask.media_type)
    return found


def with_sample(order: ImageOrder) -> ImageOrder:
    """Return the order with a picture, if it is of an edit without one: only a price is asked."""
    if not is_edit(order) or order.inputs:
        return order
    from imagegen.domain.png_encoding import encoded  # noqa: PLC0415 - once a day
    from imagegen.domain.png_rows import GREY  # noqa: PLC0415 - as above

    size = (SAMPLE_EDGE, SAMPLE_EDGE)
    content = encoded(size, GREY, (bytes(range(SAMPLE_EDGE)) for _ in range(SAMPLE_EDGE)))
    return replace(
        order, inputs=(InputFile(Role.EDIT, content, "image/png", *size),), input_fields=FIELDS
    )


def _darkened(provider: str, mask: InputFile) -> bytes | None:
    from imagegen.domain.masks import to_darkness  # noqa: PLC0415 - few requests have a mask
    from imagegen.domain.pixels import BrokenImageError  # noqa: PLC0415 - as above

    try:
        return to_darkness(mask.content)
    except BrokenImageError:
        failure = cannot_send(provider, "its mask cannot be converted")
    raise failure
