"""Paints the land under a sky: hills, mountains, forests, water, sand."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from PIL import Image, ImageDraw

from local.simulator.art.colours import Colour, gradient, mixed
from local.simulator.art.shapes import Frame
from local.simulator.art.stage import Stage

GRASS: tuple[Colour, Colour] = ((132, 176, 92), (74, 128, 74))
SNOW: tuple[Colour, Colour] = ((247, 250, 253), (204, 220, 236))
AUTUMN: tuple[Colour, Colour] = ((200, 160, 84), (142, 108, 60))


def green(stage: Stage) -> tuple[Colour, Colour]:
    """Return the colours of grass, as the season has it."""
    if stage.is_snowy:
        return SNOW
    return AUTUMN if "autumn" in stage.weather else GRASS


def ridge(
    stage: Stage, level: float, swing: float, rough: float = 0.0
) -> list[tuple[float, float]]:
    """Return a line from left to right around a part of the height: waves, or jagged ones."""
    phase, waves = stage.dice.uniform(0, 6), stage.dice.uniform(0.7, 1.8)
    points = []
    for step in range(65):
        share = step / 64
        wave = math.sin(phase + waves * math.tau * share) + 0.4 * math.sin(phase * 2 + 11 * share)
        jag = rough * stage.dice.uniform(-1, 1)
        points.append((stage.width * share, stage.height * (level + swing * (wave + jag))))
    return points


def fill_below(
    stage: Stage, line: Sequence[tuple[float, float]], colours: Sequence[Colour]
) -> None:
    """Fill everything below a line with a gradient."""
    top = max(0, int(min(y for _, y in line)))
    size = (stage.width, max(1, stage.height - top))
    mask = Image.new("1", size)
    outline = [(x, y - top) for x, y in line]
    ImageDraw.Draw(mask).polygon([*outline, (size[0], size[1]), (0, size[1])], fill=1)
    stage.image.paste(gradient(size, colours), (0, top), mask)


def land(stage: Stage, level: float, swing: float, far: float, own: Sequence[Colour]) -> None:
    """Paint a range of hills."""
    colours = [stage.lit(one, far * share) for one, share in zip(own, (1, 0.6), strict=True)]
    fill_below(stage, ridge(stage, level, swing), colours)


def meadow(stage: Stage) -> None:
    """Paint hills, a few trees and flowers."""
    own = green(stage)
    land(stage, 0.56, 0.03, 0.6, own)
    land(stage, 0.62, 0.035, 0.35, own)
    trees(stage, "tree", Row(2 + stage.detail, 0.66, 0.055, 0.25))
    land(stage, 0.7, 0.02, 0.05, own)
    blades(stage, 0.74)


def blades(stage: Stage, level: float) -> None:
    """Paint grass and flowers on the ground in front, or mounds of snow."""
    if stage.is_snowy or not stage.detail:
        return
    dark = stage.lit(mixed(green(stage)[1], (30, 60, 40), 0.3))
    for _ in range(30 * stage.detail):
        x, share = stage.width * stage.dice.random(), stage.dice.random()
        y = stage.height * (level + (1 - level) * share)
        tall = stage.edge * (0.008 + 0.016 * share)
        stage.polygon([(x - tall * 0.18, y), (x + tall * 0.1, y - tall), (x + tall * 0.2, y)], dark)
    petals = ((246, 220, 110), (240, 240, 246), (232, 130, 150))
    for _ in range(9 * stage.detail):
        x, share = stage.width * stage.dice.random(), stage.dice.random()
        y = stage.height * (level + (1 - level) * share)
        radius = stage.edge * (0.0025 + 0.004 * share)
        stage.ellipse((x, y), (radius, radius), stage.lit(stage.dice.choice(petals)))


@dataclass(frozen=True, slots=True)
class Row:
    """A row of trees: how many, how far down, half their height, and how far away."""

    count: int
    level: float
    half: float
    far: float


def trees(stage: Stage, kind: str, row: Row) -> None:
    """Paint trees side by side."""
    snow = {"tree": (214, 222, 232), "pine": (186, 206, 214)}
    for index in range(row.count):
        x = stage.width * (index + stage.dice.uniform(0.1, 0.9)) / row.count
        own = row.half * stage.edge * stage.dice.uniform(0.75, 1.3)
        y = stage.height * (row.level + stage.dice.uniform(-0.012, 0.012)) - own
        colour = snow.get(kind) if stage.is_snowy else None
        if "autumn" in stage.weather and kind == "tree":
            colour = stage.dice.choice(((214, 120, 50), (204, 84, 48), (226, 170, 66)))
        stage.figure(kind, Frame(x, y, own, bool(index % 2)), far=row.far, own=colour)


def forest(stage: Stage) -> None:
    """Paint rows of trees, the far ones in the haze."""
    own = green(stage)
    kind = "pine" if stage.is_snowy or stage.dice.random() < 0.6 else "tree"
    for row, (level, half, far) in enumerate(
        ((0.6, 0.11, 0.75), (0.66, 0.17, 0.5), (0.72, 0.23, 0.22))
    ):
        trees(stage, kind, Row(13 - 3 * row + stage.detail, level, half, far))
        land(stage, level + 0.01, 0.006, far * 0.8, own)
    land(stage, 0.78, 0.012, 0.0, own)
    blades(stage, 0.8)
    for x in (0.0, 0.99):
        half = stage.height * (0.44 if kind == "pine" else 0.36)
        stage.figure(
            kind, Frame(stage.width * x, stage.height * 0.9 - half, half, x > 0.5), far=0.0
        )


def mountains(stage: Stage) -> None:
    """Paint ranges with snow on top, a lake or a meadow in front."""
    for level, tall, far in ((0.62, 0.34, 0.55), (0.68, 0.27, 0.25)):
        peaks(stage, level, tall, far)
    land(stage, 0.7, 0.012, 0.3, green(stage))
    water = stage.place == "lake" or stage.dice.random() < 0.4
    if water:
        lake(stage, 0.74)
    else:
        land(stage, 0.76, 0.02, 0.0, green(stage))
    trees(stage, "pine", Row(5 + 2 * stage.detail, 0.79, 0.055, 0.1))
    land(stage, 0.86 if water else 0.82, 0.012, 0.0, green(stage))
    blades(stage, 0.88)


def peaks(stage: Stage, level: float, tall: float, far: float) -> None:
    """Paint a range: each peak with a bright and a dark side, and snow."""
    count = 3 if stage.width <= stage.height else 5
    order = list(range(count))
    stage.dice.shuffle(order)
    for index in order:
        x = stage.width * (index + stage.dice.uniform(0.3, 0.7)) / count
        high = stage.height * tall * stage.dice.uniform(0.65, 1.1)
        half = max(high * 0.5, stage.width / count * 0.8)
        middle = stage.height * level - high / 2
        _peak(stage, (x, middle), (half, high / 2), far)


def _peak(stage: Stage, at: tuple[float, float], halves: tuple[float, float], far: float) -> None:
    (x, y), (w, h) = at, halves
    rock, dark = stage.lit((128, 140, 166), far), stage.lit((92, 102, 134), far)
    lean = stage.dice.uniform(-0.12, 0.12) * w
    top = (x + lean, y - h)
    foot = y + h * 1.3
    stage.polygon([(x - w, foot), top, (x + w, foot)], rock)
    fold = [
        (x + lean + 0.1 * w, y - 0.3 * h),
        (x + lean - 0.06 * w, y + 0.3 * h),
        (x + 0.14 * w, foot),
    ]
    stage.polygon([top, *fold, (x + w, foot)], dark)
    cut = 0.34 if not stage.is_snowy else 0.6
    left = (top[0] + (x - w - top[0]) * cut, top[1] + (foot - top[1]) * cut)
    right = (top[0] + (x + w - top[0]) * cut, top[1] + (foot - top[1]) * cut)
    span = right[0] - left[0]
    teeth = [
        (left[0] + span * share, left[1] + h * drop)
        for share, drop in ((0.2, -0.14), (0.34, 0.08), (0.5, -0.16), (0.66, 0.1), (0.82, -0.12))
    ]
    stage.polygon([top, left, *teeth, right], stage.lit((250, 252, 255), far * 0.7))
    stage.polygon(
        [top, *fold[:1], teeth[2], *teeth[3:], right], stage.lit((214, 224, 240), far * 0.7)
    )


def lake(stage: Stage, level: float) -> None:
    """Paint still water from a part of the height down."""
    top, bottom = stage.light.sky[1], mixed(stage.light.sky[0], (20, 50, 80), 0.35)
    line = [(0.0, stage.height * level), (float(stage.width), stage.height * level)]
    fill_below(stage, line, (mixed(top, bottom, 0.25), bottom))
    ripples(stage, level + 0.01, 10 + 6 * stage.detail)


def ripples(stage: Stage, level: float, count: int) -> None:
    """Paint short bright lines on water, wider towards the viewer."""
    pale = mixed(stage.light.sky[2], stage.light.sky[1], 0.4)
    for _ in range(count):
        share = stage.dice.random()
        y = stage.height * (level + (1 - level) * share**1.3)
        half = stage.edge * (0.01 + 0.05 * share)
        x = stage.width * stage.dice.random()
        stage.ellipse((x, y), (half, max(1.0, stage.edge * (0.0009 + 0.0016 * share))), pale)


def sea(stage: Stage) -> None:
    """Paint the open sea up to the horizon."""
    day = (62, 132, 168), (22, 74, 112)
    own = [stage.lit(one) for one in day]
    line = [(0.0, stage.height * 0.56), (float(stage.width), stage.height * 0.56)]
    fill_below(stage, line, (mixed(own[0], stage.light.sky[2], 0.35), own[0], own[1]))
    for row in range(4):
        level = 0.64 + 0.09 * row
        wave = [
            (
                stage.width * step / 64,
                stage.height * level
                + stage.edge * 0.006 * (row + 1) * math.sin(step * (1.5 - row * 0.22) + row * 2),
            )
            for step in range(65)
        ]
        fill_below(stage, wave, [mixed(own[0], own[1], 0.25 * row + 0.1), own[1]])
    ripples(stage, 0.58, 16 + 12 * stage.detail)


def beach(stage: Stage) -> None:
    """Paint sea, surf, sand and palms."""
    sea(stage)
    sand = stage.lit((240, 216, 168)), stage.lit((218, 184, 130))
    fill_below(stage, ridge(stage, 0.735, 0.01), [stage.lit((244, 250, 250))] * 2)
    fill_below(stage, ridge(stage, 0.75, 0.01), sand)
    side = stage.dice.choice((0.1, 0.9))
    half = stage.edge * 0.27
    stage.figure("palm", Frame(stage.width * side, stage.height * 0.82 - half, half, side > 0.5))


def desert(stage: Stage) -> None:
    """Paint dunes, each with a dark side."""
    for row, far in enumerate((0.5, 0.25, 0.0)):
        line = ridge(stage, 0.6 + 0.1 * row, 0.035)
        fill_below(stage, line, (stage.lit((236, 186, 112), far), stage.lit((196, 128, 74), far)))
        crest = min(line, key=lambda one: one[1])
        foot = stage.height * (0.74 + 0.1 * row)
        side = [(crest[0] + stage.width * 0.22, crest[1] + (foot - crest[1]) * 0.5)]
        stage.polygon(
            [crest, *side, (crest[0] + stage.width * 0.1, foot)], stage.lit((184, 116, 70), far)
        )
    for x in (0.12, 0.86)[: stage.detail]:
        half = stage.edge * 0.085
        stage.figure("cactus", Frame(stage.width * x, stage.height * 0.82 - half, half))
