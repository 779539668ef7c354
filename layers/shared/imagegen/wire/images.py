"""The JSON of confirmed images: the confirmation, the image or the set, and its state."""

from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from imagegen.domain.catalog import Tier
from imagegen.domain.operations import Operation
from imagegen.domain.text import PromptOrNone
from imagegen.wire.estimates import MOST_IMAGES, Allowance, Replaced
from imagegen.wire.problems import Problem
from imagegen.wire.values import EdgeModel, Instant, MicroUsd, RequestModel, optional_field

QuoteText = Annotated[str, StringConstraints(min_length=1, max_length=8_192)]


class GenerateRequest(RequestModel):
    """The confirmation: the quote, or the quotes, of an estimate, and the prompt of it."""

    quote: QuoteText | None = Field(None, description="Of one image. Either this or quotes.")
    quotes: tuple[QuoteText, ...] = Field(
        (), max_length=MOST_IMAGES, description="Of several images; MAX_COUNT at most."
    )
    prompt: PromptOrNone = Field(
        description="The prompt of the estimate; empty for an operation without one."
    )
    mixed: bool = Field(
        default=False,
        description="Whether the images of several quotes may be made by different models.",
    )

    @model_validator(mode="after")
    def _is_one_or_several(self) -> Self:
        if (self.quote is None) == (not self.quotes):
            raise ValueError("send either quote or quotes")
        if len(set(self.quotes)) < len(self.quotes):
            raise ValueError("a quote can stand only once in quotes")
        return self


class Cost(EdgeModel):
    """The charge, beside the prices that the quote promised."""

    charged: MicroUsd
    expected: MicroUsd
    ceiling: MicroUsd
    currency: Literal["USD"] = "USD"


class AttemptMade(EdgeModel):
    """One attempt: one candidate's turn in a run."""

    provider: str
    model: str
    outcome: str
    duration_ms: int


class LlmApiCall(EdgeModel):
    """The image call as the chat's list of API calls shows it."""

    type: Literal["image"] = "image"
    provider: str
    model: str
    size: str
    quality: Tier
    cost: MicroUsd
    duration_ms: int
    success: bool
    timestamp: Instant


class Provenance(EdgeModel):
    """Where an image is from, and the marks of origin that its file has."""

    generator: str = Field(description="The provider whose model made it.")
    model: str
    created_at: Instant
    c2pa: Literal["present", "absent", "unknown"] = Field(
        alias="c2pa",  # to_camel would write c2Pa
        description="Whether the stored file contains a C2PA manifest; it is not validated.",
    )
    watermark: Literal["synthid", "unknown"] = Field(
        description="What the vendor says that its model puts into every file; not looked for."
    )


class GeneratedImage(EdgeModel):
    """An image that was made, stored and charged."""

    id: str
    status: Literal["complete"] = "complete"
    image_url: str
    alt: str
    media_type: str
    width: int
    height: int
    provider: str
    model: str
    quality: Tier
    size: str
    style: str
    cost: Cost
    fallback: Replaced | None
    attempts: tuple[AttemptMade, ...]
    duration_ms: int
    created_at: Instant
    provenance: Provenance
    llm_api_call: LlmApiCall
    remaining: Allowance
    derived_from: str | None = Field(
        None, description="The quote id of the image that it was made from; never its id."
    )
    operation: Operation = Operation.GENERATE
    inputs: tuple[str, ...] = Field(
        (), description="The roles of the pictures that it was made with, in their order."
    )
    parents: tuple[str | None, ...] = Field(
        (), description="The quote ids of these pictures, in the same order; null for an upload."
    )


class ImageInProgress(EdgeModel):
    """The image is being made; send the same request again to get it."""

    id: str
    status: Literal["generating"] = "generating"
    started_at: Instant
    typical_seconds: int
    charged: bool | None = Field(
        default=False, description="null: the image may be stored, and charged, already."
    )


class Preview(EdgeModel):
    """A partial picture of an image that is being made. It is not the image."""

    index: int = Field(description="Of the frame, from 0.")
    url: str = Field(description="Opens the frame for a minute; the frame ends with the attempt.")


class ImageStatus(EdgeModel):
    """The state of an image, for anyone who has its id."""

    id: str
    status: Literal["generating", "complete", "failed"]
    charged: bool | None = Field(description="null: whether it is stored was not looked up.")
    started_at: Instant | None = None
    preview: Preview | None = Field(
        None, description="The newest preview frame while it is generating."
    )
    created_at: Instant | None = None
    duration_ms: int | None = None
    image_url: str | None = None
    media_type: str | None = None
    width: int | None = None
    height: int | None = None
    provider: str | None = None
    model: str | None = None
    quality: Tier | None = None
    size: str | None = None
    cost: Cost | None = None
    fallback: Replaced | None = None
    attempts: tuple[AttemptMade, ...] = ()
    provenance: Provenance | None = None
    code: str | None = None
    retryable: bool | None = None
    prompt: str | None = Field(None, description="For its owner alone; null if it was not kept.")
    style: str | None = Field(None, description="As prompt.")
    operation: Operation | None = None
    derived_from: str | None = Field(
        None, description="For its owner alone: the quote id of the image that it was made from."
    )
    inputs: tuple[str, ...] = Field(
        (), description="For its owner alone: the roles of the pictures that it was made with."
    )


class SetImage(EdgeModel):
    """One image of a set: made, being made, or the reason why it is not there."""

    index: int
    id: str | None = Field(description="null: its quote cannot be read.")
    status: Literal["complete", "generating", "failed"]
    charged: bool | None = Field(description="null: whether it is stored was not looked up.")
    image: GeneratedImage | None = optional_field()
    problem: Problem | None = optional_field()
    started_at: Instant | None = optional_field()
    typical_seconds: int | None = optional_field()


class GeneratedSet(EdgeModel):
    """The images of several quotes, in the order of the quotes; each is charged if it is stored."""

    images: tuple[SetImage, ...]

    @property
    def is_running(self) -> bool:
        """Whether an image is still being made."""
        return any(one.status == "generating" for one in self.images)


ImagesMade = GeneratedImage | GeneratedSet
"""The answer to a confirmation whose images are stored."""
ImagesInProgress = ImageInProgress | GeneratedSet
"""The answer while an image is being made."""
