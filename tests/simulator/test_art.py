"""The simulated pictures: what differs, what stays, and what is transparent."""

import io
import itertools
import random
from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageChops, ImageOps, ImageStat

from local.simulator.art.album import MOST, Album, Page, album
from local.simulator.art.changing import changed
from local.simulator.art.figures import draw_figure, figures
from local.simulator.art.layout import placed
from local.simulator.art.painter import ELSEWHERE, UNDER_A_SKY, WORN_AT, Hand, paint_alone
from local.simulator.art.pictures import picture_of
from local.simulator.art.reading import read_scene
from local.simulator.art.scene import Item, Scene
from local.simulator.art.shapes import Frame, Shape, outline_of, parsed
from local.simulator.art.skies import paint_sky
from local.simulator.art.stage import LIGHTS, Stage
from local.simulator.art.styles import STYLES
from local.simulator.art.weather import WEATHERS
from local.simulator.art.words import vocabulary
from local.simulator.desk import Mask, Tool
from local.simulator.drawing import Sketch, draw
from local.simulator.given import Given, opened
from tests.fakes.pictures import png

EDGE = 256
ROOM = 1.9
"""A figure's shapes stay within this many times its half height, in each direction."""
FOX = "a red fox in fresh snow with a hat"
BLUE = (50, 114, 200)


def sketch(prompt: str, provider: str = "acme", **more: object) -> Sketch:
    given: dict[str, object] = {"width": EDGE, "height": EDGE, "image_format": "png", **more}
    return Sketch(provider, "painter-1", prompt, **given)  # type: ignore[arg-type]


def image_of(content: bytes, mode: str = "RGB") -> Image.Image:
    return Image.open(io.BytesIO(content)).convert(mode)


def drawn(prompt: str, **more: object) -> Image.Image:
    return image_of(draw(sketch(prompt, **more)))  # type: ignore[arg-type]


def given_of(prompt: str, **more: object) -> Given:
    return opened(draw(sketch(prompt, **more)))  # type: ignore[arg-type]


def edited(prompt: str, *inputs: Given, mask: Mask | None = None) -> Image.Image:
    return image_of(draw(sketch(prompt), inputs, mask))


def apart(one: Image.Image, other: Image.Image) -> float:
    """How much two pictures differ on average, of 255."""
    return sum(ImageStat.Stat(ImageChops.difference(one, other)).mean) / 3


def share_changed(one: Image.Image, other: Image.Image, tolerance: int = 12) -> float:
    """The share of pixels that differ by more than a tolerance."""
    grey = ImageChops.difference(one, other).convert("L")
    return sum(grey.histogram()[tolerance:]) / (one.width * one.height)


# What the words mean.


@pytest.mark.parametrize(
    ("prompt", "figure"),
    [
        ("a red fox", "fox"),
        ("zwei Hunde im Park", "dog"),
        ("un gato negro", "cat"),
        ("un renard roux", "fox"),
        ("雪の中の猫", "cat"),
        ("🚀", "rocket"),
        ("лиса", "fox"),
        ("three sailboats", "boat"),
        ("my grandmother's kitchen", "bust"),
        ("a lighthouse in a storm", "lighthouse"),
    ],
)
def test_subjects_are_found_in_any_language(prompt: str, figure: str) -> None:
    assert figure in {one.figure for one in read_scene(prompt).items}


@pytest.mark.parametrize(
    ("prompt", "expected"),
    [
        ("a castle at sunset", {"time": "sunset"}),
        ("ein Schloss bei Nacht als Aquarell", {"time": "night", "style": "watercolor"}),
        ("a misty forest", {"place": "forest", "weather": ("fog",)}),
        ("pixel art of a city in the rain", {"place": "city", "style": "pixel"}),
        ("a cat on the moon", {"place": "moonland"}),
        ("a fox without snow", {"weather": ()}),
    ],
)
def test_settings_are_found(prompt: str, expected: Mapping[str, object]) -> None:
    scene = read_scene(prompt)
    assert {name: getattr(scene, name) for name in expected} == expected


