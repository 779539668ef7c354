"""Whatever a prompt or a host page holds, the elements stay text, stay themselves, stay at home."""

from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.stage import IMAGES, Gallery, OpenGallery, answer_images, read_fixture, serving

RTL, POP, LRI, ZERO = "\u202e", "\u202c", "\u2066", "\u200b"
MARKUP = [
    "<script>window.pwned = 1</script>", "<img src=x onerror=window.pwned=1>",
    "<svg onload=window.pwned=1>",
    '"><iframe src=javascript:window.pwned=1>',
    "<a href='javascript:window.pwned=1'>x</a>", "<style>*{display:none}</style>",
    "</textarea><script>window.pwned=1</script>", "</template><b>x</b>", "<!-- --><!--",
    "<math><mtext></p><style><!--</style><img title='--></style><img src onerror=pwned=1>'>",
    "&lt;b&gt;", "&#60;script&#62;", "<b onmouseover=window.pwned=1>hover</b>",
    "<base href=//evil>",
    "<meta http-equiv=refresh content=0;url=//evil>",
    "<form action=//evil><button>x</button></form>",
    "<slot name=x></slot>", "<generated-image data='{}'></generated-image>",
]  # fmt: skip
MARKDOWN = [
    "](javascript:alert(1))", "![x](https://evil.example/x.png)", "](x) ![y](https://evil.example)",
    "[a](b) **c** _d_ `e`", "``` \ncode\n```", "a\n\n# heading", "a\n> quote",
    "| a | b |\n|---|---|",
    "\\](x)", "\\\\](x)", "<https://evil.example>", "[ref]: https://evil.example", "$x^2$", "~~x~~",
    "a](<b>)", "![", "]", "](", "()", "a\r\n\r\nb",
]  # fmt: skip
BIDI = [
    f"abc{RTL}gnp.exe{POP}", f"{RTL}" * 40, f"{LRI}never closed", f"a{ZERO}b{ZERO}c", "שלום עולם",
    "مرحبا بالعالم", "\u0000\u0001\u0007", "👩‍👩‍👧‍👦🏳️‍🌈" * 5, "Z͑ͫ̓ͪ̂ͫ̽͏̴̙̤̞͉͚̯̞̠͍A̴̵̜̰͔ͫ͗͢", "w" * 3000,
    "constructor", "{{constructor.constructor('window.pwned=1')()}}",
]  # fmt: skip
HOSTILE = MARKUP + MARKDOWN + BIDI
ESCAPED = """async ([prompt, url]) => {
  const { markdownText } = await import("/picture-acts.js");
  return markdownText(prompt, url);
}"""


@pytest.fixture(scope="module")
def gallery(shared_gallery: OpenGallery) -> Gallery:
    return shared_gallery(width=360)


def test_there_are_fifty_of_them() -> None:
    assert len(set(HOSTILE)) == len(HOSTILE) == 50


@pytest.mark.parametrize("at", range(len(HOSTILE)))
def test_a_hostile_prompt_is_text_everywhere(gallery: Gallery, at: int) -> None:
    prompt = HOSTILE[at]
    for name in ("pending", "fallback", "refused"):
        known = read_fixture(name)
        data: dict[str, Any] = known["data"]
        data["prompt"] = data["estimate"]["prompt"] = data["estimate"]["style"] = prompt
        data["estimate"]["qualityReason"] = data["estimate"]["model"] = prompt
        data["estimate"]["provider"] = prompt
        if "image" in data:
            data["image"] |= {"alt": prompt, "style": prompt, "model": prompt, "provider": prompt}
            data["image"]["fallback"] |= {"model": prompt, "reason": prompt}
        if "problem" in data:
            data["problem"]["detail"] = prompt
        gallery.show(known)
        gallery.evaluate(
            "(element) => { element.shadowRoot.querySelector('details').open = true; }"
        )
        shown = gallery.evaluate("(e) => e.shadowRoot.querySelector('.prompt').textContent")
        assert shown == prompt
        odd = gallery.evaluate(
            """(element) => [...element.shadowRoot.querySelectorAll("*")]
              .filter((one) => !one.matches("slot[name=actions], slot[name=offer], .bar svg"))
              .map((one) => one.localName)
              .filter((name) => /script|iframe|svg|math|style|base|meta|slot/.test(name))"""
        )
        assert odd == []
        assert not gallery.page.evaluate(
            "document.documentElement.scrollWidth > document.documentElement.clientWidth"
        )
    assert gallery.page.evaluate("window.pwned") is None
    assert gallery.page.evaluate("violations") == []
    assert gallery.errors == []


