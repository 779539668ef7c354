"""Choices, limits before the click, and the guard: all of them ask for prices, none spends."""

from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser.stage import Gallery, OpenGallery, calls, read_fixture, settle, state

CHOICES = ".choices button"
FRESH = {"expiresAt": "2026-11-22T23:59:00.000Z"}


@pytest.fixture
def gallery(open_gallery: OpenGallery) -> Gallery:
    return open_gallery()


def names(gallery: Gallery) -> list[str]:
    return [one[0] for one in calls(gallery)]


def cheap_estimate() -> dict[str, Any]:
    known: dict[str, Any] = read_fixture("pending")["data"]["estimate"]
    first, cheapest, best = known["choices"]
    return (
        known
        | FRESH
        | {
            "quote": "q1.k1.cheap.cheap",
            "imageId": "c" * 64,
            "price": cheapest["price"],
            "buttonLabel": "Generate Image for $0.001",
            "choices": [cheapest | {"labels": ["chosen", "cheapest"]}, first, best],
            "request": known["request"] | cheapest["request"],
        }
    )


def test_a_choice_asks_for_its_price_and_the_button_then_sends_its_quote(gallery: Gallery) -> None:
    gallery.show("pending")
    buttons = gallery.element.locator(CHOICES)
    assert buttons.count() == 3
    assert [one.get_attribute("aria-pressed") for one in buttons.all()] == [
        "true",
        "false",
        "false",
    ]
    gallery.element.get_by_role("button", name="Use this: Cheapest, fastest").click()
    request = calls(gallery)[0][1]
    known = read_fixture("pending")["data"]
    chosen = {"quality": "fast", "model": "replicate-fast-klein"}
    assert request == {"prompt": known["prompt"], **known["estimate"]["request"], **chosen}
    settle(gallery, "(estimate) => client.resolve('estimate', estimate)", cheap_estimate())
    assert names(gallery) == ["estimate"]
    gallery.element.get_by_role("button", name="Generate Image for $0.001").click()
    assert names(gallery) == ["estimate", "generate"]
    assert calls(gallery)[1][1] == "q1.k1.cheap.cheap"


@pytest.mark.parametrize(
    ("name", "button"), [("pending", "Use this: Cheapest"), ("error", "Get a new price")]
)
def test_a_new_price_is_for_all_that_was_requested(
    gallery: Gallery, name: str, button: str
) -> None:
    wishes = {
        "size": "landscape",
        "count": 2,
        "maxCost": "0.500000",
        "format": "png",
        "background": "transparent",
        "seed": 0,
        "inputs": [{"image": "a" * 64, "role": "edit"}],
        "mask": {"upload": "b" * 32},
    }
    fixture = read_fixture(name)
    fixture["data"]["estimate"]["request"] = wishes
    gallery.show(fixture)
    gallery.element.get_by_role("button", name=button).click()
    assert wishes.items() <= calls(gallery)[0][1].items()


def test_while_a_choice_is_priced_the_dearer_offer_cannot_be_confirmed(gallery: Gallery) -> None:
    gallery.show("pending")
    gallery.element.locator(CHOICES).nth(1).click()
    approve = gallery.element.locator(".offer .main")
    assert approve.get_attribute("aria-disabled") == "true"
    gallery.evaluate("(element) => element.shadowRoot.querySelector('.offer .main').click()")
    assert names(gallery) == ["estimate"]


def test_a_choice_whose_price_cannot_be_had_leaves_the_offer(gallery: Gallery) -> None:
    gallery.show("pending")
    gallery.element.locator(CHOICES).nth(2).click()
    problem = read_fixture("error")["data"]["problem"]
    settle(gallery, "(problem) => client.reject('estimate', problem)", problem)
    assert state(gallery) == "pending"
    gallery.element.get_by_role("button", name="Generate Image for $0.0527").click()
    assert names(gallery) == ["estimate", "generate"]


def test_what_is_chosen_already_asks_for_nothing(gallery: Gallery) -> None:
    gallery.show("pending")
    gallery.element.locator(CHOICES).first.click()
    assert calls(gallery) == []


def test_a_choice_stays_chosen_when_its_price_expires(gallery: Gallery) -> None:
    gallery.show("pending")
    gallery.element.locator(CHOICES).nth(1).click()
    late = cheap_estimate() | {"expiresAt": "2026-11-22T10:00:01.000Z"}
    settle(gallery, "(estimate) => client.resolve('estimate', estimate)", late)
    assert state(gallery) == "expired"
    gallery.element.get_by_role("button", name="Get a new price").click()
    absent = {"status": 404, "code": "not_found", "detail": "No such image.", "charged": False}
    settle(gallery, "(problem) => client.reject('status', problem)", absent)
    gallery.until("client.calls.length === 3")
    assert calls(gallery)[2][1]["model"] == "replicate-fast-klein"


def test_a_host_can_price_a_choice_itself(gallery: Gallery) -> None:
    gallery.show("pending")
    gallery.page.evaluate(
        """() => document.addEventListener("image-retry", (event) => {
          event.preventDefault(); window.wanted = event.detail.request; })"""
    )
    gallery.element.locator(CHOICES).nth(1).click()
    assert gallery.page.evaluate("wanted.model") == "replicate-fast-klein"
    assert calls(gallery) == []


def test_choices_are_reached_and_pressed_with_the_keyboard(gallery: Gallery) -> None:
    gallery.show("pending")
    gallery.element.locator(CHOICES).first.focus()
    gallery.page.keyboard.press("Tab")
    gallery.page.keyboard.press("Enter")
    assert calls(gallery)[0][1]["model"] == "replicate-fast-klein"


