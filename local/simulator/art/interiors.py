"""Paints places that people made, and places without a ground: cities, rooms, the deep sea."""

import math

from PIL import Image

from local.simulator.art.colours import Colour, gradient, lighter, mixed, turned
from local.simulator.art.grounds import Row, fill_below, green, land, ridge, ripples, trees
from local.simulator.art.shapes import Frame, Shape, draw_shape
from local.simulator.art.skies import paint_space
from local.simulator.art.stage import Stage

BACKDROPS: tuple[tuple[Colour, Colour], ...] = (
    ((250, 214, 190), (240, 170, 140)),
    ((196, 222, 216), (130, 182, 176)),
    ((214, 206, 236), (164, 150, 208)),
    ((250, 228, 176), (238, 190, 104)),
    ((204, 220, 240), (140, 172, 214)),
)


def city(stage: Stage) -> None:
    """Paint rows of houses with lit windows, and water or a park in front."""
    for level, tall, far in ((0.72, 0.5, 0.6), (0.74, 0.38, 0.35), (0.76, 0.24, 0.08)):
        houses(stage, level, tall, far)
    water = stage.dice.random() < 0.55
    base = [(0.0, stage.height * 0.76), (float(stage.width), stage.height * 0.76)]
    if water:
        deep = stage.lit((40, 84, 120))
        fill_below(stage, base, (mixed(stage.light.sky[1], deep, 0.5), deep))
        ripples(stage, 0.77, 30 + 14 * stage.detail)
        return
    trees(stage, "tree", Row(9, 0.79, 0.04, 0.1))
    fill_below(stage, base, [stage.lit(one) for one in green(stage)])


def houses(stage: Stage, level: float, tall: float, far: float) -> None:
    """Paint a row of tall houses."""
    x, bottom = -stage.width * 0.02, stage.height * level
    lit = stage.time in ("night", "sunset") or "rain" in stage.weather
    while x < stage.width:
        wide = stage.edge * stage.dice.uniform(0.07, 0.13)
        high = stage.height * tall * stage.dice.uniform(0.4, 1.0)
        own = stage.lit(turned((104, 116, 148), stage.dice.uniform(-0.08, 0.12)), far)
        top = bottom - high
        stage.polygon([(x, top), (x + wide, top), (x + wide, bottom + 9), (x, bottom + 9)], own)
        dark = mixed(own, (20, 24, 50), 0.22)
        stage.polygon(
            [
                (x + wide * 0.72, top),
                (x + wide, top),
                (x + wide, bottom),
                (x + wide * 0.72, bottom),
            ],
            dark,
        )
        if stage.dice.random() < 0.3:
            stage.polygon(
                [
                    (x + wide * 0.46, top),
                    (x + wide * 0.5, top - high * 0.16),
                    (x + wide * 0.54, top),
                ],
                dark,
            )
        if far < 0.5:
            _windows(stage, (x, top), (wide, high), (255, 222, 140) if lit else lighter(own, 0.4))
        x += wide * stage.dice.uniform(0.92, 1.12)


def _windows(stage: Stage, at: tuple[float, float], size: tuple[float, float], on: Colour) -> None:
    across = 4
    pane = size[0] * 0.62 / (across * 1.6)
    rows = int(size[1] / (pane * 3.2))
    for row in range(rows):
        for column in range(across):
            if stage.dice.random() < 0.42:
                continue
            x = at[0] + size[0] * 0.07 + column * pane * 1.6
            y = at[1] + pane * 1.6 + row * pane * 3.0
            stage.polygon(
                [(x, y), (x + pane, y), (x + pane, y + pane * 1.7), (x, y + pane * 1.7)], on
            )


def street(stage: Stage) -> None:
    """Paint a road in front of houses."""
    houses(stage, 0.66, 0.34, 0.4)
    trees(stage, "tree", Row(5, 0.7, 0.07, 0.15))
    land(stage, 0.69, 0.004, 0.0, green(stage))
    road = stage.lit((98, 102, 114)), stage.lit((72, 76, 90))
    top = stage.height * 0.76
    fill_below(stage, [(0.0, top), (float(stage.width), top)], (stage.lit((206, 202, 194)),) * 2)
    top += stage.height * 0.02
    fill_below(stage, [(0.0, top), (float(stage.width), top)], road)
    dash, y, thick = stage.edge * 0.1, stage.height * 0.925, stage.edge * 0.007
    for index in range(math.ceil(stage.width / dash / 1.8)):
        x = index * dash * 1.8
        ends = [(x, y - thick), (x + dash, y - thick), (x + dash, y + thick), (x, y + thick)]
        stage.polygon(ends, stage.lit((244, 238, 214)))


