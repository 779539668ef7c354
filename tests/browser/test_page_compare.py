"""Two to four models side by side: one total, one click, each picture with its own end."""

import json
import re

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Locator, expect

from imagegen.providers import PROVIDERS
from local.paths import STATE
from tests.browser.pages import (
    TIMEOUT_MS,
    Visit,
    Visitor,
    drawn,
    expect_seen,
)

pytest_plugins = ["tests.browser.deployed"]

BUTTON = re.compile(r"^Generate \d Images for \$[\d.]+$")
WIDER = "document.documentElement.scrollWidth > window.innerWidth"


def compare(visitor: Visitor, prompt: str = "A lighthouse at dawn", models: int = 3) -> Locator:
    """Ask for models side by side in the settings; the card with their offer."""
    page = visitor.page
    visitor.set()
    page.get_by_role("button", name="Compare models").click()
    boxes = page.locator(".models input")
    expect(boxes.first).to_be_visible(timeout=TIMEOUT_MS)
    for index in range(models):
        boxes.nth(index * 2).check()
    page.get_by_label("Message", exact=True).fill(prompt)
    page.get_by_role("button", name="Send").click()
    card = page.locator(".compare")
    expect(button(card)).to_be_visible(timeout=TIMEOUT_MS)
    return card


def button(card: Locator) -> Locator:
    """The one button that spends."""
    return card.get_by_role("button", name=BUTTON)


def amounts(card: Locator) -> list[int]:
    """The prices of the rows, in micro-dollars."""
    texts = card.locator(".rivals li > b:nth-of-type(2)").all_inner_texts()
    return [round(float(text.removeprefix("$")) * 1_000_000) for text in texts]


def shot(visitor: Visitor, name: str) -> None:
    folder = STATE / "screens"
    folder.mkdir(parents=True, exist_ok=True)
    visitor.page.screenshot(path=folder / f"compare-{name}.png", full_page=True)


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 768, 1280])
def test_one_click_makes_one_image_with_each_model(visit: Visit, width: int, theme: str) -> None:
    visitor = visit(width=width, theme=theme)
    card = compare(visitor)
    rows = amounts(card)
    assert len(rows) == 3
    total = button(card).inner_text().rpartition("$")[2]
    # The sum of what is shown is at most a rounding of each row above the total, never below it.
    assert 0 <= sum(rows) - round(float(total) * 1_000_000) + 100 <= 400
    shot(visitor, f"offer-{width}-{theme}")
    assert not visitor.page.evaluate(WIDER)
    assert Axe().run(visitor.page).response["violations"] == []
    with visitor.page.expect_request("**/generate-image") as sent:
        button(card).click()
    body = json.loads(sent.value.post_data or "")
    assert (len(body["quotes"]), body["mixed"]) == (3, True)
    for index in range(3):
        expect_seen(visitor.images.nth(index))
    expect(card.locator("p.hint")).to_contain_text("charged for 3 of 3 images.")
    assert drawn(visitor.stack) == 3
    spent = visitor.person.usage()["spent"]
    charged = card.locator("p.hint").inner_text().partition(" ")[0].removeprefix("$")
    assert float(charged) == pytest.approx(float(spent), abs=0.0001)
    assert float(charged) <= float(total)
    shot(visitor, f"pictures-{width}-{theme}")
    assert not visitor.page.evaluate(WIDER)
    assert Axe().run(visitor.page).response["violations"] == []


