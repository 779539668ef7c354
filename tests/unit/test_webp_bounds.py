"""The data of WebPs that no encoder writes, bit by bit: what is damaged, and what is read no more.

A stream that is stopped early raises nothing, although its data end before its last pixel.
"""

from contextlib import nullcontext

import pytest

from imagegen.domain import vp8_values, vp8l_codes
from imagegen.domain.pixels import BrokenImageError
from imagegen.domain.vp8_tables import CHANGES
from imagegen.domain.vp8_values import BLOCKS, check_values
from imagegen.domain.vp8l import check_lossless

BROKEN = pytest.raises(BrokenImageError)
MISSING = pytest.raises(BrokenImageError, match="a part of the WebP is missing")

type Fields = tuple[tuple[int, int], ...]
"""Numbers, each with its bits."""

PREDICTOR, GREEN = 0, 2
IMAGE: Fields = ((0, 1), (0, 1), (0, 1))
"""No transform, no cache, and one part: the codes of the large image follow."""
NO_CACHE: Fields = ((0, 1),)
ONE_OR_RUN: Fields = ((0, 3), (1, 3), (0, 3), (1, 3))
"""How lengths are written: 0 is a length of one, and 1 begins a run of zeros."""
COPIES = 256
"""The first symbol of green that copies pixels: the earlier ones are literal."""


def one(symbol: int = 0) -> Fields:
    """Return the code of a single symbol, which needs no bits."""
    return (1, 1), (0, 1), (1, 1), (symbol, 8)


def two(copies: int) -> Fields:
    """Return the code of green with a literal zero, as 0, and one symbol that copies, as 1."""
    head = ((0, 1), (0, 4), *ONE_OR_RUN, (1, 1), (0, 3), (2, 2))  # Four lengths follow.
    return *head, (0, 1), *zeros(138), *zeros(COPIES - 1 - 138 + copies), (0, 1)


def two_with_longest() -> Fields:
    """Return the code of green with a literal zero and the symbol of the longest copies."""
    head = ((0, 1), (0, 4), *ONE_OR_RUN, (0, 1))
    return *head, (0, 1), *zeros(138), *zeros(COPIES - 1 - 138 + 12), *zeros(11), (0, 1)


def zeros(count: int) -> Fields:
    """Return a run of 11 to 138 symbols without a code."""
    return (1, 1), (count - 11, 7)


def codes(green: Fields = (), distance: int = 1) -> Fields:
    """Return the five codes of a part; the usual distance is that to the pixel before."""
    literal = one()
    return *(green or literal), *literal, *literal, *literal, *one(distance)


def predictor(bits: Fields) -> Fields:
    """Return a transform with these bits for its small image, a pixel for 16 of the large one."""
    return (1, 1), (PREDICTOR, 2), (0, 3), *bits


