"""Makes the images of one request at the same time, as independent promises.

Each image has its own quote, hold, fallback, settlement and replay, so whatever dies or fails, each
is charged if and only if it is stored. All images of a set are made by one model, unless the caller
wants them mixed (``domain.image_sets`` has the rules).
"""

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from functools import partial

from imagegen.domain.errors import (
    GenerationFailedError,
    ImagegenError,
    InvalidRequestError,
    StoreUnavailableError,
)
from imagegen.domain.image_sets import Look
from imagegen.domain.ledger import Ledger, OpState
from imagegen.domain.quote import Quote
from imagegen.usecases.generate.generator import Generator
from imagegen.usecases.generate.replay import stored_is_charged
from imagegen.usecases.generate.run import Made, Running
from imagegen.usecases.generate.same_look import Condition, SameLook
from imagegen.wire.images import GenerateRequest

MOST_AT_ONCE = 4
"""How many images one invocation makes at the same time: each is in memory until it is stored."""

type Result = Made | Running | ImagegenError
type Make = Callable[[Look | None], Made | Running]
"""Makes one image of a set, at its place in the set."""
type MakeQuoted = Callable[..., Made | Running]
"""Makes or begins an image, with the generator and its quote; ``look`` is its place in the set."""


@dataclass(frozen=True, slots=True)
class ImageSets:
    """Runs what makes the images of one request, in threads of one invocation."""

    run_at_once: Callable[[Sequence[Callable[[], Result]]], list[Result]]
    new_condition: Callable[[], Condition]
    on_unexpected: Callable[[Exception], None]

    def make(
        self, makes: Sequence[Make], *, stored: Iterable[tuple[int, str]] = (), mixed: bool = False
    ) -> list[Result]:
        """Return how each image ended, in order.

        ``stored`` are index and model of images that were stored before. If ``mixed``, each image
        falls back by itself, whatever model made the others.
        """
        images = SameLook(self.new_condition())
        images.remember(stored)
        tasks = [
            partial(self._one, make, index, None if mixed else images)
            for index, make in enumerate(makes)
        ]
        return self.run_at_once(tasks)

    def _one(self, make: Make, index: int, images: SameLook | None) -> Result:
        result: Result = ImagegenError("The run was ended.")
        try:
            result = make(images.begin(index) if images else None)
        except ImagegenError as error:
            result = error
        except Exception as error:  # noqa: BLE001 the other images are stored and must be answered
            self.on_unexpected(error)
            result = ImagegenError("An unexpected error. It is in the logs.")
        finally:
            # Whatever ended it: the other images may wait for it.
            if images:
                images.end(index, *_ending(result))
        return result


def most_certain(errors: Collection[ImagegenError]) -> ImagegenError:
    """Return the error that answers for a set of which no image can be returned.

    An image that is charged, or may be, decides before one that is not.
    """
    certainty = {True: 2, None: 1, False: 0}
    return max(errors, key=lambda one: (certainty[one.charged], one.retryable))


@dataclass(frozen=True, slots=True)
class ConfirmedImage:
    """One image of a confirmed set."""

    quote: Quote | None
    """``None`` if the quote could not be opened; then the result is the error."""
    result: Result

    @property
    def image_id(self) -> str | None:
        """The id of its image, as far as it is known."""
        return self.quote.image_id if self.quote else None


