"""The words of the page and its elements: the same in all languages, and nowhere else."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from imagegen.site.words import LANGUAGES, Words, read_words
from local.paths import ROOT

STATIC = ROOT / "functions" / "page" / "static"
OTHERS = LANGUAGES[1:]
ELEMENTS = ("elements", "acts")
"""The English files whose words are the elements'; every other one is a part of the page."""
SAME: dict[str, set[str]] = {
    "message": {"fr"},
    "conversation": {"fr"},
    "conversations": {"fr"},
}
"""Words that are the same in English, by their key: checked one by one."""


def english() -> dict[str, Words]:
    found = (one.stem.removesuffix("-en") for one in sorted(STATIC.glob("*-en.js")))
    return {name: read_words((STATIC / f"{name}-en.js").read_text()) for name in found}


ENGLISH = english()


def part(name: str) -> dict[str, str | dict[str, str]]:
    """Return the English words of the elements or of the page."""
    files = [words for file, words in ENGLISH.items() if (file in ELEMENTS) == (name == "elements")]
    return {key: text for words in files for key, text in words.items()}  # type: ignore[misc]


def translated(name: str, language: str) -> Words:
    return read_words((STATIC / f"{name}-{language}.js").read_text())


def placeholders(text: object) -> set[str]:
    return set(re.findall(r"\{(\w+)\}", json.dumps(text)))


every_file = pytest.mark.parametrize("name", ["elements", "page"])
every_language = pytest.mark.parametrize("language", OTHERS)


def test_no_key_has_two_meanings() -> None:
    keys = [key for words in ENGLISH.values() for key in words]
    assert len(keys) == len(set(keys))


@every_file
@every_language
def test_all_languages_have_the_same_words(name: str, language: str) -> None:
    words, base = translated(name, language), part(name)
    assert words.keys() == base.keys()
    for key, text in base.items():
        assert placeholders(words[key]) == placeholders(text), key
        assert isinstance(words[key], str) == isinstance(text, str), key


@every_file
@every_language
def test_no_words_are_left_in_english(name: str, language: str) -> None:
    words, base = translated(name, language), part(name)
    same = {key for key, text in words.items() if text == base[key]}
    assert same == {key for key in base if language in SAME.get(key, ())}


@pytest.mark.parametrize("language", LANGUAGES)
@every_file
def test_forms_are_those_that_the_language_has(name: str, language: str) -> None:
    words = part(name) if language == "en" else translated(name, language)
    # Spanish and French have "many" for millions, which no count here reaches.
    known = {"other"} if language == "ja" else {"one", "other"}
    for key, text in words.items():
        if not isinstance(text, str):
            assert text.keys() == known, key
            assert "count" in placeholders(text), key


SCRIPT = """
const { english, inLanguage, language, loadWords, hasWords, speak, t, tagFor } =
  await import(process.env.LOCALE);
english({ plain: "Hello {name}", price: "{money} of {count}",
  many: { one: "{count} image", other: "{count} images" } });
const out = {};
out.plain = t("plain", { name: "$& {count}" });
out.many = [0, 1, 2, 12345].map((count) => t("many", { count }));
await loadWords("de-AT", { de: async () => ({ WORDS: { many: { one: "{count} Bild",
  other: "{count} Bilder" } } }) });
out.has = [hasWords("de"), hasWords("de-AT"), hasWords("en-GB"), hasWords("fr")];
const many = (count) => t("many", { count });
const said = () => [language(), many(1), many(12345), t("plain", { name: "x" })];
out.german = inLanguage("de-AT", said);
out.after = language();
try { inLanguage("de", () => { throw new Error("x"); }); } catch {}
out.afterError = language();
out.missing = inLanguage("fr", () => language());
await loadWords("fr", { fr: async () => { throw new Error("offline"); } });
out.failed = hasWords("fr");
await loadWords("fr", { fr: async () => ({ WORDS: {}, ALL: { plain: "Bonjour {name}" } }) });
speak("fr");
out.again = t("plain", { name: "x" });
const { t: copy } = await import(process.env.LOCALE + "?copy");
out.copy = copy("plain", { name: "x" });
const set = (...languages) => Object.defineProperty(globalThis, "navigator",
  { value: { languages }, configurable: true });
const node = (lang, parentElement, host) =>
  ({ lang, parentElement, getRootNode: () => ({ host }) });
set("nl", "de-CH", "en");
out.browser = tagFor(null);
out.lang = tagFor(node("", node("fr-CA", null)));
out.country = tagFor(node("de", null));
out.unknown = tagFor(node("nl", null));
out.host = tagFor(node("", null, node("ja", null)));
set("nl");
out.none = tagFor(node("", null));
console.log(JSON.stringify(out));
"""


def test_words_are_said_in_the_language_of_the_moment(tmp_path: Path) -> None:
    node = shutil.which("node")
    assert node, "node is needed (on Debian: apt install nodejs)"
    script = tmp_path / "script.mjs"
    script.write_text(SCRIPT)
    env = {"LOCALE": (STATIC / "locale.js").as_uri()}
    done = subprocess.run(  # noqa: S603 node, with a script of ours
        [node, str(script)], env=env, check=False, capture_output=True, text=True
    )
    assert not done.stderr, done.stderr
    assert json.loads(done.stdout) == {
        "plain": "Hello $& {count}",
        "many": ["0 images", "1 image", "2 images", "12,345 images"],
        "has": [True, True, True, False],
        # Words that a language lacks are English.
        "german": ["de-AT", "1 Bild", "12\u00a0345 Bilder", "Hello x"],
        "after": "en",
        "afterError": "en",
        "missing": "en",
        "failed": False,
        "again": "Bonjour x",
        "copy": "Bonjour x",
        "browser": "de-CH",
        "lang": "fr-CA",
        "country": "de-CH",
        "unknown": "de-CH",
        "host": "ja",
        "none": "en",
    }
