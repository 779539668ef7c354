/** The field for the language of the page. */

import { choose, chosen } from "./language-choice.js";
import { t } from "./locale.js";
import { h } from "./ui.js";

/** Languages with words of their own, by the name that their readers know. */
const LANGUAGES = { en: "English", de: "Deutsch", es: "Español", fr: "Français", ja: "日本語" };

/** Returns a field for the choice. It has no name, so that it is no part of a request. */
export function languageField(changed) {
  const names = Object.entries(LANGUAGES).map(([value, textContent]) => h("option", { value, textContent, lang: value }));
  const select = h("select", { id: "language" }, h("option", { value: "", textContent: t("browserLanguage") }), ...names);
  select.value = chosen();
  for (const kind of ["input", "change"]) select.addEventListener(kind, (event) => event.stopPropagation());
  select.addEventListener("change", () => {
    choose(select.value);
    changed();
  });
  return h("div", {}, h("label", { htmlFor: "language", textContent: t("language") }), select);
}
