"""Paints skies: the air, the sun, the moon, stars and clouds."""

from PIL import Image

from local.simulator.art.colours import Colour, gradient, mixed
from local.simulator.art.shapes import Frame
from local.simulator.art.stage import Stage

PALE_MOON = (246, 238, 210)
SUN = {"sunset": (255, 214, 130), "dawn": (255, 236, 196)}


def paint_sky(stage: Stage, *, bodies: bool = True) -> None:
    """Paint the whole picture as sky; with ``bodies``, with a sun or a moon in it."""
    stage.image.paste(gradient(stage.image.size, stage.light.sky))
    at = (
        stage.width * stage.dice.uniform(0.18, 0.82),
        stage.height * stage.dice.uniform(0.14, 0.24),
    )
    if stage.time == "night":
        paint_stars(stage, 60 + 30 * stage.detail, 0.62)
        if bodies:
            paint_moon(stage, at)
    elif stage.time in SUN:
        paint_sun(stage, (at[0], stage.height * stage.dice.uniform(0.36, 0.46)))
    elif bodies and not stage.weather:
        stage.glow(at, stage.edge * 0.36, (255, 246, 214), 0.8)
        stage.ellipse(at, (stage.edge * 0.055,) * 2, (255, 248, 222))
    if stage.time != "night" and stage.detail:
        paint_clouds(stage, 2 + stage.dice.randint(0, stage.detail))


def paint_sun(stage: Stage, at: tuple[float, float]) -> None:
    """Paint a low sun with its glow."""
    colour = SUN[stage.time]
    stage.glow(at, stage.edge * 0.62, colour, 0.85)
    stage.ellipse(at, (stage.edge * 0.085,) * 2, mixed(colour, (255, 255, 240), 0.5))


def paint_moon(stage: Stage, at: tuple[float, float]) -> None:
    """Paint the moon with its glow."""
    stage.glow(at, stage.edge * 0.34, (196, 206, 240), 0.5)
    radius = stage.edge * 0.062
    stage.ellipse(at, (radius, radius), PALE_MOON)
    shade = mixed(PALE_MOON, (180, 176, 170), 0.5)
    for x, y, share in ((-0.3, -0.25, 0.22), (0.34, 0.1, 0.17), (-0.1, 0.42, 0.15)):
        stage.ellipse((at[0] + x * radius, at[1] + y * radius), (share * radius,) * 2, shade)


def paint_stars(stage: Stage, count: int, depth: float) -> None:
    """Paint stars down to a part of the height."""
    for _ in range(count):
        at = (stage.width * stage.dice.random(), stage.height * depth * stage.dice.random() ** 1.2)
        radius = stage.edge * stage.dice.choice((0.0012, 0.0016, 0.0022, 0.0034))
        bright = stage.dice.choice(((255, 250, 230), (210, 222, 255), (170, 184, 230)))
        stage.ellipse(at, (radius, radius), bright)


def paint_clouds(stage: Stage, count: int) -> None:
    """Paint soft flat clouds."""
    white = mixed((255, 255, 255), stage.light.sky[1], 0.25)
    shade = mixed(white, stage.light.sky[1], 0.4)
    for _ in range(count):
        width = stage.edge * stage.dice.uniform(0.1, 0.2)
        x = stage.width * stage.dice.uniform(-0.02, 1.02)
        y = stage.height * stage.dice.uniform(0.07, 0.34)
        _paint_cloud(stage, (x, y), width, (stage.lit(white), stage.lit(shade)))


def _paint_cloud(
    stage: Stage, at: tuple[float, float], width: float, colours: tuple[Colour, Colour]
) -> None:
    """Paint a cloud of overlapping discs with a flat bottom, half through."""
    size = (round(width * 2.6), round(width * 1.1))
    mask = Image.new("L", size)
    patch = Stage(mask, stage.dice, stage.light, 0)
    for share in (0.16, 0.34, 0.54, 0.74, 0.88):
        radius = width * (0.36 if 0.3 < share < 0.8 else 0.22) * stage.dice.uniform(0.8, 1.15)
        middle = (size[0] * share, size[1] * 0.84 - radius * 0.72)
        patch.ellipse(middle, (radius * 1.25, radius), 205)
    mask.paste(0, (0, round(size[1] * 0.84), *size))
    fill = gradient(size, [colours[0], colours[0], colours[1]])
    stage.image.paste(fill, (round(at[0] - size[0] / 2), round(at[1] - size[1] / 2)), mask)


def paint_space(stage: Stage) -> None:
    """Paint the sky without air: stars, a nebula, a planet."""
    stage.image.paste(gradient(stage.image.size, ((8, 8, 28), (22, 18, 58), (40, 24, 74))))
    for colour in ((122, 62, 150), (52, 86, 168), (186, 82, 130)):
        at = (stage.width * stage.dice.random(), stage.height * stage.dice.random())
        stage.glow(at, stage.edge * stage.dice.uniform(0.3, 0.6), colour, 0.5)
    paint_stars(stage, 120 + 60 * stage.detail, 1.0)
    side = stage.dice.choice((0.16, 0.84))
    x, y = stage.width * side, stage.height * stage.dice.uniform(0.16, 0.26)
    own = stage.dice.choice(((217, 154, 91), (104, 150, 190), (190, 110, 130), (120, 170, 140)))
    stage.figure("planet", Frame(x, y, stage.edge * 0.12), own=own)
