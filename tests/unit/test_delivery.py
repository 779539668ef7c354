"""What was sold is what is delivered: the charge for the image that arrived, or none."""

import zlib
from io import BytesIO
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageDraw

from imagegen.domain.catalog import Offering, Variant
from imagegen.domain.errors import GenerationFailedError
from imagegen.domain.operations import Operation
from imagegen.domain.pixels import Measured
from imagegen.domain.pricing import charge_microusd, price_microusd, prompt_microusd, prompt_tokens
from imagegen.usecases.generate.run import Made
from tests.fakes.catalogs import catalog, real_catalog, row
from tests.fakes.pictures import picture, png
from tests.fakes.pngs import CHANNELS, Kind, write_png
from tests.fakes.service import Service

REAL = real_catalog()
OPENAI, GEMINI, TOGETHER = (
    REAL.by_key[key] for key in ("openai-ultra", "gemini-ultra", "together-ultra")
)
ROWS = st.sampled_from(REAL.models)
GENERATING = st.sampled_from(REAL.rows_of(Operation.GENERATE))
EDGES = st.integers(1, 5_000)
SIZES = {
    "1024x1024": ("square", 50_000),
    "512x512": (None, 20_000),
    "1536x1024": ("landscape", 40_000),
}


def charged(
    offering: Offering, asked: str, got: str, *, quoted: int | None = None, prompt: str = ""
) -> int | None:
    option = offering.option(asked)
    assert option is not None
    width, height = map(int, got.split("x"))
    price = price_microusd(offering, option) if quoted is None else quoted
    return charge_microusd(
        Variant(offering, option),
        Measured("image/png", width, height),
        quoted_microusd=(price or 0) + prompt_microusd(offering, prompt_tokens(prompt)),
    )


def one_row() -> Service:
    sizes = [
        {"size": size, "params": {"size": size}} | ({"shape": shape} if shape else {})
        for size, (shape, _) in SIZES.items()
    ]
    usd = {size: f"{price / 1_000_000}" for size, (_, price) in SIZES.items()}
    price = {"rule": "perImage", "usd": usd}
    return Service(catalog=catalog(row("alpha-standard", priority=1, sizes=sizes, price=price)))


def flat(
    kind: str, colour: tuple[int, ...] = (0, 0, 0), mode: str = "RGB", **save: object
) -> bytes:
    out = BytesIO()
    Image.new(mode, (1024, 1024), colour).save(out, kind, **save)
    return out.getvalue()


# The charge.


@pytest.mark.parametrize(
    ("offering", "asked", "got", "microusd"),
    [
        (OPENAI, "3840x2160", "3840x2160", 177_900),
        (OPENAI, "3840x2160", "1024x1024", 93_700),
        (OPENAI, "3840x2160", "1536x1024", 73_800),
        (OPENAI, "1024x1024", "1536x1024", 73_800),
        (OPENAI, "1024x1536", "1024x1024", 73_800),
        (OPENAI, "2048x2048", "1800x1800", 73_800),
        (OPENAI, "1024x1024", "922x922", 93_700),
        (OPENAI, "1024x1024", "921x1024", None),
        (OPENAI, "1024x1024", "512x512", None),
        (OPENAI, "1024x1024", "1x1", None),
        (GEMINI, "4096x4096", "1024x1024", 134_000),
        (GEMINI, "1376x768", "1344x768", 134_000),
        (GEMINI, "1376x768", "1024x1024", 134_000),
        (TOGETHER, "1536x1024", "1024x1024", 73_401),
        (TOGETHER, "1024x1024", "1536x1024", 73_401),
        (TOGETHER, "1024x1024", "4096x4096", 73_401),
        (TOGETHER, "1024x1024", "64x64", None),
    ],
)
def test_an_image_is_charged_as_what_it_is(
    offering: Offering, asked: str, got: str, microusd: int | None
) -> None:
    assert charged(offering, asked, got) == microusd


def test_the_price_in_the_quote_is_not_exceeded_after_the_catalog_got_dearer() -> None:
    assert charged(OPENAI, "3840x2160", "1024x1024", quoted=50_000) == 50_000


def test_a_lower_price_still_has_the_prompt_in_it() -> None:
    prompt = "\u72d0" * 200  # 600 bytes: two steps of 250 tokens beyond the first, at $5 a million
    assert charged(OPENAI, "3840x2160", "1024x1024", prompt=prompt) == 93_700 + 2_500


@given(ROWS, st.data(), EDGES, EDGES)
def test_never_more_than_the_quote_nor_than_the_size_that_arrived(
    offering: Offering, data: st.DataObject, width: int, height: int
) -> None:
    asked = data.draw(st.sampled_from(offering.sizes))
    quoted = price_microusd(offering, asked) or 0
    found = charged(offering, asked.size, f"{width}x{height}")
    assert found is None or 0 < found <= quoted
    exact = next((one for one in offering.sizes if one.pixels == (width, height)), None)
    if exact is not None:
        assert found is not None
        assert found <= (price_microusd(offering, exact) or 0)


