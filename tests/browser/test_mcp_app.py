"""The view of an offer in a host that knows MCP Apps: sandboxed, without a network, and clicked."""

import json
from typing import Any

from playwright.sync_api import Browser, FrameLocator, Page, expect

from imagegen.mcp import app
from tests.browser.stage import read_fixture

LINK = "https://page.test/#prompt=A%20fox&maxCost=0.07"
HOSTILE = 'A <img src=x onerror="parent.hit=1"> fox'
QUOTE = "q1.k1.eyJhIjoxfQ.c2lnbmF0dXJl"
LABEL = "Generate Image for $0.0527"
PICTURE = (
    "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGA"
    "WjR9awAAAABJRU5ErkJggg=="
)
CSP = (
    "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; "
    "img-src data:; connect-src 'none'"
)
"""What a host gives a view that names no address (the specification's default)."""
HOST = """
<iframe sandbox="allow-scripts" style="width:100%;height:600px"></iframe>
<script>
  window.got = [];
  window.answers = ANSWERS;
  const frame = document.querySelector("iframe");
  const tell = (message) => frame.contentWindow.postMessage({ jsonrpc: "2.0", ...message }, "*");
  addEventListener("message", ({ data }) => {
    window.got.push(data);
    if (data.method === "ui/initialize")
      tell({ id: data.id, result: { hostCapabilities: CAPABILITIES, hostContext: CONTEXT } });
    if (data.method === "ui/notifications/initialized") {
      tell({ method: "ui/notifications/tool-result", params: RESULT });
      tell({ method: "ui/notifications/tool-result", params: RESULT });
    }
    if (data.method === "tools/call") {
      const answer = window.answers.shift();
      if (answer) tell({ id: data.id, result: answer });
    }
  });
</script>
"""


def estimate(**changes: Any) -> dict[str, Any]:
    known: dict[str, Any] = read_fixture("pending")["data"]["estimate"]
    return known | {
        "quote": QUOTE,
        "quotes": [QUOTE],
        "prompt": HOSTILE,
        "expiresAt": "2999-01-01T00:00:00.000Z",
        "choices": [],
        **changes,
    }


def result(*, meta: bool = True, **changes: Any) -> dict[str, Any]:
    """Return what a host passes to the view; most keep ``_meta`` from the model alone."""
    whole = estimate(**changes)
    offer = {name: whole[name] for name in ("prompt", "buttonLabel", "quality", "model")}
    offer |= {name: whole[name] for name in ("provider", "size", "blocked")}
    offer["offerUrl"] = changes.get("offerUrl", LINK)
    return {"structuredContent": offer, **({"_meta": {"imagegen/estimate": whole}} if meta else {})}


def hosted(
    browser: Browser,
    offer: dict[str, Any],
    *answers: Any,
    context: dict[str, Any] | None = None,
    **capabilities: Any,
) -> tuple[Page, FrameLocator]:
    found = app.read(app.URI)
    assert found is not None
    page = browser.new_page()
    requests: list[str] = []
    page.on("request", lambda request: requests.append(request.url))
    text = HOST
    for name, value in {
        "ANSWERS": answers,
        "RESULT": offer,
        "CAPABILITIES": capabilities,
        "CONTEXT": context or {},
    }.items():
        text = text.replace(name, json.dumps(value).replace("<", "\\u003c"))
    page.set_content(text)
    html = found["contents"][0]["text"]
    policy = f'<meta http-equiv="Content-Security-Policy" content="{CSP}">'
    framed = html.replace('<meta charset="utf-8">', f'<meta charset="utf-8">{policy}', 1)
    page.evaluate("(html) => { frame.srcdoc = html; }", framed)
    view = page.frame_locator("iframe")
    expect(view.locator("main")).to_be_visible()
    assert [url for url in requests if url.startswith("http")] == []
    return page, view


