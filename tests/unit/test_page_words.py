"""The words of the page and its elements: the same in all languages, and nowhere else."""

import json
import re
import shutil
import subprocess
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from generators.docs.problems import codes
from imagegen.domain import budgets
from imagegen.domain.candidates import Reason
from imagegen.domain.outcomes import Outcome
from imagegen.providers import registry
from imagegen.site.words import LANGUAGES, Words, read_words
from local.paths import ROOT

STATIC = ROOT / "functions" / "page" / "static"
OTHERS = LANGUAGES[1:]
ELEMENTS = ("elements", "acts", "later")
"""The English files whose words are the elements'; every other one is a part of the page."""
SAME: dict[str, set[str]] = {
    "comma": {"de", "es", "fr"},
    "actions": {"fr"},
    "alternatives": {"fr"},
    "conversation": {"fr"},
    "conversations": {"fr"},
    "details": {"de"},
    "hours": {"es", "fr"},
    "image": {"fr"},
    "message": {"fr"},
    "minutes": {"es", "fr"},
    "rows.prompt": {"de", "es", "fr"},
    "said": {"de", "es", "fr"},
    "rows.style": {"fr"},
    "seconds": {"es", "fr"},
    "set.count": {"fr"},
    "set.seed": {"de"},
    "set.style": {"fr"},
    "set.transparent": {"fr"},
    "size.portrait": {"fr"},
    "text": {"de"},
    "use.images": {"fr"},
    "use.imagesHead": {"fr"},
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


@every_file
def test_no_line_of_french_begins_with_a_sign(name: str) -> None:
    """French has a space before its double signs, and within its quotation marks."""
    text = json.dumps(translated(name, "fr"), ensure_ascii=False)
    assert re.findall(r".{8} [;:!?»](?!:)|« .{8}", text) == []


@pytest.mark.parametrize("language", LANGUAGES)
@every_file
def test_forms_are_those_that_the_language_has(name: str, language: str) -> None:
    words = part(name) if language == "en" else translated(name, language)
    # Spanish and French have "many" for millions, which no count here reaches.
    known = {"other"} if language == "ja" else {"one", "other"}
    for key, text in words.items():
        if not isinstance(text, str):
            assert text.keys() == known, key


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


# No words stand anywhere else.

OPERATORS = {"admin.js", "admin-views.js", "admin-calls.js", "charts.js"}
"""The page of the people who run the service is in English."""
TITLES = {about.title for about in registry().values()} | {"Anthropic"}
NOT_SHOWN: dict[str, set[str]] = {
    # Problem objects, as the service would write them: their kind is said in the reader's language.
    "client.js": {
        *("No answer", "The service could not be reached."),
        *("The setting ${} is missing.", "not an object", "Bearer ${}"),
        *("ProblemError", "AbortError"),
    },
    "client-run.js": {"The answer broke off."},
    "account.js": {"Not signed in", "SignInError"},
    "sign-in.js": {"SignInError"},
    "upload.js": {"Not uploaded"},
    "picture-dialog.js": {"AbortError"},
    # Names of keys.
    "developer.js": {"Escape"},
    "page.js": {"Enter"},
    "person.js": {"imagegen."},
    # Parts of the keys of words.
    "later.js": {"First", "Quoted"},
    "usage-view.js": {"Today", "ThisMonth"},
    # Languages by their own names.
    "language-field.js": {"English", "Deutsch", "Español", "Français", "日本語"},
    # Selectors, classes and colours.
    "clicks.js": {"button, summary, a[href], label"},
    "generated-image.js": {
        *(
            "card root",
            "chips row",
            "offer row",
            "beside soft",
            "redo row",
            "undo row",
        ),
    },
    "element-acts.js": {"plain heal"},
    "styles.js": {"color-mix(in srgb, ${} ${}%, ${})"},
}
"""Texts that look like words, and are none that a reader sees as they are."""
SIGNS = {
    "\N{MULTIPLICATION SIGN}",
    "$1 \N{MULTIPLICATION SIGN} $2",
    "${}…",
    "${} …",
    "${} · imagegen",
}
"""Signs, and the name of this project."""
LITERAL = re.compile(r'"((?:[^"\\\n]|\\.)*)"|`((?:[^`\\]|\\.)*)`')
PUT_IN = re.compile(r"\$\{((?:[^{}`]|\{[^{}]*\}|`[^`]*`)*)\}")
LIKE_WORDS = re.compile(
    r"[A-Za-z]{2,}[,.]? [A-Za-z]{2,}|^[A-Z][a-z]+|[a-z]\.$|[^\x00-\x7f\u00b7\u2192\u2068\u2069]"
)
SHOWN = re.compile(
    r"(?:textContent|title|placeholder|alt|label|ariaLabel|\"aria-label\")\s*[:=]\s*"
    r'(?:"([^"]*[A-Za-z][^"]*)"|`([^`$]*[A-Za-z][^`$]*)`)'
)
"""A property that a reader sees, with a text in the code."""


def code_of(path: Path) -> str:
    """Return a script without its comments and its style sheet."""
    text = re.sub(r"/\*.*?\*/", "", path.read_text(), flags=re.DOTALL)
    text = re.sub(r"^\s*//.*$", "", text, flags=re.MULTILINE)
    return re.sub(r"(?<=const css = )`.*?^`;", '""', text, flags=re.DOTALL | re.MULTILINE)


def literals(text: str) -> list[str]:
    """Return the texts of a script; what is put into a template is looked at for itself."""
    found = []
    for one in LITERAL.finditer(text):
        if one[2] is None:
            found.append(one[1])
            continue
        found += [text for part in PUT_IN.findall(one[2]) for text in literals(part)]
        found.append(PUT_IN.sub("${}", one[2]))
    return found


SCRIPTS = sorted(
    path
    for path in STATIC.glob("*.js")
    if path.name not in OPERATORS and not re.search(r"-(en|de|es|fr|ja)\.js$", path.name)
)
"""Without the files of the words themselves."""
every_script = pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.name)


