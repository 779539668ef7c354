"""Jobs: images that a provider makes after it has answered, and that are asked for by a ticket.

The run that ordered a job waits for it. If the run dies, the reconciler takes its hold over and
asks for the same job: the image is then stored and charged like any other, and no second one is
ordered.
"""

from dataclasses import dataclass
from typing import Protocol

from pydantic import TypeAdapter

from imagegen.domain.ids import ImageRef
from imagegen.domain.ledger import Op
from imagegen.domain.ports import ImageAnswer
from imagegen.domain.records import ImageRecord

ASKED_MS = 1_800_000
"""For how long after its order a job is asked for. Vendors keep results for ten minutes and more,
and the hold of a run that may last 15 minutes must end before anybody can ask."""


@dataclass(frozen=True, slots=True)
class Job:
    """A job that a provider accepted for a run, and what its image is sold as."""

    ticket: str
    """What its adapter needs to ask for it: ids or addresses, never a key."""
    started_ms: int
    """When the run's hold was made: it tells the holds of one quote apart."""
    price_microusd: int
    """The price of its candidate in the quote."""
    size: str
    """The size of the row that was ordered."""
    record: ImageRecord
    """The run's record when the job was accepted, with the row, the provider and the model."""
    transparent: bool = False
    """Whether the background has to be transparent."""
    later_microusd: int = 0
    """The price of the candidate that the run called after it had given up waiting for this job."""


class JobStore(Protocol):
    """The jobs of confirmed requests: of each request, the last one."""

    def put(self, ref: ImageRef, job: Job) -> None:
        """Keep a job in the place of the request's earlier one.

        Raises:
            StoreUnavailableError: it may or may not be kept.
        """
        ...

    def get(self, ref: ImageRef) -> Job | None:
        """Return the request's last job, ``None`` if none is kept.

        Raises:
            StoreUnavailableError: it cannot be read.
        """
        ...


class JobProvider(Protocol):
    """A provider whose jobs can be asked for again. Asking costs nothing."""

    def job_result(self, ticket: str, *, timeout_seconds: float) -> ImageAnswer | None:
        """Return the image of a job, ``None`` while it runs or if it cannot be asked for now.

        Raises:
            ProviderError: the job ended without an image. ``UNKNOWN`` if the provider has no such
                job any more: it may have made the image and billed it.
        """
        ...


def is_job_of(job: Job, op: Op) -> bool:
    """Return whether the job was ordered under this hold, and not under an earlier one."""
    return job.started_ms == op.started_ms


def is_asked_for(job: Job, *, now_ms: int) -> bool:
    """Return whether the job is still asked for; later it counts as lost."""
    return now_ms < job.record.created_ms + ASKED_MS


_ADAPTER = TypeAdapter(Job)


def job_json(job: Job) -> bytes:
    """Return the job as JSON in UTF-8."""
    return _ADAPTER.dump_json(job, exclude_defaults=True)


def parse_job(data: bytes) -> Job:
    """Return the job in JSON.

    Raises:
        pydantic.ValidationError: the data is not a job.
    """
    return _ADAPTER.validate_json(data)
