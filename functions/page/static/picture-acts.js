/** What an element loads when it is first needed: its details, the picture alone in the window, and how it is saved or copied. */

import { WORDS } from "./acts-en.js";
import { isolate, levelText, oneLine, providerName, qualityName, sizeText, usdText } from "./format.js";
import { durationText, makerText, reasonText } from "./makers.js";
import { english, language, numberText, t } from "./locale.js";
import { problemOf } from "./machine.js";
import { technicalOf } from "./problems.js";
import { WORDS as LATER } from "./later-en.js";
import { h, sheetsOf } from "./styles.js";

english(WORDS);
english(LATER);

export { savePicture } from "./saving.js";

const css = `
.facts { display: grid; grid-template-columns: max-content 1fr; gap: 4px 14px; font-size: 13px; padding: 10px 0 8px; border-top: 1px solid var(--line); }
.facts dt { color: var(--soft); }
dd { white-space: pre-wrap; }
.others { display: grid; gap: 8px; font-size: 13px; padding: 8px 0; border-top: 1px solid var(--line); }
dialog { width: 100vw; height: 100dvh; max-width: none; max-height: none; padding: 0; border: 0; background: #000; cursor: zoom-out; }
dialog button { position: absolute; top: 12px; inset-inline-end: 12px; }
.wide { width: 100%; height: 100%; object-fit: contain; }
`;

/** Gives the element that a part belongs to the style of what is shown here. */
function styled(part) {
  const root = part.getRootNode();
  const sheet = sheetsOf(css).at(-1);
  if (!root.adoptedStyleSheets.includes(sheet)) root.adoptedStyleSheets.push(sheet);
}

/** What the service says of a quality, in English, by the key of its words here. */
const WHY = {
  requested: /^requested$/, only: /^the only quality of the requested model$/,
  none: /^the prompt names no quality$/, words: /^the prompt contains (.+)$/,
};

/** Returns why a request has its quality, in the reader's language; a reason that is not known stays as it is. */
export function whyText(text) {
  const [, why, nearest] = /^(.*?)(?:; the requested model's nearest quality to (\w+))?$/s.exec(text);
  const key = Object.keys(WHY).find((one) => WHY[one].test(why));
  if (!key) return text;
  const said = t(`why.${key}`, { words: WHY[key].exec(why)[1] });
  return nearest ? t("why.nearest", { why: said, quality: qualityName(nearest) }) : said;
}

/** Rows of the details: `[name, text]`. */
function detailsOf(generation) {
  const { prompt, estimate, image, id } = generation;
  const { constraints, remaining, blocked } = estimate ?? {};
  const left = image?.remaining ?? remaining;
  const made = image?.provider ? image : estimate ?? {};
  const problem = problemOf(generation) ?? (blocked && { code: blocked.reason, detail: blocked.detail });
  return [
    ["technical", problem && technicalOf(problem)],
    ["prompt", prompt],
    ["model", image?.model ?? estimate?.model],
    ["size", made.size && sizeText(made.size)],
    ["quality", levelText(made)],
    ["style", image?.style ?? estimate?.style],
    ["why", estimate?.qualityReason && whyText(estimate.qualityReason)],
    ["attempts", image?.attempts?.map((one) => `${makerText(one)}: ${reasonText(one.outcome)}, ${durationText(one.durationMs)}`).join("; ")],
    ["madeIn", image?.durationMs && durationText(image.durationMs)],
    ["left", left && [
      left.imagesThisHour !== null && t("leftHour", { count: left.imagesThisHour }),
      left.imagesToday !== null && t("leftDay", { count: numberText(left.imagesToday) }), t("leftMoney", { price: usdText(left.usdToday) }),
    ].filter(Boolean).join(t("comma"))],
    ["id", image?.id ?? id],
    // What could be asked for instead, as long as nothing is made.
    ["longest", !image && constraints && t("characters", { count: constraints.maxPromptCharacters })],
    ["sizes", !image && constraints?.sizes.filter((size) => /\d/.test(size)).join(t("comma"))],
  ].filter(([, text]) => text).map(([name, text]) => [t(`rows.${name}`), text]);
}

/** An alternative in one line. */
const alternativeText = (one) => [
  one.price === null ? t("priceUnknown") : usdText(one.price),
  // The service's own words say more, and are English.
  !one.available && (one.detail && language().startsWith("en") ? isolate(one.detail) : reasonText(one.reason)),
].filter(Boolean).join(" · ");

/** `![alt](url)`, escaped so that a prompt cannot break it. */
export function markdownText(alt, url) {
  const text = oneLine(alt).replace(/[\\`*_[\]()<>!&#|~$]/g, "\\$&");
  return `![${text}](${url.replace(/[\s()<>\\]/g, (one) => `%${one.charCodeAt(0).toString(16).padStart(2, "0")}`)})`;
}

/** Writes the details of a generation into its lists. */
export function showDetails(generation, { facts, others }) {
  if (!generation) return;
  styled(facts);
  facts.replaceChildren(...detailsOf(generation).flatMap(([name, text]) => [h("dt", {}, name), h("dd", { dir: "auto" }, text)]));
  const found = generation.estimate?.alternatives ?? [];
  others.hidden = !found.length;
  others.replaceChildren(...found.map((one) => h("li", { class: "row" },
    h("span", { class: "badge", "data-provider": one.provider }, providerName(one.provider)),
    h("bdi", {}, one.model.split("/").pop()), h("span", { class: "soft" }, alternativeText(one)))));
}

/** Shows a picture alone, as large as the window, until a click or Escape. */
export function enlarge(place, { alt, src }) {
  const box = h("dialog", { "aria-label": alt, onclick: () => box.close(), onclose: () => box.remove() },
    h("img", { class: "wide", alt, src }), h("button", { type: "button" }, t("close")));
  styled(place);
  place.append(box);
  box.showModal();
}
