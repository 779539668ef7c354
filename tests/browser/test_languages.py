"""The elements in five languages: every state fits, nothing is in English, the language follows."""

import re
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe

from imagegen.site.words import LANGUAGES, read_words
from tests.browser.stage import (
    ALL_STATES,
    SCREENS,
    STATIC,
    Gallery,
    OpenGallery,
    answer_images,
    read_fixture,
)
from tests.browser.test_states import SLOPES, WIDER

OTHERS = LANGUAGES[1:]
WORDS = {one: read_words((STATIC / f"elements-{one}.js").read_text()) for one in LANGUAGES}
LANG = "(element, lang) => { element.lang = lang; }"
NAMES = re.compile(
    r"gpt|flux|OpenAI|Together|Replicate|Gemini|Markdown|LLM|watercolour", re.IGNORECASE
)


def speak(gallery: Gallery, language: str) -> None:
    """Give the element a language, and wait until its words are there."""
    gallery.evaluate(LANG, language)
    stop = WORDS[language]["stop"]
    gallery.until(f"subject.shadowRoot.querySelector('.wait button').textContent === {stop!r}")


@pytest.mark.parametrize("width", [360, 768, 1280])
@pytest.mark.parametrize("language", OTHERS)
def test_every_state_fits_in_every_language(
    shared_gallery: OpenGallery, language: str, width: int
) -> None:
    gallery = shared_gallery(width=width, theme="dark" if width == 768 else "light")
    SCREENS.mkdir(parents=True, exist_ok=True)
    for name in ALL_STATES:
        gallery.show(name)
        speak(gallery, language)
        if name in ("pending", "pending-range", "error", "limited-offer", "complete"):
            path = SCREENS / f"{language}-{name}-{width}.png"
            gallery.page.screenshot(path=path, full_page=True)
        assert not gallery.page.evaluate(WIDER), name
        assert gallery.evaluate(SLOPES) == [], name
    assert gallery.errors == []


@pytest.mark.parametrize("name", ALL_STATES)
def test_nothing_is_left_in_english(shared_gallery: OpenGallery, name: str) -> None:
    gallery = shared_gallery()
    gallery.show(name)
    speak(gallery, "ja")
    prompt = read_fixture(name)["data"].get("prompt") or "no prompt"
    shown = gallery.text.replace(prompt, "")
    english = [line for line in shown.splitlines() if re.search(r"[A-Za-z]{3,}", line)]
    assert [line for line in english if not NAMES.search(line)] == []


def test_the_price_is_in_dollars_in_the_way_of_the_language(shared_gallery: OpenGallery) -> None:
    gallery = shared_gallery()
    labels = {}
    for language in OTHERS:
        gallery.show("pending")
        speak(gallery, language)
        labels[language] = (
            gallery.element.locator(".offer .main").inner_text().replace("\u00a0", " ")
        )
    assert labels == {
        "de": "Bild erzeugen für 0,0527 $",
        "es": "Generar imagen por 0,0527 US$",
        "fr": "Générer l\u2019image pour 0,0527 $US",
        "ja": "$0.0527で画像を1枚生成",
    }


def test_an_element_follows_the_page_and_its_own_language(shared_gallery: OpenGallery) -> None:
    gallery = shared_gallery()
    root = "document.documentElement"
    german = "subject.shadowRoot.querySelector('.offer .plain').textContent === 'Nicht jetzt'"
    gallery.show("pending")
    gallery.page.evaluate(f"() => {{ {root}.lang = 'de-AT'; }}")
    gallery.until(german)
    gallery.evaluate(LANG, "fr")
    gallery.until(german.replace("Nicht jetzt", "Pas maintenant"))
    # Without one of its own, it is the page's again; a language without words is the browser's.
    gallery.evaluate("(element) => element.removeAttribute('lang')")
    gallery.until(german)
    gallery.page.evaluate(f"() => {{ {root}.lang = 'nl'; }}")
    gallery.until(german.replace("Nicht jetzt", "Not now"))
    gallery.page.evaluate(f"() => {{ {root}.lang = 'en'; }}")


@pytest.mark.parametrize("language", OTHERS)
def test_axe_finds_nothing_in_any_language(shared_gallery: OpenGallery, language: str) -> None:
    gallery = shared_gallery()
    for name in ("pending", "complete", "error"):
        gallery.show(name)
        speak(gallery, language)
        found: Any = Axe().run(gallery.page)
        assert found.response["violations"] == [], found.generate_report()


def test_without_the_words_of_a_language_it_is_english(open_gallery: OpenGallery) -> None:
    gallery = open_gallery()
    gallery.page.route("**/elements-es.js", lambda route: route.abort())
    gallery.show("pending")
    gallery.evaluate(LANG, "es")
    gallery.until("subject.shadowRoot.querySelector('.card').style.visibility === ''")
    assert gallery.element.locator(".offer .main").inner_text() == "Generate Image for $0.0527"
    assert "Not now" in gallery.text


