"""What an image is, is read from its bytes; a broken one is broken and nothing worse."""

import re
import struct
import tracemalloc
import zlib
from contextlib import suppress
from io import BytesIO
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from imagegen.domain.jpeg_segments import segments_of
from imagegen.domain.pixels import (
    MAX_EDGE,
    BrokenImageError,
    Measured,
    check_size,
    is_whole,
    measure,
)
from imagegen.domain.transparency import read_transparency
from tests.examples import examples
from tests.fakes.pictures import HEIGHT, WIDTH, exif, picture, png
from tests.fakes.steps import counted_calls

IMAGES: dict[str, tuple[str, bytes]] = {
    "PNG": ("image/png", picture("PNG")),
    "PNG with alpha": ("image/png", picture("PNG", alpha=True)),
    "JPEG": ("image/jpeg", picture("JPEG")),
    "progressive JPEG": ("image/jpeg", picture("JPEG", progressive=True)),
    "JPEG with EXIF": ("image/jpeg", picture("JPEG", exif=exif())),
    "JPEG with a comment": ("image/jpeg", picture("JPEG", comment=b"c" * 300)),
    "WebP VP8": ("image/webp", picture("WEBP", lossless=False)),
    "WebP VP8L": ("image/webp", picture("WEBP", lossless=True)),
    "WebP VP8X": ("image/webp", picture("WEBP", exif=exif())),
    "WebP VP8X with alpha": ("image/webp", picture("WEBP", alpha=True, lossless=False)),
}
HEADS = (
    b"\x89PNG\r\n\x1a\n",
    b"\xff\xd8\xff",
    b"RIFF\x04\0\0\0WEBP",
    b"RIFF\x04\0\0\0WEBPVP8X",
    b"RIFF\x04\0\0\0WEBPVP8 ",
    b"RIFF\x04\0\0\0WEBPVP8L",
)


@pytest.mark.parametrize("kind", IMAGES)
def test_a_real_image_is_measured(kind: str) -> None:
    media_type, content = IMAGES[kind]
    assert measure(content) == Measured(media_type, WIDTH, HEIGHT)


def test_the_three_kinds_of_webp_are_really_there() -> None:
    kinds = {IMAGES[kind][1][12:16] for kind in IMAGES if kind.startswith("WebP")}
    assert kinds == {b"VP8 ", b"VP8L", b"VP8X"}


@pytest.mark.parametrize("kind", IMAGES)
def test_an_image_cut_off_anywhere_is_broken_or_measured_right(kind: str) -> None:
    media_type, content = IMAGES[kind]
    whole = Measured(media_type, WIDTH, HEIGHT)
    for end in range(len(content)):
        with suppress(BrokenImageError):
            assert measure(content[:end]) == whole


