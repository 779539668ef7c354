"""Lets the runs of one set's images agree on a model; ``domain.image_sets`` has the rules."""

from collections.abc import Iterable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any, Protocol

from imagegen.domain.errors import ImagegenError
from imagegen.domain.image_sets import Place, Stage, Verdict, verdict


class Condition(AbstractContextManager[Any], Protocol):
    """A lock, and the wait for a change of what it guards, as ``threading.Condition``."""

    def wait(self) -> object:
        """Wait for the next change."""

    def notify_all(self) -> None:
        """Wake all threads that wait."""


@dataclass(slots=True)
class SameLook:
    """The images of one set, whose runs are threads of one invocation."""

    _changed: Condition
    places: dict[int, Place] = field(default_factory=dict)

    def remember(self, models: Iterable[tuple[int, str]]) -> None:
        """Add images that were stored before: index and model."""
        self.places |= {index: Place(Stage.STORED, model) for index, model in models}

    def begin(self, index: int) -> "LookOfOne":
        """Add an image that is made now."""
        with self._changed:
            self.places.setdefault(index, Place())
        return LookOfOne(self, index)

    def admits(self, index: int, model: str) -> bool:
        """Return whether the model may make the image; waits until the other images decide it.

        An image waits only for calls to providers, which have deadlines, or for the first of one.
        """
        with self._changed:
            if self.places[index].stage is Stage.CALLING:
                self._put(index, Place(Stage.FAILED))
            while (found := verdict(self.places, index, model)) is Verdict.WAIT:
                self._changed.wait()
            if found is Verdict.GO:
                self._put(index, Place(Stage.CALLING, model))
            return found is Verdict.GO

    def end(self, index: int, model: str | None, error: ImagegenError) -> None:
        """Remember the model of a stored image, or the error if there is none.

        If it is not known whether the image is stored, the model counts as that of a stored one.
        """
        with self._changed:
            place = self.places[index]
            if model is None and place.stage is Stage.CALLING and error.charged is not False:
                model = place.model
            self._put(index, Place(Stage.ENDED) if model is None else Place(Stage.STORED, model))

    def _put(self, index: int, place: Place) -> None:
        self.places[index] = place
        self._changed.notify_all()


@dataclass(frozen=True, slots=True)
class LookOfOne:
    """One image of a set, for its run."""

    images: SameLook
    index: int

    def admits(self, model: str) -> bool:
        """Return whether the model may make this image."""
        return self.images.admits(self.index, model)
