"""The picture that is being painted, with its light and its dice."""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache

from PIL import Image, ImageDraw, ImageOps

from local.simulator.art.colours import Colour, mixed, turned
from local.simulator.art.figures import draw_figure, figures
from local.simulator.art.shapes import Frame

type Fill = Colour | int
"""A colour, or a share in a mask."""
type Line = Sequence[tuple[float, float]]


@dataclass(frozen=True, slots=True)
class Light:
    """The light of a time of day or of a weather."""

    sky: tuple[Colour, Colour, Colour]
    tint: Colour
    share: float
    """How much of the tint every colour takes on."""


LIGHTS: Mapping[str, Light] = {
    "day": Light(((86, 158, 220), (168, 212, 236), (236, 243, 234)), (255, 240, 210), 0.04),
    "sunset": Light(((66, 58, 122), (214, 98, 104), (255, 190, 110)), (226, 92, 84), 0.27),
    "dawn": Light(((138, 164, 214), (240, 186, 196), (255, 226, 190)), (250, 190, 190), 0.2),
    "night": Light(((10, 16, 46), (27, 39, 88), (62, 78, 138)), (20, 30, 84), 0.58),
    "rain": Light(((92, 106, 126), (138, 152, 166), (182, 190, 194)), (92, 108, 128), 0.36),
    "fog": Light(((176, 190, 198), (206, 216, 218), (228, 231, 227)), (190, 202, 206), 0.28),
    "snow": Light(((138, 176, 210), (192, 214, 230), (236, 242, 246)), (196, 214, 232), 0.12),
    "autumn": Light(((120, 166, 206), (206, 214, 206), (250, 232, 196)), (236, 150, 70), 0.2),
}


@dataclass(slots=True)
class Stage:
    """A picture while it is painted; all painters draw into ``image``."""

    image: Image.Image
    dice: random.Random
    light: Light
    detail: int
    """From 0 to 3: how much is drawn besides what was asked for."""
    weather: tuple[str, ...] = ()
    time: str = ""
    place: str = ""

    @property
    def width(self) -> int:
        """Return the width in pixels."""
        return self.image.width

    @property
    def height(self) -> int:
        """Return the height in pixels."""
        return self.image.height

    @property
    def edge(self) -> int:
        """Return the shorter edge in pixels."""
        return min(self.image.size)

    @property
    def is_snowy(self) -> bool:
        """Return whether the ground is under snow."""
        return "snow" in self.weather

    def lit(self, colour: Colour, far: float = 0.0) -> Colour:
        """Return a colour in this light; far away, it has more of the air's colour."""
        return mixed(mixed(colour, self.light.tint, self.light.share), self.light.sky[2], far)

    def polygon(self, points: Line, colour: Fill) -> None:
        """Fill a polygon."""
        ImageDraw.Draw(self.image).polygon(list(points), fill=colour)

    def ellipse(self, middle: tuple[float, float], radii: tuple[float, float], fill: Fill) -> None:
        """Fill an ellipse."""
        (x, y), (rx, ry) = middle, radii
        ImageDraw.Draw(self.image).ellipse((x - rx, y - ry, x + rx, y + ry), fill=fill)

    def glow(self, middle: tuple[float, float], radius: float, colour: Colour, most: float) -> None:
        """Add a soft light around a point; ``most`` is its share in the middle."""
        edge = max(2, round(radius * 2))
        soft = _round_light().resize((edge, edge), Image.Resampling.BILINEAR)
        mask = soft.point([round(value * most) for value in range(256)])
        place = (round(middle[0] - radius), round(middle[1] - radius))
        self.image.paste(colour, (*place, place[0] + edge, place[1] + edge), mask)

    def veil(self, colour: Colour, shares: Sequence[float]) -> None:
        """Mix a colour in, with shares from top to bottom."""
        strip = Image.new("L", (1, len(shares)))
        strip.putdata([round(share * 255) for share in shares])
        tall = strip.resize((1, self.height), Image.Resampling.BICUBIC)
        self.image.paste(colour, (0, 0), tall.resize(self.image.size, Image.Resampling.NEAREST))

    def figure(
        self, name: str, frame: Frame, *, far: float = 0.0, own: Colour | None = None
    ) -> None:
        """Draw a figure in this light."""
        palette = figures()[name].palette(own)
        lit = {role: self.lit(colour, far) for role, colour in palette.items()}
        draw_figure(self.image, name, frame, lit)


@cache
def _round_light() -> Image.Image:
    return ImageOps.invert(Image.radial_gradient("L")).point(
        [round(255 * max(0, (value - 74) / 181) ** 1.6) for value in range(256)]
    )


def shifted(light: Light, hue: float, strength: float) -> Light:
    """Return a light whose sky is of a neighbouring colour."""
    top, middle, bottom = (turned(one, hue, strength) for one in light.sky)
    return Light((top, middle, bottom), light.tint, light.share)
