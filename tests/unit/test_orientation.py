"""An image is measured as it is shown: after its EXIF orientation, which may be hostile."""

import struct
from io import BytesIO

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageOps

from imagegen.domain.orientation import (
    exif_with,
    orientation_of,
    read_orientation,
    seen_size,
    turned,
)
from imagegen.domain.pixels import BrokenImageError
from tests.fakes import exif
from tests.fakes.pictures import HEIGHT, WIDTH, picture

FORMATS = ["PNG", "JPEG", "WEBP"]
TAG = 0x0112


def pillow_size(content: bytes) -> tuple[int, int]:
    return ImageOps.exif_transpose(Image.open(BytesIO(content))).size


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("value", range(1, 9))
@pytest.mark.parametrize("kind", FORMATS)
def test_five_to_eight_exchange_the_sides(kind: str, value: int, order: str) -> None:
    content = picture(kind, exif=exif.turned(value, order))
    assert read_orientation(content) == value
    assert seen_size(content) == ((HEIGHT, WIDTH) if value > 4 else (WIDTH, HEIGHT))
    assert seen_size(content) == pillow_size(content)


@pytest.mark.parametrize("kind", FORMATS)
def test_without_exif_an_image_is_upright(kind: str) -> None:
    assert read_orientation(picture(kind)) == 1
    assert seen_size(picture(kind)) == (WIDTH, HEIGHT)


@pytest.mark.parametrize("lossless", [False, True])
@pytest.mark.parametrize("alpha", [False, True])
def test_every_kind_of_webp_is_turned(*, lossless: bool, alpha: bool) -> None:
    content = picture("WEBP", alpha=alpha, lossless=lossless, exif=exif.turned(6))
    assert seen_size(content) == (HEIGHT, WIDTH)


def test_exif_that_the_header_of_a_webp_does_not_announce_is_ignored_as_by_libwebp() -> None:
    content = bytearray(picture("WEBP", exif=exif.turned(6)))
    content[20] &= ~0x08
    assert seen_size(bytes(content)) == (WIDTH, HEIGHT) == pillow_size(bytes(content))


def test_the_first_exif_segment_of_a_jpeg_counts() -> None:
    first, second = picture("JPEG", exif=exif.turned(6)), picture("JPEG", exif=exif.turned(3))
    content = first[:2] + first[2:].replace(b"\xff\xdb", segment_of(second) + b"\xff\xdb", 1)
    assert read_orientation(content) == 6


def segment_of(jpeg: bytes) -> bytes:
    start = jpeg.index(b"\xff\xe1")
    return jpeg[start : start + 2 + int.from_bytes(jpeg[start + 2 : start + 4])]


def test_a_segment_that_is_cut_off_does_not_turn_an_image() -> None:
    content = picture("JPEG", exif=exif.turned(6))
    start = content.index(b"\xff\xe1")
    assert read_orientation(content[: start + len(segment_of(content))] + b"\xff\xda") == 6
    assert read_orientation(content[: start + len(segment_of(content)) - 1]) == 1


def test_exif_inside_another_segment_is_no_exif() -> None:
    inner = segment_of(picture("JPEG", exif=exif.turned(6)))
    assert read_orientation(picture("JPEG", comment=inner)) == 1


def test_exif_after_the_image_does_not_turn_it() -> None:
    turned_one = picture("JPEG", exif=exif.turned(6))
    assert read_orientation(picture("JPEG") + turned_one[2:]) == 1


def test_exif_behind_the_first_scan_does_not_turn_it() -> None:
    content = picture("JPEG").removesuffix(b"\xff\xd9")
    segment = segment_of(picture("JPEG", exif=exif.turned(6)))
    assert read_orientation(content + segment + b"\xff\xd9") == 1


HOSTILE = {
    "nothing": b"",
    "only a header": b"MM\0*",
    "another header": b"XX\0*\0\0\0\x08" + bytes(20),
    "half a header": b"MM\0*\0\0",
    "a directory outside": exif.tiff([])[:4] + struct.pack(">I", 0xFFFFFFFF),
    "a directory at the end": exif.tiff([])[:4] + struct.pack(">I", 8),
    "a directory that is the header": exif.tiff([(TAG, 3, 1, exif.short(6))], at=8)[:4] + bytes(4),
    "more entries than data": exif.tiff([(1, 3, 1, exif.short(1))], count=65_535),
    "a directory that points at itself": exif.tiff([])[:10] + struct.pack(">I", 8),
    "a value of zero": exif.tiff([(TAG, 3, 1, exif.short(0))]),
    "a value of nine": exif.tiff([(TAG, 3, 1, exif.short(9))]),
    "a text": exif.tiff([(TAG, 2, 1, b"6\0\0\0")]),
    "many values": exif.tiff([(TAG, 3, 0x40000000, exif.short(6))]),
    "no value": exif.tiff([(TAG, 3, 0, exif.short(6))]),
    "a LONG": exif.tiff([(TAG, 4, 1, struct.pack("<I", 6))], order="<"),
    "a BYTE": exif.tiff([(TAG, 1, 1, b"\x06\0\0\0")], order="<"),
    "an unknown type": exif.tiff([(TAG, 99, 1, exif.short(6))]),
    "an entry that is cut off": exif.tiff([(TAG, 3, 1, exif.short(6))])[:-8],
    "an entry without its last byte": exif.tiff([(TAG, 3, 1, exif.short(6))])[:-5],
}


@pytest.mark.parametrize("data", HOSTILE.values(), ids=HOSTILE.keys())
def test_hostile_exif_does_not_turn_an_image(data: bytes) -> None:
    assert orientation_of(memoryview(data)) == 1
    assert orientation_of(memoryview(b"Exif\0\0" + data)) == 1


@pytest.mark.parametrize(
    "data",
    [
        exif.tiff([(TAG, 3, 1, exif.short(6))], count=65_535),
        exif.tiff([(TAG, 3, 1, exif.short(6))], at=5_000),
        exif.tiff([(1, 2, 0xFFFFFFFF, b"\xff\xff\xff\xff"), (TAG, 3, 1, exif.short(6))]),
        b"Exif\0\xff" + exif.turned(6)[6:],
    ],
)
def test_a_careless_writer_s_orientation_counts(data: bytes) -> None:
    assert orientation_of(memoryview(data)) == 6


@given(st.binary(max_size=300))
def test_any_bytes_are_an_orientation_from_one_to_eight(data: bytes) -> None:
    for start in (b"", b"MM\0*", b"II*\0", b"Exif\0\0MM\0*\0\0\0\x08", exif.turned(6)[:15]):
        assert 1 <= orientation_of(memoryview(start + data)) <= 8


@given(st.binary(max_size=100))
def test_any_bytes_are_upright_where_they_are_no_image(data: bytes) -> None:
    for start in (b"", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"RIFF\xff\0\0\0WEBP"):
        assert 1 <= read_orientation(start + data) <= 8


@given(st.integers(1, 8))
def test_exif_that_is_written_is_read(value: int) -> None:
    assert orientation_of(memoryview(exif_with(value))) == value
    assert Image.open(BytesIO(picture("PNG", exif=exif_with(value)))).getexif() == {TAG: value}


@given(st.integers(1, 9_999), st.integers(1, 9_999), st.integers(1, 8))
def test_a_turn_keeps_the_sides(width: int, height: int, value: int) -> None:
    assert sorted(turned(width, height, value)) == sorted((width, height))
    assert (turned(width, height, value) == (width, height)) == (value < 5 or width == height)


def test_bytes_that_are_no_image_have_no_size() -> None:
    with pytest.raises(BrokenImageError):
        seen_size(b"<svg/>")
