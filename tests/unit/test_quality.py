"""The words of a prompt name its quality, as whole words, and the answer says which."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imagegen.domain.catalog import Tier
from imagegen.domain.quality import choose_for_model, choose_quality
from imagegen.domain.quality_words import SCRIPTS, TIER_WORDS, listed, signs

ALL = [
    (tier, " ".join(phrase).replace("*", ""))
    for tier, uses in TIER_WORDS.items()
    for text in uses.values()
    for phrase in listed(text)
]
SIGNS = [(tier, word) for tier, text in SCRIPTS.items() for word in signs(text)]

FOR_ULTRA = (
    "not a quick sketch but a masterpiece of light",
    "A masterpiece, oil on canvas",
    "Portrait of a sailor, absolute masterpiece",
    "a true masterpiece: dancers in rain",
    "ein wahres Meisterwerk: Sturm",
    "un véritable chef-d'œuvre, une nature morte",
    "ein ultradetailliertes Bild einer Biene",
    "the best quality you can manage, a portrait",
    "ultra detailed dragon",
    "ein Meisterwerk, Öl auf Leinwand",
    "un chef-d'œuvre, peinture à l'huile",
    "una obra maestra al óleo",
    "傑作、油絵",
    "castle, 8k, artstation",
    "a fox in a masterpiece painting",
    "un capolavoro a olio",
)
FOR_HIGH = (
    "4K wallpaper of a misty forest",
    "professional photo of a chef",
    "a photorealistic portrait",
    "ein hochauflösendes Foto von einem Berg",
    "photo professionnelle d'une montre",
    "une photo en haute résolution d'un lac",
    "una foto de alta calidad de un lago",
    "una foto profesional de un reloj",
    "高画質の富士山の写真",
    "一张高清的长城照片",
    "polished logo for a bank",
    "detailed map of Middle Earth",
    "a dragon with detailed scales",
    "high quality photo of a bag",
    "uma foto de alta qualidade de um lago",
    "a nurse at work -professional photo",
    '"4k"',
    "a fox,high quality",
    "a fox- high quality",
    "a monitor beside a 4k artwork",
    "4k art for monitors",
    "made for monitors in 4k",
    "a fox with high quality needed",
    "high quality is not ugly",
    "foto de producto profesional",
    "foto producto profesional",
    "not the fox with high quality",
    "a professional please",
    "please professional",
)
FOR_FAST = (
    "a quick sketch of a fox",
    "a fast mock-up of an app icon",
    "no masterpiece, just a rough sketch",
    "a draft of a logo",
    "first draft: poster for a school play",
    "eine schnelle Skizze von einem Fuchs",
    "un croquis rapide d'un chat",
    "un boceto rápido de un gato",
    "狐のラフスケッチ",
    "画一只狐狸的草图",
    "draw me a cat quickly",
    "something quick, a cat",
    "make it cheap please",
    "rough pencil sketch of a bridge",
    "youtube thumbnail of a cat",
    "uno schizzo veloce di un gatto",
    "a quick sketch-",
    "quickly draw a cat",
)
FOR_NOTHING = (
    "a quick brown fox jumps over a lazy dog",
    "a family watching a 4K television",
    'a sign that says "FAST FOOD"',
    "a fast car on a highway",
    "a cheap motel at night",
    "a professional chef cooking",
    "doesn't have to be high quality, a doodle of a cat",
    "a museum guide pointing at a masterpiece",
    "an ultra marathon runner",
    "ultra HD television in a shop",
    "draft beer on a table",
    "ein schneller Fuchs",
    "muss nicht hochwertig sein, ein Hund",
    "ein billiges Hotel",
    "un renard rapide",
    "sans haute qualité, un chien",
    "un zorro rápido",
    "no hace falta alta calidad, un perro",
    "高画質でなくていい、犬の絵",
    "早く走る犬",
    "不需要高清、一只狗",
    "一台高清电视在客厅",
    "a horse running quickly",
    "a polished marble floor",
    "a detective reading a detailed report",
    "a bag made of high-quality leather",
    "rough sea at night",
    "fast food photo",
    "8k runner at the finish",
    "un treno veloce",
    "high quality is not needed, a dog",
    "a high resolution is unnecessary, a tree",
    "4k would be overkill, a frog",
    "hohe Qualität ist überflüssig, ein Frosch",
    "la haute qualité est inutile, une grenouille",
    "la alta calidad es innecesaria, una rana",
    "高画質は必要ない、カエル",
    "a masterpiece theft in a museum",
    "detailed instructions pinned to a wall",
    "a draft of cold air moving the curtain",
    "a professional",
    "birds that paint quickly",
    "a fox that doesn\N{RIGHT SINGLE QUOTATION MARK}t need 4k",
    "flotilla sketch",
    "'twas high quality",
    "a fox can quickly draw",
    "draw a horse running quickly",
    "his drawing cheap",
    "the professional and photo equipment",
    "fast food professional",
    "no high quality please just a fox in the snow by the river at night",
)


@pytest.mark.parametrize(("tier", "word"), ALL)
def test_every_word_counts_alone_in_any_case_and_any_spacing(tier: Tier, word: str) -> None:
    for text in (
        word,
        word.upper(),
        word.title(),
        word.replace(" ", " \t "),
        word.replace(" ", "-"),
    ):
        choice = choose_quality(f"A fox, {text}, in snow", None)
        assert choice.tier is tier
        assert f'"{word}"' in choice.reason


@pytest.mark.parametrize(("tier", "word"), SIGNS)
def test_every_word_without_spaces_counts(tier: Tier, word: str) -> None:
    choice = choose_quality(f"狐、{word}、雪", None)
    assert (choice.tier, word in choice.reason) == (tier, True)


@pytest.mark.parametrize(
    ("prompt", "tier"),
    [
        *((prompt, Tier.ULTRA) for prompt in FOR_ULTRA),
        *((prompt, Tier.HIGH) for prompt in FOR_HIGH),
        *((prompt, Tier.FAST) for prompt in FOR_FAST),
        *((prompt, Tier.STANDARD) for prompt in FOR_NOTHING),
    ],
)
def test_a_word_counts_when_it_speaks_of_the_picture(prompt: str, tier: Tier) -> None:
    assert choose_quality(prompt, None).tier is tier


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
        "a quick-witted sketch artist",
        "a semi-professional photo of a boxer",
        "",
    ],
)
def test_a_part_of_a_word_decides_nothing(prompt: str) -> None:
    assert choose_quality(prompt, None).tier is Tier.STANDARD
    assert choose_quality(prompt, None).reason == "the prompt names no quality"


@pytest.mark.parametrize(
    "prompt",
    [
        'a shop sign "CHEAP, QUICK, 8K"',
        "a neon sign that says 'MASTERPIECE'",
        "ein Schild mit „Meisterwerk“ darauf",
        "une enseigne «haute qualité»",
        "「最高品質」と書かれた看板",
    ],
)
def test_what_is_to_be_written_in_the_picture_decides_nothing(prompt: str) -> None:
    assert choose_quality(prompt, None).tier is Tier.STANDARD


def test_a_prompt_that_is_quoted_whole_is_read() -> None:
    assert choose_quality('"a quick sketch of a fox"', None).tier is Tier.FAST


def test_a_long_prompt_is_read_at_its_beginning_and_its_end() -> None:
    filler = "the old house by the river " * 1_000
    assert choose_quality(f"8k, {filler}", None).tier is Tier.ULTRA
    assert choose_quality(f"{filler}, 8k", None).tier is Tier.ULTRA
    assert choose_quality(f"{filler}, 8k, {filler}", None).tier is Tier.STANDARD


def test_only_a_prompt_that_is_too_long_is_read_in_two_parts() -> None:
    beginning = f"{'the old house by the river ' * 200}"[:3_990]
    long = f"{beginning} like a real photo {'trees ' * 1_000}"
    assert [choose_quality(long[:size], None).tier for size in (4_999, 5_000, 5_001)] == [
        Tier.HIGH,
        Tier.HIGH,
        Tier.STANDARD,
    ]


def test_what_is_asked_for_stands_above_the_words() -> None:
    choice = choose_quality("a masterpiece, ultra", Tier.FAST)
    assert (choice.tier, choice.reason) == (Tier.FAST, "requested")


def test_ultra_stands_above_high_and_high_above_fast() -> None:
    assert choose_quality("quick photorealistic masterpiece", None).tier is Tier.ULTRA
    assert choose_quality("quick photorealistic sketch", None).tier is Tier.HIGH
    assert choose_quality("quick sketch", None).tier is Tier.FAST


def test_the_reason_names_each_word_once_and_whole() -> None:
    reason = choose_quality("ultra-detailed, 8K, Ultra, 8k, highest   quality", None).reason
    assert reason == 'the prompt contains "ultra detailed", "8k", "ultra", "highest quality"'


def test_the_reason_names_no_word_that_did_not_count() -> None:
    reason = choose_quality("a quick fox, no thumbnail, a rough sketch", None).reason
    assert reason == 'the prompt contains "rough sketch"'


def test_low_quality_is_fast_and_not_high() -> None:
    assert choose_quality("a low quality scan", None).tier is Tier.FAST


@given(st.text(max_size=300))
def test_every_prompt_has_a_quality_and_a_reason(prompt: str) -> None:
    choice = choose_quality(prompt, None)
    assert choice.tier in Tier
    assert choice.reason


PROMPTS = st.sampled_from(
    [
        "a fox",
        "a masterpiece of a fox",
        "a detailed fox",
        "a quick sketch",
        "a quick 4k masterpiece",
    ]
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
        ("a quick sketch", {Tier.HIGH, Tier.FAST}, Tier.FAST, 'the prompt contains "quick"'),
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
