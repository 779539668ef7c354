"""Finds out what a text wants of a picture that is there: a change, its style, or an operation."""

import re
from collections.abc import Sequence
from typing import Any

from local.simulator.art.words import vocabulary
from local.simulator.chat_conditions import VERSIONS, words_left

NAMED = re.compile(r"\b(?:image|picture|photo) #?(\d{1,3})\b", re.IGNORECASE)
OPERATIONS = {
    "upscale": re.compile(
        r"\bupscale\b|\b(?:in )?(?:a )?higher resolution\b|\bhochskalieren\b|高解像度",
        re.IGNORECASE,
    ),
    "cutout": re.compile(
        r"\b(?:remove|without|erase|delete|cut) (?:the|its) background\b|\bcut .*\bout\b|"
        r"\btransparent background\b|\bhintergrund (?:entfernen|weg)\b|\bfreistellen\b|"
        r"\b(?:entferne?|ohne) (?:den )?hintergrund\b|\b(?:quita|elimina|sin) (?:el )?fondo\b|"
        r"\b(?:enlève|retire|supprime|sans) (?:le |l')?(?:fond|arrière-plan)\b|"
        r"\bdétoure|背景を?(?:透明|消|削除|なし)",
        re.IGNORECASE,
    ),
}
"""The words that ask for an operation on a picture instead of a change of what it shows."""
LARGER = re.compile(
    r"\b(?:larger|bigger|[248]k|größer|vergrößer\w*|más grande|amplía\w*|plus grande?|"
    r"agrandi\w*)\b|"
    r"拡大|大きく",
    re.IGNORECASE,
)
"""Words that ask for an upscale if they are all that is said: a hat can be bigger as well."""
SAME_STYLE = re.compile(
    r"\b(?:in|with) (?:the )?same style\b|\bstyle (?:of|as|like) (?:the )?(?:last|first|previous|"
    r"that|"
    r"this|it)\b|\b(?:im|in) (?:gleichen|demselben|selben) stil\b|\b(?:con|en) el mismo estilo\b|"
    r"\bdans le même style\b|同じ(?:スタイル|画風)",
    re.IGNORECASE,
)
POLITE = re.compile(
    r"^\W*(?:(?:can|could|would|will) (?:you|we)|please|kannst du|könntest du|bitte|(?:me )?puedes|"
    r"podrías|por favor|peux[- ]tu|pouvez[- ]vous)\s+(?:(?:please|bitte|maybe|also|auch)\s+)*",
    re.IGNORECASE,
)
COMPARED = (
    r"(?:darker|brighter|lighter|bluer|redder|greener|warmer|colder|cooler|smaller|softer|happier|"
    r"sadder|older|younger|closer|funnier|scarier|cuter|prettier|simpler|nicer|"
    r"heller|dunkler|wärmer|kälter|bunter|kleiner|lustiger|älter|jünger|näher)"
)
LOOKS = "|".join(
    re.escape(word.replace("+", " "))
    for word, meanings in sorted(vocabulary().items(), reverse=True)
    if any(one.kind in ("colour", "style") for one in meanings)
)
"""The colours and styles that can be painted; of two with the same beginning, the longer first."""
CHANGES = re.compile(
    r"\b(?:make|turn|paint|colou?r|show|give|let) (?:it|this|that|them|him|her|the)\b|"
    r"\bthe same\b|^\W*(?:now\s+)?same\b|"
    r"\b(?:change|replace|remove|erase|crop|recolou?r|brighten|darken|get rid of|take away)\b|"
    r"^\W*(?:please\s+)?(?:now\s+)?(?:add|put|with|without|but|in|at|on|as|more|less|fewer|no|"
    r"under|"
    r"during|zoom|swap|move|and (?:an?|the|some|add|with))\b|\binstead\b|"
    r"\b(?:want|like|need|can|could|should|may)\b.{0,20}\b(?:it|him|them|this one|that one)\b|"
    r"\bthe \w+ (?:should|needs? to|must|has to)\b|"
    rf"^\W*(?:(?:please|now|a|bit|little|slightly|much|und|jetzt|bitte|etwas|"
    rf"viel)\s+)*{COMPARED}\b|"
    r"^\W*(?:bitte\s+|jetzt\s+)*(?:(?:mach\w*|färb\w*|mal\w*) (?:es|ihn|sie|das|den|die|dem)|"
    r"(?:änder|entfern|ersetz|füg|tausch)\w*|das ?selbe|das gleiche|ohne|mit|aber|im|in|bei|als|"
    r"mehr|"
    r"weniger|statt|und (?:ein\w*|jetzt|mit)|gib (?:ihm|ihr|dem|der))\b|"
    r"^\W*(?:(?:haz|pon|pint|cámbi)[aeo]?l[oea]s?|cambia|quita|añade|agrega|"
    r"(?:lo|la|el) mism[oa]|igual|sin|con|pero|en|de noche|como|más|menos|y (?:un|con|ahora))\b|"
    r"^\W*(?:(?:fais|rends|mets|peins)[- ]l[ea]s?|mets|change|enlève|ajoute|retire|remplace|"
    r"l[ea] même|pareil|sans|avec|mais|de nuit|comme|plus|moins|et (?:une?|avec|maintenant))\b|"
    r"(?:く|に)して|変えて|なしで|なしに|足して|追加|消して|取って|同じ|もっと",
    re.IGNORECASE,
)
"""What a text says that wants a change of the last picture, and not a new one."""


def change_of(text: str, pictures: Sequence[str]) -> dict[str, Any]:
    """Return the arguments for a change of a picture, empty if the text wants no change.

    The text names the picture that is changed, and then those to look at; without a name, it is the
    last one.
    """
    named = [f"image {number}" for number in NAMED.findall(text)]
    if not pictures:
        return {}
    edit, *references = named or [pictures[-1]]
    if operation := operation_of(text):
        return {"prompt": text, "edit": edit, "operation": operation}
    if SAME_STYLE.search(text) and words_left(SAME_STYLE.sub("", text)) and not CHANGES.match(text):
        return {"prompt": text, "references": named or [pictures[-1]]}
    if not (named or wants_a_change(text)):
        return {}
    return {
        "prompt": VERSIONS.sub("", text),
        "edit": edit,
        **({"references": references} if references else {}),
    }


def wants_a_change(text: str) -> bool:
    """Return whether a text is about a picture that is there, whatever politeness begins it."""
    plain = POLITE.sub("", text)
    return bool(CHANGES.search(text) or CHANGES.match(plain)) or is_a_look(plain)


def operation_of(text: str) -> str | None:
    """Return the operation that a text asks for."""
    found = next((one for one, words in OPERATIONS.items() if words.search(text)), None)
    if found or not LARGER.search(text):
        return found
    return None if words_left(LARGER.sub("", NAMED.sub("", text))) else "upscale"


def is_a_look(text: str) -> bool:
    """Return whether a text is only a colour or a style."""
    rest, count = re.subn(rf"\b(?:{LOOKS}|colou?rful)\b", " ", text, flags=re.IGNORECASE)
    return count > 0 and not words_left(rest)
