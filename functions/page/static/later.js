/** What an element says after the click, and when something is not as usual. It is loaded at the latest when an image is made. */

import { makerText, microUsd, moneyText, reasonText, safeUrl, secondsText, timeText, usdText } from "./format.js";
import { english, t } from "./locale.js";
import { blockedOf, isOpen, isUnknown, problemOf } from "./machine.js";
import { sentenceOf } from "./problems.js";
import { WORDS } from "./later-en.js";

english(WORDS);

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

/** Returns a list item for each of several images; `h` makes elements. */
const items = (images, { h, shown, alt, press }) => images.map(({ image, problem, status }, index) => {
  if (status === "generating") return h("li", { class: "loads" }, h("span", { class: "sr" }, t("beingMade", { index: index + 1 })));
  if (!image || problem) return h("li", { class: "soft" }, t(image ? "deleted" : problem?.charged === false ? "notMade" : "notKnown"));
  const item = h("li", { class: "loads" });
  const loaded = () => item.classList.remove("loads");
  const shownAs = t("oneOf", { alt: alt(image), index: index + 1, count: images.length });
  item.append(h("button", { type: "button", "aria-pressed": String(index === shown), onclick: (event) => press(event, index) },
    h("img", { alt: shownAs, src: safeUrl(image.imageUrl, document.baseURI), onload: loaded, onerror: loaded })));
  return item;
});

/** By state, as the words of other states are: functions of a generation and a context. */
export const LATER = {
  items,
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
