"""Which tier a prompt asks for, and by which of its words."""

from collections.abc import Collection
from dataclasses import dataclass

from imagegen.domain.catalog import Tier


@dataclass(frozen=True, slots=True)
class QualityChoice:
    """A tier, and a text for people that says why it was chosen."""

    tier: Tier
    reason: str


def choose_quality(prompt: str, requested: Tier | None) -> QualityChoice:
    """Return the requested tier, else the one that the prompt's words ask for, else standard."""
    if requested is not None:
        return QualityChoice(requested, "requested")
    # Only a prompt without a requested quality needs the tables: 15 ms of a start.
    from imagegen.domain.quality_reading import words_that_count  # noqa: PLC0415

    found = words_that_count(prompt)
    for tier in (Tier.ULTRA, Tier.HIGH, Tier.FAST):
        if named := dict.fromkeys(word for one, word in found if one is tier):
            listed = ", ".join(f'"{word}"' for word in named)
            return QualityChoice(tier, f"the prompt contains {listed}")
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
