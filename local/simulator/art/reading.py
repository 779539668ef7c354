"""Reads a scene from the words of a prompt."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from local.simulator.art.colours import Colour, colour_of, hue_of
from local.simulator.art.figures import figures
from local.simulator.art.scene import Item, Scene
from local.simulator.art.words import Found, words_in

MOST_FIGURES = 4
NEAR = 3
"""A colour or a number counts for a figure that follows within this many words."""
RIDES = 5
"""A figure is ridden that follows a word for riding within this many words."""
SAME_HUE = 0.09
"""A red fox is a fox: a colour this near to a figure's own changes nothing."""
PLURAL = {"flower": 4, "rose": 3, "tulip": 4, "sunflower": 4, "bird": 3, "tree": 3, "pine": 4}


@dataclass(slots=True)
class Reader:
    """What was read of a prompt so far."""

    items: list[Item] = field(default_factory=list)
    single: dict[str, str] = field(default_factory=dict)
    """Place, time and style: the first of each that was named."""
    weather: list[str] = field(default_factory=list)
    wears: list[str] = field(default_factory=list)
    left_out: set[str] = field(default_factory=set)
    colour: str = ""
    colour_at: int = -NEAR
    number: int = 0
    number_at: int = -NEAR
    without_at: int = -NEAR
    figure_at: int = -NEAR
    unused_colour: str = ""
    riding_at: int = -RIDES
    riding: bool = False
    is_face: bool = False

    def add(self, at: int, found: Found) -> None:
        """Take one more word into account."""
        if found.name("without"):
            self.without_at = at
        elif at - self.without_at < NEAR and found.meanings and not found.name("number"):
            self.left_out.update(one.name for one in found.meanings)
            self.without_at = -NEAR
        elif found.name("figure") or found.name("wears"):
            self._add_figure(at, found)
            self._add_setting(found)
        elif colour := found.name("colour"):
            self._add_colour(at, colour)
        elif found.name("riding") and self.items:
            self.riding_at = at
        elif found.name("face"):
            self.is_face = True
        elif number := found.name("number"):
            self.number, self.number_at = int(number), at
        else:
            self._add_setting(found)

    def _add_figure(self, at: int, found: Found) -> None:
        colour = colour_of(self.colour) if at - self.colour_at < NEAR else None
        if colour:
            self.colour_at, self.unused_colour = -NEAR, ""
        if worn := found.name("wears"):
            self.wears.append(worn)
        name = found.name("figure")
        if not name or (worn and self.items):
            return
        count = self.number if at - self.number_at < NEAR else 1
        if found.is_plural and count == 1:
            count = PLURAL.get(name, 2)
        self.items.append(Item(name, min(count, MOST_FIGURES), unusual(name, colour)))
        self.number_at, self.figure_at = -NEAR, at
        self.riding = self.riding or at - self.riding_at < RIDES

    def _add_colour(self, at: int, colour: str) -> None:
        if at - self.figure_at == 1 and self.items:
            last = self.items[-1]
            self.items[-1] = replace(last, colour=unusual(last.figure, colour_of(colour)))
            return
        self.colour, self.colour_at = colour, at
        self.unused_colour = self.unused_colour or colour

    def _add_setting(self, found: Found) -> None:
        for kind in ("place", "time", "style"):
            if name := found.name(kind):
                self.single.setdefault(kind, name)
        if found.name("place"):
            self.riding_at = -RIDES
        if name := found.name("weather"):
            self.weather.append(name)

    def scene(self, seed: str) -> Scene:
        """Return the scene that was read."""
        items = [one for one in self.items if one.figure not in self.left_out]
        single = {kind: one for kind, one in self.single.items() if one not in self.left_out}
        wears = [one for one in self.wears if one not in self.left_out]
        if not items and (wears or self.is_face):
            items = [Item("man" if wears else "bust")]
        items = [replace(one, wears=tuple(wears)) if can_wear(one.figure) else one for one in items]
        return Scene(
            tuple(merged(items)),
            weather=tuple(one for one in self.weather if one not in self.left_out),
            tone=colour_of(self.unused_colour) if self.unused_colour else None,
            seed=seed,
            closer=1.1 if self.is_face else 1.0,
            riding=self.riding,
            place=single.get("place", ""),
            time=single.get("time", ""),
            style=single.get("style", ""),
        )


def read_scene(prompt: str, seed: str = "") -> Scene:
    """Return the scene of a prompt; what the words leave open is empty."""
    return read(prompt).scene(seed or " ".join(prompt.lower().split()))


def read(prompt: str) -> Reader:
    """Return all that was read of a text."""
    reader = Reader()
    for at, found in enumerate(words_in(prompt)):
        reader.add(at, found)
    return reader


def can_wear(figure: str) -> bool:
    """Return whether a figure has a head for a hat."""
    return "head" in figures()[figure].places


def unusual(figure: str, colour: Colour | None) -> Colour | None:
    """Return a colour unless it is about the figure's own."""
    if colour is None:
        return None
    own = figures()[figure].palette()["main"]
    apart = abs(hue_of(own) - hue_of(colour))
    is_coloured = max(own) - min(own) > 60 and max(colour) - min(colour) > 60
    return None if is_coloured and min(apart, 1 - apart) < SAME_HUE else colour


def merged(items: Iterable[Item]) -> list[Item]:
    """Return the items, each figure of one colour once, four at most."""
    found: dict[tuple[str, Colour | None], Item] = {}
    for one in items:
        key = (one.figure, one.colour)
        if key not in found:
            found[key] = one
    return list(found.values())[:MOST_FIGURES]
