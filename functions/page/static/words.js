/** The texts of a generation for a person, in each state and language; the time is passed in. */

import { isolate, secondsText, usdText } from "./format.js";
import { language, t } from "./locale.js";
import { typicalSeconds } from "./machine.js";

const usual = (g) => t("usualTime", { time: secondsText(typicalSeconds(g)) });
/** Returns the sentence with the most that a person pays. */
export const moneyPromised = ({ estimate }) => (estimate ? t("payMost", { count: estimate.price.count, price: usdText(estimate.price.ceiling) }) : t("noPrice"));

const WORDS = {
  pending: (g) => ({ head: "", note: "", money: moneyPromised(g), said: g.estimate && buttonText(g.estimate) }),
  "pending-range": (g) => ({ ...WORDS.pending(g), head: g.estimate ? "" : t("priceUnavailable") }),
  expired: () => ({ head: t("expired"), note: t("newIsFree"), money: t("unconfirmed") }),
  starting: (g) => (g.estimate ? { head: t("starting"), note: usual(g), money: moneyPromised(g) } : { head: t("loading"), note: "", money: "" }),
  declined: () => ({ head: t("declined"), note: "", money: t("declinedFree"), said: t("declinedFree") }),
};

/** The words of what comes after the click, and of what is not as usual: they are loaded at the latest when an image is made. */
let later = null;
let loading;
export const provide = (words) => { later = words; };
export const laterNow = () => later;
/** Returns them. After a failure, the next call tries again. */
export const loadLater = async () => (later ??= (await (loading ??= import("./later.js").catch((error) => { loading = undefined; throw error; }))).LATER);

/**
 * Returns `{head, note, money, said}`: texts inside the box, below it, and for a screen reader; null if they are not loaded yet.
 * `said` contains no running times. `context`: `{now, elapsedMs, opensAt, stopped}`.
 */
export function wordsOf(generation, state, context) {
  const isSet = state === "complete" && generation.images;
  const say = isSet ? later?.set : WORDS[state] ?? later?.[state];
  if (!say) return null;
  const words = say(generation, { ...context, elapsed: secondsText(context.elapsedMs / 1000), promised: moneyPromised, usual });
  return { ...words, said: words.said ?? t("said", words) };
}

/** The button's text: its number is the most that is charged. The service writes the English one. */
export function buttonText({ price, buttonLabel, operation = "generate" }) {
  if (language().startsWith("en")) return buttonLabel;
  return t(operation === "generate" ? "make" : `make${operation}`, { count: price.count, price: Number(price.ceiling) ? usdText(price.ceiling) : t("free") });
}

/** What stands beside the button: the usual price, where it is not the button's, and the usual time. */
export const besideText = ({ price: { expected, ceiling }, typicalSeconds: seconds }) => [
  usdText(expected) !== usdText(ceiling) && t("usually", { price: usdText(expected) }), t("about", { time: secondsText(seconds) }),
].filter(Boolean).join(" · ");

/** A choice: what it is the best in, its model, its highest price and its usual time. */
export function choiceTexts({ labels, model, price, typicalSeconds: seconds }) {
  const [first, ...more] = labels.map((one) => t(`label.${one}`));
  const text = [first, ...more.map((one) => one.charAt(0).toLowerCase() + one.slice(1))].join(t("comma"));
  return [text, isolate(model.split("/").pop()), `${usdText(price.ceiling)} · ${secondsText(seconds)}`];
}
