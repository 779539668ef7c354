"""The request models of OpenAI's route for edits: a JSON body, or the fields of a form.

Source: https://platform.openai.com/docs/api-reference/images/createEdit. A form has the pictures as
files; JSON has them as data URLs, as the ids of uploads or images, or as addresses of images.
"""

import base64
import binascii
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator, model_validator

from imagegen.domain.errors import ParameterError
from imagegen.openai_api.models import Fixed, ImagesRequest, check_fixed, fixed_field
from imagegen.wire.inputs import MAX_INPUTS, Id

IMAGE, IMAGES, MASK = "image", "images", "mask"
FILE_FIELDS = ("image", "image[]")
"""The names of the pictures in a form: one, or several as OpenAI's SDKs send them."""
NOT_A_FILE = "No file is read from this field: send pictures as image or image[], a mask as mask."
MOST_TEXT_BYTES = 256 * 1024
"""Of one field of a form that is not a file: as much as a whole body of other routes."""
NUMBERS = frozenset({"n", "partial_images", "output_compression"})
BOOLEANS = {"true": True, "false": False}
DATA_URL = re.compile(r"data:[\w.+-]+/[\w.+-]+(?:;[\w.+-]+=[\w.+-]+)*;base64,", re.IGNORECASE)
MOST_DATA_URL_HEAD = 200
IMAGE_ID = re.compile(r"[0-9a-z]{1,200}")

EDIT_PARAMETERS: dict[str, Fixed] = {
    "input_fidelity": ((), "each model looks at its inputs in its own way"),
    "markup": ((), "a drawing of what to change cannot be sent; use mask and prompt"),
}
"""As ``FIXED_PARAMETERS``, of this route alone."""

type Picture = bytes | str
"""A file, or the id of an upload or of an image."""


class EditFields(ImagesRequest):
    """What both bodies have: all but the pictures."""

    input_fidelity: Any = fixed_field(EDIT_PARAMETERS["input_fidelity"])
    markup: Any = fixed_field(EDIT_PARAMETERS["markup"])

    @field_validator(*EDIT_PARAMETERS)
    @classmethod
    def _has_a_fixed_edit_value(cls, value: Any, info: ValidationInfo) -> Any:
        return check_fixed(value, EDIT_PARAMETERS[str(info.field_name)])


class PictureReference(BaseModel):
    """A picture in a JSON body: exactly one of the two."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    image_url: str | None = Field(
        None,
        description="A data URL in base64, or the address of an image of one's own: its imageUrl.",
    )
    file_id: Id | None = Field(
        None, description="The uploadId of POST /inputs, or the id of an image of one's own."
    )

    @model_validator(mode="after")
    def _names_one(self) -> Self:
        if (self.image_url is None) == (self.file_id is None):
            raise ValueError("name either image_url or file_id")
        return self


class EditRequest(EditFields):
    """The JSON body of an edit."""

    images: tuple[PictureReference, ...] = Field(
        min_length=1,
        max_length=MAX_INPUTS,
        description="The pictures; a mask is for the first one.",
    )
    mask: PictureReference | None = Field(
        None,
        description="A PNG of the first picture's size: it is changed where the mask is "
        "transparent.",
    )


@dataclass(frozen=True, slots=True)
class Edit:
    """A request for an edit, in either form."""

    request: EditFields
    images: tuple[Picture, ...]
    mask: Picture | None
    images_field: str = IMAGES
    """The name of the field with the pictures, for errors."""


def edit_of_json(values: Any, base_url: str) -> Edit:
    """Return the edit that a JSON body asks for; ``base_url`` is the URL of this service.

    Raises:
        pydantic.ValidationError: the body does not fit its model.
        ParameterError: a picture is neither in the body nor one of this service.
    """
    asked = EditRequest.model_validate(values)
    images = [_picture(one, f"{IMAGES}.{at}", base_url) for at, one in enumerate(asked.images)]
    mask = None if asked.mask is None else _picture(asked.mask, MASK, base_url)
    values = {name: getattr(asked, name) for name in asked.model_fields_set - {IMAGES, MASK}}
    return Edit(EditFields.model_construct(**values), tuple(images), mask)


def edit_of_form(fields: Iterable[tuple[str, bytes]]) -> Edit:
    """Return the edit that a form asks for.

    Raises:
        pydantic.ValidationError: the fields do not fit their model.
        ParameterError: a field is there twice, is not text, or the pictures are too many or none.
    """
    images, texts = list[bytes](), dict[str, Any]()
    mask: bytes | None = None
    for name, content in fields:
        if name in FILE_FIELDS:
            images.append(content)
        elif name in texts or (name == MASK and mask is not None):
            raise ParameterError(name, "The form has this field twice. Send it once.")
        elif name == MASK:
            mask = content
        else:
            texts[name] = _value(name, content)
    request = EditFields.model_validate(texts)
    if not 0 < len(images) <= MAX_INPUTS:
        raise ParameterError(IMAGE, f"Send 1 to {MAX_INPUTS} pictures, as image or image[].")
    return Edit(request, tuple(images), mask, IMAGE)


def _value(name: str, content: bytes) -> Any:
    """Return a field of a form as JSON would have it."""
    if len(content) > MOST_TEXT_BYTES:
        raise ParameterError(name, f"This field may have at most {MOST_TEXT_BYTES} bytes.")
    try:
        text = content.decode()
    except UnicodeDecodeError:
        raise ParameterError(name, _not_text(name)) from None
    if name in NUMBERS and text.isascii() and text.isdigit() and len(text) < 10:
        return int(text)
    return BOOLEANS.get(text, text) if name == "stream" else text


def _not_text(name: str) -> str:
    """Return why the bytes of a form's field cannot be read: nearly always it is a file."""
    if name in EDIT_PARAMETERS:
        return f"This field cannot be sent: {EDIT_PARAMETERS[name][1]}."
    is_known = name in EditFields.model_fields
    return "This field is not text in UTF-8." if is_known else NOT_A_FILE


def _picture(reference: PictureReference, field: str, base_url: str) -> Picture:
    """Return the bytes of a data URL, or the id that a reference names. Nothing is fetched."""
    if reference.file_id is not None:
        return reference.file_id
    url = reference.image_url or ""
    if url[:5].lower() == "data:":
        return _data(url, field)
    own = f"{base_url}/images/"
    if url.startswith(own) and IMAGE_ID.fullmatch(image_id := url.removeprefix(own)):
        return image_id
    raise ParameterError(
        field,
        "image_url must be a data URL or the address of an image of this service: no other one is "
        "fetched. Send the file itself, or use POST /inputs and file_id.",
    )


def _data(url: str, field: str) -> bytes:
    head = DATA_URL.match(url[:MOST_DATA_URL_HEAD])
    try:
        if head:
            return base64.b64decode(url[head.end() :], validate=True)
    except (binascii.Error, ValueError):
        pass
    raise ParameterError(
        field, "The data URL is not valid. Send data:image/png;base64,<the file in base64>."
    )
