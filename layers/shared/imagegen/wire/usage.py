"""The JSON about one user: what was spent, the user's own limits, and the erasure."""

from typing import Literal

from pydantic import Field

from imagegen.domain.catalog import Tier
from imagegen.wire.estimates import Allowance
from imagegen.wire.values import DollarsIn, EdgeModel, Instant, MicroUsd


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


class ErasureReport(EdgeModel):
    """How far an erasure is."""

    finished: bool = Field(
        description="`false`: it goes on by itself, also without another request."
    )
    asked_at: Instant = Field(description="What was confirmed after this time is kept.")
    stays: tuple[str, ...] = Field(description="What is not erased, and for how long.")
