"""Buys the n images of one call: n independent promises, each bought at most once.

Each image has its own quote, hold, fallback, settlement and replay, so whatever dies or fails, each
is charged if and only if it is stored. A repetition of the call gets the same images. All images of
a call are made by one model (``domain.image_sets``).
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

from imagegen.domain.errors import AboveMaxCostError, ImagegenError, StillRunningError
from imagegen.domain.image_sets import Look
from imagegen.domain.money import label_text
from imagegen.openai_api.buyer import Buyer
from imagegen.openai_api.retries import Call
from imagegen.openai_api.set_calls import Division, SetCalls
from imagegen.openai_api.unfinished import still_running
from imagegen.usecases.generate.run import Made
from imagegen.usecases.generate.sets import ImageSets, Make, most_certain
from imagegen.wire.estimates import EstimateRequest


@dataclass(frozen=True, slots=True)
class Wanted:
    """The images that a call asks for."""

    request: EstimateRequest
    count: int = 1
    most_bytes: int | None = None
    """The largest file of one image that the answer can contain."""

    @property
    def each(self) -> EstimateRequest:
        """The request for one of the images: ``max_cost`` is for all of them."""
        if self.request.max_cost is None:
            return self.request
        return self.request.model_copy(update={"max_cost": self.request.max_cost // self.count})


@dataclass(frozen=True, slots=True)
class Bought:
    """The images of a call that are stored and charged, and why others are not."""

    made: tuple[Made, ...]
    failed: tuple[tuple[int, ImagegenError], ...] = ()


@dataclass(frozen=True, slots=True)
class SetBuyer:
    """Buys one or more images in one call."""

    buyer: Buyer
    calls: SetCalls
    sets: ImageSets

    def buy(self, wanted: Wanted, call: Call, *, ends_ms: int) -> Bought:
        """Return the images that are stored, at least one. Lambda ends this run at ``ends_ms``.

        Raises:
            ImagegenError: as ``Buyer.buy``, if no image is stored. With ``StillRunningError`` some
                may be (``charged``): the same call, sent again, gets all of them.
        """
        buyer = self.buyer if wanted.count == 1 else self._buyer_of_several()
        buy = partial(buyer.buy, wanted.each, ends_ms=ends_ms, most_bytes=wanted.most_bytes)
        if wanted.count == 1:
            return Bought((buy(call),))
        division = self.calls.divide(call, wanted.count)
        results = self.sets.make(_makes(division, buy), stored=division.models)
        made = tuple(one for one in results if isinstance(one, Made))
        failed = [(i, one) for i, one in enumerate(results) if isinstance(one, ImagegenError)]
        if error := _to_raise(made, [one for _, one in failed], call):
            raise _about_share(error, wanted)
        return Bought(made, tuple(failed))

    def _buyer_of_several(self) -> Buyer:
        """Return a buyer for the images of one call, which are moderated once."""
        # Imported here: most calls are for one image.
        from imagegen.usecases.generate.shared_moderation import moderated_once  # noqa: PLC0415

        lock = self.sets.new_condition()
        return replace(self.buyer, generator=moderated_once(self.buyer.generator, lock))


def _makes(division: Division, buy: Callable[..., Made]) -> list[Make]:
    # While another run makes an image, its model is not known, so none is bought beside it.
    is_undecided = bool(division.running) and not division.models
    return [
        _raise_still_running
        if is_undecided and one.index not in division.running
        else partial(_buy_at, buy, one)
        for one in division.calls
    ]


def _buy_at(buy: Callable[..., Made], call: Call, look: Look | None) -> Made:
    return buy(call, look=look)


def _raise_still_running(_look: Look | None) -> Made:
    raise still_running()


def _about_share(error: ImagegenError, wanted: Wanted) -> ImagegenError:
    """Return the error; one about the price says that the maximum was divided."""
    most = wanted.each.max_cost
    if most is None or not isinstance(error, AboveMaxCostError):
        return error
    share = f"Of x-max-cost, each of the {wanted.count} images may cost {label_text(most)}."
    return AboveMaxCostError(f"{error} {share}")


def _to_raise(
    made: tuple[Made, ...], errors: list[ImagegenError], call: Call
) -> ImagegenError | None:
    """Return the error that answers the whole call, ``None`` if images answer it."""
    running = next((one for one in errors if isinstance(one, StillRunningError)), None)
    if made and (running is None or not call.is_recognised):
        return None
    if running is not None:
        running.charged = True if made else running.charged
        return running
    return most_certain(errors)
