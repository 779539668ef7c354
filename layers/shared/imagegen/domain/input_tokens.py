"""How many tokens OpenAI counts for an input image."""

from math import ceil, floor, sqrt

PATCH = 32
LONGEST_RATIO = 3
SMALL = 1024
"""A picture whose longest side is shorter is enlarged, at most twice."""


def input_tokens(width: int, height: int, *, cap: int) -> int:
    """Return the tokens of one input image: its patches of 32 x 32 pixels, at most ``cap``.

    What OpenAI does with a picture that is more than three times as long as wide is not documented:
    it counts as ``cap``.
    """
    if max(width, height) > LONGEST_RATIO * min(width, height):
        return cap
    wide, high = float(width), float(height)
    if (longest := max(width, height)) < SMALL:
        grow = min(2.0, SMALL / longest)
        wide, high = round(width * grow), round(height * grow)
    if _patches(wide, high) > cap:
        shrink = sqrt(PATCH * PATCH * cap / (wide * high))
        across, down = wide * shrink / PATCH, high * shrink / PATCH
        shrink *= min(max(1, floor(one)) / one for one in (across, down))
        wide, high = max(1, floor(wide * shrink)), max(1, floor(high * shrink))
    return min(cap, _patches(wide, high))


def _patches(width: float, height: float) -> int:
    return ceil(width / PATCH) * ceil(height / PATCH)