@pytest.mark.parametrize(
    ("prompt", "item"),
    [
        ("a red fox", Item("fox")),
        ("a blue fox", Item("fox", colour=BLUE)),
        ("two dogs", Item("dog", 2)),
        ("a cat with a hat", Item("cat", wears=("hat",))),
        ("a cat as a king", Item("cat", wears=("crown",))),
        ("un zorro azul", Item("fox", colour=BLUE)),
    ],
)
def test_colours_numbers_and_hats_belong_to_a_figure(prompt: str, item: Item) -> None:
    assert read_scene(prompt).items == (item,)


@pytest.mark.parametrize(
    ("prompt", "names"),
    [
        ("an astronaut riding a big blue horse", ("astronaut", "horse")),
        ("a cat on a turtle", ("cat", "turtle")),
        ("eine Katze auf einem Pferd", ("cat", "horse")),
        ("un gato en un caballo", ("cat", "horse")),
        ("un chat sur un cheval", ("cat", "horse")),
    ],
)
def test_one_figure_rides_another(prompt: str, names: tuple[str, ...]) -> None:
    scene = read_scene(prompt)
    assert (tuple(one.figure for one in scene.items), scene.riding) == (names, True)


@pytest.mark.parametrize(
    "prompt",
    [
        "a dog and a cat on a beach",
        "a dog on a beach with a cat",
        "ein Hund und eine Katze auf einer Wiese",
        "a fox and a rabbit on a sunny day",
    ],
)
def test_two_figures_at_a_place_stand_side_by_side(prompt: str) -> None:
    scene = read_scene(prompt)
    assert (len(scene.items), scene.riding) == (2, False)


def test_every_word_means_something_that_can_be_painted() -> None:
    known = {
        "figure": set(figures()),
        "wears": set(WORN_AT),
        "place": set(UNDER_A_SKY) | set(ELSEWHERE),
        "time": set(LIGHTS),
        "weather": set(WEATHERS),
        "style": {*STYLES, "flat"},
    }
    meanings = {one for all_of_it in vocabulary().values() for one in all_of_it}
    unknown = [one for one in meanings if one.kind in known and one.name not in known[one.kind]]
    assert unknown == []


def test_every_figure_can_be_reached_by_words() -> None:
    named = {
        one.name
        for meanings in vocabulary().values()
        for one in meanings
        if one.kind in ("figure", "wears")
    }
    assert figures().keys() - named == {"sitting", "standing", "face"}  # Parts of other figures.


def test_no_word_stands_twice_for_one_meaning() -> None:
    assert [word for word, found in vocabulary().items() if len(set(found)) < len(found)] == []


@pytest.mark.parametrize("name", figures())
def test_a_figure_stays_within_its_room(name: str) -> None:
    for shape in figures()[name].shapes:
        if shape.kind != "line":
            assert all(max(abs(x), abs(y)) <= ROOM for x, y in outline_of(shape))


@given(st.text(max_size=60))
def test_any_text_is_a_scene(text: str) -> None:
    assert len(read_scene(text).items) <= 4


# What differs.

PROMPTS = ("a red fox", "a cat", "a city at night", "the sea", "hope", "a portrait of a woman")


def test_pictures_of_other_words_differ() -> None:
    pictures = [drawn(prompt) for prompt in PROMPTS]
    assert all(apart(one, other) > 8 for one, other in itertools.combinations(pictures, 2))


def test_the_same_words_are_painted_in_another_way_by_each_provider() -> None:
    pictures = [image_of(draw(sketch("a red fox", name))) for name in ("a", "b", "c", "d")]
    assert all(apart(one, other) > 2 for one, other in itertools.combinations(pictures, 2))


