"""Parts of an image that were overwritten or lost: what is found, and what is never mistaken."""

import io
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageDraw

from imagegen.domain.holes import LEAST_RUN, runs
from imagegen.domain.pixels import BrokenImageError, measure
from tests.examples import examples

SIZE = (384, 256)
BASELINE: dict[str, Any] = {"format": "JPEG", "quality": 90}
OPTIMISED: dict[str, Any] = {"format": "JPEG", "quality": 95, "optimize": True, "subsampling": 0}
PROGRESSIVE: dict[str, Any] = {"format": "JPEG", "quality": 90, "progressive": True}
RESTARTS: dict[str, Any] = {"format": "JPEG", "quality": 90, "restart_marker_rows": 1}
LOSSY: dict[str, Any] = {"format": "WEBP", "quality": 90}
LOSSLESS: dict[str, Any] = {"format": "WEBP", "lossless": True, "method": 0}
FORMATS = [BASELINE, OPTIMISED, PROGRESSIVE, RESTARTS, LOSSY, LOSSLESS]


def photo(size: tuple[int, int] = SIZE) -> Image.Image:
    ramp = Image.linear_gradient("L").resize(size)
    picture = Image.merge("RGB", [ramp, ramp.rotate(180), ramp.rotate(90, expand=False)])
    return Image.blend(picture, Image.effect_noise(size, 80).convert("RGB"), 0.3)


def saved(picture: Image.Image, **options: Any) -> bytes:
    to = io.BytesIO()
    picture.save(to, **options)
    return to.getvalue()


def pattern(step: int) -> Image.Image:
    picture = Image.new("RGB", SIZE, (250, 250, 250))
    draw = ImageDraw.Draw(picture)
    for x in range(0, SIZE[0], 2 * step):
        draw.rectangle([x, 0, x + step - 1, SIZE[1]], fill=(200, 30, 30))
    return picture


def logo() -> Image.Image:
    picture = Image.new("RGB", SIZE, (255, 255, 255))
    draw = ImageDraw.Draw(picture)
    draw.ellipse([40, 40, 160, 160], fill=(0, 90, 200))
    draw.text((200, 200), "a name", fill=(0, 0, 0))
    return picture


def on_white() -> Image.Image:
    picture = Image.new("RGB", (768, 512), (255, 255, 255))
    picture.paste(photo((200, 200)), (300, 150))
    return picture


LEGIT: dict[str, Callable[[], Image.Image]] = {
    "photo": photo,
    "logo": logo,
    "a photograph on white": on_white,
    "stripes of a block": lambda: pattern(8),
    "stripes of half a block": lambda: pattern(4),
    "stripes beside blocks": lambda: pattern(5),
    "a ramp": lambda: Image.linear_gradient("L").resize((1024, 768)).convert("RGB"),
    "grey": lambda: photo().convert("L"),
}


@pytest.mark.thorough
@pytest.mark.parametrize("options", FORMATS, ids=str)
@pytest.mark.parametrize("kind", LEGIT)
def test_a_whole_image_is_never_mistaken(kind: str, options: dict[str, Any]) -> None:
    picture = LEGIT[kind]()
    for quality in (60, 100):
        found = measure(saved(picture, **{**options, "quality": quality}))
        assert (found.width, found.height) == picture.size


CONTENTS = [(options, saved(photo(), **options)) for options in FORMATS]


@pytest.mark.parametrize(("options", "content"), CONTENTS, ids=lambda one: str(one)[:60])
@pytest.mark.parametrize("size", [4_096, 9_001])
@pytest.mark.parametrize("place", [0.35, 0.5, 0.7])
def test_a_zeroed_part_is_found_in_every_format(
    options: dict[str, Any], content: bytes, size: int, place: float
) -> None:
    at = int(len(content) * place)
    assert at + size < len(content)
    with pytest.raises(BrokenImageError):
        measure(content[:at] + bytes(size) + content[at + size :])
    del options


@given(st.integers(0, 255), st.floats(0.1, 0.7), st.integers(128, 20_000))
@examples(150)
def test_a_baseline_jpeg_filled_with_any_byte_is_broken(byte: int, place: float, size: int) -> None:
    content = CONTENTS[0][1]
    at = 700 + int((len(content) - 700) * place)
    holed = content[:at] + bytes([byte]) * min(size, len(content) - at - 100)
    with pytest.raises(BrokenImageError):
        measure(holed + content[len(holed) :])


@pytest.mark.parametrize("options", [BASELINE, OPTIMISED, PROGRESSIVE], ids=str)
def test_a_hole_that_is_filled_with_ff_is_not_read_as_markers(options: dict[str, Any]) -> None:
    content = saved(photo(), **options)
    at = len(content) // 2
    with pytest.raises(BrokenImageError):
        measure(content[:at] + b"\xff" * 4_096 + content[at + 4_096 :])


@pytest.mark.parametrize("marker", [0x02, 0x37, 0x5F, 0xBF])
def test_a_marker_that_no_jpeg_has_is_damage(marker: int) -> None:
    content = CONTENTS[0][1]
    at = len(content) // 2
    with pytest.raises(BrokenImageError, match="damaged"):
        measure(content[:at] + bytes([0xFF, marker, 0, 4, 1, 1]) + content[at + 6 :])


@pytest.mark.parametrize("options", [BASELINE, OPTIMISED], ids=str)
def test_a_scan_of_less_bits_than_its_blocks_need_is_broken(options: dict[str, Any]) -> None:
    content = saved(photo(), **options)
    at = content.index(b"\xff\xda") + 14
    with pytest.raises(BrokenImageError):
        measure(content[: at + 300] + content[-300:])


def test_a_part_that_was_cut_out_without_a_trace_is_not_seen() -> None:
    """Known and written down: only decoding shows it."""
    content = CONTENTS[0][1]
    at = len(content) // 2
    assert measure(content[:at] + content[at + 4_096 :]).width == SIZE[0]


@given(st.binary(max_size=400), st.integers(0, 255), st.integers(LEAST_RUN, 600), st.binary())
def test_every_run_that_is_long_enough_is_found(
    before: bytes, byte: int, size: int, after: bytes
) -> None:
    found = dict(runs(before + bytes([byte]) * size + after))
    assert byte in found


@given(st.binary(max_size=2_000))
def test_a_run_is_of_one_byte_and_really_there(data: bytes) -> None:
    for byte, size in runs(data):
        assert size >= 64
        assert bytes([byte]) * 64 in data


def test_a_run_at_the_very_beginning_is_found_from_its_first_byte() -> None:
    assert list(runs(bytes(LEAST_RUN) + bytes(range(1, 200)))) == [(0, LEAST_RUN)]


def test_a_part_between_two_restart_markers_that_was_cut_out_is_missed() -> None:
    content = saved(photo(), **RESTARTS)
    first, second = (content.index(bytes((0xFF, 0xD0 + n))) for n in (0, 1))
    measure(content)
    with pytest.raises(BrokenImageError, match="missing"):
        measure(content[:first] + content[second:])
