"""OpenAI's sizes and tokens: https://developers.openai.com/api/docs/guides/image-generation."""

import re
from fractions import Fraction
from math import ceil, floor, sqrt

from local.simulator.desk import Order
from local.simulator.prompts import token_count
from local.simulator.wire import Body

FACTORS = {"low": 16, "medium": 24, "high": 48, "xhigh": 64, "max": 96}
MICROUSD_PER_TOKEN = 30
MICROUSD_PER_INPUT_TOKEN = 8
PARTIAL_TOKENS = 100
"""Of one preview frame."""
PATCH, MOST_PATCHES, SMALL = 32, 1536, 1024
STEP, LONGEST_EDGE, STEEPEST = 16, 3840, 3
FEWEST_PIXELS, MOST_PIXELS = 655_360, 8_294_400


def pixels_of(size: str) -> tuple[int, int] | None:
    """Return width and height of a size that gpt-image-2.5 supports, ``None`` for any other."""
    if size == "auto":
        return 1024, 1024
    match = re.fullmatch(r"([1-9]\d{1,4})x([1-9]\d{1,4})", size)
    if not match:
        return None
    width, height = int(match[1]), int(match[2])
    return (width, height) if is_drawable(width, height) else None


def is_drawable(width: int, height: int) -> bool:
    """Return whether the edges satisfy OpenAI's four rules."""
    short, long = sorted((width, height))
    on_grid = width % STEP == 0 and height % STEP == 0
    in_shape = long <= LONGEST_EDGE and long <= STEEPEST * short
    return on_grid and in_shape and FEWEST_PIXELS <= width * height <= MOST_PIXELS


def output_tokens(quality: str, width: int, height: int) -> int:
    """Return the tokens of one picture, by the formula of gpt-image-2.5."""
    factor = FACTORS[quality]
    short, long = sorted((width, height))
    # OpenAI rounds exact halves to the even number.
    grid = round(Fraction(factor * short, long))
    return -(-factor * grid * (2_000_000 + width * height) // 4_000_000)


def input_tokens(width: int, height: int) -> int:
    """Return the tokens of one input image: patches of 32 pixels, at most 1,536 of them."""
    wide, high = float(width), float(height)
    if (longest := max(width, height)) < SMALL:
        grow = min(2.0, SMALL / longest)
        wide, high = round(wide * grow), round(high * grow)
    if patches(wide, high) > MOST_PATCHES:
        shrink = sqrt(PATCH * PATCH * MOST_PATCHES / (wide * high))
        across, down = wide * shrink / PATCH, high * shrink / PATCH
        shrink *= min(max(1, floor(across)) / across, max(1, floor(down)) / down)
        wide, high = floor(wide * shrink), floor(high * shrink)
    return max(1, min(MOST_PATCHES, patches(wide, high)))


def patches(width: float, height: float) -> int:
    """Return how many patches cover a picture."""
    return ceil(width / PATCH) * ceil(height / PATCH)


def read_tokens(order: Order) -> int:
    """Return the tokens of all input images; a mask was found not to count."""
    return sum(input_tokens(one.width, one.height) for one in order.inputs)


def added_microusd(order: Order) -> int:
    """Return what inputs and preview frames add to the price of one picture."""
    frames = order.partials * PARTIAL_TOKENS * MICROUSD_PER_TOKEN
    return read_tokens(order) * MICROUSD_PER_INPUT_TOKEN + frames


def usage_of(order: Order, *, input_lost: bool = False) -> Body:
    """Return the tokens of a call; an input that was lost on the way has none."""
    text, images = token_count(order.prompt), 0 if input_lost else read_tokens(order)
    each = output_tokens(str(order.quality), order.width, order.height)
    drawn = order.count * (each + order.partials * PARTIAL_TOKENS)
    return {
        "input_tokens": text + images,
        "input_tokens_details": {"text_tokens": text, "image_tokens": images},
        "output_tokens": drawn,
        "output_tokens_details": {"image_tokens": drawn, "text_tokens": 0},
        "total_tokens": text + images + drawn,
    }
