/** Days and times as text, for the parts that show them: they are loaded when they are first needed. */

/** A day and a time, from text or from ms since 1970. */
export const dateText = (at) => new Date(at).toLocaleString([], { dateStyle: "medium", timeStyle: "short" });
