"""Metadata go; the image, its colours, its orientation and its marks stay byte for byte."""

import struct
from io import BytesIO
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageCms, ImageOps, PngImagePlugin

from imagegen.domain.marks import Presence, read_c2pa
from imagegen.domain.metadata import without_metadata
from imagegen.domain.orientation import read_orientation
from imagegen.domain.pixels import BrokenImageError, measure
from tests.fakes import exif
from tests.fakes.marks import jumbf, with_png_chunk, with_segments, with_webp_chunk
from tests.fakes.pictures import cutout, picture

SECRET = b"Rue du Secret 7"
XMP = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:li>' + SECRET + b"</rdf:li></x:xmpmeta>"
PROFILE = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
IPTC = b"Photoshop 3.0\x008BIM\x04\x04\0\0\0\0\0\x14\x1c\x02\x78\0\x0f" + SECRET
MANIFEST = jumbf(content=b"claim of a generator")
MANIFEST_SEGMENT = b"JP\0\1\0\0\0\1" + MANIFEST
SAVED: dict[str, dict[str, Any]] = {
    "PNG": {},
    "PNG of one bit": {"bits": 1},
    "JPEG": {},
    "progressive JPEG": {"progressive": True},
    "JPEG with restarts": {"restart_marker_blocks": 1},
    "WEBP": {},
    "lossless WEBP": {"lossless": True},
}


def private_exif(value: int) -> bytes:
    data = Image.Exif()
    data[0x0112] = value
    data[0x010E] = SECRET.decode()
    data.get_ifd(0x8825)[0x001D] = SECRET.decode()
    return data.tobytes()


def file_of(kind: str) -> str:
    return next(file for file in ("PNG", "JPEG", "WEBP") if file in kind)


def with_everything(kind: str, value: int = 6, *, alpha: bool = False) -> bytes:
    """Return an image that has each sort of metadata, a colour profile and a mark."""
    file = file_of(kind)
    save = {**SAVED[kind], "exif": private_exif(value), "icc_profile": PROFILE}
    if file == "PNG":
        text = PngImagePlugin.PngInfo()
        text.add_text("Author", SECRET.decode())
        text.add_text("Comment", SECRET.decode(), zip=True)
        text.add_itxt("XML:com.adobe.xmp", XMP.decode())
        content = (cutout if alpha else picture)("PNG", pnginfo=text, **save)
        content = with_png_chunk(content, b"tIME", bytes(7))
        content = with_png_chunk(content, b"prVt", SECRET, last=True)
        return with_png_chunk(content, b"caBX", MANIFEST) + SECRET
    if file == "JPEG":
        content = picture("JPEG", comment=SECRET, xmp=XMP, **save)
        content = with_segments(content, 0xED, [IPTC])
        content = with_segments(content, 0xE2, [b"FPXR\0" + SECRET])
        content = with_segments(content, 0xE0, [b"JFXX\0\x10" + SECRET])
        content = with_segments(content, 0xE5, [SECRET])
        content = with_segments(content, 0xEB, [MANIFEST_SEGMENT])
        return content + picture("JPEG", exif=private_exif(1))
    content = (cutout if alpha else picture)("WEBP", xmp=XMP, **save)
    content = with_webp_chunk(content, b"C2PA", MANIFEST)
    return with_webp_chunk(content, b"priv", SECRET) + SECRET


def shown(content: bytes) -> tuple[Any, ...]:
    image = Image.open(BytesIO(content))
    profile = image.info.get("icc_profile")
    return image.mode, image.size, profile, image.convert("RGBA").tobytes()


every_kind = pytest.mark.parametrize("kind", SAVED)
every_alpha = pytest.mark.parametrize("alpha", [False, True])


@every_alpha
@every_kind
def test_nothing_private_stays_and_everything_shown_does(kind: str, *, alpha: bool) -> None:
    content = with_everything(kind, alpha=alpha)
    assert SECRET in content
    clean = without_metadata(content)
    assert SECRET not in clean
    assert b"8825" not in repr(Image.open(BytesIO(clean)).getexif()).encode()
    assert shown(clean) == shown(content)
    assert measure(clean) == measure(content)
    assert set(Image.open(BytesIO(clean)).info) <= {
        *("icc_profile", "exif", "dpi", "gamma", "srgb", "interlace"),
        *("jfif", "jfif_version", "jfif_unit", "jfif_density", "progressive", "progression"),
        *("loop", "background", "timestamp", "duration"),
    }


