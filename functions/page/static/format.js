/** Money, time and names as text: pure. Money is whole micro-dollars, never a float sum. */

import { PROVIDERS } from "./providers.js";

/** The provider of a chat's LLM, which makes no images. */
const LLMS = { anthropic: "Anthropic" };
const WORDS = {
  circuit_open: "rests after failures", no_key: "no key here", disabled: "switched off",
  unavailable: "no answer", unknown: "answer lost", rate_limited: "over its rate limit",
  account: "account refused", bad_parameter: "request not taken",
  blocked: "request stopped on its way", no_image: "answered without an image",
  not_called: "not available", above_max_cost: "above your highest price",
  above_price_multiple: "much dearer than the first choice", size_unsupported: "does not draw this size",
  unpriced: "no known price",
};

export const providerName = (key) => PROVIDERS[key]?.title ?? LLMS[key] ?? String(key);
export const reasonText = (code) => WORDS[code] ?? String(code).replaceAll("_", " ");
export const qualityName = (tier) => tier.charAt(0).toUpperCase() + tier.slice(1);
/** Nothing for an upscale or a cut-out: these have no quality levels. */
export const levelText = ({ quality, operation = "generate" }) => (quality && operation === "generate" ? qualityName(quality) : "");
export const sizeText = (size) => String(size).replace(/^(\d+)x(\d+)$/, "$1 × $2");

/** Isolates foreign text inside a sentence, so that its writing direction does not affect ours. */
export const isolate = (text) => (/[^ -~]/.test(text) ? `\u2068${text}\u2069` : text);

/** Provider and the last part of the model's name, for a sentence. */
export const makerText = ({ provider, model }) =>
  isolate(`${providerName(provider)} ${String(model).split("/").pop()}`);

/** Decimal dollars as micro-dollars: "0.052700" is 52700. */
export function microUsd(text) {
  const [whole, part = ""] = String(text).split(".");
  return Number(whole) * 1e6 + Number(part.padEnd(6, "0").slice(0, 6));
}

/**
 * Micro-dollars in the reader's locale, rounded up like the button's text: 52700 is "$0.0527", 15401 is "$0.0155".
 * Two places if they are exact, else up to four; up to six below $0.0001.
 */
export function moneyText(micro) {
  const places = micro < 100 ? 6 : 4;
  const step = 10 ** (6 - places);
  return new Intl.NumberFormat(undefined, {
    style: "currency", currency: "USD", minimumFractionDigits: 2, maximumFractionDigits: places,
  }).format(Math.ceil(micro / step) * step / 1e6);
}
export const usdText = (text) => moneyText(microUsd(text));

/** Whole seconds as "12 s", "1 min 35 s", "14 h". */
export function secondsText(seconds) {
  const whole = Math.max(0, Math.round(seconds));
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min${whole % 60 ? ` ${whole % 60} s` : ""}`;
  return `${Math.round(whole / 3600)} h`;
}
export const durationText = (ms) => (ms < 9950 ? `${(ms / 1000).toFixed(1)} s` : secondsText(ms / 1000));
export const timeText = (ms) => new Date(ms).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });

/** A text without line breaks and control characters. */
export const oneLine = (text) => String(text ?? "").replace(/[\s\p{Cc}]+/gu, " ").trim();

/** What the image shows, at most 200 characters, never empty, never a file name. */
export function altText(...candidates) {
  const text = candidates.map(oneLine).find(Boolean) ?? "Generated image";
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
