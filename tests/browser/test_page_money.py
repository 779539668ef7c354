"""However often it is clicked, wherever it is opened or reloaded: one image, one charge."""

import json

import pytest
from playwright.sync_api import Locator, Page, Route, expect

from imagegen.providers import PROVIDERS
from tests.browser.pages import (
    FOX,
    TIMEOUT_MS,
    Visit,
    Visitor,
    approve,
    drawn,
    expect_offered,
    expect_seen,
    expect_state,
)
from tests.stack.driver import Driver

EIGHT_DAYS = str(8 * 86_400)
CLICKS = "button => { for (let click = 0; click < 20; click += 1) button.click(); }"

CLICKS_INSIDE = """element => {
  const button = element.shadowRoot.querySelector(".offer .main");
  for (let click = 0; click < 20; click += 1) button.click();
}"""

pytest_plugins = ["tests.browser.deployed"]


def offered(visitor: Visitor) -> Locator:
    visitor.say(FOX)
    image = visitor.images.first
    expect_offered(image)
    visitor.hear()
    return image


def first_image(page: Page) -> Locator:
    return page.locator("#messages generated-image").first


def charged_once(visitor: Visitor) -> bool:
    usage = visitor.person.usage()
    (one,) = usage["recent"]
    once = (usage["images"], usage["attempts"], drawn(visitor.stack)) == (1, 1, 1)
    return once and usage["spent"] == one["cost"]


def test_twenty_quick_clicks_are_one_call_and_one_charge(visit: Visit) -> None:
    visitor = visit()
    image = offered(visitor)
    approve(image).evaluate(CLICKS)
    expect_seen(image)
    assert charged_once(visitor)


def test_two_tabs_that_click_the_same_offer_pay_once_and_both_see_it(visit: Visit) -> None:
    visitor = visit()
    first = offered(visitor)
    second = first_image(visitor.open(visitor.context.new_page()))
    for provider in PROVIDERS:
        visitor.stack.provider(provider, fault="slow", delaySeconds=3)
    approve(first).evaluate(CLICKS)
    # By now the second tab may show that the first one has confirmed it.
    second.evaluate(CLICKS_INSIDE)
    expect_seen(second)
    first.page.bring_to_front()
    expect_seen(first)
    assert charged_once(visitor)


def test_an_open_offer_outlives_a_reload_at_the_same_price(visit: Visit) -> None:
    visitor = visit()
    label = approve(offered(visitor)).inner_text()
    visitor.page.reload()
    image = visitor.images.first
    expect(approve(image)).to_have_text(label)
    approve(image).click()
    expect_seen(image)
    assert charged_once(visitor)


def test_an_offer_of_a_link_outlives_a_reload_too(visit: Visit) -> None:
    visitor = visit()
    label = approve(visitor.ask("A quiet harbour", quality="fast")).inner_text()
    visitor.page.reload()
    offer = visitor.images.first
    expect(approve(offer)).to_have_text(label)
    approve(offer).click()
    expect_seen(offer)
    assert charged_once(visitor)


@pytest.mark.parametrize("is_sent", [False, True])
def test_a_run_that_is_reloaded_goes_on_and_is_not_asked_for_again(
    visit: Visit,
    is_sent: bool,  # noqa: FBT001 a parametrized flag
) -> None:
    visitor = visit()
    image = offered(visitor)
    for provider in PROVIDERS:
        visitor.stack.provider(provider, fault="slow", delaySeconds=5)
    if is_sent:
        with visitor.page.expect_request("**/generate-image"):
            approve(image).click()
    else:
        approve(image).click()
    visitor.page.reload()
    expect(visitor.images).to_have_count(1)
    assert approve(visitor.images.first).count() == 0
    expect_seen(visitor.images.first)
    assert charged_once(visitor)


def test_an_image_and_its_price_outlive_a_reload(visit: Visit) -> None:
    visitor = visit()
    approve(offered(visitor)).click()
    expect_seen(visitor.images.first)
    said = visitor.images.first.locator(".money").inner_text()
    visitor.page.reload()
    expect_seen(visitor.images.first)
    assert visitor.images.first.locator(".money").inner_text() == said
    assert charged_once(visitor)


def test_an_image_still_loads_eight_days_later(visit: Visit, stack: Driver) -> None:
    visitor = visit()
    approve(offered(visitor)).click()
    expect_seen(visitor.images.first)
    visitor.context.clear_cookies()
    with stack.configured("generate", CLOCK_OFFSET_SECONDS=EIGHT_DAYS):
        page = visitor.context.browser.new_context()  # type: ignore[union-attr]
        try:
            fresh = page.new_page()
            kept = json.dumps(everything(visitor.page))
            fresh.add_init_script(f"Object.assign(localStorage, {kept})")
            fresh.goto(f"{stack.urls['pageUrl']}#token={visitor.person.token}")
            expect_seen(first_image(fresh))
        finally:
            page.close()


