"""The JSON of the health report: providers, models, circuits and key checks."""

from typing import Literal

from pydantic import Field

from imagegen.domain.catalog import Tier
from imagegen.domain.ports import ModerationMode
from imagegen.wire.values import EdgeModel, Instant, MicroUsd, optional_field


class CircuitReport(EdgeModel):
    """A circuit as health shows it."""

    state: Literal["closed", "open", "half_open", "unknown"] = Field(
        description="`unknown` while it cannot be read: calls go on as if it were closed."
    )
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

    status: Literal["healthy", "degraded", "unhealthy"] = Field(
        description="`degraded`: some models cannot be used, or the circuits cannot be read; "
        "`unhealthy`: no model can be used."
    )
    checked_at: Instant
    moderation: ModerationReport
    providers: tuple[ProviderReport, ...]