@pytest.mark.parametrize("style", STYLES)
def test_a_style_changes_the_picture(style: str) -> None:
    plain, styled = (
        picture_of(Scene((Item("fox"),), style=name, seed="x"), (EDGE, EDGE), Hand("h"))
        for name in ("", style)
    )
    assert apart(plain, styled) > 3


def test_a_better_tier_is_richer() -> None:
    sizes = [len(draw(sketch("a city at night", detail=detail))) for detail in range(4)]
    assert sizes == sorted(sizes)
    assert sizes[0] < sizes[3]


def test_another_take_is_another_picture_of_the_same() -> None:
    assert apart(drawn("a red fox"), drawn("a red fox", take=1)) > 2


@pytest.mark.parametrize("size", [(64, 64), (333, 77), (96, 320), (1, 1)])
def test_a_picture_has_exactly_its_pixels_and_more_than_one_colour(size: tuple[int, int]) -> None:
    image = drawn("a red fox", width=size[0], height=size[1])
    assert image.size == size
    assert size == (1, 1) or len(image.getcolors(size[0] * size[1]) or ()) > 50


@pytest.mark.parametrize("place", [*UNDER_A_SKY, *ELSEWHERE])
@pytest.mark.parametrize("time", ["", "night"])
def test_every_place_can_be_painted(place: str, time: str) -> None:
    scene = Scene((Item("fox", wears=("hat",)),), place, time, ("snow",), seed="x")
    image = picture_of(scene, (96, 64), Hand("h", 3))
    assert len(image.getcolors(96 * 64) or ()) > 100


def test_all_weathers_can_be_painted() -> None:
    for name in WEATHERS:
        plain, other = (
            picture_of(Scene((), "meadow", "day", weather, seed="x"), (EDGE, EDGE), Hand("h"))
            for weather in ((), (name,))
        )
        assert apart(plain, other) > 1


# What is seen of a scene.


def seen(*items: Item, **more: object) -> Image.Image:
    scene = Scene(items, "meadow", seed="x", **more)  # type: ignore[arg-type]
    return picture_of(scene, (EDGE, EDGE), Hand("h"))


def outline(*items: Item, **more: object) -> Image.Image:
    """The alpha of a scene's figures."""
    scene = Scene(items, "meadow", seed="x", **more)  # type: ignore[arg-type]
    return paint_alone(scene, (EDGE, EDGE), Hand("h")).getchannel("A")


def groups(alpha: Image.Image) -> int:
    """How many figures stand side by side, with a gap between them."""
    columns = [alpha.crop((x, 0, x + 1, EDGE)).getbbox() is not None for x in range(EDGE)]
    return sum(now and not before for before, now in itertools.pairwise([False, *columns]))


def mean(image: Image.Image) -> float:
    return ImageStat.Stat(image.convert("L")).mean[0]


@pytest.mark.parametrize("count", [1, 2, 3])
def test_as_many_figures_are_seen_as_were_named(count: int) -> None:
    assert groups(outline(Item("rabbit", count))) == count


def test_a_rider_is_above_what_is_ridden() -> None:
    cat, turtle = Item("cat"), Item("turtle")
    beside, above = (outline(cat, turtle, riding=riding).getbbox() for riding in (False, True))
    assert beside
    assert above
    assert above[2] - above[0] < beside[2] - beside[0]
    assert above[1] < beside[1]


def test_closer_figures_are_larger() -> None:
    sizes = [mean(outline(Item("fox"), closer=closer)) for closer in (0.78, 1.0, 1.28)]
    assert sizes[0] * 1.3 < sizes[1] < sizes[2] / 1.3


def test_more_light_is_brighter() -> None:
    dark, plain, bright = (mean(seen(Item("fox"), light=light)) for light in (-0.28, 0.0, 0.28))
    assert dark + 5 < plain < bright - 5


def test_a_tone_is_the_colour_of_the_whole() -> None:
    red, green, blue = ImageStat.Stat(seen(Item("fox"), tone=BLUE)).mean
    plain = ImageStat.Stat(seen(Item("fox"))).mean
    assert blue - red > plain[2] - plain[0] + 20
    assert blue > green


