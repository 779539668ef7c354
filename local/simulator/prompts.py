"""Defines which prompts are refused: by a small table of words, and by fixed passwords."""

import re

CATEGORIES = (
    "harassment",
    "harassment/threatening",
    "hate",
    "hate/threatening",
    "illicit",
    "illicit/violent",
    "self-harm",
    "self-harm/intent",
    "self-harm/instructions",
    "sexual",
    "sexual/minors",
    "violence",
    "violence/graphic",
)
WORDS = {
    "harassment": ("humiliate", "bully him", "bully her"),
    "hate": ("ethnic cleansing", "racial slur"),
    "illicit": ("cook meth", "counterfeit money"),
    "illicit/violent": ("pipe bomb",),
    "self-harm": ("suicide", "self-harm"),
    "sexual": ("nude", "naked", "porn", "nsfw"),
    "violence": ("massacre", "murder", "torture"),
    "violence/graphic": ("gore", "beheading", "dismembered"),
}
PASSWORD = re.compile(r"moderation-block:([a-z/-]+)")
PROVIDER_REFUSAL = "provider-refusal"
"""A prompt with this text passes moderation, and every image provider refuses it in its own way."""


def categories_of(text: str) -> tuple[str, ...]:
    """Return the categories for which a text is flagged, none for a harmless text."""
    lowered = text.lower()
    asked = set(PASSWORD.findall(lowered))
    return tuple(
        category
        for category in CATEGORIES
        if category in asked or any(has_word(lowered, word) for word in WORDS.get(category, ()))
    )


def has_word(text: str, word: str) -> bool:
    """Return whether the text contains the word as a whole word."""
    return re.search(rf"\b{re.escape(word)}\b", text) is not None


def token_count(text: str) -> int:
    """Return about how many tokens a text has: four ASCII characters, or one byte of any other."""
    plain = sum(map(str.isascii, text))
    return -(-plain // 4) + len(text.encode()) - plain


def is_refused(prompt: str) -> bool:
    """Return whether image providers refuse the prompt."""
    return PROVIDER_REFUSAL in prompt.lower()
