"""What a person may give with a request; each refusal says what is wrong and what to do."""

import struct
import zlib
from contextlib import suppress
from io import BytesIO

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from imagegen.domain.errors import ParameterError
from imagegen.domain.input_files import (
    MAX_BYTES,
    MAX_PIXELS,
    MAX_RATIO,
    MAX_SIDE,
    InputFacts,
    check_input,
)
from imagegen.domain.jpeg_segments import packed_segment
from imagegen.domain.pixels import BrokenImageError, is_whole, measure
from imagegen.domain.png_chunks import packed_chunk
from tests.examples import examples
from tests.fakes import exif
from tests.fakes.marks import with_png_chunk, with_segments, with_webp_chunk
from tests.fakes.pictures import HEIGHT, WIDTH, cutout, picture
from tests.fakes.pngs import CHANNELS, KINDS, Kind, write_png
from tests.fakes.steps import counted_calls

ACCEPTED = {
    "PNG": (picture("PNG"), "image/png", False),
    "PNG with alpha": (picture("PNG", alpha=True), "image/png", True),
    "cutout": (cutout(), "image/png", True),
    "JPEG": (picture("JPEG"), "image/jpeg", False),
    "progressive JPEG": (picture("JPEG", progressive=True), "image/jpeg", False),
    "JPEG with restarts": (picture("JPEG", restart_marker_blocks=1), "image/jpeg", False),
    "JPEG with a profile": (picture("JPEG", icc_profile=bytes(200_000)), "image/jpeg", False),
    "WebP": (picture("WEBP"), "image/webp", False),
    "lossless WebP": (picture("WEBP", lossless=True), "image/webp", False),
    "WebP cutout": (cutout("WEBP"), "image/webp", True),
    "lossless WebP cutout": (cutout("WEBP", lossless=True), "image/webp", True),
    "bytes behind the image": (picture("JPEG") + bytes(99), "image/jpeg", False),
}


def refusal(content: bytes) -> str:
    with pytest.raises(ParameterError) as caught:
        check_input(content)
    assert caught.value.param == "inputs"
    message = str(caught.value)
    assert message.endswith(".")
    assert message.count(". ") >= 1, "a reason, and what to do"
    return message


def png_header(width: int, height: int, colour: int = 2, depth: int = 8) -> bytes:
    """Return a PNG of a size with next to no data."""
    return write_png(Kind(colour, depth), [[(0,) * CHANNELS[colour]]], size=(width, height))


def jpeg_of(width: int, height: int) -> bytes:
    """Return a JPEG whose frame claims another size."""
    content = bytearray(picture("JPEG"))
    at = content.index(b"\xff\xc0")
    content[at + 5 : at + 9] = struct.pack(">HH", height, width)
    return bytes(content)


def webp_of(width: int, height: int) -> bytes:
    """Return a WebP whose frame claims another size."""
    content = bytearray(picture("WEBP", lossless=True))
    bits = (width - 1) | (height - 1) << 14
    content[21:25] = struct.pack("<I", bits)
    return bytes(content)


@pytest.mark.parametrize(("content", "media_type", "has_alpha"), ACCEPTED.values(), ids=ACCEPTED)
def test_an_ordinary_file_is_accepted(content: bytes, media_type: str, *, has_alpha: bool) -> None:
    assert check_input(content) == InputFacts(media_type, WIDTH, HEIGHT, has_alpha)


@pytest.mark.parametrize("is_interlaced", [False, True])
@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_every_kind_of_png_is_accepted(kind: Kind, *, is_interlaced: bool) -> None:
    palette = bytes(3 << kind.depth) if kind.colour == 3 else b""
    pixels = [[(1,) * CHANNELS[kind.colour]] * 9] * 5
    content = write_png(kind, pixels, palette=palette, is_interlaced=is_interlaced)
    assert check_input(content) == InputFacts("image/png", 9, 5, kind.colour in (4, 6))


