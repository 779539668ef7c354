"""Reads which words of a prompt speak of the picture and not of what the picture shows.

"A quick sketch of a fox" asks for a fast picture, "a quick brown fox" does not; "no masterpiece"
and a sign that says "CHEAP" ask for nothing. The words are in ``quality_words``, what may stand
around them in ``quality_context``.
"""

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate

from imagegen.domain import quality_context as context
from imagegen.domain import quality_words as words
from imagegen.domain.catalog import Tier
from imagegen.domain.quality_words import Use

READ_AT_THE_BEGINNING, READ_AT_THE_END = 4_000, 1_000
"""Characters of a long prompt that are read: people name the quality first or last."""


def words_that_count(prompt: str) -> list[tuple[Tier, str]]:
    """Return the words of a prompt that ask for a quality, each with its tier, in lower case."""
    text = _without_quotations(_ends(prompt).lower().replace("\u2019", "'"))
    return [*_spoken(text), *_written(text)]


def _ends(prompt: str) -> str:
    if len(prompt) <= READ_AT_THE_BEGINNING + READ_AT_THE_END:
        return prompt
    return f"{prompt[:READ_AT_THE_BEGINNING]}\n{prompt[-READ_AT_THE_END:]}"


# What is between quotation marks is to be written in the picture.
_QUOTATIONS = re.compile(
    r"\"[^\"\n]*\"|“[^”\n]*”|„[^“”\n]*[“”]|«[^»\n]*»|»[^«\n]*«|「[^」\n]*」|『[^』\n]*』"
    r"|(?<!\w)'[^'\n]*'(?!\w)"
)


def _without_quotations(prompt: str) -> str:
    stripped = prompt.strip()
    whole = _QUOTATIONS.fullmatch(stripped)
    return stripped[1:-1] if whole else _QUOTATIONS.sub(" … ", stripped)


# Languages with spaces between words.


@dataclass(frozen=True, slots=True)
class _Phrase:
    """A line of the table, word by word; without a tier it speaks of something else."""

    parts: tuple[str, ...]
    tier: Tier | None = None
    use: Use = Use.ANYWHERE

    def begins(self, said: Sequence[str]) -> bool:
        if len(said) < len(self.parts):
            return False
        for part, word in zip(self.parts, said, strict=False):
            if word != part and not (part[-1] == "*" and word.startswith(part[:-1])):
                return False
        return True


def _phrases() -> dict[str, list[_Phrase]]:
    """Return the table by the first three letters, the longest phrases first."""
    table = [
        *(_Phrase(parts) for parts in words.listed(context.COMPOUNDS)),
        *(
            _Phrase(parts, tier, use)
            for tier, uses in words.TIER_WORDS.items()
            for use, text in uses.items()
            for parts in words.listed(text)
        ),
    ]
    found = defaultdict[str, list[_Phrase]](list)
    for phrase in sorted(table, key=lambda phrase: -sum(map(len, phrase.parts))):
        found[phrase.parts[0][:3]].append(phrase)
    return dict(found)


_PHRASES = _phrases()
_LONGEST = max(len(phrase.parts) for group in _PHRASES.values() for phrase in group)
_TOKENS = re.compile(r"[\w']+|[^\w\s&%#*+]|\n")


@dataclass(slots=True)
class _Clause:
    """The words of a clause. Those that a hyphen joins are taken together or not at all."""

    said: list[str]
    joined: list[bool]
    """Whether a hyphen joins the word to the one before it."""

    def phrase_at(self, index: int) -> _Phrase | None:
        """Return the longest phrase of the table that begins with a word."""
        candidates = _PHRASES.get(self.said[index][:3])
        if candidates is None or self.joined[index]:
            return None
        ahead = self.said[index : index + _LONGEST]
        for phrase in candidates:
            end = index + len(phrase.parts)
            if phrase.begins(ahead) and not (end < len(self.said) and self.joined[end]):
                return phrase
        return None


def _clauses(text: str) -> Iterator[_Clause]:
    clause = _Clause([], [])
    joins = False
    for token in _TOKENS.finditer(text):
        word = token.group()
        if word == "-" and _inside(token):
            joins = bool(clause.said)
        elif word in context.TURNS or not (word[0].isalnum() or word[0] in "_'"):
            yield clause
            clause, joins = _Clause([], []), False
        else:
            clause.said.append(word)
            clause.joined.append(joins)
            joins = False
    yield clause


def _inside(token: re.Match[str]) -> bool:
    """Whether a hyphen stands between two letters or digits."""
    around = token.string[max(0, token.start() - 1) : token.end() + 1]
    return len(around) == 3 and around[0].isalnum() and around[2].isalnum()


