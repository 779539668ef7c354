"""The page of states: everything that the elements can show, in both themes, at every width."""

from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page

from local.showcase.server import showcase
from tests.browser.stage import ALL_STATES, FIXTURES, SCREENS, read_fixture

STATES = "() => document.querySelector('#states').getAttribute('aria-busy') === 'false'"
WIDER = "document.documentElement.scrollWidth > document.documentElement.clientWidth"


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with showcase() as url:
        yield url


def opened(browser: Browser, address: str, width: int = 1280, theme: str = "light") -> Page:
    context = browser.new_context(
        viewport={"width": width, "height": 900},
        color_scheme=theme,  # type: ignore[arg-type]
        locale="en-US",
    )
    page = context.new_page()
    page.goto(address)
    page.wait_for_load_state("networkidle")
    page.locator("#states[aria-busy=false]").wait_for()
    return page


def test_every_state_is_there_in_both_themes(browser: Browser, address: str) -> None:
    page = opened(browser, address)
    expected = {name: [read_fixture(name)["state"]] * 2 for name in ALL_STATES}
    shown = page.evaluate(
        """() => Object.fromEntries([...document.querySelectorAll(".state")].map((one) =>
          [one.id, [...one.querySelectorAll("generated-image")].map((e) => e.dataset.state)]))"""
    )
    assert shown == expected
    backgrounds = page.evaluate(
        """() => [...document.querySelectorAll("#pending generated-image")].map((e) =>
          getComputedStyle(e.shadowRoot.querySelector(".card")).backgroundColor)"""
    )
    assert len(set(backgrounds)) == 2
    page.context.close()


def test_the_lists_of_calls_are_there(browser: Browser, address: str) -> None:
    page = opened(browser, address)
    for path in FIXTURES.glob("llm-info/*.json"):
        page.get_by_role("button", name=path.stem, exact=True).click()
        page.locator("llm-info dialog[open]").wait_for()
        page.keyboard.press("Escape")
    page.context.close()


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 768, 1280])
def test_the_page_of_states_fits_and_is_accessible(
    browser: Browser, address: str, width: int, theme: str
) -> None:
    page = opened(browser, address, width, theme)
    SCREENS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=SCREENS / f"states-{width}-{theme}.png", full_page=True)
    assert not page.evaluate(WIDER)
    # The same fixture twice has the same names in each; that is what the page is for.
    options = {"rules": {"landmark-unique": {"enabled": False}}}
    assert Axe().run(page, options=options).response["violations"] == []
    page.context.close()