def called(page: Page, method: str = "tools/call") -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = page.evaluate(
        "(method) => got.filter((one) => one.method === method).map(({ params }) => params)", method
    )
    return found


def status(**changes: Any) -> dict[str, Any]:
    image = read_fixture("complete")["data"]["image"] | {"imageUrl": PICTURE, "charged": True}
    return {"structuredContent": image | {"status": "complete", **changes}}


CONFIRMED = {
    "structuredContent": {
        "status": "complete",
        "detail": "The image is complete. Charged: $0.05.",
        "charged": True,
        "imageUrl": PICTURE,
    }
}
TOOLS: dict[str, Any] = {"serverTools": {}}


def test_a_click_sends_one_confirmed_request_and_shows_the_picture(browser: Browser) -> None:
    page, view = hosted(browser, result(), CONFIRMED, status(), **TOOLS)
    element = view.locator("generated-image")
    expect(element).to_have_attribute("data-state", "pending")
    expect(element.locator(".prompt")).to_have_text(HOSTILE)
    assert called(page) == [], "nothing before the click"
    view.get_by_role("button", name=LABEL).dblclick()
    expect(element).to_have_attribute("data-state", "complete")
    assert element.locator(".link img").get_attribute("src") == PICTURE
    expect(element.locator(".money")).to_contain_text("$0.0527 charged")
    confirmation, look = called(page)
    assert confirmation == {
        "name": "confirm_image",
        "arguments": {"quote": QUOTE, "prompt": HOSTILE},
    }
    assert look == {"name": "image_status", "arguments": {"imageId": estimate()["imageId"]}}
    assert page.evaluate("window.hit") is None
    assert called(page, "ui/notifications/size-changed")
    page.close()


def test_the_picture_opens_and_its_details_are_with_it(browser: Browser) -> None:
    page, view = hosted(browser, result(), CONFIRMED, status(), **TOOLS)
    view.get_by_role("button", name=LABEL).click()
    element = view.locator("generated-image")
    expect(element).to_have_attribute("data-state", "complete")
    element.locator("summary").click()
    expect(element.locator("dl")).to_contain_text("Image id")
    element.locator(".link").click()
    expect(element.locator("dialog img")).to_be_visible()
    page.keyboard.press("Escape")
    shown = element.locator(".bar button").filter(visible=True)
    assert [one.strip() for one in shown.all_inner_texts()] == ["Copy link", "Copy as Markdown"]
    page.close()


def test_a_script_of_the_host_cannot_press_the_button(browser: Browser) -> None:
    page, view = hosted(browser, result(), CONFIRMED, status(), **TOOLS)
    expect(view.locator("generated-image")).to_have_attribute("data-state", "pending")
    for press in ("button.click()", "button.dispatchEvent(new MouseEvent('click'))"):
        page.frames[1].evaluate(
            "() => { const { shadowRoot } = document.querySelector('generated-image');"
            f" const button = shadowRoot.querySelector('.offer .main'); {press}; }}"
        )
    # What the frame says now comes after what it would have asked for.
    page.frames[1].evaluate("parent.postMessage({ method: 'after' }, '*')")
    page.wait_for_function("() => got.some(({ method }) => method === 'after')")
    assert called(page) == []
    page.close()


def test_a_slow_image_is_followed_until_it_is_there(browser: Browser) -> None:
    slow = {"structuredContent": {"status": "unknown", "charged": None, "detail": "Look."}}
    problem = {"status": 404, "code": "not_found", "detail": "No.", "charged": False}
    absent = {"isError": True, "content": [], "_meta": {"imagegen/problem": problem}}
    running = {"structuredContent": {"id": "x", "status": "generating", "charged": False}}
    page, view = hosted(browser, result(), slow, absent, running, status(), **TOOLS)
    view.get_by_role("button", name=LABEL).click()
    element = view.locator("generated-image")
    expect(element).to_have_attribute("data-state", "complete")
    assert [one["name"] for one in called(page)] == ["confirm_image", *["image_status"] * 3]
    page.close()


