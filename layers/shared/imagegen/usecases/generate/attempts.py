"""The only loop over providers: the candidates of a quote in order, until one draws.

A fallback never leaves the quote, so never its tier nor its ceiling. A refusal ends the loop: no
other provider is asked. An unknown outcome is never tried again at the same provider.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import partial

from imagegen.domain import pixels, pricing
from imagegen.domain.catalog import Catalog, Offering, Variant
from imagegen.domain.errors import (
    ContentRefusedError,
    GenerationFailedError,
    NoProviderError,
    ProviderError,
)
from imagegen.domain.outcomes import Outcome
from imagegen.domain.pixels import BrokenImageError, Measured
from imagegen.domain.ports import ImageAnswer, ImageOrder, ImageProvider
from imagegen.domain.quote import Quote, QuotedCandidate
from imagegen.domain.records import SUCCESS, Attempt
from imagegen.domain.selection import Availability
from imagegen.guard import Guard

SHORTEST_CALL_SECONDS = 5.0


class Skipped(StrEnum):
    """Why a candidate of a quote is not called any more, besides ``Reason``."""

    CATALOG = "catalog_changed"
    DEADLINE = "no_time_left"
    IN_DOUBT = "earlier_call_unanswered"


@dataclass(frozen=True, slots=True)
class ImageMade:
    """An image, and which candidate made it."""

    candidate: QuotedCandidate
    variant: Variant
    content: bytes
    measured: Measured
    actual_microusd: int | None = None
    """What the provider bills by its own count, where it counts."""
    tokens: tuple[int, int] | None = None
    """That count: in and out."""


@dataclass(slots=True)
class AttemptLog:
    """What happened so far in one run."""

    attempts: list[Attempt] = field(default_factory=list)
    in_doubt_microusd: int = 0
    in_doubt: set[str] = field(default_factory=set)
    """The providers that may still be drawing."""
    calls_in_doubt: int = 0
    """Calls made since the first one whose answer was lost."""
    retry_after_seconds: list[int] = field(default_factory=list)

    def skip(self, provider: str, model: str, reason: str) -> None:
        """Note a candidate that was not called."""
        self.attempts.append(Attempt(provider, model, reason, "", 0))

    def fail(
        self, error: ProviderError, row: Offering, candidate: QuotedCandidate, took_ms: int
    ) -> None:
        """Note a call that made no image."""
        code = error.provider_code or ""
        self.attempts.append(Attempt(row.provider, row.model, error.outcome, code, took_ms))
        if self.in_doubt and error.outcome is not Outcome.NOT_CALLED:
            self.calls_in_doubt += 1
        if error.outcome is Outcome.UNKNOWN:
            self.in_doubt.add(row.provider)
            self.in_doubt_microusd += candidate.price_microusd
        if error.retry_after_seconds is not None:
            self.retry_after_seconds.append(error.retry_after_seconds)


@dataclass(frozen=True, slots=True)
class _Run:
    """One request's way through the candidates."""

    quote: Quote
    prompt: str
    deadline_ms: int
    states: Mapping[str, Availability]
    turns: AttemptLog


