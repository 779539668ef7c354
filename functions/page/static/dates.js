/** Days and times as text, for the parts that show them: they are loaded when they are first needed. */

import { language } from "./locale.js";

/** A day and a time, from text or from ms since 1970. */
export const dateText = (at) => new Date(at).toLocaleString(language(), { dateStyle: "medium", timeStyle: "short" });