def test_a_night_has_stars_and_a_moon_unless_one_was_named() -> None:
    skies = []
    for bodies in (True, False):
        dice = random.Random(1)
        image = Image.new("RGB", (EDGE, EDGE))
        paint_sky(Stage(image, dice, LIGHTS["night"], 2, time="night"), bodies=bodies)
        skies.append(image.convert("L").histogram())
    with_moon, without = (sum(shades[200:]) for shades in skies)
    assert 20 < without < with_moon - 300


def test_a_figure_turned_around_is_its_mirror_image() -> None:
    images = []
    for flip in (False, True):
        image = Image.new("RGB", (EDGE, EDGE))
        frame = Frame(EDGE / 2, EDGE / 2, 60, flip)
        draw_figure(image, "fox", frame, figures()["fox"].palette())
        images.append(image)
    plain, turned = images
    assert share_changed(plain, turned) > 0.02
    assert share_changed(ImageOps.mirror(plain), turned) < 0.01


@pytest.mark.parametrize(
    ("line", "box"),
    [
        ("box main .1 .2 .5 .6 0", (-0.5, 0.2, -0.1, 0.6)),
        ("oval main .3 .4 .2 .1", (-0.5, 0.3, -0.1, 0.5)),
        ("poly main .1 0 .5 0 .5 1", (-0.5, 0, -0.1, 1)),
    ],
)
def test_a_shape_with_a_bar_is_on_both_sides(line: str, box: tuple[float, ...]) -> None:
    one, other = parsed(f"| {line}")
    assert bounds(other) == pytest.approx(box)
    assert bounds(one) == pytest.approx((-box[2], box[1], -box[0], box[3]))


def bounds(shape: Shape) -> tuple[float, float, float, float]:
    xs, ys = zip(*outline_of(shape), strict=True)
    return min(xs), min(ys), max(xs), max(ys)


@pytest.mark.parametrize("added", [Item("moon"), Item("balloon"), Item("castle")])
def test_a_figure_behind_moves_none_in_front(added: Item) -> None:
    frames = []
    for items in ((Item("fox"),), (Item("fox"), added)):
        found = placed(Scene(items, seed="x"), (EDGE, EDGE), "meadow", random.Random(1))
        frames += [one.frame for one in found if one.figure == "fox"]
    assert frames[0] == frames[1]


# What stays.


@pytest.mark.parametrize("prompt", ["without the hat", "add a moon", "make it blue", "add a dog"])
def test_an_edit_keeps_what_was_not_named(prompt: str) -> None:
    before = given_of(FOX)
    after = edited(prompt, before)
    share = share_changed(before.pixels().convert("RGB"), after)
    assert 0.002 < share < 0.4


@pytest.mark.parametrize(
    "prompt", ["at night", "as a watercolor", "turn the fox into a wolf", "make the sky purple"]
)
def test_an_edit_of_the_whole_keeps_the_composition(prompt: str) -> None:
    before, elsewhere = drawn(FOX), drawn("a castle by the sea")
    after = edited(prompt, given_of(FOX))
    assert apart(before, after) > 3
    assert likeness(before, after) > likeness(elsewhere, after)


def likeness(one: Image.Image, other: Image.Image) -> float:
    """How much bright and dark are at the same places, from -1 to 1."""
    pixels = [image.convert("L").resize((24, 24)).tobytes() for image in (one, other)]
    means = [sum(values) / len(values) for values in pixels]
    first, second = (
        [value - mean for value in values] for values, mean in zip(pixels, means, strict=True)
    )
    product = sum(a * b for a, b in zip(first, second, strict=True))
    return float(product / (sum(a * a for a in first) * sum(b * b for b in second)) ** 0.5)