def test_a_browser_in_another_language_needs_no_setting(open_gallery: OpenGallery) -> None:
    gallery = open_gallery(locale="ja-JP")
    gallery.page.evaluate("() => document.documentElement.removeAttribute('lang')")
    gallery.show("pending")
    gallery.until("subject.shadowRoot.querySelector('.offer .plain').textContent === '今はしない'")


def test_lines_break_and_letters_look_as_in_the_language_of_the_page(
    open_gallery: OpenGallery,
) -> None:
    gallery = open_gallery()
    gallery.page.evaluate("() => { document.documentElement.lang = 'ja'; }")
    gallery.show("pending")
    style = "getComputedStyle(element.shadowRoot.querySelector('.money'))"
    assert gallery.evaluate(f"(element) => {style}.webkitLocale") == '"ja"'
    assert gallery.evaluate(f"(element) => {style}.wordBreak") == "auto-phrase"


# A picture that does not load.


def test_a_picture_that_does_not_load_says_so_and_heals(open_gallery: OpenGallery) -> None:
    gallery = open_gallery()
    gallery.page.route("https://images.example/**", lambda route: route.abort())
    gallery.show("complete")
    gallery.until("subject.hasAttribute('data-lost')")
    assert "The picture did not load" in gallery.text
    assert "It is stored and paid." in gallery.text
    assert gallery.element.locator(".heal").is_visible()
    gallery.page.unroute("https://images.example/**")
    gallery.page.route("https://images.example/**", answer_images)
    gallery.page.evaluate("() => dispatchEvent(new Event('online'))")
    gallery.until("!subject.hasAttribute('data-lost')")
    assert "The picture did not load" not in gallery.text
    assert "$0.0527 charged" in gallery.text


# A device whose clock is wrong.


def test_the_services_time_decides_whether_a_price_is_still_valid(
    open_gallery: OpenGallery,
) -> None:
    gallery = open_gallery()
    fixture = read_fixture("pending")
    # The device is an hour ahead: by its own time the price has expired.
    fixture["now"] = "2026-11-22T11:00:00.000Z"
    assert gallery.show(fixture) == "expired"
    state = gallery.evaluate(
        """(element) => {
          client.now = () => Date.parse("2026-11-22T10:00:00.000Z");
          element.client = client;
          element.alt = "";
          element.setAttribute("alt", "x");
          return element.dataset.state;
        }"""
    )
    assert state == "pending"


# Double clicks.


def test_the_second_half_of_a_double_click_reaches_no_other_button(
    open_gallery: OpenGallery,
) -> None:
    gallery = open_gallery()
    gallery.show("pending")
    gallery.element.locator(".offer .plain").dblclick()
    gallery.until("subject.dataset.state === 'declined'")
    box = gallery.element.locator(".undo button").bounding_box()
    assert box
    # The first click says nothing to this button: the second one, in the same place, is not for it.
    gallery.page.evaluate(
        """() => {
          const root = subject.shadowRoot;
          const click = (one, detail) => one.dispatchEvent(
            new MouseEvent("click", { detail, bubbles: true, composed: true, cancelable: true }));
          click(root.querySelector("summary"), 1);
          click(root.querySelector(".undo button"), 2);
        }"""
    )
    assert gallery.evaluate("(element) => element.dataset.state") == "declined"
    gallery.element.locator(".undo button").click()
    gallery.until("subject.dataset.state === 'pending'")


# What comes after the click is loaded with it.


def test_what_comes_after_the_click_is_loaded_with_the_click(open_gallery: OpenGallery) -> None:
    gallery = open_gallery()
    gallery.show("error")
    # The gallery has loaded it: another copy of the words has not.
    found = gallery.page.evaluate(
        """async (data) => {
          const { wordsOf, loadLater } = await import("/words.js?copy");
          const before = wordsOf(data, "error", { now: 0, elapsedMs: 0 });
          await loadLater();
          return [before, wordsOf(data, "error", { now: 0, elapsedMs: 0 }).head];
        }""",
        read_fixture("error")["data"],
    )
    assert found == [None, "No image was made"]


def test_why_a_model_is_left_out_is_said_in_the_language(open_gallery: OpenGallery) -> None:
    gallery = open_gallery()
    gallery.show("pending")
    opened = "document.querySelector('#subject').shadowRoot.querySelector('.others')"
    gallery.evaluate("(element) => element.shadowRoot.querySelector('summary').click()")
    gallery.until(f"{opened}.textContent.includes('it failed too often lately and rests')")
    speak(gallery, "de")
    gallery.until(f"{opened}.textContent.includes('pausiert nach Fehlern')")
    assert "lately" not in gallery.page.evaluate(f"{opened}.textContent")
