"""A link to an offer, as MCP hands it out: the page prices it anew, and only a click buys it."""

import re
from urllib.parse import quote, urlencode

from playwright.sync_api import expect

from tests.browser.pages import (
    TIMEOUT_MS,
    Visit,
    approve,
    drawn,
    expect_offered,
    expect_seen,
    price_of,
)
from tests.stack.driver import Driver

pytest_plugins = ["tests.browser.deployed"]

WANTED = {
    "prompt": "Zwölf Füchse & 雪 #1 <img src=x onerror=window.hit=1>",
    "quality": "high",
    "size": "1536x1024",
    "provider": "openai",
    "maxCost": "0.060000",
}


def test_a_link_is_priced_for_the_person_who_opens_it_and_bought_with_a_click(
    visit: Visit, stack: Driver
) -> None:
    visitor = visit()
    page = visitor.page
    fragment = urlencode(WANTED, quote_via=quote)
    page.evaluate("(fragment) => { location.hash = fragment; }", fragment)
    offer = visitor.images.first
    expect(offer.locator(".prompt")).to_have_text(WANTED["prompt"], timeout=TIMEOUT_MS)
    expect_offered(offer)
    # The address names the conversation, and nothing of the request.
    assert re.fullmatch(r"create/\w+", page.url.partition("#")[2])
    assert price_of(offer) == "$0.0412"
    assert drawn(stack) == 0
    assert visitor.person.usage()["attempts"] == 0
    approve(offer).click()
    expect_seen(offer)
    assert visitor.person.usage()["spent"] == "0.041200"
    assert page.evaluate("window.hit") is None
    assert not any("prompt=" in url for url in visitor.requests if "#" not in url)
    assert visitor.violations() == []
    assert visitor.errors == []
