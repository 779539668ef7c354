"""The simulated LLM's own sentences, in the language in which it is spoken to."""

import json
import re
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

PHRASES_PATH = Path(__file__).with_name("chat_phrases.json")
VOCABULARY_PATH = Path(__file__).with_name("chat_vocabulary.json")
DEFAULT = "en"


@cache
def vocabulary() -> Mapping[str, Any]:
    """Return the tables of words, each as one text: small talk, fillers, words of languages."""
    found: Mapping[str, Any] = json.loads(VOCABULARY_PATH.read_text())
    return found


CURRENCIES: Mapping[str, str] = {"de": "$", "es": "US$", "fr": "$US"}
"""What stands behind an amount of dollars, in languages that do not write it before."""
KANA = re.compile(r"[\u3040-\u30ff]")
COMMON: Mapping[str, frozenset[str]] = {
    name: frozenset(words.split()) for name, words in vocabulary()["languages"].items()
}
"""Words by which a language is recognised; those that two share count for both."""


@cache
def phrases() -> Mapping[str, Mapping[str, str]]:
    """Return the sentences by language and name."""
    found: Mapping[str, Mapping[str, str]] = json.loads(PHRASES_PATH.read_text())
    return found


def phrase(name: str, language: str) -> str:
    """Return a sentence."""
    return phrases()[language][name]


def money_text(price: str, language: str) -> str:
    """Return a price such as ``$0.0154`` as the page writes it in a language."""
    currency = CURRENCIES.get(language)
    if not currency or not price.startswith("$"):
        return price
    swapped = price.removeprefix("$").translate({ord(","): ".", ord("."): ","})
    return f"{swapped}\N{NO-BREAK SPACE}{currency}"


def language_of(text: str, earlier: str = "") -> str:
    """Return the code of the language that a text is in; English where it is not plain.

    Between two languages that have its words alike, what was said earlier decides.
    """
    if KANA.search(text):
        return "ja"
    words, before = _words(text), _words(earlier)
    counts = {name: (_known(words, name), _known(before, name)) for name in COMMON}
    best = max(counts, key=lambda name: counts[name])
    return best if counts[best][0] > len(words) / 4 else DEFAULT


def _words(text: str) -> list[str]:
    return re.findall(r"[^\W\d_]+(?:'[^\W\d_]+)?", text.lower())


def _known(words: Sequence[str], language: str) -> int:
    return sum(word in COMMON[language] for word in words)
