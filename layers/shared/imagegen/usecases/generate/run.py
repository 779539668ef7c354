"""One run: the single execution of one confirmed request, from its hold to its record."""

from dataclasses import dataclass, field, replace

from imagegen.domain.call_errors import ProviderError
from imagegen.domain.catalog import Catalog, Offering, Variant
from imagegen.domain.errors import ImagegenError
from imagegen.domain.gallery import KeptPrompt
from imagegen.domain.ids import ImageRef, digest_in_run_name
from imagegen.domain.image_sets import Look
from imagegen.domain.inputs import InputFile
from imagegen.domain.ledger import Ledger
from imagegen.domain.outcomes import UNSOLD, Outcome
from imagegen.domain.pixels import Measured
from imagegen.domain.ports import ImageAnswer
from imagegen.domain.pricing import actual_microusd, tokens
from imagegen.domain.quote import Quote, QuotedCandidate, styled_prompt
from imagegen.domain.records import SUCCESS, Attempt, Fallback, ImageRecord, RecordStatus
from imagegen.domain.stores import LedgerSnapshot
from imagegen.usecases.generate.frames import Frames

SETTLE_MARGIN_MS = 20_000
"""The time before Lambda's timeout in which no provider is called: to store, settle and answer."""


@dataclass(frozen=True, slots=True)
class Made:
    """The image of a request, stored and charged."""

    ref: ImageRef
    record: ImageRecord
    ledger: Ledger
    is_replay: bool = False
    """Whether an earlier run made the image: its charge is reported again, not charged again."""


@dataclass(frozen=True, slots=True)
class Running:
    """A run of the same request is still making the image."""

    started_ms: int
    charged: bool | None = None
    """``False`` if the image was looked up and is not stored yet, ``None`` if that is not known."""


@dataclass(frozen=True, slots=True)
class Confirmed:
    """A confirmed quote and its result."""

    quote: Quote
    result: Made | Running


@dataclass(frozen=True, slots=True)
class ImageMade:
    """An image that a provider made; its bytes are checked and not stored yet."""

    candidate: QuotedCandidate
    variant: Variant
    answer: ImageAnswer
    measured: Measured
    charged_microusd: int
    """The price in the quote, or the lower price of the size that arrived."""


@dataclass(slots=True)
class AttemptLog:
    """The attempts of one run so far, and what they may cost the operator."""

    attempts: list[Attempt] = field(default_factory=list)
    in_doubt_microusd: int = 0
    in_doubt: set[str] = field(default_factory=set)
    """The providers whose answer was lost: they may still make the image."""
    called_in_doubt: bool = False
    """Whether a call was made after the first one whose answer was lost."""
    has_job: bool = False
    """Whether a provider accepted an order as a job."""
    retry_after_seconds: list[int] = field(default_factory=list)

    def skip(self, provider: str, model: str, reason: str) -> None:
        """Add a candidate that was not called."""
        self.attempts.append(Attempt(provider, model, reason, "", 0))

    def succeed(self, variant: Variant, took_ms: int) -> None:
        """Add a call that made the image."""
        row = variant.row
        self.attempts.append(Attempt(row.provider, row.model, SUCCESS, "", took_ms))

    def fail(
        self, error: ProviderError, variant: Variant, price_microusd: int, *, took_ms: int
    ) -> None:
        """Add a call that made no image; ``price_microusd`` is what it may have cost."""
        row, code = variant.row, error.provider_code or ""
        is_in_doubt = _is_in_doubt(error, row)
        lost = price_microusd if is_in_doubt or error.is_billed else 0
        self.attempts.append(Attempt(row.provider, row.model, error.outcome, code, took_ms, lost))
        if self.in_doubt and error.outcome is not Outcome.NOT_CALLED:
            self.called_in_doubt = True
        if error.outcome is Outcome.UNKNOWN:
            self.in_doubt.add(row.provider)
        if is_in_doubt:
            self.in_doubt_microusd += price_microusd
        if error.retry_after_seconds is not None:
            self.retry_after_seconds.append(error.retry_after_seconds)

    def lose_image(self, price_microusd: int) -> None:
        """Put the price of the image that the last attempt made in doubt: it was not stored."""
        self.attempts[-1] = replace(self.attempts[-1], lost_microusd=price_microusd)
        self.in_doubt_microusd += price_microusd


