"""Alpha and brightness are restored from every kind of PNG, as its pixels are."""

import random
import struct
import zlib
from io import BytesIO

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from imagegen.domain.pixels import PNG_SIGNATURE, BrokenImageError, measure
from imagegen.domain.png_chunks import chunks_of, inflated, packed_chunk
from imagegen.domain.png_filters import MOST_STEPS, Steps, TooManyStepsError, added, unfiltered
from imagegen.domain.png_planes import alpha_samples, luma_samples, plane_of
from imagegen.domain.png_rows import TooMuchDataError, layout_of, open_png
from tests.fakes.pngs import CHANNELS, KINDS, Kind, write_png

FILTERS = [0, 1, 2, 3, 4]
WITH_ALPHA = [kind for kind in KINDS if kind.colour in (4, 6)]
KEYED = [kind for kind in KINDS if kind.colour in (0, 2)]
every_filter = pytest.mark.parametrize("chosen", [*FILTERS, None])
"""``None`` is another filter in each row."""


def alpha_of(content: bytes) -> bytes | None:
    png = open_png(content)
    samples = alpha_samples(png)
    return None if samples is None else bytes(plane_of(png, samples))


def some_pixels(kind: Kind, size: tuple[int, int] = (13, 11)) -> list[list[tuple[int, ...]]]:
    """Runs of equal pixels with single ones between, and now and then the extremes."""
    source = random.Random(f"{kind}")
    values = [0, kind.most, kind.most // 2, *(source.randint(0, kind.most) for _ in range(3))]
    pool = [tuple(source.choice(values) for _ in range(CHANNELS[kind.colour])) for _ in range(6)]
    width, height = size
    rows = []
    for _ in range(height):
        row: list[tuple[int, ...]] = []
        while len(row) < width:
            row += [source.choice(pool)] * source.choice([1, 1, 2, 7])
        rows.append(row[:width])
    return rows


def eight_bits(value: int, depth: int) -> int:
    if depth == 8:
        return value
    high, is_high_only = value >> 8, value & 255 == value >> 8
    if high == 0 and not is_high_only:
        return 1
    return 254 if high == 255 and not is_high_only else high


@every_filter
@pytest.mark.parametrize("is_interlaced", [False, True])
@pytest.mark.parametrize("kind", WITH_ALPHA, ids=str)
def test_the_alpha_channel_is_restored(
    kind: Kind, *, is_interlaced: bool, chosen: int | None
) -> None:
    pixels = some_pixels(kind)
    filters = (lambda row: row % 5) if chosen is None else (lambda _: chosen)
    content = write_png(kind, pixels, filters=filters, is_interlaced=is_interlaced)
    expected = bytes(eight_bits(pixel[-1], kind.depth) for row in pixels for pixel in row)
    assert alpha_of(content) == expected


@every_filter
@pytest.mark.parametrize("is_interlaced", [False, True])
@pytest.mark.parametrize("kind", KEYED, ids=str)
def test_one_colour_is_transparent_by_trns(
    kind: Kind, *, is_interlaced: bool, chosen: int | None
) -> None:
    pixels = some_pixels(kind)
    key = pixels[3][5]
    filters = (lambda row: row % 5) if chosen is None else (lambda _: chosen)
    trns = b"".join(sample.to_bytes(2) for sample in key)
    content = write_png(
        kind, pixels, filters=filters, is_interlaced=is_interlaced, transparency=trns
    )
    expected = bytes(0 if pixel == key else 255 for row in pixels for pixel in row)
    assert alpha_of(content) == expected


@every_filter
@pytest.mark.parametrize("is_interlaced", [False, True])
@pytest.mark.parametrize("depth", [1, 2, 4, 8])
def test_colours_of_a_palette_are_transparent_by_trns(
    depth: int, *, is_interlaced: bool, chosen: int | None
) -> None:
    kind = Kind(3, depth)
    pixels = some_pixels(kind)
    alphas = bytes((index * 53) % 256 for index in range(kind.most))  # the last one is opaque
    filters = (lambda row: row % 5) if chosen is None else (lambda _: chosen)
    content = write_png(
        kind,
        pixels,
        filters=filters,
        is_interlaced=is_interlaced,
        palette=bytes(3 << depth),
        transparency=alphas,
    )
    expected = bytes([*alphas, 255][index] for row in pixels for (index,) in row)
    assert alpha_of(content) == expected


@pytest.mark.parametrize("mode", ["RGBA", "LA"])
@pytest.mark.parametrize("level", [0, 1, 9])
def test_an_encoder_s_own_choice_of_filters_is_restored(mode: str, level: int) -> None:
    noise = random.Random(7).randbytes(80 * 60)
    alpha = Image.frombytes("L", (80, 60), noise).resize((20, 15)).resize((80, 60))
    image = Image.frombytes("L", (80, 60), noise[::-1]).convert("RGBA")
    image.putalpha(alpha)
    out = BytesIO()
    image.convert(mode).save(out, "PNG", compress_level=level)
    assert alpha_of(out.getvalue()) == alpha.tobytes()


@pytest.mark.parametrize("kind", [one for one in KINDS if one.colour in (0, 2, 3)], ids=str)
def test_without_a_channel_and_without_trns_there_is_no_alpha(kind: Kind) -> None:
    palette = bytes(3 << kind.depth) if kind.colour == 3 else b""
    assert alpha_of(write_png(kind, some_pixels(kind), palette=palette)) is None


@pytest.mark.parametrize(
    ("kind", "trns"),
    [
        (Kind(0, 8), b"\0"),
        (Kind(2, 8), b"\0\0"),
        (Kind(3, 1), b"\0\0\0"),
        (Kind(0, 8), b""),
    ],
)
def test_a_trns_that_does_not_fit_means_nothing(kind: Kind, trns: bytes) -> None:
    content = write_png(kind, some_pixels(kind), palette=bytes(6), transparency=trns)
    assert alpha_of(content) is None


@pytest.mark.parametrize("is_interlaced", [False, True])
@pytest.mark.parametrize("kind", [one for one in KINDS if one.colour in (0, 2, 3)], ids=str)
def test_brightness_is_restored_as_pillow_sees_it(kind: Kind, *, is_interlaced: bool) -> None:
    pixels = some_pixels(kind)
    palette = random.Random(1).randbytes(3 << kind.depth) if kind.colour == 3 else b""
    content = write_png(kind, pixels, is_interlaced=is_interlaced, palette=palette)
    png = open_png(content)
    ours = plane_of(png, luma_samples(png))
    if kind == Kind(0, 16):
        assert ours == bytes(eight_bits(pixel[0], 16) for row in pixels for pixel in row)
        return
    image = Image.open(BytesIO(content))
    theirs = (image if kind.colour == 0 else image.convert("RGB")).convert("L").tobytes()
    assert max(abs(one - other) for one, other in zip(ours, theirs, strict=True)) <= 1


@given(st.integers(0, 4), st.data())
def test_a_filter_is_reversed(chosen: int, data: st.DataObject) -> None:
    width = data.draw(st.integers(1, 70))
    few = st.sampled_from([0, 0, 0, 0, 0, 0, 7, 255])
    bytes_of = st.lists(few | st.integers(0, 255), min_size=width, max_size=width).map(bytes)
    runs = st.lists(st.tuples(st.integers(0, 255), st.integers(20, 70)), min_size=1).map(
        lambda pairs: b"".join(bytes([value]) * times for value, times in pairs)[:width].ljust(
            width, b"\3"
        )
    )
    row, above = data.draw(bytes_of | runs), data.draw(bytes_of | runs)
    content = write_png(
        Kind(0, 8), [[(one,) for one in above], [(one,) for one in row]], filters=lambda _: chosen
    )
    (first, second) = open_png(content).rows
    restored = unfiltered(chosen, first.data, bytes(width), steps=Steps())
    assert restored == above
    assert unfiltered(chosen, second.data, above, steps=Steps()) == row


@given(st.lists(st.tuples(st.integers(0, 255), st.integers(0, 255)), min_size=1))
def test_rows_are_added_byte_by_byte(pairs: list[tuple[int, int]]) -> None:
    left, right = (bytes(side) for side in zip(*pairs, strict=True))
    assert added(left, right) == bytes(sum(pair) % 256 for pair in pairs)


@pytest.mark.parametrize("kind", KINDS, ids=str)
@pytest.mark.parametrize("size", [(1, 1), (1, 9), (9, 1), (3, 2), (8, 8)])
def test_tiny_interlaced_images_have_all_their_rows(kind: Kind, size: tuple[int, int]) -> None:
    palette = bytes(3 << kind.depth) if kind.colour == 3 else b""
    pixels = some_pixels(kind, size)
    png = open_png(write_png(kind, pixels, is_interlaced=True, palette=palette))
    assert len(plane_of(png, luma_samples(png))) == size[0] * size[1]


@pytest.mark.parametrize("is_interlaced", [False, True])
@pytest.mark.parametrize("more", [b"\0", bytes(10_000_000)])
def test_more_data_than_pixels_is_noticed(*, is_interlaced: bool, more: bytes) -> None:
    kind = Kind(6, 8)
    png = open_png(write_png(kind, some_pixels(kind), is_interlaced=is_interlaced, more=more))
    with pytest.raises(TooMuchDataError):
        list(png.rows)


@pytest.mark.thorough
@pytest.mark.parametrize("is_interlaced", [False, True])
@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_no_more_is_inflated_than_the_rows_and_one_byte(kind: Kind, *, is_interlaced: bool) -> None:
    palette = bytes(3 << kind.depth) if kind.colour == 3 else b""
    pixels = some_pixels(kind)
    for more in (b"", b"\0", bytes(3_000_000)):
        content = write_png(kind, pixels, is_interlaced=is_interlaced, palette=palette, more=more)
        layout = layout_of(content)
        data = (part for name, part in chunks_of(content) if name == b"IDAT")
        got = sum(map(len, inflated(data, layout.data_bytes + 1)))
        assert got == layout.data_bytes + bool(more)
        # A provider's image with more data than pixels is shown by every program.
        assert measure(content).width == len(pixels[0])


@pytest.mark.parametrize("kind", [b"IDAT", b"IEND"])
def test_a_damaged_chunk_behind_the_rows_is_noticed_although_it_is_not_inflated(
    kind: bytes,
) -> None:
    content = write_png(Kind(6, 8), some_pixels(Kind(6, 8)), more=bytes(3_000_000))
    at = content.rindex(kind) + 4
    changed = content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :]
    with pytest.raises(BrokenImageError):
        measure(changed)