@given(GENERATING, st.data(), st.integers(0, 3_000), st.integers(0, 3_000))
def test_a_larger_image_is_never_thrown_away_and_never_dearer(
    offering: Offering, data: st.DataObject, wider: int, higher: int
) -> None:
    asked = data.draw(st.sampled_from(offering.sizes))
    width, height = asked.pixels
    found = charged(offering, asked.size, f"{width + wider}x{height + higher}")
    assert found is not None
    assert found <= (price_microusd(offering, asked) or 0)


# A run.


@pytest.mark.parametrize(
    ("size", "got", "microusd"),
    [
        ("1024x1024", (1024, 1024), 50_000),
        ("1024x1024", (600, 600), 20_000),
        ("1024x1024", (1536, 1024), 40_000),
        ("1024x1024", (1400, 1400), 50_000),
        ("1536x1024", (512, 512), 20_000),
        ("1536x1024", (3000, 3000), 40_000),
    ],
)
def test_the_user_pays_and_the_record_has_what_was_delivered(
    size: str, got: tuple[int, int], microusd: int
) -> None:
    service = one_row()
    service.react("alpha", png(got))
    offer = service.estimate(size=size)
    made = service.confirm(offer)
    assert isinstance(made, Made)
    assert (made.record.width, made.record.height) == got
    assert made.record.charged_microusd == service.spent() == microusd
    assert made.record.ceiling_microusd == offer.price.ceiling
    service.check_charged_iff_stored()


def without_a_quarter(content: bytes) -> bytes:
    """A file in whose middle a part is missing, although its beginning and its end are right."""
    middle = len(content) // 2
    return content[:middle] + content[middle + len(content) // 4 :]


def shorter_webp(content: bytes) -> bytes:
    """A WebP with half of its data, whose lengths agree with what is left of them."""
    size = (len(content) - 20) // 2 & ~1
    head = b"RIFF" + (12 + size).to_bytes(4, "little") + content[8:16] + size.to_bytes(4, "little")
    return head + content[20 : 20 + size]


UNDELIVERABLE = {
    "too small": (png((64, 64)), "small_image"),
    "one pixel": (png((1, 1)), "small_image"),
    "black PNG": (flat("PNG"), "blank_image"),
    "white PNG": (flat("PNG", (255, 255, 255)), "blank_image"),
    "transparent PNG": (flat("PNG", (0, 0, 0, 0), "RGBA"), "blank_image"),
    "black JPEG": (flat("JPEG"), "blank_image"),
    "grey progressive JPEG": (flat("JPEG", (99, 99, 99), progressive=True), "blank_image"),
    "black WebP": (flat("WEBP"), "blank_image"),
    "green lossless WebP": (flat("WEBP", (0, 200, 0), lossless=True), "blank_image"),
    "a hole in a PNG": (png()[:150] + png()[-12:], "broken_image"),
    "half a WebP": (picture("WEBP", size=(1024, 1024))[:900], "broken_image"),
    "no image": (b"<html>", "broken_image"),
    "a JPEG without its middle": (
        without_a_quarter(picture("JPEG", size=(1024, 1024))),
        "broken_image",
    ),
    "a WebP that was cut": (shorter_webp(picture("WEBP", size=(1024, 1024))), "broken_image"),
}


@pytest.mark.parametrize("kind", UNDELIVERABLE)
def test_what_cannot_be_sold_is_not_charged_and_the_next_provider_is_called(kind: str) -> None:
    content, code = UNDELIVERABLE[kind]
    service = Service()
    service.react("alpha", content)
    made = service.make()
    assert (made.record.provider, service.spent()) == ("beta", 60_000)
    assert [one.code for one in made.record.attempts] == [code, ""]
    # The vendor bills what it sent: that is the operator's loss, not the user's.
    assert [one.lost_microusd for one in made.record.attempts] == [50_000, 0]
    alone = one_row()
    alone.react("alpha", content)
    with pytest.raises(GenerationFailedError):
        alone.confirm(alone.estimate(size="1536x1024"))
    assert alone.spent() == 0
    alone.check_charged_iff_stored()


# Blank or not.

SAVES: list[tuple[str, dict[str, object]]] = [
    ("PNG", {}),
    ("PNG", {"compress_level": 1}),
    ("PNG", {"optimize": True}),
    ("JPEG", {}),
    ("JPEG", {"quality": 95}),
    ("JPEG", {"optimize": True}),
    ("JPEG", {"progressive": True}),
    ("JPEG", {"subsampling": 0}),
    ("JPEG", {"restart_marker_rows": 1}),
    ("WEBP", {}),
    ("WEBP", {"lossless": True}),
]
COLOURS = [(0, 0, 0), (255, 255, 255), (12, 200, 77)]


def encoded(image: Image.Image, kind: str, save: dict[str, object]) -> bytes:
    out = BytesIO()
    image.save(out, kind, **save)
    return out.getvalue()


def blank(content: bytes) -> bool:
    from imagegen.domain.pixels import measure  # noqa: PLC0415 - named like what it tests

    return measure(content).is_blank


@pytest.mark.parametrize(("kind", "save"), SAVES)
@pytest.mark.parametrize(
    "size",
    [
        (333, 501),
        pytest.param((1024, 1024), marks=pytest.mark.thorough),
        pytest.param((1216, 832), marks=pytest.mark.thorough),
    ],
)
def test_one_colour_is_blank_and_one_spot_in_it_is_not(
    kind: str, save: dict[str, object], size: tuple[int, int]
) -> None:
    for colour in COLOURS:
        image = Image.new("RGB", size, colour)
        assert blank(encoded(image, kind, save))
        spot = (size[0] // 2, size[1] // 2, size[0] // 2 + 80, size[1] // 2 + 80)
        ImageDraw.Draw(image).ellipse(spot, fill=(250, 120, 10))
        assert not blank(encoded(image, kind, save))


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "I;16"])
def test_a_png_of_every_kind_is_read_exactly(mode: str) -> None:
    for level in (1, 9):
        image = Image.new(mode, (257, 130), 1 if mode in ("1", "P", "L", "I;16") else None)
        assert blank(encoded(image, "PNG", {"compress_level": level}))
        other = image.copy()
        pixel = other.getpixel((0, 0))
        other.putpixel((255, 129), 0 if isinstance(pixel, int) else tuple(77 for _ in pixel))  # type: ignore[union-attr]
        assert not blank(encoded(other, "PNG", {"compress_level": level}))


