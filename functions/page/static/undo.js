/** What is about to be done, with a way back. */

import { t } from "./locale.js";
import { h } from "./ui.js";

const UNDO_MS = 10_000;
/** The page is left, or the person: what was decided is done with the token of who decided it. */
const LEAVING = ["pagehide", "person-leaves"];

/**
 * Shows what is about to be done, with a button that takes it back. It is done after ten seconds, or when the
 * page or the person leaves; while the pointer or the focus is on it, it waits.
 */
export function undoable(text, { commit, undo }) {
  const button = h("button", { type: "button", className: "quiet", textContent: t("undo") });
  const close = h("button", { type: "button", className: "icon", "aria-label": t("close"), textContent: "×" });
  const toast = h("div", { className: "toast", role: "region", "aria-label": t("undo") }, h("p", { textContent: text }), button, close);
  let timer;
  let isOver = false;
  const wait = () => {
    clearTimeout(timer);
    // It leaves the page with the focus in it: that starts no other wait.
    if (!isOver) timer = setTimeout(() => end(() => commit({})), UNDO_MS);
  };
  const leave = () => end(() => commit({ keepalive: true }));
  function end(act) {
    if (isOver) return;
    isOver = true;
    clearTimeout(timer);
    for (const name of LEAVING) removeEventListener(name, leave);
    toast.remove();
    act();
  }
  button.addEventListener("click", () => end(undo));
  close.addEventListener("click", () => end(() => commit({})));
  for (const name of ["pointerenter", "focusin"]) toast.addEventListener(name, () => clearTimeout(timer));
  for (const name of ["pointerleave", "focusout"]) toast.addEventListener(name, wait);
  for (const name of LEAVING) addEventListener(name, leave);
  document.body.append(toast);
  wait();
}
