"""Break a provider on the page and watch: a fallback, an open circuit, and its end."""

from playwright.sync_api import Locator, Response, expect

from imagegen.providers import PROVIDERS
from local.paths import STATE
from tests.browser.pages import TIMEOUT_MS, Visit, Visitor, approve, expect_seen, expect_state
from tests.stack.driver import Driver

pytest_plugins = ["tests.browser.deployed"]


def cell(visitor: Visitor, provider: str) -> Locator:
    return visitor.page.locator(f"#providers [data-provider={provider}]")


def broken(visitor: Visitor, provider: str) -> None:
    visitor.develop()
    switch = cell(visitor, provider).get_by_role("switch")
    expect(switch).not_to_be_checked()
    turned(visitor, switch)
    expect(switch).to_be_checked(timeout=TIMEOUT_MS)


def turned(visitor: Visitor, switch: Locator) -> None:
    """Turn a switch, and wait until the provider has been told: it shows its new place before."""
    with visitor.page.expect_response(is_told):
        switch.click()


def is_told(answer: Response) -> bool:
    return "/control/providers/" in answer.url and answer.request.method == "POST"


def test_a_broken_provider_is_stood_in_for_and_the_card_says_so(
    visit: Visit, stack: Driver
) -> None:
    visitor = visit()
    broken(visitor, "openai")
    assert stack.counts("openai")["armed"]
    offer = visitor.ask("A red fox in fresh snow", quality="high", provider="openai")
    approve(offer).click()
    expect_seen(offer)
    expect_state(offer, "fallback")
    expect(offer.locator(".chips")).to_contain_text("Fallback")
    expect(offer.locator(".money")).to_contain_text("Asked OpenAI")
    visitor.page.screenshot(path=STATE / "screens" / "page-fallback.png")


def test_failures_of_five_users_open_the_circuit_and_the_strip_counts_down(
    visit: Visit, stack: Driver
) -> None:
    visitor = visit()
    broken(visitor, "openai")
    for _ in range(4):
        assert stack.person().make(quality="high", provider="openai").status == 200
    offer = visitor.ask("A red fox in fresh snow", quality="high", provider="openai")
    approve(offer).click()
    expect_state(offer, "fallback")
    openai = cell(visitor, "openai")
    expect(openai).to_have_attribute("data-circuit", "open", timeout=TIMEOUT_MS)
    expect(openai).to_contain_text("Resting, next try in ", timeout=TIMEOUT_MS)
    visitor.page.screenshot(path=STATE / "screens" / "page-circuit-open.png")


def test_time_that_is_left_is_told_in_whole_seconds(visit: Visit) -> None:
    script = "given => import('./ui.js').then(({ clock }) => given.map(clock))"
    told = visit().page.evaluate(script, [0.2, 7, 59.5, 599.4, 599.6, 3_600, 86_400])
    assert told == ["0:01", "0:07", "1:00", "10:00", "10:00", "1 h", "24 h"]


def test_a_provider_is_well_again_when_its_switch_is_put_back(visit: Visit, stack: Driver) -> None:
    visitor = visit()
    broken(visitor, "gemini")
    visitor.page.reload()
    visitor.develop()
    switch = cell(visitor, "gemini").get_by_role("switch")
    expect(switch).to_be_checked(timeout=TIMEOUT_MS)
    turned(visitor, switch)
    expect(switch).not_to_be_checked()
    assert stack.counts("gemini")["armed"] == []


def test_an_image_that_every_provider_fails_is_not_charged(visit: Visit) -> None:
    visitor = visit()
    for provider in PROVIDERS:
        broken(visitor, provider)
    offer = visitor.ask("A red fox in fresh snow")
    approve(offer).click()
    expect_state(offer, "error")
    expect(offer.locator(".money")).to_have_text("You were not charged.")
    assert visitor.person.usage()["spent"] == "0.000000"
