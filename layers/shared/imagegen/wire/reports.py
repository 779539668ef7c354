"""The JSON about many images or about the service: usage, models, health and problems."""

from typing import Any, Literal

from pydantic import ConfigDict, Field
from pydantic.alias_generators import to_camel

from imagegen.domain.catalog import Tier
from imagegen.domain.operations import Operation
from imagegen.domain.ports import ModerationMode
from imagegen.wire.estimates import Allowance
from imagegen.wire.values import DollarsIn, EdgeModel, Instant, MicroUsd, optional_field


class UsedImage(EdgeModel):
    """One confirmed request in the usage list."""

    id: str
    status: Literal["complete", "failed"]
    provider: str
    model: str
    quality: Tier
    size: str
    cost: MicroUsd
    duration_ms: int
    created_at: Instant
    code: str | None = None


class ChatAllowance(EdgeModel):
    """Chat requests, and tokens of the chat's LLM, on one UTC day."""

    requests: int
    tokens: int


class UsedChat(EdgeModel):
    """What the user used of the chat today, and may still use."""

    used: ChatAllowance
    limits: ChatAllowance
    remaining: ChatAllowance


class NewOwnLimits(EdgeModel):
    """The limits that a person sets; a field that is left out removes that limit."""

    usd_today: DollarsIn | None = Field(None, description="The most to spend on a UTC day.")
    usd_this_month: DollarsIn | None = Field(None, description="The most to spend in a UTC month.")


class OwnLimits(EdgeModel):
    """The limits that a person has set for themselves; they can only lower what others allow."""

    usd_today: MicroUsd | None
    usd_this_month: MicroUsd | None


class Usage(EdgeModel):
    """What the user spent today and may still spend, with the newest requests."""

    day: str
    spent: MicroUsd
    reserved: MicroUsd = Field(description="Held for images that are being made.")
    images: int
    attempts: int
    limits: Allowance
    remaining: Allowance
    own_limits: OwnLimits
    chat: UsedChat
    recent: tuple[UsedImage, ...]


class OfferedSize(EdgeModel):
    """A size of a model and its price."""

    size: str
    shape: str | None
    price: MicroUsd


class OfferedInputs(EdgeModel):
    """Which input images a model takes."""

    most: int = Field(description="Pictures in one request, without the mask.")
    price: MicroUsd = Field(description="The most that one picture adds to an image's price.")
    mask: bool
    needs: Literal["nothing", "image", "mask"] = Field(
        description="Which input the model requires."
    )


class OfferedPreviews(EdgeModel):
    """The preview frames that a model can send."""

    most: int
    price: MicroUsd = Field(description="The price of one frame.")


class OfferedModel(EdgeModel):
    """A row of the catalog as it is offered now."""

    key: str
    provider: str
    model: str
    operation: Operation
    quality: Tier
    fallback_priority: int
    sizes: tuple[OfferedSize, ...]
    scales: tuple[int, ...] = Field(
        description="Of an upscale: how many times longer it can make the edges."
    )
    inputs: OfferedInputs | None = Field(description="`null`: it takes no input images.")
    transparent: bool = Field(description="Whether it makes transparent backgrounds.")
    seed: bool = Field(description="Whether a seed can be given.")
    previews: OfferedPreviews | None = Field(description="`null`: it sends no preview frames.")
    max_prompt_characters: int
    typical_seconds: int
    available: bool
    reason: str | None
    shutdown_on: str | None


class RetiredModel(EdgeModel):
    """A model that was shut down, and the model that replaces it."""

    provider: str
    model: str
    shutdown_on: str
    replaced_by: str


class Models(EdgeModel):
    """The catalog."""

    models: tuple[OfferedModel, ...]
    retired: tuple[RetiredModel, ...]


class CircuitReport(EdgeModel):
    """A circuit as health shows it."""

    state: Literal["closed", "open", "half_open"]
    failures: int
    retry_at: Instant | None
    why: str | None = Field(None, description="The last error's code; only with the admin scope.")


class PriceDriftReport(EdgeModel):
    """A price of the catalog that is not the vendor's."""

    size: str
    price: MicroUsd = Field(description="Of one image of that size, as the catalog has it.")
    stated: MicroUsd | None = Field(
        description="What the vendor states; `null`: it no longer takes the request."
    )


class ModelReport(EdgeModel):
    """A model as health shows it."""

    key: str
    model: str
    quality: Tier
    available: bool
    reason: str | None
    warning: str | None
    price_drift: PriceDriftReport | None = optional_field(
        "Set while the vendor states another price; only with the admin scope."
    )


class KeyCheckReport(EdgeModel):
    """The result of the last check of a provider's key."""

    at: Instant
    outcome: str


class ProviderReport(EdgeModel):
    """A provider as health shows it."""

    provider: str
    available: bool
    reason: str | None
    credentials: Literal["missing", "present", "valid", "refused"] = Field(
        description="Of its key, or of the functions' own role where it has none."
    )
    enabled: bool
    circuit: CircuitReport
    models: tuple[ModelReport, ...]
    last_key_check: KeyCheckReport | None
    prices_checked_at: Instant | None = optional_field(
        "When the vendor was last asked for its prices; only with the admin scope, and where it "
        "states any."
    )
    hint: str | None = optional_field(
        "What to do about a refused credential, or an address without the routes that are "
        "called; only with the admin scope."
    )


class ModerationReport(EdgeModel):
    """How prompts are moderated."""

    mode: ModerationMode
    provider: str | None = Field(
        description="Who moderates; `null`: nobody, so that `required` refuses every image."
    )


class Health(EdgeModel):
    """The providers, and whether each can be used now."""

    status: Literal["healthy", "degraded", "unhealthy"]
    checked_at: Instant
    moderation: ModerationReport
    providers: tuple[ProviderReport, ...]


class Problem(EdgeModel):
    """An error in the format of RFC 9457."""

    model_config = ConfigDict(alias_generator=to_camel, validate_by_name=True, frozen=True)

    type: str
    title: str
    status: int
    code: str
    detail: str
    charged: bool | None = Field(
        description="Whether the requested image is charged; null: it was not looked up."
    )
    retryable: bool
    retry_after_seconds: int | None = optional_field()
    errors: list[dict[str, Any]] | None = optional_field()
    resource_metadata: str | None = optional_field(
        "For hosts of MCP without a token: where the issuer is named (RFC 9728).",
        serialization_alias="resource_metadata",
    )
