"""The filters of PNG rows (https://www.w3.org/TR/png-3/#9Filters), reversed a channel at a time.

Each byte of a pixel is filtered by itself: it depends on the same byte of the pixels to the left,
above, and above to the left. One channel can therefore be taken out of the filtered rows and
restored alone, which is a quarter of the work for the alpha of RGBA.

A byte at a time takes Python seconds for a large image. Most rows of masks and cutouts repeat the
pixel to the left or above, so the filters skip what only repeats. What they cannot skip is counted,
and has a limit.
"""

import re
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate

from imagegen.domain.pixels import BrokenImageError

MOST_STEPS = 8_000_000
"""For one channel of one image, in bytes that are restored one by one: about 1.7 s of a core. An
image of 8 million pixels always fits, a larger one if most of its pixels repeat."""
NOT_ZERO = re.compile(rb"[^\0]")
NEGATIVES = bytes(-value & 255 for value in range(256))
FEW = 16
"""A row with fewer changes than one in so many bytes is restored change by change."""


class TooManyStepsError(BrokenImageError):
    """The rows of a PNG take more steps to restore than the limit allows."""


@dataclass(slots=True)
class Steps:
    """How many bytes of a channel may still be restored one by one."""

    left: int = MOST_STEPS

    def take(self, count: int) -> None:
        """Count bytes before they are restored.

        Raises:
            TooManyStepsError: there are more than may be restored.
        """
        self.left -= count
        if self.left < 0:
            raise TooManyStepsError("its pixels differ at too many places")


def unfiltered(kind: int, row: bytes, above: bytes, *, steps: Steps) -> bytes:
    """Return a restored row of one channel.

    ``row`` has the filtered bytes of the channel, ``above`` the restored row above it in the same
    pass: zeros for the first one.

    Raises:
        TooManyStepsError: the channel takes more steps than it may.
    """
    return (_none, _sub, _up, _average, _paeth)[kind](row, above, steps)


def flat_row(kind: int, colour: bytes, pixels: int, *, is_first: bool) -> bytes:
    """Return the filtered form of a row in one colour, below a row in the same colour.

    The filters are invertible, so there is no other. ``colour`` has the bytes of one pixel;
    ``is_first`` if no row of its pass is above it.
    """
    half = bytes(one - one // 2 for one in colour)
    zero = bytes(len(colour))
    first, rest = {
        0: (colour, colour),
        1: (colour, zero),
        2: (colour, colour) if is_first else (zero, zero),
        3: (colour, half) if is_first else (half, zero),
        4: (colour, zero) if is_first else (zero, zero),
    }[kind]
    return first + rest * (pixels - 1)


def added(left: bytes, right: bytes) -> bytes:
    """Return the sums of two rows of the same length, byte by byte, modulo 256.

    All at once: the lower seven bits of each byte are added without reaching the next byte, and the
    highest bit by itself.
    """
    low, high = _bit_masks(len(left))
    one, other = int.from_bytes(left), int.from_bytes(right)
    total = (one & low) + (other & low) ^ (one ^ other) & high
    return total.to_bytes(len(left))


@lru_cache(maxsize=16)  # the lengths of two interlaced images
def _bit_masks(length: int) -> tuple[int, int]:
    return int.from_bytes(b"\x7f" * length), int.from_bytes(b"\x80" * length)


def _none(row: bytes, _above: bytes, _steps: Steps) -> bytes:
    return row


def _sub(row: bytes, _above: bytes, steps: Steps) -> bytes:
    if len(row) - row.count(0) > len(row) // FEW:
        steps.take(len(row))
        return bytes(map((255).__and__, accumulate(row)))
    steps.take(len(row) - row.count(0))
    out, value = bytearray(), 0
    for change in NOT_ZERO.finditer(row):
        at = change.start()
        out += bytes((value,)) * (at - len(out))
        value = value + row[at] & 255
    return bytes(out + bytes((value,)) * (len(row) - len(out)))


def _up(row: bytes, above: bytes, _steps: Steps) -> bytes:
    return added(row, above)


def _average(row: bytes, above: bytes, steps: Steps) -> bytes:
    if not any(row) and not any(above):
        return row
    steps.take(len(row))
    out, left = bytearray(), 0
    for delta, up in zip(row, above, strict=True):
        left = delta + (left + up >> 1) & 255
        out.append(left)
    return bytes(out)


def _paeth(row: bytes, above: bytes, steps: Steps) -> bytes:
    """Restore a row byte by byte, or only where it may change.

    A row without any delta equals the one above. Within a row, a byte without a delta repeats the
    byte to the left where the row above repeats itself.
    """
    if not any(row):
        return above
    before = b"\0" + above[:-1]
    changes = added(above, before.translate(NEGATIVES))
    active = _either(row, changes)
    if len(row) - active.count(0) > len(row) // FEW:
        steps.take(len(row))
        return _paeth_bytes(row, above, before)
    steps.take(len(row) - active.count(0))
    out, left = bytearray(), 0
    for change in NOT_ZERO.finditer(active):
        at = change.start()
        out += bytes((left,)) * (at - len(out))
        left = row[at] + _predicted(left, above[at], before[at]) & 255
    return bytes(out + bytes((left,)) * (len(row) - len(out)))


def _paeth_bytes(row: bytes, above: bytes, before: bytes) -> bytes:
    """Restore every byte; the predictor stands in the loop, because a call takes twice as long."""
    out, left = bytearray(), 0
    for delta, up, corner in zip(row, above, before, strict=True):
        to_left, to_up, to_corner = up - corner, left - corner, left + up - corner - corner
        if to_left < 0:
            to_left = -to_left
        if to_up < 0:
            to_up = -to_up
        if to_corner < 0:
            to_corner = -to_corner
        if to_left > to_up or to_left > to_corner:
            left = up if to_up <= to_corner else corner
        left = delta + left & 255
        out.append(left)
    return bytes(out)


def _predicted(left: int, up: int, corner: int) -> int:
    """Return the neighbour that is nearest to left + up - corner; ties go in this order."""
    to_left, to_up = abs(up - corner), abs(left - corner)
    to_corner = abs(left + up - 2 * corner)
    if to_left <= to_up and to_left <= to_corner:
        return left
    return up if to_up <= to_corner else corner


def _either(one: bytes, other: bytes) -> bytes:
    return (int.from_bytes(one) | int.from_bytes(other)).to_bytes(len(one))