@every_kind
def test_the_mark_stays_byte_for_byte(kind: str) -> None:
    clean = without_metadata(with_everything(kind))
    assert read_c2pa(clean) is Presence.PRESENT
    assert MANIFEST in clean


@every_alpha
@every_kind
def test_a_second_time_changes_nothing(kind: str, *, alpha: bool) -> None:
    clean = without_metadata(with_everything(kind, alpha=alpha))
    assert without_metadata(clean) == clean


@pytest.mark.parametrize("value", range(1, 9))
@every_kind
def test_the_orientation_stays_and_is_all_that_exif_says(kind: str, value: int) -> None:
    content = with_everything(kind, value)
    clean = without_metadata(content)
    assert read_orientation(clean) == value
    assert dict(Image.open(BytesIO(clean)).getexif()) == ({0x0112: value} if value > 1 else {})
    turned = [ImageOps.exif_transpose(Image.open(BytesIO(one))) for one in (content, clean)]
    assert turned[0].convert("RGBA").tobytes() == turned[1].convert("RGBA").tobytes()
    assert (b"Exif" in clean or b"eXIf" in clean or b"EXIF" in clean) == (value > 1)


@every_kind
def test_an_image_without_metadata_stays_as_it_is(kind: str) -> None:
    content = picture(file_of(kind), **SAVED[kind])
    assert without_metadata(content) == content


@pytest.mark.parametrize("kind", [kind for kind in SAVED if "JPEG" in kind])
def test_the_coded_data_of_a_jpeg_stay_byte_for_byte(kind: str) -> None:
    content = with_everything(kind)
    content = content[: content.index(picture("JPEG", exif=private_exif(1)))]
    coded = content[content.index(b"\xff\xda") :]
    clean = without_metadata(content)
    assert clean.endswith(coded)


def test_metadata_between_the_scans_of_a_progressive_jpeg_go() -> None:
    content = picture("JPEG", progressive=True)
    second = content.index(b"\xff\xda", content.index(b"\xff\xda") + 2)
    comment = struct.pack(">HH", 0xFFFE, len(SECRET) + 2) + SECRET
    assert without_metadata(content[:second] + comment + content[second:]) == content


def test_a_jpeg_in_cmyk_keeps_the_segment_that_explains_its_colours() -> None:
    out = BytesIO()
    Image.new("CMYK", (9, 9), (10, 20, 30, 40)).save(out, "JPEG", comment=SECRET)
    clean = without_metadata(out.getvalue())
    assert shown(clean) == shown(out.getvalue())
    assert b"Adobe" in clean


@pytest.mark.parametrize("marker", range(0xE0, 0xF0))
def test_every_application_s_segment_that_is_not_needed_goes(marker: int) -> None:
    content = with_segments(picture("JPEG"), marker, [SECRET])
    assert without_metadata(content) == picture("JPEG")


def test_a_thumbnail_in_the_first_segment_of_a_jpeg_goes() -> None:
    content = picture("JPEG")
    start = content.index(b"JFIF\0")
    thumbnail = b"\1\1\x0c\x22\x38"
    longer = struct.pack(">H", 16 + 3) + content[start : start + 12] + thumbnail
    large = content[: start - 2] + longer + content[start + 14 :]
    assert shown(large) == shown(content)
    assert without_metadata(large) == content


def test_the_index_of_further_images_goes_with_them() -> None:
    content = with_segments(picture("JPEG"), 0xE2, [b"MPF\0" + exif.turned(1)[6:]])
    assert without_metadata(content + picture("JPEG", comment=SECRET)) == picture("JPEG")


def test_many_parts_of_a_colour_profile_stay() -> None:
    content = picture("JPEG", icc_profile=bytes(range(256)) * 600)
    assert without_metadata(content) == content


@pytest.mark.parametrize("kind", [b"gAMA", b"sRGB", b"cHRM", b"cICP", b"sBIT"])
def test_the_colours_of_a_png_stay(kind: bytes) -> None:
    data = {b"gAMA": bytes((0, 0, 0xB1, 0x8F)), b"sRGB": b"\0", b"sBIT": b"\x08\x08\x08"}
    content = with_png_chunk(picture("PNG"), kind, data.get(kind, bytes(32)))
    assert without_metadata(content) == content


@pytest.mark.parametrize("file", ["PNG", "WEBP"])
def test_an_animation_keeps_its_frames(file: str) -> None:
    frames = [Image.new("RGB", (20, 10), colour) for colour in ("red", "green", "blue")]
    out = BytesIO()
    frames[0].save(
        out, file, save_all=True, append_images=frames[1:], lossless=True, exif=private_exif(1)
    )
    clean = without_metadata(out.getvalue())
    assert SECRET not in clean
    image = Image.open(BytesIO(clean))
    assert getattr(image, "n_frames", 1) == 3
    image.seek(2)
    assert image.convert("RGB").tobytes() == frames[2].tobytes()


