"""Transparent is what has a pixel that is not opaque; an alpha channel alone is not enough."""

import random
import struct
from io import BytesIO

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from imagegen.domain.pixels import BrokenImageError
from imagegen.domain.transparency import NO_ALPHA, Transparency, read_transparency
from tests.fakes.marks import with_webp_chunk
from tests.fakes.pictures import HEIGHT, WIDTH, cutout, picture
from tests.fakes.pngs import KINDS, Kind, write_png

OPAQUE = Transparency(has_alpha=True, is_transparent=False)
CLEAR = Transparency(has_alpha=True, is_transparent=True)
DECLARED_CLEAR = Transparency(has_alpha=True, is_transparent=True, is_declared=True)
WITH_ALPHA = [kind for kind in KINDS if kind.colour in (4, 6)]
FILTERS = [*range(5), None]


def checkerboard(mode: str) -> bytes:
    """Return the grey and white squares that programs paint behind transparent images."""
    image = Image.new(mode, (64, 48), "white")
    for x in range(0, 64, 8):
        for y in range(x % 16, 48, 16):
            image.paste("#cccccc", (x, y, x + 8, y + 8))
    out = BytesIO()
    image.save(out, "PNG")
    return out.getvalue()


def test_a_painted_checkerboard_is_not_transparent() -> None:
    assert read_transparency(checkerboard("RGB")) == NO_ALPHA
    assert read_transparency(checkerboard("RGBA")) == OPAQUE
    assert read_transparency(checkerboard("LA")) == OPAQUE


@pytest.mark.parametrize("chosen", FILTERS)
@pytest.mark.parametrize("is_interlaced", [False, True])
@pytest.mark.parametrize("kind", WITH_ALPHA, ids=str)
def test_one_pixel_that_is_not_quite_opaque_is_enough(
    kind: Kind, *, is_interlaced: bool, chosen: int | None
) -> None:
    source = random.Random(3)
    colours = {4: 1, 6: 3}[kind.colour]
    pixels = [
        [(*(source.randint(0, kind.most) for _ in range(colours)), kind.most) for _ in range(9)]
        for _ in range(7)
    ]
    filters = (lambda row: row % 5) if chosen is None else (lambda _: chosen)
    content = write_png(kind, pixels, filters=filters, is_interlaced=is_interlaced)
    assert read_transparency(content) == OPAQUE
    for y, x in ((0, 0), (0, 8), (3, 4), (6, 0), (6, 8)):
        changed = [list(row) for row in pixels]
        changed[y][x] = (*changed[y][x][:-1], kind.most - 1)
        content = write_png(kind, changed, filters=filters, is_interlaced=is_interlaced)
        assert read_transparency(content) == CLEAR


@given(
    st.lists(
        st.lists(st.sampled_from([255, 255, 255, 254, 0]), min_size=5, max_size=5), min_size=1
    ),
    st.lists(st.integers(0, 4), min_size=1),
)
def test_it_is_so_for_all_alphas_and_filters(alphas: list[list[int]], filters: list[int]) -> None:
    pixels = [[(7, alpha) for alpha in row] for row in alphas]
    content = write_png(Kind(4, 8), pixels, filters=lambda row: filters[row % len(filters)])
    expected = any(alpha < 255 for row in alphas for alpha in row)
    assert read_transparency(content).is_transparent == expected


@pytest.mark.parametrize("depth", [1, 2, 4, 8, 16])
def test_a_transparent_grey_counts_only_where_it_is_used(depth: int) -> None:
    kind = Kind(0, depth)
    pixels = [[(kind.most,)] * 9, [(kind.most,)] * 9]
    unused, used = (0).to_bytes(2), kind.most.to_bytes(2)
    assert read_transparency(write_png(kind, pixels)) == NO_ALPHA
    assert read_transparency(write_png(kind, pixels, transparency=unused)) == OPAQUE
    assert read_transparency(write_png(kind, pixels, transparency=used)) == CLEAR


@pytest.mark.parametrize("depth", [8, 16])
def test_a_transparent_colour_counts_only_if_all_its_samples_are_equal(depth: int) -> None:
    pixels = [[(1, 2, 3), (1, 2, 4)], [(3, 2, 1), (0, 2, 3)]]
    for key, expected in (((1, 2, 3), CLEAR), ((3, 2, 3), OPAQUE), ((0, 2, 3), CLEAR)):
        content = write_png(Kind(2, depth), pixels, transparency=struct.pack(">HHH", *key))
        assert read_transparency(content) == expected


@pytest.mark.parametrize("depth", [1, 2, 4, 8])
def test_a_transparent_index_counts_only_where_it_is_used(depth: int) -> None:
    kind, palette = Kind(3, depth), bytes(3 << depth)
    for alphas, expected in ((b"\0", OPAQUE), (b"\0\xfe", CLEAR), (b"\0\xff", OPAQUE)):
        content = write_png(kind, [[(1,)] * 9] * 3, palette=palette, transparency=alphas)
        assert read_transparency(content) == expected


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P"])
def test_a_cutout_as_pillow_writes_it_is_transparent(mode: str) -> None:
    out = BytesIO()
    image = Image.open(BytesIO(cutout()))
    (image.quantize(16) if mode == "P" else image.convert(mode)).save(out, "PNG")
    assert read_transparency(out.getvalue()) == CLEAR