@every_script
def test_no_words_stand_in_a_script(path: Path) -> None:
    code = code_of(path)
    known = NOT_SHOWN.get(path.name, set()) | TITLES | SIGNS | problem_codes()
    odd = {one for one in literals(code) if LIKE_WORDS.search(one)} - known
    assert not odd, "put them into a file of words, and t(key) here"
    assert {one or other for one, other in SHOWN.findall(code)} <= known


def problem_codes() -> set[str]:
    """Return the lists of codes of ``problems.js``, which are separated by spaces."""
    listed = literals(code_of(STATIC / "problems.js"))
    return {one for one in listed if re.fullmatch(r"[a-z_ ]+", one) and "_" in one}


class Seen(HTMLParser):
    """What a reader sees of HTML: texts, and attributes that are shown or read aloud."""

    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = ("title", "placeholder", "aria-label", "alt", "label", "value")
        self.texts += [value for name, value in attrs if name in names and value]
        if ("name", "description") in attrs:
            self.texts += [value for name, value in attrs if name == "content" and value]

    def handle_data(self, data: str) -> None:
        self.texts += [data.strip()] if data.strip() else []


def test_no_words_stand_in_the_page() -> None:
    seen = Seen()
    seen.feed((STATIC / "index.html").read_text())
    assert set(seen.texts) == {"imagegen"}


DYNAMIC = (
    *("reason.", "rows.", "act.", "size.", "label.", "e.", "l.", "q", "make", "sign.", "dev."),
    *(
        "pic.c2pa.",
        "pic.mark.",
        "pic.made.",
        "pic.",
        "mask.",
        "use.",
        "moreThan",
        "lessThan",
        "why.",
    ),
)
"""How keys begin whose rest is put together."""
KEYS = {key for words in ENGLISH.values() for key in words}


@every_script
def test_a_key_that_is_used_has_words(path: Path) -> None:
    used = set(re.findall(r'\bt\("([^"]+)"|"data-t[\w-]*": "([^"]+)"', code_of(path)))
    assert {one or other for one, other in used} <= KEYS