def test_a_private_chunk_inside_a_frame_goes() -> None:
    out = BytesIO()
    frames = [Image.new("RGB", (20, 10), colour) for colour in ("red", "green")]
    frames[0].save(out, "WEBP", save_all=True, append_images=frames[1:])
    content = out.getvalue()
    at = content.index(b"ANMF")
    (size,) = struct.unpack_from("<I", content, at + 4)
    end, private = at + 8 + size + size % 2, b"priv" + struct.pack("<I", 16) + SECRET + b"\0"
    head = content[at : at + 4] + struct.pack("<I", end - at - 8 + len(private))
    changed = content[:at] + head + content[at + 8 : end] + private + content[end:]
    changed = changed[:4] + struct.pack("<I", len(changed) - 8) + changed[8:]
    clean = without_metadata(changed)
    assert SECRET not in clean
    assert getattr(Image.open(BytesIO(clean)), "n_frames", 1) == 2


def test_frames_that_are_nested_in_frames_are_not_followed() -> None:
    """There are none in a frame; a file could nest them deeper than calls may be."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return kind + struct.pack("<I", len(data)) + data + bytes(len(data) % 2)

    nested = chunk(b"VP8L", b"inner")
    for _ in range(5_000):
        nested = chunk(b"ANMF", bytes(16) + nested)
    body = b"WEBP" + chunk(b"VP8X", bytes(10)) + nested
    clean = without_metadata(b"RIFF" + struct.pack("<I", len(body)) + body)
    assert clean.count(b"ANMF") == 1
    assert b"inner" not in clean


@pytest.mark.parametrize("alpha", [False, True])
def test_the_header_of_a_webp_announces_what_is_there(*, alpha: bool) -> None:
    for value, flag in ((1, 0), (6, 0x08)):
        clean = without_metadata(with_everything("WEBP", value, alpha=alpha))
        assert struct.unpack_from("<I", clean, 4)[0] == len(clean) - 8
        assert len(clean) % 2 == 0
        assert clean[20] & 0x0C == flag
        assert bool(clean[20] & 0x10) == alpha
        assert clean[20] & 0x20


def test_the_exif_of_a_webp_that_is_not_announced_turns_nothing_afterwards() -> None:
    content = bytearray(picture("WEBP", exif=exif.turned(6)))
    content[20] &= ~0x08
    assert b"EXIF" not in without_metadata(bytes(content))


def test_odd_chunks_are_padded() -> None:
    content = with_webp_chunk(picture("WEBP", icc_profile=PROFILE + b"x"), b"C2PA", MANIFEST + b"y")
    assert without_metadata(content) == content


WAVE = picture("WEBP").replace(b"WEBP", b"WAVE", 1)
NO_LENGTH = picture("JPEG").replace(b"\xff\xe0\0\x10", b"\xff\xe0\0\1", 1)


@pytest.mark.parametrize("content", [b"", b"GIF89a", b"RIFF", WAVE[:11], WAVE, NO_LENGTH])
def test_what_is_no_image_is_broken(content: bytes) -> None:
    with pytest.raises(BrokenImageError):
        without_metadata(content)


@pytest.mark.parametrize("kind", SAVED)
def test_a_file_that_is_cut_off_is_broken_or_cleaned(kind: str) -> None:
    content = with_everything(kind)
    for end in range(0, len(content), 7):
        try:
            clean = without_metadata(content[:end])
        except BrokenImageError:
            continue
        assert SECRET not in clean


@given(st.sampled_from(sorted(SAVED)), st.data())
def test_a_changed_byte_raises_nothing_but_broken(kind: str, data: st.DataObject) -> None:
    content = bytearray(with_everything(kind))
    for _ in range(3):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    try:
        clean = without_metadata(bytes(content))
    except BrokenImageError:
        return
    assert without_metadata(clean) == clean


@pytest.mark.parametrize("between", [b"\0private", b"\xff\xff\xff"])
def test_bytes_between_the_segments_of_a_jpeg_go(between: bytes) -> None:
    content = picture("JPEG")
    table = content.index(b"\xff\xdb") + 2
    at = table + int.from_bytes(content[table : table + 2])
    assert without_metadata(content[:at] + between + content[at:]) == without_metadata(content)