@dataclass(frozen=True, slots=True)
class _Hit:
    """A phrase in its clause, with the words around it that belong to no phrase of the table."""

    phrase: _Phrase
    said: str
    before: Sequence[str]
    """The nearest, in their order."""

    after: Sequence[str]
    opens: bool
    """Whether nothing but fillers stands before it."""

    closes: bool
    """Whether nothing but fillers stands after it."""

    def counts(self) -> bool:
        """Whether the phrase speaks of the picture, and is not denied."""
        if self._is_denied():
            return False
        match self.phrase.use:
            case Use.ANYWHERE:
                return True
            case Use.SCREEN:
                return context.DEVICES.isdisjoint((*self.before[-1:], *self.after[:2]))
            case Use.OPENING:
                begins = self.opens or self.before[-1] in context.WITH
                return begins or self._is_beside_a_picture()
            case Use.PICTURE:
                return self._is_alone() or self._is_beside_a_picture() or self._says_how()

    def _is_denied(self) -> bool:
        for word in reversed(self.before):
            if word in context.NEGATIONS:
                return True
            if word not in context.FILLERS and word not in context.LINKS:
                break
        following = {*self.after[:4]}
        if following & context.UNNEEDED:
            return True
        return bool(following & context.NEGATIONS and following & context.NEEDED_WORDS)

    def _is_alone(self) -> bool:
        ends_open = bool(self.before) and not self.after and self.before[-1] in context.ARTICLES
        return self.opens and self.closes and not ends_open

    def _says_how(self) -> bool:
        """Whether it is the manner of the request: "draw me a cat quickly", "quickly draw"."""
        if self.after:
            return self.opens and self.after[0] in context.ASKS
        asks = not context.ASKS.isdisjoint(self.before[:2])
        return asks and not any(one.endswith("ing") for one in self.before)

    def _is_beside_a_picture(self) -> bool:
        if _names_a_picture(self.after):
            return True
        follows = self.phrase.parts[0].startswith(context.AFTER_ITS_NOUN)
        nearest = self.before[::-1]
        if nearest[1:2] and nearest[1] in context.OF:  # foto de producto profesional
            nearest = nearest[2:]
        return follows and _names_a_picture(nearest)


def _names_a_picture(nearest: Sequence[str]) -> bool:
    """Whether a word for a picture is the nearest word, or behind one that describes it."""
    first, second = (*nearest, "", "")[:2]
    return first in context.PICTURES or (
        second in context.PICTURES and first not in context.FILLERS
    )


def _spoken(text: str) -> Iterator[tuple[Tier, str]]:
    """Yield the words of quality that count, each with its tier."""
    for clause in _clauses(text):
        for hit in _hits(clause):
            if hit.phrase.tier is not None and hit.counts():
                yield hit.phrase.tier, hit.said


def _hits(clause: _Clause) -> Iterator[_Hit]:
    rest: list[str] = []
    places: list[tuple[_Phrase, str, int]] = []
    index = 0
    while index < len(clause.said):
        phrase = clause.phrase_at(index)
        said = clause.said[index : index + (len(phrase.parts) if phrase else 1)]
        if phrase is None or phrase.tier is None:
            rest.extend(said)
        else:
            places.append((phrase, " ".join(said), len(rest)))
        index += len(said)
    telling = [0, *accumulate(word not in context.FILLERS for word in rest)]
    for phrase, said_in_prompt, place in places:
        yield _Hit(
            phrase,
            said_in_prompt,
            before=rest[max(0, place - 8) : place],
            after=rest[place : place + 4],
            opens=not telling[place],
            closes=telling[place] == telling[-1],
        )


# Languages without spaces between words.

_SCRIPTS = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]")
_SCRIPT_COMPOUNDS = re.compile("|".join(words.signs(words.SCRIPT_COMPOUNDS)))
_SCRIPT_HITS = {
    tier: re.compile(rf"(?<![a-z0-9])(?:{'|'.join(words.signs(text))})(?![a-z0-9])")
    for tier, text in words.SCRIPTS.items()
}


def _written(text: str) -> Iterator[tuple[Tier, str]]:
    """Yield the words of Chinese and Japanese that count, each with its tier."""
    if not _SCRIPTS.search(text):
        return
    plain = _SCRIPT_COMPOUNDS.sub("…", text)
    for tier, pattern in _SCRIPT_HITS.items():
        for hit in pattern.finditer(plain):
            before = plain[max(0, hit.start() - 4) : hit.start()]
            after = plain[hit.end() : hit.end() + 8]
            denied = any(sign in before for sign in context.NEGATIONS_BEFORE)
            if not denied and not any(sign in after for sign in context.NEGATIONS_AFTER):
                yield tier, hit.group()