def test_a_failure_says_whether_it_is_charged_and_why(browser: Browser) -> None:
    for code, state in (("content_refused", "refused"), ("generation_failed", "error")):
        failed = {"status": "failed", "detail": "No.", "charged": False, "retryable": True}
        answer = {"structuredContent": failed | {"code": code}}
        page, view = hosted(browser, result(), answer, **TOOLS)
        view.get_by_role("button", name=LABEL).click()
        element = view.locator("generated-image")
        expect(element).to_have_attribute("data-state", state)
        expect(element.locator(".money")).to_have_text("You were not charged.")
        page.close()


def test_what_is_not_known_is_looked_at_before_anything_is_offered(browser: Browser) -> None:
    failed = {"status": "failed", "detail": "No.", "charged": None, "retryable": True}
    page, view = hosted(browser, result(), {"structuredContent": failed}, status(), **TOOLS)
    view.get_by_role("button", name=LABEL).click()
    element = view.locator("generated-image")
    expect(element).to_have_attribute("data-state", "complete")
    page.close()


def test_an_offer_of_several_is_one_click(browser: Browser) -> None:
    ids, quotes = ["a" * 8, "b" * 8], [f"{QUOTE}1", f"{QUOTE}2"]
    offer = result(quote="", quotes=quotes, imageId=ids[0], imageIds=ids)
    answers = [CONFIRMED, status(id=ids[0]), status(id=ids[1])]
    page, view = hosted(browser, offer, *answers, **TOOLS)
    view.get_by_role("button", name=LABEL).click()
    element = view.locator("generated-image")
    expect(element.locator(".grid button")).to_have_count(2)
    assert called(page)[0]["arguments"] == {"quotes": quotes, "prompt": HOSTILE}
    page.close()


def test_it_looks_as_its_host_looks(browser: Browser) -> None:
    variables = {"--color-background-primary": "rgb(1, 2, 3)"}
    context = {"theme": "dark", "locale": "de-AT", "styles": {"variables": variables}}
    page, view = hosted(browser, result(), context=context, **TOOLS)
    card = view.locator("generated-image .card")
    expect(card).to_have_css("background-color", "rgb(1, 2, 3)")
    root = view.locator("html")
    assert root.evaluate("(one) => [one.lang, one.style.colorScheme]") == ["de-AT", "dark"]
    light = {"jsonrpc": "2.0", "method": "ui/notifications/host-context-changed"}
    page.evaluate("(message) => tell(message)", light | {"params": {"theme": "light"}})
    expect(root).to_have_attribute("style", "color-scheme: light; " + "; ".join(
        f"{name}: {value}" for name, value in variables.items()
    ) + ";")  # fmt: skip
    page.close()


def opened_link(offer: dict[str, Any], browser: Browser, **capabilities: Any) -> list[str]:
    page, view = hosted(browser, offer, **capabilities)
    expect(view.locator("generated-image")).to_be_hidden()
    expect(view.locator("#prompt")).to_have_text(HOSTILE)
    view.get_by_role("button", name=LABEL).click()
    page.wait_for_function("() => got.some(({ method }) => method === 'ui/open-link')")
    links = [one["url"] for one in called(page, "ui/open-link")]
    assert called(page) == []
    page.close()
    return links


def test_where_the_host_calls_no_tools_the_button_opens_the_page(browser: Browser) -> None:
    assert opened_link(result(), browser, openLinks={}) == [LINK]


def test_where_the_host_passes_no_quote_the_button_opens_the_page(browser: Browser) -> None:
    assert opened_link(result(meta=False), browser, **TOOLS) == [LINK]


def test_without_a_link_there_is_no_button(browser: Browser) -> None:
    page, view = hosted(browser, result(meta=False, offerUrl=None))
    expect(view.get_by_role("button")).to_have_count(0)
    expect(view.locator("#made")).to_contain_text(LABEL)
    page.close()
