"""The JSON of the routes with which operators handle keys for programs."""

from typing import Annotated, Literal

from pydantic import Field

from imagegen.domain.keys import KeyLine, ProgramKey
from imagegen.wire.admin import Reason
from imagegen.wire.values import DollarsIn, EdgeModel, Instant, MicroUsd

KeyScope = Literal["estimate", "images", "chat", "people", "admin"]
KeyState = Literal["valid", "revoked", "expired"]
KeyId = Annotated[str, Field(max_length=64, description="The key's id, which the list shows.")]
DEFAULTS = KeyLine(0)
DAYS_VALID, DAYS_OVERLAP = 365, 1
MOST_DAYS = 3_650


class KeyItem(EdgeModel):
    """A key without its text."""

    key_id: str
    name: str
    scopes: tuple[str, ...]
    state: KeyState
    daily_spend: MicroUsd = Field(description="The most that it may spend in a UTC day.")
    monthly_spend: MicroUsd | None = Field(description="The same in a UTC month; `null`: no limit.")
    daily_images: int
    daily_chats: int
    created_at: Instant
    made_by: str
    expires_at: Instant | None
    revoked_at: Instant | None
    old_text_until: Instant | None = Field(
        description="Until this time, the text before the last rotation is accepted."
    )
    user: str = Field(description="The hash under which reports show what it spent for itself.")


class KeyList(EdgeModel):
    """All keys, also revoked and expired ones."""

    keys: tuple[KeyItem, ...] = Field(description="The oldest first.")


class NewKey(EdgeModel):
    """What a new key is to be."""

    name: Annotated[str, Field(max_length=200)]
    scopes: tuple[KeyScope, ...] = Field(max_length=5)
    daily_spend: DollarsIn
    monthly_spend: DollarsIn | None = None
    daily_images: int = DEFAULTS.daily_images
    daily_chats: Annotated[int, Field(ge=1)] = DEFAULTS.daily_chats
    days: Annotated[int, Field(ge=1, le=MOST_DAYS)] | None = Field(
        DAYS_VALID, description="After how many days it expires; `null`: never."
    )
    reason: Reason = ""


class MadeKeyAnswer(EdgeModel):
    """A key with its text."""

    key_text: str = Field(repr=False, description="What the program sends. It is shown this once.")
    key: KeyItem


class RotateKey(EdgeModel):
    """Replaces the text of a key by a new one."""

    key_id: KeyId
    overlap_hours: Annotated[int, Field(ge=0, le=720)] = 24 * DAYS_OVERLAP
    reason: Reason = ""


class RevokeKey(EdgeModel):
    """Ends a key."""

    key_id: KeyId
    reason: Reason = ""


def to_item(key: ProgramKey, state: KeyState) -> KeyItem:
    """Return what operators see of a key."""
    return KeyItem(
        key_id=key.id,
        name=key.name,
        scopes=tuple(sorted(key.scopes)),
        state=state,
        daily_spend=key.line.daily_microusd,
        monthly_spend=key.line.monthly_microusd,
        daily_images=key.line.daily_images,
        daily_chats=key.line.daily_chats,
        created_at=key.created_ms,
        made_by=key.made_by,
        expires_at=key.expires_ms,
        revoked_at=key.revoked_ms,
        old_text_until=key.earlier.until_ms if key.earlier else None,
        user=key.user,
    )
