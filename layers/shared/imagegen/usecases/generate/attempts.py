"""The only loop over providers: the candidates of a quote in order, until one makes the image.

A fallback is always a candidate of the quote, so it never leaves the quote's tier nor exceeds its
ceiling. If a provider refuses the prompt, the loop ends and no other provider is called. A provider
whose answer was lost is not called again in the same run.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from typing import TYPE_CHECKING

from imagegen.domain.call_errors import ProviderError
from imagegen.domain.candidates import Availability
from imagegen.domain.catalog import Catalog, Variant
from imagegen.domain.criteria import sent_option
from imagegen.domain.errors import ContentRefusedError, GenerationFailedError, NoProviderError
from imagegen.domain.outcomes import Outcome
from imagegen.domain.ports import ImageOrder, ImageProvider
from imagegen.domain.quote import Quote, QuotedCandidate
from imagegen.guard import Guard
from imagegen.usecases.generate.delivery import delivered, promise_of
from imagegen.usecases.generate.run import AttemptLog, ImageMade, Run

if TYPE_CHECKING:
    # Only a provider with jobs loads it.
    from imagegen.usecases.generate.jobs import Jobs

SHORTEST_CALL_SECONDS = 5.0


class Skipped(StrEnum):
    """Why a candidate of a quote is not called. ``candidates.Reason`` has the other reasons."""

    CATALOG = "catalog_changed"
    DEADLINE = "no_time_left"
    IN_DOUBT = "earlier_call_unanswered"
    SET = "other_model_in_set"
    """Another image of the same request is stored, and this model did not make it."""


@dataclass(frozen=True, slots=True)
class ProviderLoop:
    """Makes one image within a quote."""

    catalog: Catalog
    guard: Guard
    get_provider: Callable[[str], ImageProvider]
    availability: Callable[[str], Mapping[str, Availability]]
    """By row key, for one user."""
    now_ms: Callable[[], int]
    fallback_after_unknown: bool
    name_of: Callable[[str, str], str]
    """Returns the name of a user for a provider: no provider learns the user's id."""
    jobs: Callable[[], "Jobs"]
    """Keeps the tickets of the jobs that providers accept."""

    def make_image(self, run: Run) -> ImageMade:
        """Return the first image that a candidate makes; every attempt is added to ``run.log``.

        Raises:
            ContentRefusedError: a provider refused the prompt.
            NoProviderError: every candidate was skipped, limits the rate, does not accept the
                account, or no longer has the model.
            GenerationFailedError: one candidate or more failed in another way.
        """
        states = self.availability(run.quote.user)
        for candidate in run.quote.candidates:
            variant = self._quoted_variant(candidate, run.quote)
            if variant is None:
                run.log.skip(candidate.key, candidate.key, Skipped.CATALOG)
            elif reason := self._reason_against(variant, run, states):
                run.log.skip(variant.row.provider, variant.row.model, reason)
            elif made := self._attempt(candidate, variant, run):
                return made
            if self._must_stop(run.log):
                break
        raise _no_image(run.log)

    def has_candidate(self, quote: Quote) -> bool:
        """Return whether the catalog still has a model of the quote as it was priced."""
        return any(self._quoted_variant(one, quote) for one in quote.candidates)

    def _must_stop(self, log: AttemptLog) -> bool:
        """Return whether a lost answer ends the run: at most one more provider may be called."""
        if not log.in_doubt:
            return False
        return log.called_in_doubt or not self.fallback_after_unknown

    def _quoted_variant(self, candidate: QuotedCandidate, quote: Quote) -> Variant | None:
        """Return the variant that was priced, ``None`` if the catalog has changed since then."""
        row = self.catalog.by_key.get(candidate.key)
        if row is None or row.operation is not quote.operation:
            return None
        if (option := row.option(candidate.size or quote.size)) is None:
            return None
        sent = sent_option(
            row, option, candidate.file_format, quote.wishes, has_inputs=bool(quote.inputs)
        )
        if sent is None or row.digest(sent) != candidate.digest:
            return None
        return Variant(row, sent)

    def _reason_against(
        self, variant: Variant, run: Run, states: Mapping[str, Availability]
    ) -> str | None:
        """Return why a candidate is not called, after the other images of a set decided it."""
        reason = self._reason_to_skip(variant, run, states)
        if reason or run.look is None:
            return reason
        if not run.look.admits(variant.row.model):
            return Skipped.SET
        # It may have waited for the other images.
        return self._reason_to_skip(variant, run, states)

    def _reason_to_skip(
        self, variant: Variant, run: Run, states: Mapping[str, Availability]
    ) -> str | None:
        """Return why a candidate is not called now, ``None`` if it can be called."""
        state = states.get(variant.row.key, Availability())
        if self._timeout_seconds(variant, run) < variant.row.typical_seconds:
            # The call would time out before the image is made, and would be billed all the same.
            reason: str | None = Skipped.DEADLINE
        elif variant.row.provider in run.log.in_doubt:
            reason = Skipped.IN_DOUBT
        else:
            reason = state.reason
        if state.retry_at_ms is not None:
            seconds = -(-(state.retry_at_ms - self.now_ms()) // 1000)
            run.log.retry_after_seconds.append(max(1, seconds))
        return reason

    def _timeout_seconds(self, variant: Variant, run: Run) -> float:
        """Return how long a call may take: what the row needs, within what the run has left."""
        return min(variant.row.call_seconds, (run.deadline_ms - self.now_ms()) / 1000)

    def _attempt(self, candidate: QuotedCandidate, variant: Variant, run: Run) -> ImageMade | None:
        row, started_ms = variant.row, self.now_ms()
        call = partial(self._call, candidate, variant, run)
        try:
            made = self.guard.call(row.provider, row.model, call, user=run.quote.user)
        except ProviderError as error:
            took_ms = self.now_ms() - started_ms
            run.log.fail(error, variant, candidate.price_microusd, took_ms=took_ms)
            if run.frames is not None:
                # Nothing of a picture that is refused, or does not come, stays visible.
                run.frames.forget()
            if error.outcome is Outcome.REFUSED:
                raise ContentRefusedError(_refusal(row.provider, run)) from error
            return None
        run.log.succeed(variant, self.now_ms() - started_ms)
        return made

    def _call(self, candidate: QuotedCandidate, variant: Variant, run: Run) -> ImageMade:
        provider = variant.row.provider
        client = self.get_provider(provider)
        # Computed here, because the guard and the look-up of the key took time, too.
        timeout = self._timeout_seconds(variant, run)
        if timeout < SHORTEST_CALL_SECONDS:
            raise ProviderError(provider, Outcome.NOT_CALLED, "There is no time left.")
        order = self._order(candidate, variant, run)
        if run.log.has_job and run.log.in_doubt:
            self.jobs().keep_later_call(run, candidate)
        answer = client.generate(order, timeout_seconds=timeout)
        return delivered(candidate, variant, answer, promise=promise_of(run))

    def _order(self, candidate: QuotedCandidate, variant: Variant, run: Run) -> ImageOrder:
        row, option = variant.row, variant.option
        return ImageOrder(
            row.model,
            run.prompt,
            row.sent(option),
            *option.pixels,
            self.name_of(run.quote.user, row.provider),
            run.inputs,
            row.inputs.fields if row.inputs else None,
            on_preview=run.frames.keep if run.frames is not None else None,
            on_job=partial(self._keep_job, run, candidate),
        )

    def _keep_job(self, run: Run, candidate: QuotedCandidate, ticket: str) -> None:
        run.log.has_job = True
        self.jobs().keep(run, candidate, ticket)


def _refusal(provider: str, run: Run) -> str:
    if not run.prompt:
        return f"{provider} refused this picture. Choose another one."
    return f"{provider} refused to make an image of this prompt. Change the prompt."


def _no_image(log: AttemptLog) -> NoProviderError | GenerationFailedError:
    outcomes = "; ".join(f"{one.provider} {one.model}: {one.outcome}" for one in log.attempts)
    if not any(one.outcome in _FAILURES for one in log.attempts):
        wait = min(log.retry_after_seconds, default=None)
        return NoProviderError(
            f"No model could make the image now. {outcomes}", retry_after_seconds=wait
        )
    error = GenerationFailedError(f"Every model that was tried failed. {outcomes}")
    # A provider may still make the image and bill for it: the same quote must not buy another one.
    error.retryable = not log.in_doubt
    return error


_FAILURES = {
    Outcome.UNAVAILABLE,
    Outcome.UNKNOWN,
    Outcome.BLOCKED,
    Outcome.NO_IMAGE,
    Outcome.BAD_PARAMETER,
}
"""The outcomes for which a request without an image is answered with 502 instead of 503."""
