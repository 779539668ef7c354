"""The page for operators on the deployed stack: read, act, and nothing without the scope."""

from collections.abc import Iterator
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from tests.browser.pages import TIMEOUT_MS, WATCH
from tests.stack.driver import Driver, Person

pytest_plugins = ["tests.browser.deployed"]

PROMPT = "A red fox in fresh snow"
ERRORS = """
window.errors = [];
addEventListener("error", (event) => window.errors.push(event.message));
addEventListener("unhandledrejection", (event) => window.errors.push(String(event.reason)));
"""


@pytest.fixture
def person(stack: Driver) -> Person:
    """Somebody who made an image today."""
    one = stack.person()
    one.make(PROMPT, quality="fast")
    return one


@pytest.fixture
def open_admin(browser: Browser, stack: Driver) -> Iterator[Any]:
    contexts = []

    def opened(*, width: int = 1280, theme: Any = "light", whose: str = "adminToken") -> Page:
        context = browser.new_context(
            viewport={"width": width, "height": 900}, color_scheme=theme, locale="en-US"
        )
        contexts.append(context)
        context.add_init_script(WATCH + ERRORS)
        page = context.new_page()
        page.goto(f"{stack.urls['pageUrl']}admin")
        page.get_by_text("Use a token").click()
        page.get_by_label("Your token", exact=True).fill(stack.urls[whose])
        page.get_by_role("button", name="Use it").click()
        return page

    yield opened
    for context in contexts:
        context.close()


def ready(page: Page) -> None:
    expect(page.locator("#trail-tables > *").first).to_be_visible(timeout=TIMEOUT_MS)


def confirm(page: Page, reason: str) -> None:
    page.get_by_label("Why (kept in the trail").fill(reason)
    page.get_by_role("button", name="Yes, do it").click()


@pytest.mark.parametrize(("width", "theme"), [(1280, "light"), (360, "dark"), (360, "light")])
def test_everything_is_shown_and_axe_finds_nothing(
    open_admin: Any, person: Person, width: int, theme: str
) -> None:
    page = open_admin(width=width, theme=theme)
    ready(page)
    expect(page.locator("svg.chart rect").first).to_be_attached()
    for caption in ("By provider", "By person (hash)", "Providers"):
        expect(page.get_by_role("region", name=caption, exact=True)).to_be_visible()
    found = Axe().run(page).response["violations"]
    assert [(one["id"], str(one["nodes"][0]["target"])) for one in found] == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.evaluate("window.violations") == []
    assert page.evaluate("window.errors") == []


def test_a_provider_is_switched_off_and_on_by_the_keyboard_alone(
    open_admin: Any, stack: Driver
) -> None:
    page = open_admin()
    ready(page)
    page.get_by_role("button", name="Switch OpenAI off").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_be_hidden()
    page.get_by_role("button", name="Switch OpenAI off").focus()
    page.keyboard.press("Enter")
    page.keyboard.type("drill")
    page.keyboard.press("Enter")
    on = page.get_by_role("button", name="Switch OpenAI on")
    expect(on).to_be_visible(timeout=TIMEOUT_MS)
    expect(page.locator("#trail-tables")).to_contain_text("drill", timeout=TIMEOUT_MS)
    on.click()
    confirm(page, "over")
    expect(page.get_by_role("button", name="Switch OpenAI off")).to_be_visible(timeout=TIMEOUT_MS)


def test_a_person_is_found_blocked_and_let_in_again(open_admin: Any, person: Person) -> None:
    page = open_admin()
    ready(page)
    hash_cell = page.get_by_role("region", name="By person (hash)").locator("tbody th").first
    page.locator("#who").fill(hash_cell.inner_text())
    page.get_by_role("button", name="Find", exact=True).click()
    page.get_by_role("button", name="Block this person").click(timeout=TIMEOUT_MS)
    confirm(page, "ticket 12")
    again = page.get_by_role("button", name="Let them in again")
    expect(again).to_be_visible(timeout=TIMEOUT_MS)
    again.click()
    confirm(page, "")
    expect(page.get_by_role("button", name="Block this person")).to_be_visible(timeout=TIMEOUT_MS)


