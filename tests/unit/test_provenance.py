"""Whether a file contains a C2PA manifest: in each format, at each place, and in damaged files."""

import struct
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imagegen.domain.catalog import Tier
from imagegen.domain.errors import InvalidRequestError
from imagegen.domain.marks import Presence, read_c2pa
from imagegen.providers import PROVIDERS
from imagegen.usecases.generate.run import Made
from tests.fakes.catalogs import catalog, real_catalog, row
from tests.fakes.pictures import picture, png
from tests.fakes.service import Service

JUMBF = (
    b"\x00\x00\x00\x20jumb\x00\x00\x00\x18jumdc2pa\x00\x11\x00\x10\x80\x00\x00\xaa\x00\x38\x9b\x71"
)


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png_with(kind: bytes, data: bytes, *, at: int = 33) -> bytes:
    content = png()
    return content[:at] + chunk(kind, data) + content[at:]


def jpeg_with(marker: int, data: bytes) -> bytes:
    content = picture("JPEG")
    segment = bytes((0xFF, marker)) + struct.pack(">H", len(data) + 2) + data
    return content[:2] + segment + content[2:]


def webp_with(kind: bytes, data: bytes) -> bytes:
    content = picture("WEBP")
    padded = kind + struct.pack("<I", len(data)) + data + b"\x00" * (len(data) % 2)
    body = content[8:] + padded
    return b"RIFF" + struct.pack("<I", len(body)) + body


PRESENT = {
    "PNG": png_with(b"caBX", JUMBF),
    "PNG, behind its pixels": png_with(b"caBX", JUMBF, at=len(png()) - 12),
    "JPEG": jpeg_with(0xEB, b"JP\x00\x01\x00\x00\x00\x01" + JUMBF),
    "JPEG, a long manifest": jpeg_with(0xEB, b"JP\x00\x01\x00\x00\x00\x01" + JUMBF + b"x" * 60_000),
    "JPEG, fill bytes": picture("JPEG")[:2]
    + b"\xff\xff"
    + jpeg_with(0xEB, b"JP\x00\x01\x00\x00\x00\x01" + JUMBF)[2:],
    "WebP": webp_with(b"C2PA", JUMBF),
    "WebP, of odd length": webp_with(b"C2PA", JUMBF + b"x"),
}
ABSENT = {
    "PNG": png(),
    "JPEG": picture("JPEG"),
    "WebP": picture("WEBP"),
    "PNG whose text names it": png_with(b"tEXt", b"Comment\x00caBX c2pa jumb"),
    "PNG with a chunk of like name": png_with(b"caBx", JUMBF),
    "JPEG whose comment names it": jpeg_with(0xFE, b"jumb c2pa"),
    "JPEG with EXIF that names it": jpeg_with(0xE1, b"Exif\x00\x00 jumb c2pa"),
    "JPEG with another APP11": jpeg_with(0xEB, b"HDR_RI ver=11"),
    "JPEG with another JUMBF": jpeg_with(0xEB, b"JP\x00\x01\x00\x00\x00\x01" + b"jumb jumd cai_"),
    "WebP with EXIF that names it": webp_with(b"EXIF", b"C2PA c2pa jumb"),
    "PNG with the name behind its end": png() + b"caBX c2pa jumb",
}
OTHERS = {
    "nothing": b"",
    "text": b"caBX c2pa",
    "GIF": b"GIF89a" + JUMBF,
    "AVIF": b"\0\0\0\x20ftypavif",
}


@pytest.mark.parametrize("content", PRESENT.values(), ids=PRESENT)
def test_a_manifest_is_found_in_every_format(content: bytes) -> None:
    assert read_c2pa(content) is Presence.PRESENT


@pytest.mark.parametrize("content", ABSENT.values(), ids=ABSENT)
def test_bytes_that_only_look_like_one_are_none(content: bytes) -> None:
    assert read_c2pa(content) is Presence.ABSENT


@pytest.mark.parametrize("content", OTHERS.values(), ids=OTHERS)
def test_a_file_of_another_format_has_none(content: bytes) -> None:
    assert read_c2pa(content) is Presence.ABSENT


@given(
    st.binary(max_size=200), st.sampled_from([png()[:33], picture("JPEG")[:20], b"RIFF....WEBP"])
)
def test_damaged_files_are_read_to_their_end(rest: bytes, start: bytes) -> None:
    assert read_c2pa(start + rest) in set(Presence)


MARKED = {"openai": ("c2pa", "synthid"), "gemini": ("synthid",)}
"""What the vendors say; docs/marks.md has their pages."""
UNMARKED = set(PROVIDERS) - set(MARKED)


def test_each_row_has_the_marks_that_its_vendor_says_and_no_other() -> None:
    for one in real_catalog().models:
        assert one.marks == MARKED.get(one.provider, ())


# Only marked models, where the operator asks for it.


@pytest.mark.parametrize("tier", ["fast", "standard", "high", "ultra"])
def test_with_required_marks_the_other_rows_are_left_out_with_that_reason(tier: str) -> None:
    service = Service(catalog=real_catalog(), require_marks=True)
    offer = service.estimate(quality=tier)
    left_out = {one.provider for one in offer.alternatives if one.reason == "marks_missing"}
    assert offer.provider in MARKED
    assert left_out == UNMARKED & {row.provider for row in real_catalog().tier(Tier(tier))}
    without = Service(catalog=real_catalog()).estimate(quality=tier)
    assert "marks_missing" not in {one.reason for one in without.alternatives}


@pytest.mark.parametrize("wish", [{"provider": "together"}, {"model": "together-standard"}])
def test_a_named_row_without_marks_is_told_as_replaced(wish: dict[str, str]) -> None:
    service = Service(catalog=real_catalog(), require_marks=True)
    offer = service.estimate(**wish)
    assert offer.fallback is not None
    assert (offer.fallback.provider, offer.fallback.reason) == ("together", "marks_missing")
    assert offer.provider != "together"


def test_a_tier_without_a_marked_row_offers_nothing_and_says_why() -> None:
    service = Service(require_marks=True)
    with pytest.raises(InvalidRequestError) as caught:
        service.estimate()
    assert "no known mark of origin" in str(caught.value)


def test_the_list_of_models_says_which_are_not_offered() -> None:
    service = Service(catalog=real_catalog(), require_marks=True)
    for one in service.lister.models().models:
        assert one.reason == (None if one.provider in MARKED else "marks_missing")


def test_a_quote_from_before_makes_its_image_only_with_a_marked_model() -> None:
    rows = (
        row("alpha-standard", priority=1),
        row("beta-standard", priority=2, marks=["synthid"]),
    )
    service = Service(catalog=catalog(*rows))
    offer = service.estimate()
    service.redeploy(require_marks=True)
    made = service.confirm(offer)
    assert isinstance(made, Made)
    assert made.record.provider == "beta"
    assert made.record.watermark == "synthid"


def test_the_record_has_what_the_file_had_when_it_was_stored() -> None:
    service = Service(catalog=catalog(row("alpha-standard", priority=1, marks=["c2pa"])))
    service.react("alpha", png_with(b"caBX", JUMBF))
    assert service.make().record.c2pa == "present"
    service.react("alpha", png())
    assert service.make().record.c2pa == "absent"
