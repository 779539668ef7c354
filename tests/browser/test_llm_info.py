"""The dialog with every call of a turn."""

import json
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from tests.browser.stage import SCREENS, Gallery, OpenGallery, read_calls, read_fixture

NAMES = ["empty", "text-only", "image-only", "mixed", "many"]
TOTALS = {
    "empty": "Total $0.00 · 0 calls",
    "text-only": "Total $0.003 · 2 calls",
    "image-only": "Total $0.0527 · 1 call",
    "mixed": "Total $0.0171 + 1 without a price · 4 calls",
    "many": "Total $0.3149 · 200 calls",
}


def show(gallery: Gallery, name: str) -> None:
    """Open the dialog with these calls; its script is loaded by then."""
    gallery.page.evaluate("(calls) => showCalls(calls)", read_calls(name))
    total = gallery.element.locator("dialog").get_by_text(TOTALS[name], exact=True)
    expect(total).to_be_visible()


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 768, 1280])
@pytest.mark.parametrize("name", NAMES)
def test_it_shows_every_call_and_the_total(
    shared_gallery: OpenGallery, name: str, width: int, theme: str
) -> None:
    gallery = shared_gallery(width=width, theme=theme)
    show(gallery, name)
    SCREENS.mkdir(parents=True, exist_ok=True)
    gallery.page.screenshot(path=SCREENS / f"llm-info-{name}-{width}-{theme}.png")
    dialog = gallery.element.locator("dialog")
    expect(dialog.get_by_text(TOTALS[name], exact=True)).to_be_visible()
    assert dialog.locator("tbody tr").count() == len(read_calls(name))
    box: Any = dialog.bounding_box()
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= width
    assert box["height"] <= 900
    scroll = gallery.evaluate(
        """(element) => [...element.shadowRoot.querySelectorAll("dialog, .rows")]
          .some((one) => one.scrollWidth > one.clientWidth)"""
    )
    assert not scroll
    found: Any = Axe().run(gallery.page)
    assert found.response["violations"] == [], found.generate_report()


@pytest.fixture
def gallery(open_gallery: OpenGallery) -> Gallery:
    return open_gallery(permissions=["clipboard-read", "clipboard-write"])


def test_a_failed_call_an_unknown_price_and_a_fallback_are_told(gallery: Gallery) -> None:
    show(gallery, "mixed")
    rows = gallery.element.locator("tbody tr")
    assert "Failed" in rows.nth(1).inner_text()
    assert "$0.00" in rows.nth(1).inner_text()
    assert "Together AI" in rows.nth(2).inner_text()
    assert "unknown" in rows.nth(3).inner_text()
    assert "1,390 in, 77 out" in rows.nth(3).inner_text()


def test_a_call_whose_tokens_nobody_counted_says_so(gallery: Gallery) -> None:
    show(gallery, "text-only")
    rows = gallery.element.locator("tbody tr")
    assert "812 in, 164 out" in rows.nth(0).inner_text()
    assert "tokens not reported" in rows.nth(1).inner_text()


def test_the_filter_is_a_set_of_radio_buttons_with_a_total_of_its_own(gallery: Gallery) -> None:
    show(gallery, "mixed")
    assert gallery.element.get_by_role("radio").count() == 3
    gallery.element.get_by_role("radio", name="All").focus()
    gallery.page.keyboard.press("ArrowDown")
    gallery.page.keyboard.press("ArrowDown")
    assert gallery.element.locator("tbody tr").count() == 2
    text = gallery.element.locator("dialog").inner_text()
    assert "Shown $0.0154 · 2 calls" in text
    assert TOTALS["mixed"] in text


def test_the_calls_are_copied_as_json(gallery: Gallery) -> None:
    show(gallery, "mixed")
    gallery.element.get_by_role("button", name="Copy as JSON").click()
    expect(gallery.element.locator("[role=status]")).to_have_text("Copied.")
    copied = gallery.page.evaluate("navigator.clipboard.readText()")
    assert json.loads(copied) == read_calls("mixed")


def test_it_keeps_the_focus_inside_and_gives_it_back(gallery: Gallery) -> None:
    gallery.show("complete")
    gallery.element.get_by_role("button", name="LLM info").focus()
    gallery.page.keyboard.press("Enter")
    expect(gallery.element.locator("dialog[open]")).to_be_visible()
    for _ in range(12):
        gallery.page.keyboard.press("Tab")
        assert gallery.page.evaluate(
            "['GENERATED-IMAGE', 'BODY'].includes(document.activeElement.tagName)"
        )
    gallery.page.keyboard.press("Escape")
    gallery.until("subject.shadowRoot.activeElement?.textContent === 'LLM info'")


def test_an_image_without_a_call_of_its_own_is_listed_from_its_status(gallery: Gallery) -> None:
    gallery.show("complete-status")
    gallery.element.get_by_role("button", name="LLM info").click()
    row = gallery.element.locator("tbody tr").inner_text()
    model = read_fixture("complete-status")["data"]["image"]["model"]
    assert model in row
    assert "$0.0527" in row


def test_two_hundred_calls_are_there_at_once(gallery: Gallery) -> None:
    gallery.page.evaluate("(calls) => showCalls(calls)", read_calls("many"))
    assert gallery.element.locator("tbody tr").count() == 200
