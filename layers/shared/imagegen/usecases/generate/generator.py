"""A confirmed request, in this order: reserve, moderate, make the image, store, settle, answer.

The hold is the ceiling of the quote; settling lowers it to the price of the model that made the
image. An image is charged if and only if it is stored, at whatever step a run dies: the reconciler
ends the hold of a dead run by the same rule.
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from imagegen.domain.catalog import Catalog
from imagegen.domain.days import is_of_past_day
from imagegen.domain.errors import (
    GenerationFailedError,
    ImagegenError,
    InputGoneError,
    LeaseLostError,
    LimitError,
    ParameterError,
    QuoteExpiredError,
    QuoteMismatchError,
)
from imagegen.domain.image_sets import Look
from imagegen.domain.inputs import InputFile
from imagegen.domain.ledger import Ledger, OpState
from imagegen.domain.operations import Operation, check_opaque
from imagegen.domain.previews import PreviewStore
from imagegen.domain.quote import Keyring, Quote, check_quote, open_quote
from imagegen.domain.stores import Known, Refused
from imagegen.usecases.generate.attempts import ProviderLoop
from imagegen.usecases.generate.frames import Frames
from imagegen.usecases.generate.holds import Holds
from imagegen.usecases.generate.moderation import PromptChecks
from imagegen.usecases.generate.reconciler import Reconciler
from imagegen.usecases.generate.replay import Replayer, not_charged, stored_is_charged
from imagegen.usecases.generate.run import Confirmed, Made, Run, Running, run_of
from imagegen.usecases.generate.storage import ImageKeeper
from imagegen.wire.images import GenerateRequest

if TYPE_CHECKING:
    from imagegen.usecases.shared_inputs import Inputs


@dataclass(frozen=True, slots=True)
class Generator:
    """Makes the image of a quote, at most once."""

    catalog: Catalog
    holds: Holds
    moderation: PromptChecks
    loop: ProviderLoop
    keeper: ImageKeeper
    replayer: Replayer
    reconciler: Reconciler
    inputs: "Inputs"
    previews: Callable[[], PreviewStore]
    keyring: Callable[[], Keyring]
    now_ms: Callable[[], int]
    new_run_id: Callable[[], str]
    set_ledger: Ledger | None = None
    """For a set: its user's ledger when the set began, to find earlier runs and not limits."""

    def generate(self, request: GenerateRequest, user: str, *, ends_ms: int) -> Confirmed:
        """Return the image, or ``Running`` if a run is making it.

        Lambda ends this run at ``ends_ms``.

        Raises:
            QuoteError: the quote is not valid, has expired, is for another user or prompt, or all
                of its models have changed.
            LimitError: a limit of the user is reached.
            ContentRefusedError, ModerationUnavailableError, ConfigurationError, NoProviderError,
                GenerationFailedError, LeaseLostError: no image is kept and nothing is charged.
            InputGoneError, QuoteMismatchError, ParameterError: an input is gone or does not fit.
            GoneError: the image of this quote was made and charged, and has been deleted.
            StoreUnavailableError: a store cannot be reached; ``charged`` says what is known.
        """
        quote = self.open(request.quote or "", request.prompt, user)
        return Confirmed(quote, self.make(quote, request.prompt, ends_ms=ends_ms))

    def open(self, token: str, prompt: str, user: str) -> Quote:
        """Return the quote in a token, which was made for this user and this prompt.

        Raises:
            QuoteError: as ``generate``.
        """
        quote = open_quote(token, self.keyring())
        check_quote(quote, user=user, prompt=prompt)
        return quote

    def for_set(self, lock: AbstractContextManager[Any], ledger: Ledger | None) -> "Generator":
        """Return this generator for the images of one set: inputs are read and checked once."""
        # Imported here: most requests are for one image.
        from imagegen.usecases.generate.shared_moderation import moderated_once  # noqa: PLC0415
        from imagegen.usecases.shared_inputs import SharedInputs  # noqa: PLC0415

        inputs = SharedInputs(self.inputs, lock, self.now_ms)
        return replace(moderated_once(self, lock), inputs=inputs, set_ledger=ledger)

    def is_over(self, quote: Quote) -> bool:
        """Return whether the quote cannot be confirmed any more: it only has an earlier result."""
        return self._reason_against(quote) is not None

    def make(
        self, quote: Quote, prompt: str, *, ends_ms: int, look: Look | None = None
    ) -> Made | Running:
        """Return the image of an opened quote, or ``Running`` if a run is making it.

        Lambda ends this run at ``ends_ms``. ``look`` is the place in a set of images.

        Raises:
            ImagegenError: as ``generate``.
        """
        if over := self._reason_against(quote):
            return self._earlier_result(quote, over)
        return self.confirm(quote, prompt, run_id=self.new_run_id(), ends_ms=ends_ms, look=look)

    def confirm(
        self, quote: Quote, prompt: str, *, run_id: str, ends_ms: int, look: Look | None = None
    ) -> Made | Running:
        """Return the image of a quote, or ``Running`` if a run is making it.

        The caller has checked that the quote is valid for this prompt. Lambda ends this run, whose
        name is ``run_id``, at ``ends_ms``. ``look`` is the place in a set of images.

        Raises:
            ImagegenError: as ``generate``. It has ``replayed`` if it is an earlier run's result.
        """
        run = self.reserve(quote, prompt, run_id=run_id, ends_ms=ends_ms, look=look)
        return self.run(run) if isinstance(run, Run) else run

    def reserve(
        self, quote: Quote, prompt: str, *, run_id: str, ends_ms: int, look: Look | None = None
    ) -> Run | Made | Running:
        """Return a run that has its hold, or an earlier run's result. It raises as ``confirm``."""
        files = self._inputs(quote)
        if isinstance(files, Made | Running):
            return files
        with stored_is_charged(self.replayer.stores.images, quote.ref):
            reservation = self.holds.reserve(quote, run_id=run_id, ends_ms=ends_ms)
        if isinstance(reservation, Refused):
            # The ledger, which has no other run of this quote, refused it.
            with not_charged():
                raise self._refusal(quote, reservation.limit)
        if isinstance(reservation, Known):
            return self.replayer.result(quote.ref, reservation.snapshot.ledger)
        hold = reservation.snapshot
        return run_of(quote, prompt, hold, ends_ms=ends_ms, inputs=files, look=look)

    def run(self, run: Run) -> Made | Running:
        """Return the image of a run that has its hold and inputs. It raises as ``confirm``.

        No preview frame outlives the run, however it ends.
        """
        quote = run.quote
        if not quote.wishes.partials:
            return self._run(run)
        frames = Frames(self.previews, quote.ref, quote.wishes.partials)
        try:
            return self._run(replace(run, frames=frames))
        finally:
            frames.forget()

    def resume(self, run: Run) -> Made | Running:
        """Return the image of a run that has its hold, and reads its inputs here; as ``run``."""
        with self._released_if_failed(run):
            files = self._checked_files(run.quote)
        return self.run(replace(run, inputs=files))

    def _inputs(self, quote: Quote) -> tuple[InputFile, ...] | Made | Running:
        """Return the inputs of a quote, or the result of a run that has them or needs none.

        They are read before anything is held. A quote whose image was made, or is being made, is
        answered without its inputs, which may be gone since.

        Raises:
            ImagegenError: as ``generate``.
        """
        if not quote.inputs:
            return ()
        ledger = self.set_ledger or self.replayer.ledger(quote.ref)
        op = ledger.ops.get(quote.quote_id)
        if op is not None and op.state is not OpState.RELEASED:
            return self.replayer.result(quote.ref, ledger)
        try:
            with stored_is_charged(self.replayer.stores.images, quote.ref):
                return self._checked_files(quote)
        except (InputGoneError, QuoteMismatchError, ParameterError) as error:
            return self._earlier_result(quote, error)

    def _checked_files(self, quote: Quote) -> tuple[InputFile, ...]:
        files = self.inputs.files(quote.inputs, quote.user)
        if quote.operation is Operation.UPSCALE:
            check_opaque(files[0].content)
        return files

    def _run(self, run: Run) -> Made | Running:
        with self._released_if_failed(run):
            self.moderation.check(run.prompt, run.inputs)
            made = self.loop.make_image(run)
            record = run.complete_record(made, self.catalog, now_ms=self.now_ms())
        try:
            return self.keeper.keep(run, made.answer.content, record)
        except LeaseLostError as error:
            run.log.lose_image(made.candidate.price_microusd)
            self._fail(run, error)
            raise

    @contextmanager
    def _released_if_failed(self, run: Run) -> Iterator[None]:
        """Give the run's hold back if what is done with it fails."""
        try:
            yield
        except Exception as error:
            # A bug of ours must not keep the user's money held. The answer is still a 500.
            known = error if isinstance(error, ImagegenError) else ImagegenError("internal error")
            self._fail(run, known)
            raise

    def _fail(self, run: Run, error: ImagegenError) -> None:
        """End a run without a stored image: its hold is its own, so that nothing is charged."""
        # Another instance may have ended the hold: then it is not known what it found.
        if self.holds.release(run.quote.user, run.hold, error) is not False:
            error.charged = False
        self.keeper.record_failure(run, run.failed_record(error, now_ms=self.now_ms()))

    def _reason_against(self, quote: Quote) -> QuoteExpiredError | None:
        """Return why the quote cannot be confirmed any more, ``None`` if it can."""
        if quote.is_expired(self.now_ms()):
            return QuoteExpiredError("The quote has expired. Ask for a new estimate.")
        if not self.loop.has_candidate(quote):
            return QuoteExpiredError(
                "No model of this quote is sold any more as it was priced. Ask for a new estimate."
            )
        return None

    def _refusal(self, quote: Quote, limit: LimitError) -> ImagegenError:
        """Return the limit, or that the quote is over if only its own day's limit is reached."""
        if not is_of_past_day(limit, quote.day, now_ms=self.now_ms()):
            return limit
        return QuoteExpiredError(
            f"The quote counts against the limits of {quote.day}, which are reached. "
            "Ask for a new estimate: it counts against those of today."
        )

    def _earlier_result(self, quote: Quote, over: ImagegenError) -> Made | Running:
        """Return the result of a quote that was confirmed in time, or raise ``over``."""
        with stored_is_charged(self.replayer.stores.images, quote.ref):
            ledger = self.reconciler.load(quote.user)
            was_confirmed = quote.quote_id in ledger.ops or self.replayer.was_made(quote.ref)
        # Ledger, record and image were looked up.
        over.charged = False
        if not was_confirmed:
            raise over
        try:
            return self.replayer.result(quote.ref, ledger)
        except GenerationFailedError as error:
            raise over from error
