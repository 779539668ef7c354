"""``make dashboard-picture``: the dashboard of the template, drawn from simulated traffic.

To look at it before anybody has to: the widgets are read from the template as CloudWatch gets them.
"""

import argparse
import json
import math
import re
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image, ImageDraw, ImageFont

from bench.traffic import HOURS, MINUTE_MS, STACK, Night
from generators.monitoring.numbers import Series
from generators.monitoring.queries import FUNCTIONS, Query
from local.parameters import read_template
from tests.fakes.alarms import bells

COLUMN, ROW, GAP = 66, 40, 6
INK, FAINT, PAPER, FRAME = "#16191f", "#687078", "#ffffff", "#f2f3f3"
RED, GREEN = "#d62728", "#2ca02c"
NAMES = {
    "AWS::StackName": STACK,
    "AlarmHourlySpendUsd": "20",
    "GenerateConcurrency": "10",
    "GenerateTimeoutSeconds": "300",
    **{name: name for name in FUNCTIONS.values()},
}
SMALL, PLAIN, LARGE = (ImageFont.load_default(size) for size in (13, 15, 26))


@dataclass(frozen=True, slots=True)
class Box:
    """A part of the picture, in pixels."""

    left: int
    top: int
    right: int
    bottom: int

    def inside(self, left: int, top: int, right: int, bottom: int) -> "Box":
        """Return the box without its edges."""
        return Box(self.left + left, self.top + top, self.right - right, self.bottom - bottom)


@dataclass(frozen=True, slots=True)
class Curve:
    """One line of a graph."""

    label: str
    color: str
    series: Series
    period_ms: int