def test_a_png_whose_alpha_is_in_trns_has_alpha() -> None:
    content = write_png(Kind(0, 8), [[(1,)]], transparency=b"\0\1")
    assert check_input(content).has_alpha


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
@pytest.mark.parametrize("value", range(1, 9))
def test_the_size_is_the_one_that_is_seen(kind: str, value: int) -> None:
    facts = check_input(picture(kind, exif=exif.turned(value)))
    assert (facts.width, facts.height) == ((HEIGHT, WIDTH) if value > 4 else (WIDTH, HEIGHT))


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (b"GIF89a" + bytes(50), "a GIF"),
        (b"BM" + bytes(50), "a BMP"),
        (b"II*\0" + bytes(50), "a TIFF"),
        (b"%PDF-1.7", "a PDF"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "SVG or HTML"),
        (b"\xef\xbb\xbf\n <!DOCTYPE html><script>alert(1)</script>", "SVG or HTML"),
        (b"<?xml version='1.0'?><svg/>", "SVG or HTML"),
        (b"\0\0\0\x1cftypavif" + bytes(50), "an AVIF"),
        (b"\0\0\0\x1cftypavis" + bytes(50), "an AVIF"),
        (b"\0\0\0\x1cftypheic" + bytes(50), "a HEIC"),
        (b"\0\0\0\x0cJXL \r\n\x87\n", "a JPEG XL"),
        (b"8BPS\0\1", "a Photoshop file"),
        (b"RIFF\4\0\0\0WAVE", "not an image"),
        (b"hello", "not an image"),
        (b"\x89PNG", "not an image"),
        (b"\x89PNG\n\x1a\n" + picture("PNG")[8:], "not an image"),
        (b" " + picture("PNG"), "not an image"),
    ],
)
def test_another_format_is_named(content: bytes, name: str) -> None:
    message = refusal(content)
    assert name in message
    assert "PNG, JPEG or WebP" in message


def test_an_empty_file_is_refused() -> None:
    assert "empty" in refusal(b"")


def test_the_limits_are_the_promised_ones() -> None:
    assert (MAX_BYTES, MAX_PIXELS, MAX_SIDE, MAX_RATIO) == (10_485_760, 25_000_000, 8_192, 3)


def test_ten_megabytes_are_accepted_and_one_byte_more_is_not() -> None:
    content = picture("JPEG")
    assert check_input(content + bytes(MAX_BYTES - len(content)))
    assert f"{MAX_BYTES + 1} bytes" in refusal(content + bytes(MAX_BYTES + 1 - len(content)))


@pytest.mark.parametrize("make", [png_header, jpeg_of, webp_of])
@pytest.mark.parametrize(
    ("size", "reason"),
    [
        ((MAX_SIDE + 1, 4000), "for a side"),
        ((4000, MAX_SIDE + 1), "for a side"),
        ((8000, 3126), "25 million"),
        ((5001, 5000), "25 million"),
        ((301, 100), "3 times"),
        ((100, 301), "3 times"),
        ((8192, 1), "3 times"),
    ],
)
def test_a_size_that_is_not_allowed_is_refused(
    make: object, size: tuple[int, int], reason: str
) -> None:
    assert callable(make)
    message = refusal(make(*size))
    assert reason in message
    assert f"{size[0]}x{size[1]}" in message


@pytest.mark.parametrize("size", [(20_000, 1), (2**31 - 1, 2**31 - 1), (100_000, 100_000)])
def test_an_absurd_png_is_refused_before_it_is_unpacked(size: tuple[int, int]) -> None:
    assert "for a side" in refusal(png_header(*size))


@pytest.mark.parametrize("size", [(300, 100), (100, 300), (1, 1), (1, 3)])
def test_three_to_one_is_accepted(size: tuple[int, int]) -> None:
    content = write_png(Kind(0, 8), [[(0,)] * size[0]] * size[1])
    assert (check_input(content).width, check_input(content).height) == size


def test_twenty_five_million_pixels_are_accepted() -> None:
    content = BytesIO()
    Image.new("1", (5000, 5000)).save(content, "PNG")
    assert check_input(content.getvalue()).width == 5000


@pytest.mark.parametrize("kind", ["PNG", "WEBP"])
def test_an_animation_is_refused(kind: str) -> None:
    frames = [Image.new("RGB", (20, 10), colour) for colour in ("red", "green")]
    out = BytesIO()
    frames[0].save(out, kind, save_all=True, append_images=frames[1:])
    assert "animated" in refusal(out.getvalue())


def test_a_png_with_the_control_chunk_of_one_frame_is_refused() -> None:
    content = with_png_chunk(picture("PNG"), b"acTL", struct.pack(">II", 1, 0))
    assert "animated" in refusal(content)


@pytest.mark.parametrize("kind", [b"ANIM", b"ANMF"])
def test_a_webp_with_a_part_of_an_animation_is_refused(kind: bytes) -> None:
    assert "animated" in refusal(with_webp_chunk(picture("WEBP", exif=b"MM"), kind, bytes(30)))


