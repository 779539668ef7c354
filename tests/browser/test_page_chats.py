"""Conversations on the deployed page: several, each with an address, the same in all tabs."""

import re

from playwright.sync_api import Page, expect

from tests.browser.pages import (
    FOX,
    TIMEOUT_MS,
    Visit,
    Visitor,
    approve,
    expect_offered,
    expect_seen,
)

pytest_plugins = ["tests.browser.deployed"]

HUT = "A hut"


def two(visitor: Visitor) -> tuple[str, str]:
    """The addresses of two conversations: the fox in one, a hut in the other."""
    visitor.ask(FOX, quality="fast")
    first = address(visitor.page)
    visitor.page.locator("#anew").click()
    expect(visitor.images).to_have_count(0)
    visitor.ask(HUT, quality="fast")
    return first, address(visitor.page)


def address(page: Page) -> str:
    """The address as the page has it now: Playwright learns of it a moment later."""
    found: str = page.evaluate("location.href")
    return found


def listed(page: Page) -> list[str]:
    page.locator("#history").click()
    expect(page.get_by_role("dialog")).to_be_visible(timeout=TIMEOUT_MS)
    return [one.inner_text() for one in page.locator("#chats b").all()]


def test_a_new_chat_keeps_the_one_before(visit: Visit) -> None:
    visitor = visit()
    page = visitor.page
    first, second = two(visitor)
    assert first != second
    page.reload()
    expect(visitor.images.first.locator(".prompt")).to_have_text(HUT)
    assert listed(page) == [HUT, FOX]
    page.get_by_role("dialog").get_by_text(FOX).click()
    expect(visitor.images.first.locator(".prompt")).to_have_text(FOX)
    expect(page).to_have_url(first)
    page.goto(second)
    expect(visitor.images.first.locator(".prompt")).to_have_text(HUT)
    # Without an address the newest one is shown.
    page.goto("about:blank")
    page.goto(visitor.stack.urls["pageUrl"])
    expect(visitor.images.first.locator(".prompt")).to_have_text(HUT)


def test_a_deleted_conversation_can_be_brought_back(visit: Visit) -> None:
    visitor = visit()
    page = visitor.page
    first, _ = two(visitor)
    listed(page)
    page.get_by_role("button", name=f"Delete {FOX}").click()
    assert listed(page) == [HUT]
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Undo").click()
    expect(visitor.images.first.locator(".prompt")).to_have_text(FOX)
    expect(page).to_have_url(first)


def test_what_one_tab_pays_for_is_in_the_other_one_too_and_stays(visit: Visit) -> None:
    visitor = visit()
    visitor.ask(FOX, quality="fast")
    other = visitor.open(visitor.context.new_page())
    offer = other.locator("#messages generated-image").first
    expect_offered(offer)
    approve(offer).click()
    expect_seen(offer)
    # The first tab has the offer open, and writes on.
    visitor.page.bring_to_front()
    expect_seen(visitor.images.first)
    visitor.say("Thank you")
    expect(visitor.page.locator(".assistant")).to_have_count(2, timeout=TIMEOUT_MS)
    other.bring_to_front()
    expect(other.locator(".user")).to_have_count(2, timeout=TIMEOUT_MS)
    other.reload()
    expect_seen(offer)
    expect(other.locator(".user")).to_have_count(2)


def test_each_view_has_an_address_and_the_way_back(visit: Visit) -> None:
    visitor = visit()
    page = visitor.page
    for view, title in (("gallery", "Gallery"), ("usage", "Usage")):
        visitor.show(view)
        expect(page.get_by_role("heading", name=title, exact=True)).to_be_visible()
        expect(page).to_have_title(f"{title} \u00b7 imagegen")
        expect(page).to_have_url(re.compile(f"#{view}$"))
    page.go_back()
    expect(page.get_by_role("heading", name="Gallery", exact=True)).to_be_visible()
    page.reload()
    expect(page.get_by_role("heading", name="Gallery", exact=True)).to_be_visible()
    expect(page.locator("nav [aria-current=page]")).to_have_text("Gallery")