@dataclass(slots=True)
class Painter:
    """Draws one widget after the other."""

    draw: ImageDraw.ImageDraw
    night: Night
    end_ms: int

    @property
    def start_ms(self) -> int:
        """The left edge of time."""
        return self.end_ms - HOURS * 60 * MINUTE_MS

    def widget(self, widget: Mapping[str, Any]) -> None:
        """Draw one widget in its place."""
        left, top = widget["x"] * COLUMN, widget["y"] * ROW
        box = Box(left, top, left + widget["width"] * COLUMN, top + widget["height"] * ROW)
        card = box.inside(GAP, GAP, GAP, GAP)
        edges = (card.left, card.top, card.right, card.bottom)
        self.draw.rectangle(edges, fill=PAPER, outline="#d5dbdb")
        shown = widget["properties"]
        inner = card.inside(12, 10, 12, 8)
        if widget["type"] == "text":
            self._prose(shown["markdown"], inner)
            return
        self.draw.text((inner.left, inner.top), shown["title"], INK, PLAIN)
        below = inner.inside(0, 26, 0, 0)
        if widget["type"] == "alarm":
            self._bells(shown["alarms"], below)
        elif widget["type"] == "log":
            self._table(shown["query"], below)
        elif shown["view"] == "singleValue":
            self._values(self._curves(shown["metrics"]), below)
        else:
            self._graph(shown, below)

    def _prose(self, markdown: str, box: Box) -> None:
        heading, _, rest = markdown.partition("\n")
        self.draw.text((box.left, box.top), filled(heading).lstrip("# "), INK, LARGE)
        plain = re.sub(r"[*`]", "", rest)
        for number, row in enumerate(textwrap.wrap(plain, (box.right - box.left) // 8)):
            self.draw.text((box.left, box.top + 36 + 19 * number), row, FAINT, PLAIN)

    def _bells(self, arns: Sequence[str], box: Box) -> None:
        listed = bells(NAMES)
        columns, width = 7, (box.right - box.left) // 7
        for number, arn in enumerate(arns):
            name = filled(arn.rpartition(":alarm:")[2]).removeprefix(f"{STACK}-")
            minutes = self._when(listed[name])
            x = box.left + number % columns * width
            y = box.top + number // columns * 34
            self.draw.rectangle(
                (x, y, x + width - 8, y + 28), fill="#fbe9e9" if minutes else "#eaf6ea"
            )
            self.draw.ellipse((x + 8, y + 8, x + 20, y + 20), fill=RED if minutes else GREEN)
            said = f"{name} ({minutes} min)" if minutes else name
            self.draw.text((x + 27, y + 6), said, INK, SMALL)

    def _when(self, bell: Any) -> int:
        times = range(self.start_ms + 15 * MINUTE_MS, self.end_ms + 1, MINUTE_MS)
        return sum(bell.rings(self.night.numbers, NAMES, now_ms=now_ms) for now_ms in times)

    def _table(self, query: str, box: Box) -> None:
        if "by code" in query:
            rows = [f"{count:5}   {code}" for code, count in self.night.codes.most_common(8)]
        else:
            rows = self.night.news[::-1][:9]
        for number, row in enumerate(rows):
            self.draw.text((box.left, box.top + 19 * number), row, INK, SMALL)

    def _values(self, curves: Sequence[Curve], box: Box) -> None:
        width = (box.right - box.left) // len(curves)
        for number, curve in enumerate(curves):
            last = [value for at, value in curve.series.items() if at < self.end_ms][-1:]
            text = f"{last[0]:,.2f}".rstrip("0").rstrip(".") if last else "-"
            x = box.left + number * width
            self.draw.text((x, box.top), text, curve.color if last and last[0] else FAINT, LARGE)
            self.draw.text((x, box.top + 32), curve.label, FAINT, SMALL)

    def _curves(self, metrics: Sequence[Sequence[Any]]) -> list[Curve]:
        queries: dict[str, Query] = {}
        shown: list[tuple[Mapping[str, Any], Query | None]] = []
        for entry in metrics:
            if isinstance(entry[0], dict):
                shown.append((entry[0], None))
                continue
            namespace, name, *flat, options = entry
            pairs = dict(zip(flat[::2], flat[1::2], strict=True))
            query = Query(namespace, name, pairs, options["stat"], options["period"])
            if "id" in options:
                queries[options["id"]] = query
            else:
                shown.append((options, query))
        return [self._curve(options, query, queries) for options, query in shown]

    def _curve(
        self, options: Mapping[str, Any], query: Query | None, queries: Mapping[str, Query]
    ) -> Curve:
        numbers = self.night.numbers
        if query is not None:
            series, seconds = numbers.series(query, NAMES), query.period_seconds
        else:
            used = {
                n: q for n, q in queries.items() if re.search(rf"\b{n}\b", options["expression"])
            }
            series = numbers.calculated(options["expression"], used, NAMES)
            seconds = next(iter(used.values())).period_seconds
        return Curve(options["label"], options["color"], series, seconds * 1000)

    def _graph(self, shown: Mapping[str, Any], box: Box) -> None:
        curves = self._curves(shown["metrics"])
        plot = box.inside(46, 4, 6, 40)
        marks = shown.get("annotations", {}).get("horizontal", [])
        left = shown["yAxis"]["left"]
        bottom, top = self._scale(curves, marks, left, stacked=shown["stacked"])
        self._axes(plot, bottom, top)
        for mark in marks:
            y = height(plot, mark["value"], bottom, top)
            for x in range(plot.left, plot.right, 9):
                self.draw.line((x, y, x + 4, y), RED)
            self.draw.text((plot.right - 4, y - 15), mark["label"], RED, SMALL, anchor="ra")
        if shown["stacked"]:
            self._stack(curves, plot, bottom, top)
        else:
            for curve in curves:
                self._trace(curve, plot, bottom, top)
        self._legend(curves, Box(box.left, plot.bottom + 22, box.right, box.bottom))

    def _scale(
        self, curves: Sequence[Curve], marks: Any, left: Mapping[str, float], *, stacked: bool
    ) -> tuple[float, float]:
        starts = {at for curve in curves for at in curve.series}
        if stacked:
            found = [sum(curve.series.get(at, 0) for curve in curves) for at in starts]
        else:
            found = [value for curve in curves for value in curve.series.values()]
        found += [mark["value"] for mark in marks]
        top = left.get("max", nice(max(found, default=1)))
        return left.get("min", -nice(-min(0.0, *found)) if found else 0), top

    def _axes(self, plot: Box, bottom: float, top: float) -> None:
        for part in range(5):
            value = bottom + (top - bottom) * part / 4
            y = height(plot, value, bottom, top)
            self.draw.line((plot.left, y, plot.right, y), "#eaeded")
            self.draw.text((plot.left - 6, y), short(value), FAINT, SMALL, anchor="rm")
        for hour in range(HOURS * 2 + 1):
            at_ms = self.start_ms + hour * 30 * MINUTE_MS
            x = self._x(plot, at_ms)
            text = f"{at_ms // 3_600_000 % 24:02}:{at_ms // 60_000 % 60:02}"
            self.draw.text((x, plot.bottom + 4), text, FAINT, SMALL, anchor="ma")

    def _x(self, plot: Box, at_ms: int) -> float:
        share = (at_ms - self.start_ms) / (self.end_ms - self.start_ms)
        return plot.left + share * (plot.right - plot.left)

    def _trace(self, curve: Curve, plot: Box, bottom: float, top: float) -> None:
        points = [
            (self._x(plot, at + curve.period_ms // 2), height(plot, value, bottom, top))
            for at, value in curve.series.items()
            if self.start_ms <= at < self.end_ms
        ]
        if len(points) > 1:
            self.draw.line(points, curve.color, 2)
        for x, y in points if len(points) < 12 else []:
            self.draw.ellipse((x - 3, y - 3, x + 3, y + 3), fill=curve.color)

    def _stack(self, curves: Sequence[Curve], plot: Box, bottom: float, top: float) -> None:
        below: dict[int, float] = {}
        for curve in curves:
            for at, value in curve.series.items():
                if not value or not self.start_ms <= at < self.end_ms:
                    continue
                base = below.get(at, 0.0)
                below[at] = base + value
                left, right = self._x(plot, at), self._x(plot, at + curve.period_ms)
                upper, lower = height(plot, below[at], bottom, top), height(plot, base, bottom, top)
                right = min(right - 1, plot.right)
                self.draw.rectangle((left, upper, max(left, right), lower), fill=curve.color)

    def _legend(self, curves: Sequence[Curve], box: Box) -> None:
        x: float = box.left
        for curve in curves:
            self.draw.rectangle((x, box.top + 3, x + 9, box.top + 12), fill=curve.color)
            self.draw.text((x + 14, box.top), curve.label, INK, SMALL)
            x += 26 + self.draw.textlength(curve.label, SMALL)


def height(plot: Box, value: float, bottom: float, top: float) -> float:
    """Return where a value is drawn; what is off the scale is drawn at its edge."""
    share = (min(max(value, bottom), top) - bottom) / ((top - bottom) or 1)
    return plot.bottom - share * (plot.bottom - plot.top)


def nice(value: float) -> float:
    """Return a round number that is not below the value."""
    if value <= 0:
        return 0 if value < 0 else 1
    step: float = 10 ** math.floor(math.log10(value))
    return next(step * one for one in (1, 2, 5, 10) if step * one >= value)


def short(value: float) -> str:
    """Return a number for an axis."""
    if abs(value) >= 1000:
        return f"{value / 1000:g}k"
    return f"{value:.3g}"


def filled(text: str) -> str:
    """Return a text with the names put in."""
    for name, value in NAMES.items():
        text = text.replace(f"${{{name}}}", value)
    return text


def picture() -> Image.Image:
    """Return the dashboard after a night with an incident."""
    night = Night()
    end_ms = night.happen()
    text = read_template()["Resources"]["Dashboard"]["Properties"]["DashboardBody"]["Fn::Sub"]
    text = re.sub(r'"value": \$\{(\w+)\}', lambda found: f'"value": {NAMES[found[1]]}', text)
    widgets = json.loads(text)["widgets"]
    bottom = max(widget["y"] + widget["height"] for widget in widgets)
    image = Image.new("RGB", (24 * COLUMN, bottom * ROW), FRAME)
    painter = Painter(ImageDraw.Draw(image), night, end_ms)
    for widget in widgets:
        painter.widget(widget)
    return image


def main() -> None:
    """Draw and save."""
    parser = argparse.ArgumentParser(prog="make dashboard-picture", description=__doc__)
    parser.add_argument("path", type=Path)
    path: Path = parser.parse_args().path
    path.parent.mkdir(parents=True, exist_ok=True)
    picture().save(path)
    print(f"The dashboard of the template, from simulated traffic: {path}")


if __name__ == "__main__":
    main()
