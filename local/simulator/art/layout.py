"""Decides where a scene's figures stand."""

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from local.simulator.art.colours import Colour
from local.simulator.art.scene import Item, Scene
from local.simulator.art.shapes import Frame

CELESTIAL = frozenset(("moon", "sun", "star", "cloud", "planet"))
AIRBORNE = frozenset(("plane", "balloon", "butterfly", "bee", "rocket"))
AFLOAT = frozenset(("boat", "ship"))
SWIMMING = frozenset(("fish", "whale", "octopus"))
LOW = frozenset(
    (
        "horse",
        "unicorn",
        "deer",
        "cow",
        "elephant",
        "sheep",
        "turtle",
        "car",
        "bicycle",
        "boat",
        "whale",
        "fish",
    )
)
"""Figures on whose back there is room below their highest point."""
FLAT = frozenset(("logo", "heart", "clock"))
FACES = frozenset(("bust", "man"))
TALL = frozenset(
    (
        "house",
        "cabin",
        "castle",
        "lighthouse",
        "tower",
        "windmill",
        "bridge",
        "volcano",
        "tree",
        "pine",
        "palm",
        "tent",
    )
)
THINGS = frozenset(
    (
        "heart",
        "logo",
        "cup",
        "cake",
        "pizza",
        "icecream",
        "book",
        "guitar",
        "lamp",
        "chair",
        "clock",
        "umbrella",
        "gift",
        "bottle",
        "camera",
        "apple",
        "orange",
        "lemon",
        "pumpkin",
    )
)
PLACES: Mapping[str, str] = {
    **dict.fromkeys(SWIMMING, "underwater"),
    **dict.fromkeys((*AFLOAT, "lighthouse", "bridge"), "sea"),
    **dict.fromkeys(("rocket", "astronaut", "planet"), "space"),
    **dict.fromkeys(("car", "bus", "bicycle"), "street"),
    **dict.fromkeys(("plane", "balloon", "cloud", "star"), "sky"),
    **dict.fromkeys(("bust", "man", "heart", "logo", "robot", "icecream", "gift"), "studio"),
    **dict.fromkeys(("cup", "book", "bottle", "clock", "lamp", "camera", "pizza", "apple"), "room"),
    **dict.fromkeys(("orange", "lemon", "chair", "guitar", "piano"), "room"),
    **dict.fromkeys(("cake",), "party"),
    **dict.fromkeys(("cactus",), "desert"),
    **dict.fromkeys(("palm",), "beach"),
    **dict.fromkeys(("tent", "cabin", "volcano"), "mountains"),
    **dict.fromkeys(("mushroom", "owl", "deer"), "forest"),
}
"""The place of a figure whose prompt names none; of all others it is a meadow."""
FEET: Mapping[str, float] = {"room": 0.84, "studio": 0.84, "street": 0.89, "city": 0.93}
"""How far down a figure stands, as a part of the height."""
SHARES = (0.3, 0.3, 0.235, 0.185, 0.155, 0.135, 0.12)
"""Half the height of figures of the first rank, by their number, as a part of the shorter edge."""


@dataclass(frozen=True, slots=True)
class Placed:
    """A figure at its place."""

    figure: str
    frame: Frame
    colour: Colour | None = None
    wears: tuple[str, ...] = ()
    far: float = 0.0
    has_shadow: bool = False


def place_of(scene: Scene) -> str:
    """Return the place of a scene: the named one, else the one of its figures."""
    dry = CELESTIAL | AFLOAT | SWIMMING | AIRBORNE | {"lighthouse", "bridge"}
    if scene.place == "sea" and any(one.figure not in dry for one in scene.items):
        return "beach"
    if scene.place:
        return scene.place
    if not scene.items:
        return "" if not (scene.time or scene.weather) else "mountains"
    if all(one.figure in CELESTIAL - {"planet"} for one in scene.items):
        return "mountains"
    return PLACES.get(scene.items[0].figure, "meadow")


def placed(scene: Scene, size: tuple[int, int], place: str, dice: random.Random) -> list[Placed]:
    """Return the figures at their places, the farthest first."""
    ranks: dict[str, list[Item]] = {"sky": [], "air": [], "far": [], "near": [], "added": []}
    for one in scene.items:
        ranks[_rank(scene, one)].append(one)
    # Each rank has dice of its own: a figure that is added moves none of the others.
    own = {rank: random.Random(f"{dice.random()}") for rank in ranks}
    return [
        *_in_the_sky(ranks["sky"], size, own["sky"]),
        *_in_the_air(ranks["air"], size, own["air"]),
        *_in_the_distance(ranks["far"], size, own["far"]),
        *_in_front(scene, ranks["near"], size, place, own["near"]),
        *_beside(ranks["added"], size, place),
    ]


def _rank(scene: Scene, item: Item) -> str:
    """Return where a figure belongs: alone, each is in front."""
    others = [one for one in scene.items[: scene.kept or None] if one != item]
    if all(one.figure in CELESTIAL for one in others):
        return "near"
    if item.figure in CELESTIAL:
        return "sky"
    if item.figure in AIRBORNE and not all(one.figure in AIRBORNE for one in others):
        return "air"
    if scene.kept and item not in scene.items[: scene.kept]:
        return "added"
    return (
        "far" if item.figure in TALL and not all(one.figure in TALL for one in others) else "near"
    )