def moonland(stage: Stage) -> None:
    """Paint the ground of a moon under black sky."""
    paint_space(stage)
    own: tuple[Colour, Colour] = ((214, 208, 200), (132, 126, 132))
    fill_below(stage, ridge(stage, 0.66, 0.02, 0.1), (mixed(own[0], (40, 36, 70), 0.4), own[1]))
    fill_below(stage, ridge(stage, 0.74, 0.012), own)
    for _ in range(5 + 2 * stage.detail):
        share = stage.dice.random()
        x, y = stage.width * stage.dice.random(), stage.height * (0.79 + 0.2 * share)
        radius = stage.edge * (0.02 + 0.05 * share)
        stage.ellipse((x, y), (radius, radius * 0.3), (118, 112, 120))
        stage.ellipse((x, y + radius * 0.07), (radius * 0.9, radius * 0.23), (168, 162, 160))


def underwater(stage: Stage) -> None:
    """Paint the sea from inside: rays of light, sand, weed and bubbles."""
    blue = (104, 200, 222), (36, 128, 180), (16, 62, 118)
    stage.image.paste(gradient(stage.image.size, [stage.lit(one) for one in blue]))
    for index in range(4):
        x = stage.width * (index + stage.dice.random()) / 4
        wide, lean = stage.edge * stage.dice.uniform(0.04, 0.1), stage.edge * 0.3
        mask = Image.new("L", stage.image.size)
        points = [
            (x, 0),
            (x + wide, 0),
            (x + wide * 2.4 - lean, stage.height),
            (x - lean, stage.height),
        ]
        Stage(mask, stage.dice, stage.light, 0).polygon(points, 22)
        stage.image.paste((220, 246, 250), (0, 0), mask)
    land(stage, 0.84, 0.014, 0.0, ((222, 204, 150), (160, 140, 110)))
    for _ in range(7 + 3 * stage.detail):
        _weed(stage, stage.width * stage.dice.random())
    for _ in range(14 + 8 * stage.detail):
        at = (stage.width * stage.dice.random(), stage.height * stage.dice.random() * 0.8)
        radius = stage.edge * stage.dice.uniform(0.003, 0.01)
        stage.ellipse(at, (radius, radius), stage.lit((176, 226, 238)))


def _weed(stage: Stage, x: float) -> None:
    tall = stage.edge * stage.dice.uniform(0.1, 0.26)
    bend = stage.dice.uniform(-0.3, 0.3)
    colour = stage.lit(
        stage.dice.choice(((46, 138, 110), (66, 160, 104), (214, 96, 110), (230, 140, 90)))
    )
    line = (0.13, 0.0, 0.0, bend, -0.5, -bend, -1.0, bend * 0.6, -1.5)
    frame = Frame(x, stage.height * stage.dice.uniform(0.88, 0.99), tall * 0.66)
    draw_shape(stage.image, Shape("line", ("own",), line), frame, {"own": colour})


def room(stage: Stage) -> None:
    """Paint a table in front of a wall, with light from a window."""
    wall = stage.dice.choice(BACKDROPS)
    stage.image.paste(gradient(stage.image.size, [stage.lit(lighter(one, 0.25)) for one in wall]))
    stage.glow((stage.width * 0.24, stage.height * 0.2), stage.edge * 0.8, (255, 250, 230), 0.5)
    x, y, w = stage.width * 0.7, stage.height * 0.08, stage.edge * 0.26
    frame, glass = stage.lit((252, 248, 240)), stage.light.sky[1]
    stage.polygon([(x, y), (x + w, y), (x + w, y + w * 1.3), (x, y + w * 1.3)], frame)
    for column in (0.06, 0.53):
        for row in (0.06, 0.68):
            left, top = x + w * column, y + w * row
            pane = [
                (left, top),
                (left + w * 0.41, top),
                (left + w * 0.41, top + w * 0.56),
                (left, top + w * 0.56),
            ]
            stage.polygon(pane, glass)
    line = [(0.0, stage.height * 0.72), (float(stage.width), stage.height * 0.72)]
    fill_below(stage, line, (stage.lit((206, 156, 108)), stage.lit((150, 102, 66))))
    for index in range(5):
        y = stage.height * (0.75 + 0.055 * index)
        stage.polygon(
            [(0, y), (stage.width, y), (stage.width, y + 2), (0, y + 2)], stage.lit((168, 118, 78))
        )


