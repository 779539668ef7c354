"""Whose page it is: links that log nobody in, and storage that no other user of a browser sees."""

import json
import re
from uuid import uuid4

import pytest
from playwright.sync_api import Page, Route, expect

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

TOKEN = "sessionStorage.getItem('imagegen.token')"
KEPT = "Object.keys(localStorage).filter((name) => name.startsWith('imagegen.'))"
PROMPT = "A lighthouse that nobody else may see"


def stranger(visitor: Visitor) -> str:
    token: str = visitor.stack.local.issuer.token(f"stranger-{uuid4()}")
    return token


def drop_simulator(route: Route) -> None:
    """Answer the page as a stack without a simulator has it."""
    answer = route.fetch()
    address = r"&quot;simulatorUrl&quot;: &quot;[^&]*&quot;"
    text = re.sub(address, "&quot;simulatorUrl&quot;: null", answer.text())
    route.fulfill(response=answer, body=text)


def enter(page: Page, token: str) -> None:
    if page.locator("#entry").is_hidden():
        page.locator("#person").click()
    if page.locator("#token").is_hidden():
        page.get_by_text("For developers: use a token").click()
    page.get_by_label("Your token", exact=True).fill(token)
    page.get_by_role("button", name="Use it").click()


def forget(page: Page) -> None:
    if page.locator("#entry").is_hidden():
        page.locator("#person").click()
    page.get_by_role("button", name="Forget it").click()


def made(visitor: Visitor) -> None:
    """A conversation with an image, and one with an offer."""
    visitor.say(FOX)
    expect_offered(visitor.images.first)
    visitor.hear()
    approve(visitor.images.first).click()
    expect_seen(visitor.images.first)
    visitor.ask(PROMPT, quality="fast")


def expect_nothing_of(visitor: Visitor) -> None:
    page = visitor.page
    expect(page.locator("generated-image")).to_have_count(0)
    expect(page.get_by_text(FOX)).to_have_count(0)
    assert page.locator("#say").input_value() == ""


def test_a_link_logs_nobody_in_where_there_is_no_simulator(visit: Visit) -> None:
    visitor = visit()
    page = visitor.context.new_page()
    page.route(visitor.stack.urls["pageUrl"], drop_simulator)
    page.goto(f"{visitor.stack.urls['pageUrl']}#token={stranger(visitor)}")
    need = page.get_by_text("Sign in to see prices and make images.")
    expect(need).to_be_visible(timeout=TIMEOUT_MS)
    assert page.evaluate(TOKEN) is None
    # It leaves the address all the same.
    assert "token" not in page.url


@pytest.mark.parametrize("simulated", [True, False])
def test_a_changed_hash_swaps_no_token(visit: Visit, simulated: bool) -> None:  # noqa: FBT001 a parametrized flag
    visitor = visit()
    page = visitor.page
    if not simulated:
        page.route(visitor.stack.urls["pageUrl"], drop_simulator)
        page.reload()
        expect(page.locator("#spent")).to_contain_text("spent", timeout=TIMEOUT_MS)
    page.evaluate("(token) => { location.hash = `token=${token}`; }", stranger(visitor))
    page.wait_for_function("() => !location.hash")
    assert page.evaluate(TOKEN) == visitor.person.token
    if simulated:
        expect(page.get_by_text("It was not used")).to_be_visible()


def test_a_link_that_is_opened_in_a_tab_with_a_user_swaps_no_token(visit: Visit) -> None:
    visitor = visit()
    visitor.page.goto("about:blank")
    visitor.page.goto(f"{visitor.stack.urls['pageUrl']}#token={stranger(visitor)}")
    expect(visitor.page.get_by_text("It was not used")).to_be_visible(timeout=TIMEOUT_MS)
    assert visitor.page.evaluate(TOKEN) == visitor.person.token


def test_forgetting_a_token_forgets_what_was_kept_for_its_user(visit: Visit) -> None:
    visitor = visit()
    made(visitor)
    forget(visitor.page)
    expect_nothing_of(visitor)
    assert visitor.page.evaluate(KEPT) == []
    assert visitor.page.evaluate("sessionStorage.length") == 0
    visitor.page.reload()
    enter(visitor.page, visitor.person.token)
    expect(visitor.page.locator("#spent")).not_to_have_text("", timeout=TIMEOUT_MS)
    expect_nothing_of(visitor)


def test_another_user_of_the_browser_sees_nothing_and_the_first_sees_it_again(visit: Visit) -> None:
    visitor = visit()
    made(visitor)
    enter(visitor.page, stranger(visitor))
    expect(visitor.page.locator("#spent")).to_have_text("$0.00 spent", timeout=TIMEOUT_MS)
    expect_nothing_of(visitor)
    visitor.page.reload()
    expect(visitor.page.locator("#spent")).to_have_text("$0.00 spent", timeout=TIMEOUT_MS)
    expect_nothing_of(visitor)
    enter(visitor.page, visitor.person.token)
    expect(visitor.images.first.locator(".prompt")).to_have_text(PROMPT, timeout=TIMEOUT_MS)
    visitor.page.locator("#history").click()
    visitor.page.get_by_role("dialog").get_by_text(FOX).click()
    expect_seen(visitor.images.first)


def test_what_an_earlier_version_kept_for_whoever_came_is_deleted(visit: Visit) -> None:
    visitor = visit()
    old = json.dumps([{"role": "user", "content": "an old secret"}])
    visitor.page.evaluate("(text) => localStorage.setItem('imagegen.chat', text)", old)
    visitor.page.reload()
    expect(visitor.page.locator("#spent")).to_contain_text("spent", timeout=TIMEOUT_MS)
    assert visitor.page.get_by_text("an old secret").count() == 0
    assert visitor.page.evaluate("localStorage.getItem('imagegen.chat')") is None
