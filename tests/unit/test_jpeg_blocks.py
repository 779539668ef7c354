"""The blocks of a JPEG are counted: what was cut, or cut out, is missed, and nothing else."""

import io
from functools import cache
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageFilter

from imagegen.domain.jpeg import read_segment
from imagegen.domain.jpeg_blocks import MOST_BLOCKS, MOST_CODES, Counter, check_blocks
from imagegen.domain.jpeg_codes import tables_in
from imagegen.domain.jpeg_scan import Frame, Scan
from imagegen.domain.jpeg_segments import DHT, SOS, Segment, packed_segment, segments_of
from imagegen.domain.pixels import BrokenImageError, measure
from tests.fakes.pictures import picture

KINDS: dict[str, dict[str, Any]] = {
    "usual": {"quality": 90},
    "coarse": {"quality": 5},
    "fine": {"quality": 100},
    "colours in full": {"quality": 85, "subsampling": 0},
    "colours by half": {"quality": 85, "subsampling": 1},
    "own codes": {"quality": 85, "optimize": True},
    "restart markers": {"quality": 85, "restart_marker_blocks": 7},
    "restart rows": {"quality": 85, "restart_marker_rows": 1},
}
PROGRESSIVE: dict[str, dict[str, Any]] = {
    f"progressive, {name}": {**save, "progressive": True} for name, save in KINDS.items()
}


@cache
def photo(mode: str = "RGB", size: tuple[int, int] = (203, 117), **save: Any) -> bytes:
    noise = Image.effect_noise(size, 80).filter(ImageFilter.GaussianBlur(1))
    out = io.BytesIO()
    Image.merge("RGB", (noise, noise.rotate(90), noise.rotate(180))).convert(mode).save(
        out, "JPEG", **save
    )
    return out.getvalue()


def check(content: bytes) -> None:
    """Look at an image as at one that a provider sent."""
    measure(content)
    check_blocks(content)


def scan_of(content: bytes) -> tuple[int, int]:
    """Return where the coded data of the first scan begin and end."""
    scan = next(one for one in segments_of(content) if one.marker == SOS)
    return scan.start + 4 + len(scan.data), scan.end


def test_the_tests_pictures_have_codes_of_every_kind() -> None:
    assert len({photo(**save) for save in KINDS.values()}) == len(KINDS)
    assert len({photo(**save) for save in PROGRESSIVE.values()}) >= len(KINDS) - 1


@pytest.mark.thorough
@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK"])
@pytest.mark.parametrize("kind", [*KINDS, *PROGRESSIVE])
def test_a_whole_image_has_all_of_its_blocks(kind: str, mode: str) -> None:
    check_blocks(photo(mode, **(KINDS | PROGRESSIVE)[kind]))


@given(
    size=st.tuples(st.integers(1, 70), st.integers(1, 70)),
    quality=st.integers(1, 100),
    subsampling=st.integers(0, 2),
    mode=st.sampled_from(["RGB", "L"]),
    progressive=st.booleans(),
)
@settings(deadline=None)
def test_no_whole_image_is_broken(
    size: tuple[int, int], quality: int, subsampling: int, mode: str, *, progressive: bool
) -> None:
    content = photo(mode, size, quality=quality, subsampling=subsampling, progressive=progressive)
    check(content)


@pytest.mark.parametrize("part", [0.1, 0.3, 0.5, 0.8, 0.95, 0.99])
@pytest.mark.parametrize("kind", KINDS)
def test_an_image_that_was_cut_and_got_a_new_end_is_broken(kind: str, part: float) -> None:
    content = photo(**KINDS[kind])
    start, end = scan_of(content)
    cut = content[: start + int((end - start) * part)].rstrip(b"\xff") + b"\xff\xd9"
    with pytest.raises(BrokenImageError):
        check_blocks(cut)


@pytest.mark.parametrize("part", [0.2, 0.4])
@pytest.mark.parametrize("at", [0.1, 0.5, 0.8])
@pytest.mark.parametrize("kind", ["usual", "fine", "own codes", "colours in full"])
def test_an_image_of_which_a_part_was_cut_out_is_broken(kind: str, at: float, part: float) -> None:
    content = photo(**KINDS[kind])
    start, end = scan_of(content)
    begin = start + int((end - start) * at)
    rest = content[min(end, begin + int((end - start) * part)) :]
    with pytest.raises(BrokenImageError):
        check_blocks(content[:begin] + rest)


def scans_of(content: bytes) -> list[Segment]:
    return [one for one in segments_of(content) if one.marker == SOS]


