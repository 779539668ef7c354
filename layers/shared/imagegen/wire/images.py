"""The JSON about one image: camelCase, dollars as decimal text, unknown fields refused."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, Any, Literal, Self

from pydantic import (
    BeforeValidator,
    Field,
    PlainSerializer,
    StringConstraints,
    WithJsonSchema,
    model_validator,
)

from imagegen.domain.catalog import FileFormat, Tier
from imagegen.domain.choices import Label
from imagegen.domain.money import parse_usd, usd_text
from imagegen.domain.price_rules import PIXEL_SIZE
from imagegen.domain.text import MAX_STYLE_CHARACTERS, Prompt, Style
from imagegen.domain.wishes import MAX_SEED
from imagegen.wire.edge_model import EdgeModel
from imagegen.wire.inputs import (
    MAX_INPUTS,
    InputReference,
    InputShown,
    MaskReference,
    UploadTarget,
)

DOLLARS = r"^([0-9]{1,9}|[0-9]{0,9}\.[0-9]{1,6})$"
MOST_IMAGES = 10
"""The most that ``MAX_COUNT`` can be."""
_SIZES = rf"^(square|landscape|portrait|same)$|{PIXEL_SIZE}"
MAX_PARTIALS = 2


def iso_time(at_ms: int) -> str:
    """Return milliseconds since 1970 as UTC: ``2026-11-22T10:00:00.000Z``."""
    at = datetime.fromtimestamp(at_ms / 1000, UTC)
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _dollars(value: object) -> int:
    invalid = ValueError('must be dollars, such as "0.05"')
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise invalid
    try:
        # JSON may write one number as 1e-5 or as 0.00001: both are accepted.
        return parse_usd(value if isinstance(value, str) else f"{Decimal(str(value)):f}")
    except ValueError:
        raise invalid from None  # an answer must not repeat what was sent


MicroUsd = Annotated[
    int,
    Field(ge=0),
    PlainSerializer(usd_text, return_type=str),
    WithJsonSchema({"type": "string", "pattern": r"^\d+\.\d{6}$", "examples": ["0.052700"]}),
]
DollarsIn = Annotated[
    int,
    BeforeValidator(_dollars),
    # A number is accepted as well. Clients that are generated of a union need a class for it.
    PlainSerializer(usd_text, return_type=str),
    WithJsonSchema({"type": "string", "pattern": DOLLARS, "examples": ["0.05"]}),
]
Instant = Annotated[
    int,
    PlainSerializer(iso_time, return_type=str),
    WithJsonSchema({"type": "string", "format": "date-time"}),
]


def _number(value: object) -> object:
    if isinstance(value, bool):
        raise ValueError("must be a whole number")  # noqa: TRY004 pydantic needs a ValueError
    return value


Count = Annotated[int, BeforeValidator(_number)]
"""A whole number; LLMs also write it as 4.0 or as text, but ``true`` is none."""
Token = Annotated[str, StringConstraints(min_length=1, max_length=8_192)]


class EstimateRequest(EdgeModel):
    """The image to price: the body of POST /estimate."""

    prompt: Prompt
    quality: Tier | None = Field(None, description="Without it, the prompt's words decide.")
    size: Annotated[str, StringConstraints(pattern=_SIZES)] = Field(
        "square",
        description="square, landscape, portrait, exact pixels such as 1024x1024, or same: for "
        "each model, its size nearest to the first input. Without it, an edit has the same size.",
    )
    style: Style = ""
    max_cost: DollarsIn | None = Field(
        None, description="Dollars as text or number; a model that costs more is not offered."
    )
    provider: str | None = Field(None, max_length=40, description="Preferred, not required.")
    model: str | None = Field(None, max_length=120, description="Preferred, not required.")
    format: FileFormat | None = Field(None, description="Without it, the model decides.")
    count: Count = Field(
        1,
        ge=1,
        le=MOST_IMAGES,
        description="How many images; MAX_COUNT at most. maxCost is for all.",
    )
    inputs: tuple[InputReference, ...] = Field(
        (), max_length=MAX_INPUTS, description="Pictures to change or to look at, in their order."
    )
    mask: MaskReference | None = Field(
        None,
        description="A PNG of the first input's size: it is changed where the mask is transparent.",
    )
    background: Literal["transparent", "opaque"] | None = Field(
        None, description="transparent leaves out models that make no transparent background."
    )
    seed: int | None = Field(
        None, strict=True, ge=0, le=MAX_SEED, description="Leaves out models that have no seed."
    )
    partials: int = Field(
        0,
        strict=True,
        ge=0,
        le=MAX_PARTIALS,
        description="Preview frames while the image is made; each has a price.",
    )

    def without_prompt(self) -> dict[str, Any]:
        """Return what was sent beside the prompt, as JSON that can be sent again."""
        return self.model_dump(
            mode="json", by_alias=True, exclude={"prompt"}, exclude_unset=True, exclude_none=True
        )


class Price(EdgeModel):
    """The expected price of all images, and the most that can be charged for them."""

    per_image: MicroUsd = Field(description="The most that one of the images can cost.")
    expected: MicroUsd
    ceiling: MicroUsd
    count: int
    currency: Literal["USD"] = "USD"


class Alternative(EdgeModel):
    """Another model of the tier: a fallback of this offer, or the reason why it is not one."""

    key: str
    provider: str
    model: str
    price: MicroUsd | None
    available: bool
    reason: str | None = None
    detail: str | None = None


class ChoiceRequest(EdgeModel):
    """What turns the same request into an offer of a choice."""

    quality: Tier
    model: str


class PricedChoice(EdgeModel):
    """A model that the person may take instead, of any tier."""

    labels: tuple[Label, ...] = Field(
        description="What it is the best in; the first choice is what this offer makes."
    )
    quality: Tier
    provider: str
    model: str
    price: Price
    typical_seconds: int
    request: ChoiceRequest = Field(
        description="Send the same estimate with these fields to get its offer; that is free."
    )


class Blocked(EdgeModel):
    """Why a click would be refused now."""

    reason: str
    detail: str
    opens_at: Instant | None = Field(description="null: waiting does not help.")


class Replaced(EdgeModel):
    """The first choice that another model replaced, and why."""

    provider: str
    model: str
    reason: str
    price: MicroUsd | None = None


class Constraints(EdgeModel):
    """The sizes and lengths that the tier supports."""

    sizes: tuple[str, ...]
    max_prompt_characters: int
    max_style_characters: int = MAX_STYLE_CHARACTERS


class Allowance(EdgeModel):
    """What the user may still do; ``null`` if there is no limit."""

    images_this_hour: int | None
    images_today: int
    usd_today: MicroUsd


class Estimate(EdgeModel):
    """A priced offer; each of its quotes can be confirmed once, within ten minutes."""

    quote: str = Field(description="Empty for several images: send quotes.")
    quote_id: str
    image_id: str = Field(description="Of several images, the first one's.")
    quotes: tuple[str, ...] = Field(description="One for each image, each a promise of its own.")
    image_ids: tuple[str, ...]
    expires_at: Instant
    prompt: str
    quality: Tier
    quality_reason: str
    provider: str
    model: str
    size: str
    style: str
    price: Price
    button_label: str = Field(description="Its number is the most that can be charged.")
    button_note: str = Field(description="What it usually costs; empty if that is the same.")
    blocked: Blocked | None = Field(
        description="Why the click would be refused now: show this instead of the button."
    )
    choices: tuple[PricedChoice, ...]
    constraints: Constraints
    alternatives: tuple[Alternative, ...]
    fallback: Replaced | None
    typical_seconds: int
    remaining: Allowance
    inputs: tuple[InputShown, ...] = Field(
        (), description="The inputs as they were measured; the mask is the last one."
    )
    partials: int = Field(0, description="The preview frames that the price includes.")
    request: dict[str, Any] = Field(
        default_factory=dict,
        description="What was requested beside the prompt: send both again for a new price.",
    )


class UploadTicket(EdgeModel):
    """An upload that may be stored, and where its file is sent until then."""

    upload_id: str
    upload: UploadTarget
    expires_at: Instant = Field(description="When the upload must have begun.")


class GenerateRequest(EdgeModel):
    """The confirmation: the quote, or the quotes, of an estimate, and the prompt of it."""

    quote: Token | None = Field(None, description="Of one image. Either this or quotes.")
    quotes: tuple[Token, ...] = Field(
        (), max_length=MOST_IMAGES, description="Of several images; MAX_COUNT at most."
    )
    prompt: Prompt
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
    derived_from: str | None = Field(
        None, description="For its owner alone: the quote id of the image that it was made from."
    )
    inputs: tuple[str, ...] = Field(
        (), description="For its owner alone: the roles of the pictures that it was made with."
    )
