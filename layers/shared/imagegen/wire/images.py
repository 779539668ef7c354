"""What enters and leaves as JSON: camelCase, dollars as decimal text, unknown fields refused."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    StringConstraints,
    WithJsonSchema,
)
from pydantic.alias_generators import to_camel

from imagegen.domain.catalog import PIXEL_SIZE, Tier
from imagegen.domain.money import parse_usd, usd_text

MAX_PROMPT_CHARACTERS = 32_000
MAX_STYLE_CHARACTERS = 200
_SIZES = rf"^(square|landscape|portrait)$|{PIXEL_SIZE}"


def iso_time(at_ms: int) -> str:
    """Return milliseconds since 1970 as UTC: ``2026-11-22T10:00:00.000Z``."""
    at = datetime.fromtimestamp(at_ms / 1000, UTC)
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _dollars(value: object) -> int:
    wrong = ValueError('must be dollars, such as "0.05"')
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise wrong
    try:
        # A number of JSON's is a number however it is written: 1e-5 as much as 0.00001.
        return parse_usd(value if isinstance(value, str) else f"{Decimal(str(value)):f}")
    except ValueError:
        raise wrong from None  # an answer does not repeat what was sent


def _not_blank(text: str) -> str:
    if not text.strip():
        raise ValueError("must not be empty")
    return text


MicroUsd = Annotated[
    int,
    Field(ge=0),
    PlainSerializer(usd_text, return_type=str),
    WithJsonSchema({"type": "string", "pattern": r"^\d+\.\d{6}$", "examples": ["0.052700"]}),
]
DollarsIn = Annotated[
    int,
    BeforeValidator(_dollars),
    WithJsonSchema({"anyOf": [{"type": "string"}, {"type": "number"}], "examples": ["0.05"]}),
]
Instant = Annotated[
    int,
    PlainSerializer(iso_time, return_type=str),
    WithJsonSchema({"type": "string", "format": "date-time"}),
]
Prompt = Annotated[
    str,
    StringConstraints(min_length=1, max_length=MAX_PROMPT_CHARACTERS),
    AfterValidator(_not_blank),
]


class EdgeModel(BaseModel):
    """What enters or leaves as JSON."""

    model_config = ConfigDict(
        alias_generator=to_camel, validate_by_name=True, frozen=True, extra="forbid"
    )


class EstimateRequest(EdgeModel):
    """What an image would cost is asked with this."""

    prompt: Prompt
    quality: Tier | None = Field(None, description="Without it, the prompt's words decide.")
    size: Annotated[str, StringConstraints(pattern=_SIZES)] = Field(
        "square", description="square, landscape, portrait, or exact pixels such as 1024x1024."
    )
    style: Annotated[str, StringConstraints(max_length=MAX_STYLE_CHARACTERS)] = ""
    max_cost: DollarsIn | None = Field(None, description="Dollars; no dearer model is offered.")
    provider: str | None = Field(None, max_length=40, description="Preferred, not required.")
    model: str | None = Field(None, max_length=120, description="Preferred, not required.")


class Price(EdgeModel):
    """What is expected to be paid, and the most that can be."""

    expected: MicroUsd
    ceiling: MicroUsd
    currency: Literal["USD"] = "USD"


class Alternative(EdgeModel):
    """Another model of the tier: a fallback of this offer, or why it is none."""

    key: str
    provider: str
    model: str
    price: MicroUsd | None
    available: bool
    reason: str | None = None
    detail: str | None = None


class Replaced(EdgeModel):
    """Whom another model stands in for, and why."""

    provider: str
    model: str
    reason: str
    price: MicroUsd | None = None


class Constraints(EdgeModel):
    """What the tier can do."""

    sizes: tuple[str, ...]
    max_prompt_characters: int
    max_style_characters: int = MAX_STYLE_CHARACTERS


class Allowance(EdgeModel):
    """What the user may still do; ``null`` where there is no limit."""

    images_this_hour: int | None
    images_today: int
    usd_today: MicroUsd


class Estimate(EdgeModel):
    """A priced offer; the quote accepts it once, within ten minutes."""

    quote: str
    quote_id: str
    image_id: str
    expires_at: Instant
    prompt: str
    quality: Tier
    quality_reason: str
    provider: str
    model: str
    size: str
    style: str
    price: Price
    button_label: str
    constraints: Constraints
    alternatives: tuple[Alternative, ...]
    fallback: Replaced | None
    typical_seconds: int
    remaining: Allowance


class GenerateRequest(EdgeModel):
    """The click: the quote of an estimate and the prompt it was made for."""

    quote: Annotated[str, StringConstraints(min_length=1, max_length=8_192)]
    prompt: Prompt


class Cost(EdgeModel):
    """What was charged, beside what was promised."""

    charged: MicroUsd
    expected: MicroUsd
    ceiling: MicroUsd
    currency: Literal["USD"] = "USD"


class AttemptMade(EdgeModel):
    """One model's turn."""

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
    llm_api_call: LlmApiCall
    remaining: Allowance


class ImageInProgress(EdgeModel):
    """The image is being made; ask again."""

    id: str
    status: Literal["generating"] = "generating"
    started_at: Instant
    typical_seconds: int
    charged: bool = False


class ImageStatus(EdgeModel):
    """Where an image stands, for whoever has its id."""

    id: str
    status: Literal["generating", "complete", "failed"]
    charged: bool
    started_at: Instant | None = None
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
    code: str | None = None
    retryable: bool | None = None
