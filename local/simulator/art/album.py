"""Finds again what a picture shows, by how it looks.

A service takes the texts out of a picture before it passes it on, and may store it in another
format or size; so a scene is kept beside a few colours of its picture, and not inside of the file.
"""

from collections import OrderedDict
from dataclasses import dataclass, field
from functools import cache
from threading import Lock

from PIL import Image

from local.simulator.art.painter import Hand
from local.simulator.art.scene import Scene

MOST = 256
EDGE = 10
"""A picture's look is this many colours across, and as many down."""
ALIKE = 5.0
"""The most that two looks of one picture differ, on average, of 255."""


@dataclass(frozen=True, slots=True)
class Page:
    """A scene, and who painted it."""

    scene: Scene
    hand: Hand


@dataclass(slots=True)
class Album:
    """The scenes of the pictures that were made or looked for last, by their looks."""

    pages: OrderedDict[bytes, Page] = field(default_factory=OrderedDict)
    lock: Lock = field(default_factory=Lock)

    def add(self, picture: Image.Image, page: Page) -> None:
        """Keep what a picture shows; the oldest one is forgotten."""
        look = look_of(picture)
        with self.lock:
            self.pages[look] = page
            self.pages.move_to_end(look)
            while len(self.pages) > MOST:
                self.pages.popitem(last=False)

    def find(self, picture: Image.Image) -> Page | None:
        """Return what a picture shows, ``None`` if it is from elsewhere or was forgotten."""
        look = look_of(picture)
        with self.lock:
            pages = list(self.pages.items())
        found = min(pages, key=lambda one: apart(look, one[0]), default=None)
        if found is None or apart(look, found[0]) >= ALIKE:
            return None
        with self.lock:
            if found[0] in self.pages:
                self.pages.move_to_end(found[0])
        return found[1]


@cache
def album() -> Album:
    """Return the album of this process."""
    return Album()


def look_of(picture: Image.Image) -> bytes:
    """Return a few colours of a picture, whatever its size; what is transparent is white."""
    plain = picture
    if picture.mode != "RGB":
        whole = picture.convert("RGBA")
        plain = Image.new("RGB", picture.size, (255, 255, 255))
        plain.paste(whole, mask=whole.getchannel("A"))
    return plain.resize((EDGE, EDGE), Image.Resampling.BOX).tobytes()


def apart(one: bytes, other: bytes) -> float:
    """Return how much two looks differ on average."""
    return sum(abs(first - second) for first, second in zip(one, other, strict=True)) / len(one)
