/** The language that was chosen in this browser, for the page and whoever uses it. */

/** A cookie, because the service sends the page in this language, too. */
const COOKIE = "imagegen-language";
const A_YEAR = 31_536_000;

/** Returns the language that was chosen, "" for the browser's own. */
export const chosen = () => new RegExp(`(?:^|; )${COOKIE}=([\\w-]+)`).exec(document.cookie)?.[1] ?? "";

/** Keeps a choice, "" for none: the page has it when it is loaded next. */
export function choose(tag) {
  document.cookie = `${COOKIE}=${tag}; path=/; max-age=${tag ? A_YEAR : 0}; samesite=lax`;
}
