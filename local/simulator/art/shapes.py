"""Reads shapes from lines of text and draws them, without a colour of their own."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from PIL import Image, ImageDraw

from local.simulator.art.colours import Colour, colour_of, gradient

type Point = tuple[float, float]
type Palette = Mapping[str, Colour]
STEPS = 7
"""Straight pieces of one piece of a smooth outline."""


@dataclass(frozen=True, slots=True)
class Shape:
    """One shape; its fill is one or two names of colours."""

    kind: str
    fill: tuple[str, ...]
    numbers: tuple[float, ...]

    def mirrored(self) -> "Shape":
        """Return the shape on the other side of the vertical axis."""
        numbers = list(self.numbers)
        if self.kind == "line":
            numbers[1::2] = [-one for one in numbers[1::2]]
        elif self.kind == "box":
            numbers[0], numbers[2] = -numbers[2], -numbers[0]
        elif self.kind == "oval":
            numbers[0] = -numbers[0]
        else:
            numbers[::2] = [-one for one in numbers[::2]]
        return Shape(self.kind, self.fill, tuple(numbers))


@dataclass(frozen=True, slots=True)
class Frame:
    """Where a figure's own coordinates are on a picture: its middle, and half its height."""

    x: float
    y: float
    half: float
    flip: bool = False

    def at(self, point: Point) -> Point:
        """Return a point in pixels."""
        side = -1 if self.flip else 1
        return self.x + side * point[0] * self.half, self.y + point[1] * self.half


def parsed(line: str) -> Iterator[Shape]:
    """Yield the shape of a line, and its mirror image if the line asks for it."""
    words = line.removeprefix("|").split()
    kind, fill, numbers = words[0], words[1], words[2:]
    if kind == "line":
        fill, numbers = words[2], [words[1], *words[3:]]
    shape = Shape(kind, tuple(fill.split(":")), tuple(map(float, numbers)))
    yield shape
    if line.startswith("|"):
        yield shape.mirrored()


def points_of(numbers: Sequence[float]) -> list[Point]:
    """Return numbers as points."""
    return list(zip(numbers[::2], numbers[1::2], strict=True))


def outline_of(shape: Shape) -> list[Point]:
    """Return the outline of any shape but a line, in the figure's own coordinates."""
    if shape.kind == "oval":
        x, y, rx, ry = shape.numbers
        turns = [math.tau * step / 40 for step in range(40)]
        return [(x + rx * math.cos(turn), y + ry * math.sin(turn)) for turn in turns]
    if shape.kind == "box":
        return box_outline(shape.numbers)
    points = points_of(shape.numbers)
    if shape.kind == "half":
        points += [(-x, y) for x, y in reversed(points) if x]
    return points if shape.kind == "poly" else smooth(points)


def box_outline(numbers: Sequence[float]) -> list[Point]:
    """Return the outline of a rectangle with rounded corners."""
    x0, y0, x1, y1, radius = numbers
    radius = min(radius, (x1 - x0) / 2, (y1 - y0) / 2)
    corners = [
        (x1 - radius, y0 + radius, -0.25),
        (x1 - radius, y1 - radius, 0),
        (x0 + radius, y1 - radius, 0.25),
        (x0 + radius, y0 + radius, 0.5),
    ]
    return [
        (x + radius * math.cos(turn), y + radius * math.sin(turn))
        for x, y, start in corners
        for turn in [math.tau * (start + step / 20) for step in range(6)]
    ]


def smooth(points: Sequence[Point]) -> list[Point]:
    """Return a closed smooth outline through all points (Catmull-Rom)."""
    count = len(points)
    made: list[Point] = []
    for index in range(count):
        before, start, end, after = (points[(index + step) % count] for step in (-1, 0, 1, 2))
        for step in range(STEPS):
            share = step / STEPS
            made.append(
                (
                    _between(before[0], start[0], end[0], after[0], share),
                    _between(before[1], start[1], end[1], after[1], share),
                )
            )
    return made


def _between(before: float, start: float, end: float, after: float, share: float) -> float:
    """Return a value between two others, on a curve that passes through all four."""
    slope = end - before
    bend = 2 * before - 5 * start + 4 * end - after
    turn = 3 * start - before - 3 * end + after
    return start + 0.5 * share * (slope + share * (bend + share * turn))


def draw_shape(image: Image.Image, shape: Shape, frame: Frame, palette: Palette) -> None:
    """Draw a shape into a picture."""
    colours = [palette[one] if one in palette else colour_of(one) for one in shape.fill]
    if shape.kind == "line":
        _draw_line(image, shape, frame, colours[0])
        return
    outline = [frame.at(point) for point in outline_of(shape)]
    if len(colours) == 1:
        ImageDraw.Draw(image).polygon(outline, fill=colours[0])
        return
    _fill_softly(image, outline, colours)


def _draw_line(image: Image.Image, shape: Shape, frame: Frame, colour: Colour) -> None:
    width = max(1, round(shape.numbers[0] * frame.half))
    points = [frame.at(point) for point in points_of(shape.numbers[1:])]
    if len(points) > 2:
        points = _bent(points)
    pen = ImageDraw.Draw(image)
    pen.line(points, fill=colour, width=width, joint="curve")
    for x, y in (points[0], points[-1]):
        pen.ellipse((x - width / 2, y - width / 2, x + width / 2, y + width / 2), fill=colour)


def _bent(points: Sequence[Point]) -> list[Point]:
    """Return an open smooth line through all points."""
    ends = [points[0], *points, points[-1]]
    made: list[Point] = []
    for before, start, end, after in zip(ends, ends[1:], ends[2:], ends[3:], strict=False):
        for step in range(STEPS):
            share = step / STEPS
            made.append(
                (
                    _between(before[0], start[0], end[0], after[0], share),
                    _between(before[1], start[1], end[1], after[1], share),
                )
            )
    return [*made, points[-1]]


def _fill_softly(image: Image.Image, outline: Sequence[Point], colours: Sequence[Colour]) -> None:
    """Fill an outline with a gradient from top to bottom."""
    left, top = (math.floor(min(one[axis] for one in outline)) for axis in (0, 1))
    right, bottom = (math.ceil(max(one[axis] for one in outline)) + 1 for axis in (0, 1))
    left, top = max(0, left), max(0, top)
    right, bottom = min(image.width, right), min(image.height, bottom)
    if right <= left or bottom <= top:
        return
    mask = Image.new("1", (right - left, bottom - top))
    ImageDraw.Draw(mask).polygon([(x - left, y - top) for x, y in outline], fill=1)
    image.paste(gradient(mask.size, colours), (left, top), mask)
