/** Who made an image, why another model did not, and when and how long: for what is said after the click. */

import { isolate, providerName, secondsText } from "./format.js";
import { has, language, numberText, t } from "./locale.js";

/** Provider and the last part of the model's name, for a sentence. */
export const makerText = ({ provider, model }) =>
  isolate(`${providerName(provider)} ${String(model).split("/").pop()}`);

/** Why a model made no image. */
export const reasonText = (code) => (has(`reason.${code}`) ? t(`reason.${code}`) : String(code).replaceAll("_", " "));

export const durationText = (ms) => (ms < 9950 ? t("seconds", { n: numberText(ms / 1000, { minimumFractionDigits: 1, maximumFractionDigits: 1 }) }) : secondsText(ms / 1000));
export const timeText = (ms) => new Date(ms).toLocaleTimeString(language(), { hour: "2-digit", minute: "2-digit" });
