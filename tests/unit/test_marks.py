"""A C2PA manifest is found where the format puts it, and nowhere else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imagegen.domain.marks import C2PA_TYPE, Presence, read_c2pa
from tests.fakes.marks import jumbf, with_png_chunk, with_segments, with_webp_chunk
from tests.fakes.pictures import picture
from tests.fakes.pngs import Kind, write_png

MANIFEST = jumbf()
PRESENT = {
    "PNG": with_png_chunk(picture("PNG"), b"caBX", MANIFEST),
    "PNG behind the pixels": with_png_chunk(picture("PNG"), b"caBX", MANIFEST, last=True),
    "JPEG": with_segments(picture("JPEG"), 0xEB, [b"JP\0\1\0\0\0\1" + MANIFEST]),
    "JPEG with a second box": with_segments(
        picture("JPEG"),
        0xEB,
        [b"JP\0\1\0\0\0\1" + jumbf(b"json" + C2PA_TYPE[4:]), b"JP\0\2\0\0\0\1" + MANIFEST],
    ),
    "JPEG with a long box": with_segments(
        picture("JPEG"),
        0xEB,
        [b"JP\0\1\0\0\0\1" + MANIFEST, b"JP\0\1\0\0\0\2" + MANIFEST[:8] + b"x"],
    ),
    "JPEG with an extended size": with_segments(
        picture("JPEG"), 0xEB, [b"JP\0\1\0\0\0\1" + jumbf(is_extended=True)]
    ),
    "progressive JPEG": with_segments(
        picture("JPEG", progressive=True), 0xEB, [b"JP\0\1\0\0\0\1" + MANIFEST]
    ),
    "WebP": with_webp_chunk(picture("WEBP"), b"C2PA", MANIFEST),
    "WebP with alpha": with_webp_chunk(picture("WEBP", alpha=True), b"C2PA", MANIFEST),
}
FAKE = b"caBX C2PA jumb jumd c2pa " + MANIFEST
ABSENT = {
    "PNG": picture("PNG"),
    "JPEG": picture("JPEG"),
    "WebP": picture("WEBP"),
    "nothing": b"",
    "text": b"caBX c2pa" + MANIFEST,
    "PNG with a text": with_png_chunk(picture("PNG"), b"tEXt", b"Comment\0" + FAKE),
    "PNG with a chunk in a chunk": with_png_chunk(
        picture("PNG"), b"tEXt", b"c\0" + with_png_chunk(picture("PNG"), b"caBX", MANIFEST)
    ),
    "PNG with bytes behind it": picture("PNG") + PRESENT["PNG"],
    "PNG with an empty chunk": with_png_chunk(picture("PNG"), b"caBX", b""),
    "PNG with a like name": with_png_chunk(picture("PNG"), b"caBx", MANIFEST),
    "JPEG with a comment": picture("JPEG", comment=FAKE + PRESENT["JPEG"]),
    "JPEG with a thumbnail that has one": with_segments(
        picture("JPEG"), 0xE1, [b"Exif\0\0" + PRESENT["JPEG"]]
    ),
    "JPEG with another segment": with_segments(
        picture("JPEG"), 0xEA, [b"JP\0\1\0\0\0\1" + MANIFEST]
    ),
    "JPEG with another box": with_segments(
        picture("JPEG"), 0xEB, [b"JP\0\1\0\0\0\1" + jumbf(b"json" + C2PA_TYPE[4:])]
    ),
    "JPEG with a box that names c2pa in its content": with_segments(
        picture("JPEG"), 0xEB, [b"JP\0\1\0\0\0\1" + jumbf(b"json" + C2PA_TYPE[4:], FAKE)]
    ),
    "JPEG with a description in a box of another kind": with_segments(
        picture("JPEG"), 0xEB, [b"JP\0\1\0\0\0\1" + MANIFEST.replace(b"jumb", b"uuid", 1)]
    ),
    "JPEG with a box that has no description": with_segments(
        picture("JPEG"), 0xEB, [b"JP\0\1\0\0\0\1" + MANIFEST.replace(b"jumd", b"json", 1)]
    ),
    "JPEG with APP11 of something else": with_segments(picture("JPEG"), 0xEB, [b"HDR_RI " + FAKE]),
    "JPEG with bytes behind it": picture("JPEG") + PRESENT["JPEG"],
    "WebP with metadata": picture("WEBP", exif=b"MM\0*" + FAKE),
    "WebP with bytes behind it": picture("WEBP") + PRESENT["WebP"][12:],
    "WebP with an empty chunk": with_webp_chunk(picture("WEBP"), b"C2PA", b""),
    "WebP with a like name": with_webp_chunk(picture("WEBP"), b"c2pa", MANIFEST),
}


@pytest.mark.parametrize("content", PRESENT.values(), ids=PRESENT.keys())
def test_a_manifest_is_present(content: bytes) -> None:
    assert read_c2pa(content) is Presence.PRESENT


@pytest.mark.parametrize("content", ABSENT.values(), ids=ABSENT.keys())
def test_what_only_looks_like_a_manifest_is_absent(content: bytes) -> None:
    assert read_c2pa(content) is Presence.ABSENT


def test_the_pixels_of_a_png_cannot_fake_a_manifest() -> None:
    pixels = [[(byte,) for byte in PRESENT["PNG"]]]
    content = write_png(Kind(0, 8), pixels, level=0)
    assert b"caBX" in content
    assert read_c2pa(content) is Presence.ABSENT


@pytest.mark.parametrize("content", PRESENT.values(), ids=PRESENT.keys())
def test_a_file_that_is_cut_off_raises_nothing(content: bytes) -> None:
    for end in range(len(content)):
        read_c2pa(content[:end])


@given(st.sampled_from(sorted(PRESENT)), st.binary(max_size=40))
def test_damaged_boxes_raise_nothing(kind: str, junk: bytes) -> None:
    read_c2pa(PRESENT[kind].replace(MANIFEST, junk))
    read_c2pa(with_segments(picture("JPEG"), 0xEB, [b"JP" + junk]))


def test_the_words_on_the_wire() -> None:
    assert [str(one) for one in Presence] == ["present", "absent"]


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_a_file_that_is_damaged_before_a_manifest_has_none(kind: str) -> None:
    assert read_c2pa(picture(kind)[:40]) is Presence.ABSENT
