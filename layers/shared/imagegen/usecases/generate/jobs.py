"""Keeps the jobs of runs, and asks for the job of a run that died.

Before an instance asks for a job, it takes the hold over; so of two instances that try, only one
stores, settles or releases. No image is ordered here: a job that is lost is in doubt, and its quote
does not buy another image.
"""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import cast

from imagegen.domain.call_errors import ProviderError
from imagegen.domain.catalog import Catalog, Variant
from imagegen.domain.errors import (
    ConfigurationError,
    ContentRefusedError,
    GenerationFailedError,
    ImageDeletedError,
    ImagegenError,
    LeaseLostError,
    StoreUnavailableError,
)
from imagegen.domain.ids import ImageRef, digest_in_run_name
from imagegen.domain.jobs import Job, JobProvider, JobStore, is_asked_for, is_job_of
from imagegen.domain.outcomes import Outcome
from imagegen.domain.quote import QuotedCandidate
from imagegen.domain.records import SUCCESS, Attempt, ImageRecord
from imagegen.domain.stores import LedgerSnapshot, LedgerStore
from imagegen.domain.takeovers import Takeover
from imagegen.usecases.generate.delivery import Promise, delivered
from imagegen.usecases.generate.holds import LEASE_MARGIN_MS
from imagegen.usecases.generate.run import ImageMade, JobRun, Made, Run, with_image
from imagegen.usecases.generate.storage import ImageKeeper

ASK_SECONDS = 15.0
"""How long one question may take, with the download of the image."""
ASKING_MS = 30_000
"""How long the hold of a dead run is taken over for one question. If the job still runs, the next
question may follow ``LEASE_MARGIN_MS`` after this."""


@dataclass(frozen=True, slots=True)
class Asked:
    """The result of asking for a job."""

    is_stored: bool = False
    """Whether the image is stored and charged now."""
    failed: ImagegenError | None = None
    """Why there is no image and the hold is to be released. Without an image and an error, the job
    still runs, or another instance asks for it."""
    hold: LedgerSnapshot | None = None
    """The hold that is to be released, which is this instance's own now."""
    in_doubt_microusd: int = 0
    """What providers may have billed without an image."""


