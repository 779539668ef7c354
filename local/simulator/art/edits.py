"""Makes a picture of one that was given: what was not asked for stays as it was."""

import random
from dataclasses import replace

from PIL import Image, ImageChops, ImageEnhance

from local.simulator.art.album import Page, album
from local.simulator.art.changing import added_figures, changed
from local.simulator.art.colours import gradient
from local.simulator.art.layout import placed
from local.simulator.art.painter import Hand, light_of, paint_alone, paint_figures
from local.simulator.art.pictures import picture_of
from local.simulator.art.reading import read_scene
from local.simulator.art.scene import Scene
from local.simulator.art.shapes import Frame
from local.simulator.art.skies import paint_moon, paint_stars
from local.simulator.art.stage import Stage
from local.simulator.art.styles import styled, toned
from local.simulator.art.weather import paint_weather

SMALLEST = 48
"""The shortest edge of a part that is painted anew, in pixels."""
REFERENCE_SHARE = 0.16
"""How much of a reference's colours a picture takes on."""


def changed_picture(
    first: Image.Image, prompt: str, hand: Hand, repaint: Image.Image | None
) -> Image.Image:
    """Return the first picture as a prompt changes it; all of it, or where ``repaint`` is white."""
    page = album().find(first)
    if page is None:
        return (
            _repainted(first, prompt, hand, repaint)
            if repaint
            else _overpainted(first, prompt, hand)
        )
    added = added_figures(page.scene, prompt) if repaint else ()
    scene = changed(page.scene, prompt)
    if added:
        scene = replace(scene, items=page.scene.items)
    if scene == page.scene and not added:
        scene = replace(scene, light=scene.light - 0.2)
    picture = picture_of(scene, first.size, page.hand)
    if repaint is None:
        album().add(picture, Page(scene, page.hand))
        return picture
    if added and (box := repaint.getbbox()):
        _add_figures(picture, replace(scene, items=added), box)
    return Image.composite(picture, first, repaint)


def in_the_style_of(
    prompt: str, model: Image.Image, hand: Hand, size: tuple[int, int]
) -> Image.Image:
    """Return a new picture in the style of another one."""
    scene, page = read_scene(prompt), album().find(model)
    if page:
        scene = replace(scene, style=page.scene.style, time=scene.time or page.scene.time)
    picture = picture_of(scene, size, hand)
    album().add(picture, Page(scene, hand))
    return picture if page else with_colours_of(picture, model, 0.4)


def with_colours_of(
    picture: Image.Image, other: Image.Image, share: float = REFERENCE_SHARE
) -> Image.Image:
    """Return a picture that leans to the colours of another one."""
    small = other.convert("RGB").resize((1, 3), Image.Resampling.BOX)
    wash = small.resize(picture.size, Image.Resampling.BICUBIC)
    plain = picture.convert("RGB")
    return Image.blend(plain, ImageChops.soft_light(plain, wash), min(1, share * 3))


def alone(picture: Image.Image) -> Image.Image | None:
    """Return the alpha of a known picture's figures, ``None`` if it is not known or has none."""
    page = album().find(picture)
    if page is None or not page.scene.items:
        return None
    return paint_alone(page.scene, picture.size, page.hand).getchannel("A")


def _repainted(first: Image.Image, prompt: str, hand: Hand, repaint: Image.Image) -> Image.Image:
    """Return a picture from elsewhere with the prompt's scene where it may change."""
    left, top, right, bottom = repaint.getbbox() or (0, 0, *first.size)
    size = (max(SMALLEST, right - left), max(SMALLEST, bottom - top))
    picture = first.copy()
    picture.paste(picture_of(read_scene(prompt), size, hand), (left, top))
    return Image.composite(picture, first, repaint)


def _overpainted(first: Image.Image, prompt: str, hand: Hand) -> Image.Image:
    """Return a picture from elsewhere with what a prompt names painted over it."""
    scene = read_scene(prompt)
    picture = first.copy()
    if scene.time or scene.weather:
        light = light_of(scene)
        lit = ImageChops.multiply(picture, gradient(picture.size, light.sky))
        picture = Image.blend(picture, lit, 0.45 + light.share * 0.36)
    if scene.tone and not scene.items:
        picture = toned(picture, scene.tone, 0.65)
    stage = Stage(picture, random.Random(scene.seed), light_of(scene), hand.detail, scene.weather)
    worn = next((worn for one in scene.items for worn in one.wears), "")
    items = scene.items if not worn else ()
    if scene.time == "night":
        paint_stars(stage, 60, 0.36)
        paint_moon(stage, (picture.width * 0.8, picture.height * 0.15))
    frames = placed(replace(scene, items=items, closer=0.7), picture.size, "meadow", stage.dice)
    paint_figures(stage, frames)
    paint_weather(stage)
    picture = styled(stage.image, scene.style)
    return picture if picture.tobytes() != first.tobytes() else _livelier(first)


def _livelier(picture: Image.Image) -> Image.Image:
    """Return a picture with more contrast, for words that name nothing that can be painted."""
    strong = ImageEnhance.Contrast(ImageEnhance.Color(picture).enhance(1.15)).enhance(1.12)
    return toned(strong, (236, 176, 110), 0.14)


def _add_figures(picture: Image.Image, scene: Scene, box: tuple[int, int, int, int]) -> None:
    """Paint figures into a part of a picture."""
    left, top, right, bottom = box
    edge = min(right - left, bottom - top)
    stage = Stage(picture, random.Random(scene.seed), light_of(scene), 0)
    for one in placed(scene, (right - left, bottom - top), "space", stage.dice):
        half = min(one.frame.half * 1.5, edge * 0.44)
        middle = Frame((left + right) / 2, (top + bottom) / 2, half, one.frame.flip)
        paint_figures(stage, [replace(one, frame=middle)])
