"""Changes a scene by words: what they do not name stays as it is."""

import re
from collections.abc import Iterable
from dataclasses import replace

from local.simulator.art.colours import Colour, colour_of
from local.simulator.art.reading import MOST_FIGURES, Reader, can_wear, read
from local.simulator.art.scene import Item, Scene

REPLACES = re.compile(
    r"\b(?:replace|turn|swap|change|ersetze|verwandle|tausche|cambia|reemplaza|remplace)\b.*"
    r"\b(?:into|by|with|for|to|in|durch|gegen|por|en|par)\b|\binstead\b|\bstatt\b|に変えて",
    re.IGNORECASE | re.DOTALL,
)
BRIGHTER = re.compile(
    r"\b(?:brighter|lighter|brighten|heller|más clar\w+|plus clair\w*)\b|明るく", re.IGNORECASE
)
DARKER = re.compile(
    r"\b(?:darker|darken|moodier|dramatic|dramatischer|dunkler|más oscur\w+|plus sombre|"
    r"dramatique|dramátic\w+)\b|暗く",
    re.IGNORECASE,
)
CLOSER = re.compile(
    r"\b(?:closer|close-?up|zoom in|bigger|larger|näher|größer|más cerca|plus près)\b",
    re.IGNORECASE,
)
FARTHER = re.compile(
    r"\b(?:zoom out|farther|further|smaller|wider|kleiner|weiter weg|más lejos)\b", re.IGNORECASE
)
WARMER = re.compile(r"\b(?:warm(?:er)?|wärmer|más cálid\w+|plus chaud\w*)\b", re.IGNORECASE)
COLDER = re.compile(
    r"\b(?:cold(?:er)?|cool(?:er)?|kälter|más frí\w+|plus froid\w*)\b", re.IGNORECASE
)
WHOLE = re.compile(r"\b(?:background|picture|everything|hintergrund|fondo|fond)\b", re.IGNORECASE)
SKY = re.compile(r"\b(?:sky|himmel|cielo|ciel)\b|空", re.IGNORECASE)
COMPARED: dict[str, str] = {"bluer": "blue", "redder": "red", "greener": "green"}
WARM, COLD = (240, 170, 90), (90, 140, 220)


def changed(scene: Scene, prompt: str) -> Scene:
    """Return the scene as a prompt changes it."""
    text = re.sub("|".join(COMPARED), lambda one: COMPARED[one[0]], prompt, flags=re.IGNORECASE)
    reader = read(text)
    scene = _without(scene, reader.left_out)
    if REPLACES.search(text) and (swapped := _replaced(scene, reader, text)):
        return swapped
    scene = _with_figures(scene, reader.items)
    scene = _dressed(scene, [one for one in reader.wears if one not in reader.left_out])
    scene = _in_another_setting(scene, reader)
    return _shaded(_coloured(scene, reader, text), text)


def added_figures(scene: Scene, prompt: str) -> tuple[Item, ...]:
    """Return the figures of a prompt that are not in a scene yet."""
    known = {one.figure for one in scene.items}
    reader = read(prompt)
    return tuple(
        one for one in reader.items if one.figure not in known and one.figure not in reader.left_out
    )


def _without(scene: Scene, names: set[str]) -> Scene:
    items = tuple(
        replace(one, wears=tuple(worn for worn in one.wears if not _is_in(worn, names)))
        for one in scene.items
        if one.figure not in names
    )
    weather = tuple(one for one in scene.weather if one not in names)
    time = "" if scene.time in names else scene.time
    style = "" if scene.style in names else scene.style
    return replace(scene, items=items, weather=weather, time=time, style=style)


def _is_in(worn: str, names: set[str]) -> bool:
    """Return whether something that is worn is among names; any hat is a hat."""
    return worn in names or ("hat" in names and worn.endswith("hat"))


def _replaced(scene: Scene, reader: Reader, text: str) -> Scene | None:
    """Return the scene with another figure in place of one, if the words name both, or the new."""
    names = [one.figure for one in reader.items]
    old = next((one for one in names if one in {item.figure for item in scene.items}), None)
    new = next((one for one in reversed(reader.items) if one.figure != old), None)
    if new is None or not scene.items or WHOLE.search(text):
        return None
    at = next((place for place, one in enumerate(scene.items) if one.figure == old), 0)
    before = scene.items[at]
    item = replace(new, count=before.count, wears=before.wears if can_wear(new.figure) else ())
    return replace(scene, items=(*scene.items[:at], item, *scene.items[at + 1 :]))


def _with_figures(scene: Scene, items: Iterable[Item]) -> Scene:
    known = {one.figure: one for one in scene.items}
    for one in items:
        before = known.get(one.figure)
        if before is None:
            known[one.figure] = one
        else:
            known[one.figure] = replace(before, colour=one.colour or before.colour)
    everything = tuple(known.values())[:MOST_FIGURES]
    is_more = len(everything) > len(scene.items) > 0
    return replace(scene, items=everything, kept=scene.kept or len(scene.items) * is_more)


def _dressed(scene: Scene, wears: list[str]) -> Scene:
    if not wears:
        return scene
    items = tuple(
        replace(one, wears=tuple(dict.fromkeys((*one.wears, *wears))))
        if can_wear(one.figure)
        else one
        for one in scene.items
    )
    return replace(scene, items=items)


def _in_another_setting(scene: Scene, reader: Reader) -> Scene:
    single = {name: one for name, one in reader.single.items() if one not in reader.left_out}
    if single.get("place") == "sky":
        del single["place"]
    if single.get("time") == "day":
        scene = replace(scene, weather=())
    if {"snow", "rain"} & set(reader.weather):
        scene = replace(scene, weather=tuple(one for one in scene.weather if one == "autumn"))
    weather = tuple(dict.fromkeys((*scene.weather, *reader.weather)))
    return replace(
        scene,
        weather=tuple(one for one in weather if one not in reader.left_out),
        place=single.get("place", scene.place),
        time=single.get("time", scene.time),
        style=single.get("style", scene.style),
    )


def _coloured(scene: Scene, reader: Reader, text: str) -> Scene:
    if not reader.unused_colour:
        return scene
    colour: Colour = colour_of(reader.unused_colour)
    if SKY.search(text):
        return replace(scene, sky=colour)
    if WHOLE.search(text) or not scene.items:
        return replace(scene, tone=colour)
    return replace(scene, items=(replace(scene.items[0], colour=colour), *scene.items[1:]))


def _shaded(scene: Scene, text: str) -> Scene:
    light = 0.28 * bool(BRIGHTER.search(text)) - 0.28 * bool(DARKER.search(text))
    closer = 1.28 if CLOSER.search(text) else 0.78 if FARTHER.search(text) else 1.0
    tone = WARM if WARMER.search(text) else COLD if COLDER.search(text) else scene.tone
    return replace(scene, light=scene.light + light, closer=scene.closer * closer, tone=tone)