def grey(
    data: bytes,
    *,
    size: tuple[int, int] = (1, 1),
    depth: int = 8,
    form: tuple[int, ...] = (0, 0, 0),
) -> bytes:
    """Return a grey PNG with these compressed data; ``form``: packing, filters and interlace."""
    header = struct.pack(">IIBBBBB", *size, depth, 0, *form)
    chunks = ((b"IHDR", header), (b"IDAT", data), (b"IEND", b""))
    return PNG_SIGNATURE + b"".join(packed_chunk(*one) for one in chunks)


def is_read(content: bytes) -> bool:
    try:
        measure(content)
    except BrokenImageError:
        return False
    return True


def is_inflated_by_zlib(data: bytes, size: int, *, whole: bool) -> bool:
    """Return whether zlib, which browsers use, finds the row; ``whole`` is up to the data's end."""
    engine = zlib.decompressobj()
    try:
        found = engine.decompress(data, 0 if whole else size + 1)
    except zlib.error:
        return False
    return len(found) >= size and found[0] in FILTERS


@st.composite
def damaged_data(draw: st.DrawFn) -> tuple[bytes, int]:
    """Draw compressed bytes, mostly with a fault, and how many bytes were compressed."""
    row = b"\0" + draw(st.binary(min_size=1, max_size=300))
    level, window = draw(st.sampled_from([0, 1, 6, 9])), draw(st.integers(9, 15))
    engine = zlib.compressobj(level, zlib.DEFLATED, window, strategy=draw(st.integers(0, 4)))
    data = bytearray(engine.compress(row * draw(st.integers(1, 3))) + engine.flush())
    for _ in range(draw(st.integers(0, 2))):
        at = draw(st.one_of(st.integers(0, 3), st.integers(0, len(data) - 1)))
        data[at % len(data)] = draw(st.integers(0, 255))
    cut = draw(st.one_of(st.just(0), st.integers(0, len(data) - 1)))
    return bytes(data[: len(data) - cut]), len(row)


