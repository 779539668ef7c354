"""The view of an offer in a host that knows MCP Apps: sandboxed, without a network, and clicked."""

import json
from typing import Any

from playwright.sync_api import Browser, Page, expect

from imagegen.mcp import app

OFFER = {
    "prompt": 'A <img src=x onerror="parent.hit=1"> fox',
    "buttonLabel": "Generate Image for $0.05 (at most $0.07)",
    "offerUrl": "https://page.test/#prompt=A%20fox&maxCost=0.07",
    "quality": "standard",
    "model": "m",
    "provider": "p",
    "size": "1024x1024",
}
HOST = """
<iframe sandbox="allow-scripts" style="width:100%;height:300px"></iframe>
<script>
  window.got = [];
  const frame = document.querySelector("iframe");
  addEventListener("message", ({ data }) => {
    window.got.push(data);
    if (data.method === "ui/initialize")
      frame.contentWindow.postMessage({ jsonrpc: "2.0", id: data.id, result: {} }, "*");
    if (data.method === "ui/notifications/initialized")
      frame.contentWindow.postMessage({
        jsonrpc: "2.0", method: "ui/notifications/tool-result",
        params: { structuredContent: OFFER },
      }, "*");
  });
</script>
"""


def hosted(browser: Browser, offer: dict[str, Any]) -> Page:
    found = app.read(app.URI)
    assert found is not None
    page = browser.new_page()
    requests: list[str] = []
    page.on("request", lambda request: requests.append(request.url))
    page.set_content(HOST.replace("OFFER", json.dumps(offer).replace("<", "\\u003c")))
    page.evaluate("(html) => { frame.srcdoc = html; }", found["contents"][0]["text"])
    expect(page.frame_locator("iframe").locator("main")).to_be_visible()
    assert [url for url in requests if url.startswith("http")] == []
    return page


def test_the_view_shows_the_offer_and_its_button_opens_the_page(browser: Browser) -> None:
    page = hosted(browser, OFFER)
    view = page.frame_locator("iframe")
    expect(view.locator("#prompt")).to_have_text(OFFER["prompt"])
    button = view.get_by_role("button", name=OFFER["buttonLabel"])
    button.click()
    page.wait_for_function("got.some(({ method }) => method === 'ui/open-link')")
    opened = page.evaluate("got.filter(({ method }) => method === 'ui/open-link')")
    assert [one["params"]["url"] for one in opened] == [OFFER["offerUrl"]]
    assert page.evaluate("window.hit") is None
    methods = {one.get("method") for one in page.evaluate("got")}
    assert "tools/call" not in methods
    assert "ui/notifications/size-changed" in methods
    page.close()


QUOTE = "q1.k1.eyJhIjoxfQ.c2lnbmF0dXJl"
PICTURE = (
    "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGA"
    "WjR9awAAAABJRU5ErkJggg=="
)
COMPLETE = {
    "structuredContent": {
        "status": "complete",
        "detail": "The image is complete. Charged: $0.05.",
        "charged": True,
        "imageUrl": PICTURE,
    }
}
CONFIRMING = """
<iframe sandbox="allow-scripts" style="width:100%;height:300px"></iframe>
<script>
  window.got = [];
  window.answers = ANSWERS;
  const frame = document.querySelector("iframe");
  const tell = (message) => frame.contentWindow.postMessage({ jsonrpc: "2.0", ...message }, "*");
  const offer = { structuredContent: OFFER, _meta: { "imagegen/estimate": { quote: QUOTE } } };
  addEventListener("message", ({ data }) => {
    window.got.push(data);
    if (data.method === "ui/initialize")
      tell({ id: data.id, result: { hostCapabilities: CAPABILITIES } });
    if (data.method === "ui/notifications/initialized") {
      tell({ method: "ui/notifications/tool-result", params: offer });
      tell({ method: "ui/notifications/tool-result", params: offer });
    }
    if (data.method === "tools/call") {
      const answer = window.answers.shift();
      if (answer) tell({ id: data.id, result: answer });
    }
  });
</script>
"""


