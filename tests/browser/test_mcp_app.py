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


def test_without_a_link_there_is_no_button(browser: Browser) -> None:
    page = hosted(browser, {**OFFER, "offerUrl": None})
    view = page.frame_locator("iframe")
    expect(view.get_by_role("button")).to_have_count(0)
    expect(view.locator("#made")).to_contain_text(OFFER["buttonLabel"])
    page.close()