def test_words_that_nothing_says_are_not_kept() -> None:
    page = (STATIC / "index.html").read_text()
    said = {*(one for path in SCRIPTS for one in literals(code_of(path)))}
    said |= set(re.findall(r'data-t[\w-]*="(\w+)"', page))
    assert {key for key in KEYS if key not in said and not key.startswith(DYNAMIC)} == set()


@pytest.mark.parametrize("reason", sorted({*Reason, *Outcome}))
def test_every_reason_of_a_model_that_made_no_image_has_words(reason: str) -> None:
    # Without words it is its code, in English, in a sentence of another language.
    assert f"reason.{reason}" in KEYS


# Kinds of errors.

KINDS_SCRIPT = """
const { KINDS, kindOf, sentenceOf, technicalOf } = await import(process.env.PROBLEMS);
const { english } = await import(process.env.LOCALE);
for (const file of [process.env.WORDS, process.env.LATER]) english((await import(file)).WORDS);
const codes = JSON.parse(process.env.CODES);
const of = (code) => Object.keys(KINDS).filter((kind) => KINDS[kind].split(" ").includes(code));
console.log(JSON.stringify({
  kinds: Object.keys(KINDS), known: Object.values(KINDS).flatMap((one) => one.split(" ")),
  table: Object.fromEntries(codes.map((code) => [code, of(code)])),
  said: Object.fromEntries(codes.map((code) => [code, sentenceOf({ code })])),
  byStatus: [401, 403, 404, 422, 429, 500, 503, 0, undefined].map((status) =>
    kindOf({ code: "new_code", status })),
  own: sentenceOf({ code: "x", said: "Said." }), none: technicalOf({ code: "x", said: "Said." }),
  technical: technicalOf({ code: "x", status: 400, detail: "Detail." }),
}));
"""


@cache
def played(script: str) -> Any:
    """Return what a script writes as JSON, with the addresses of modules in its environment."""
    node = shutil.which("node")
    assert node, "node is needed (on Debian: apt install nodejs)"
    env = {
        "LOCALE": (STATIC / "locale.js").as_uri(),
        "PROBLEMS": (STATIC / "problems.js").as_uri(),
        "WORDS": (STATIC / "elements-en.js").as_uri(),
        "LATER": (STATIC / "later-en.js").as_uri(),
        "CODES": json.dumps([code.name for code in codes()]),
    }
    done = subprocess.run(  # noqa: S603 node, with a script of ours
        [node, "--input-type=module", "-e", script],
        env=env,
        check=False,
        capture_output=True,
        text=True,
    )
    assert not done.stderr, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize("code", [code.name for code in codes()])
def test_every_code_has_one_kind_and_words(code: str) -> None:
    found = played(KINDS_SCRIPT)
    assert len(found["table"][code]) == 1, "name it in KINDS of problems.js"
    assert found["said"][code].endswith(".")
    assert "{" not in found["said"][code]


def test_the_budget_of_a_team_a_key_or_an_organisation_is_said_to_be_shared() -> None:
    found = played(KINDS_SCRIPT)
    (words,) = {found["said"][code] for code in budgets.CODES.values()}
    assert "share with others" in words


def test_the_kinds_are_four_and_name_no_code_that_there_is_not() -> None:
    found = played(KINDS_SCRIPT)
    assert found["kinds"] == ["change", "limit", "access", "later"]
    ours = {"network", "unknown", "signed_out", "upload_failed"}
    assert set(found["known"]) == {code.name for code in codes()} | ours


def test_a_code_that_is_not_known_has_the_kind_of_its_status() -> None:
    kinds = ["access", "access", "change", "change", "limit", "later", "later", "later", "later"]
    assert played(KINDS_SCRIPT)["byStatus"] == kinds


def test_the_machines_words_are_apart_from_those_for_a_person() -> None:
    found = played(KINDS_SCRIPT)
    assert (found["own"], found["none"]) == ("Said.", "")
    assert found["technical"] == "Detail. · x · 400"
