"""What a picture shows, as plain values; it is read from words, and changed by words."""

from dataclasses import dataclass

from local.simulator.art.colours import Colour


@dataclass(frozen=True, slots=True)
class Item:
    """A figure of a scene."""

    figure: str
    count: int = 1
    colour: Colour | None = None
    """Another main colour than the figure's own."""
    wears: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Scene:
    """All that is drawn; the same scene with another time of day has the same composition."""

    items: tuple[Item, ...] = ()
    place: str = ""
    time: str = ""
    weather: tuple[str, ...] = ()
    style: str = ""
    tone: Colour | None = None
    """The colour that the whole picture leans to."""
    sky: Colour | None = None
    """Another colour of the sky than that of the light."""
    seed: str = ""
    """What decides everything that the words leave open."""
    closer: float = 1.0
    """How much larger the figures are than usual."""
    kept: int = 0
    """How many figures were there before others were added; 0 if none were."""
    riding: bool = False
    """Whether the first of two figures is on the other one."""
    light: float = 0.0
    """How much brighter than usual, from -1 to 1."""