def test_cmyk_is_refused() -> None:
    out = BytesIO()
    Image.new("CMYK", (9, 9)).save(out, "JPEG")
    assert "CMYK" in refusal(out.getvalue())


@pytest.mark.parametrize("marker", [0xC3, 0xC5, 0xC9, 0xCA, 0xCB, 0xCF])
def test_a_rare_kind_of_jpeg_is_refused(marker: int) -> None:
    content = picture("JPEG").replace(b"\xff\xc0", bytes((0xFF, marker)), 1)
    assert "rare kind" in refusal(content)


def test_extended_sequential_of_eight_bits_is_as_common_as_baseline() -> None:
    content = picture("JPEG").replace(b"\xff\xc0", b"\xff\xc1", 1)
    assert check_input(content).width == WIDTH


def test_a_grey_jpeg_is_accepted() -> None:
    out = BytesIO()
    Image.new("L", (9, 9), 7).save(out, "JPEG")
    assert check_input(out.getvalue()) == InputFacts("image/jpeg", 9, 9, has_alpha=False)


def test_a_jpeg_of_twelve_bits_is_refused() -> None:
    content = bytearray(picture("JPEG"))
    content[content.index(b"\xff\xc0") + 4] = 12
    assert "rare kind" in refusal(bytes(content))


def test_a_jpeg_with_hundreds_of_scans_is_refused() -> None:
    content = picture("JPEG", progressive=True)
    start = content.rindex(b"\xff\xda")
    scan = content[start:-2]
    assert check_input(content[:-2] + scan * 50 + content[-2:])
    assert "scans" in refusal(content[:-2] + scan * 100 + content[-2:])


def test_a_jpeg_with_two_frames_is_refused() -> None:
    content = picture("JPEG")
    at = content.index(b"\xff\xc0")
    frame = content[at : at + 19]
    assert "damaged" in refusal(content[:at] + frame + content[at:])


@pytest.mark.parametrize("count", [1_001, 1_000_000])
def test_millions_of_empty_parts_are_refused(count: int) -> None:
    jpeg = picture("JPEG")
    assert "parts" in refusal(jpeg[:2] + b"\xff\xe5\0\2" * count + jpeg[2:])
    webp = picture("WEBP") + b"priv\0\0\0\0" * count
    assert "parts" in refusal(webp[:4] + struct.pack("<I", len(webp) - 8) + webp[8:])


def test_tens_of_thousands_of_chunks_in_a_png_are_refused_and_thousands_are_not() -> None:
    content, chunk = picture("PNG"), packed_chunk(b"prVt", b"")
    assert "parts" in refusal(content[:33] + chunk * 700_000 + content[33:])
    assert check_input(content[:33] + chunk * 19_000 + content[33:]).width == WIDTH


def test_hundreds_of_parts_are_accepted() -> None:
    content = with_segments(picture("JPEG"), 0xE5, [b""] * 900)
    assert check_input(content).width == WIDTH


@pytest.mark.parametrize("more", [1, 50_000_000])
def test_a_decompression_bomb_is_refused(more: int) -> None:
    assert "unpack to more" in refusal(write_png(Kind(2, 8), [[(0, 0, 0)]], more=bytes(more)))


def test_a_bomb_in_many_chunks_is_refused() -> None:
    bomb = zlib.compress(bytes(60_000_000))
    pieces = [(b"IDAT", bomb[start : start + 100]) for start in range(0, len(bomb), 100)]
    content = picture("PNG")
    start = content.index(b"IDAT") - 4
    chunks = b"".join(packed_chunk(*one) for one in [*pieces, (b"IEND", b"")])
    assert "unpack to more" in refusal(content[:start] + chunks)


