"""Wishes: what a request wants of its image besides its size."""

from dataclasses import dataclass

MAX_SEED = 2**31 - 1
"""Accepted by every provider that has seeds."""

MOST_PARTIALS = 2
"""How many preview frames one image can have."""


@dataclass(frozen=True, slots=True)
class Wishes:
    """What is wanted; a row that cannot is left out, and nothing is dropped silently."""

    transparent: bool = False
    """Whether the background must be transparent."""
    seed: int | None = None
    partials: int = 0
    """How many preview frames are wanted."""
    scale: int = 0
    """How many times longer the edges of an upscale are; 0 for other operations."""


NONE = Wishes()
