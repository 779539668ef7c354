/** The texts of a generation for a person, in each state; the time is passed in. */

import { makerText, microUsd, moneyText, reasonText, secondsText, isolate, timeText, usdText } from "./format.js";
import { blockedOf, isOpen, isUnknown, problemOf, typicalSeconds } from "./machine.js";

const NOT_CHARGED = "You were not charged.";
const usual = (g) => `usually ${secondsText(typicalSeconds(g))}`;

function moneyPromised({ estimate }) {
  if (!estimate) return "No price is known yet. Asking for one is free.";
  const what = estimate.price.count > 1 ? "the images" : "an image";
  return `You pay at most ${usdText(estimate.price.ceiling)} once, and only for ${what} you get.`;
}

function moneyCharged({ image, estimate }, stopped) {
  const { cost, fallback } = image;
  if (!cost) return "";
  const late = stopped ? "It was made after you stopped waiting. " : "";
  const first = estimate?.fallback?.model === fallback?.model ? estimate?.fallback?.price : null;
  const more = microUsd(cost.charged) - microUsd(fallback?.price ?? first ?? cost.expected);
  const change = more ? `${moneyText(Math.abs(more))} ${more > 0 ? "more" : "less"} than ${fallback ? "the first choice" : "quoted"}` : "as quoted";
  return `${late}${usdText(cost.charged)} charged, ${change}.`;
}

/** Of several images: the sum, and what is missing. */
function moneyOfAll(images) {
  const stored = images.filter((one) => one.image);
  const sum = stored.reduce((all, { image }) => all + microUsd(image.cost?.charged ?? "0"), 0);
  const known = images.find((one) => one.problem && one.charged === false);
  const open = images.filter((one) => one.problem && !one.image && one.charged !== false).length;
  return [
    `${moneyText(sum)} charged for ${stored.length} of ${images.length} images.`,
    known && `The others were not made and not charged: ${known.problem.detail || reasonText(known.problem.code)}`,
    open && `Whether ${open} more will be charged is not known yet.`,
  ].filter(Boolean).join(" ");
}

const UNCONFIRMED = "An offer that is not confirmed costs nothing.";

/** The first choice, the model that made the image instead, and the reason. */
const fallbackText = ({ image }) =>
  `Asked ${makerText(image.fallback)}, got ${makerText(image)}: ${reasonText(image.fallback.reason)}.`;

function stopped(g) {
  if (isUnknown(g)) return open(g);
  if (!isOpen(g)) return { head: "You stopped waiting", note: "No image was made.", money: NOT_CHARGED };
  const most = g.estimate ? `at most ${usdText(g.estimate.price.ceiling)}` : "what was quoted";
  return {
    head: "You stopped waiting", note: "An image that has been started cannot be cancelled.",
    money: `If the image is still made, it costs ${most} and appears here.`,
  };
}

/** The answer is missing, or it came before the ledger was read: no word about money but the promise. */
function open(g) {
  const problem = problemOf(g);
  if (problem?.charged) return { head: "The image cannot be shown now", note: "It was made. Use Check again to see it.", money: "It was charged." };
  const most = g.estimate ? `, at most ${usdText(g.estimate.price.ceiling)}` : "";
  const known = problem && problem.code !== "network";
  return {
    head: known ? "Not known yet" : "The service does not answer",
    note: `${known && problem.detail ? `${problem.detail} ` : ""}Use Check again to see whether the image was made.`,
    money: `You pay only if it was${most}.`,
  };
}

function broken(g) {
  if (isUnknown(g)) return open(g);
  const problem = problemOf(g);
  const [head, money] = g.prompt || g.estimate ? ["No image was made", NOT_CHARGED] : ["There is no image here", ""];
  return { head, note: problem.detail || reasonText(problem.code), money };
}

const waiting = (head, said) => (g, { elapsed }) => ({
  head, note: `${elapsed} · ${usual(g)}`, money: moneyPromised(g), said: said(g),
});

const WORDS = {
  pending: (g) => ({ head: "", note: "", money: moneyPromised(g), said: g.estimate?.buttonLabel }),
  "pending-range": (g) => ({ ...WORDS.pending(g), head: g.estimate ? "" : "Price unavailable" }),
  expired: () => ({ head: "This price has expired", note: "A new one is free.", money: UNCONFIRMED }),
  starting: (g) => (g.estimate ? { head: "Starting", note: usual(g), money: moneyPromised(g) } : { head: "Loading", note: "", money: "" }),
  generating: waiting("Generating", (g) => `Generating, ${usual(g)}.`),
  preview: waiting("Preview", () => "A preview has arrived."),
  slow: waiting("Still working", () => "Still working, longer than usual."),
  complete: (g, { stopped: late }) => (g.images ? { head: "Images complete", note: "", money: moneyOfAll(g.images) }
    : { head: "Image complete", note: "", money: moneyCharged(g, late) }),
  fallback(g, context) {
    const words = WORDS.complete(g, context);
    return { ...words, money: `${fallbackText(g)} ${words.money}` };
  },
  gone: () => ({ head: "The image file is gone", note: "It was made and charged, and deleted since.", money: "A new image has a new price." }),
  error: broken,
  refused: (g) => ({ head: "This prompt was refused", note: problemOf(g).detail || "Change the prompt.", money: NOT_CHARGED }),
  limited(g, { now, opensAt }) {
    const wait = opensAt ? `Opens again at ${timeText(opensAt)}, in ${secondsText(Math.ceil(Math.max(0, opensAt - now) / 60000) * 60)}.` : "";
    const open = opensAt && opensAt <= now;
    const blocked = blockedOf(g);
    const { code, reason = code, detail } = blocked ?? problemOf(g);
    return {
      head: reason === "blocked" ? "Not available for you" : "Limit reached",
      note: [detail, open ? "It is open again." : wait].filter(Boolean).join(" "), money: blocked ? UNCONFIRMED : NOT_CHARGED,
    };
  },
  cancelled: stopped,
  declined: () => ({ head: "Declined", note: "", money: `Declined. ${UNCONFIRMED}`, said: `Declined. ${UNCONFIRMED}` }),
};

/**
 * Returns `{head, note, money, said}`: texts inside the box, below it, and for a screen reader.
 * `said` contains no running times. `context`: `{now, elapsedMs, opensAt, stopped}`.
 */
export function wordsOf(generation, state, context) {
  const words = WORDS[state](generation, { ...context, elapsed: secondsText(context.elapsedMs / 1000) });
  return { ...words, said: words.said ?? `${words.head}. ${words.money}` };
}

/** What stands beside the button: the usual price, where it is not the button's, and the usual time. */
export const besideText = ({ buttonNote, typicalSeconds: seconds }) =>
  [buttonNote, `about ${secondsText(seconds)}`].filter(Boolean).join(" · ");

/** A choice: what it is the best in, its model, its highest price and its usual time. */
export function choiceTexts({ labels, model, price, typicalSeconds: seconds }) {
  const text = labels.join(", ").replace("chosen", "this offer");
  return [text.charAt(0).toUpperCase() + text.slice(1), isolate(model.split("/").pop()), `${usdText(price.ceiling)} · ${secondsText(seconds)}`];
}
