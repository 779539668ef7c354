/** For those who run or build on the service: its providers, their switches on a local stack, and every call. */

import { providerName } from "./format.js";
import { WORDS } from "./developer-en.js";
import { totalText } from "./llm-dialog.js";
import { english, has, t } from "./locale.js";
import { addStyle } from "./sheets.js";
import { clock, h } from "./ui.js";

english(WORDS);

const EVERY_MS = 30_000;
const MOST_CALLS = 30;
const LONGEST = 4_000;
// Every simulated provider has this fault, and it counts against the circuit.
const BROKEN = { fault: "server_error" };
const css = `
dialog[open]#drawer { position: fixed; z-index: 6; inset: 0; inset-inline-start: auto; width: min(100vw, 24rem); height: 100dvh; max-height: none; margin: 0; border-radius: 0; border-width: 0 0 0 1px; overflow-y: auto; box-shadow: 0 0 24px #0003; }
#drawer section { display: grid; grid-template-columns: minmax(0, 1fr); gap: .6rem; margin-bottom: 1.4rem; justify-items: start; }
#providers, #calls { width: 100%; }
#providers li { display: grid; grid-template-columns: auto 1fr auto; align-items: center; gap: 0 .8rem; padding: .3rem .2rem .3rem .4rem; min-height: 52px; border-top: 1px solid var(--color-border-secondary); line-height: 1.3; }
#providers strong { font-weight: 600; }
#providers li > i { width: .65rem; height: .65rem; border-radius: 50%; background: var(--color-text-success); }
#providers [data-circuit=open] > i { background: var(--color-text-danger); border-radius: 2px; }
#providers [data-circuit=half_open] > i { background: var(--color-text-warning); rotate: 45deg; border-radius: 2px; }
#providers [data-circuit=off] > i { background: none; border: 2px solid var(--color-border-primary); }
#providers div > span { display: block; font-size: .82rem; color: var(--color-text-secondary); font-variant-numeric: tabular-nums; }
#providers [data-circuit=open] div > span { color: var(--color-text-danger); }
#providers [data-circuit=half_open] div > span { color: var(--color-text-warning); }
#providers label { display: flex; align-items: center; gap: .4rem; margin: 0; min-height: 40px; cursor: pointer; }
#calls summary { padding: .3rem 0; font-size: .82rem; cursor: pointer; }
#calls pre { margin: 0; padding: .6rem; font-size: .75rem; white-space: pre-wrap; overflow-wrap: anywhere; background: var(--color-background-tertiary); border-radius: 8px; max-height: 20rem; overflow-y: auto; }
[role=switch] { appearance: none; width: 34px; height: 20px; margin: 0; border-radius: 10px; background: var(--color-border-primary); cursor: pointer; display: grid; flex: none; }
[role=switch]::before { content: ""; width: 14px; height: 14px; margin: 3px; border-radius: 50%; background: var(--color-background-primary); transition: translate .15s; }
[role=switch]:checked { background: var(--color-text-danger); }
[role=switch]:checked::before { translate: 14px; }
@media (min-width: 900px) { body:has(#drawer[open]) { padding-inline-end: 24rem; } }
@media (forced-colors: active) { [role=switch], #providers li > i { forced-color-adjust: none; } }
`;

/** The state of one provider in words. */
function wordsOf({ available, reason, credentials, circuit, models }) {
  if (circuit.state === "half_open") return t("dev.halfOpen");
  if (circuit.state === "open") return t("dev.circuit_open");
  if (credentials === "refused") return t("dev.refused");
  if (!available) return has(`dev.${reason}`) ? t(`dev.${reason}`) : reason.replaceAll("_", " ");
  const up = models.filter((one) => one.available).length;
  if (up < models.length) return t("dev.models", { up, all: models.length });
  const { failures } = circuit;
  return failures ? t("dev.failures", { failures }) : t("dev.available");
}

