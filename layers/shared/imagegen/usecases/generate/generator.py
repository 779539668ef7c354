"""A confirmed request, in this order: reserve, moderate, make the image, store, settle, answer.

The hold is the ceiling of the quote; settling lowers it to the price of the model that made the
image. An image is charged if and only if it is stored, at whatever step a run dies: the reconciler
ends the hold of a dead run by the same rule.
"""

from collections.abc import Callable
from dataclasses import dataclass

from imagegen.domain.catalog import Catalog
from imagegen.domain.errors import (
    GenerationFailedError,
    ImagegenError,
    LeaseLostError,
    QuoteExpiredError,
)
from imagegen.domain.ledger import Ledger
from imagegen.domain.quote import Keyring, Quote, check_quote, open_quote, styled_prompt
from imagegen.domain.stores import Known, Refused
from imagegen.usecases.generate.attempts import ProviderLoop
from imagegen.usecases.generate.holds import Holds
from imagegen.usecases.generate.moderation import PromptModeration
from imagegen.usecases.generate.reconciler import Reconciler
from imagegen.usecases.generate.replay import Replayer
from imagegen.usecases.generate.run import ImageMade, Made, Run, Running
from imagegen.usecases.generate.storage import ImageKeeper
from imagegen.wire.images import GenerateRequest


@dataclass(frozen=True, slots=True)
class Confirmed:
    """A confirmed quote and its result."""

    quote: Quote
    result: Made | Running


@dataclass(frozen=True, slots=True)
class Generator:
    """Makes the image of a quote, at most once."""

    catalog: Catalog
    holds: Holds
    moderation: PromptModeration
    loop: ProviderLoop
    keeper: ImageKeeper
    replayer: Replayer
    reconciler: Reconciler
    keyring: Callable[[], Keyring]
    now_ms: Callable[[], int]
    new_run_id: Callable[[], str]

    def generate(self, request: GenerateRequest, user: str, *, ends_ms: int) -> Confirmed:
        """Return the image, or ``Running`` if a run is making it.

        Lambda ends this run at ``ends_ms``.

        Raises:
            QuoteError: the quote is not valid, has expired, or is for another user or prompt.
            LimitError: a limit of the user is reached.
            ContentRefusedError, NoProviderError, GenerationFailedError: no image was made and
                nothing is charged.
            GoneError: the image of this quote was made and charged, and has been deleted.
            StoreUnavailableError: the ledger cannot be reached and nothing is spent, or the image
                is charged and cannot be looked up now (``charged``).
        """
        quote = open_quote(request.quote, self.keyring())
        check_quote(quote, user=user, prompt=request.prompt)
        if quote.is_expired(self.now_ms()):
            return Confirmed(quote, self._after_expiry(quote))
        run_id = self.new_run_id()
        result = self.confirm(quote, request.prompt, run_id=run_id, ends_ms=ends_ms)
        return Confirmed(quote, result)

    def confirm(self, quote: Quote, prompt: str, *, run_id: str, ends_ms: int) -> Made | Running:
        """Return the image of a quote, or ``Running`` if a run is making it.

        The caller has checked that the quote is valid for this prompt. Lambda ends this run, whose
        name is ``run_id``, at ``ends_ms``.

        Raises:
            ImagegenError: as ``generate``. It has ``replayed`` if it is an earlier run's result.
        """
        reservation = self.holds.reserve(quote, run_id=run_id, ends_ms=ends_ms)
        if isinstance(reservation, Refused):
            raise reservation.limit
        if isinstance(reservation, Known):
            return self.replayer.result(quote.ref, reservation.snapshot.ledger)
        text = styled_prompt(prompt, quote.style)
        return self._run(Run(quote, text, reservation.snapshot, ends_ms))

    def _run(self, run: Run) -> Made | Running:
        try:
            made = self._make(run)
            record = run.complete_record(made, self.catalog, now_ms=self.now_ms())
        except ImagegenError as error:
            self._fail(run, error)
            raise
        except Exception:
            # A bug of ours must not keep the user's money held. The answer is still a 500.
            self._fail(run, ImagegenError("internal error"))
            raise
        try:
            return self.keeper.keep(run, made.answer.content, record)
        except LeaseLostError as error:
            run.log.in_doubt_microusd += made.candidate.price_microusd
            self._fail(run, error)
            raise

    def _make(self, run: Run) -> ImageMade:
        self.moderation.check(run.prompt)
        return self.loop.make_image(run)

    def _fail(self, run: Run, error: ImagegenError) -> None:
        self.holds.release(run.quote.user, run.hold, error)
        self.keeper.record_failure(run, run.failed_record(error, now_ms=self.now_ms()))

    def _after_expiry(self, quote: Quote) -> Made | Running:
        """Return the result of an expired quote that was confirmed in time."""
        ledger = self.reconciler.load(quote.user)
        if not self._was_confirmed(quote, ledger):
            raise _expired()
        try:
            return self.replayer.result(quote.ref, ledger)
        except GenerationFailedError as error:
            raise _expired() from error

    def _was_confirmed(self, quote: Quote, ledger: Ledger) -> bool:
        return quote.quote_id in ledger.ops or self.replayer.was_made(quote.ref)


def _expired() -> QuoteExpiredError:
    return QuoteExpiredError("The quote has expired. Ask for a new estimate.")
