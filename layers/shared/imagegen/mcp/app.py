"""The view of an offer for hosts that know MCP Apps: prompt, price, button, and the picture.

Specification: https://github.com/modelcontextprotocol/ext-apps (2026-01-26). The view has no token
and loads nothing but the finished picture. A click on its button sends the quote, which the host
passes to the view alone, to the tool ``confirm_image``; the same quote again is charged at most
once. Where a host passes no quote or calls no tools, the button opens the link of the offer.
"""

from collections.abc import Sequence
from typing import Any

from imagegen.mcp.protocol import APPS_MIME_TYPE

URI = "ui://imagegen/offer.html"
TOOL_META = {"ui": {"resourceUri": URI}, "ui/resourceUri": URI}
"""The second key is for hosts of an earlier draft."""
RESOURCE = {
    "uri": URI,
    "name": "offer",
    "title": "An offer of an image",
    "description": "Shows the price of an image, a button to confirm it, and then the image.",
    "mimeType": APPS_MIME_TYPE,
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
  img { display: block; max-width: 100%; height: auto; border-radius: 8px; }
</style>
<main hidden>
  <p id="prompt"></p>
  <button id="open" type="button"></button>
  <img id="picture" hidden>
  <small id="made"></small>
  <small id="state" role="status" hidden></small>
</main>
<script>
  "use strict";
  const at = (id) => document.getElementById(id);
  const main = document.querySelector("main");
  const send = (message) => parent.postMessage({ jsonrpc: "2.0", ...message }, "*");
  const POLL_MS = 3000, POLLS = 110, ABSENT_POLLS = 10;
  const answers = new Map();
  let offer, quote, callsTools = false, number = 2;

  function callTool(name, args) {
    const id = number++;
    send({ id, method: "tools/call", params: { name, arguments: args } });
    return new Promise((resolve) => answers.set(id, resolve));
  }

  function show(result) {
    const found = result?.structuredContent;
    if (!found?.buttonLabel || offer) return;
    offer = found;
    // Hosts keep this from the model: it is what a click confirms.
    quote = callsTools ? result._meta?.["imagegen/estimate"]?.quote : undefined;
    at("prompt").textContent = offer.prompt;
    at("open").textContent = offer.buttonLabel;
    at("open").hidden = Boolean(offer.blocked) || !quote && !offer.offerUrl;
    const maker = `${offer.model} (${offer.provider}), ${offer.quality} quality, ${offer.size}`;
    at("made").textContent = offer.blocked ? `${maker}. ${offer.blocked.detail}`
      : quote ? `${maker}. Nothing is charged before you press the button.`
      : offer.offerUrl
      ? `${maker}. The button opens the page, where you confirm. Nothing is charged before.`
      : `${maker}. ${offer.buttonLabel}: confirm it on the page. Nothing is charged before.`;
    main.hidden = false;
  }

  function say(text) {
    at("state").textContent = text;
    at("state").hidden = false;
  }

  function end(image) {
    if (image.status === "complete" && image.imageUrl) {
      at("picture").alt = offer.prompt;
      at("picture").src = image.imageUrl;
      at("picture").hidden = false;
      at("open").hidden = true;
    } else if (image.charged === false && image.retryable) {
      at("open").disabled = false;
    }
    say(image.detail);
  }

  function ofStatus(found) {
    const paid = found.cost ? `Charged: $${Number(found.cost.charged)}.` : "";
    const texts = { complete: `The image is complete. ${paid}`,
      failed: found.charged === false ? "No image was made. It is not charged."
        : "No image was made." };
    return { ...found, detail: texts[found.status] };
  }

  async function follow(id) {
    for (let polls = 0, absent = 0; polls < POLLS; polls++) {
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
      const result = await callTool("image_status", { imageId: id });
      const found = result?.structuredContent;
      if (["complete", "failed"].includes(found?.status)) return end(ofStatus(found));
      if (!found && ++absent > ABSENT_POLLS) break;
    }
    say("Its state is not known. Press the button again: the same offer is charged at most once.");
    at("open").disabled = false;
  }

  async function confirm() {
    at("open").disabled = true;
    say("The image is being made.");
    const result = await callTool("confirm_image", { quote, prompt: offer.prompt });
    const found = result?.structuredContent;
    if (["complete", "failed"].includes(found?.status)) return end(found);
    const problem = result?._meta?.["imagegen/problem"];
    if (problem) return end({ status: "failed", ...problem });
    await follow(found?.imageId ?? offer.imageId);
  }

  addEventListener("message", ({ source, data }) => {
    if (source !== parent || data?.jsonrpc !== "2.0") return;
    if (data.id === 1 && data.result) {
      callsTools = Boolean(data.result.hostCapabilities?.serverTools);
      send({ method: "ui/notifications/initialized", params: {} });
    }
    if (data.method === undefined && answers.has(data.id)) {
      answers.get(data.id)(data.result);
      answers.delete(data.id);
    }
    if (data.method === "ui/notifications/tool-result") show(data.params);
    if (data.method === "ping" || data.method === "ui/resource-teardown")
      send({ id: data.id, result: {} });
  });
  at("open").addEventListener("click", ({ isTrusted }) => {
    if (!isTrusted) return;
    if (quote) confirm();
    else send({ id: number++, method: "ui/open-link", params: { url: offer.offerUrl } });
  });
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


def read(uri: str, image_origins: Sequence[str] = ()) -> dict[str, Any] | None:
    """Return the answer to ``resources/read``, ``None`` if there is no such resource.

    The view may load pictures from ``image_origins`` and nothing else.
    """
    if uri != URI:
        return None
    csp = {"resourceDomains": list(image_origins)} if image_origins else {}
    meta = {"ui": {"csp": csp, "prefersBorder": True}}
    return {"contents": [{"uri": URI, "mimeType": APPS_MIME_TYPE, "text": _HTML, "_meta": meta}]}