@pytest.mark.parametrize("kind", ["png", "jpeg", "webp"])
def test_a_picture_is_known_again_in_another_format_and_size(kind: str) -> None:
    out = io.BytesIO()
    drawn(FOX).resize((200, 200)).save(out, kind, quality=70)
    page = album().find(Image.open(io.BytesIO(out.getvalue())))
    assert page is not None
    assert page.scene.items == (Item("fox", wears=("hat",)),)


def test_an_album_forgets_the_oldest_and_never_mistakes_one_for_another() -> None:
    own = Album()
    for number in range(MOST + 1):
        shade = (number % 256, number // 2 % 256, 255 - number % 256)
        own.add(Image.new("RGB", (10, 10), shade), Page(Scene(seed=str(number)), Hand("h")))
    assert len(own.pages) == MOST
    assert own.find(Image.effect_noise((50, 50), 90).convert("RGB")) is None


def test_a_picture_that_is_looked_for_is_not_the_oldest() -> None:
    own, first = Album(), Image.new("RGB", (10, 10), (0, 0, 0))
    own.add(first, Page(Scene(seed="first"), Hand("h")))
    for number in range(1, MOST + 3):
        assert own.find(first)
        shade = (255 - number % 2, number // 2, 128)
        own.add(Image.new("RGB", (10, 10), shade), Page(Scene(seed=str(number)), Hand("h")))
    assert len(own.pages) == MOST


def photo_of_ones_own() -> Given:
    image = Image.linear_gradient("L").resize((EDGE, EDGE)).convert("RGB")
    out = io.BytesIO()
    image.save(out, "PNG")
    return opened(out.getvalue())


@pytest.mark.parametrize(
    "prompt", ["add a dog", "at night", "make it blue", "in the snow", "as a pencil sketch", "hmm"]
)
def test_a_picture_from_elsewhere_is_changed_and_still_seen(prompt: str) -> None:
    before = photo_of_ones_own()
    after = edited(prompt, before)
    plain = before.pixels().convert("RGB")
    assert 0.5 < apart(plain, after) < 110
    assert likeness(plain, after) > 0.3


@pytest.mark.parametrize("own", [False, True])
@pytest.mark.parametrize("prompt", ["add a balloon", "at night", "a castle"])
def test_outside_of_the_mask_every_pixel_stays(prompt: str, own: bool) -> None:  # noqa: FBT001
    before = photo_of_ones_own() if own else given_of(FOX)
    mask = Image.new("RGBA", (EDGE, EDGE), (0, 0, 0, 255))
    mask.paste((0, 0, 0, 0), (20, 20, 120, 120))
    out = io.BytesIO()
    mask.save(out, "PNG")
    after = edited(prompt, before, mask=Mask(opened(out.getvalue())))
    difference = ImageChops.difference(before.pixels().convert("RGB"), after)
    left, top, right, bottom = difference.getbbox() or (0, 0, 0, 0)
    assert left >= 20
    assert top >= 20
    assert 20 < right <= 120
    assert 20 < bottom <= 120


def test_outside_of_the_mask_every_pixel_stays_in_large_pictures_too() -> None:
    noise = Image.effect_noise((1800, 400), 80).convert("RGB")
    mask = Image.new("L", noise.size)
    mask.paste(255, (0, 0, 400, 400))
    files = []
    for image in (noise, mask):
        out = io.BytesIO()
        image.save(out, "PNG")
        files.append(opened(out.getvalue()))
    large = sketch("a fox", width=1800, height=400)
    after = image_of(draw(large, (files[0],), Mask(files[1], is_white=True)))
    box = (400, 0, 1800, 400)
    assert ImageChops.difference(noise.crop(box), after.crop(box)).getbbox() is None


def test_a_new_picture_in_the_style_of_another_takes_its_style() -> None:
    page = album().find(edited("a castle in the same style", given_of("a fox as a watercolor")))
    assert page is not None
    assert (page.scene.style, page.scene.items) == ("watercolor", (Item("castle"),))


def test_another_picture_lends_its_colours() -> None:
    one, other = given_of(FOX), photo_of_ones_own()
    assert apart(edited("at night", one), edited("at night", one, other)) > 1


def test_an_edit_can_be_edited() -> None:
    out = io.BytesIO()
    edited("at night", given_of(FOX)).save(out, "PNG")
    again = album().find(edited("without the hat", opened(out.getvalue())))
    assert again is not None
    assert (again.scene.time, again.scene.items) == ("night", (Item("fox"),))


# What is transparent.


def test_a_transparent_picture_is_its_figures_alone() -> None:
    alpha = image_of(draw(sketch("a fox", transparent=True)), "RGBA").getchannel("A")
    assert alpha.getextrema() == (0, 255)
    assert [alpha.getpixel(at) for at in ((2, 2), (EDGE - 3, 2))] == [0, 0]
    assert 0.1 < ImageStat.Stat(alpha).mean[0] / 255 < 0.5


def test_a_cutout_is_the_subject_alone() -> None:
    cut = image_of(draw(sketch("", tool=Tool.CUT_OUT), (given_of(FOX),)), "RGBA")
    alpha = cut.getchannel("A")
    assert (alpha.getpixel((4, 4)), alpha.getextrema()) == (0, (0, 255))
    seen = Image.composite(cut.convert("RGB"), drawn(FOX), alpha)
    assert apart(seen, drawn(FOX)) == 0


def test_an_upscale_keeps_the_picture_and_is_known_again() -> None:
    larger = sketch("", tool=Tool.ENLARGE, width=2 * EDGE, height=2 * EDGE)
    image = image_of(draw(larger, (given_of(FOX),)))
    assert image.size == (2 * EDGE, 2 * EDGE)
    assert apart(image.resize((EDGE, EDGE)), drawn(FOX)) < 4
    assert album().find(image)


# What changes of a scene.

SCENE = Scene((Item("fox", wears=("hat",)),), weather=("snow",), seed="x")


@pytest.mark.parametrize(
    ("prompt", "expected"),
    [
        ("without the hat", {"items": (Item("fox"),)}),
        ("ohne Hut", {"items": (Item("fox"),)}),
        ("remove the snow", {"weather": ()}),
        ("at night", {"time": "night"}),
        ("de noche", {"time": "night"}),
        ("夜にして", {"time": "night"}),
        ("make it blue", {"items": (Item("fox", colour=BLUE, wears=("hat",)),)}),
        ("mach den Fuchs blau", {"items": (Item("fox", colour=BLUE, wears=("hat",)),)}),
        ("make the sky blue", {"sky": BLUE}),
        ("turn the fox into a wolf", {"items": (Item("wolf", wears=("hat",)),)}),
        ("in the rain", {"weather": ("rain",)}),
        ("on a sunny day", {"weather": (), "time": "day"}),
        ("in a forest", {"place": "forest"}),
        ("as pixel art", {"style": "pixel"}),
        ("give it sunglasses", {"items": (Item("fox", wears=("hat", "sunglasses")),)}),
        ("zoom out", {"closer": 0.78}),
        ("darker", {"light": -0.28}),
    ],
)
def test_a_change_changes_what_it_names(prompt: str, expected: Mapping[str, object]) -> None:
    after = changed(SCENE, prompt)
    differs = {
        name: getattr(after, name)
        for name in Scene.__slots__
        if getattr(after, name) != getattr(SCENE, name)
    }
    assert differs == expected


def test_an_added_figure_stands_beside_the_others() -> None:
    after = changed(SCENE, "add two dogs")
    assert after.items == (*SCENE.items, Item("dog", 2))
    assert after.kept == 1


def test_a_picture_of_bars_is_enlarged_as_it_is() -> None:
    image = image_of(draw(sketch("", tool=Tool.ENLARGE), (opened(png((64, 64))),)))
    assert [image.getpixel(at) for at in ((9, 9), (EDGE - 9, 9))] == [(0, 0, 0), (255, 255, 255)]
