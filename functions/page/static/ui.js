/** Functions that the page's parts share: making elements, and texts. Text only, never HTML. */

import { t } from "./locale.js";
import { sentenceOf, technicalOf } from "./problems.js";

export const $ = (id) => document.getElementById(id);

/** Returns a new element with these properties (`data-…` and `aria-…` as attributes) and children. */
export function h(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties))
    if (name.includes("-")) element.setAttribute(name, value);
    else element[name] = value;
  element.append(...children);
  return element;
}

/** Returns what loads a part of the page when it is first needed; after a failure, the next call tries again. */
export function late(load) {
  let loading;
  return () => (loading ??= load().catch((error) => {
    loading = undefined;
    throw error;
  }));
}

/** Returns what happened, whether it was charged and what helps, in the reader's language. */
export function explain({ problem }) {
  if (!problem) return t("e.network");
  const { said, charged, retryAfterSeconds: wait } = problem;
  return [sentenceOf(problem), !said && charged === false && t("notCharged"), wait && t("tryIn", { time: clock(wait) })].filter(Boolean).join(" ");
}

/** Returns the machine's words for an error, which only those need who look after the service; "" if there are none. */
export const technicalText = ({ problem, message }) => (problem ? technicalOf(problem) : message ?? "");

/** Returns the machine's words as something to open, or nothing. */
export const technical = (text) => (text ? [h("details", { className: "technical" }, h("summary", { textContent: t("technicalDetails") }), h("span", { textContent: text, lang: "en", dir: "auto" }))] : []);

/** Writes a text, or an error with its technical details. */
export function tell(node, said) {
  if (typeof said === "string") node.textContent = said;
  else node.replaceChildren(explain(said), ...technical(technicalText(said)));
}

/** Returns seconds, rounded up, as 0:07 or 59:59, or in hours where there are some. */
export function clock(seconds) {
  const whole = Math.ceil(seconds);
  const [minutes, rest] = [Math.floor(whole / 60), whole % 60];
  return minutes >= 60 ? t("hours", { n: Math.ceil(minutes / 60) }) : `${minutes}:${String(rest).padStart(2, "0")}`;
}
