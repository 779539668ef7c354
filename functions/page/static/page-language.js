/** The language of the page: the one that was chosen here, else the browser's. */

import { chosen } from "./language-choice.js";
import { english, fill, language, loadWords, speak, tagFor } from "./locale.js";
import { WORDS } from "./page-en.js";

const SOURCES = {
  de: () => import("./page-de.js"), es: () => import("./page-es.js"), fr: () => import("./page-fr.js"), ja: () => import("./page-ja.js"),
};

english(WORDS);

/** Loads the words. The service has sent the page in the same language, but where it could not know it. */
export async function settle() {
  const shown = document.documentElement;
  const tag = chosen() || tagFor(null);
  await loadWords(tag, SOURCES);
  speak(tag);
  const isOther = language().split("-")[0] !== shown.lang.split("-")[0];
  // Elements and screen readers follow.
  shown.lang = language();
  if (isOther) fill(document);
}
