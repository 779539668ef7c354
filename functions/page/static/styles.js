/**
 * The style of both elements. Variables have the names of the MCP Apps standard, so that a host that
 * sets them themes the elements; our values are the fallbacks.
 */

import { PROVIDERS } from "./providers.js";

const mix = (colour, percent, other) => `color-mix(in srgb, ${colour} ${percent}%, ${other})`;
const badge = ([name, { colour }]) => `.badge[data-provider=${name}] {
  color: light-dark(${colour}, ${mix(colour, 30, "white")});
  background: light-dark(${mix(colour, 12, "white")}, ${mix(colour, 60, "black")});
}`;

const css = `
:host { display: block; }
:host([hidden]) { display: none; }
.root {
  all: initial; color-scheme: inherit; -webkit-locale: inherit; box-sizing: border-box;
  --bg: var(--color-background-primary, light-dark(#fff, #18181b));
  --bg2: var(--color-background-secondary, light-dark(#f5f5f6, #232327));
  --bg3: var(--color-background-tertiary, light-dark(#ececee, #2c2c31));
  --solid: var(--color-background-inverse, light-dark(#18181b, #fafafa));
  --on-solid: var(--color-text-inverse, light-dark(#fff, #18181b));
  --text: var(--color-text-primary, light-dark(#18181b, #f4f4f5));
  --soft: var(--color-text-secondary, light-dark(#52525b, #b4b4bd));
  --line: var(--color-border-secondary, light-dark(#e4e4e7, #36363c));
  --edge: var(--color-border-primary, light-dark(#85858f, #777780));
  --ring: var(--color-ring-primary, light-dark(#2563eb, #93c5fd));
  --bad: var(--color-text-danger, light-dark(#991b1b, #fca5a5));
  --bad-bg: var(--color-background-danger, light-dark(#fef4f4, #2a191b));
  --warn: var(--color-text-warning, light-dark(#854d0e, #fcd34d));
  --warn-bg: var(--color-background-warning, light-dark(#fefaec, #29231a));
  --radius: var(--border-radius-lg, 14px); --r2: var(--border-radius-md, 9px);
  font: 14px/1.5 var(--font-sans, system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif);
  color: var(--text); text-align: start; overflow-wrap: anywhere; word-break: auto-phrase;
}
.root *, .root ::before { box-sizing: border-box; }
[hidden] { display: none !important; }
p, h2, ul, dl, dd, fieldset { margin: 0; padding: 0; border: 0; list-style: none; }
.soft { color: var(--soft); }
.sr { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
button, .root summary, .root label, textarea { font: inherit; color: inherit; }
button {
  min-height: 44px; padding: 8px 16px; border: 1px solid var(--edge); border-radius: var(--r2);
  background: var(--bg); font-weight: 500; cursor: pointer; touch-action: manipulation; user-select: none;
}
button:hover { background: var(--bg2); }
button.main { background: var(--solid); border-color: var(--solid); color: var(--on-solid); font-weight: 600; }
button.main:hover { opacity: .88; }
button.plain { border-color: transparent; color: var(--soft); }
button[aria-disabled=true] { opacity: .55; cursor: default; }
:focus-visible { outline: 2px solid var(--ring); outline-offset: 2px; }
.row { display: flex; flex-wrap: wrap; gap: 8px; align-items: center; }
.badge {
  padding: 2px 9px; border-radius: 99px; font-size: 12.5px; line-height: 1.5; font-weight: 500;
  background: light-dark(#ececee, #333339); color: light-dark(#3f3f46, #d9d9de); border: 1px solid transparent;
}
${Object.entries(PROVIDERS).map(badge).join("\n")}
@media (forced-colors: active) { .badge, .card { border: 1px solid; } }
`;

/** The class of elements; where a server renders the page there is none. */
export const Base = globalThis.HTMLElement ?? Object;

const sheets = new Map();

/** Constructed style sheets, one per text: no style element, no inline style. */
export function sheetsOf(...texts) {
  return [css, ...texts].map((text) => {
    if (!sheets.has(text)) {
      const sheet = new CSSStyleSheet();
      sheet.replaceSync(text);
      sheets.set(text, sheet);
    }
    return sheets.get(text);
  });
}

/** An element; names with "on" are listeners, the rest attributes. Text never becomes markup. */
export function h(tag, attributes, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes ?? {})) {
    if (typeof value === "function") element.addEventListener(name.slice(2), value);
    else if (value !== undefined) element.setAttribute(name, value);
  }
  element.append(...children);
  return element;
}

/** Sets properties that were set before the element was defined, and those that a framework could not set. */
export function adoptable(element, names, isSet) {
  for (const name of names) {
    if (!Object.hasOwn(element, name)) continue;
    const value = element[name];
    delete element[name];
    element[name] = value;
  }
  if (!isSet()) import("./frameworks.js").then(({ adopt }) => adopt(element, names, isSet), () => {});
}
