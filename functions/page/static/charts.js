/** Pictures of sums: bars of stacked parts in SVG, and a table of the same numbers for everybody. */

import { h } from "./ui.js";

const SVG = "http://www.w3.org/2000/svg";
const WIDTH = 640, HEIGHT = 160, HEAD = 24, FOOT = 30, GAP = 2;
/** A day with one hour in it is not one block. */
const WIDEST = 48;
const MOST_LABELS = 8;

function s(tag, attributes, ...children) {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

/** Returns the smallest of 1, 2, 5, 10, ... that is not below a number. */
export function roundAbove(number) {
  if (number <= 0) return 1;
  const power = 10 ** Math.floor(Math.log10(number));
  return [1, 2, 5, 10].map((one) => one * power).find((one) => one >= number * (1 - 1e-9));
}

/**
 * Returns stacked bars. `rows` are {name, values}; `parts` are the names of the values, in their order;
 * `text` writes a value. The picture is one image for a screen reader: the table has the numbers.
 */
export function bars(rows, parts, text, title) {
  const most = roundAbove(Math.max(0, ...rows.map(({ values }) => values.reduce((a, b) => a + b, 0))));
  const step = WIDTH / Math.max(rows.length, 1);
  const width = Math.max(1, Math.min(step * 0.8, WIDEST));
  const every = Math.ceil(rows.length / MOST_LABELS);
  const chart = s("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT + FOOT}`, role: "img", "aria-label": `${title}: the table below has the numbers`, class: "chart" });
  chart.append(s("line", { x1: 0, x2: WIDTH, y1: HEIGHT, y2: HEIGHT, class: "axis" }), s("text", { x: 0, y: 18, class: "most" }, text(most)));
  rows.forEach(({ name, values }, number) => {
    let top = HEIGHT;
    values.forEach((value, part) => {
      const height = (value / most) * (HEIGHT - HEAD);
      if (!height) return;
      top -= height;
      // A gap between parts, so that they are told apart without their colours.
      const shown = Math.max(1, height - GAP);
      chart.append(s("rect", { x: number * step + (step - width) / 2, y: top + Math.min(GAP, height - shown), width, height: shown, class: `part-${part}` },
        s("title", {}, `${name}: ${parts[part]} ${text(value)}`)));
    });
    if (number % every === 0) chart.append(s("text", { x: number * step + step / 2, y: HEIGHT + 22, "text-anchor": "middle", class: "tick" }, name));
  });
  const legend = h("ul", { className: "legend" }, ...parts.map((part, number) => h("li", {}, h("i", { className: `part-${number}` }), part)));
  return h("figure", {}, chart, legend);
}

/** Returns a table that scrolls by itself where it is wider than the screen. */
export function table(caption, heads, rows) {
  const head = h("tr", {}, ...heads.map((text) => h("th", { scope: "col", textContent: text })));
  const body = rows.map(([first, ...rest]) => h("tr", {}, h("th", { scope: "row" }, first), ...rest.map((one) => h("td", {}, one))));
  const found = h("table", {}, h("caption", { textContent: caption }), h("thead", {}, head), h("tbody", {}, ...body));
  return h("div", { className: "wide", tabIndex: 0, role: "region", "aria-label": caption }, found);
}
