"""Wishes: what a request wants of its image besides its size, and how a row is asked for it."""

from dataclasses import dataclass

from imagegen.domain.catalog import Offering
from imagegen.domain.sizes import SizeOption

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


def ordered(
    row: Offering, option: SizeOption, wishes: Wishes, *, has_inputs: bool = False
) -> SizeOption:
    """Return the size with the parameters for wishes and inputs; ``missing`` must find nothing."""
    more = dict(row.inputs.params) if has_inputs and row.inputs else {}
    if wishes.transparent:
        more |= row.transparent or {}
    if wishes.seed is not None and row.seed is not None:
        more[row.seed] = wishes.seed
    if wishes.partials and row.previews is not None:
        more |= {**row.previews.params, row.previews.count: wishes.partials}
    if wishes.scale and row.enlarges is not None:
        more |= row.enlarges.params(wishes.scale) or {}
    return option.model_copy(update={"params": {**option.params, **more}}) if more else option


def missing(row: Offering, wishes: Wishes) -> str | None:
    """Return which wish a row cannot meet, in words, ``None`` if it can meet all."""
    if wishes.transparent and row.transparent is None:
        return "makes no transparent background"
    if wishes.seed is not None and row.seed is None:
        return "has no seed"
    if wishes.partials and (row.previews is None or wishes.partials > row.previews.most):
        return "sends no preview frames" if row.previews is None else "sends fewer preview frames"
    if wishes.scale and (row.enlarges is None or row.enlarges.params(wishes.scale) is None):
        return f"does not enlarge {wishes.scale} times"
    return None
