"""A mask is transparent where the first input may change; anything else is refused or converted."""

import random
import struct
import zlib
from io import BytesIO

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from imagegen.domain.errors import ParameterError
from imagegen.domain.masks import (
    MAX_MASK_BYTES,
    MAX_MASK_PIXELS,
    Mask,
    check_mask,
    from_luminance,
    to_darkness,
    to_luminance,
)
from imagegen.domain.pixels import PNG_SIGNATURE, BrokenImageError
from imagegen.domain.png_chunks import packed_chunk
from tests.examples import examples
from tests.fakes import exif
from tests.fakes.marks import with_png_chunk
from tests.fakes.pictures import HEIGHT, WIDTH, cutout, picture
from tests.fakes.pngs import Kind, write_png

SIZE = (WIDTH, HEIGHT)
HALF = WIDTH * HEIGHT // 2


def pillow(content: bytes) -> Image.Image:
    return Image.open(BytesIO(content))


def saved(image: Image.Image, **save: object) -> bytes:
    out = BytesIO()
    image.save(out, "PNG", **save)
    return out.getvalue()


def refusal(content: bytes, size: tuple[int, int] = SIZE) -> str:
    with pytest.raises(ParameterError) as caught:
        check_mask(content, size)
    assert caught.value.param == "mask"
    return str(caught.value)


def quantized() -> Image.Image:
    return pillow(cutout()).quantize(16)


