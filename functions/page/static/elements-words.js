/** The words of the elements: English is built in, another language is loaded once. */

import { WORDS } from "./elements-en.js";
import { english, loadWords } from "./locale.js";

const SOURCES = {
  de: () => import("./elements-de.js"), es: () => import("./elements-es.js"), fr: () => import("./elements-fr.js"), ja: () => import("./elements-ja.js"),
};

english(WORDS);

export const loadElementWords = (tag) => loadWords(tag, SOURCES);