@dataclass(frozen=True, slots=True)
class Run:
    """One confirmed request while it is served."""

    quote: Quote
    prompt: str
    """The prompt with the style appended, as it is sent to providers."""
    hold: LedgerSnapshot
    ends_ms: int
    """When Lambda ends this run."""
    inputs: tuple[InputFile, ...] = ()
    """The inputs of the quote, as they are sent to moderation and providers."""
    log: AttemptLog = field(default_factory=AttemptLog)
    words: KeptPrompt | None = None
    """What the user wrote, to be kept with the image."""
    frames: Frames | None = None
    """The preview frames, if the quote has any."""
    look: Look | None = None
    """The place in a set of images, all of one model; ``None`` for an image alone."""

    @property
    def deadline_ms(self) -> int:
        """When the last provider call must have ended."""
        return self.ends_ms - SETTLE_MARGIN_MS

    def failed_record(self, error: ImagegenError, *, now_ms: int) -> ImageRecord:
        """Return the record of this run without an image."""
        return replace(self._record(now_ms), code=error.code, retryable=error.retryable)

    @property
    def ref(self) -> ImageRef:
        """Where the image and its record are stored."""
        return self.quote.ref

    def complete_record(self, made: ImageMade, catalog: Catalog, *, now_ms: int) -> ImageRecord:
        """Return the record of this run with its image and its charge."""
        fallback = self._fallback(made.candidate, catalog)
        return with_image(self._record(now_ms, fallback), made)

    def ordered_record(
        self, candidate: QuotedCandidate, row: Offering, catalog: Catalog, *, now_ms: int
    ) -> ImageRecord:
        """Return the record of this run as it is when a provider has accepted its order."""
        record = self._record(now_ms, self._fallback(candidate, catalog))
        return replace(record, key=row.key, provider=row.provider, model=row.model)

    def _record(self, now_ms: int, fallback: Fallback | None = None) -> ImageRecord:
        quote, op = self.quote, self.hold.op
        return ImageRecord(
            status=RecordStatus.FAILED,
            quote_id=quote.quote_id,
            issued_ms=quote.issued_ms,
            created_ms=now_ms,
            duration_ms=now_ms - op.started_ms,
            tier=quote.tier,
            size=quote.size,
            expected_microusd=quote.expected_microusd,
            ceiling_microusd=quote.ceiling_microusd,
            charged_microusd=0,
            fallback=fallback,
            attempts=tuple(self.log.attempts),
            in_doubt_microusd=self.log.in_doubt_microusd,
            parents=tuple(one.image for one in quote.inputs),
            input_roles=tuple(one.role.value for one in quote.inputs),
            uploads=tuple(one.upload for one in quote.inputs if one.upload),
            operation=quote.operation,
            run=op.owner if digest_in_run_name(op.owner) else "",
            team=op.team,
        )

    def _fallback(self, made_by: QuotedCandidate, catalog: Catalog) -> Fallback | None:
        first = self.quote.candidates[0]
        if self.quote.fallback is not None or made_by.key == first.key:
            return self.quote.fallback
        missed, row = self.log.attempts[0], catalog.by_key.get(first.key)
        model = row.model if row else first.key
        return Fallback(row.provider if row else missed.provider, model, missed.outcome)


@dataclass(frozen=True, slots=True)
class JobRun:
    """A run that stores the image of a dead run's job, under the dead run's hold."""

    ref: ImageRef
    hold: LedgerSnapshot
    ends_ms: int
    words: KeptPrompt | None = None
    """Always ``None``: the words came with the request. Only the dead run can have kept them."""


def _is_in_doubt(error: ProviderError, row: Offering) -> bool:
    """Return whether the provider may have billed for an answer that was lost, or refused."""
    if error.outcome is Outcome.REFUSED:
        return row.bills_refusals and not error.is_unbilled
    return error.outcome is Outcome.UNKNOWN or (error.is_billed and error.outcome not in UNSOLD)


def with_image(record: ImageRecord, made: ImageMade) -> ImageRecord:
    """Return the record of a run with its image and its charge."""
    row, measured, usage = made.variant.row, made.measured, made.answer.usage
    return replace(
        record,
        status=RecordStatus.COMPLETE,
        charged_microusd=made.charged_microusd,
        key=row.key,
        provider=row.provider,
        model=row.model,
        width=measured.width,
        height=measured.height,
        media_type=measured.media_type,
        file_bytes=len(made.answer.content),
        actual_microusd=actual_microusd(row, usage),
        tokens=tokens(usage),
        input_image_tokens=(usage or {}).get("input_image_tokens", 0),
        c2pa=_c2pa(made.answer.content),
        watermark=row.watermark,
    )


def run_of(
    quote: Quote,
    prompt: str,
    hold: LedgerSnapshot,
    *,
    ends_ms: int,
    inputs: tuple[InputFile, ...] = (),
    look: Look | None = None,
) -> Run:
    """Return the run of a quote that has its hold, for the prompt that the user wrote."""
    words = KeptPrompt(prompt, quote.style) if prompt else None
    sent = styled_prompt(prompt, quote.style)
    return Run(quote, sent, hold, ends_ms, inputs, words=words, look=look)


def _c2pa(content: bytes) -> str:
    """Return whether a file contains a C2PA manifest; empty if that cannot be found out."""
    # Imported here: most requests are for an image or a status, and make none.
    from imagegen.domain.marks import read_c2pa  # noqa: PLC0415

    try:
        return read_c2pa(content)
    except Exception:  # noqa: BLE001 a paid image is not lost over a mark that cannot be read
        return ""
