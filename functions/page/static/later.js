/** What an element says and has after the click, and when something is not as usual. It is loaded at the latest when an image is made. */

import { microUsd, moneyText, safeUrl, secondsText, usdText } from "./format.js";
import { makerText, reasonText, timeText } from "./makers.js";
import { ICONS, icon } from "./icons.js";
import { english, t } from "./locale.js";
import { blockedOf, isOpen, isUnknown, problemOf } from "./machine.js";
import { sentenceOf } from "./problems.js";
import { WORDS } from "./later-en.js";

english(WORDS);

const css = `
.link { cursor: zoom-in; }
.grid { display: grid; grid-template-columns: 1fr 1fr; grid-auto-rows: 1fr; gap: 4px; }
.grid button { width: 100%; height: 100%; padding: 0; overflow: hidden; border: 0; border-radius: 0; }
.grid li:not(:only-child) > [aria-pressed=true] { outline: 3px solid var(--ring); outline-offset: -3px; }
.grid li { position: relative; overflow: hidden; display: grid; place-items: center; min-height: 0; background: var(--bg2); }
.grid img { object-fit: cover; }
.bar { z-index: 1; align-self: end; justify-self: end; flex-wrap: wrap; justify-content: end; gap: 2px; margin: 8px; padding: 3px; border-radius: 13px; background: var(--bg); border: 1px solid var(--line); }
.bar button { display: grid; place-items: center; width: 38px; height: 38px; min-height: 0; padding: 0; border-color: transparent; border-radius: 10px; }
:host([data-lost]) .say { display: block !important; }
:host([data-lost]) .heal { display: inline-block; color: inherit; text-decoration: underline; }
:host([data-lost]) .link { visibility: hidden; }
label { display: grid; gap: 6px; font-weight: 500; }
textarea { display: block; width: 100%; min-height: 88px; padding: 10px; border: 1px solid var(--edge); border-radius: var(--r2); background: var(--bg); resize: vertical; font-weight: 400; }
form { display: grid; gap: 8px; justify-items: start; }
form label { width: 100%; }
:host([data-state=preview]) .say { align-self: end; display: flex; justify-content: center; gap: 8px; width: auto; min-width: 230px; padding: 5px 14px; margin: 12px; border-radius: 99px; background: var(--bg); }
:host([data-state=preview]) :is(.head, .note) { font-size: inherit; margin: 0; }
:host([data-tone=bad]) .frame { background: var(--bad-bg); }
:host([data-tone=bad]) .head { color: var(--bad); }
@container (max-width: 499px) {
  .bar { gap: 0; margin: 6px; padding: 1px; }
  .bar button { width: 44px; height: 44px; }
}
`;

/** The buttons on a picture: what each does, the key of its name, its symbol. */
const ACTS = [["download", "download", ICONS.download], ["copy", "copyLink", ICONS.link], ["grab", "grab", ICONS.code], ["info", "llmInfo", ICONS.info]];

/** Returns what the buttons on a picture do, by their names. */
function actionsOf(element) {
  const { alt, ask, generation, late, root, say, url } = element;
  let dialog;
  async function put(text, said) {
    try {
      await navigator.clipboard.writeText(text);
      say(said);
    } catch {
      say("copyRefused", { text });
    }
  }
  function info() {
    const { provider, model, size, quality, cost, durationMs, createdAt, llmApiCall } = generation().image;
    dialog ??= root.appendChild(document.createElement("llm-info"));
    dialog.calls = [llmApiCall ?? { type: "image", provider, model, size, quality, cost: cost?.charged ?? null, durationMs, success: true, timestamp: createdAt }];
    dialog.open?.();
  }
  return {
    download: () => late(async ({ savePicture }) => say(await savePicture(url(), generation().prompt))),
    copy: () => ask("image-copy") && put(url(), "linkCopied"),
    grab: () => ask("image-grab") && late(({ markdownText }) => put(markdownText(alt(), url()), "markdownCopied")),
    info: () => ask("image-info") && info(),
  };
}

/** Returns the buttons on a picture and the form for other words; `h` makes elements, `element` has what is theirs. */
function parts(h, element) {
  const does = actionsOf(element);
  const acts = ACTS.map(([name, key, path]) => h("button", { type: "button", part: "button", "data-t-title": key, onclick: () => does[name]() },
    icon(path), h("span", { class: "sr", "data-t": key })));
  const words = h("textarea", { dir: "auto", maxlength: "32000" });
  const form = h("form", { onsubmit: (event) => { event.preventDefault(); element.retry(words.value); } },
    h("label", {}, h("span", { "data-t": "changePrompt" }), words), h("button", { class: "main", "data-t": "getPrice" }));
  return { acts, form, words };
}

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
  css,
  items,
  parts,
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
