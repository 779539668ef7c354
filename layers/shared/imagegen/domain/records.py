"""The record of one confirmed request, whether it made an image or failed; without its prompt."""

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from pydantic import TypeAdapter

from imagegen.domain.catalog import Tier
from imagegen.domain.errors import ImageDeletedError
from imagegen.domain.operations import Operation

SUCCESS = "success"
"""The outcome of an attempt that made the image."""


class RecordStatus(StrEnum):
    """How a confirmed request ended."""

    COMPLETE = "complete"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt: one candidate's turn in a run."""

    provider: str
    model: str
    outcome: str
    """``success``, an ``Outcome``, or why the candidate was not called."""
    code: str
    """The provider's own error code, or an ``Undelivered``; empty if there is none."""
    duration_ms: int
    lost_microusd: int = 0
    """What the provider may have billed for it although no image of it was sold; the user never
    pays it. 0 in records of earlier releases: ``losses`` has the rule for those."""


@dataclass(frozen=True, slots=True)
class Fallback:
    """The first choice that another model replaced, and why."""

    provider: str
    model: str
    reason: str


OVER_PRICE_PERCENT = 10
"""An image that costs the operator more than its price by more than this is looked at."""


@dataclass(frozen=True, slots=True)
class ImageRecord:
    """What is kept of one confirmed request."""

    status: RecordStatus
    quote_id: str
    issued_ms: int
    created_ms: int
    duration_ms: int
    tier: Tier
    size: str
    """As requested: a shape or exact pixels."""
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
    file_bytes: int = 0
    """The size of the image's file; 0 in records of earlier releases."""
    fallback: Fallback | None = None
    attempts: tuple[Attempt, ...] = ()
    code: str = ""
    """Of a failed request: the error's code."""
    retryable: bool = False
    in_doubt_microusd: int = 0
    """What providers may have billed for images that are lost; the user never pays it."""
    actual_microusd: int | None = None
    """What the provider bills, by what its answer states; ``None`` if it states nothing of it."""
    tokens: tuple[int, int] | None = None
    """Input tokens and output tokens, as the provider counted them."""
    input_image_tokens: int = 0
    """Those input tokens that are of input pictures; 0 if they are not counted apart."""
    run: str = ""
    """The run that made the image, if the run's name contains the digest of a request."""
    deleted_ms: int = 0
    """When its owner deleted the image; 0 if not. The charge stays."""
    input_roles: tuple[str, ...] = ()
    """The roles of the pictures that the request was given, in their order."""
    c2pa: str = ""
    """Whether the stored file contains a C2PA manifest; empty in records of earlier releases."""
    watermark: str = ""
    """The watermark that the model puts into its files; empty if none is known."""
    parents: tuple[str, ...] = ()
    """The quote ids of these pictures in the same order; empty for an upload. Never image ids,
    which open the images."""
    uploads: tuple[str, ...] = ()
    """The ids of the inputs that are uploads."""
    operation: Operation = Operation.GENERATE
    team: str = ""
    """The level of the team that the request counted for; empty without one. It is in the table
    alone: whoever opens an image's file could guess a team's name from it."""

    @property
    def derived_from(self) -> str:
        """The quote id of the first image that this one was made from; empty without any."""
        return next(filter(None, self.parents), "")

    @property
    def is_over_price(self) -> bool:
        """Whether the provider's answer says that the image cost much more than was charged."""
        actual, charged = self.actual_microusd, self.charged_microusd
        return actual is not None and actual * 100 > charged * (100 + OVER_PRICE_PERCENT)

    @property
    def pixels(self) -> str:
        """The image's size as text, such as ``1024x1024``."""
        return f"{self.width}x{self.height}"


@dataclass(frozen=True, slots=True)
class Place:
    """The place of one image in its user's list."""

    issued_ms: int
    quote_id: str


@dataclass(frozen=True, slots=True)
class RecordPage:
    """Records of a user's images, the newest first."""

    records: tuple[ImageRecord, ...]
    rest: Place | None
    """After which place the list goes on; ``None`` at its end."""


def as_deleted(record: ImageRecord, at_ms: int) -> ImageRecord:
    """Return the record of an image that its owner deletes: nothing of its inputs stays in it.

    The time of the first deletion stays.
    """
    deleted_ms = record.deleted_ms or at_ms
    return replace(record, deleted_ms=deleted_ms, input_roles=(), parents=(), uploads=())


def with_team(record: ImageRecord, team: str) -> ImageRecord:
    """Return a record from beside an image's file with its team, which is not stored there."""
    return replace(record, team=record.team or team)


def with_lost_image(record: ImageRecord, microusd: int) -> ImageRecord:
    """Return the record in which the image that was made is lost: its price is in doubt."""
    attempts = list(record.attempts)
    if attempts and attempts[-1].outcome == SUCCESS:
        attempts[-1] = replace(attempts[-1], lost_microusd=microusd)
    in_doubt = record.in_doubt_microusd + microusd
    return replace(record, attempts=tuple(attempts), in_doubt_microusd=in_doubt)


def image_deleted() -> ImageDeletedError:
    """Return the error of an image that its owner deleted."""
    return ImageDeletedError("The image was deleted by its owner. Its charge stays.")


_ADAPTER = TypeAdapter(ImageRecord)


def record_json(record: ImageRecord) -> str:
    """Return the record as ASCII JSON."""
    return _ADAPTER.dump_json(record, exclude_defaults=True, ensure_ascii=True).decode()


def fitting_json(record: ImageRecord, limit_bytes: int) -> str:
    """Return the record as ASCII JSON of at most ``limit_bytes``, to stand beside the image's file.

    The team is left out, because whoever opens the file can read the record.
    If it is longer, the attempts are left out from the second on, then the first one, whose outcome
    ``fallback`` repeats. What charges and answers a request is always kept: every other field has a
    bounded length.
    """
    record = replace(record, team="") if record.team else record
    text = record_json(record)
    for kept in range(len(record.attempts) - 2, -1, -1):
        if len(text) <= limit_bytes:
            break
        last = record.attempts[-1:] if kept else ()
        text = record_json(replace(record, attempts=record.attempts[:kept] + last))
    return text


def parse_record(data: str | dict[str, Any]) -> ImageRecord:
    """Return the record in JSON text or plain data.

    Raises:
        pydantic.ValidationError: the data is not a record.
    """
    if isinstance(data, str):
        return _ADAPTER.validate_json(data)
    return _ADAPTER.validate_python(data)
