"""The conditions of a wished picture: size, quality, number, model, the most that is paid."""

import re
from collections.abc import Mapping
from typing import Any

from imagegen.providers import registry
from local.simulator.chat_budgets import most_paid, without_budget
from local.simulator.chat_languages import vocabulary
from local.simulator.chat_shapes import shape_for, without_place

NUMBERS: Mapping[str, int] = {
    "two": 2,
    "three": 3,
    "four": 4,
    "five": 5,
    "six": 6,
    "both": 2,
    "zwei": 2,
    "drei": 3,
    "vier": 4,
    "dos": 2,
    "tres": 3,
    "cuatro": 4,
    "deux": 2,
    "trois": 3,
    "quatre": 4,
    "二": 2,
    "三": 3,
    "四": 4,
}
NUMBER = rf"\d|{'|'.join(NUMBERS)}"
QUALITIES = {
    "ultra": r"\bultra(?:[\s-]quality)?\b|\bbest quality\b",
    "high": r"\bhigh[\s-]quality\b",
    "fast": r"\bdraft quality\b|\bfast(?:est)?[\s-]quality\b|\bquick draft\b",
    "standard": r"\bstandard quality\b",
}
SIZES = re.compile(
    r"\b(landscape(?! of)|portrait(?! of)|square(?! of)|\d{2,5}x\d{2,5})\b", re.IGNORECASE
)
SHAPES: Mapping[str, str] = {
    "portrait": r"\bhochformat|\bhochkant\b|\bformat portrait\b|\b(?:en )?vertical\b|縦長|縦向き"
    r"|ポートレート|\b(?:9:16|2:3|3:4|4:5)\b|\bupright\b|\btaller\b",
    "landscape": r"\bquerformat|\bformat paysage\b|\bapaisad[oa]\b|\b(?:en )?horizontale?\b|横長"
    r"|横向き|\b(?:16:9|3:2|4:3|21:9)\b|\bwide(?:r|screen)?\b",
    "square": r"\bquadratisch|\bcuadrad[oa]\b|\bcarrée?\b|正方形|\b1:1\b",
}
"""Words for a size in other languages, and proportions."""
PROVIDER = re.compile(rf"\b(?:with|by|from|using|on)\s+({'|'.join(registry())})\b", re.IGNORECASE)
MODELS = re.compile(
    r"\b(?:with|by|using)\s+(dall[-\s]?e[-\s]?[23]|gpt-image-[\w.-]+|imagen-[\w.-]+)", re.IGNORECASE
)
VERSIONS = re.compile(
    rf"[,;.]?\s*\b(?:(?:and\s+)?(?:make\s+)?(?:in|as\s+)?\s*)?({NUMBER})"
    r"\s+(?:versions?|variations?|variants?|Versionen|Varianten|versiones|"
    r"variaciones)\b(?:\s+of\b)?"
    rf"|[,;.]\s*make\s+({NUMBER})\b",
    re.IGNORECASE,
)
"""Of one picture: they are one call of the tool, with ``count``."""
CHEAPER = re.compile(
    r"\b(?:cheap(?:er|est)?|less expensive|lower (?:price|cost)|too expensive|faster|quicker|"
    r"billiger|"
    r"günstiger|preiswerter|schneller|zu teuer|más barat[oa]s?|más económic[oa]s?|más rápid[oa]|"
    r"moins ch(?:er|ère)s?|plus rapide)\b|もっと安く|安く|安いの|速く",
    re.IGNORECASE,
)
BETTER = re.compile(
    r"\b(?:(?:in )?(?:better|higher|best) quality|better|(?:in )?more detail(?:ed|s)?|sharper|"
    r"(?:in )?bessere[rn]?(?: qualität)?|besser|schärfer|mejor(?: calidad)?|más detalles?|"
    r"meilleure(?: qualité)?|mieux|plus de détails)\b|高画質|もっと(?:きれい|綺麗)",
    re.IGNORECASE,
)
MORE = re.compile(
    rf"\b({NUMBER})\s+(?:more|más)\b|\b(?:noch|encore|otr[oa]s)\s+({NUMBER})\b|(?:もう|"
    rf"あと)\s*({NUMBER})枚",
    re.IGNORECASE,
)
AGAIN = re.compile(
    r"\b(?:another(?: one)?|one more|(?:try )?again|once more|redo|retry|regenerate|repeat|"
    r"noch (?:eins|eines|mal|einmal)|nochmals?|otra vez|otr[oa]|encore(?: une?)?(?: fois)?|"
    r"une autre)\b"
    r"|もう一度|もう[1一]枚",
    re.IGNORECASE,
)
FILLERS = frozenset(vocabulary()["conditionFillers"].split())
PARTICLES = re.compile(r"してください|お願いします|ください|にして|して|[でにをのはもな]")


def extras_of(text: str) -> dict[str, str | float]:
    """Return the arguments besides the prompt that a text determines."""
    extras: dict[str, str | float] = {}
    if found := VERSIONS.search(text):
        extras["count"] = number_of(found[1] or found[2])
    for quality, words in QUALITIES.items():
        if re.search(words, text, re.IGNORECASE):
            extras.setdefault("quality", quality)
    for name, pattern in (("size", SIZES), ("provider", PROVIDER), ("model", MODELS)):
        if found := pattern.search(text):
            extras[name] = model_of(found[1]) if name == "model" else found[1].lower()
    for shape, words in SHAPES.items():
        if re.search(words, text, re.IGNORECASE):
            extras.setdefault("size", shape)
    if shape_of_place := shape_for(text):
        extras.setdefault("size", shape_of_place)
    if (most := most_paid(text)) is not None:
        extras["maxCost"] = most
    return extras


def model_of(name: str) -> str:
    """Return a model's id as its vendor spells it."""
    return re.sub(r"^dall[-\s]?e[-\s]?", "dall-e-", name.lower())


def number_of(word: str) -> int:
    """Return a number that is written as a word or a digit, at least one."""
    return NUMBERS.get(word.lower()) or max(1, int(word))


def conditions_of(text: str, last: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return what a text that only names conditions changes; ``None`` if it says anything else."""
    found: dict[str, Any] = dict(extras_of(text))
    # Without a picture, "wallpaper" is the wish itself.
    rest = without_budget(without_place(text) if last and shape_for(text) else text)
    if CHEAPER.search(rest):
        found["quality"] = "fast"
    elif BETTER.search(rest):
        found["quality"] = "ultra" if last.get("quality") == "high" else "high"
    if more := MORE.search(rest):
        found["count"] = number_of(next(filter(None, more.groups())))
    named = bool(found or AGAIN.search(rest))
    patterns = (CHEAPER, BETTER, MORE, VERSIONS, PROVIDER, MODELS, AGAIN, SIZES)
    for pattern in (*patterns, *(re.compile(one, re.IGNORECASE) for one in _plain())):
        rest = pattern.sub(" ", rest)
    return found if named and not words_left(rest) else None


def words_left(text: str) -> list[str]:
    """Return the words of a text that are no fillers."""
    words = re.findall(r"[^\W_]+(?:['’-][^\W_]+)*", PARTICLES.sub(" ", text))
    return [one for one in words if one.lower() not in FILLERS]


def _plain() -> tuple[str, ...]:
    return (*SHAPES.values(), *QUALITIES.values())