@pytest.mark.parametrize("number", [1, 2, 3, 4, 5, 7, 8, 9])
def test_a_scan_of_several_components_that_may_have_one_is_broken(number: int) -> None:
    content = photo(quality=85, progressive=True)
    scan = scans_of(content)[number]
    count, *named, first, last, bits = scan.data
    assert first > 0
    other = 1 if named[0] != 1 else 2
    data = bytes([count + 1, *named, other, named[1] ^ 1, first, last, bits])
    start = scan.start + 4 + len(scan.data)
    changed = content[: scan.start] + packed_segment(SOS, data) + content[start:]
    with pytest.raises(BrokenImageError):
        check(changed)


@pytest.mark.thorough
@pytest.mark.parametrize("part", [0.1, 0.5, 0.9])
@pytest.mark.parametrize("scan", range(10))
@pytest.mark.parametrize("kind", PROGRESSIVE)
def test_a_progressive_image_of_which_any_scan_was_cut_is_broken(
    kind: str, scan: int, part: float
) -> None:
    content = photo(**PROGRESSIVE[kind])
    cut = scans_of(content)[scan]
    start = cut.start + 4 + len(cut.data)
    left = content[: start + int((cut.end - start) * part)].rstrip(b"\xff")
    with pytest.raises(BrokenImageError):
        check(left + content[cut.end :])


@pytest.mark.parametrize("scan", range(10))
@pytest.mark.parametrize("mode", ["RGB", "L"])
def test_a_progressive_image_without_one_of_its_scans_is_broken(mode: str, scan: int) -> None:
    content = photo(mode, progressive=True)
    scans = scans_of(content)
    if scan < len(scans):
        left = content[: scans[scan].start] + content[scans[scan].end :]
        with pytest.raises(BrokenImageError, match="a scan of the JPEG is missing"):
            measure(left)


@pytest.mark.parametrize("kept", range(1, 10))
def test_a_progressive_image_that_ends_after_some_of_its_scans_is_broken(kept: int) -> None:
    content = photo(progressive=True)
    with pytest.raises(BrokenImageError, match="a scan of the JPEG is missing"):
        measure(content[: scans_of(content)[kept - 1].end] + b"\xff\xd9")


def test_more_data_than_the_blocks_need_break_nothing() -> None:
    content = photo(quality=90)
    _, end = scan_of(content)
    check_blocks(content[:end] + bytes(40) + content[end:])


def test_a_long_scan_is_not_counted() -> None:
    content = photo(quality=90)
    start, end = scan_of(content)
    cut = content[: (start + end) // 2].rstrip(b"\xff")
    # The shortest code has two bits.
    long = cut + b"\x01" * (MOST_CODES // 4 + 1) + content[end:]
    check_blocks(long)


def test_an_image_of_more_blocks_than_may_be_counted_is_not_counted() -> None:
    side = 8 * (int(MOST_BLOCKS**0.5) + 1)
    out = io.BytesIO()
    Image.new("L", (side, side), 90).save(out, "JPEG")
    content = out.getvalue()
    start, end = scan_of(content)
    check_blocks(content[: (start + end) // 2].rstrip(b"\xff") + content[end:])


@pytest.mark.parametrize("save", [{}, {"progressive": True}])
def test_the_scans_of_an_image_share_the_work_that_may_be_done(save: dict[str, Any]) -> None:
    """A file may have thousands of them."""
    content = photo(**save)
    frame, counter = Frame(), Counter()
    before = counter.left
    for segment in segments_of(content):
        data = bytes(segment.data)
        read_segment(frame, segment.marker, data)
        if segment.marker == DHT:
            counter.tables.update(tables_in(data))
        if segment.marker == SOS:
            coded = content[segment.start + 4 + len(data) : segment.end]
            assert counter.has_blocks(frame, Scan(frame, data), coded)
            assert counter.left <= before - 8 * len(coded) // 16
            before = counter.left
            counter.left, kept = 0, counter.left
            assert counter.has_blocks(frame, Scan(frame, data), b"\0")
            assert counter.left == 0
            counter.left = kept


def test_codes_that_are_left_to_the_decoder_are_not_counted() -> None:
    content = photo(quality=90)
    for segment in [one for one in segments_of(content) if one.marker == 0xC4][::-1]:
        content = content[: segment.start] + content[segment.end :]
    check_blocks(content)


@given(at=st.integers(0, 5_000), byte=st.integers(0, 255))
@settings(deadline=None)
def test_a_changed_byte_raises_nothing_but_broken(at: int, byte: int) -> None:
    content = bytearray(picture("JPEG"))
    content[at % len(content)] = byte
    try:
        measure(bytes(content))
        check_blocks(bytes(content))
    except BrokenImageError:
        pass