def everything(page: Page) -> dict[str, str]:
    """What the browser keeps for the user: the list of conversations, and each of them."""
    kept: dict[str, str] = page.evaluate("({ ...localStorage })")
    return kept


def stored(page: Page) -> str:
    """The conversation."""
    (kept,) = [text for name, text in everything(page).items() if name.startswith("imagegen.chat.")]
    return kept


def test_what_is_kept_of_a_finished_image_holds_no_quote_and_no_address_that_ends(
    visit: Visit,
) -> None:
    visitor = visit()
    approve(offered(visitor)).click()
    expect_seen(visitor.images.first)
    kept = stored(visitor.page)
    assert '"quote"' not in kept
    assert "X-Amz" not in kept


def test_a_declined_offer_spends_nothing_and_can_be_taken_back(visit: Visit) -> None:
    visitor = visit()
    image = offered(visitor)
    image.get_by_role("button", name="Not now").click()
    expect_state(image, "declined")
    visitor.page.reload()
    expect_state(visitor.images.first, "declined")
    visitor.images.first.get_by_role("button", name="Undo").click()
    expect(approve(visitor.images.first)).to_be_visible()
    assert drawn(visitor.stack) == 0


def test_a_limit_is_told_with_the_time_it_opens_again(visit: Visit) -> None:
    visitor = visit()
    for _ in range(10):
        assert visitor.person.make().status == 200
    visitor.say(FOX)
    image = visitor.images.first
    expect(image.locator(".head")).to_have_text("Limit reached", timeout=TIMEOUT_MS)
    expect(image.locator(".note")).to_contain_text("Opens again at")
    expect(approve(image)).to_be_hidden()


END_TOKEN = "sessionStorage.setItem('imagegen.token', 'ended')"


def lose(route: Route) -> None:
    """Let a request reach the service, and lose its reply."""
    route.fetch(timeout=60_000)
    route.abort("connectionreset")


def answer_away(route: Route) -> None:
    """Answer as the service does while its ledger cannot be reached."""
    route.fulfill(
        status=503,
        json={
            "type": "about:blank", "title": "Service Unavailable", "status": 503,
            "code": "store_unavailable", "detail": "The ledger cannot be reached.",
            "charged": None, "retryable": True,
        },
        content_type="application/problem+json",
        headers={"access-control-allow-origin": "*"},
    )  # fmt: skip


def test_a_reply_that_is_lost_while_the_token_ends_shows_the_image_that_was_paid(
    visit: Visit,
) -> None:
    visitor = visit()
    image = offered(visitor)

    def end_and_lose(route: Route) -> None:
        visitor.page.evaluate(END_TOKEN)
        lose(route)

    visitor.page.route("**/generate-image", end_and_lose, times=1)
    approve(image).click()
    expect_seen(image)
    assert charged_once(visitor)


def test_a_reply_that_is_lost_while_the_ledger_is_away_shows_the_image_that_was_paid(
    visit: Visit,
) -> None:
    visitor = visit()
    image = offered(visitor)
    visitor.page.route("**/generate-image", answer_away)
    visitor.page.route("**/generate-image", lose, times=1)
    approve(image).click()
    expect_seen(image)
    assert charged_once(visitor)


def test_while_nothing_can_be_looked_at_there_is_one_button_and_no_price(visit: Visit) -> None:
    visitor = visit()
    image = offered(visitor)
    visitor.page.route("**/images/*", answer_away)
    visitor.page.route("**/generate-image", answer_away)
    visitor.page.route("**/generate-image", lose, times=1)
    approve(image).click()
    again = image.get_by_role("button", name="Check again")
    expect(again).to_be_enabled(timeout=TIMEOUT_MS)
    assert "not charged" not in image.locator(".card").inner_text()
    assert approve(image).count() == 0
    # The tab is closed and another one opened, with the ledger back.
    visitor.page.close()
    page = visitor.open(visitor.context.new_page())
    expect_seen(first_image(page))
    assert charged_once(visitor)


def test_a_token_that_ended_before_the_click_leads_back_to_the_same_offer(visit: Visit) -> None:
    visitor = visit()
    image = offered(visitor)
    label = approve(image).inner_text()
    visitor.page.evaluate(END_TOKEN)
    approve(image).click()
    expect(image.locator(".money")).to_have_text("You were not charged.", timeout=TIMEOUT_MS)
    visitor.page.evaluate(
        "(token) => sessionStorage.setItem('imagegen.token', token)", visitor.person.token
    )
    image.get_by_role("button", name="Back to the offer").click()
    expect(approve(image)).to_have_text(label)
    approve(image).click()
    expect_seen(image)
    assert charged_once(visitor)