@pytest.mark.parametrize("prompt", HOSTILE)
def test_no_prompt_breaks_out_of_the_markdown(gallery: Gallery, prompt: str) -> None:
    text = gallery.page.evaluate(ESCAPED, [prompt, f"{IMAGES}/images/a(b)<c> d"])
    assert "\n" not in text
    assert "\r" not in text
    body, _, address = text.rpartition("](")
    assert address == f"{IMAGES}/images/a%28b%29%3cc%3e%20d)"
    bare = body.removeprefix("![").replace("\\\\", "")
    for mark in "[]()<>`*_!":
        assert bare.count(mark) == bare.count("\\" + mark), mark


@pytest.mark.parametrize(
    "address",
    ["javascript:window.pwned=1", "data:text/html,<script>1</script>", "vbscript:x", "//"],
)
def test_an_address_that_is_none_leads_nowhere(gallery: Gallery, address: str) -> None:
    known = read_fixture("complete")
    known["data"]["image"]["imageUrl"] = address
    gallery.show(known)
    assert not gallery.element.locator(".link").get_attribute("href")


def test_nothing_is_asked_of_a_third_party(open_gallery: OpenGallery, static_url: str) -> None:
    gallery = open_gallery()
    for name in ("pending", "generating", "complete", "fallback", "error"):
        gallery.show(name)
    outside = [url for url in gallery.requests if not url.startswith((static_url, IMAGES, "data:"))]
    assert outside == []
    assert gallery.page.evaluate("violations") == []


class StrangersPage(BaseHTTPRequestHandler):
    """A stranger's page."""

    html = ""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.end_headers()
        self.wfile.write(self.html.encode())

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def stranger(browser: Browser, static_url: str) -> Iterator[Any]:
    """Open HTML of another origin, which includes the elements from ours."""
    context = browser.new_context(viewport={"width": 800, "height": 900}, locale="en-US")
    closing = []

    def opened(html: str) -> Page:
        handler = type("Served", (StrangersPage,), {"html": html.replace("{page}", static_url)})
        block = serving(handler)
        url = block.__enter__()
        closing.append(block)
        page = context.new_page()
        page.route(f"{IMAGES}/**", answer_images)
        page.goto(url)
        return page

    yield opened
    context.close()
    for block in closing:
        block.__exit__(None, None, None)


def test_one_script_tag_and_one_attribute_are_enough(stranger: Any) -> None:
    data = (
        '{"id":"a","prompt":"A lamp","status":"complete","image":{"id":"a","status":"complete",'
        f'"imageUrl":"{IMAGES}/images/a","alt":"A lamp","size":"1024x1024"}}}}'
    )
    page = stranger(
        '<!doctype html><title>x</title><script type="module" src="{page}/elements.js"></script>'
        f"<generated-image data='{data}'></generated-image>"
    )
    picture = page.locator("generated-image img[alt='A lamp']")
    picture.wait_for()
    assert page.locator("generated-image").get_attribute("data-state") == "complete"


HOSTILE_CSS = """<!doctype html><title>x</title><style>
  html { font-size: 4px; letter-spacing: 1em; }
  * { color: red !important; font: italic 40px fantasy !important; line-height: 3 !important;
      text-transform: uppercase !important; text-align: right !important; }
  button, p, img, details, dialog, ul, div { display: none !important; }
  .card, .root { background: lime !important; transform: rotate(9deg); }
</style><script type="module" src="{page}/elements.js"></script>
<generated-image></generated-image>"""


def test_a_hostile_style_sheet_does_not_reach_inside(stranger: Any) -> None:
    page = stranger(HOSTILE_CSS)
    page.wait_for_function("() => customElements.get('generated-image') !== undefined")
    known = read_fixture("fallback")
    page.evaluate(
        "(data) => { document.querySelector('generated-image').data = data; }", known["data"]
    )
    expect(page.get_by_role("button", name="Copy link")).to_be_visible()
    found = page.evaluate(
        """() => { const shadow = document.querySelector("generated-image").shadowRoot;
          const of = (name) => getComputedStyle(shadow.querySelector(name));
          const card = of(".card"), copy = of(".bar button");
          return { size: card.fontSize, style: card.fontStyle, colour: card.color,
            space: card.letterSpacing, transform: card.textTransform, align: card.textAlign,
            display: copy.display, turn: card.transform }; }"""
    )
    assert found == {
        "size": "14px", "style": "normal", "colour": "rgb(24, 24, 27)", "space": "normal",
        "transform": "none", "align": "start", "display": found["display"], "turn": "none",
    }  # fmt: skip
    assert found["display"] != "none"
