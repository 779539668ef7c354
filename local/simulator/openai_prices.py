"""OpenAI's sizes and tokens: https://developers.openai.com/api/docs/guides/image-generation."""

import re

from local.simulator.desk import Order
from local.simulator.prompts import token_count
from local.simulator.wire import Body

FACTORS = {"low": 16, "medium": 24, "high": 48, "xhigh": 64, "max": 96}
MICROUSD_PER_TOKEN = 30
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
    grid = (2 * factor * short + long) // (2 * long)
    return -(-factor * grid * (2_000_000 + width * height) // 4_000_000)


def usage_of(order: Order) -> Body:
    """Return the tokens of a call."""
    read = token_count(order.prompt)
    drawn = order.count * output_tokens(str(order.quality), order.width, order.height)
    return {
        "input_tokens": read,
        "input_tokens_details": {"text_tokens": read, "image_tokens": 0},
        "output_tokens": drawn,
        "output_tokens_details": {"image_tokens": drawn, "text_tokens": 0},
        "total_tokens": read + drawn,
    }
