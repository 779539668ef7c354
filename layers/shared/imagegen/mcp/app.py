"""An offer as hosts of MCP show it: as a view with a button, or as a link to the page.

Specification: https://github.com/modelcontextprotocol/ext-apps (2026-01-26). The view loads no
files, calls no tool and has no token. Its button opens the link of the offer, so that a person
confirms on the page: hosts that do not know apps would show a tool that confirms to the model.

The link is for hosts that show no button. It contains the request and the most that it may cost,
and neither a quote nor a token: the page asks for a new estimate with the person's own token, and
only that person can confirm it. All of it is in the fragment, which browsers do not send to any
server, so no log contains the prompt.
"""

from typing import Any
from urllib.parse import quote, urlencode

from imagegen.domain.money import usd_text
from imagegen.wire.images import Estimate, EstimateRequest

URI = "ui://imagegen/offer.html"
MIME_TYPE = "text/html;profile=mcp-app"
TOOL_META = {"ui": {"resourceUri": URI}, "ui/resourceUri": URI}
"""The second key is for hosts of an earlier draft."""
RESOURCE = {
    "uri": URI,
    "name": "offer",
    "title": "An offer of an image",
    "description": "Shows the price of an image and a button that opens the page to confirm it.",
    "mimeType": MIME_TYPE,
}
_HTML = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>An offer of an image</title>
<style>
  :root { color-scheme: light dark; font: 14px/1.5 var(--font-sans, system-ui, sans-serif); }
  body { margin: 0; padding: 12px; color: var(--color-text-primary, CanvasText); }
  p { margin: 0 0 8px; overflow-wrap: anywhere; }
  button { font: inherit; font-weight: 600; padding: 8px 14px; border-radius: 8px; }
  small { display: block; margin-top: 8px; opacity: .75; }
</style>
<main hidden>
  <p id="prompt"></p>
  <button id="open" type="button"></button>
  <small id="made"></small>
</main>
<script>
  "use strict";
  const at = (id) => document.getElementById(id);
  const main = document.querySelector("main");
  const send = (message) => parent.postMessage({ jsonrpc: "2.0", ...message }, "*");
  let link;

  function show(offer) {
    if (!offer?.buttonLabel) return;
    link = offer.offerUrl;
    at("prompt").textContent = offer.prompt;
    at("open").textContent = offer.buttonLabel;
    at("open").hidden = !link;
    const maker = `${offer.model} (${offer.provider}), ${offer.quality} quality, ${offer.size}`;
    at("made").textContent = link
      ? `${maker}. The button opens the page, where you confirm. Nothing is charged before.`
      : `${maker}. ${offer.buttonLabel}: confirm it on the page. Nothing is charged before.`;
    main.hidden = false;
  }

  addEventListener("message", ({ source, data }) => {
    if (source !== parent || data?.jsonrpc !== "2.0") return;
    if (data.id === 1 && data.result) send({ method: "ui/notifications/initialized", params: {} });
    if (data.method === "ui/notifications/tool-result") show(data.params?.structuredContent);
    if (data.method === "ping" || data.method === "ui/resource-teardown")
      send({ id: data.id, result: {} });
  });
  at("open").addEventListener("click", () =>
    send({ id: 2, method: "ui/open-link", params: { url: link } }));
  new ResizeObserver(() => {
    const { offsetWidth: width, offsetHeight: height } = document.documentElement;
    send({ method: "ui/notifications/size-changed", params: { width, height } });
  }).observe(document.documentElement);
  send({ id: 1, method: "ui/initialize", params: {
    appInfo: { name: "imagegen", version: "1" }, appCapabilities: {}, protocolVersion: "2026-01-26",
  } });
</script>
</html>
"""
MOST_CHARACTERS = 6_000
"""Hosts cut longer links. A prompt that needs a longer one is entered by hand."""


def read(uri: str) -> dict[str, Any] | None:
    """Return the answer to ``resources/read``, ``None`` if there is no such resource."""
    if uri != URI:
        return None
    meta = {"ui": {"csp": {}, "prefersBorder": True}}
    return {"contents": [{"uri": URI, "mimeType": MIME_TYPE, "text": _HTML, "_meta": meta}]}


def offer_link(page_url: str, estimate: Estimate, request: EstimateRequest) -> str | None:
    """Return the link, ``None`` if there is no page or the prompt is too long for a link."""
    if not page_url:
        return None
    wanted = {
        "prompt": request.prompt,
        "quality": estimate.quality,
        "size": request.size,
        "style": request.style,
        "provider": estimate.provider,
        "maxCost": usd_text(estimate.price.ceiling),
        "count": str(request.count) if request.count > 1 else "",
    }
    given = {name: value for name, value in wanted.items() if value}
    text = urlencode(given, quote_via=quote, encoding="utf-8", errors="replace")
    link = f"{page_url}/#{text}"
    return link if len(link) <= MOST_CHARACTERS else None