@dataclass(frozen=True, slots=True)
class SetGenerator:
    """Makes the images of several quotes, each at most once."""

    generator: Generator
    sets: ImageSets
    max_count: int

    def generate(
        self, request: GenerateRequest, user: str, *, ends_ms: int
    ) -> list[ConfirmedImage]:
        """Return how the image of each quote ended, in order. Lambda ends this run at ``ends_ms``.

        Raises:
            InvalidRequestError: there are more quotes than one click may confirm.
        """
        make = partial(Generator.make, prompt=request.prompt, ends_ms=ends_ms)
        return self.confirm(request, user, make)

    def confirm(
        self, request: GenerateRequest, user: str, make: MakeQuoted
    ) -> list[ConfirmedImage]:
        """Return what ``make`` returned or raised for each quote, in order.

        A set of which an image is stored or in the making is never added to: its repetitions return
        what the first request came to.

        Raises:
            InvalidRequestError: there are more quotes than one click may confirm.
        """
        if len(request.quotes) > self.max_count:
            raise InvalidRequestError(f"One request confirms at most {self.max_count} quotes.")
        opened = [self._opened(token, request.prompt, user) for token in request.quotes]
        quotes = [one for one in opened if isinstance(one, Quote)]
        try:
            ledger = self.generator.reconciler.load(user) if quotes else Ledger()
        except StoreUnavailableError as error:
            return [self._unavailable(one, error) for one in opened]
        is_known = any(_is_kept(quote, ledger) for quote in quotes)
        make = partial(make, self.generator.for_set(self.sets.new_condition(), ledger))
        if is_known:
            make = partial(self._replay, make, ledger, quotes)
        makes = [partial(_raise_or, make, one) for one in opened]
        results = self.sets.make(makes, mixed=request.mixed or is_known)
        return [
            ConfirmedImage(one if isinstance(one, Quote) else None, result)
            for one, result in zip(opened, results, strict=True)
        ]

    def _opened(self, token: str, prompt: str, user: str) -> Quote | ImagegenError:
        try:
            return self.generator.open(token, prompt, user)
        except ImagegenError as error:
            return error

    def _replay(
        self,
        make: MakeQuoted,
        ledger: Ledger,
        quotes: Sequence[Quote],
        quote: Quote,
        *,
        look: Look | None,
    ) -> Made | Running:
        """Return the result of an image of a set that was confirmed before; make none."""
        if quote.quote_id in ledger.ops:
            return self.generator.replayer.result(quote.ref, ledger)
        if self.generator.is_over(quote):
            # It returns an earlier image, which the ledger has forgotten, or raises.
            return make(quote, look=look)
        ops = [ledger.ops[one.quote_id] for one in quotes if one.quote_id in ledger.ops]
        began = [op.started_ms for op in ops if op.state is OpState.HELD]
        if began:
            # The run of its set has not come to it yet.
            return Running(min(began))
        raise _not_made(is_certain=len(quotes) <= MOST_AT_ONCE)

    def _unavailable(
        self, opened: Quote | ImagegenError, error: StoreUnavailableError
    ) -> ConfirmedImage:
        """Return what is known of an image without the ledger: whether it is stored."""
        if isinstance(opened, ImagegenError):
            return ConfirmedImage(None, opened)
        found: ImagegenError = error
        try:
            with stored_is_charged(self.generator.replayer.stores.images, opened.ref):
                raise error
        except StoreUnavailableError as known:
            found = known
        return ConfirmedImage(opened, found)


def _raise_or(make: MakeQuoted, opened: Quote | ImagegenError, look: Look | None) -> Made | Running:
    if isinstance(opened, ImagegenError):
        raise opened
    return make(opened, look=look)


def _is_kept(quote: Quote, ledger: Ledger) -> bool:
    """Return whether the image of a quote is stored or in the making."""
    op = ledger.ops.get(quote.quote_id)
    return op is not None and op.state is not OpState.RELEASED


def _ending(result: Result) -> tuple[str | None, ImagegenError]:
    """Return the model of a stored image, else the error, as the other images must see it."""
    if isinstance(result, Made):
        return result.record.model, ImagegenError("")
    # The image of a run that goes on may be stored: the error has no ``charged``.
    return None, result if isinstance(result, ImagegenError) else ImagegenError("")


def _not_made(*, is_certain: bool) -> GenerationFailedError:
    error = GenerationFailedError(
        "This image of the set was not made. For what is missing, ask for a new estimate."
    )
    error.retryable = False
    # Beyond those that begin together, the first run may be about to make it.
    error.charged = False if is_certain else None
    return error