def stream(*fields: tuple[int, int]) -> memoryview:
    """Return the data with these numbers, the lowest bit of each first."""
    value = size = 0
    for number, bits in fields:
        value, size = value | number << size, size + bits
    return memoryview(value.to_bytes(-(-size // 8), "little"))


@pytest.mark.parametrize("bits", range(16))
def test_a_cache_has_from_one_to_eleven_bits(bits: int) -> None:
    data = stream((0, 1), (1, 1), (bits, 4), (0, 1), *codes())
    with nullcontext() if 1 <= bits <= 11 else BROKEN:
        check_lossless(data, 4, 4)


@pytest.mark.parametrize("times", [1, 2])
def test_a_transform_is_there_once(times: int) -> None:
    data = stream(*((1, 1), (GREEN, 2)) * times, *IMAGE, *codes())
    with nullcontext() if times == 1 else BROKEN:
        check_lossless(data, 4, 4)


@pytest.mark.parametrize("copied", [2, 3])
def test_a_copy_ends_in_its_image(copied: int) -> None:
    green, literal, copy = two(copied - 1), (0, 1), (1, 1)
    large = stream(*IMAGE, *codes(green), literal, copy)
    small = predictor((*NO_CACHE, *codes(green), literal, copy))
    inside = nullcontext() if copied == 2 else BROKEN
    with inside:
        check_lossless(large, 3, 1)
    with inside:
        check_lossless(stream(*small, *IMAGE, *codes()), 12, 4)


def test_a_copy_begins_in_its_image() -> None:
    with BROKEN:
        check_lossless(stream(*predictor((*NO_CACHE, *codes(two(0)), (1, 1)))), 12, 4)


@pytest.mark.parametrize("behind", [0, 1])
def test_a_run_of_lengths_ends_with_its_symbols(behind: int) -> None:
    head = ((0, 1), (0, 4), *ONE_OR_RUN, (0, 1))
    red = (*head, (0, 1), *zeros(138), *zeros(117 + behind))
    data = stream(*IMAGE, *one(), *red, *one(), *one(), *one())
    with BROKEN if behind else nullcontext():
        check_lossless(data, 4, 4)


CODES = 256 + 24 + 3 * 256 + 40
"""The symbols of one part without a cache."""
DAMAGED: Fields = ((0, 1), (1, 1), (12, 4))
"""Behind the transforms: who reads as far as this meets a cache that is too large."""


def stopped_at(codes_read: int, data: memoryview, width: int, height: int) -> bool:
    """Return whether reading that many codes stops before what is damaged, or missing."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(vp8l_codes, "MOST_CODES", codes_read)
        try:
            check_lossless(data, width, height)
        except BrokenImageError:
            return False
    return True


def test_each_pixel_of_a_small_image_counts_with_its_four_codes() -> None:
    pixels = 8 * 8
    data = stream(*predictor((*NO_CACHE, *codes())), *DAMAGED)
    assert stopped_at(CODES + 4 * pixels - 1, data, 32, 32)
    assert not stopped_at(CODES + 4 * pixels, data, 32, 32)


def test_each_pixel_that_is_copied_counts() -> None:
    # 64 * 64 pixels: one, and as many as the last symbol and its ten bits copy.
    literal, copy = (0, 1), ((1, 1), (4095 - 3073, 10))
    data = stream(*predictor((*NO_CACHE, *codes(two_with_longest()), literal, *copy)), *DAMAGED)
    assert stopped_at(CODES + 4 + 4 + 4094, data, 256, 256)
    assert not stopped_at(CODES + 4 + 4 + 4095, data, 256, 256)


def test_the_codes_of_each_part_count() -> None:
    # The small image has one pixel, whose green names the tenth part.
    parts = ((1, 1), (0, 3), *NO_CACHE, *codes(one(9)))
    data = stream((0, 1), *NO_CACHE, *parts, *codes(), *codes())
    assert stopped_at(CODES + 4 + 3 * CODES - 1, data, 4, 4)
    assert not stopped_at(CODES + 4 + 3 * CODES, data, 4, 4)


class Written:
    """Bits with their probabilities, as RFC 6386, section 7.3, writes them."""

    def __init__(self) -> None:
        self.low, self.size, self.bits = 0, 255, 8

    def bit(self, value: int, probability: int = 128) -> None:
        split = 1 + ((self.size - 1) * probability >> 8)
        self.low, self.size = (self.low + split, self.size - split) if value else (self.low, split)
        shift = 8 - self.size.bit_length()
        self.low, self.size, self.bits = self.low << shift, self.size << shift, self.bits + shift

    def number(self, value: int, bits: int) -> None:
        for place in reversed(range(bits)):
            self.bit(value >> place & 1)

    def data(self) -> bytes:
        size = -(-self.bits // 8)
        return (self.low << 8 * size - self.bits).to_bytes(size)


def empty_blocks(width: int, height: int, written: int) -> memoryview:
    """Return a frame whose modes end after so many macroblocks, each with 16 modes, no values."""
    modes = Written()
    modes.number(0, 2 + 1 + 10 + 1 + 2 + 7 + 5 + 1)
    for probability in CHANGES:
        modes.bit(0, probability)
    modes.number(1, 1)
    modes.number(128, 8)
    for _ in range(written):
        modes.bit(1)
        modes.bit(0, 145)
        for _ in range(16):
            modes.bit(0, 231)
        modes.bit(0, 142)
    first = modes.data()
    tag = (len(first) << 5 | 1 << 4).to_bytes(3, "little")
    sides = width.to_bytes(2, "little") + height.to_bytes(2, "little")
    return memoryview(tag + b"\x9d\x01\x2a" + sides + first + bytes(1_000))


def test_the_modes_of_all_blocks_are_there() -> None:
    check_values(empty_blocks(16, 16 * 100, 100))
    with MISSING:
        check_values(empty_blocks(16, 16 * 100, 90))


def test_a_block_without_values_counts_like_any_other(monkeypatch: pytest.MonkeyPatch) -> None:
    data = empty_blocks(16, 16 * 100, 50)
    monkeypatch.setattr(vp8_values, "MOST_VALUES", 40 * BLOCKS)
    check_values(data)
    monkeypatch.setattr(vp8_values, "MOST_VALUES", 100 * BLOCKS)
    with MISSING:
        check_values(data)
