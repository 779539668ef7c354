/** The language of the page: the one that was chosen here, else the browser's. */

import { english, language, loadWords, speak, t, tagFor } from "./locale.js";
import { WORDS } from "./page-en.js";

/** A cookie, because the service sends the page in this language, too. */
const COOKIE = "imagegen-language";
const A_YEAR = 31_536_000;
const SOURCES = {
  de: () => import("./page-de.js"), es: () => import("./page-es.js"), fr: () => import("./page-fr.js"), ja: () => import("./page-ja.js"),
};

english(WORDS);

/** Returns the language that was chosen in this browser, "" for the browser's own. */
export const chosen = () => new RegExp(`(?:^|; )${COOKIE}=([\\w-]+)`).exec(document.cookie)?.[1] ?? "";

/** Keeps a choice, "" for none. The page shows it when it is loaded next. */
export function choose(tag) {
  document.cookie = `${COOKIE}=${tag}; path=/; max-age=${tag ? A_YEAR : 0}; samesite=lax`;
}

/** Writes the words of the HTML: `data-t` names a text, `data-t-title` an attribute. */
function fill() {
  for (const one of document.querySelectorAll("[data-t]")) one.textContent = t(one.dataset.t);
  for (const name of ["title", "placeholder", "aria-label", "content"])
    for (const one of document.querySelectorAll(`[data-t-${name}]`)) one.setAttribute(name, t(one.getAttribute(`data-t-${name}`)));
}

/** Loads the words. The service has sent the page in the same language, but where it could not know it. */
export async function settle() {
  const shown = document.documentElement;
  const tag = chosen() || tagFor(null);
  await loadWords(tag, SOURCES);
  speak(tag);
  const isOther = language().split("-")[0] !== shown.lang.split("-")[0];
  // Elements and screen readers follow.
  shown.lang = language();
  if (isOther) fill();
}
