"""Paints what is in the air in front of everything: snow, rain, fog, leaves."""

from collections.abc import Callable, Mapping

from PIL import Image

from local.simulator.art.colours import mixed
from local.simulator.art.stage import Stage


def paint_weather(stage: Stage) -> None:
    """Paint the weather over the whole picture."""
    for name in dict.fromkeys(stage.weather):
        WEATHERS[name](stage)


def snow(stage: Stage) -> None:
    """Paint flakes, the near ones larger."""
    for _ in range(110 + 50 * stage.detail):
        radius = stage.edge * stage.dice.choice((0.0018, 0.0024, 0.0032, 0.005))
        at = (stage.width * stage.dice.random(), stage.height * stage.dice.random())
        stage.ellipse(at, (radius, radius), (250, 252, 255))


def rain(stage: Stage) -> None:
    """Paint slanting lines."""
    mask = Image.new("L", stage.image.size)
    patch = Stage(mask, stage.dice, stage.light, 0)
    for _ in range(150 + 60 * stage.detail):
        x, y = stage.width * stage.dice.uniform(0, 1.1), stage.height * stage.dice.uniform(-0.1, 1)
        tall = stage.edge * stage.dice.uniform(0.03, 0.06)
        thin = stage.edge * 0.0016
        points = [
            (x, y),
            (x + thin, y),
            (x - tall * 0.22, y + tall),
            (x - tall * 0.22 - thin, y + tall),
        ]
        patch.polygon(points, 120)
    stage.image.paste((222, 232, 240), (0, 0), mask)


def fog(stage: Stage) -> None:
    """Paint banks of fog, thickest at the horizon."""
    pale = mixed(stage.light.sky[2], (255, 255, 255), 0.25)
    stage.veil(pale, (0.1, 0.2, 0.42, 0.66, 0.6, 0.34, 0.16))


def leaves(stage: Stage) -> None:
    """Paint falling leaves."""
    for _ in range(14 + 8 * stage.detail):
        x, y = stage.width * stage.dice.random(), stage.height * stage.dice.random()
        size, lean = stage.edge * stage.dice.uniform(0.006, 0.013), stage.dice.uniform(-0.6, 0.6)
        points = [
            (x - size, y),
            (x, y - size * (0.6 + lean)),
            (x + size, y + size * lean),
            (x, y + size * 0.5),
        ]
        stage.polygon(
            points, stage.lit(stage.dice.choice(((214, 120, 50), (196, 72, 44), (232, 176, 70))))
        )


WEATHERS: Mapping[str, Callable[[Stage], None]] = {
    "snow": snow,
    "rain": rain,
    "fog": fog,
    "autumn": leaves,
}
