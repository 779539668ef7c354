"""The page's HTML in the language of its reader."""

import base64
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imagegen.site import PageSettings, build_site
from imagegen.site.files import read_files
from imagegen.site.words import LANGUAGES, read_words, wanted_language, worded
from local.paths import ROOT

STATIC = ROOT / "functions" / "page" / "static"
FILES = read_files(STATIC)
SITE = build_site(FILES, PageSettings(urls={}))


@pytest.mark.parametrize(
    ("accepted", "language"),
    [
        ("", "en"),
        ("de", "de"),
        ("de-AT,de;q=0.9,en;q=0.8", "de"),
        ("nl,fr;q=0.5,en;q=0.4", "fr"),
        ("en;q=0.5,ja;q=0.6", "ja"),
        ("DE-de", "de"),
        ("nl-NL,nl", "en"),
        ("es;q=0,en", "en"),
        ("es;q=0", "en"),
        ("fr;q=much,en;q=0.1", "en"),
        ("en-GB;q=1.0,de;q=1.000", "en"),
        ("*", "en"),
        ("dev,es-419;q=0.2", "es"),
    ],
)
def test_the_language_is_the_one_that_the_browser_prefers_of_those_there_are(
    accepted: str, language: str
) -> None:
    assert wanted_language(accepted) == language


@given(accepted=st.text(), cookies=st.text())
def test_any_header_leads_to_a_language(accepted: str, cookies: str) -> None:
    assert wanted_language(accepted, cookies) in LANGUAGES


@pytest.mark.parametrize(
    ("cookies", "language"),
    [
        ("imagegen-language=ja", "ja"),
        ("a=b; imagegen-language=fr-CA; c=d", "fr"),
        ("imagegen-language=nl", "de"),
        ("not-imagegen-language=ja", "de"),
        ("imagegen-language=", "de"),
    ],
)
def test_a_choice_is_stronger_than_the_browser(cookies: str, language: str) -> None:
    assert wanted_language("de", cookies) == language


def page(language: str, path: str = "/", **event: object) -> dict[str, Any]:
    asked = {
        "rawPath": path,
        "headers": {"accept-language": language},
        "requestContext": {"http": {"method": "GET", "path": path}},
        **event,
    }
    return SITE.answer(asked)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_page_is_sent_in_the_language_that_is_wanted(language: str) -> None:
    answer = page(language)
    assert answer["statusCode"] == 200
    assert "Accept-Language" in str(answer["headers"])
    text = base64.b64decode(str(answer["body"])).decode()
    words = read_words((STATIC / f"page-{language}.js").read_text())
    assert f'<html lang="{language}">' in text
    assert f'data-t="send">{words["send"]}</button>' in text
    assert f'placeholder="{words["describe"]}"' in text
    # Its words come with the page, not after its script.
    assert ("modulepreload" in text) == (language != "en")


def test_a_choice_in_a_cookie_counts_however_it_is_given() -> None:
    listed = page("de", cookies=["imagegen-language=fr", "a=b"])
    odd = page("de", cookies="imagegen-language=fr")
    assert listed["headers"]["ETag"] != page("de")["headers"]["ETag"]
    assert odd["headers"]["ETag"] == page("de")["headers"]["ETag"]


@pytest.mark.parametrize("path", ["/admin", "/page.css"])
def test_what_has_no_words_is_the_same_for_all(path: str) -> None:
    assert page("de", path) == page("en", path)


@pytest.mark.parametrize("language", LANGUAGES[1:])
@pytest.mark.parametrize("script", ["page"])
def test_a_script_asks_for_words_by_an_address_that_a_browser_keeps(
    script: str, language: str
) -> None:
    name = f"{script}-{language}"
    (address,) = {one for one in FILES if one.startswith(f"/{name}.") and one != f"/{name}.js"}
    assert FILES[address].is_kept
    assert f'import(".{address}")' in FILES[f"/{script}.js"].content.decode()


def test_words_are_escaped_in_html() -> None:
    page = '<html lang="en"><p data-t="a" class="b"></p><input data-t-title="a">'
    text = worded(page, {"a": 'x < "y" & z'}, "ja")
    quoted = "x &lt; &quot;y&quot; &amp; z"
    assert text == (
        f'<html lang="ja"><p data-t="a" class="b">{quoted}</p>'
        f'<input data-t-title="a" title="{quoted}">'
    )
    with pytest.raises(KeyError):
        worded(page, {}, "ja")


def test_a_file_without_words_is_an_error() -> None:
    assert read_words("/** x */\nexport const WORDS = " + json.dumps({"a": "b"}) + ";\n")
    with pytest.raises(ValueError, match="WORDS"):
        read_words("export const OTHER = {};")