def filtered(kind: int, colour: bytes, rows: int, pixels: int) -> bytes:
    """Return the rows of an image in one colour, filtered byte by byte as the standard says."""
    size, lines, above = len(colour), [], bytes(len(colour) * pixels)
    for _ in range(rows):
        line = colour * pixels
        out = bytearray([kind])
        for at in range(len(line)):
            left = line[at - size] if at >= size else 0
            corner = above[at - size] if at >= size else 0
            up = above[at]
            guess = left + up - corner
            paeth = min((left, up, corner), key=lambda one: abs(guess - one))
            foretold = (0, left, up, (left + up) // 2, paeth)[kind]
            out.append((line[at] - foretold) % 256)
        lines.append(bytes(out))
        above = line
    return b"".join(lines)


def chunk(kind: bytes, data: bytes) -> bytes:
    return len(data).to_bytes(4) + kind + data + zlib.crc32(kind + data).to_bytes(4)


@pytest.mark.parametrize(
    ("kind", "colour"), list(product(range(5), [b"\x00", b"\x7f\x03\xff", b"\xffabc"]))
)
def test_every_filter_of_one_colour_is_recognised(kind: int, colour: bytes) -> None:
    colours = {1: 0, 3: 2, 4: 6}
    header = (9).to_bytes(4) + (6).to_bytes(4) + bytes([8, colours[len(colour)], 0, 0, 0])
    for change in (0, 1):
        rows = bytearray(filtered(kind, colour, 6, 9))
        rows[-1] ^= change
        data = chunk(b"IDAT", zlib.compress(bytes(rows)))
        content = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + data + chunk(b"IEND", b"")
        assert blank(content) is not bool(change)


@pytest.mark.parametrize("depth", [1, 2, 4, 8])
def test_a_pattern_that_repeats_is_not_one_colour(depth: int) -> None:
    kind, most = Kind(0, depth), (1 << depth) - 1
    stripes = [[(most if column % 2 else 0,) for column in range(64)]] * 64
    assert not blank(write_png(kind, stripes))
    wide = [[(most if column // 8 % 2 else 0,) for column in range(64)]] * 64
    assert not blank(write_png(kind, wide))
    assert blank(write_png(kind, [[(most,)] * 61] * 64))


@pytest.mark.parametrize("colour", [2, 6])
def test_stripes_of_two_colours_are_not_one(colour: int) -> None:
    kind = Kind(colour, 8)
    one, other = (1, 2, 3, 255)[: CHANNELS[colour]], (9, 8, 7, 255)[: CHANNELS[colour]]
    assert not blank(write_png(kind, [[one, other] * 32] * 64))
    assert blank(write_png(kind, [[one] * 61] * 64))
