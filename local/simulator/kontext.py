"""The pixels of FLUX.1 Kontext by ratio: about a megapixel (https://github.com/black-forest-labs/flux)."""

KONTEXT_RATIOS = {
    "1:1": (1024, 1024),
    "3:2": (1248, 832),
    "2:3": (832, 1248),
    "4:3": (1184, 880),
    "3:4": (880, 1184),
    "16:9": (1392, 752),
    "9:16": (752, 1392),
    "21:9": (1568, 672),
    "9:21": (672, 1568),
}


def nearest_ratio(width: int, height: int) -> str:
    """Return the ratio that a picture's is nearest to."""

    def distance(ratio: str) -> float:
        own_width, own_height = KONTEXT_RATIOS[ratio]
        quotient = (width * own_height) / (height * own_width)
        return max(quotient, 1 / quotient)

    return min(KONTEXT_RATIOS, key=distance)
