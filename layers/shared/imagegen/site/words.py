"""The words of the page's HTML: which language a reader wants, and its words in their places.

The words are in files of the page (``page-en.js``, ``page-de.js``, ...): each is a module with one
object, written as JSON so that it can be read here, too.
"""

import html
import json
import re
from collections.abc import Mapping

LANGUAGES = ("en", "de", "es", "fr", "ja")
"""The languages that the page has words in; the first is the one without a request of its own."""
MODULE = re.compile(r"^export const WORDS = (\{.*?\});$", re.DOTALL | re.MULTILINE)
TEXT = re.compile(r'(<\w[^>]* data-t="(\w+)"[^>]*>)(?=</)')
ATTRIBUTE = re.compile(r'data-t-([a-z-]+)="(\w+)"')

COOKIE = re.compile(r"(?:^|;\s*)imagegen-language=([a-z]{2})\b")
"""What the page keeps of a choice of its reader."""

type Words = Mapping[str, str | Mapping[str, str]]


def read_words(module: str) -> Words:
    """Return the words of a module by their keys.

    Raises:
        ValueError: it has no object of words that is JSON.
    """
    found = MODULE.search(module)
    if found is None:
        raise ValueError("A file of words is `export const WORDS = {...};` with JSON in it.")
    words: Words = json.loads(found[1])
    return words


def worded(page: str, words: Words, language: str) -> str:
    """Return a page with its words: ``data-t`` names a text, ``data-t-title`` an attribute.

    The names stay, so that the page's script can change the language.

    Raises:
        KeyError: the page names words that there are not.
    """

    def text(key: str) -> str:
        return html.escape(str(words[key]))

    page = TEXT.sub(lambda one: one[1] + text(one[2]), page)
    page = ATTRIBUTE.sub(lambda one: f'{one[0]} {one[1]}="{text(one[2])}"', page)
    return page.replace('<html lang="en">', f'<html lang="{language}">')


def wanted_language(accepted: str, cookies: str = "") -> str:
    """Return the language of ``LANGUAGES`` that was chosen, else the one that a browser prefers.

    ``accepted`` is its Accept-Language header (RFC 9110, 12.5.4). English without one of them.
    """
    chosen = COOKIE.search(cookies)
    if chosen and chosen[1] in LANGUAGES:
        return chosen[1]
    weighted = []
    for number, one in enumerate(accepted.lower().split(",")):
        tag, _, rest = one.partition(";")
        name = tag.strip().partition("-")[0]
        weight = _weight(rest)
        if name in LANGUAGES and weight:
            weighted.append((-weight, number, name))
    return min(weighted)[2] if weighted else LANGUAGES[0]


def _weight(parameter: str) -> float:
    """Return the weight of a language: 1 without one, 0 if it is not a number of RFC 9110."""
    if not (text := parameter.strip()):
        return 1.0
    found = re.fullmatch(r"q=([01](?:\.\d{0,3})?)", text.replace(" ", ""))
    return float(found[1]) if found else 0.0