def test_a_jpeg_has_no_alpha() -> None:
    assert read_transparency(picture("JPEG")) == NO_ALPHA


@pytest.mark.parametrize("lossless", [False, True])
def test_a_webp_declares_whether_it_is_transparent(*, lossless: bool) -> None:
    assert read_transparency(cutout("WEBP", lossless=lossless)) == DECLARED_CLEAR
    opaque = read_transparency(picture("WEBP", alpha=True, lossless=lossless))
    assert (opaque.has_alpha, opaque.is_transparent) == (False, False)


def with_alpha_chunk(data: bytes) -> bytes:
    """Return a lossy WebP with an alpha chunk of our own."""
    frame = picture("WEBP", lossless=False)[12:]
    sizes = (WIDTH - 1).to_bytes(3, "little") + (HEIGHT - 1).to_bytes(3, "little")
    content = b"RIFF\4\0\0\0WEBP"
    content = with_webp_chunk(content, b"VP8X", b"\x10\0\0\0" + sizes)
    content = with_webp_chunk(content, b"ALPH", data)
    return content[:4] + struct.pack("<I", len(content) + len(frame) - 8) + content[8:] + frame


def alpha_filtered(method: int, plane: bytes) -> bytes:
    """Return an alpha plane under a filter (WebP container specification, alpha)."""
    out = bytearray()
    for at, alpha in enumerate(plane):
        x, y = at % WIDTH, at // WIDTH
        left = plane[at - 1] if x else plane[at - WIDTH] if y else 0
        above = plane[at - WIDTH] if y else left
        corner = plane[at - WIDTH - 1] if x and y else 0
        gradient = min(255, max(0, left + above - corner)) if x and y else left
        at_side = above if y and not x else left
        predicted = (0, at_side, above, gradient)[method]
        out.append(alpha - predicted & 255)
    return bytes(out)


@pytest.mark.parametrize("method", range(4))
@pytest.mark.parametrize("at", [None, 0, WIDTH - 1, WIDTH, WIDTH * HEIGHT // 2, WIDTH * HEIGHT - 1])
def test_an_uncompressed_alpha_chunk_of_a_webp_is_read(method: int, at: int | None) -> None:
    plane = bytearray(b"\xff" * (WIDTH * HEIGHT))
    if at is not None:
        plane[at] = 254
    content = with_alpha_chunk(bytes([method << 2]) + alpha_filtered(method, bytes(plane)))
    decoded = Image.open(BytesIO(content)).convert("RGBA").getchannel("A").tobytes()
    assert decoded == plane
    assert read_transparency(content) == (OPAQUE if at is None else CLEAR)


@pytest.mark.parametrize("method", range(4))
@pytest.mark.parametrize("alpha", [0, 1, 254])
def test_an_even_alpha_below_255_is_transparent(method: int, alpha: int) -> None:
    plane = bytes([alpha]) * (WIDTH * HEIGHT)
    assert (
        read_transparency(with_alpha_chunk(bytes([method << 2]) + alpha_filtered(method, plane)))
        == CLEAR
    )


def test_an_alpha_chunk_without_the_header_that_allows_it_is_ignored() -> None:
    content = with_webp_chunk(picture("WEBP", lossless=False), b"ALPH", bytes(WIDTH * HEIGHT + 1))
    assert read_transparency(content) == NO_ALPHA


@pytest.mark.parametrize("method", range(4))
def test_bytes_behind_an_alpha_plane_are_not_looked_at(method: int) -> None:
    plane = alpha_filtered(method, b"\xff" * (WIDTH * HEIGHT))
    assert read_transparency(with_alpha_chunk(bytes([method << 2]) + plane + b"\7\7")) == OPAQUE


def test_an_alpha_chunk_that_is_too_short_is_broken() -> None:
    with pytest.raises(BrokenImageError):
        read_transparency(with_alpha_chunk(b"\0" + b"\xff" * (WIDTH * HEIGHT - 1)))


def test_an_animation_says_what_its_header_declares() -> None:
    frames = [Image.open(BytesIO(cutout())), Image.new("RGBA", (WIDTH, HEIGHT), "red")]
    out = BytesIO()
    frames[0].save(out, "WEBP", save_all=True, append_images=frames[1:])
    assert read_transparency(out.getvalue()) == DECLARED_CLEAR


WAVE = picture("WEBP").replace(b"WEBP", b"WAVE", 1)


@pytest.mark.parametrize("content", [b"", b"GIF89a", WAVE, WAVE[:12], b"\x89PNG\r\n\x1a\n"])
def test_what_is_no_image_is_broken(content: bytes) -> None:
    with pytest.raises(BrokenImageError):
        read_transparency(content)


def test_data_behind_the_pixels_change_nothing() -> None:
    content = write_png(Kind(4, 8), [[(7, 255)] * 9] * 9, more=b"\0" * 99)
    assert read_transparency(content) == OPAQUE


@given(st.sampled_from([cutout(), cutout("WEBP"), cutout("WEBP", lossless=True)]), st.data())
def test_a_changed_byte_raises_nothing_but_broken(whole: bytes, data: st.DataObject) -> None:
    content = bytearray(whole)
    for _ in range(3):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    try:
        read_transparency(bytes(content))
    except BrokenImageError:
        return
