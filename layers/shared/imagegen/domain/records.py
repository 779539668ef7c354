"""What is kept of an image that was made, or of a request that came to nothing: no prompt."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from pydantic import TypeAdapter

from imagegen.domain.catalog import Tier

SUCCESS = "success"
"""The outcome of an attempt that made the image."""


class RecordStatus(StrEnum):
    """How a confirmed request ended."""

    COMPLETE = "complete"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Attempt:
    """One candidate's turn."""

    provider: str
    model: str
    outcome: str
    """``success`` or an ``Outcome``."""
    code: str
    """The provider's own code, where it gave one."""
    duration_ms: int


@dataclass(frozen=True, slots=True)
class Fallback:
    """Whom another model stands in for, and why."""

    provider: str
    model: str
    reason: str


@dataclass(frozen=True, slots=True)
class ImageRecord:
    """One confirmed request."""

    status: RecordStatus
    quote_id: str
    issued_ms: int
    created_ms: int
    duration_ms: int
    tier: Tier
    size: str
    """As asked: a shape or exact pixels."""
    expected_microusd: int
    ceiling_microusd: int
    charged_microusd: int
    key: str = ""
    """The catalog row that made the image."""
    provider: str = ""
    model: str = ""
    width: int = 0
    height: int = 0
    media_type: str = ""
    fallback: Fallback | None = None
    attempts: tuple[Attempt, ...] = ()
    code: str = ""
    """Failed: the error's code."""
    retryable: bool = False
    in_doubt_microusd: int = 0
    """What providers may have billed for answers that never came; never the user's."""
    actual_microusd: int | None = None
    """What the provider bills by its own count of tokens, where it counts."""
    tokens: tuple[int, int] | None = None
    """That count: in and out."""
    run: str = ""
    """The run that made it, where its name says for which request."""


_ADAPTER = TypeAdapter(ImageRecord)


def record_json(record: ImageRecord) -> str:
    """Return the record as ASCII JSON."""
    return _ADAPTER.dump_json(record, exclude_defaults=True, ensure_ascii=True).decode()


def parse_record(data: str | dict[str, Any]) -> ImageRecord:
    """Return the record in JSON text or plain data.

    Raises:
        pydantic.ValidationError: it is no record.
    """
    if isinstance(data, str):
        return _ADAPTER.validate_json(data)
    return _ADAPTER.validate_python(data)