def studio(stage: Stage) -> None:
    """Paint a plain background with a large quiet shape."""
    own = stage.dice.choice(BACKDROPS)
    stage.image.paste(gradient(stage.image.size, [stage.lit(lighter(one, 0.2)) for one in own]))
    radius = stage.edge * 0.4
    stage.ellipse(
        (stage.width / 2, stage.height * 0.5),
        (radius, radius),
        stage.lit(mixed(own[1], own[0], 0.3)),
    )
    stage.glow((stage.width * 0.3, stage.height * 0.2), stage.edge * 0.7, (255, 252, 240), 0.35)


def concert(stage: Stage) -> None:
    """Paint a stage with beams of light, and a crowd in front."""
    stage.image.paste(gradient(stage.image.size, ((26, 16, 48), (66, 26, 82), (150, 54, 96))))
    for index in range(5):
        x = stage.width * (0.1 + 0.2 * index)
        aim = stage.width * stage.dice.uniform(0.2, 0.8)
        mask = Image.new("L", stage.image.size)
        spread = stage.edge * 0.12
        points = [
            (x - 4, 0),
            (x + 4, 0),
            (aim + spread, stage.height * 0.86),
            (aim - spread, stage.height * 0.86),
        ]
        Stage(mask, stage.dice, stage.light, 0).polygon(points, 70)
        stage.image.paste(
            stage.dice.choice(((255, 214, 120), (120, 220, 255), (255, 130, 180))), (0, 0), mask
        )
    fill_below(stage, ridge(stage, 0.84, 0.002), ((60, 30, 66), (30, 18, 44)))
    for index in range(16):
        x = stage.width * (index + stage.dice.random()) / 16
        radius = stage.edge * 0.036
        y = stage.height * stage.dice.uniform(0.93, 0.97)
        stage.ellipse((x, y), (radius, radius), (18, 12, 30))
        stage.ellipse((x, y + radius * 3), (radius * 2, radius * 2.2), (18, 12, 30))


def party(stage: Stage) -> None:
    """Paint a plain background with confetti."""
    studio(stage)
    bright = ((226, 87, 76), (246, 208, 77), (63, 127, 196), (98, 180, 120), (238, 143, 180))
    for _ in range(60):
        x, y = stage.width * stage.dice.random(), stage.height * stage.dice.random()
        size = stage.edge * stage.dice.uniform(0.006, 0.014)
        lean = size * stage.dice.uniform(-1, 1)
        points = [(x, y), (x + size, y + lean), (x + size - lean, y + size), (x - lean, y + size)]
        stage.polygon(points, stage.dice.choice(bright))


def abstract(stage: Stage) -> None:
    """Paint calm shapes in few colours, for words that name nothing that can be drawn."""
    hue = stage.dice.choice((0.0, 0.08, 0.45, 0.55, 0.62, 0.92))
    base = turned((246, 226, 204), hue, 0.8)
    stage.image.paste(gradient(stage.image.size, (lighter(base, 0.4), base)))
    warm = [turned(one, hue) for one in ((226, 110, 82), (244, 190, 104), (52, 92, 124))]
    sun = (stage.width * stage.dice.uniform(0.3, 0.7), stage.height * stage.dice.uniform(0.26, 0.4))
    stage.ellipse(sun, (stage.edge * 0.19,) * 2, stage.lit(warm[0]))
    for index, colour in enumerate((warm[1], mixed(warm[0], warm[2], 0.45), warm[2])):
        line = ridge(stage, 0.56 + 0.14 * index, 0.07)
        fill_below(stage, line, [stage.lit(lighter(colour, 0.12)), stage.lit(colour)])
        if stage.detail > index:
            bright = [(x, y - stage.edge * 0.02) for x, y in line]
            _stroke(stage, bright, stage.lit(lighter(colour, 0.5)))


def _stroke(stage: Stage, line: list[tuple[float, float]], colour: Colour) -> None:
    half = stage.edge * 0.004
    lower = [(x, y + half) for x, y in reversed(line)]
    stage.polygon([*((x, y - half) for x, y in line), *lower], colour)