def confirming(browser: Browser, *answers: Any, **capabilities: Any) -> Page:
    found = app.read(app.URI)
    assert found is not None
    page = browser.new_page()
    text = CONFIRMING
    for name, value in {
        "ANSWERS": answers,
        "OFFER": {**OFFER, "imageId": "an-image"},
        "QUOTE": QUOTE,
        "CAPABILITIES": capabilities,
    }.items():
        text = text.replace(name, json.dumps(value).replace("<", "\\u003c"))
    page.set_content(text)
    page.evaluate("(html) => { frame.srcdoc = html; }", found["contents"][0]["text"])
    expect(page.frame_locator("iframe").locator("main")).to_be_visible()
    return page


def called(page: Page) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = page.evaluate(
        "got.filter(({ method }) => method === 'tools/call').map(({ params }) => params)"
    )
    return found


def test_a_click_sends_one_confirmed_request_and_shows_the_picture(browser: Browser) -> None:
    page = confirming(browser, COMPLETE, serverTools={})
    view = page.frame_locator("iframe")
    assert called(page) == [], "nothing before the click"
    view.get_by_role("button").dblclick()
    picture = view.get_by_role("img", name=OFFER["prompt"])
    expect(picture).to_be_visible()
    assert picture.get_attribute("src") == PICTURE
    expect(view.get_by_role("status")).to_have_text("The image is complete. Charged: $0.05.")
    expect(view.get_by_role("button")).to_have_count(0)
    expected = {
        "name": "confirm_image",
        "arguments": {"quote": QUOTE, "prompt": OFFER["prompt"]},
    }
    assert called(page) == [expected]
    page.close()


def test_a_script_of_the_host_cannot_press_the_button(browser: Browser) -> None:
    page = confirming(browser, COMPLETE, serverTools={})
    page.frames[1].evaluate("document.getElementById('open').click()")
    page.frames[1].evaluate(
        "document.getElementById('open').dispatchEvent(new MouseEvent('click'))"
    )
    assert called(page) == []
    page.close()


def test_a_slow_image_is_followed_until_it_is_there(browser: Browser) -> None:
    slow = {"structuredContent": {"status": "unknown", "charged": None, "detail": "Look."}}
    absent = {"isError": True, "content": []}
    ready = {
        "structuredContent": {
            "status": "complete",
            "charged": True,
            "imageUrl": PICTURE,
            "cost": {"charged": "0.050000"},
        }
    }
    page = confirming(browser, slow, absent, ready, serverTools={})
    view = page.frame_locator("iframe")
    view.get_by_role("button").click()
    expect(view.get_by_role("img")).to_be_visible(timeout=15_000)
    expect(view.get_by_role("status")).to_have_text("The image is complete. Charged: $0.05.")
    assert [one["name"] for one in called(page)] == [
        "confirm_image",
        "image_status",
        "image_status",
    ]
    page.close()


def test_a_failure_is_told_and_can_be_tried_again_only_where_nothing_is_charged(
    browser: Browser,
) -> None:
    for charged, enabled in ((False, True), (None, False), (True, False)):
        failed = {"status": "failed", "detail": "No.", "charged": charged, "retryable": True}
        page = confirming(browser, {"structuredContent": failed}, serverTools={})
        view = page.frame_locator("iframe")
        view.get_by_role("button").click()
        expect(view.get_by_role("status")).to_have_text("No.")
        expect(view.get_by_role("button")).to_be_enabled(enabled=enabled)
        page.close()


def test_where_the_host_calls_no_tools_the_button_opens_the_page(browser: Browser) -> None:
    page = confirming(browser, openLinks={})
    page.frame_locator("iframe").get_by_role("button").click()
    page.wait_for_function("got.some(({ method }) => method === 'ui/open-link')")
    assert called(page) == []
    page.close()


def test_without_a_link_there_is_no_button(browser: Browser) -> None:
    page = hosted(browser, {**OFFER, "offerUrl": None})
    view = page.frame_locator("iframe")
    expect(view.get_by_role("button")).to_have_count(0)
    expect(view.locator("#made")).to_contain_text(OFFER["buttonLabel"])
    page.close()