def two_colours(kind: Kind) -> bytes:
    pixels = [[(0,) if x < WIDTH // 2 else (kind.most,) for x in range(WIDTH)]] * HEIGHT
    palette = bytes(3 << kind.depth) if kind.colour == 3 else b""
    transparency = b"\0" if kind.colour == 3 else b"\0\0"
    return write_png(kind, pixels, palette=palette, transparency=transparency)


MASKS = {
    "RGBA": cutout(),
    "grey and alpha": saved(pillow(cutout()).convert("LA")),
    "a palette as Pillow writes it": saved(quantized()),
    **{f"a palette of {depth} bits": two_colours(Kind(3, depth)) for depth in (1, 2, 4, 8)},
    **{f"grey of {depth} bits": two_colours(Kind(0, depth)) for depth in (1, 2, 4, 8, 16)},
    "RGBA of 16 bits": write_png(
        Kind(6, 16), [[(0, 0, 0, 65_535 * (x >= WIDTH // 2)) for x in range(WIDTH)]] * HEIGHT
    ),
    "interlaced": write_png(
        Kind(6, 8),
        [[(0, 0, 0, 255 * (x >= WIDTH // 2)) for x in range(WIDTH)]] * HEIGHT,
        is_interlaced=True,
    ),
    "with a colour key": saved(
        Image.frombytes("RGB", SIZE, (bytes(WIDTH // 2 * 3) + b"\xff" * (WIDTH // 2 * 3)) * HEIGHT),
        transparency=(0, 0, 0),
    ),
}


@pytest.mark.parametrize("content", MASKS.values(), ids=MASKS.keys())
def test_a_mask_of_any_kind_with_alpha_is_accepted(content: bytes) -> None:
    assert check_mask(content, SIZE) == Mask(*SIZE, clear_pixels=HALF)


@pytest.mark.parametrize("content", MASKS.values(), ids=MASKS.keys())
def test_a_mask_becomes_white_where_it_is_transparent(content: bytes) -> None:
    grey = pillow(to_luminance(content))
    assert (grey.mode, grey.size) == ("L", SIZE)
    alpha = pillow(content).convert("RGBA").getchannel("A")
    assert grey.tobytes() == bytes(255 - one for one in alpha.tobytes())
    assert grey.getpixel((0, 0)) == 255
    assert grey.getpixel((WIDTH - 1, HEIGHT - 1)) == 0


@pytest.mark.parametrize("content", MASKS.values(), ids=MASKS.keys())
def test_a_mask_becomes_black_where_it_is_transparent_and_white_elsewhere(content: bytes) -> None:
    dark = to_darkness(content)
    assert dark is not None
    alpha = pillow(content).convert("RGBA").getchannel("A")
    expected = bytes(255 if one >= 128 else 0 for one in alpha.tobytes())
    assert (pillow(dark).mode, pillow(dark).tobytes()) == ("L", expected)


def test_a_mask_that_keeps_nothing_has_no_form_in_two_colours() -> None:
    assert to_darkness(saved(Image.new("RGBA", SIZE, (0, 0, 0, 127)))) is None


def test_a_mask_without_alpha_has_no_form_in_two_colours() -> None:
    with pytest.raises(BrokenImageError):
        to_darkness(saved(Image.new("RGB", SIZE)))


@pytest.mark.parametrize("content", MASKS.values(), ids=MASKS.keys())
def test_a_mask_comes_back_from_its_luminance(content: bytes) -> None:
    back = from_luminance(to_luminance(content))
    alpha = pillow(content).convert("RGBA").getchannel("A")
    assert pillow(back).mode == "RGBA"
    assert pillow(back).getchannel("A").tobytes() == alpha.tobytes()
    assert check_mask(back, SIZE).clear_pixels == HALF


@examples(50)
@given(st.integers(1, 40), st.integers(1, 40), st.data())
def test_both_directions_are_each_other_s_reverse(
    width: int, height: int, data: st.DataObject
) -> None:
    alpha = data.draw(st.binary(min_size=width * height, max_size=width * height))
    image = Image.new("RGBA", (width, height), (1, 2, 3, 0))
    image.putalpha(Image.frombytes("L", (width, height), alpha))
    grey = to_luminance(saved(image))
    assert pillow(grey).tobytes() == bytes(255 - one for one in alpha)
    assert pillow(from_luminance(grey)).getchannel("A").tobytes() == alpha
    assert to_luminance(from_luminance(grey)) == grey


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB", "I;16"])
def test_a_picture_of_any_kind_becomes_transparent_where_it_is_white(mode: str) -> None:
    if mode == "I;16":
        pixels = [[(65_535,) if x < WIDTH // 2 else (0,) for x in range(WIDTH)]] * HEIGHT
        content = write_png(Kind(0, 16), pixels)
    else:
        image = Image.new("L", SIZE, 0)
        image.paste(255, (0, 0, WIDTH // 2, HEIGHT))
        content = saved(image.convert(mode))
    alpha = pillow(from_luminance(content)).getchannel("A")
    assert alpha.tobytes() == (bytes(WIDTH // 2) + b"\xff" * (WIDTH // 2)) * HEIGHT
    assert check_mask(from_luminance(content), SIZE).clear_pixels == HALF


@pytest.mark.thorough
def test_a_mask_whose_alpha_differs_at_too_many_places_is_refused_with_what_to_do() -> None:
    """Its file is small, and restoring it byte by byte would take seconds of a core."""
    width, height = 3_001, 3_000
    rows = (bytes([4]) + b"\0\1" * width,) * height
    data = zlib.compress(b"".join(rows), 1)
    header = struct.pack(">IIBBBBB", width, height, 8, 4, 0, 0, 0)
    chunks = (b"IHDR", header), (b"IDAT", data), (b"IEND", b"")
    content = PNG_SIGNATURE + b"".join(packed_chunk(*one) for one in chunks)
    assert len(content) < MAX_MASK_BYTES
    message = refusal(content, (width, height))
    assert "changes at too many places" in message
    assert "hard edges" in message


@pytest.mark.thorough
def test_a_large_mask_with_hard_edges_is_accepted() -> None:
    size = (4_500, 4_500)
    image = Image.new("LA", size, (0, 255))
    image.paste((0, 0), (1_000, 1_000, 3_000, 3_500))
    assert check_mask(saved(image), size).clear_pixels == 2_000 * 2_500


def test_partial_alpha_is_proportional() -> None:
    ramp = Image.new("RGBA", (256, 1))
    ramp.putalpha(Image.frombytes("L", (256, 1), bytes(range(256))))
    assert pillow(to_luminance(saved(ramp))).tobytes() == bytes(range(255, -1, -1))


def test_a_mask_that_may_change_everything_is_accepted_and_counted() -> None:
    content = saved(Image.new("RGBA", SIZE, (0, 0, 0, 0)))
    assert check_mask(content, SIZE).clear_pixels == WIDTH * HEIGHT


def test_one_fully_transparent_pixel_is_enough() -> None:
    image = Image.new("RGBA", SIZE, (0, 0, 0, 255))
    image.putpixel((WIDTH - 1, HEIGHT - 1), (0, 0, 0, 0))
    assert check_mask(saved(image), SIZE).clear_pixels == 1


BLACK_AND_WHITE = [saved(Image.new("L", SIZE, 0).convert(mode)) for mode in ("1", "L", "P", "RGB")]


@pytest.mark.parametrize("content", BLACK_AND_WHITE)
def test_black_and_white_without_alpha_is_refused(content: bytes) -> None:
    said = refusal(content)
    assert "no alpha channel" in said
    assert "Make the part to change transparent" in said


def test_black_and_white_with_an_opaque_alpha_is_refused() -> None:
    said = refusal(saved(Image.new("RGBA", SIZE, "white")))
    assert "No pixel of the mask is fully transparent" in said
    assert "black and white neither" in said


@pytest.mark.parametrize("alpha", [1, 128, 254])
def test_partial_alpha_alone_is_refused(alpha: int) -> None:
    said = refusal(saved(Image.new("RGBA", SIZE, (0, 0, 0, alpha))))
    assert "fully transparent" in said


def test_almost_transparent_in_16_bits_is_not_fully_transparent() -> None:
    assert "fully transparent" in refusal(write_png(Kind(4, 16), [[(0, 255)] * WIDTH] * HEIGHT))


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (picture("JPEG"), "is a JPEG, which cannot be transparent"),
        (picture("WEBP"), "is not a PNG"),
        (b"", "is not a PNG"),
        (b"<svg/>", "is not a PNG"),
        (b"GIF89a", "is not a PNG"),
        (cutout()[:-30], "cannot be read"),
        (cutout()[:20], "cannot be read"),
        (cutout().replace(b"IDAT", b"IDBT"), "cannot be read"),
        (write_png(Kind(4, 8), [[(0, 0)] * WIDTH] * HEIGHT, more=bytes(9)), "cannot be read"),
    ],
)
def test_any_other_file_is_refused(content: bytes, reason: str) -> None:
    assert reason in refusal(content)


@pytest.mark.parametrize("size", [(WIDTH + 1, HEIGHT), (HEIGHT, WIDTH), (2 * WIDTH, 2 * HEIGHT)])
def test_another_size_is_refused_with_both_sizes(size: tuple[int, int]) -> None:
    said = refusal(cutout(), size)
    assert f"{WIDTH}x{HEIGHT}" in said
    assert f"{size[0]}x{size[1]}" in said


def test_a_mask_with_an_orientation_is_refused() -> None:
    assert "EXIF orientation" in refusal(cutout(exif=exif.turned(3)))
    assert check_mask(cutout(exif=exif.turned(1)), SIZE).clear_pixels == HALF


def test_a_mask_of_four_megabytes_is_refused_and_one_byte_less_is_not() -> None:
    assert MAX_MASK_BYTES == 4_000_000
    room = MAX_MASK_BYTES - len(cutout()) - 12
    assert f"less than {MAX_MASK_BYTES}" in refusal(with_png_chunk(cutout(), b"prVt", bytes(room)))
    assert check_mask(with_png_chunk(cutout(), b"prVt", bytes(room - 1)), SIZE)


def test_a_mask_of_absurd_size_is_refused_before_it_is_unpacked() -> None:
    content = write_png(Kind(4, 8), [[(0, 0)]], size=(100_000, 100_000))
    assert "too many pixels" in refusal(content, (100_000, 100_000))
    with pytest.raises(BrokenImageError):
        to_luminance(content)
    with pytest.raises(BrokenImageError):
        from_luminance(content)
    assert MAX_MASK_PIXELS < 100_000**2


@pytest.mark.thorough
def test_a_mask_of_the_largest_input_is_accepted() -> None:
    content = saved(Image.new("1", (5000, 5000)), transparency=0)
    assert check_mask(content, (5000, 5000)).clear_pixels == MAX_MASK_PIXELS


def test_only_a_png_with_alpha_has_a_luminance() -> None:
    for content in (picture("PNG"), picture("JPEG"), b""):
        with pytest.raises(BrokenImageError):
            to_luminance(content)
    with pytest.raises(BrokenImageError):
        from_luminance(picture("JPEG"))


def test_the_work_for_a_mask_of_4k_is_bounded_by_its_rows() -> None:
    """The largest usual mask, noisy, with the filter that cannot be skipped."""
    noise = random.Random(1).randbytes(3840)
    image = Image.frombytes("L", (3840, 2160), noise * 2160)
    mask = Image.new("RGBA", (3840, 2160))
    mask.putalpha(image)
    content = saved(mask)
    assert check_mask(content, (3840, 2160)).clear_pixels == noise.count(0) * 2160


@given(st.data())
def test_a_changed_byte_is_refused_or_accepted(data: st.DataObject) -> None:
    content = bytearray(cutout())
    for _ in range(3):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    try:
        check_mask(bytes(content), SIZE)
    except ParameterError:
        return