def test_a_user_without_the_scope_sees_nothing(open_admin: Any) -> None:
    page = open_admin(whose="token")
    expect(page.locator("#entry-why")).to_contain_text("scope of operators", timeout=TIMEOUT_MS)
    assert page.locator("table").count() == 0


# The way in, where people sign in.


@pytest.fixture
def signed_in(browser: Browser, stack: Driver) -> Iterator[Any]:
    contexts = []

    def opened(name: str) -> Page:
        context = browser.new_context(viewport={"width": 1280, "height": 900}, locale="en-US")
        contexts.append(context)
        context.add_init_script(WATCH + ERRORS)
        page = context.new_page()
        page.goto(f"{stack.urls['pageUrl']}admin")
        page.locator("#person").click()
        page.get_by_role("button", name=name).click()
        page.wait_for_url("**/admin", timeout=TIMEOUT_MS)
        return page

    yield opened
    for context in contexts:
        context.close()


def test_an_operator_signs_in_on_this_page_and_is_back_on_it(signed_in: Any, stack: Driver) -> None:
    page = signed_in("Olivia")
    ready(page)
    expect(page.locator("#person")).to_have_text("Olivia", timeout=TIMEOUT_MS)
    assert page.locator("#entry").is_hidden()
    assert page.evaluate("window.violations") == []
    assert page.evaluate("window.errors") == []
    page.reload()
    ready(page)
    page.locator("#person").click()
    page.get_by_role("button", name="Sign out").click()
    page.wait_for_url(lambda url: not url.endswith("/admin"), timeout=TIMEOUT_MS)
    page.goto(f"{stack.urls['pageUrl']}admin")
    expect(page.locator("#person")).to_have_text("Sign in", timeout=TIMEOUT_MS)
    assert page.locator("table").count() == 0


def test_who_is_no_operator_is_told_so_after_signing_in(signed_in: Any) -> None:
    page = signed_in("Alice")
    expect(page.locator("#entry-why")).to_contain_text("scope of operators", timeout=TIMEOUT_MS)
    assert page.locator("table").count() == 0


def test_who_is_signed_in_on_the_page_is_signed_in_here(signed_in: Any, stack: Driver) -> None:
    first = signed_in("Olivia")
    second = first.context.new_page()
    second.goto(f"{stack.urls['pageUrl']}admin")
    ready(second)
    first.close()
    second.reload()
    ready(second)


# Budgets and keys.


def test_a_budget_is_set_and_reset(open_admin: Any) -> None:
    page = open_admin()
    ready(page)
    page.get_by_label("Of", exact=True).select_option("team")
    page.locator("#whose").fill("design")
    page.locator("#budget").get_by_role("button", name="Show").click()
    region = page.locator("#budgets-tables")
    expect(region).to_contain_text("the team design", timeout=TIMEOUT_MS)
    page.get_by_label("Dollars a day").fill("7.50")
    page.get_by_role("button", name="Set it").click()
    confirm(page, "drill")
    expect(region).to_contain_text("$7.50", timeout=TIMEOUT_MS)
    expect(region).to_contain_text("set by an operator")
    page.get_by_role("button", name="Reset it").click()
    confirm(page, "over")
    expect(region).to_contain_text("as the stack's settings say", timeout=TIMEOUT_MS)


def test_a_key_is_revoked(open_admin: Any, stack: Driver) -> None:
    operator = Person(stack, stack.urls["adminToken"])
    body = {"name": "nightly", "scopes": ["images"], "dailySpend": "1"}
    made = operator.call("POST", f"{stack.urls['adminUrl']}/admin/keys/make", body)
    key = made.json["key"]["keyId"]
    page = open_admin()
    ready(page)
    page.get_by_role("button", name=f"Revoke {key}").click()
    confirm(page, "it leaked")
    row = page.locator("#keys-tables tr", has_text=key)
    expect(row).to_contain_text("revoked", timeout=TIMEOUT_MS)
