"""The partitions of a lossy WebP: each is there in its length, and the last one is not empty."""

import io
import random
import struct
from functools import cache
from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from imagegen.domain.pixels import BrokenImageError, measure
from imagegen.domain.vp8 import HEAD_BYTES, check_partitions
from imagegen.domain.vp8_bits import Bits
from tests.examples import examples

MODES_BYTES = 40
CLEAN = pytest.raises(BrokenImageError, match="a part of the WebP is missing")


def reference(data: bytes, bits: int) -> list[int]:
    """Return bits as the decoder of RFC 6386, section 7.3, reads them: two bytes at a time."""
    value, at, size, shifts, found = int.from_bytes(data[:2]), 2, 255, 0, []
    for _ in range(bits):
        split = 1 + ((size - 1) * 128 >> 8)
        is_set = value >= split << 8
        found.append(int(is_set))
        size, value = (size - split, value - (split << 8)) if is_set else (split, value)
        while size < 128:
            value, size, shifts = value << 1, size << 1, shifts + 1
            if shifts == 8:
                value, at, shifts = value | (data[at] if at < len(data) else 0), at + 1, 0
    return found


@given(st.binary(min_size=2, max_size=60))
def test_bits_are_read_as_the_specification_says(data: bytes) -> None:
    flags = Bits(memoryview(data))
    assert [flags.bit() for _ in range(200)] == reference(data, 200)


def header(bits: list[int]) -> int:
    """Return the number of partitions that a header of these bits announces."""
    left = iter(bits)

    def number(size: int) -> int:
        return sum(next(left) << place for place in reversed(range(size)))

    number(2)
    if number(1):
        has_map, has_values = number(1), number(1)
        if has_values:
            number(1)
            for size in (7, 7, 7, 7, 6, 6, 6, 6):
                number(1) and number(size + 1)
        for _ in range(3 * has_map):
            number(1) and number(8)
    number(10)
    if number(1) and number(1):
        for _ in range(8):
            number(1) and number(7)
    return int(2 ** number(2))


@cache
def modes_for(partitions: int, seed: int = 0) -> bytes:
    """Return a first partition that announces so many others."""
    for number in count(1_000 * seed):
        data = random.Random(number).randbytes(MODES_BYTES)
        if header(reference(data, 300)) == partitions:
            return data
    raise AssertionError


def frame(modes: bytes, parts: list[bytes]) -> memoryview:
    """Return the data of a frame of 64x64 pixels."""
    tag = struct.pack("<I", len(modes) << 5 | 1 << 4)[:3]
    head = tag + b"\x9d\x01\x2a" + struct.pack("<HH", 64, 64)
    lengths = b"".join(struct.pack("<I", len(one))[:3] for one in parts[:-1])
    return memoryview(head + modes + lengths + b"".join(parts))


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("partitions", [1, 2, 4, 8])
def test_a_frame_with_all_of_its_partitions_is_whole(partitions: int, seed: int) -> None:
    data = frame(modes_for(partitions, seed), [b"value"] * partitions)
    check_partitions(data, MODES_BYTES)
    check_partitions(data[:-4], MODES_BYTES)


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("partitions", [1, 2, 4, 8])
def test_a_frame_of_which_a_partition_is_cut_or_the_last_one_empty_is_broken(
    partitions: int, seed: int
) -> None:
    data = frame(modes_for(partitions, seed), [b"value"] * partitions)
    for end in range(HEAD_BYTES + MODES_BYTES, len(data) - 4):
        with CLEAN:
            check_partitions(data[:end], MODES_BYTES)


@pytest.mark.parametrize("partitions", [2, 8])
def test_a_length_that_reaches_behind_the_end_is_seen(partitions: int) -> None:
    data = bytearray(frame(modes_for(partitions), [b"value"] * partitions))
    data[HEAD_BYTES + MODES_BYTES + 1] = 1
    with CLEAN:
        check_partitions(memoryview(data), MODES_BYTES)


@examples(60)
@given(
    quality=st.integers(0, 100),
    method=st.integers(0, 6),
    size=st.tuples(st.integers(1, 80), st.integers(1, 80)),
    noise=st.integers(0, 100),
)
def test_no_whole_image_is_broken(
    quality: int, method: int, size: tuple[int, int], noise: int
) -> None:
    to = io.BytesIO()
    Image.effect_noise(size, noise).convert("RGB").save(to, "WEBP", quality=quality, method=method)
    assert measure(to.getvalue()).width == size[0]


@pytest.mark.parametrize("kept", [0, 1])
def test_a_file_that_was_cut_before_its_values_is_broken_though_all_lengths_agree(
    kept: int,
) -> None:
    to = io.BytesIO()
    Image.effect_noise((96, 64), 80).convert("RGB").save(to, "WEBP", quality=80)
    content = to.getvalue()
    modes = int.from_bytes(content[20:23], "little") >> 5
    data = content[20 : 20 + HEAD_BYTES + modes + kept]
    body = b"WEBPVP8 " + struct.pack("<I", len(data)) + data + bytes(len(data) % 2)
    cut = b"RIFF" + struct.pack("<I", len(body)) + body
    if kept:
        assert measure(cut).width == 96  # Only decoding would show that there is more to come.
    else:
        with CLEAN:
            measure(cut)
