"""Reads the codes of a lossless WebP to their end.

https://developers.google.com/speed/webp/docs/webp_lossless_bitstream_specification, sections 3 to
5. The codes of all pixels are read; the pixels themselves are made only of the small image that
says which codes a part of the large one has. A decoder takes zeros for bytes that are missing, so
data that are cut off show only here.
"""

from imagegen.domain.pixels import BrokenImageError
from imagegen.domain.vp8l_codes import (
    MOST_CODE_BITS,
    Codes,
    Data,
    StoppedError,
    codes_of,
    read_lengths,
)

PREDICTOR, COLOUR, GREEN, PALETTE = range(4)
LITERALS, LENGTHS, DISTANCES = 256, 24, 40
CODES_OF_PIXEL = 4
MOST_CACHE_BITS = 11
PACKED = ((2, 3), (4, 2), (16, 1), (256, 0))
"""By the number of colours: how many pixels of a palette are in one, as bits."""
HASH = 0x1E35A7BD
NEAR = sorted(
    ((x, y) for y in range(8) for x in range(-7, 9) if y or x > 0),
    key=lambda one: (one[0] ** 2 + one[1] ** 2, -one[1], -one[0]),
)
"""The pixels before one that have short names: columns to the left, rows up (section 5.2.2)."""

type Group = tuple[Codes, ...]
"""The codes of green, red, blue, alpha and distances."""


def read_group(data: Data, cache: int) -> Group:
    """Return the five codes of a part of an image, whose cache has so many colours."""
    sizes = (LITERALS + LENGTHS + cache, LITERALS, LITERALS, LITERALS, DISTANCES)
    data.spend(sum(sizes))
    return tuple(codes_of(read_lengths(data, size)) for size in sizes)


def read_cache(data: Data) -> int:
    """Return how many bits the place of a colour in the cache has, 0 without a cache."""
    if not data.number(1):
        return 0
    bits = data.number(4)
    if not 1 <= bits <= MOST_CACHE_BITS:
        raise BrokenImageError("the cache of the WebP is damaged")
    return bits


def read_count(data: Data, symbol: int) -> int:
    """Return the length or the distance that a symbol begins (section 5.2.2)."""
    if symbol < 4:
        return symbol + 1
    bits = symbol - 2 >> 1
    return (2 + (symbol & 1) << bits) + data.number(bits) + 1


def read_small(data: Data, width: int, height: int) -> list[int]:
    """Return the pixels of an image in one part, as numbers of four bytes."""
    bits = read_cache(data)
    green, red, blue, alpha, distance = read_group(data, 1 << bits if bits else 0)
    cache, pixels = [0] * (1 << bits), list[int]()
    while len(pixels) < width * height:
        data.spend(CODES_OF_PIXEL)
        symbol, start = green.read(data), len(pixels)
        if symbol < LITERALS:
            rest = red.read(data) << 16 | blue.read(data)
            pixels.append(rest | symbol << 8 | alpha.read(data) << 24)
        elif symbol < LITERALS + LENGTHS:
            count = read_count(data, symbol - LITERALS)
            back = distance_of(read_count(data, distance.read(data)), width)
            if back > start or start + count > width * height:
                raise BrokenImageError("the data of the WebP are damaged")
            data.spend(count)
            for at in range(start, start + count):
                pixels.append(pixels[at - back])
        else:
            pixels.append(cache[symbol - LITERALS - LENGTHS])
        for one in pixels[start:] if bits else ():
            cache[(HASH * one & 0xFFFFFFFF) >> 32 - bits] = one
    return pixels


def distance_of(code: int, width: int) -> int:
    """Return how many pixels lie between two of which the distance has this code."""
    if code > len(NEAR):
        return code - len(NEAR)
    columns, rows = NEAR[code - 1]
    return max(1, columns + rows * width)


def read_parts(data: Data, width: int, height: int) -> tuple[int, list[int]]:
    """Return the edge of the parts with codes of their own, as bits, and the codes of each part."""
    if not data.number(1):
        return MOST_CODE_BITS, [0]
    bits = 2 + data.number(3)
    small = read_small(data, _parts(width, bits), _parts(height, bits))
    return bits, [pixel >> 8 & 0xFFFF for pixel in small]


def read_pixels(data: Data, width: int, height: int) -> None:
    """Read the codes of the large image (section 5)."""
    cache_bits = read_cache(data)
    edge, parts = read_parts(data, width, height)
    across = _parts(width, edge) if len(parts) > 1 else 0
    cache = 1 << cache_bits if cache_bits else 0
    groups = [read_group(data, cache) for _ in range(max(parts) + 1)]
    column = row = 0
    while row < height:
        green, red, blue, alpha, distance = groups[parts[(row >> edge) * across + (column >> edge)]]
        end = min(width, (column >> edge) + 1 << edge) if across else width
        began = column
        while column < end:
            symbol = green.read(data)
            if symbol < LITERALS:
                red.read(data)
                blue.read(data)
                alpha.read(data)
                column += 1
            elif symbol < LITERALS + LENGTHS:
                column += read_count(data, symbol - LITERALS)
                read_count(data, distance.read(data))
            else:
                column += 1
        data.spend(CODES_OF_PIXEL * (end - began))
        row, column = row + column // width, column % width
    if row * width + column > height * width:
        raise BrokenImageError("the data of the WebP are damaged")


def check_lossless(data: memoryview, width: int, height: int) -> None:
    """Raise if the data, which begin with the transforms, end before the last pixel.

    Raises:
        BrokenImageError: a part of the image is missing.
    """
    bits, seen = Data(data), set[int]()
    try:
        while bits.number(1):
            kind = bits.number(2)
            if kind in seen:
                raise BrokenImageError("the transforms of the WebP are damaged")
            seen.add(kind)
            width = _read_transform(bits, kind, width, height)
        read_pixels(bits, width, height)
    except StoppedError:
        return


def _read_transform(data: Data, kind: int, width: int, height: int) -> int:
    """Read one transform (section 4), and return the width of the image behind it."""
    if kind in (PREDICTOR, COLOUR):
        edge = 2 + data.number(3)
        read_small(data, _parts(width, edge), _parts(height, edge))
    elif kind == PALETTE:
        colours = 1 + data.number(8)
        read_small(data, colours, 1)
        return _parts(width, next(bits for most, bits in PACKED if colours <= most))
    return width


def _parts(length: int, bits: int) -> int:
    return -(-length >> bits)
