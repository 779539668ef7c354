"""The words of a prompt name its quality, as whole words, and the answer says which."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imagegen.domain.catalog import Tier
from imagegen.domain.quality import WORDS, choose_for_model, choose_quality

ALL = [(tier, word) for tier, words in WORDS.items() for word in words]


@pytest.mark.parametrize(("tier", "word"), ALL)
def test_every_word_decides_in_any_case_and_any_spacing(tier: Tier, word: str) -> None:
    for text in (word, word.upper(), word.title(), word.replace(" ", " \n ")):
        choice = choose_quality(f"A fox, {text}, in snow", None)
        assert choice.tier is tier
        assert f'"{word}"' in choice.reason


@pytest.mark.parametrize(
    "prompt",
    [
        "a breakfast table",  # fast
        "steadfast soldier",
        "an ultrasound",
        "ultra-wide lens",
        "a draftsman",
        "HDR",
        "a roughneck",
        "14k gold",
        "undetailed",
        "a fast-food stand",
        "",
    ],
)
def test_a_part_of_a_word_decides_nothing(prompt: str) -> None:
    assert choose_quality(prompt, None).tier is Tier.STANDARD
    assert choose_quality(prompt, None).reason == "the prompt names no quality"


def test_what_is_asked_for_stands_above_the_words() -> None:
    choice = choose_quality("a masterpiece, ultra", Tier.FAST)
    assert (choice.tier, choice.reason) == (Tier.FAST, "requested")


def test_ultra_stands_above_high_and_high_above_fast() -> None:
    assert choose_quality("quick photorealistic masterpiece", None).tier is Tier.ULTRA
    assert choose_quality("quick photorealistic sketch", None).tier is Tier.HIGH
    assert choose_quality("quick sketch", None).tier is Tier.FAST


def test_the_reason_names_each_word_once_and_whole() -> None:
    reason = choose_quality("ultra-detailed, 8K, Ultra, 8k, highest   quality", None).reason
    assert reason == 'the prompt contains "ultra-detailed", "8k", "ultra", "highest quality"'


def test_low_quality_is_fast_and_not_high() -> None:
    assert choose_quality("a low quality scan", None).tier is Tier.FAST


@given(st.text(max_size=300))
def test_every_prompt_has_a_quality_and_a_reason(prompt: str) -> None:
    choice = choose_quality(prompt, None)
    assert choice.tier in Tier
    assert choice.reason


PROMPTS = st.sampled_from(
    ["a fox", "a masterpiece of a fox", "a detailed fox", "a quick fox", "a quick 4k masterpiece"]
)


@given(PROMPTS | st.text(), st.sets(st.sampled_from(Tier), min_size=1))
def test_a_model_is_drawn_where_it_stands_and_the_words_decide_where_they_can(
    prompt: str, tiers: set[Tier]
) -> None:
    meant, choice = choose_quality(prompt, None), choose_for_model(prompt, tiers)
    assert choice.tier in tiers
    assert choice.reason
    if meant.tier in tiers:
        assert choice.tier is meant.tier
        assert len(tiers) == 1 or choice == meant


@given(PROMPTS | st.text(), st.sets(st.sampled_from(Tier), min_size=2))
def test_where_a_model_stands_elsewhere_the_nearest_cheaper_or_else_dearer_is_taken(
    prompt: str, tiers: set[Tier]
) -> None:
    dearest_first = list(Tier)
    meant, got = (
        dearest_first.index(one.tier)
        for one in (choose_quality(prompt, None), choose_for_model(prompt, tiers))
    )
    places = {dearest_first.index(one) for one in tiers}
    cheaper = {place for place in places if place >= meant}
    assert got == (min(cheaper) if cheaper else max(places))


@pytest.mark.parametrize(
    ("prompt", "tiers", "tier", "reason"),
    [
        ("a fox", {Tier.HIGH}, Tier.HIGH, "the only quality of the requested model"),
        ("a quick fox", {Tier.HIGH, Tier.FAST}, Tier.FAST, 'the prompt contains "quick"'),
        (
            "a masterpiece",
            {Tier.HIGH, Tier.FAST},
            Tier.HIGH,
            'the prompt contains "masterpiece"; the requested model\'s nearest quality to ultra',
        ),
        (
            "a fox",
            {Tier.HIGH, Tier.FAST},
            Tier.FAST,
            "the prompt names no quality; the requested model's nearest quality to standard",
        ),
    ],
)
def test_the_reason_says_what_decided_for_a_model(
    prompt: str, tiers: set[Tier], tier: Tier, reason: str
) -> None:
    choice = choose_for_model(prompt, tiers)
    assert (choice.tier, choice.reason) == (tier, reason)
