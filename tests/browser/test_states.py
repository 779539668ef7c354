"""Fifteen states, two themes, three widths: what is shown, that it fits, that anyone can use it."""

from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe

from imagegen.providers import PROVIDERS
from tests.browser.stage import ALL_STATES, SCREENS, STATES, OpenGallery, read_fixture

WIDTHS, THEMES = (360, 768, 1280), ("light", "dark")
TEXTS = {
    "pending": [
        "Generate Image for $0.0527",
        "Not now",
        "You pay at most $0.0527 once, and only for an image you get.",
        "about 40 s",
        "Cheapest, fastest",
        "$0.0735 · 20 s",
    ],
    "pending-range": [
        "Generate Image for $0.0336",
        "usually $0.0132 · about 24 s",
        "You pay at most $0.0336 once",
    ],
    "pending-set": [
        "Generate 4 Images for $0.1344",
        "usually $0.0528",
        "You pay at most $0.1344 once, and only for the images you get.",
    ],
    "complete-set": [
        "$0.0396 charged for 3 of 4 images.",
        "The others were not made and not charged",
        "Not made",
    ],
    "pending-unknown": ["Price unavailable", "Get a new price", "Asking for one is free"],
    "expired": [
        "This price has expired",
        "An offer that is not confirmed costs nothing.",
        "Get a new price",
    ],
    "starting": ["Starting", "Stop waiting"],
    "generating": ["Generating", "12 s · usually 40 s", "Stop waiting"],
    "preview": ["Preview", "24 s · usually 40 s"],
    "slow": ["Still working", "1 min 35 s · usually 40 s", "Stop waiting"],
    "complete": ["$0.0527 charged, as quoted.", "Copy link", "Copy as Markdown", "Download"],
    "complete-status": ["$0.0527 charged", "Replicate"],
    "fallback": [
        "Fallback",
        "Asked OpenAI gpt-image-2.5-flare, got Together AI FLUX.2-dev: over its rate limit.",
        "$0.0154 charged, $0.0022 more than the first choice.",
    ],
    "gone": ["The image file is gone", "made and charged, and deleted since", "Get a new price"],
    "error": [
        "No image was made",
        "did not answer as they should. Try again",
        "You were not charged.",
    ],
    "error-unknown": [
        "Not known yet",
        "The service does not accept your sign-in. Sign in again.",
        "You pay only if it was, at most $0.0527.",
        "Check again",
    ],
    "error-charged": ["The image cannot be shown now", "It was charged.", "Check again"],
    "error-status": ["No image was made", "take another model", "You were not charged."],
    "refused": ["This prompt was refused", "You were not charged.", "Get a price"],
    "limited": ["Limit reached", "Opens again at 10:25", "in 25 min", "You were not charged."],
    "limited-offer": [
        "Limit reached",
        "all images that an hour",
        "Opens again at 10:25",
        "in 25 min",
    ],
    "limited-offer-budget": [
        "This would go above your budget of the day.",
        "Opens again at 12:00",
        "Cheapest, fastest",
        "An offer that is not confirmed costs nothing.",
    ],
    "limited-offer-person": ["Not available for you", "has switched image generation off"],
    "limited-budget": ["Limit reached", "budget of the day", "Opens again at 12:00", "in 14 h"],
    "cancelled": [
        "You stopped waiting",
        "If the image is still made, it costs at most $0.0527 and appears here.",
    ],
    "cancelled-settled": ["You stopped waiting", "No image was made.", "You were not charged."],
    "declined": ["Declined. An offer that is not confirmed costs nothing.", "Undo"],
}
BUTTONS = {
    "offer": ["approve", "decline"],
    "wait": ["cancel"],
    "done": ["copy", "grab", "download", "info"],
    "redo": ["retry"],
    "shut": [],
    "undo": ["undo"],
    "edit": [],
    "none": [],
}
VISIBLE = "(one) => one.checkVisibility({ visibilityProperty: true })"
BOXES = f"""(element) => [...element.shadowRoot.querySelectorAll("button, summary, a, textarea")]
  .filter({VISIBLE})
  .map((one) => [one.className, one.getBoundingClientRect()])
  .map(([name, box]) => [name, box.width, box.height])"""
WIDER = "document.documentElement.scrollWidth > document.documentElement.clientWidth"
SLOPES = f"""(element) => [...element.shadowRoot.querySelectorAll("*")].filter({VISIBLE})
  .filter((one) => one.scrollWidth > one.clientWidth + 1)
  .filter((one) => getComputedStyle(one).display !== "inline")
  .map((one) => one.className).filter((name) => !/sr|prompt/.test(name))"""


def test_every_fixture_has_its_words() -> None:
    assert set(TEXTS) == set(ALL_STATES)


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("name", STATES)
def test_a_state_is_shown_whole_in_every_width_and_theme(
    shared_gallery: OpenGallery, name: str, width: int, theme: str
) -> None:
    gallery = shared_gallery(width=width, theme=theme)
    assert gallery.show(name) == name
    SCREENS.mkdir(parents=True, exist_ok=True)
    gallery.page.screenshot(path=SCREENS / f"{name}-{width}-{theme}.png", full_page=True)
    shown = gallery.text
    assert [text for text in TEXTS[name] if text not in shown] == []
    assert not gallery.page.evaluate(WIDER)
    assert gallery.evaluate(SLOPES) == []
    assert [box for box in gallery.evaluate(BOXES) if min(box[1:]) < 24] == []
    assert gallery.errors == []


