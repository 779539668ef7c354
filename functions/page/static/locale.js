/** The language of the reader: its words, and how money, numbers and times are written in it. */

/** Languages with words of their own. */
const LANGUAGES = ["en", "de", "es", "fr", "ja"];

// Parts that are loaded later have a copy of this module: all of them share one state.
const shared = globalThis[Symbol.for("imagegen.locale")] ??= { tag: "en", english: {}, words: {}, loads: {}, rules: {} };

const baseOf = (tag) => tag.toLowerCase().split("-")[0];
const isKnown = (tag) => LANGUAGES.includes(baseOf(tag));

/** The language that is spoken now, as a tag such as "de" or "de-AT". */
export const language = () => shared.tag;

/** Adds the English words of a part: each part brings its own, so that English needs no request. */
export const english = (words) => { Object.assign(shared.english, words); };

/** Returns the best tag for an element: by `lang` around it, else by the browser's languages, else English. */
export function tagFor(element) {
  const wanted = [...navigator.languages];
  for (let at = element; at; at = at.parentElement ?? at.getRootNode().host) if (at.lang && isKnown(at.lang)) {
    // A language without a country is the reader's kind of it.
    return wanted.find((tag) => baseOf(tag) === at.lang.toLowerCase()) ?? at.lang;
  }
  return wanted.find(isKnown) ?? "en";
}

/** Returns whether the words of a tag are there. English always is. */
export const hasWords = (tag) => baseOf(tag) === "en" || Boolean(shared.words[baseOf(tag)]);

/** Loads the words of a tag with one of `sources`, `{de: () => import(…), …}`; without them the words are English. */
export async function loadWords(tag, sources) {
  const name = baseOf(tag);
  if (hasWords(tag)) return;
  try {
    const { WORDS, ALL = WORDS } = await (shared.loads[name] ??= sources[name]());
    shared.words[name] = ALL;
  } catch {
    delete shared.loads[name];
  }
}

/** Does something in a language and returns what comes of it; what is awaited in it is in the language of the page again. */
export function inLanguage(tag, act) {
  const before = shared.tag;
  shared.tag = hasWords(tag) ? tag : "en";
  try {
    return act();
  } finally {
    shared.tag = before;
  }
}

/** Changes the language of the page. */
export const speak = (tag) => { shared.tag = hasWords(tag) ? tag : "en"; };

/** Writes the words of what is below a node: `data-t` names a text, `data-t-title` an attribute. */
export function fill(node) {
  for (const one of node.querySelectorAll("[data-t]")) one.textContent = t(one.dataset.t);
  for (const name of ["title", "placeholder", "aria-label", "content"])
    for (const one of node.querySelectorAll(`[data-t-${name}]`)) one.setAttribute(name, t(one.getAttribute(`data-t-${name}`)));
}

export const numberText = (number, options) => new Intl.NumberFormat(shared.tag, options).format(number);

const found = (key) => shared.words[baseOf(shared.tag)]?.[key] ?? shared.english[key];
export const has = (key) => found(key) !== undefined;

/**
 * Returns the words of a key. `{name}` in them is the value of that name, a number as the language writes numbers;
 * where they have several forms, `count` chooses one (Intl.PluralRules).
 */
export function t(key, values = {}) {
  const words = found(key) ?? key;
  const rules = shared.rules[shared.tag] ??= new Intl.PluralRules(shared.tag);
  return (words.replace ? words : words[rules.select(values.count)] ?? words.other).replace(/\{(\w+)\}/g, (_, name) => (typeof values[name] === "number" ? numberText(values[name]) : values[name] ?? ""));
}
