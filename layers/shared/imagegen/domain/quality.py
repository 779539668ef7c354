"""Which tier a prompt asks for, and by which of its words."""

import re
from collections.abc import Collection
from dataclasses import dataclass

from imagegen.domain.catalog import Tier

WORDS: dict[Tier, tuple[str, ...]] = {
    Tier.ULTRA: (
        "ultra",
        "ultra-detailed",
        "ultra-realistic",
        "masterpiece",
        "best quality",
        "best possible",
        "highest quality",
        "maximum quality",
        "gallery quality",
        "print quality",
        "8k",
    ),
    Tier.HIGH: (
        "high quality",
        "high-quality",
        "high resolution",
        "high-resolution",
        "hd",
        "4k",
        "detailed",
        "photorealistic",
        "photo-realistic",
        "professional",
        "polished",
    ),
    Tier.FAST: (
        "fast",
        "quick",
        "quickly",
        "draft",
        "rough",
        "rough sketch",
        "low quality",
        "low-quality",
        "cheap",
        "cheaply",
        "thumbnail",
    ),
}
"""Searched in this order, as whole words in any case; the first tier with a match decides."""

_PATTERNS = {
    tier: re.compile(
        # The longest first, so that the reason names the whole phrase that decided.
        r"(?<![\w-])("
        + "|".join(re.escape(w).replace(r"\ ", r"\s+") for w in sorted(words, key=len)[::-1])
        + r")(?![\w-])",
        re.IGNORECASE,
    )
    for tier, words in WORDS.items()
}


@dataclass(frozen=True, slots=True)
class QualityChoice:
    """A tier, and a text for people that says why it was chosen."""

    tier: Tier
    reason: str


def choose_quality(prompt: str, requested: Tier | None) -> QualityChoice:
    """Return the requested tier, else the one whose words the prompt uses, else standard."""
    if requested is not None:
        return QualityChoice(requested, "requested")
    for tier, pattern in _PATTERNS.items():
        found = dict.fromkeys(" ".join(hit.lower().split()) for hit in pattern.findall(prompt))
        if found:
            words = ", ".join(f'"{word}"' for word in found)
            return QualityChoice(tier, f"the prompt contains {words}")
    return QualityChoice(Tier.STANDARD, "the prompt names no quality")


def choose_for_model(prompt: str, tiers: Collection[Tier]) -> QualityChoice:
    """Return the tier for a model that was requested without a quality.

    ``tiers`` are those that offer the model. The prompt's words decide as for any request, and
    without such words it is standard. If that tier does not offer the model, it is the nearest
    cheaper tier that does, else the nearest dearer one.
    """
    if len(set(tiers)) == 1:
        return QualityChoice(next(iter(tiers)), "the only quality of the requested model")
    choice = choose_quality(prompt, None)
    if choice.tier in tiers:
        return choice
    dearest_first = list(Tier)
    index = dearest_first.index(choice.tier)
    nearest = (*dearest_first[index + 1 :], *reversed(dearest_first[:index]))
    tier = next(one for one in nearest if one in tiers)
    return QualityChoice(
        tier, f"{choice.reason}; the requested model's nearest quality to {choice.tier}"
    )
