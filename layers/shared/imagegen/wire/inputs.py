"""The JSON about inputs: pictures that are given with a request, and the upload of one."""

from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from imagegen.domain.inputs import MOST_UPLOAD_BYTES, Role
from imagegen.wire.values import EdgeModel, Instant, WholeNumber, explained

MAX_INPUTS = 4
"""The most pictures of one request, without the mask: their bytes are in memory while it runs."""
MediaType = Literal["image/png", "image/jpeg", "image/webp"]
Id = Annotated[str, StringConstraints(min_length=1, max_length=200)]
_Digest = Annotated[
    str,
    StringConstraints(pattern=r"^[0-9a-f]{64}$"),
    explained("must be 64 digits from 0 to 9 and a to f"),
]


class MaskReference(EdgeModel):
    """A picture: either an image of one's own or an upload."""

    image: Id | None = Field(None, description="The id of an image of one's own.")
    upload: Id | None = Field(None, description="The uploadId of POST /inputs.")

    @model_validator(mode="after")
    def _names_one(self) -> Self:
        if (self.image is None) == (self.upload is None):
            raise ValueError("name either an image or an upload")
        return self


class InputReference(MaskReference):
    """A picture and what it is for."""

    role: Literal["edit", "reference"] | None = Field(
        None,
        description="edit: the picture that is changed, only the first one; reference: a picture "
        "to look at. Without it, a single input is edited, and of several each is a reference.",
    )


class InputShown(EdgeModel):
    """One input as it was measured: the quote is for exactly this picture."""

    role: Role
    width: int
    height: int
    media_type: str
    quote_id: str | None = Field(description="Of an image; null for an upload.")


class UploadOrder(EdgeModel):
    """The file that will be uploaded: the body of POST /inputs."""

    media_type: MediaType
    bytes: WholeNumber = Field(ge=1, le=MOST_UPLOAD_BYTES, description="The size of the file.")
    sha256: _Digest = Field(description="The file's SHA-256 in hex.")


class UploadTarget(EdgeModel):
    """Where the file is sent: once, with exactly these headers."""

    url: str
    method: Literal["PUT"] = "PUT"
    headers: dict[str, str]


class UploadTicket(EdgeModel):
    """An upload that may be stored, and where its file is sent until then."""

    upload_id: str
    upload: UploadTarget
    expires_at: Instant = Field(description="The upload must begin before this time.")
