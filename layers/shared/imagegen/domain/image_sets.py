"""Which model may make an image of a set, so that the images of one request look alike.

Once an image of a set is stored, or may be, only its model makes the others. Before that, an image
whose model failed waits for the others that are being made: if one of them is stored, its model
decides. The answer waits for all images anyway, so this makes it no later.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, auto
from typing import Protocol


class Look(Protocol):
    """One image of a set, for its run."""

    def admits(self, model: str) -> bool:
        """Return whether the model may make this image; waits until the other images decide it."""
        ...


class Stage(Enum):
    """How far an image of a set is; one that has not begun is not in the set yet."""

    BEGUN = auto()
    """No model was called for it."""
    CALLING = auto()
    """A model makes it, or it is being stored."""
    FAILED = auto()
    """The last model that was called made no image."""
    STORED = auto()
    """It is stored, or may be."""
    ENDED = auto()
    """It was not made."""


@dataclass(frozen=True, slots=True)
class Place:
    """One image of a set."""

    stage: Stage = Stage.BEGUN
    model: str = ""


class Verdict(Enum):
    """Whether a model may make an image of a set."""

    GO = auto()
    WAIT = auto()
    NO = auto()


def is_same_model(one: str, other: str) -> bool:
    """Return whether two providers' names mean the same model: vendors spell it differently.

    Of ``black-forest-labs/FLUX.2-max``, letters and digits behind the slash count.
    """
    return _name(one) == _name(other)


def verdict(places: Mapping[int, Place], index: int, model: str) -> Verdict:
    """Return whether the model may make the image with this index, by the other images."""
    others = [place for at, place in places.items() if at != index]
    stored = [place.model for place in others if place.stage is Stage.STORED]
    if stored:
        return Verdict.GO if any(is_same_model(one, model) for one in stored) else Verdict.NO
    is_fallback = places[index].stage is Stage.FAILED
    for place in others:
        is_other = place.stage is Stage.CALLING and not is_same_model(place.model, model)
        if is_other or (is_fallback and place.stage is Stage.BEGUN):
            return Verdict.WAIT
    return Verdict.GO


def _name(model: str) -> str:
    return "".join(filter(str.isalnum, model.rpartition("/")[2].lower()))
