/** What an element says and has after the click, and when something is not as usual. It is loaded at the latest when an image is made. */

import { actsOf } from "./element-acts.js";
import { microUsd, moneyText, secondsText, usdText } from "./format.js";
import { makerText, reasonText, timeText } from "./makers.js";
import { english, t } from "./locale.js";
import { blockedOf, isOpen, isUnknown, problemOf } from "./machine.js";
import { sentenceOf } from "./problems.js";
import { WORDS } from "./later-en.js";

english(WORDS);

const css = `
.link { cursor: zoom-in; }
.seen, .grid { position: absolute; inset: 0; }
:host(:not([data-state=preview])) .seen { display: none; }
.grid { display: grid; grid-template-columns: 1fr 1fr; grid-auto-rows: 1fr; gap: 4px; }
.grid button { width: 100%; height: 100%; padding: 0; overflow: hidden; border: 0; border-radius: 0; }
.grid li:not(:only-child) > [aria-pressed=true] { outline: 3px solid var(--ring); outline-offset: -3px; }
.grid li { position: relative; overflow: hidden; display: grid; place-items: center; min-height: 0; background: var(--bg2); }
.grid img { object-fit: cover; }
.bar { z-index: 1; align-self: end; justify-self: end; flex-wrap: wrap; justify-content: end; gap: 2px; margin: 8px; padding: 3px; border-radius: 13px; background: var(--bg); border: 1px solid var(--line); }
.bar button { display: grid; place-items: center; width: 38px; height: 38px; min-height: 0; padding: 0; border-color: transparent; border-radius: 10px; }
.heal { display: none; }
:host(:not([data-show=edit])) form { display: none; }
:host([data-lost]) .say { display: block !important; }
:host([data-lost]) .heal { display: inline-block; color: inherit; text-decoration: underline; }
:host([data-lost]) .link { visibility: hidden; }
label { display: grid; gap: 6px; font-weight: 500; }
textarea { display: block; width: 100%; min-height: 88px; padding: 10px; border: 1px solid var(--edge); border-radius: var(--r2); background: var(--bg); resize: vertical; font-weight: 400; }
form { display: grid; gap: 8px; justify-items: start; }
form label { width: 100%; }
:host([data-box=picture]) .say { justify-self: center; width: min(220px, 80%); padding: 8px 12px; border-radius: 12px; background: color-mix(in srgb, var(--bg) 88%, transparent); }
:host([data-state=preview]) .say { align-self: end; display: flex; justify-content: center; gap: 8px; width: auto; min-width: 230px; padding: 5px 14px; margin: 12px; border-radius: 99px; background: var(--bg); }
:host([data-state=preview]) :is(.head, .note) { font-size: inherit; margin: 0; }
:host([data-tone=bad]) .frame { background: var(--bad-bg); }
:host([data-tone=bad]) .head { color: var(--bad); }
:host([data-tone=busy]) .frame::before, .loads::before {
  content: ""; position: absolute; inset: 0; translate: -100%; animation: shimmer 2.2s ease-in-out infinite;
  background: linear-gradient(100deg, transparent 20%, var(--bg3) 50%, transparent 80%);
}
@keyframes shimmer { to { translate: 100%; } }
@media (prefers-reduced-motion: reduce) { .frame::before, .loads::before { animation: none !important; } }
@container (max-width: 499px) {
  .bar { gap: 0; margin: 6px; padding: 1px; }
  .bar button { width: 44px; height: 44px; }
}
`;

const ceilingOf = ({ estimate }) => estimate && usdText(estimate.price.ceiling);

function moneyCharged({ image, estimate }, stopped) {
  const { cost, fallback } = image;
  if (!cost) return "";
  const first = estimate?.fallback?.model === fallback?.model ? estimate?.fallback?.price : null;
  const more = microUsd(cost.charged) - microUsd(fallback?.price ?? first ?? cost.expected);
  const change = more ? t(`${more > 0 ? "more" : "less"}Than${fallback ? "First" : "Quoted"}`, { price: moneyText(Math.abs(more)) }) : t("asQuoted");
  return (stopped ? t("lateMade") : "") + t("charged", { price: usdText(cost.charged), change });
}

