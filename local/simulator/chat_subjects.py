"""Finds the subject of a picture in a wish: the text without the words that only ask for one."""

import re

from local.simulator.chat_budgets import without_budget
from local.simulator.chat_conditions import (
    NUMBER,
    VERSIONS,
    extras_of,
    number_of,
    words_left,
)

VERB = (
    r"(?:generate|draw|paint|create|make|sketch|render|design|show|give|get|illustrate|want|need)"
)
NOUN = r"(?:images?|pictures?|photos?|photographs?|drawings?|illustrations?|paintings?|logos?|art)"
POLITE = (
    r"(?:please|can you|could you|would you|will you|(?:can|could|may) (?:i|we) (?:get|have|see)|"
    r"i'd like|i would like|i'm looking for|i am looking for|i|now|then|and|ok|hello|hey|hi|"
    r"how about|"
    r"what about|what would|maybe|try|imagine|do me|make me)"
)
LEAD = re.compile(
    rf"^[\s.,!?¡¿'\"-]*(?:{POLITE}\b\W*)*"
    rf"(?:{VERB}\b\s*)?(?:me\b\s*|us\b\s*)?"
    rf"(?:(?:an?|the|one|some|two|three|four|five|six|\d+)\s+)?"
    rf"(?:(?:high|low|best|ultra|fast|quick|landscape|portrait|"
    rf"square)[\s-]+(?!of\b)(?:quality\s+)?)*"
    rf"(?:{NOUN}\s*(?::|of|with|showing|that shows)\s+)?",
    re.IGNORECASE,
)
OTHER_LEADS = re.compile(
    r"^\W*(?:(?:bitte|hallo)\W+)*(?:(?:kannst|könntest|würdest) du|ich (?:möchte|will|"
    r"hätte(?: gerne?)?|"
    r"brauche)|(?=(?:bild|foto|zeichnung) von)|mal(?:e|en sie)?|zeichne|erstelle?|generiere|"
    r"mache?|zeige?|gestalte|entwirf)\s*"
    r"(?:(?:mir|uns|bitte|gerne?)\s+)*(?:(?:(?:ein|eine|einen) )?(?:bild|foto|zeichnung|gemälde)\s+"
    r"(?:von|mit|:)\s+)?"
    r"|^\W*(?:(?:por favor|hola)\W+)*(?:(?:me )?(?:puedes|podrías)\s+\w+(?:me)?|quiero|"
    r"(?:me gustaría|quisiera)(?: ver| tener)?|dib[uú]ja(?:me)?|"
    r"p[ií]nta(?:me)?|haz(?:me)?|crea|genera|muéstrame)\s+(?:una? (?:imagen|foto|dibujo) (?:de|"
    r"con)\s+)?"
    r"|^\W*(?:(?:s'il te plaît|bonjour)\W+)*(?:(?:peux|pourrais)[\s-]tu\s+(?:me )?\w+|"
    r"(?:pouvez|pourriez)[\s-]vous\s+(?:me )?\w+|je (?:veux|voudrais)|"
    r"(?:dessine|fais|peins|crée|génère|montre)(?:[\s-]moi)?)\s+"
    r"(?:une? (?:image|photo|dessin) (?:de|d'|avec)\s*)?",
    re.IGNORECASE,
)
ENDINGS = re.compile(
    r"\s+(?:malen|zeichnen|erstellen|machen|zeigen|generieren|haben|please|bitte|por favor)$|"
    r"(?:の(?:絵|写真|画像|イラスト))?を?(?:描いて|作って|生成して|見せて)(?:ください|下さい|くれ|ほしい)?$|"
    r"\blook like$",
    re.IGNORECASE,
)
EMPTY = re.compile(
    rf"^(?:something|anything|nothing|it|an?|one|{NOUN}|nice|cool|funny|please|[248]k|was|etwas|"
    rf"bild|"
    r"algo|imagen|quelque chose|une?|ein|photo|何か|絵|\W)*$",
    re.IGNORECASE,
)


def is_vague(subject: str) -> bool:
    """Return whether a wish does not say what the picture should show."""
    return bool(EMPTY.match(subject)) and not _has_symbols(subject)


def arguments_of(text: str, subject: str) -> list[dict[str, str | float]]:
    """Return the tool's arguments for each picture that a text asks for."""
    extras = extras_of(text)
    if "count" in extras:
        text, subject = VERSIONS.sub("", text), subject_of(VERSIONS.sub(" ", text))
    parts = re.split(r"\s+and (?:one of )?(?=an? )|;\s*", subject)
    count = counted(text)
    if count > 1 and len(parts) != count:
        parts = [f"{subject}, version {number}" for number in range(1, count + 1)]
    return [{"prompt": part, **extras} for part in (parts if count > 1 else [subject])]


def counted(text: str) -> int:
    """Return how many pictures a text asks for."""
    found = re.search(rf"\b({NUMBER})\s+(?:\w+\s+)?{NOUN}\b", text, re.IGNORECASE)
    return number_of(found[1]) if found else 1


def subject_of(text: str) -> str:
    """Return the subject of a picture: the text without the words that only ask for one."""
    plain = ENDINGS.sub("", without_budget(text).strip(" ,.!?？！。¿¡\n"))
    if found := OTHER_LEADS.match(plain):
        return plain[found.end() :].strip() or plain
    rest = LEAD.sub("", plain, count=1).strip(" .!?\n")
    lead = plain[: len(plain) - len(rest)].strip().lower()
    return rest if re.search(r"of$|with$|showing$", lead) or not rest else article(plain, rest)


def article(text: str, rest: str) -> str:
    """Return ``rest`` with the article before it in ``text``, if there is one."""
    found = re.search(rf"\b(an?|the|two|three|four|some)\s+{re.escape(rest)}", text, re.IGNORECASE)
    return f"{found[1]} {rest}" if found else rest


def _has_symbols(text: str) -> bool:
    """Return whether a text has emoji, which say what a picture should show."""
    return any(ord(one) > 0x2190 and not one.isalnum() for one in text) and not words_left(text)
