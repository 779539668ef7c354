"""The view of an offer in a host of our own, over a stack: from the model's call to the picture."""

from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from local.paths import STATE
from local.showcase.inspector import McpHost
from local.showcase.server import showcase
from tests.browser.pages import TIMEOUT_MS, drawn
from tests.stack.driver import Driver, Person

pytest_plugins = ["tests.browser.deployed"]


@pytest.fixture
def person(stack: Driver) -> Person:
    return stack.person()


@pytest.fixture
def inspector(browser: Browser, stack: Driver, person: Person) -> Iterator[Page]:
    host = McpHost(f"{stack.urls['estimateUrl']}/mcp", person.token)
    context = browser.new_context(locale="en-US", viewport={"width": 768, "height": 900})
    with showcase(host) as url:
        page = context.new_page()
        page.goto(f"{url}inspector")
        yield page
        context.close()


def test_a_click_in_the_view_and_nothing_else_makes_the_image(
    inspector: Page, stack: Driver, person: Person
) -> None:
    page = inspector
    tools = page.locator("#tools li")
    expect(tools).to_have_count(4, timeout=TIMEOUT_MS)
    alone = [text for text in tools.all_inner_texts() if "alone" in text]
    assert [text.split()[0] for text in alone] == ["confirm_image"]
    page.get_by_role("button", name="Call estimate_image").click()
    element = page.frame_locator("#view").locator("generated-image")
    button = element.get_by_role("button", name="Generate Image for $")
    expect(button).to_be_visible(timeout=TIMEOUT_MS)
    assert "q1." not in page.locator("#read").inner_text(), "a model reads no quote"
    assert drawn(stack) == 0
    page.screenshot(path=STATE / "screens" / "inspector-offer.png", full_page=True)
    most = float(button.inner_text().rpartition("$")[2])
    button.click()
    expect(element).to_have_attribute("data-state", "complete", timeout=TIMEOUT_MS)
    picture = element.locator(".link img")
    expect(picture).to_be_visible()
    page.frames[1].wait_for_function(
        "() => document.querySelector('generated-image').shadowRoot"
        ".querySelector('.link img').naturalWidth > 0"
    )
    assert drawn(stack) == 1
    assert 0 < float(person.usage()["spent"]) <= most
    asked = page.locator("#asked li b").all_inner_texts()
    assert asked[0] == "confirm_image"
    assert set(asked[1:]) == {"image_status"}
    assert Axe().run(page).response["violations"] == []
    page.screenshot(path=STATE / "screens" / "inspector.png", full_page=True)