/** Of several images: the sum, and what is missing. */
function moneyOfAll(images) {
  const stored = images.filter((one) => one.image);
  const sum = stored.reduce((all, { image }) => all + microUsd(image.cost?.charged ?? "0"), 0);
  const known = images.find((one) => one.problem && one.charged === false);
  const open = images.filter((one) => one.problem && !one.image && one.charged !== false).length;
  return [
    t("chargedOfAll", { price: moneyText(sum), stored: stored.length, all: images.length }),
    known && t("othersNotMade", { reason: sentenceOf(known.problem) }),
    open && t("openMore", { count: open }),
  ].filter(Boolean).join(" ");
}

/** The first choice, the model that made the image instead, and the reason. */
const fallbackText = ({ image }) => t("askedGot", { first: makerText(image.fallback), second: makerText(image), reason: reasonText(image.fallback.reason) });

function stopped(g) {
  if (isUnknown(g)) return open(g);
  if (!isOpen(g)) return { head: t("stopped"), note: t("noneMade"), money: t("notCharged") };
  return { head: t("stopped"), note: t("cannotCancel"), money: t(g.estimate ? "ifStillMade" : "ifStillMadeQuoted", { price: ceilingOf(g) }) };
}

/** The answer is missing, or it came before the ledger was read: no word about money but the promise. */
function open(g) {
  const problem = problemOf(g);
  if (problem?.charged) return { head: t("cannotShow"), note: t("useLook"), money: t("wasCharged") };
  const known = problem && problem.code !== "network";
  return {
    head: t(known ? "notKnown" : "noAnswer"), note: `${known ? `${sentenceOf(problem)} ` : ""}${t("useLookToSee")}`,
    money: t(g.estimate ? "payOnlyMost" : "payOnly", { price: ceilingOf(g) }),
  };
}

function broken(g) {
  if (isUnknown(g)) return open(g);
  const [head, money] = g.prompt || g.estimate ? ["noImage", t("notCharged")] : ["noImageHere", ""];
  return { head: t(head), note: sentenceOf(problemOf(g)), money };
}

const waiting = (head, said) => (g, { elapsed, usual, promised }) => ({
  head: t(head), note: `${elapsed} · ${usual(g)}`, money: promised(g), said: said(g, usual),
});

/** By state, as the words of other states are: functions of a generation and a context. */
export const LATER = {
  css,
  actsOf,
  sentenceOf,
  generating: waiting("generating", (g, usual) => `${t("generating")}, ${usual(g)}.`),
  preview: waiting("preview", () => t("previewCame")),
  slow: waiting("slow", () => t("slowSaid")),
  complete: (g, { stopped: late }) => ({ head: t("complete"), note: "", money: moneyCharged(g, late) }),
  set: (g) => ({ head: t("completeAll"), note: "", money: moneyOfAll(g.images) }),
  fallback(g, context) {
    const words = LATER.complete(g, context);
    return { ...words, money: `${fallbackText(g)} ${words.money}` };
  },
  gone: () => ({ head: t("gone"), note: t("goneNote"), money: t("goneMoney") }),
  error: broken,
  refused: () => ({ head: t("refused"), note: t("refusedNote"), money: t("notCharged") }),
  limited(g, { now, opensAt }) {
    const wait = () => t("opensAt", { time: timeText(opensAt), wait: secondsText(Math.ceil(Math.max(0, opensAt - now) / 60000) * 60) });
    const blocked = blockedOf(g);
    const problem = blocked ? { ...blocked, code: blocked.reason } : problemOf(g);
    return {
      head: t(problem.code === "blocked" ? "noAccess" : "limit"),
      note: [sentenceOf({ ...problem, status: 429 }), opensAt && (opensAt <= now ? t("isOpen") : wait())].filter(Boolean).join(" "), money: t(blocked ? "unconfirmed" : "notCharged"),
    };
  },
  cancelled: stopped,
};