@pytest.mark.parametrize("name", ["limited-offer", "limited-offer-budget", "limited-offer-person"])
def test_an_offer_that_a_limit_would_refuse_has_no_button(gallery: Gallery, name: str) -> None:
    assert gallery.show(name) == "limited"
    assert not gallery.element.locator(".offer .main").is_visible()
    gallery.evaluate("(element) => element.shadowRoot.querySelector('.offer .main').click()")
    assert calls(gallery) == []
    assert "charged" not in gallery.text


def test_a_cheaper_choice_is_offered_where_money_is_the_limit(gallery: Gallery) -> None:
    gallery.show("limited-offer-budget")
    gallery.element.locator(CHOICES).nth(1).click()
    settle(gallery, "(estimate) => client.resolve('estimate', estimate)", cheap_estimate())
    assert state(gallery) == "pending"
    expect(gallery.element.get_by_role("button", name="Generate Image for $0.001")).to_be_visible()
    assert names(gallery) == ["estimate"]


def test_the_offer_comes_back_by_itself_when_the_limit_opens_and_spends_nothing(
    gallery: Gallery,
) -> None:
    gallery.show("limited-offer", ticking=True)
    gallery.page.clock.run_for(1_499_000)
    assert calls(gallery) == []
    gallery.page.clock.run_for(2_000)
    assert names(gallery) == ["estimate"]
    fresh = read_fixture("pending")["data"]["estimate"] | FRESH
    settle(gallery, "(estimate) => client.resolve('estimate', estimate)", fresh)
    assert state(gallery) == "pending"
    gallery.page.clock.run_for(60_000)
    assert names(gallery) == ["estimate"]


def test_a_limit_that_is_still_there_is_asked_about_once(gallery: Gallery) -> None:
    gallery.show("limited-offer", ticking=True)
    gallery.page.clock.run_for(1_501_000)
    again = read_fixture("limited-offer")["data"]["estimate"]
    settle(gallery, "(estimate) => client.resolve('estimate', estimate)", again)
    assert state(gallery) == "limited"
    gallery.page.clock.run_for(600_000)
    assert names(gallery) == ["estimate"]
    expect(gallery.element.get_by_role("button", name="Get a new price")).to_be_visible()


def test_an_old_offer_whose_limit_has_opened_since_asks_for_nothing_by_itself(
    gallery: Gallery,
) -> None:
    known = read_fixture("limited-offer") | {"now": "2026-11-22T12:00:00.000Z"}
    gallery.show(known, ticking=True)
    gallery.page.clock.run_for(600_000)
    assert calls(gallery) == []
    assert "It is open again." in gallery.text
    gallery.element.get_by_role("button", name="Get a new price").click()
    assert names(gallery) == ["estimate"]


def test_a_double_click_on_a_new_price_confirms_nothing(gallery: Gallery) -> None:
    gallery.show("error", ticking=True)
    gallery.element.get_by_role("button", name="Get a new price").click()
    estimate = read_fixture("pending")["data"]["estimate"]
    settle(gallery, "(estimate) => client.resolve('estimate', estimate)", estimate)
    point(gallery)
    gallery.page.clock.run_for(599)
    point(gallery)
    assert names(gallery) == ["estimate"]
    gallery.page.clock.run_for(2)
    point(gallery)
    assert names(gallery) == ["estimate", "generate"]


def point(gallery: Gallery) -> None:
    """Click where the button with the price is, whether it takes the click or not."""
    box = gallery.element.locator(".offer .main").bounding_box()
    gallery.page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)


def test_the_keyboard_need_not_wait_for_a_new_price(gallery: Gallery) -> None:
    gallery.show("declined", ticking=True)
    gallery.element.get_by_role("button", name="Undo").click()
    gallery.element.locator(".offer .main").focus()
    gallery.page.keyboard.press("Enter")
    assert names(gallery) == ["generate"]


def test_a_price_that_a_host_replaces_under_the_pointer_is_not_confirmed(gallery: Gallery) -> None:
    gallery.show("pending", ticking=True)
    other = read_fixture("pending-range")["data"]
    gallery.evaluate("(element, data) => { element.data = data; }", other)
    point(gallery)
    assert calls(gallery) == []
    gallery.page.clock.run_for(601)
    point(gallery)
    assert names(gallery) == ["generate"]


def test_buttons_are_no_text_to_select(gallery: Gallery) -> None:
    gallery.show("pending")
    found = gallery.evaluate(
        """(element) => [...element.shadowRoot.querySelectorAll("button")]
          .map((one) => getComputedStyle(one).userSelect)"""
    )
    assert set(found) == {"none"}


@pytest.mark.parametrize(
    ("micro", "text"),
    [
        (52_700, "$0.0527"), (13_200, "$0.0132"), (40_000, "$0.04"), (15_401, "$0.0155"),
        (15_500, "$0.0155"), (1, "$0.000001"), (99, "$0.000099"), (100, "$0.0001"),
        (101, "$0.0002"), (1_000_001, "$1.0001"), (10_000_000, "$10.00"), (0, "$0.00"),
        (73_401, "$0.0735"),
    ],
)  # fmt: skip
def test_money_is_rounded_as_on_the_button(gallery: Gallery, micro: int, text: str) -> None:
    from imagegen.domain.money import label_text  # noqa: PLC0415

    found = gallery.page.evaluate(
        "(micro) => import('/format.js').then(({ moneyText }) => moneyText(micro))", micro
    )
    assert found == text == label_text(micro)
