/** Money, time and names as text: pure. Money is whole micro-dollars, never a float sum. */

import { has, numberText, t } from "./locale.js";
import { PROVIDERS } from "./providers.js";

export const providerName = (key) => PROVIDERS[key]?.title ?? String(key);
export const qualityName = (tier) => (has(`q${tier}`) ? t(`q${tier}`) : tier);
/** Nothing for an upscale or a cut-out: these have no quality levels. */
export const levelText = ({ quality, operation = "generate" }) => (quality && operation === "generate" ? qualityName(quality) : "");
export const sizeText = (size) => String(size).replace(/^(\d+)x(\d+)$/, "$1 × $2");

/** Isolates foreign text inside a sentence, so that its writing direction does not affect ours. */
export const isolate = (text) => (/[^ -~]/.test(text) ? `\u2068${text}\u2069` : text);

/** Decimal dollars as micro-dollars: "0.052700" is 52700. */
export function microUsd(text) {
  const [whole, part = ""] = String(text).split(".");
  return Number(whole) * 1e6 + Number(part.padEnd(6, "0").slice(0, 6));
}

/**
 * Micro-dollars in the reader's language, rounded up like the button's text: 52700 is "$0.0527", 15401 is "$0.0155".
 * Two places if they are exact, else up to four; up to six below $0.0001.
 */
export function moneyText(micro) {
  const places = micro < 100 ? 6 : 4;
  const step = 10 ** (6 - places);
  return numberText(Math.ceil(micro / step) * step / 1e6, { style: "currency", currency: "USD", minimumFractionDigits: 2, maximumFractionDigits: places });
}
export const usdText = (text) => moneyText(microUsd(text));

/** Whole seconds as "12 s", "1 min 35 s", "14 h". */
export function secondsText(seconds) {
  const whole = Math.max(0, Math.round(seconds));
  if (whole >= 3600) return t("hours", { n: Math.round(whole / 3600) });
  const [minutes, rest] = [Math.floor(whole / 60), whole % 60];
  return [minutes && t("minutes", { n: minutes }), (rest || !minutes) && t("seconds", { n: rest })].filter(Boolean).join(" ");
}

/** A text without line breaks and control characters. */
export const oneLine = (text) => String(text ?? "").replace(/[\s\p{Cc}]+/gu, " ").trim();

/** What the image shows, at most 200 characters, never empty, never a file name. */
export function altText(...candidates) {
  const text = candidates.map(oneLine).find(Boolean) ?? t("generatedImage");
  const letters = [...text];
  return letters.length > 200 ? `${letters.slice(0, 199).join("")}…` : text;
}

/** An address that is safe in href or src, else "". */
export function safeUrl(address, base) {
  try {
    const url = new URL(address, base);
    const fine = ["https:", "http:", "blob:"].includes(url.protocol);
    return fine || /^data:image\/(png|jpeg|webp|gif);/.test(url.href) ? url.href : "";
  } catch {
    return "";
  }
}