@dataclass(frozen=True, slots=True)
class Jobs:
    """Keeps jobs and asks for them."""

    store: JobStore
    ledgers: LedgerStore
    catalog: Catalog
    get_provider: Callable[[str], object]
    keeper: ImageKeeper
    now_ms: Callable[[], int]
    new_run_id: Callable[[], str]
    on_unexpected: Callable[[Exception], None]

    def keep(self, run: Run, candidate: QuotedCandidate, ticket: str) -> None:
        """Keep the job that a provider accepted for a candidate of a run.

        If it cannot be kept, the run goes on: the job is then lost only if the run dies as well.
        """
        self._put(run.ref, lambda: self._job(run, candidate, ticket))

    def keep_later_call(self, run: Run, candidate: QuotedCandidate) -> None:
        """Note in the run's job that another candidate is called although the job may still run.

        If the run dies then, that call may have been billed as well.
        """
        self._put(run.ref, lambda: self._with_later_call(run, candidate))

    def _put(self, ref: ImageRef, build: Callable[[], Job | None]) -> None:
        try:
            job = build()
            if job is not None:
                self.store.put(ref, job)
        except StoreUnavailableError:
            pass
        except Exception as error:  # noqa: BLE001 an image that is ordered is not lost over it
            self.on_unexpected(error)

    def _with_later_call(self, run: Run, candidate: QuotedCandidate) -> Job | None:
        job = self.store.get(run.ref)
        if job is None or not is_job_of(job, run.hold.op):
            return None
        return replace(job, later_microusd=candidate.price_microusd)

    def _job(self, run: Run, candidate: QuotedCandidate, ticket: str) -> Job:
        row = self.catalog.by_key[candidate.key]
        now_ms = self.now_ms()
        return Job(
            ticket=ticket,
            started_ms=run.hold.op.started_ms,
            price_microusd=candidate.price_microusd,
            size=candidate.size or run.quote.size,
            record=run.ordered_record(candidate, row, self.catalog, now_ms=now_ms),
            transparent=run.quote.wishes.transparent,
        )

    def finish(
        self, ref: ImageRef, snapshot: LedgerSnapshot, *, may_ask: Callable[[], bool]
    ) -> Asked | None:
        """Return the result of a dead run's job, ``None`` if the run ordered none.

        ``may_ask`` decides whether the job is asked for now; if not, it counts as running.

        Raises:
            StoreUnavailableError: a store cannot be reached; the job can be asked for again.
        """
        job, op = self.store.get(ref), snapshot.op
        if job is None or not is_job_of(job, op):
            return None
        if not may_ask():
            return Asked()
        now_ms, digest = self.now_ms(), digest_in_run_name(op.owner)
        owner = f"{digest}.{self.new_run_id()}" if digest else self.new_run_id()
        ends_ms = now_ms + ASKING_MS
        lease_ms = ends_ms + LEASE_MARGIN_MS
        takeover = Takeover(snapshot.quote_id, op.owner, owner, lease_ms, of_dead_run=True)
        hold = self.ledgers.take(ref.user, takeover, now_ms=now_ms)
        return Asked() if hold is None else self._asked(job, JobRun(ref, hold, ends_ms))

    def _asked(self, job: Job, run: JobRun) -> Asked:
        try:
            found = self._found(job)
        except ProviderError as error:
            return self._failed(job, run, error)
        except ImagegenError:
            raise
        except Exception as error:  # noqa: BLE001 a bug of ours must not keep the money held
            self.on_unexpected(error)
            found = None
        if found is not None:
            return Asked(is_stored=self._store(run, *found))
        if is_asked_for(job, now_ms=self.now_ms()):
            return Asked()
        return self._failed(job, run, _lost(job))

    def _found(self, job: Job) -> tuple[bytes, ImageRecord] | None:
        """Return the image of a job with its record, ``None`` if there is no answer now.

        Raises:
            ProviderError: the job ended without an image that can be sold, or is lost.
        """
        row = self.catalog.by_key.get(job.record.key)
        option = row.option(job.size) if row else None
        if row is None or option is None:
            raise _lost(job)  # The row was removed meanwhile, and with it what is checked.
        answer = None
        # A provider without a key for now can be asked later.
        with suppress(ConfigurationError):
            provider = cast("JobProvider", self.get_provider(row.provider))
            answer = provider.job_result(job.ticket, timeout_seconds=ASK_SECONDS)
        if answer is None:
            return None
        candidate = QuotedCandidate(row.key, job.price_microusd, "", size=job.size)
        promise = Promise(job.record.operation, job.transparent)
        made = delivered(candidate, Variant(row, option), answer, promise=promise)
        return answer.content, self._record(job, made)

    def _record(self, job: Job, made: ImageMade) -> ImageRecord:
        now_ms, ordered = self.now_ms(), job.record
        took_ms = now_ms - ordered.created_ms
        attempt = Attempt(ordered.provider, ordered.model, SUCCESS, "", took_ms)
        return replace(
            with_image(ordered, made),
            created_ms=now_ms,
            duration_ms=now_ms - job.started_ms,
            in_doubt_microusd=ordered.in_doubt_microusd + job.later_microusd,
            attempts=(*ordered.attempts, attempt),
        )

    def _store(self, run: JobRun, content: bytes, record: ImageRecord) -> bool:
        """Store and charge the image. Return whether that is done, by whatever run."""
        try:
            return isinstance(self.keeper.keep(run, content, record), Made)
        except (LeaseLostError, ImageDeletedError):
            return False  # Another instance has ended the hold, or its owner deleted the image.

    def _failed(self, job: Job, run: JobRun, error: ProviderError) -> Asked:
        row = self.catalog.by_key.get(job.record.key)
        in_doubt = job.record.in_doubt_microusd + job.later_microusd
        if error.outcome is Outcome.REFUSED:  # Unless it came too late, it ended the run.
            is_billed = row is not None and row.bills_refusals and not error.is_unbilled
            in_doubt += job.price_microusd if is_billed else 0
        elif error.outcome is Outcome.UNKNOWN:
            in_doubt += job.price_microusd
        else:
            # The run may have called another provider before it died.
            in_doubt = max(in_doubt, run.hold.op.price_microusd)
        return Asked(failed=_released_with(error, job), hold=run.hold, in_doubt_microusd=in_doubt)


def _lost(job: Job) -> ProviderError:
    message = "The job is lost: it may have been billed."
    return ProviderError(job.record.provider, Outcome.UNKNOWN, message)


def _released_with(error: ProviderError, job: Job) -> ImagegenError:
    """Return the error that a repetition of the request gets.

    What may have been billed, for the job or an earlier attempt, is not ordered again.
    """
    if error.outcome is Outcome.REFUSED:
        return ContentRefusedError("The provider refused to make the image.")
    if error.outcome is Outcome.UNKNOWN or job.record.in_doubt_microusd or job.later_microusd:
        failed = GenerationFailedError("The image was ordered, and may have been billed.")
        failed.retryable = False
        return failed
    return LeaseLostError("The run died, and its job ended without an image.")
