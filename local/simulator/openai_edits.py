"""Checks the pictures of an edit as OpenAI does.

https://platform.openai.com/docs/api-reference/images/createEdit
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from local.simulator.desk import Mask
from local.simulator.faults import FaultError
from local.simulator.forms import Part, is_form, parts_of
from local.simulator.given import Given, from_data_url, opened
from local.simulator.openai_faults import FAULTS
from local.simulator.openai_inputs import body_of, invalid
from local.simulator.wire import Body, Request

MOST_PICTURES = 16
MOST_BYTES = 50_000_000
MOST_MASK_BYTES = 4_000_000
MOST_URL_CHARACTERS = 20_971_520
TYPES = ("image/jpeg", "image/png", "image/webp")
PICTURES, SINGLE, LIST = ("image", "image[]"), "image", "image[]"
FILES = {*PICTURES, "mask", "markup"}
INTEGERS = {"n", "output_compression", "partial_images"}
TRUTHS = {"true": True, "false": False}
LOSES = "Could not parse multipart form"


@dataclass(frozen=True, slots=True)
class Edit:
    """The request for an edit: its fields, and its pictures."""

    body: Body
    pictures: tuple[Given, ...]
    mask: Mask | None


def edit_of(request: Request) -> Edit:
    """Return an edit, from a form or from JSON.

    Raises:
        FaultError: ``bad_parameter`` or ``user_error``: a picture is missing or does not fit.
    """
    body, pictures, mask = _of_form(request) if is_form(request) else _of_json(request)
    if not pictures:
        raise invalid("image", "Missing required parameter: 'image'.", code="missing_required")
    if len(pictures) > MOST_PICTURES:
        text = f"Expected an array with maximum length {MOST_PICTURES}, but got {len(pictures)}."
        raise invalid("image", f"Invalid 'image': {text}", code="array_above_max_length")
    if mask:
        check_mask(mask, pictures[0])
    return Edit(body, tuple(pictures), Mask(mask) if mask else None)


def check_mask(mask: Given, first: Given) -> None:
    """Refuse a mask that does not fit the first picture."""
    if mask.media_type != "image/png" or len(mask.content) >= MOST_MASK_BYTES:
        raise bad_file("mask", "Invalid mask: it must be a PNG of less than 4MB.")
    if not mask.has_alpha:
        text = "Invalid mask image format - mask image missing alpha channel"
        raise bad_file("mask", text)
    if (mask.width, mask.height) != (first.width, first.height):
        text = "Invalid mask image format - mask size does not match image size"
        raise bad_file("mask", text)


def bad_file(param: str, message: str) -> FaultError:
    """Return the refusal of a file."""
    row = FAULTS["user_error"]
    return FaultError(replace(row, message=message, details={"param": param}))


def _of_form(request: Request) -> tuple[Body, list[Given], Given | None]:
    try:
        parts = parts_of(request)
    except ValueError as error:
        raise invalid("", LOSES, code=None) from error
    files = [part for part in parts if part.name in FILES]
    _check_names(files)
    body = {part.name: _value(part) for part in parts if part.name not in FILES}
    pictures = [
        _file(part, f"image[{number}]")
        for number, part in enumerate(part for part in files if part.name in PICTURES)
    ]
    masks = [_file(part, "mask") for part in files if part.name == "mask"]
    if masks and any(part.name == "markup" for part in files):
        raise invalid("markup", "'markup' cannot be combined with 'mask'.")
    return body, pictures, masks[0] if masks else None


def _check_names(files: Sequence[Part]) -> None:
    names = [part.name for part in files]
    for name in (SINGLE, "mask", "markup"):
        if names.count(name) > 1 or (name == SINGLE and {SINGLE, LIST} <= set(names)):
            text = f"Duplicate parameter: '{name}'. Use the array syntax, e.g. '{name}[]'."
            raise invalid(name, text, code="duplicate_parameter")


def _file(part: Part, place: str) -> Given:
    if part.file_name is None:
        text = f"Invalid type for '{place}': expected a file, but got a string instead."
        raise invalid(place, text, code="invalid_type")
    if part.media_type not in TYPES:
        supported = ", ".join(TYPES)
        text = f"Invalid file '{place}': unsupported mimetype ('{part.media_type}'): {supported}."
        raise invalid(place, text, code="unsupported_file_mimetype")
    if len(part.content) >= MOST_BYTES:
        raise bad_file(place, f"Invalid file '{place}': it must be less than 50MB.")
    try:
        given = opened(part.content)
    except ValueError as error:
        raise bad_file(
            place, "Invalid image file or mode, please check your image file."
        ) from error
    if given.media_type not in TYPES:
        raise bad_file(place, "Invalid image file or mode, please check your image file.")
    return given


def _value(part: Part) -> Any:
    text = part.content.decode("utf-8", "replace")
    if part.name in INTEGERS:
        return int(text) if text.isdecimal() else text
    return TRUTHS.get(text, text) if part.name == "stream" else text


def _of_json(request: Request) -> tuple[Body, list[Given], Given | None]:
    body = body_of(request)
    listed, mask = body.pop("images", None), body.pop("mask", None)
    if listed is not None and not isinstance(listed, list):
        raise invalid(
            "images", "Invalid type for 'images': expected an array.", code="invalid_type"
        )
    pictures = [_linked(one, f"images[{number}]") for number, one in enumerate(listed or [])]
    return body, pictures, _linked(mask, "mask") if mask is not None else None


def _linked(reference: object, place: str) -> Given:
    """Return a referenced picture; only data URLs lead anywhere here."""
    url = reference.get("image_url") if isinstance(reference, dict) else None
    if not isinstance(url, str) or len(url) > MOST_URL_CHARACTERS:
        raise invalid(place, f"Invalid '{place}': exactly one of image_url and file_id is needed.")
    try:
        return from_data_url(url)
    except ValueError as error:
        raise invalid(place, f"Error while downloading file for '{place}'.") from error
