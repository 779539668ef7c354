"""The response models of OpenAI's image routes, and the receipt that their format lacks."""

from typing import Literal

from pydantic import BaseModel, Field

from imagegen.domain.catalog import Tier
from imagegen.domain.money import usd_text
from imagegen.wire.estimates import Allowance, Replaced
from imagegen.wire.images import Cost
from imagegen.wire.values import EdgeModel, optional_field

GENERATIONS, EDITS = "/v1/images/generations", "/v1/images/edits"


class ImageData(BaseModel):
    """One image: its bytes as base64, its URL, or both."""

    b64_json: str | None = optional_field()
    url: str | None = optional_field()


class TokenDetails(BaseModel):
    """How many of the tokens are text and how many are images."""

    text_tokens: int
    image_tokens: int


class TokenUsage(BaseModel):
    """The tokens that the provider counted. Without input pictures, all of the input are text."""

    input_tokens: int
    input_tokens_details: TokenDetails | None = optional_field(
        "Left out if the provider does not count the tokens of input pictures apart."
    )
    output_tokens: int
    total_tokens: int


class ImageReceipt(EdgeModel):
    """What OpenAI's answer has no field for: the charge, and where the image is."""

    image_id: str
    image_url: str
    """Valid as long as the image is kept."""
    repeated: bool = Field(description="An earlier call made the image; it is not charged again.")
    provider: str
    model: str
    quality: Tier
    cost: Cost
    fallback: Replaced | None = Field(description="The model that was named or first, if not used.")
    duration_ms: int
    url_instead: bool
    """Whether ``url`` replaces ``b64_json``, because of Lambda's limit of 6 MB for an answer."""


class FailedImage(EdgeModel):
    """One of several images that was not made, or whose end is not known yet."""

    index: int = Field(description="Which of the n images it is, from 0.")
    code: str
    message: str
    charged: bool | None
    retryable: bool


class Adapted(EdgeModel):
    """A parameter of which something else was used than what was sent."""

    param: str
    requested: str
    used: str


class Receipt(ImageReceipt):
    """The receipt of a call, for one image or several.

    Costs are sums, and ``durationMs`` is the longest. ``repeated`` is true if it is true of every
    image, ``urlInstead`` if it is true of any. The other values are those of the first image.
    """

    images: tuple[ImageReceipt, ...]
    failed: tuple[FailedImage, ...]
    adapted: tuple[Adapted, ...]
    remaining: Allowance


class ImagesAnswer(BaseModel):
    """The answer to ``images.generate``."""

    created: int
    """Seconds since 1970."""
    data: tuple[ImageData, ...]
    background: Literal["opaque", "transparent"] | None = optional_field(
        "Missing if the model decided: if the request had none, or auto."
    )
    size: str
    quality: str
    output_format: str
    usage: TokenUsage | None = optional_field()
    imagegen: Receipt

    def receipt_headers(self) -> dict[str, str]:
        """Return the headers with the receipt, for clients that keep nothing else of the body."""
        images = self.imagegen.images
        return {
            "x_imagegen_charged": usd_text(self.imagegen.cost.charged),
            "x_imagegen_image_id": ",".join(one.image_id for one in images),
            "x_imagegen_model": ",".join(dict.fromkeys(one.model for one in images)),
        }


class Modalities(BaseModel):
    """What a model reads and what it makes."""

    input_modalities: tuple[Literal["text"], ...] = ("text",)
    output_modalities: tuple[Literal["image"], ...] = ("image",)


class ListedModel(BaseModel):
    """One value that ``model`` may have. The last fields say that it makes images, not text."""

    id: str
    object: Literal["model"] = "model"
    created: int
    """When the price was last looked up, in seconds since 1970."""
    owned_by: str
    shutdown_date: str | None = optional_field()
    alias_of: str | None = optional_field()
    type: Literal["image"] = "image"
    mode: Literal["image_generation"] = "image_generation"
    architecture: Modalities = Modalities()
    supported_endpoints: tuple[str, ...] = (GENERATIONS, EDITS)


class ModelList(BaseModel):
    """The answer to ``models.list``."""

    object: Literal["list"] = "list"
    data: tuple[ListedModel, ...]
