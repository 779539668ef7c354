"""Which tier a prompt asks for, and which words said so."""

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
"""Looked for in this order, as whole words in any case; the first tier with a hit decides."""

_PATTERNS = {
    tier: re.compile(
        # The longest first, so that the reason names all of the words that decided.
        r"(?<![\w-])("
        + "|".join(re.escape(w).replace(r"\ ", r"\s+") for w in sorted(words, key=len)[::-1])
        + r")(?![\w-])",
        re.IGNORECASE,
    )
    for tier, words in WORDS.items()
}


@dataclass(frozen=True, slots=True)
class QualityChoice:
    """A tier and why."""

    tier: Tier
    reason: str


def choose_quality(prompt: str, asked: Tier | None) -> QualityChoice:
    """Return the tier asked for, else the one whose words the prompt uses, else standard."""
    if asked is not None:
        return QualityChoice(asked, "asked for")
    for tier, pattern in _PATTERNS.items():
        found = dict.fromkeys(" ".join(hit.lower().split()) for hit in pattern.findall(prompt))
        if found:
            words = ", ".join(f'"{word}"' for word in found)
            return QualityChoice(tier, f"the prompt says {words}")
    return QualityChoice(Tier.STANDARD, "the prompt names no quality")


def choose_for_model(prompt: str, tiers: Collection[Tier]) -> QualityChoice:
    """Return which of the tiers that a model stands in is meant, where no quality was asked for.

    As for any request the prompt's words decide, or else it is standard. Where the model does not
    stand there, it is the nearest cheaper tier that has it, else the nearest dearer.
    """
    if len(set(tiers)) == 1:
        return QualityChoice(next(iter(tiers)), "the only one of the model asked for")
    choice = choose_quality(prompt, None)
    if choice.tier in tiers:
        return choice
    dearest_first = list(Tier)
    place = dearest_first.index(choice.tier)
    nearest = (*dearest_first[place + 1 :], *reversed(dearest_first[:place]))
    tier = next(one for one in nearest if one in tiers)
    return QualityChoice(
        tier, f"{choice.reason}; of the model asked for this is the nearest to {choice.tier}"
    )
