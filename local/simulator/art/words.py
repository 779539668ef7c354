"""Finds words with a meaning in a picture, in any of the languages of ``words.txt``."""

import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

WORDS_PATH = Path(__file__).with_name("words.txt")
TOKEN = re.compile(r"[^\W_]+(?:[-'][^\W_]+)*")
WITHOUT_SPACES = re.compile(r"[\u3040-\u30ff\u4e00-\u9fff\uac00-\ud7af]")
ENDINGS = ("s", "es", "n", "en", "e", "er", "x", "'s")
MOST_WORDS = 3
"""Of a phrase."""


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a word means: its kind, such as ``figure``, and its name there."""

    kind: str
    name: str


@dataclass(frozen=True, slots=True)
class Found:
    """The meanings of one word or phrase of a text."""

    meanings: tuple[Meaning, ...]
    is_plural: bool = False

    def name(self, kind: str) -> str:
        """Return the name in a kind, empty if the word has no meaning there."""
        return next((one.name for one in self.meanings if one.kind == kind), "")


@cache
def vocabulary() -> Mapping[str, tuple[Meaning, ...]]:
    """Return the meanings by word; the words of a phrase are joined with ``+``."""
    found: dict[str, tuple[Meaning, ...]] = {}
    for line in WORDS_PATH.read_text().splitlines():
        if line.startswith("# "):
            continue
        head, _, words = line.partition(": ")
        kind, name = head.split()
        for word in words.split():
            found[word] = (*found.get(word, ()), Meaning(kind, name))
    return found


@cache
def _unspaced() -> tuple[str, ...]:
    """Return the words of scripts without spaces, the longest first."""
    words = (word for word in vocabulary() if WITHOUT_SPACES.match(word))
    return tuple(sorted(words, key=len, reverse=True))


def words_in(text: str) -> Iterator[Found]:
    """Yield the words of a text in order; one without a meaning has no meanings."""
    tokens = list(_tokens(text))
    place = 0
    while place < len(tokens):
        for count in range(min(MOST_WORDS, len(tokens) - place), 0, -1):
            phrase = "+".join(tokens[place : place + count])
            if count == 1 or phrase in vocabulary():
                break
        yield _meant(phrase)
        place += count


def _meant(word: str) -> Found:
    if word in vocabulary():
        return Found(vocabulary()[word])
    for ending in ENDINGS:
        stem = word.removesuffix(ending)
        if stem != word and len(stem) > 2 and stem in vocabulary():
            return Found(vocabulary()[stem], is_plural=ending in ("s", "es", "x"))
    return Found(())


def _tokens(text: str) -> Iterator[str]:
    """Yield lower-case words; emoji by their names, and known words of scripts without spaces."""
    named = "".join(f" {_symbol(one)} " if _is_symbol(one) else one for one in text)
    for token in TOKEN.findall(named.lower()):
        if WITHOUT_SPACES.search(token):
            yield from _split(token)
        else:
            yield token


def _is_symbol(character: str) -> bool:
    return unicodedata.category(character) in ("So", "Sk") and ord(character) > 0x2000


def _symbol(character: str) -> str:
    """Return an emoji's name without the words that only say how it is drawn."""
    name = unicodedata.name(character, "").lower()
    if "heart" in name:
        return "heart"
    return re.sub(r"\b(?:face|symbol|with|of|full|black|white|smiling|sign)\b", "", name)


def _split(token: str) -> Iterator[str]:
    while token:
        known = next((word for word in _unspaced() if token.startswith(word)), token[0])
        yield known
        token = token[len(known) :]