def _copies(items: list[Item]) -> list[Item]:
    return [one for one in items for _ in range(one.count)][:6]


def _in_the_sky(items: list[Item], size: tuple[int, int], dice: random.Random) -> Iterator[Placed]:
    for index, one in enumerate(_copies(items)):
        x = size[0] * (0.78 - 0.28 * index + dice.uniform(-0.05, 0.05))
        half = min(size) * (0.11 if one.figure in ("moon", "sun", "planet") else 0.07)
        yield Placed(one.figure, Frame(x, size[1] * dice.uniform(0.15, 0.2), half), one.colour)


def _in_the_air(items: list[Item], size: tuple[int, int], dice: random.Random) -> Iterator[Placed]:
    for index, one in enumerate(_copies(items)):
        x = size[0] * ((0.2, 0.8, 0.5, 0.34, 0.66, 0.1)[index] + dice.uniform(-0.04, 0.04))
        half = min(size) * (0.085 if one.figure in ("butterfly", "bee") else 0.14)
        yield Placed(one.figure, Frame(x, size[1] * dice.uniform(0.22, 0.28), half), one.colour)


def _beside(items: list[Item], size: tuple[int, int], place: str) -> Iterator[Placed]:
    """Yield the figures that were added to a picture, smaller and at its sides."""
    for index, one in enumerate(_copies(items)):
        half = min(size) * 0.18
        x = (0.17, 0.85, 0.06, 0.95, 0.3, 0.7)[index]
        y = _height_of(one.figure, half, size, place) + min(size) * 0.02
        stands = _stands(one.figure, place)
        frame = Frame(size[0] * x, y, half, x > 0.5 and one.figure not in THINGS)
        yield Placed(one.figure, frame, one.colour, one.wears, has_shadow=stands)


def _in_the_distance(
    items: list[Item], size: tuple[int, int], dice: random.Random
) -> Iterator[Placed]:
    for index, one in enumerate(_copies(items)):
        half = min(size) * dice.uniform(0.19, 0.22)
        side = (0.24, 0.78, 0.06, 0.95, 0.5, 0.4)[index] + dice.uniform(-0.03, 0.03)
        frame = Frame(size[0] * side, size[1] * 0.76 - half, half, bool(index % 2))
        yield Placed(one.figure, frame, one.colour, far=0.12)


def _in_front(
    scene: Scene, items: list[Item], size: tuple[int, int], place: str, dice: random.Random
) -> Iterator[Placed]:
    copies = _copies(items)
    if scene.riding and len(copies) == 2:
        yield from _rider(copies, size, place)
        return
    wide = size[0] > size[1] * 1.15
    for index, one in enumerate(copies):
        half = SHARES[len(copies)] * min(size) * scene.closer * (1.15 if wide else 1.0)
        x = 0.5 + dice.choice((-1, 1)) * (0.12 if wide else 0.03)
        if len(copies) > 1:
            x = (index + 1) / (len(copies) + 1)
            x = 0.5 + (x - 0.5) * 1.1
        flip = dice.random() < 0.4 if len(copies) == 1 else x > 0.5
        half *= dice.uniform(0.94, 1.04)
        if one.figure in FACES and len(copies) == 1:
            half = min(size) * 0.41 * scene.closer
            yield Placed(
                one.figure, Frame(size[0] / 2, size[1] - half * 0.92, half), one.colour, one.wears
            )
            continue
        y = _height_of(one.figure, half, size, place)
        stands = _stands(one.figure, place)
        frame = Frame(size[0] * x, y, half, flip and one.figure not in THINGS)
        yield Placed(one.figure, frame, one.colour, one.wears, has_shadow=stands)


def _rider(copies: list[Item], size: tuple[int, int], place: str) -> Iterator[Placed]:
    """Yield one figure on top of another."""
    rider, mount = copies
    half = min(size) * 0.24
    y = _height_of(mount.figure, half, size, place) + half * 0.1
    above = Frame(size[0] * 0.49, y - half * (0.72 if mount.figure in LOW else 1.1), half * 0.72)
    first = Placed(rider.figure, above, rider.colour, rider.wears)
    frame = Frame(size[0] * 0.5, y, half)
    second = Placed(
        mount.figure, frame, mount.colour, mount.wears, has_shadow=_stands(mount.figure, place)
    )
    yield from (second, first) if mount.figure in THINGS else (first, second)


def _stands(figure: str, place: str) -> bool:
    floats = place in ("space", "underwater", "sky")
    return not floats and figure not in AIRBORNE | AFLOAT | CELESTIAL | TALL | FLAT


def _height_of(figure: str, half: float, size: tuple[int, int], place: str) -> float:
    """Return the middle of a figure in pixels from the top."""
    height = size[1]
    if figure in CELESTIAL:
        return height * 0.36
    if place in ("space", "underwater", "sky"):
        return height * 0.5
    if figure in AIRBORNE:
        return height * 0.42
    if figure in AFLOAT:
        return height * 0.69 - half * 0.75
    if figure in SWIMMING:
        return height * 0.72
    return height * FEET.get(place, 0.9) - half