@dataclass(frozen=True, slots=True)
class ProviderLoop:
    """Draws one image within a quote."""

    catalog: Catalog
    guard: Guard
    provider: Callable[[str], ImageProvider]
    availability: Callable[[], Mapping[str, Availability]]
    now_ms: Callable[[], int]
    call_timeout_seconds: float
    fallback_after_unknown: bool

    def run(self, quote: Quote, prompt: str, *, deadline_ms: int, turns: AttemptLog) -> ImageMade:
        """Return the first image that a candidate makes; ``turns`` tells of every one.

        Raises:
            ContentRefusedError: a provider refused the prompt.
            NoProviderError: no candidate could be called.
            GenerationFailedError: every one that was called failed.
        """
        run = _Run(quote, prompt, deadline_ms, self.availability(), turns)
        for candidate in quote.candidates:
            variant = self._quoted_variant(candidate, quote.size)
            if variant is None:
                turns.skip(candidate.key, candidate.key, Skipped.CATALOG)
            elif reason := self._skips(variant, run):
                turns.skip(variant.row.provider, variant.row.model, reason)
                self._note_rest(variant, run)
            elif drawn := self._turn(candidate, variant, run):
                return drawn
            if self._is_enough(turns):
                break
        raise _nobody(turns)

    def _is_enough(self, turns: AttemptLog) -> bool:
        """Return whether a lost answer ends the run: at most one fallback may follow it."""
        if not turns.in_doubt:
            return False
        return turns.calls_in_doubt > 0 or not self.fallback_after_unknown

    def _quoted_variant(self, candidate: QuotedCandidate, size: str) -> Variant | None:
        """Return what the quote priced, unless the catalog now means something else by it."""
        row = self.catalog.by_key.get(candidate.key)
        option = row.option(size) if row else None
        if row is None or option is None or row.digest(option) != candidate.digest:
            return None
        return Variant(row, option)

    def _skips(self, variant: Variant, run: _Run) -> str | None:
        """Return why a candidate is not called now, ``None`` when it is."""
        if self._timeout_seconds(run) < variant.row.typical_seconds:
            # It would be cut off, and billed all the same.
            return Skipped.DEADLINE
        if variant.row.provider in run.turns.in_doubt:
            return Skipped.IN_DOUBT
        return run.states.get(variant.row.key, Availability()).reason

    def _note_rest(self, variant: Variant, run: _Run) -> None:
        """Note when an open circuit may be tried again: the caller is told to wait so long."""
        until_ms = run.states.get(variant.row.key, Availability()).retry_at_ms
        if until_ms is not None:
            run.turns.retry_after_seconds.append(max(1, -(-(until_ms - self.now_ms()) // 1000)))

    def _timeout_seconds(self, run: _Run) -> float:
        return min(self.call_timeout_seconds, (run.deadline_ms - self.now_ms()) / 1000)

    def _turn(self, candidate: QuotedCandidate, variant: Variant, run: _Run) -> ImageMade | None:
        row, started_ms = variant.row, self.now_ms()
        ask = partial(self._ask, variant, run)
        try:
            answer = self.guard.call(row.provider, row.model, ask)
        except ProviderError as error:
            run.turns.fail(error, row, candidate, self.now_ms() - started_ms)
            if error.outcome is Outcome.REFUSED:
                raise ContentRefusedError(
                    f"{row.provider} refused to draw this prompt. Change the prompt."
                ) from error
            return None
        took_ms = self.now_ms() - started_ms
        run.turns.attempts.append(Attempt(row.provider, row.model, SUCCESS, "", took_ms))
        actual = pricing.actual_microusd(row, answer.usage)
        measured, tokens = pixels.measure(answer.content), pricing.tokens(answer.usage)
        return ImageMade(candidate, variant, answer.content, measured, actual, tokens)

    def _ask(self, variant: Variant, run: _Run) -> ImageAnswer:
        provider, order = variant.row.provider, _order(run.quote, variant, run.prompt)
        client = self.provider(provider)
        # Only now: admitting the call and finding its key took time, too.
        timeout = self._timeout_seconds(run)
        if timeout < SHORTEST_CALL_SECONDS:
            raise ProviderError(provider, Outcome.NOT_CALLED, "There is no time left.")
        answer = client.generate(order, timeout_seconds=timeout)
        try:
            pixels.measure(answer.content)
        except BrokenImageError as error:
            raise ProviderError(provider, Outcome.UNAVAILABLE, str(error)) from error
        return answer


def _order(quote: Quote, variant: Variant, prompt: str) -> ImageOrder:
    width, height = variant.option.pixels
    return ImageOrder(
        variant.row.model, prompt, variant.row.sent(variant.option), width, height, quote.user
    )


def _nobody(turns: AttemptLog) -> NoProviderError | GenerationFailedError:
    said = "; ".join(f"{one.provider} {one.model}: {one.outcome}" for one in turns.attempts)
    if not any(one.outcome in _FAULTS for one in turns.attempts):
        wait = min(turns.retry_after_seconds, default=None)
        return NoProviderError(
            f"No model could make the image now. {said}", retry_after_seconds=wait
        )
    error = GenerationFailedError(f"Every model that was tried failed. {said}")
    # An answer that is still out must not be bought again with the same quote.
    error.retryable = not turns.in_doubt
    return error


_FAULTS = {Outcome.UNAVAILABLE, Outcome.UNKNOWN, Outcome.BAD_PARAMETER}
"""Outcomes that make a request a failure (502) and not a bad moment (503)."""