@given(made=damaged_data())
def test_a_png_is_read_if_zlib_inflates_all_of_it_and_never_if_zlib_lacks_its_row(
    made: tuple[bytes, int],
) -> None:
    data, size = made
    found = is_read(grey(data, size=(size - 1, 1)))
    assert found >= is_inflated_by_zlib(data, size, whole=True)
    assert found <= is_inflated_by_zlib(data, size, whole=False)


FULL = 256 * 1024


@pytest.mark.parametrize("size", [0, 1, FULL - 1, FULL, FULL + 1, 3 * FULL + 5])
@pytest.mark.parametrize("most", [1, FULL, 4 * FULL])
def test_data_are_inflated_in_pieces_and_no_further_than_asked(size: int, most: int) -> None:
    data = zlib.compress(bytes(size))
    # Empty chunks are allowed anywhere, and a chunk may begin with any byte.
    for at in (0, 1, len(data) // 2, max(range(len(data)), key=data.__getitem__)):
        parts = [b"", data[:at], b"", data[at:], b"behind the end"]
        pieces = list(inflated(map(memoryview, parts), most))
        assert max(map(len, pieces)) <= FULL
        assert b"".join(pieces) == bytes(min(size, most))


@pytest.mark.parametrize("step", [1, 7, 1000, FULL])
def test_data_are_inflated_in_full_steps_and_what_is_left(step: int) -> None:
    data = zlib.compress(bytes(5000))
    whole, rest = divmod(5000, step)
    pieces = [len(one) for one in inflated([memoryview(data)], 5001, step) if one]
    assert pieces == [step] * whole + [rest] * bool(rest)


@pytest.mark.parametrize(
    ("header", "rows", "length"),
    [
        ((1024, 1024, 8, 2, 0, 0, 0), 85, 3073),
        ((16_384, 1, 16, 6, 0, 0, 0), 1, 131_073),
        ((1, 1, 1, 0, 0, 0, 0), 131_072, 2),
        ((9, 9, 8, 0, 0, 0, 1), 26_214, 10),
    ],
)
def test_as_many_whole_rows_are_inflated_at_a_time_as_have_256_kib(
    header: tuple[int, ...], rows: int, length: int
) -> None:
    content = PNG_SIGNATURE + packed_chunk(b"IHDR", struct.pack(">IIBBBBB", *header))
    content += packed_chunk(b"IDAT", b"") + packed_chunk(b"IEND", b"")
    assert layout_of(content).step_bytes == rows * length
    assert rows * length <= FULL < (rows + 1) * length


def test_a_row_that_is_longer_is_inflated_as_a_whole() -> None:
    header = struct.pack(">IIBBBBB", 40_000, 1, 16, 6, 0, 0, 0)
    assert layout_of(PNG_SIGNATURE + packed_chunk(b"IHDR", header)).step_bytes == 320_001


def test_a_window_that_no_browser_takes_is_damage_wherever_its_byte_stands() -> None:
    content = write_png(Kind(0, 8), [[(7,)] * 9] * 9)
    at = content.index(b"IDAT") + 4
    length = int.from_bytes(content[at - 8 : at - 4])
    data = b"\x88\x1c" + content[at + 2 : at + length]
    assert (0x88 * 256 + 0x1C) % 31 == 0
    for parts in ([data], [b"", data], [data[:1], data[1:]]):
        chunks = b"".join(packed_chunk(b"IDAT", one) for one in parts)
        with pytest.raises(BrokenImageError, match="data"):
            measure(content[: at - 8] + chunks + content[at + length + 4 :])


def dense(filter_number: int, steps: int) -> bool:
    """Return whether a row of 1,000 bytes, which all differ, is restored within the steps."""
    row, above = bytes(range(1, 251)) * 4, bytes(range(250, 0, -1)) * 4
    left = Steps(steps)
    try:
        unfiltered(filter_number, row, above, steps=left)
    except TooManyStepsError:
        return False
    assert left.left == 0
    return True


@pytest.mark.parametrize("chosen", [1, 3, 4])
def test_each_byte_that_is_restored_by_itself_is_a_step(chosen: int) -> None:
    assert dense(chosen, 1_000)
    assert not dense(chosen, 999)


@pytest.mark.parametrize("chosen", [0, 2])
def test_rows_that_are_restored_at_once_take_no_steps(chosen: int) -> None:
    assert dense(chosen, 0)


@pytest.mark.parametrize("chosen", FILTERS)
def test_an_empty_row_below_an_empty_row_takes_no_steps(chosen: int) -> None:
    steps = Steps(0)
    assert unfiltered(chosen, bytes(500), bytes(500), steps=steps) == bytes(500)


@pytest.mark.parametrize("chosen", [1, 4])
def test_a_row_that_mostly_repeats_takes_as_many_steps_as_places(chosen: int) -> None:
    row = bytearray(1_000)
    row[100] = row[600] = 9
    steps = Steps()
    unfiltered(chosen, bytes(row), bytes(1_000), steps=steps)
    assert MOST_STEPS - steps.left == 2


def test_an_image_of_8_million_pixels_always_fits_and_a_larger_one_does_not() -> None:
    width = 4_000
    row = bytes(range(1, 251)) * (width // 250)
    for height, fits in ((2_000, True), (2_001, False)):
        steps = Steps()
        try:
            for _ in range(height):
                steps.take(len(row))
        except TooManyStepsError:
            assert not fits
        else:
            assert fits


@pytest.mark.parametrize("is_interlaced", [False, True])
def test_less_data_than_pixels_is_noticed(*, is_interlaced: bool) -> None:
    kind = Kind(6, 8)
    content = write_png(kind, some_pixels(kind), is_interlaced=is_interlaced, size=(13, 12))
    with pytest.raises(BrokenImageError):
        list(open_png(content).rows)


def test_a_palette_image_without_a_palette_is_broken() -> None:
    kind = Kind(3, 8)
    for palette in (b"", bytes(4)):
        with pytest.raises(BrokenImageError, match="palette"):
            open_png(write_png(kind, some_pixels(kind), palette=palette))


@pytest.mark.parametrize("chosen", FILTERS)
def test_a_long_row_with_few_changes_is_restored_byte_by_byte(chosen: int) -> None:
    row = b"\3" * 40 + b"\x09" * 50 + b"\0" * 60 + b"\xff" * 50
    above = b"\0" * 70 + b"\5" * 60 + b"\xff" * 70
    pixels = [[(one,) for one in above], [(one,) for one in row]]
    content = write_png(Kind(0, 8), pixels, filters=lambda _: chosen)
    first, second = open_png(content).rows
    assert unfiltered(chosen, first.data, bytes(len(row)), steps=Steps()) == above
    assert unfiltered(chosen, second.data, above, steps=Steps()) == row


@pytest.mark.parametrize("size", [(0, 5), (5, 0)])
def test_a_png_without_width_or_without_height_has_no_layout(size: tuple[int, int]) -> None:
    with pytest.raises(BrokenImageError, match=f"{size[0]}x{size[1]}"):
        open_png(write_png(Kind(0, 8), [[(1,)]], size=size))


def test_another_chunk_between_the_data_of_a_png_is_passed_over() -> None:
    content = write_png(Kind(0, 8), [[(7,)] * 9] * 9)
    second = content.rindex(b"IDAT") - 4
    changed = content[:second] + packed_chunk(b"tEXt", b"a\0b") + content[second:]
    rows = open_png(changed).rows
    assert [row.data for row in rows] == [b"\7" * 9] * 9


def test_a_wrong_checksum_counts_only_in_a_chunk_that_the_image_needs() -> None:
    def damaged(kind: bytes) -> bytes:
        content = write_png(Kind(0, 8), [[(7,)]], before=[(kind, b"a\0b")])
        at = content.index(kind) + 4 + 3
        return content[:at] + bytes(4) + content[at + 4 :]

    assert measure(damaged(b"tEXt")).width == 1
    with pytest.raises(BrokenImageError, match="damaged"):
        measure(damaged(b"TEXt"))


def test_a_png_that_is_cut_off_anywhere_has_no_last_chunk() -> None:
    content = write_png(Kind(0, 8), [[(7,)]])
    assert [kind for kind, _ in chunks_of(content)] == [b"IHDR", b"IDAT", b"IDAT"]
    for end in range(8, len(content)):
        with pytest.raises(BrokenImageError, match="cut off"):
            list(chunks_of(content[:end]))


@pytest.mark.parametrize("depth", [1, 2, 4])
def test_of_a_transparent_grey_only_the_bits_of_the_depth_count(depth: int) -> None:
    most = (1 << depth) - 1
    key = (0xFF00 | most | 1 << depth).to_bytes(2)
    content = write_png(Kind(0, depth), [[(0,), (most,), (0,)]], transparency=key)
    assert alpha_of(content) == bytes([255, 0, 255])


@pytest.mark.parametrize("filters", [[5], [255], [5, 0], [0, 5, 0]])
def test_a_row_with_a_filter_that_no_png_has_is_damage(filters: list[int]) -> None:
    rows = b"".join(bytes([one, 7]) for one in filters)
    with pytest.raises(BrokenImageError, match="row"):
        measure(grey(zlib.compress(rows), size=(1, len(filters))))


@pytest.mark.parametrize(
    ("depth", "form"), [(8, (1, 0, 0)), (8, (0, 1, 0)), (8, (0, 0, 2)), (3, (0, 0, 0))]
)
def test_a_header_that_no_png_has_is_damage(depth: int, form: tuple[int, int, int]) -> None:
    assert measure(grey(zlib.compress(b"\4\7"), form=(0, 0, 1))).width == 1
    with pytest.raises(BrokenImageError, match="header"):
        measure(grey(zlib.compress(b"\0\7"), depth=depth, form=form))


def test_another_signature_is_no_png() -> None:
    with pytest.raises(BrokenImageError, match="header"):
        layout_of(b"\x8a" + grey(zlib.compress(b"\0\7"))[1:])
