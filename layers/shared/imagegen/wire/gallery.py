"""The JSON about a user's own images: the list, and what one page of it asks for."""

from typing import Literal

from pydantic import Field

from imagegen.domain.catalog import Tier
from imagegen.domain.operations import Operation
from imagegen.wire.images import Cost, Provenance
from imagegen.wire.values import EdgeModel, Instant

MOST_ON_A_PAGE = 100


class GalleryQuery(EdgeModel):
    """Which part of the list is wanted."""

    cursor: str | None = Field(
        None, max_length=200, description="nextCursor of the page before; without it, the newest."
    )
    limit: int = Field(20, ge=1, le=MOST_ON_A_PAGE, description="The most images of the page.")


class OwnImage(EdgeModel):
    """One image in its owner's list."""

    id: str
    status: Literal["complete"] = "complete"
    image_url: str
    alt: str = Field(description="The prompt; if it was not kept, a text that fits any image.")
    prompt: str | None = Field(description="null if it was not kept.")
    style: str | None = Field(description="As prompt.")
    media_type: str
    width: int
    height: int
    size: str
    provider: str
    model: str
    quality: Tier
    charged: bool = True
    cost: Cost
    created_at: Instant
    operation: Operation
    derived_from: str | None = Field(
        description="The quote id of the image that this one was made from."
    )
    inputs: tuple[str, ...] = Field(
        description="The roles of the pictures that it was made with, in their order."
    )
    provenance: Provenance


class GalleryPage(EdgeModel):
    """A part of the user's images, the newest first."""

    images: tuple[OwnImage, ...] = Field(
        description="There may be fewer than limit, even none, although the list goes on."
    )
    next_cursor: str | None = Field(description="Of the next page; null if this is the last one.")
