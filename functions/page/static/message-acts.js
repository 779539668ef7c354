/**
 * What can be done with the words of a message: they are copied, and one's own are put into the composer again.
 * It imports nothing but its words, because a copy of what the page has already would be loaded with it.
 */

import { WORDS } from "./message-en.js";

const COPY = "M9 8.5h10.5V20H9zM15 8.5V4.5H4.5V16H9";
const CHECK = "m5 12.5 4.5 4.5L19 7.5";
const EDIT = "M4.5 19.5 5.5 15 15.5 5l3.5 3.5-10 10zM13.5 7l3.5 3.5";
const CHECK_MS = 2_000;
const css = `
.acts { display: flex; justify-content: end; margin: 0 -.7rem -.4rem; color: var(--color-text-secondary); }
.assistant > .acts { justify-content: start; margin: -.5rem -.6rem; }
.words:empty + .acts, .busy > .acts { display: none; }
@media (hover: hover) and (min-width: 700px) {
  #messages > li { position: relative; }
  #messages > li > .acts { position: absolute; inset-inline-end: 100%; bottom: 0; margin: 0; }
  #messages > .assistant > .acts { inset-inline-end: 0; bottom: auto; top: -.5rem; border-radius: 10px; background: var(--color-background-secondary); }
  #messages > li:not(:hover, :focus-within) > .acts { opacity: 0; }
}
`;

/** Returns what makes the buttons of a message, with the page's functions for buttons, symbols, words and styles. */
export function actions({ told, symbolButton, icon, t, english, addStyle }) {
  english(WORDS);
  addStyle(css);

  function copyOf(message) {
    const copy = symbolButton("copyWords", COPY);
    const show = (path) => copy.replaceChildren(icon(path));
    copy.addEventListener("click", () => navigator.clipboard.writeText(message.content).then(() => {
      told.say(t("wordsCopied"));
      show(CHECK);
      setTimeout(show, CHECK_MS, COPY);
    }, () => told.note(t("copyRefused", { text: message.content }))));
    return copy;
  }

  function editOf(message) {
    const edit = symbolButton("editWords", EDIT);
    edit.addEventListener("click", () => told.edit(message));
    return edit;
  }

  // An operation has no words of a person's own.
  return (message) => [copyOf(message), ...(message.role === "user" && !message.request?.operation ? [editOf(message)] : [])];
}
