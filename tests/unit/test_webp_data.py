"""The data of a WebP are read to their last pixel: what is cut is broken, and the rest is not."""

import io
from functools import cache
from typing import Any

import pytest
from PIL import Image, ImageDraw, ImageFilter

from imagegen.domain import vp8_values, vp8l_codes
from imagegen.domain.pixels import BrokenImageError, measure
from imagegen.domain.webp_data import check_data

MISSING = pytest.raises(BrokenImageError)
NOISE, SOFT, FEW, TWO, CLEAR = "noise", "soft", "few colours", "two colours", "transparent"
WAYS: list[dict[str, Any]] = [
    {"quality": 75},
    {"quality": 20, "method": 0},
    {"quality": 95, "method": 6},
    {"lossless": True},
    {"lossless": True, "method": 0},
    {"lossless": True, "quality": 90, "method": 5},
]
LARGE = (96, 64)
SIZES = [LARGE, (31, 17), (16, 16), (1, 1), (241, 3)]


@cache
def drawn(kind: str, size: tuple[int, int]) -> Image.Image:
    tone = Image.linear_gradient("L").resize(size)
    noise = Image.effect_noise(size, 90).filter(ImageFilter.GaussianBlur(1))
    soft = Image.merge("RGB", (tone, tone.rotate(180), tone.point(lambda one: one // 2)))
    ImageDraw.Draw(soft).ellipse((2, 2, size[0] // 2 + 2, size[1] // 2 + 2), fill=(200, 80, 20))
    kinds = {
        NOISE: lambda: Image.merge("RGB", (noise, noise.rotate(180), tone)),
        SOFT: lambda: soft,
        FEW: lambda: soft.quantize(11).convert("RGB"),
        TWO: lambda: soft.quantize(2).convert("RGB"),
        CLEAR: lambda: Image.merge("RGBA", (*soft.split(), noise)),
    }
    return kinds[kind]()


def webp(kind: str, size: tuple[int, int], **save: Any) -> bytes:
    return written(kind, size, tuple(save.items()))


@cache
def written(kind: str, size: tuple[int, int], save: tuple[tuple[str, Any], ...]) -> bytes:
    out = io.BytesIO()
    drawn(kind, size).save(out, "WEBP", **dict(save))
    return out.getvalue()


def cut(content: bytes, chunk: bytes, keep: int) -> bytes:
    """Return a WebP whose chunk keeps so many bytes; all lengths agree."""
    at = content.find(chunk, 12)
    size = int.from_bytes(content[at + 4 : at + 8], "little")
    data = content[at + 8 : at + 8 + keep]
    rest = content[at + 8 + size + size % 2 :]
    body = content[8:at] + chunk + keep.to_bytes(4, "little") + data + b"\0" * (keep % 2) + rest
    return content[:4] + len(body).to_bytes(4, "little") + body


def size_of(content: bytes, chunk: bytes) -> int:
    at = content.find(chunk, 12)
    return int.from_bytes(content[at + 4 : at + 8], "little")


def opens(content: bytes) -> bool:
    """Return whether libwebp decodes it."""
    try:
        Image.open(io.BytesIO(content)).load()
    except (OSError, SyntaxError, ValueError):
        return False
    return True


@pytest.mark.thorough
@pytest.mark.parametrize("save", WAYS, ids=str)
@pytest.mark.parametrize("size", SIZES, ids=str)
@pytest.mark.parametrize("kind", [NOISE, SOFT, FEW, TWO, CLEAR])
def test_a_whole_image_is_whole(kind: str, size: tuple[int, int], save: dict[str, Any]) -> None:
    content = webp(kind, size, **save)
    measure(content)
    check_data(content)


@pytest.mark.thorough
@pytest.mark.parametrize("save", WAYS, ids=str)
@pytest.mark.parametrize("kind", [NOISE, SOFT, FEW, CLEAR])
@pytest.mark.parametrize("share", [0.3, 0.7, 0.98])
def test_an_image_that_is_cut_with_lengths_that_agree_is_broken(
    kind: str, save: dict[str, Any], share: float
) -> None:
    content = webp(kind, LARGE, **save)
    chunk = b"VP8L" if save.get("lossless") else b"VP8 "
    keep = min(int(size_of(content, chunk) * share), size_of(content, chunk) - 8)
    broken = cut(content, chunk, keep)
    assert not opens(broken)
    with MISSING:
        measure(broken)
        check_data(broken)


@pytest.mark.parametrize("share", [0, 0.5, 0.97])
@pytest.mark.parametrize("alpha_quality", [100, 40])
def test_transparency_that_is_cut_is_broken(share: float, alpha_quality: int) -> None:
    content = webp(CLEAR, LARGE, quality=80, alpha_quality=alpha_quality)
    with MISSING:
        check_data(cut(content, b"ALPH", int(size_of(content, b"ALPH") * share)))


def test_transparency_without_a_code_has_a_byte_for_each_pixel() -> None:
    content = webp(CLEAR, (31, 17), quality=80)
    at = content.find(b"ALPH")
    plain = bytearray(cut(content, b"ALPH", size_of(content, b"ALPH")))
    plain[at + 8] &= 0b11111100
    size = size_of(content, b"ALPH")
    whole = bytes(plain[: at + 9]) + bytes(31 * 17) + bytes(plain[at + 8 + size + size % 2 :])
    check_data(with_length(whole, at, 1 + 31 * 17))
    with MISSING:
        check_data(with_length(whole[: at + 9] + whole[at + 11 :], at, 31 * 17 - 1))


def with_length(content: bytes, at: int, size: int) -> bytes:
    data = content[:at] + b"ALPH" + size.to_bytes(4, "little") + content[at + 8 :]
    return data[:4] + (len(data) - 8).to_bytes(4, "little") + data[8:]


@pytest.mark.thorough
@pytest.mark.parametrize("save", WAYS, ids=str)
def test_damage_is_broken_or_read_and_never_an_error_of_ours(save: dict[str, Any]) -> None:
    content = webp(SOFT, (64, 48), **save)
    for at in range(20, len(content), max(1, len(content) // 60)):
        for value in (0, 255, content[at] ^ 0x55):
            damaged = content[:at] + bytes([value]) + content[at + 1 :]
            try:
                measure(damaged)
                check_data(damaged)
            except BrokenImageError:
                continue


def test_what_would_take_long_is_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vp8_values, "MOST_VALUES", 3_000)
    monkeypatch.setattr(vp8l_codes, "MOST_CODES", 3_000)
    lossy = webp(NOISE, LARGE, quality=75)
    check_data(cut(lossy, b"VP8 ", size_of(lossy, b"VP8 ") * 9 // 10))
    plain = webp(NOISE, LARGE, lossless=True)
    check_data(cut(plain, b"VP8L", size_of(plain, b"VP8L") * 9 // 10))
    monkeypatch.setattr(vp8_values, "MOST_BYTES", 100)
    check_data(cut(lossy, b"VP8 ", size_of(lossy, b"VP8 ") // 2))