/** The list of providers, in the state of the last answer. */
function providersView(client, told) {
  const list = h("ul", { id: "providers", "aria-busy": "true" });
  const cells = new Map();
  let ticking;

  async function refresh() {
    try {
      const report = await client.health();
      report.providers.forEach(show);
      list.setAttribute("aria-busy", false);
    } catch {
      // The next poll tries again; until then the last known state is shown.
    }
  }

  function show(report) {
    const cell = cells.get(report.provider) ?? added(report.provider);
    const { circuit } = report;
    const isOff = !report.available && circuit.state === "closed";
    cell.item.dataset.circuit = isOff ? "off" : circuit.state;
    cell.retryAt = circuit.state === "open" ? Date.parse(circuit.retryAt) : 0;
    cell.words = wordsOf(report);
    draw(cell);
    tick();
  }

  function draw(cell) {
    const left = (cell.retryAt - client.now()) / 1000;
    const when = cell.retryAt ? (left > 0 ? t("dev.nextTry", { time: clock(left) }) : t("dev.mayTry")) : "";
    cell.state.textContent = cell.words + when;
  }

  function tick() {
    const waits = [...cells.values()].some((cell) => cell.retryAt);
    if (waits) ticking ??= setInterval(() => cells.forEach(draw), 1000);
    else ticking = clearInterval(ticking);
  }

  function added(provider) {
    const state = h("span");
    const item = h("li", { "data-provider": provider }, h("i"), h("div", {}, h("strong", { textContent: providerName(provider) }), state));
    if (told.simulatorUrl) item.append(breaker(provider));
    list.append(item);
    cells.set(provider, { item, state });
    return cells.get(provider);
  }

  function breaker(provider) {
    const url = `${told.simulatorUrl}/control/providers/${provider}`;
    const box = h("input", { type: "checkbox", role: "switch", "aria-label": t("dev.breakName", { name: providerName(provider) }), disabled: true });
    const ask = async (body) => {
      const answer = await fetch(url, body && { method: "POST", body: JSON.stringify(body) });
      box.checked = (await answer.json()).armed.length > 0;
    };
    box.addEventListener("change", () => ask(box.checked ? BROKEN : { fault: null }).catch(told.failed));
    // Before it is known how the switch stands, a press could be taken back by the answer.
    ask().then(() => (box.disabled = false), () => {});
    return h("label", {}, t("dev.break"), box);
  }
  return { list, refresh };
}

/** Records what the page calls from now on: without headers, which have the token, and without the sign-in. */
function callsView() {
  const list = h("ol", { id: "calls", reversed: true });
  const send = globalThis.fetch;
  // The bodies have the words of whoever was there.
  addEventListener("person-leaves", () => list.replaceChildren());
  const shown = (text) => (text.length > LONGEST ? `${text.slice(0, LONGEST)} …` : text);
  globalThis.fetch = async (url, options = {}) => {
    // Only the sign-in service gets forms: they have the refresh token, and its answer has all of them.
    if (options.body instanceof URLSearchParams) return send(url, options);
    const began = performance.now();
    const { pathname, search } = new URL(url, document.baseURI);
    const name = `${options.method ?? "GET"} ${pathname.replace(/^\/_aws\/lambda-url\/\w+/, "")}${search}`;
    const title = h("summary", { textContent: `${name} …` });
    const body = h("pre", { textContent: options.body ? shown(String(options.body)) : "" });
    list.prepend(h("li", {}, h("details", {}, title, body)));
    while (list.childElementCount > MOST_CALLS) list.lastChild.remove();
    const end = (status) => { title.textContent = `${name} · ${status} · ${Math.round(performance.now() - began)} ms`; };
    try {
      const answer = await send(url, options);
      end(answer.status);
      if (/json|event-stream/.test(answer.headers.get("content-type"))) answer.clone().text().then((text) => body.append(`\n→ ${shown(text)}`), () => {});
      return answer;
    } catch (error) {
      end(t("reason.unavailable"));
      throw error;
    }
  };
  return list;
}

export function developerView(client, told) {
  addStyle(css);
  const { list, refresh } = providersView(client, told);
  const info = document.createElement("llm-info");
  const llm = h("button", { type: "button", className: "quiet" });
  const close = h("button", { type: "button", className: "quiet", textContent: t("close") });
  const part = (title, ...all) => h("section", {}, h("h3", { textContent: title }), ...all);
  const drawer = h("dialog", { id: "drawer", "aria-labelledby": "drawer-title" },
    h("div", { className: "head" }, h("h2", { id: "drawer-title", textContent: t("developer") }), close),
    part(t("dev.providers"), list), part(t("dev.calls"), llm, info),
    part(t("dev.pageCalls"), callsView()));
  document.body.append(drawer);
  let polling, opener;

  function tell() {
    const all = told.calls();
    info.calls = all;
    llm.textContent = t("dev.llmInfo", { sum: totalText(all) });
    llm.disabled = !all.length;
  }
  const look = () => {
    tell();
    if (!document.hidden) refresh();
  };
  function shut() {
    clearInterval(polling);
    drawer.close();
    opener?.focus();
  }
  llm.addEventListener("click", () => {
    // There may have been calls since the last look.
    tell();
    info.open();
  });
  close.addEventListener("click", shut);
  drawer.addEventListener("keydown", ({ key, target }) => key === "Escape" && !target.closest("llm-info") && shut());
  document.addEventListener("image-change", () => setTimeout(() => drawer.open && look(), 2_500));
  return {
    open() {
      opener = document.getElementById("tools");
      clearInterval(polling);
      polling = setInterval(look, EVERY_MS);
      if (!drawer.open) drawer.show();
      look();
    },
  };
}