def test_the_conversation_goes_on_with_the_picture_that_was_kept(visit: Visit) -> None:
    visitor = visit()
    card = compare(visitor, models=2)
    button(card).click()
    for index in range(2):
        expect_seen(visitor.images.nth(index))
    card.get_by_role("button", name="Keep this one").nth(1).click()
    expect(visitor.images.nth(0)).to_be_hidden()
    expect(visitor.images.nth(1)).to_be_visible()
    kept = visitor.images.nth(1).evaluate("(element) => element.data.id")
    shot(visitor, "kept")
    with visitor.page.expect_request("**/chat") as said:
        visitor.say("the same at night")
    history = json.loads(said.value.post_data or "")["messages"]
    assert [one["imageGenerations"] for one in history if "imageGenerations" in one] == [
        [{"id": kept}]
    ]
    # The page that is opened again shows it as it was left.
    visitor.page.reload()
    expect(visitor.images.nth(1)).to_be_visible(timeout=TIMEOUT_MS)
    expect(visitor.images.nth(0)).to_be_hidden()
    visitor.page.get_by_role("button", name="Show all 2 again").click()
    expect(visitor.images.nth(0)).to_be_visible()
    assert drawn(visitor.stack) == 2


def test_each_picture_has_its_own_end_and_only_stored_ones_are_charged(visit: Visit) -> None:
    visitor = visit()
    card = compare(visitor, models=4)
    makers = visitor.page.evaluate(
        """() => JSON.parse(localStorage.getItem(Object.keys(localStorage)
          .find((key) => key.startsWith("imagegen.chat.")))).at(-1).generations
          .map(({ estimate }) => estimate.provider)"""
    )
    visitor.stack.provider(makers[0], fault="refused")
    button(card).click()
    ended = card.get_by_text(re.compile("charged for [0-4] of 4 images"))
    expect(ended).to_be_visible(timeout=TIMEOUT_MS)
    states = [visitor.images.nth(n).get_attribute("data-state") for n in range(4)]
    assert "refused" in states
    assert "complete" in states
    stored = sum(one in ("complete", "fallback") for one in states)
    expect(ended).to_contain_text(f"charged for {stored} of 4 images.")
    assert drawn(visitor.stack) == stored
    shot(visitor, "own-ends")


def test_a_second_click_buys_nothing(visit: Visit) -> None:
    visitor = visit()
    card = compare(visitor, models=2)
    button(card).dblclick()
    for index in range(2):
        expect_seen(visitor.images.nth(index))
    assert drawn(visitor.stack) == 2


def test_a_page_that_is_opened_again_shows_the_offer_and_the_run(visit: Visit) -> None:
    visitor = visit()
    compare(visitor, models=2)
    visitor.page.reload()
    card = visitor.page.locator(".compare")
    expect(button(card)).to_be_visible(timeout=TIMEOUT_MS)
    for provider in PROVIDERS:
        visitor.stack.provider(provider, fault="slow", delaySeconds=4)
    with visitor.page.expect_request("**/generate-image"):
        button(card).click()
    visitor.page.reload()
    for index in range(2):
        expect_seen(visitor.images.nth(index))
    assert drawn(visitor.stack) == 2


def test_an_offer_of_the_chat_can_be_compared(visit: Visit) -> None:
    visitor = visit()
    visitor.say("Draw a red fox in fresh snow")
    visitor.hear()
    visitor.images.first.get_by_role("button", name="Compare").click(timeout=TIMEOUT_MS)
    card = visitor.page.locator(".compare")
    expect(button(card)).to_be_visible(timeout=TIMEOUT_MS)
    assert len(amounts(card)) >= 2
    assert drawn(visitor.stack) == 0


def test_nothing_is_made_where_the_request_is_refused_and_the_offer_stands(visit: Visit) -> None:
    visitor = visit()
    card = compare(visitor, models=2)
    visitor.page.route(
        "**/generate-image",
        lambda route: route.fulfill(
            status=429,
            content_type="application/problem+json",
            headers={"access-control-allow-origin": "*"},
            json={
                "type": "about:blank",
                "title": "Too many",
                "status": 429,
                "code": "hourly_images",
                "detail": "Ten images an hour.",
                "charged": False,
                "retryable": False,
            },
        ),
        times=1,
    )
    button(card).click()
    said = card.get_by_text("You have made all images that an hour allows.")
    expect(said).to_be_visible(timeout=TIMEOUT_MS)
    card.get_by_role("button", name="Get a new price").click()
    expect(button(card)).to_be_visible(timeout=TIMEOUT_MS)
    assert drawn(visitor.stack) == 0
