"""A confirmed request: reserve, moderate, make the image, store, settle, answer. In this order.

The ceiling of the quote is the most that is held; the hold is lowered to the price of the model
that made the image. What is stored is charged and what is not stored is not, wherever a run dies:
the reconciler ends it by the same rule.
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
    """What a confirmed quote came to."""

    quote: Quote
    result: Made | Running


@dataclass(frozen=True, slots=True)
class Generator:
    """Makes the image of a quote, once."""

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
        """Return the image, or that it is being made. Lambda ends this run at ``ends_ms``.

        Raises:
            QuoteError: the quote is not valid, expired or made for something else.
            LimitError: a limit of the user is reached.
            ContentRefusedError, NoProviderError, GenerationFailedError: no image, no charge.
            GoneError: it was made with this quote, charged, and deleted since.
            StoreUnavailableError: the ledger cannot be reached; nothing is spent.
        """
        quote = open_quote(request.quote, self.keyring())
        check_quote(quote, user=user, prompt=request.prompt)
        if quote.is_expired(self.now_ms()):
            return Confirmed(quote, self._after_expiry(quote))
        run_id = self.new_run_id()
        result = self.confirm(quote, request.prompt, run_id=run_id, ends_ms=ends_ms)
        return Confirmed(quote, result)

    def confirm(self, quote: Quote, prompt: str, *, run_id: str, ends_ms: int) -> Made | Running:
        """Return the image of a quote that is good for this prompt, or that it is being made.

        Raises:
            ImagegenError: as ``generate``; ``replayed`` if an earlier run failed with it.
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
        except ImagegenError as error:
            self._give_up(run, error)
            raise
        except Exception:
            # A bug of ours must not keep the user's money held; it is still a bug, and a 500.
            self._give_up(run, ImagegenError("internal error"))
            raise
        record = run.complete_record(made, self.catalog, now_ms=self.now_ms())
        try:
            return self.keeper.keep(run, made.answer.content, record)
        except LeaseLostError as error:
            run.log.in_doubt_microusd += made.candidate.price_microusd
            self._give_up(run, error)
            raise

    def _make(self, run: Run) -> ImageMade:
        self.moderation.check(run.prompt)
        return self.loop.make_image(run)

    def _give_up(self, run: Run, error: ImagegenError) -> None:
        self.holds.release(run.quote.user, run.hold, error)
        self.keeper.give_up(run, run.failed_record(error, now_ms=self.now_ms()))

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
