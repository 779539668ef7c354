"""Inputs: pictures that are given with a request, to be changed, looked at, or used as a mask."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Annotated

from pydantic import Field

from imagegen.domain.ids import ImageRef

MOST_UPLOAD_BYTES = 10 * 1024 * 1024
"""Of one upload."""


class Role(StrEnum):
    """What an input is for."""

    EDIT = "edit"
    """The picture that is changed: at most one, and always the first."""
    REFERENCE = "reference"
    MASK = "mask"
    """Which part of the first input may change: the transparent one. It is always the last."""


@dataclass(frozen=True, slots=True)
class QuotedInput:
    """One input as a quote binds it: either an image of the same user, or an upload.

    The bytes of an image never change, so that its id binds them. An upload is bound by its digest.
    """

    role: Role
    width: int
    height: int
    """As seen: after the rotation that the file's metadata requests."""
    media_type: str
    image: str = ""
    """The quote id of an image of the same user; empty for an upload."""
    issued_ms: int = 0
    """The time of issue of that image's quote."""
    upload: str = ""
    """The id of an upload; empty for an image."""
    sha256: str = ""
    """The digest of an upload's bytes, in hex; empty for an image."""
    file_bytes: Annotated[int, Field(exclude=True)] = field(default=0, compare=False)
    """How large the file is, 0 if unknown. An offer needs it; it is not a part of the quote."""

    def ref(self, user: str) -> ImageRef:
        """Return the reference of the image; ``user`` owns the quote."""
        return ImageRef(self.image, user, self.issued_ms)


@dataclass(frozen=True, slots=True)
class InputFile:
    """One input as a provider gets it."""

    role: Role
    content: bytes
    media_type: str
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class InputFields:
    """The names of the fields in which a model takes its inputs, where a provider has several."""

    pictures: str
    is_list: bool = False
    """Whether the field is a list, also for one picture."""
    mask: str = ""


@dataclass(frozen=True, slots=True)
class PreviewFrame:
    """A partial picture of an image that is being made; it is never an image itself."""

    index: int
    """Of the frame, from 0."""
    content: bytes


def without_mask(inputs: tuple[QuotedInput, ...]) -> tuple[QuotedInput, ...]:
    """Return the inputs that are pictures."""
    return tuple(one for one in inputs if one.role is not Role.MASK)


def encoded_bytes(inputs: tuple[QuotedInput, ...]) -> int:
    """Return how many bytes all inputs have in base64; those of unknown size count nothing."""
    return sum(-(-one.file_bytes // 3) * 4 for one in inputs)