@pytest.mark.parametrize("name", ALL_STATES)
def test_a_fixture_says_its_words_and_offers_its_buttons(
    shared_gallery: OpenGallery, name: str
) -> None:
    gallery = shared_gallery()
    assert gallery.show(name) == read_fixture(name)["state"]
    shown = gallery.text
    assert [text for text in TEXTS[name] if text not in shown] == []
    found = gallery.evaluate(
        f"""(element) => [element.dataset.show,
          [...element.shadowRoot.querySelectorAll(":is(.actions, .bar, .wait) button")]
            .filter((one) => !one.closest(".choices"))
            .filter({VISIBLE})
            .map((one) => one.textContent)]"""
    )
    group, texts = found
    assert len(texts) == len(BUTTONS[group])


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("name", ALL_STATES)
def test_axe_finds_nothing(shared_gallery: OpenGallery, name: str, theme: str) -> None:
    gallery = shared_gallery(theme=theme)
    gallery.show(name)
    gallery.evaluate("(element) => { element.shadowRoot.querySelector('details').open = true; }")
    gallery.until("document.querySelector('#subject').shadowRoot.querySelector('dd')")
    found: Any = Axe().run(gallery.page)
    assert found.response["violations"] == [], found.generate_report()


@pytest.mark.parametrize("name", STATES)
def test_a_narrow_page_at_double_size_does_not_scroll_sideways(
    shared_gallery: OpenGallery, name: str
) -> None:
    # 360 px of a screen at 200 % are 180 px of the page.
    gallery = shared_gallery(width=180)
    gallery.show(name)
    assert not gallery.page.evaluate(WIDER)


@pytest.mark.parametrize("name", ["starting", "generating", "slow"])
def test_what_moves_stands_still_where_less_motion_is_wanted(
    open_gallery: OpenGallery, name: str
) -> None:
    still, lively = open_gallery(reduced_motion="reduce"), open_gallery()
    count = """document.querySelector("#subject").shadowRoot.getAnimations({ subtree: true })
      .concat(document.getAnimations()).length"""
    for gallery in (still, lively):
        gallery.show(name)
    assert still.page.evaluate(count) == 0
    assert lively.page.evaluate(count) > 0


@pytest.mark.parametrize("name", STATES)
def test_forced_colours_leave_every_control_visible(shared_gallery: OpenGallery, name: str) -> None:
    gallery = shared_gallery(forced_colors="active")
    gallery.show(name)
    faint = gallery.evaluate(
        f"""(element) => [...element.shadowRoot.querySelectorAll("button, textarea, .badge")]
          .filter({VISIBLE})
          .filter((one) => {{
            const {{ borderTopColor: edge, borderTopStyle: style }} = getComputedStyle(one);
            const card = getComputedStyle(element.shadowRoot.querySelector(".card"));
            return style === "none" || edge === card.backgroundColor;
          }}).map((one) => one.className)"""
    )
    assert faint == []


def luminance(colour: list[int]) -> float:
    def linear(part: float) -> float:
        return part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4

    red, green, blue = (linear(part / 255) for part in colour[:3])
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: list[int], other: list[int]) -> float:
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


COLOURS = """(element, pairs) => {
  const card = element.shadowRoot.querySelector(".card");
  const context = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const rgb = (value) => {
    const probe = card.appendChild(document.createElement("i"));
    probe.style.color = value;
    context.fillStyle = getComputedStyle(probe).color;
    probe.remove();
    context.fillRect(0, 0, 1, 1);
    return [...context.getImageData(0, 0, 1, 1).data];
  };
  return pairs.map(([front, back]) => [rgb(front), rgb(back)]);
}"""
TEXT = [
    ("--text", "--bg"), ("--text", "--bg2"), ("--soft", "--bg"), ("--soft", "--bg2"),
    ("--soft", "--bad-bg"), ("--soft", "--warn-bg"), ("--bad", "--bad-bg"), ("--bad", "--bg"),
    ("--warn", "--warn-bg"), ("--on-solid", "--solid"), ("--soft", "--bg3"), ("--text", "--bg3"),
]  # fmt: skip
CONTROLS = [("--edge", "--bg"), ("--solid", "--bg"), ("--ring", "--bg")]


@pytest.mark.parametrize("theme", THEMES)
def test_the_colours_have_enough_contrast(shared_gallery: OpenGallery, theme: str) -> None:
    gallery = shared_gallery(theme=theme)
    gallery.show("pending")
    for pairs, least in ((TEXT, 4.5), (CONTROLS, 3.0)):
        named = [[f"var({front})", f"var({back})"] for front, back in pairs]
        found = gallery.evaluate(COLOURS, named)
        low = [(p, contrast(*c)) for p, c in zip(pairs, found, strict=True) if contrast(*c) < least]
        assert low == []


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("provider", [*PROVIDERS, "nobody"])
def test_a_provider_is_named_on_a_badge_that_can_be_read(
    shared_gallery: OpenGallery, provider: str, theme: str
) -> None:
    known = read_fixture("pending")
    known["data"]["estimate"]["provider"] = provider
    gallery = shared_gallery(theme=theme)
    gallery.show(known)
    badge = gallery.element.locator(".chips .badge").first
    assert badge.inner_text().strip()
    found = gallery.evaluate(
        """(element) => {
          const style = getComputedStyle(element.shadowRoot.querySelector(".badge"));
          return [style.color, style.backgroundColor];
        }"""
    )
    front, back = gallery.evaluate(COLOURS, [found])[0]
    assert contrast(front, back) >= 4.5
