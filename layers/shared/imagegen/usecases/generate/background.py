"""Makes images in the background: one invocation reserves and answers, another makes the images.

The answering invocation makes holds that wait, and sends one event for them. Whichever invocation
receives the event takes the holds over (``domain.takeovers``); from then on each is a run like any
other. If the event is lost, the holds end with their leases, which are short, because no run has
them.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

from imagegen.domain.errors import ImagegenError, StoreUnavailableError
from imagegen.domain.ids import WAITING
from imagegen.domain.image_sets import Look
from imagegen.domain.quote import Quote, check_quote, open_quote
from imagegen.domain.stores import LedgerSnapshot
from imagegen.domain.takeovers import Takeover
from imagegen.usecases.generate.generator import Generator
from imagegen.usecases.generate.holds import LEASE_MARGIN_MS
from imagegen.usecases.generate.run import Confirmed, Made, Run, Running, run_of
from imagegen.usecases.generate.sets import ConfirmedImage, Result, SetGenerator
from imagegen.wire.images import GenerateRequest
from imagegen.wire.run_events import RunEvent, WaitingImage

DELIVERY_MS = 60_000
"""How long Lambda keeps an event: ``MaximumEventAgeInSeconds`` in the template, and AWS's minimum.
The lease of a waiting hold ends ``LEASE_MARGIN_MS`` later."""
TAKE_PAUSES_SECONDS = (0.5, 2.0)
"""The pauses of one event before a hold is taken once more, if the ledger did not answer."""

type Unsent = dict[str, LedgerSnapshot]
"""The holds that wait for an event which is not sent yet, by quote id."""


@dataclass(frozen=True, slots=True)
class BackgroundRuns:
    """Starts runs in other invocations, and makes the images in such an invocation."""

    generator: Generator
    set_generator: SetGenerator
    send: Callable[[str], None]
    """Sends an event to this function. It raises ``StoreUnavailableError``: the event may have been
    accepted or not."""
    pause: Callable[[float], None]

    def start(self, request: GenerateRequest, user: str) -> Confirmed:
        """Return ``Running`` once the run is started, or what an earlier run came to.

        Raises:
            ImagegenError: as ``Generator.generate``, except for what only the run itself finds out:
                the image's status has that.
            StoreUnavailableError: also if the run could not be started.
        """
        held: Unsent = {}
        quote = self.generator.open(request.quote or "", request.prompt, user)
        result = _hold(self.generator, quote, prompt=request.prompt, held=held)
        (image,) = self._sent(request, [ConfirmedImage(quote, result)], held)
        if isinstance(image.result, ImagegenError):
            raise image.result
        return Confirmed(quote, image.result)

    def start_set(self, request: GenerateRequest, user: str) -> list[ConfirmedImage]:
        """Return as ``SetGenerator.generate`` does: each image as ``start`` would.

        Raises:
            InvalidRequestError: there are more quotes than one click may confirm.
        """
        held: Unsent = {}
        hold = partial(_hold, prompt=request.prompt, held=held)
        return self._sent(request, self.set_generator.confirm(request, user, hold), held)

    def user_of(self, event: RunEvent) -> str:
        """Return the user of an event, which all its quotes have in common.

        Raises:
            QuoteError: its first quote is not of this service.
        """
        return open_quote(event.images[0].quote, self.generator.keyring()).user

    def run(self, event: RunEvent, *, ends_ms: int) -> list[Result | None]:
        """Return how each image of an event ended, ``None`` if its hold waits for no run any more.

        Lambda ends this run at ``ends_ms``. All holds are taken before the first image is made,
        because their leases are short.
        """
        pauses = iter(TAKE_PAUSES_SECONDS)
        runs = [
            self._taken(one, event.prompt, ends_ms=ends_ms, pauses=pauses) for one in event.images
        ]
        # The images of a set have the same inputs, which are read once.
        generator = self.generator.for_set(self.set_generator.sets.new_condition(), None)
        makes = [partial(_resume, generator, one) for one in runs if one is not None]
        results = iter(self.set_generator.sets.make(makes, mixed=event.mixed))
        return [None if one is None else next(results) for one in runs]

    def _sent(
        self, request: GenerateRequest, images: Sequence[ConfirmedImage], held: Unsent
    ) -> list[ConfirmedImage]:
        """Send the event of all holds. If that fails, return what became of them instead."""
        if not held:
            return list(images)
        try:
            self.send(_event(request, images, held).to_json())
        except StoreUnavailableError as error:
            return [self._withdrawn(one, held, error) for one in images]
        except Exception:
            # A bug of ours must not keep the user's money held. The answer is still a 500.
            for one in images:
                self._withdrawn(one, held, ImagegenError("internal error"))
            raise
        return list(images)

    def _withdrawn(
        self, image: ConfirmedImage, held: Mapping[str, LedgerSnapshot], error: ImagegenError
    ) -> ConfirmedImage:
        """Give back a hold whose event may have been delivered all the same.

        Either this release or a run's takeover changes the hold, and the other one finds that.
        """
        quote = image.quote
        hold = held.get(quote.quote_id) if quote else None
        if quote is None or hold is None:
            return image
        released = self.generator.holds.release(quote.user, hold, error)
        if released is False:
            return ConfirmedImage(quote, self._earlier(quote))
        found = StoreUnavailableError(str(error), retry_after_seconds=error.retry_after_seconds)
        found.hint = error.hint
        # If the ledger does not answer, too, the run may have begun.
        found.charged = False if released else None
        return ConfirmedImage(quote, found)

    def _earlier(self, quote: Quote) -> Result:
        """Return the result of a run that took its hold although its event seemed to be lost."""
        replayer = self.generator.replayer
        try:
            return replayer.result(quote.ref, replayer.ledger(quote.ref))
        except ImagegenError as error:
            return error

    def _taken(
        self, image: WaitingImage, prompt: str, *, ends_ms: int, pauses: Iterator[float]
    ) -> Run | ImagegenError | None:
        """Return the run that has taken the hold over, ``None`` if it does not wait any more."""
        generator = self.generator
        try:
            quote = open_quote(image.quote, generator.keyring())
            check_quote(quote, user=quote.user, prompt=prompt)
            # A name of this invocation alone: Lambda may deliver one event to two of them.
            owner, lease_ms = generator.new_run_id(), ends_ms + LEASE_MARGIN_MS
            takeover = Takeover(quote.quote_id, image.hold, owner, lease_ms)
            hold = self._take(quote.user, takeover, pauses)
        except ImagegenError as error:
            return error
        if hold is None:
            return None
        # Another invocation counted the hold at the levels: only the event shows where a copy of
        # such a write may still arrive.
        hold = replace(hold, unsure=frozenset(image.unsure or ()))
        return run_of(quote, prompt, hold, ends_ms=ends_ms)

    def _take(
        self, user: str, takeover: Takeover, pauses: Iterator[float]
    ) -> LedgerSnapshot | None:
        """Return the hold, ``None`` if it does not wait; a write sent again changes nothing."""
        generator = self.generator
        ledgers = generator.holds.ledgers
        while True:
            try:
                return ledgers.take(user, takeover, now_ms=generator.now_ms())
            except StoreUnavailableError:
                # A pause is used up only here, so that the later holds of the event can be tried
                # again as well.
                seconds = next(pauses, None)
                if seconds is None:
                    raise
            self.pause(seconds)


def _hold(
    generator: Generator, quote: Quote, *, prompt: str, held: Unsent, look: Look | None = None
) -> Made | Running:
    """Make a hold that waits, or return the result of an earlier run."""
    ends_ms = generator.now_ms() + DELIVERY_MS
    if generator.is_over(quote):
        return generator.make(quote, prompt, ends_ms=ends_ms, look=look)
    name = f"{WAITING}{generator.new_run_id()}"
    run = generator.reserve(quote, prompt, run_id=name, ends_ms=ends_ms)
    if not isinstance(run, Run):
        return run
    held[quote.quote_id] = run.hold
    return Running(run.hold.op.started_ms, charged=False)


def _resume(generator: Generator, run: Run | ImagegenError, look: Look | None) -> Made | Running:
    if isinstance(run, ImagegenError):
        raise run
    return generator.resume(replace(run, look=look))


def _event(request: GenerateRequest, images: Sequence[ConfirmedImage], held: Unsent) -> RunEvent:
    tokens = request.quotes or (request.quote or "",)
    waiting = [
        _waiting(held[image.quote.quote_id], token)
        for token, image in zip(tokens, images, strict=True)
        if image.quote and image.quote.quote_id in held
    ]
    return RunEvent(images=tuple(waiting), prompt=request.prompt, mixed=request.mixed)


def _waiting(hold: LedgerSnapshot, token: str) -> WaitingImage:
    return WaitingImage(hold=hold.op.owner, quote=token, unsure=tuple(sorted(hold.unsure)) or None)