@pytest.mark.parametrize("content", [one[0] for one in ACCEPTED.values()], ids=ACCEPTED)
def test_a_file_without_its_last_tenth_is_refused(content: bytes) -> None:
    assert "damaged" in refusal(content[: len(content.removesuffix(bytes(99))) * 9 // 10])


@pytest.mark.parametrize("content", [one[0] for one in ACCEPTED.values()], ids=ACCEPTED)
def test_a_file_that_is_cut_off_anywhere_is_refused_or_right(content: bytes) -> None:
    for end in range(0, len(content), max(1, len(content) // 300)):
        try:
            facts = check_input(content[:end])
        except ParameterError:
            continue
        assert (facts.width, facts.height) == (WIDTH, HEIGHT)


@pytest.mark.parametrize("change", [b"IDAT", b"IHDR", b"IEND"])
def test_a_png_without_one_of_its_chunks_is_refused(change: bytes) -> None:
    assert "damaged" in refusal(picture("PNG").replace(change, b"prVt"))


def test_a_png_with_a_wrong_checksum_is_refused() -> None:
    content = bytearray(picture("PNG"))
    content[-20] ^= 1
    assert "damaged" in refusal(bytes(content))


def test_a_scan_of_a_jpeg_whose_head_is_too_short_is_refused() -> None:
    content = picture("JPEG")
    at = content.index(b"\xff\xda")
    assert "damaged" in refusal(content[:at] + b"\xff\xda\0\3\3" + content[at + 14 :])


def test_a_run_of_fill_bytes_is_read_once() -> None:
    content = picture("JPEG").removesuffix(b"\xff\xd9")
    assert check_input(content + b"\xff" * 60 + b"\xd9").width == WIDTH
    # So many would keep a function busy if the search began anew at each of them.
    assert "damaged" in refusal(content + b"\xff" * 5_000_000 + b"\xd9")


def flat_jpeg(
    *, sampling: int = 0x11, codes: bytes = b"\1" + bytes(15), edge: int = 512, scans: int = 1
) -> bytes:
    """Return a grey JPEG with a restart marker behind each block; a block is two bits 0."""
    tables = [(0xC4, bytes((name,)) + codes + bytes(sum(codes))) for name in (0, 0x10)]
    frame = struct.pack(">BHHBBBB", 8, edge, edge, 1, 1, sampling, 0)
    head = [*tables, (0xC0, frame), (0xDD, b"\0\1")]
    scan = packed_segment(0xDA, b"\1\1\0\0\x3f\0") + b"\0\xff\xd0" * ((edge // 8) ** 2 - 1) + b"\0"
    return b"\xff\xd8" + b"".join(packed_segment(*one) for one in head) + scan * scans + b"\xff\xd9"


DAMAGED_JPEGS = {
    **{f"sampling {one:#x}": flat_jpeg(sampling=one) for one in (0, 0x01, 0x10, 0x15, 0x51, 0xFF)},
    "three codes of one bit": flat_jpeg(codes=b"\3" + bytes(15)),
    "a code too many of two bits": flat_jpeg(codes=b"\1\3" + bytes(14)),
    "a code behind all of two bits": flat_jpeg(codes=b"\0\4\1" + bytes(13)),
}


@pytest.mark.parametrize("content", DAMAGED_JPEGS.values(), ids=DAMAGED_JPEGS)
def test_numbers_that_no_decoder_reads_are_damage(content: bytes) -> None:
    assert "damaged" in refusal(content)
    with pytest.raises(BrokenImageError, match="damaged"):
        measure(content)
    assert not is_whole(content)


def test_numbers_at_the_limits_of_jpeg_are_read() -> None:
    for sampling in (0x11, 0x44):
        assert check_input(flat_jpeg(sampling=sampling)).width == 512
    assert check_input(flat_jpeg(codes=b"\1\2" + bytes(14))).width == 512
    assert measure(flat_jpeg()).is_blank


def test_blocks_between_restart_markers_are_not_compared() -> None:
    content = flat_jpeg(scans=8)
    with counted_calls() as calls:
        assert check_input(content).width == 512
    assert calls["read_jpeg"] == 1
    assert calls["is_blank"] == 0


def test_hostile_exif_changes_nothing() -> None:
    for data in (bytes(60_000), b"MM\0*\xff\xff\xff\xff", exif.tiff([], count=65_535)):
        content = with_segments(picture("JPEG"), 0xE1, [b"Exif\0\0" + data])
        assert check_input(content).width == WIDTH


@examples(300)
@given(st.sampled_from(sorted(ACCEPTED)), st.data())
def test_a_changed_byte_is_refused_or_accepted(name: str, data: st.DataObject) -> None:
    content = bytearray(ACCEPTED[name][0])
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, min(len(content), 700) - 1))] = data.draw(
            st.integers(0, 255)
        )
    with suppress(ParameterError):
        check_input(bytes(content))


@given(st.binary(max_size=200))
def test_any_bytes_are_refused_with_a_sentence(tail: bytes) -> None:
    for head in (b"", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"RIFF\x40\0\0\0WEBPVP8X"):
        refusal(head + tail)


def test_a_webp_whose_header_announces_an_animation_is_refused_whatever_follows() -> None:
    content = bytearray(picture("WEBP", exif=b"MM"))
    content[content.index(b"VP8X") + 8] |= 0x02
    assert "animated" in refusal(bytes(content))