@pytest.mark.parametrize("kind", IMAGES)
def test_an_image_without_its_last_tenth_is_broken(kind: str) -> None:
    content = IMAGES[kind][1]
    with pytest.raises(BrokenImageError):
        measure(content[: len(content) * 9 // 10])


@given(st.sampled_from(HEADS), st.binary(max_size=200))
def test_random_bytes_are_broken_or_of_a_possible_size(head: bytes, tail: bytes) -> None:
    try:
        measured = measure(head + tail)
    except BrokenImageError:
        return
    assert 0 < measured.width <= MAX_EDGE
    assert 0 < measured.height <= MAX_EDGE


@examples(200)
@given(st.sampled_from(sorted(IMAGES)), st.data())
def test_a_changed_byte_raises_nothing_but_broken(kind: str, data: st.DataObject) -> None:
    content = bytearray(IMAGES[kind][1])
    content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    with suppress(BrokenImageError):
        measure(bytes(content))


@pytest.mark.parametrize(
    "content",
    [b"", b"GIF89a" + b"\0" * 50, b"<html>", b'{"error": {}}', b"BM" + b"\0" * 50, *HEADS],
)
def test_anything_else_is_broken(content: bytes) -> None:
    with pytest.raises(BrokenImageError):
        measure(content)


@pytest.mark.parametrize("size", [(0, 1), (1, 0), (MAX_EDGE + 1, 1), (2**31, 2**31)])
def test_an_absurd_size_is_broken(size: tuple[int, int]) -> None:
    header = b"IHDR" + struct.pack(">II", *size) + png()[24:29]
    head = png()[:12] + header + struct.pack(">I", zlib.crc32(header))
    with pytest.raises(BrokenImageError, match="not a plausible image size"):
        measure(head + png()[33:])


def test_a_jpeg_without_a_frame_ends() -> None:
    with pytest.raises(BrokenImageError):
        measure(b"\xff\xd8" + b"\xff\xe0\x00\x02" * 2_000 + b"\xff\xd9")


@pytest.mark.parametrize("end", [b"\xff\xd9", b"\0\xff\xd9", b""])
def test_a_million_fill_bytes_in_a_jpeg_take_no_time_of_their_own(end: bytes) -> None:
    content = picture("JPEG").removesuffix(b"\xff\xd9") + b"\xff" * 1_000_000 + end
    with suppress(BrokenImageError):
        assert measure(content).width == WIDTH


def test_fill_bytes_before_markers_change_nothing_that_is_read() -> None:
    content = picture("JPEG", size=(400, 300), restart_marker_blocks=10)
    filled = re.sub(b"(?=\xff[\xd0-\xda])", b"\xff\xff", content[2:])
    assert measure(content[:2] + filled) == measure(content)


JPEGS: list[dict[str, Any]] = [
    {},
    {"progressive": True},
    {"optimize": True},
    {"quality": 1, "optimize": True},
    {"quality": 95, "subsampling": 0},
    {"restart_marker_rows": 1},
]


@pytest.mark.parametrize("save", JPEGS)
@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK"])
def test_a_jpeg_has_bits_enough_for_its_blocks(save: dict[str, Any], mode: str) -> None:
    for size in ((1, 1), (17, 9), (320, 240)):
        for image in (Image.new(mode, size), Image.effect_noise(size, 50).convert(mode)):
            out = BytesIO()
            image.save(out, "JPEG", **save)
            assert measure(out.getvalue()).width == size[0]


@pytest.mark.parametrize("save", JPEGS[:-1])
def test_a_jpeg_with_fewer_bits_than_its_blocks_need_is_broken(save: dict[str, Any]) -> None:
    out = BytesIO()
    Image.effect_noise((1024, 1024), 50).convert("RGB").save(out, "JPEG", **save)
    whole = out.getvalue()
    scan = whole.index(b"\xff\xda")
    for kept in (20, 200, 2_000):
        with pytest.raises(BrokenImageError, match="missing"):
            measure(whole[: scan + kept] + b"\xff\xd9")


def test_an_image_may_be_as_large_as_the_limits_and_no_larger() -> None:
    for size in ((MAX_EDGE, 1), (1, MAX_EDGE), (8_192, 8_192), (1, 1)):
        check_size(*size)
    for size in ((MAX_EDGE + 1, 1), (1, MAX_EDGE + 1), (8_192, 8_193), (0, 1), (1, 0)):
        with pytest.raises(BrokenImageError):
            check_size(*size)


@pytest.mark.parametrize("kind", IMAGES)
def test_an_image_is_whole_and_the_first_half_of_it_is_not(kind: str) -> None:
    content = IMAGES[kind][1]
    assert is_whole(content)
    assert not is_whole(content[: len(content) // 2])


@pytest.mark.parametrize("content", [b"", b"GIF89a", b"<html>"])
def test_what_is_no_image_is_not_whole(content: bytes) -> None:
    assert not is_whole(content)


def test_a_marker_without_a_segment_is_passed_over_in_a_jpeg() -> None:
    content = picture("JPEG")
    for marker in (b"\xff\x01", b"\xff\xd8"):
        changed = content[:2] + marker + content[2:]
        assert measure(changed) == measure(content)
        assert [one.marker for one in segments_of(changed)] == [
            one.marker for one in segments_of(content)
        ]


@pytest.mark.parametrize("restart", [2, 7, 64, 1_000])
@pytest.mark.parametrize("progressive", [False, True])
def test_a_jpeg_in_one_colour_is_blank_whatever_its_restart_markers(
    restart: int, *, progressive: bool
) -> None:
    out = BytesIO()
    flat = Image.new("RGB", (400, 300), (90, 20, 200))
    flat.save(out, "JPEG", restart_marker_blocks=restart, progressive=progressive)
    assert measure(out.getvalue()).is_blank


def test_a_jpeg_of_rows_in_different_colours_is_not_blank() -> None:
    """Each row is flat in its part between restart markers; the image is not."""
    out = BytesIO()
    image = Image.new("RGB", (320, 320), (200, 30, 30))
    image.paste((30, 30, 200), (0, 160, 320, 320))
    image.save(out, "JPEG", restart_marker_rows=1)
    assert not measure(out.getvalue()).is_blank


def test_only_two_parts_of_a_jpeg_are_compared_bit_by_bit() -> None:
    """With 15,625 parts, each of its own, that took a minute in a large image."""
    out = BytesIO()
    Image.new("RGB", (1_000, 1_000), (9, 9, 9)).save(
        out, "JPEG", restart_marker_blocks=1, subsampling=0
    )
    content = out.getvalue()
    with counted_calls() as calls:
        assert measure(content).is_blank
    assert content.count(b"\xff\xd0") > 1_000
    assert calls["_is_flat"] == 2


@pytest.mark.thorough
def test_many_empty_chunks_of_a_webp_are_not_kept() -> None:
    plain = picture("WEBP", lossless=False)
    body = plain[8:] + b"none\0\0\0\0" * 20_000
    content = b"RIFF" + struct.pack("<I", len(body)) + body
    tracemalloc.start()
    try:
        assert measure(content).width == WIDTH
        assert not read_transparency(content).has_alpha
        assert tracemalloc.get_traced_memory()[1] < 300_000
    finally:
        tracemalloc.stop()


def test_an_empty_frame_makes_no_animation_of_a_webp() -> None:
    canvas = b"VP8X" + struct.pack("<I", 10) + bytes(10)

    def webp(*chunks: bytes) -> bytes:
        body = b"WEBP" + b"".join(chunks)
        return b"RIFF" + struct.pack("<I", len(body)) + body

    def frame(length: int) -> bytes:
        return b"ANMF" + struct.pack("<I", length) + bytes(length + length % 2)

    assert measure(webp(canvas, frame(17))).width == 1
    with pytest.raises(BrokenImageError, match="no image"):
        measure(webp(canvas, frame(16)))
