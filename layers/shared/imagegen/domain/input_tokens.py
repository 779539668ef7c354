"""How many tokens OpenAI counts for an image that is given with a request.

For gpt-image-2 and gpt-image-2.5; the size is the one after the EXIF orientation. The rule was
derived from answers of the API and agrees with 16 published measurements of 2026, from sizes of
256x256 to 3840x2160. Ratios beyond 3:1 were not measured: the most that can be counted,
``MOST_TOKENS``, is what a price for them must contain.
"""

from math import ceil, floor, sqrt

PATCH_EDGE = 32
MOST_TOKENS = 1536
SMALL_EDGE = 1024
"""An image whose longer side is below is enlarged to it, but at most to twice its size."""
MOST_ENLARGED = 2.0


def input_image_tokens(width: int, height: int) -> int:
    """Return the tokens of one input image of this size in pixels, 1 to ``MOST_TOKENS``.

    The image is covered by patches of 32x32 pixels, and each is a token. If these would be too
    many, the image is shrunk first, until one of its sides is a whole number of patches.
    """
    across, down = _enlarged(width, height)
    if _patches(across, down) > MOST_TOKENS:
        across, down = _shrunk(across, down)
    return max(1, min(MOST_TOKENS, _patches(across, down)))


def _patches(width: int, height: int) -> int:
    return ceil(width / PATCH_EDGE) * ceil(height / PATCH_EDGE)


def _enlarged(width: int, height: int) -> tuple[int, int]:
    factor = max(1.0, min(MOST_ENLARGED, SMALL_EDGE / max(width, height)))
    return round(width * factor), round(height * factor)


def _shrunk(width: int, height: int) -> tuple[int, int]:
    """Return the size whose area is that of the most patches, less what makes a side fit them."""
    factor = sqrt(MOST_TOKENS * PATCH_EDGE**2 / (width * height))
    sides = (width * factor / PATCH_EDGE, height * factor / PATCH_EDGE)
    factor *= min(floor(side) / side for side in sides)
    return floor(width * factor), floor(height * factor)
