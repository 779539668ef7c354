/** The dialog of `<llm-info>`: every LLM and image call of a turn, what each cost, and the total. Loaded when it is opened. */

import { WORDS } from "./acts-en.js";
import { microUsd, moneyText, providerName, qualityName, sizeText, usdText } from "./format.js";
import { durationText } from "./makers.js";
import { english, fill, inLanguage, language, numberText, t } from "./locale.js";
import { h, sheetsOf } from "./styles.js";

english(WORDS);

/** Providers that make no images. */
const LLMS = { anthropic: "Anthropic" };

const css = `
:host { display: contents; }
dialog.root { position: fixed; inset: 0; margin: auto; width: min(820px, 100vw - 24px); height: fit-content; max-height: min(720px, 100dvh - 24px);
  border: 1px solid var(--line); border-radius: var(--radius); background: var(--bg); overflow: hidden; flex-direction: column; }
dialog:not([open]) { display: none; }
dialog[open] { display: flex; }
dialog::backdrop { background: rgb(0 0 0 / .5); }
header, footer { display: flex; flex-wrap: wrap; gap: 10px 16px; align-items: center; justify-content: space-between; padding: 14px 18px; }
footer { border-top: 1px solid var(--line); }
h2 { font-size: 16px; font-weight: 600; line-height: 1.35; }
fieldset { display: flex; gap: 2px; }
legend { float: left; padding: 0; margin: 0 6px 0 0; line-height: 44px; color: var(--soft); }
label { display: flex; align-items: center; gap: 6px; min-height: 44px; padding: 0 8px; cursor: pointer; }
input { width: 16px; height: 16px; margin: 0; accent-color: var(--solid); }
.rows { overflow: auto; flex: 1; min-height: 0; border-top: 1px solid var(--line); padding: 0 18px; }
table { width: 100%; border-collapse: collapse; font-variant-numeric: tabular-nums; }
th { position: sticky; top: 0; background: var(--bg); color: var(--soft); font-size: 12.5px; font-weight: 500; }
th, td { padding: 9px 12px 9px 0; text-align: start; vertical-align: top; }
td { border-top: 1px solid var(--line); }
.end { text-align: end; padding-inline-end: 0; }
td.bad { color: var(--bad); }
.none { padding: 28px 0; text-align: center; color: var(--soft); }
.total { font-weight: 600; font-variant-numeric: tabular-nums; }
@media (max-width: 640px) {
  thead { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
  table, tbody { display: block; }
  tr { display: grid; grid-template-columns: auto 1fr auto; gap: 0 10px; padding: 10px 0; border-top: 1px solid var(--line); align-items: baseline; }
  td, th { padding: 0; border: 0; }
  .model { grid-column: 1 / -1; grid-row: 2; }
  .amount { grid-row: 3; grid-column: 1 / 3; }
  .time { grid-row: 3; grid-column: 3; text-align: end; }
  .end { grid-row: 1; grid-column: 3; }
}
`;

const amountText = (call) => (call.type === "image"
  ? `${sizeText(call.size)}, ${qualityName(call.quality)}`
  : call.inputTokens === null || call.outputTokens === null
    ? t("noTokens")
    : t("tokens", { input: numberText(call.inputTokens), output: numberText(call.outputTokens) }));

/** The sum in words; calls without a price are counted, not guessed. */
export function totalText(calls) {
  const known = calls.filter((call) => call.cost !== null && call.cost !== undefined);
  const unknown = calls.length - known.length;
  const sum = moneyText(known.reduce((total, call) => total + microUsd(call.cost), 0));
  return `${sum}${unknown ? t("unpricedCalls", { count: unknown }) : ""} · ${t("countOfCalls", { count: calls.length })}`;
}

export class CallsDialog {
  #calls = [];
  #parts = {};
  #tag = language();

  /** Builds it in a shadow root; the focus goes back to where it was when it closes. */
  constructor(root) {
    root.adoptedStyleSheets = sheetsOf(css);
    this.#build(root);
  }

