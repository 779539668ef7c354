/** The view of an offer in a host that knows MCP Apps: the image element, whose calls are tools of the host. */

import { createClient, ProblemError } from "./client.js";
import { GeneratedImageElement } from "./generated-image.js";
import "./client-run.js";
import "./later.js";
import "./picture-acts.js";

const at = (id) => document.getElementById(id);
const [main, element] = [document.querySelector("main"), document.querySelector("generated-image")];
/** Nothing is ever asked of this address: every call is a tool. */
const HERE = "tool:";
const PROBLEM = "imagegen/problem", ESTIMATE = "imagegen/estimate";
/** How long an image may be unknown after its confirmation: the request may still be on its way. */
const ARRIVES_MS = 30_000;
const answers = new Map();
let callsTools = false, number = 2, shown = false, link = "";

const send = (message) => parent.postMessage({ jsonrpc: "2.0", ...message }, "*");

function callTool(name, args) {
  const id = number++;
  send({ id, method: "tools/call", params: { name, arguments: args } });
  return new Promise((resolve) => answers.set(id, resolve));
}

/** An answer of the service as a tool's result has it; without one, nobody answered. */
function answered(found, body) {
  const problem = found?._meta?.[PROBLEM];
  if (problem) return Response.json(problem, { status: problem.status, headers: { "content-type": "application/problem+json" } });
  if (!body) throw new TypeError("no answer");
  return Response.json(body);
}

/** In place of a network, which a view does not have: prices and states are tools that anybody may call. */
globalThis.fetch = async (address, { body } = {}) => {
  const path = new URL(address).pathname;
  if (path === "/estimate") {
    const found = await callTool("estimate_image", JSON.parse(body));
    return answered(found, found?._meta?.[ESTIMATE]);
  }
  if (!path.startsWith("/images/")) throw new TypeError("no network");
  const found = await callTool("image_status", { imageId: decodeURIComponent(path.slice("/images/".length)) });
  return answered(found, found?.structuredContent);
};

const service = createClient({ estimateUrl: HERE, generateUrl: HERE });

/** The click: the quote goes to the tool that only a view may call. Then the state of the image is looked at. */
async function generate(quote, prompt, { imageId, onProgress } = {}) {
  const quotes = Array.isArray(quote) ? { quotes: quote } : { quote };
  const found = await callTool("confirm_image", { ...quotes, prompt });
  const { status, code, detail, charged, retryable } = found?.structuredContent ?? {};
  const problem = found?._meta?.[PROBLEM] ?? (status === "failed" && { title: "", status: 0, code: code ?? "unknown", detail, charged, retryable });
  if (problem) throw new ProblemError(problem);
  return service.watch(imageId, { onProgress, until: Date.now() + ARRIVES_MS });
}

// Without the first and the fourth button: a sandboxed frame saves no files, and there is no chat whose calls could be listed.
const without = new CSSStyleSheet();
without.replaceSync(".bar > :is(:nth-child(1), :nth-child(4)) { display: none; }");

/** Where the host passes no quote to the view or calls no tools for it, the person confirms on the page. */
function showLink({ prompt, buttonLabel, model, provider, quality, size, blocked, offerUrl }) {
  link = blocked ? "" : offerUrl ?? "";
  at("prompt").textContent = prompt;
  at("open").textContent = buttonLabel;
  at("open").hidden = !link;
  const maker = `${model} (${provider}), ${quality} quality, ${size}`;
  at("made").textContent = blocked ? `${maker}. ${blocked.detail}`
    : link ? `${maker}. The button opens the page, where you confirm. Nothing is charged before.`
      : `${maker}. ${buttonLabel}: confirm it on the page. Nothing is charged before.`;
  at("linked").hidden = false;
}

function show(result) {
  const offer = result?.structuredContent;
  if (!offer?.buttonLabel || shown) return;
  shown = true;
  // Hosts keep this from the model: it is what a click confirms.
  const estimate = callsTools && result._meta?.[ESTIMATE];
  if (estimate?.quote || estimate?.quotes?.length) {
    element.data = { id: estimate.imageId, prompt: estimate.prompt, status: "pending", estimate };
    element.hidden = false;
  } else showLink(offer);
  main.hidden = false;
}

/** Looks as the host looks: its theme, its variables, its language. */
function look({ theme, styles, locale } = {}) {
  const { documentElement: root } = document;
  if (theme) root.style.colorScheme = theme;
  if (locale) root.lang = locale;
  for (const [name, value] of Object.entries(styles?.variables ?? {})) if (name.startsWith("--") && value) root.style.setProperty(name, value);
}

addEventListener("message", ({ source, data }) => {
  if (source !== parent || data?.jsonrpc !== "2.0") return;
  if (data.id === 1 && data.result) {
    callsTools = Boolean(data.result.hostCapabilities?.serverTools);
    look(data.result.hostContext);
    send({ method: "ui/notifications/initialized", params: {} });
  }
  if (data.method === undefined && answers.has(data.id)) {
    answers.get(data.id)(data.result);
    answers.delete(data.id);
  }
  if (data.method === "ui/notifications/tool-result") show(data.params);
  if (data.method === "ui/notifications/host-context-changed") look(data.params);
  if (data.method === "ping" || data.method === "ui/resource-teardown") send({ id: data.id, result: {} });
});
at("open").addEventListener("click", () => send({ id: number++, method: "ui/open-link", params: { url: link } }));
new ResizeObserver(() => {
  const { offsetWidth: width, offsetHeight: height } = document.documentElement;
  send({ method: "ui/notifications/size-changed", params: { width, height } });
}).observe(document.documentElement);
customElements.define("generated-image", GeneratedImageElement);
element.client = { ...service, generate };
element.shadowRoot.adoptedStyleSheets.push(without);
// A page around the view cannot press its buttons: only a person's click counts.
// An event that is made inside of the element need not leave it, so the element is watched, too.
for (const place of [globalThis, element.shadowRoot]) place.addEventListener("click", (event) => {
  if (event.isTrusted) return;
  event.stopImmediatePropagation();
  event.preventDefault();
}, true);
send({ id: 1, method: "ui/initialize", params: {
  appInfo: { name: "imagegen", version: "1" }, appCapabilities: {}, protocolVersion: "2026-01-26",
} });
