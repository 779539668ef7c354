"""A whole picture of a scene: painted, in its style and tone."""

from PIL import Image

from local.simulator.art.painter import Hand, paint
from local.simulator.art.scene import Scene
from local.simulator.art.styles import styled, toned

TONE_SHARE = 0.45
PLAIN = frozenset(("line", "comic", "pencil", "pixel", "neon"))
"""Styles that show every blade of grass as a blot: their scenes are painted without."""


def picture_of(scene: Scene, size: tuple[int, int], hand: Hand) -> Image.Image:
    """Return the finished picture."""
    plain = Hand(hand.name, 0) if scene.style in PLAIN else hand
    picture = styled(paint(scene, size, plain), scene.style)
    return toned(picture, scene.tone, TONE_SHARE) if scene.tone else picture