  /** Shows calls, in a language. */
  show(calls, tag = this.#tag) {
    this.#calls = calls;
    this.#tag = tag;
    this.#say(() => fill(this.#parts.dialog));
    this.#render();
  }

  #say(act) { return inLanguage(this.#tag, act); }

  open() {
    this.#parts.status.textContent = "";
    if (!this.#parts.dialog.open) this.#parts.dialog.showModal();
  }

  close() { this.#parts.dialog.close(); }

  #build(root) {
    const p = this.#parts;
    const radio = (value, text) => h("label", {}, (p[value] = h("input", { type: "radio", name: "kind", value, onchange: () => this.#render(true) })), h("span", { "data-t": text }));
    const cells = ["kind", "provider", "model", "amount", "time", "result", "cost"];
    const head = cells.map((text) => h("th", { scope: "col", role: "columnheader", class: text === "cost" ? "end" : "", "data-t": text }));
    p.dialog = h("dialog", { class: "root", "aria-labelledby": "title", onclick: (event) => { if (event.target === p.dialog) this.close(); } },
      h("header", {}, h("h2", { id: "title", "data-t": "calls" }),
        h("fieldset", {}, h("legend", { "data-t": "show" }), radio("all", "all"), radio("text", "text"), radio("image", "image"))),
      (p.scroll = h("div", { class: "rows", tabindex: "0", role: "region", "data-t-aria-label": "callList" },
        (p.table = h("table", { role: "table" }, h("thead", { role: "rowgroup" }, h("tr", { role: "row" }, ...head)), (p.body = h("tbody", { role: "rowgroup" })))),
        (p.none = h("p", { class: "none" })))),
      h("footer", {}, h("div", {}, (p.total = h("p", { class: "total" })), (p.shown = h("p", { class: "soft" })), (p.status = h("p", { class: "soft", role: "status" }))),
        h("div", { class: "row" }, h("button", { type: "button", onclick: () => this.#copy(), "data-t": "copyJson" }), h("button", { type: "button", class: "main", onclick: () => this.close(), "data-t": "close" }))));
    p.all.checked = true;
    root.append(p.dialog);
  }

  get #kind() { return ["text", "image"].find((kind) => this.#parts[kind].checked); }

  #render(chosen) { this.#say(() => this.#draw(chosen)); }

  #draw(chosen = false) {
    const p = this.#parts;
    const shown = this.#calls.filter((call) => !this.#kind || call.type === this.#kind);
    p.body.replaceChildren(...shown.map((call) => this.#row(call)));
    p.table.hidden = !shown.length;
    p.none.hidden = shown.length > 0;
    p.none.textContent = t(this.#calls.length ? "noneOfThese" : "noCalls");
    p.total.textContent = t("total", { sum: totalText(this.#calls) });
    p.shown.textContent = this.#kind ? t("shown", { sum: totalText(shown) }) : "";
    if (chosen) p.status.textContent = "";
  }

  #row(call) {
    const cell = (text, name = "") => h("td", { role: "cell", class: name }, text);
    const badge = h("span", { class: "badge", "data-provider": call.provider }, h("bdi", {}, LLMS[call.provider] ?? providerName(call.provider)));
    return h("tr", { role: "row" },
      cell(t(call.type === "image" ? "image" : "text")), cell(badge), cell(h("bdi", {}, call.model), "model"),
      cell(amountText(call), "amount"), cell(durationText(call.durationMs), "time"),
      cell(t(call.success ? "done" : "failed"), call.success ? "" : "bad"),
      cell(call.cost === null || call.cost === undefined ? t("unknown") : usdText(call.cost), "end"));
  }

  async #copy() {
    const text = JSON.stringify(this.#calls, null, 2);
    const done = await navigator.clipboard.writeText(text).then(() => true, () => false);
    this.#parts.status.textContent = this.#say(() => t(done ? "copied" : "copyFailed"));
  }
}
