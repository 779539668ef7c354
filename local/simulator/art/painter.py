"""Paints a scene: its place, its figures and its weather."""

import math
import random
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from PIL import Image

from local.simulator.art import grounds, interiors, skies
from local.simulator.art.colours import Colour, darker, lighter, mixed
from local.simulator.art.figures import figures
from local.simulator.art.layout import Placed, place_of, placed
from local.simulator.art.scene import Scene
from local.simulator.art.shapes import Frame
from local.simulator.art.stage import LIGHTS, Light, Stage, shifted
from local.simulator.art.weather import paint_weather

LARGEST = 2200
"""The most pixels along an edge that are painted; smaller pictures are painted twice as large."""
SMALLEST = 64
"""The fewest pixels along an edge that are painted."""
UNDER_A_SKY: Mapping[str, Callable[[Stage], None]] = {
    "meadow": grounds.meadow,
    "forest": grounds.forest,
    "mountains": grounds.mountains,
    "lake": grounds.mountains,
    "sea": grounds.sea,
    "beach": grounds.beach,
    "desert": grounds.desert,
    "city": interiors.city,
    "street": interiors.street,
    "sky": lambda stage: skies.paint_clouds(stage, 4),
}
ELSEWHERE: Mapping[str, Callable[[Stage], None]] = {
    "space": skies.paint_space,
    "moonland": interiors.moonland,
    "underwater": interiors.underwater,
    "room": interiors.room,
    "studio": interiors.studio,
    "stage": interiors.concert,
    "party": interiors.party,
    "": interiors.abstract,
}
WORN_AT: Mapping[str, tuple[str, float, float]] = {
    **dict.fromkeys(("hat", "tophat", "crown", "partyhat", "wizardhat"), ("head", 0.62, -0.52)),
    "santahat": ("head", 0.66, -0.3),
    **dict.fromkeys(("glasses", "sunglasses"), ("eyes", 0.62, 0.0)),
    "scarf": ("neck", 0.95, 0.1),
    "bow": ("neck", 0.5, 0.1),
}
"""Where a thing is worn, its half width as a part of the place's, and how far below its point."""


@dataclass(frozen=True, slots=True)
class Hand:
    """Whose picture it is: the same words are painted in another way by each model."""

    name: str
    detail: int = 2
    """From 0 to 3."""


def paint(scene: Scene, size: tuple[int, int], hand: Hand) -> Image.Image:
    """Return the scene as a picture of exactly this size, without its style."""
    stage = _stage(scene, size, hand)
    place = place_of(scene)
    stage.dice = _dice(scene, hand, "sky")
    if place in UNDER_A_SKY:
        has_own = any(one.figure in ("moon", "sun") for one in scene.items)
        skies.paint_sky(stage, bodies=not has_own)
    stage.dice, stage.place = _dice(scene, hand, "place"), place
    {**UNDER_A_SKY, **ELSEWHERE}[place](stage)
    if scene.style == "photo":
        _blur(stage)
    paint_figures(stage, _figures(scene, stage, place, hand))
    stage.dice = _dice(scene, hand, "weather")
    paint_weather(stage)
    return _finished(stage.image, size)


def paint_alone(scene: Scene, size: tuple[int, int], hand: Hand) -> Image.Image:
    """Return the figures at the same places on a transparent ground."""
    stage = _stage(scene, size, hand)
    stage.image = Image.new("RGBA", stage.image.size, (0, 0, 0, 0))
    paint_figures(stage, _figures(scene, stage, place_of(scene), hand), shadows=False)
    return _finished(stage.image, size)


def paint_figures(stage: Stage, all_placed: Iterable[Placed], *, shadows: bool = True) -> None:
    """Paint figures, with what they wear."""
    for one in all_placed:
        half = one.frame.half
        if one.has_shadow and shadows:
            _paint_shadow(stage, one.frame)
        if one.figure in ("moon", "sun", "star", "lamp") and shadows:
            stage.glow((one.frame.x, one.frame.y), half * 2, (255, 238, 190), 0.55)
        quarter = Stage(stage.image, stage.dice, _soft(stage.light), stage.detail)
        quarter.figure(one.figure, one.frame, far=one.far, own=one.colour)
        for worn in one.wears:
            if found := worn_frame(one.figure, one.frame, worn):
                quarter.figure(worn, found)


def worn_frame(figure: str, frame: Frame, worn: str) -> Frame | None:
    """Return where a thing is worn by a figure, ``None`` if it cannot be."""
    place, share, below = WORN_AT[worn]
    if place not in figures()[figure].places:
        return None
    x, y, width = figures()[figure].places[place]
    half = width * share * frame.half
    at = frame.at((x, y))
    return Frame(at[0], at[1] + below * half, half, frame.flip)


def light_of(scene: Scene) -> Light:
    """Return the light of a scene's time of day, else of its weather."""
    name = scene.time or next(iter(scene.weather), "day")
    light = LIGHTS[name]
    if scene.sky:
        colours = (darker(scene.sky, 0.3), scene.sky, lighter(scene.sky, 0.55))
        light = Light(colours, light.tint, light.share)
    if scene.light:
        target: Colour = (255, 252, 240) if scene.light > 0 else (12, 12, 30)
        share = min(0.6, abs(scene.light))
        top, middle, bottom = (mixed(one, target, share) for one in light.sky)
        light = Light(
            (top, middle, bottom), mixed(light.tint, target, share), light.share + share / 2
        )
    return light


def _stage(scene: Scene, size: tuple[int, int], hand: Hand) -> Stage:
    scale = max(min(2.0, LARGEST / max(size)), SMALLEST / min(size))
    large = (math.ceil(size[0] * scale), math.ceil(size[1] * scale))
    dice = _dice(scene, hand, "light")
    light = shifted(light_of(scene), dice.uniform(-0.025, 0.025), dice.uniform(0.85, 1.15))
    image = Image.new("RGB", large)
    return Stage(image, dice, light, hand.detail, scene.weather, scene.time)


def _dice(scene: Scene, hand: Hand, part: str) -> random.Random:
    """Return the dice of one part, so that a change of another part leaves it as it is."""
    return random.Random(f"{scene.seed}|{hand.name}|{part}")


def _figures(scene: Scene, stage: Stage, place: str, hand: Hand) -> list[Placed]:
    return placed(scene, stage.image.size, place, _dice(scene, hand, "figures"))


def _soft(light: Light) -> Light:
    """Return the light with half its share: figures stay easy to see at night."""
    return Light(light.sky, light.tint, light.share * 0.5)


def _paint_shadow(stage: Stage, frame: Frame) -> None:
    half = frame.half
    size = (max(2, round(half * 1.7)), max(2, round(half * 0.3)))
    mask = Image.new("L", size)
    Stage(mask, stage.dice, stage.light, 0).ellipse(
        (size[0] / 2, size[1] / 2), (size[0] / 2, size[1] / 2), 84
    )
    place = (round(frame.x - size[0] / 2), round(frame.y + half - size[1] * 0.55))
    stage.image.paste(
        stage.lit((24, 26, 48)), (*place, place[0] + size[0], place[1] + size[1]), mask
    )


def _blur(stage: Stage) -> None:
    """Take the place out of focus."""
    small = stage.image.reduce(max(2, round(stage.edge / 220)))
    stage.image = small.resize(stage.image.size, Image.Resampling.BICUBIC)


def _finished(image: Image.Image, size: tuple[int, int]) -> Image.Image:
    if image.size == size:
        return image
    if image.width == 2 * size[0] and image.height == 2 * size[1]:
        return image.reduce(2)
    return image.resize(size, Image.Resampling.BICUBIC)
