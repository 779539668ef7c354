"""The figures that can be in a picture, and how one of them is drawn."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from PIL import Image

from local.simulator.art.colours import Colour, colour_of, darker, lighter
from local.simulator.art.shapes import Frame, Shape, draw_shape, parsed

FIGURES_PATH = Path(__file__).with_name("figures.txt")
DEFAULTS: Mapping[str, Colour] = {
    "main": (140, 140, 150),
    "second": (240, 236, 228),
    "third": (90, 84, 96),
    "ink": (43, 37, 48),
    "white": (255, 255, 255),
}


@dataclass(slots=True)
class Figure:
    """A figure as it is in the file."""

    name: str
    colours: dict[str, Colour]
    shapes: list[Shape] = field(default_factory=list)
    places: dict[str, tuple[float, float, float]] = field(default_factory=dict)
    """Where a hat, glasses or a scarf belongs: a point, and a width."""

    def palette(self, main: Colour | None = None) -> dict[str, Colour]:
        """Return the colours by role, with another main colour if there is one."""
        own = {**DEFAULTS, **self.colours}
        own["main"] = main or own["main"]
        return {**own, "shade": darker(own["main"]), "tint": lighter(own["main"])}


@cache
def figures() -> Mapping[str, Figure]:
    """Return all figures of the file by name."""
    found: dict[str, Figure] = {}
    figure = Figure("", {})
    for line in FIGURES_PATH.read_text().splitlines():
        words = line.split()
        if not words or line.startswith("# "):
            continue
        if words[0] == "figure":
            roles = dict(one.split("=") for one in words[2:])
            figure = Figure(words[1], {role: colour_of(text) for role, text in roles.items()})
            found[figure.name] = figure
        elif words[0] == "at":
            x, y, width = map(float, words[2:])
            figure.places[words[1]] = (x, y, width)
        else:
            figure.shapes += _shapes(words, line, found)
    return found


def _shapes(words: list[str], line: str, found: Mapping[str, Figure]) -> Iterator[Shape]:
    if words[0] == "use":
        yield from found[words[1]].shapes
    else:
        yield from parsed(line)


def draw_figure(image: Image.Image, name: str, frame: Frame, palette: Mapping[str, Colour]) -> None:
    """Draw a figure into a picture."""
    for shape in figures()[name].shapes:
        draw_shape(image, shape, frame, palette)
