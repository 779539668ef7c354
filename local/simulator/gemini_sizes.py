"""Gemini's pixels by ratio and size (https://ai.google.dev/gemini-api/docs/image-generation)."""

from collections.abc import Mapping
from typing import Any

RATIOS = {
    "1:1": (1024, 1024),
    "3:2": (1264, 848),
    "2:3": (848, 1264),
    "4:3": (1200, 896),
    "3:4": (896, 1200),
    "5:4": (1152, 928),
    "4:5": (928, 1152),
    "16:9": (1376, 768),
    "9:16": (768, 1376),
    "21:9": (1584, 672),
}
# Google does not publish the pixels of these ratios: about a megapixel, on a grid of 16.
WIDE_RATIOS = {"1:4": (512, 2048), "4:1": (2048, 512), "1:8": (368, 2944), "8:1": (2944, 368)}
SCALES = {"1K": 1, "2K": 2, "4K": 4}
SIZES = {
    "gemini-3-pro-image": {"1K", "2K", "4K"},
    "gemini-nano-banana-2.1": {"1K", "2K", "4K"},
    "gemini-3.1-flash-lite-image": {"1K"},
}
TOKENS = {
    "gemini-3-pro-image": {"1K": 1120, "2K": 1120, "4K": 2000},
    "gemini-nano-banana-2.1": {"1K": 1120, "2K": 1680, "4K": 3780},
    "gemini-3.1-flash-lite-image": {"1K": 1120},
}

OUTPUT_TOKENS = 32_768
LEVELS = {"gemini-nano-banana-2.1": ("MINIMAL", "MEDIUM", "HIGH")}
"""The documented levels; no page documents any for the other models."""
THOUGHTS = {"MINIMAL": 0, "MEDIUM": 400, "HIGH": 2_000}


def thoughts_of(model: str, config: Mapping[str, Any]) -> int:
    """Return the tokens that a model thinks; its default level is medium."""
    level = config.get("thinkingConfig", {}).get("thinkingLevel", "MEDIUM")
    return THOUGHTS[level] if model in LEVELS else 0


def pixels_of(ratio: str, size: str) -> tuple[int, int]:
    """Return width and height."""
    width, height = {**RATIOS, **WIDE_RATIOS}[ratio]
    return width * SCALES[size], height * SCALES[size]
