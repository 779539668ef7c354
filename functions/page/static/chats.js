/** The list of conversations: one is opened, or deleted with a way back. */

import { conversations } from "./conversations.js";
import { dateText } from "./dates.js";
import { t } from "./locale.js";
import { addStyle } from "./sheets.js";
import { $, h } from "./ui.js";
import { undoable } from "./undo.js";

const css = `
#chats { width: min(100vw - 1.5rem, 34rem); }
#chats li { display: flex; align-items: center; gap: .8rem; padding: .5rem 0; border-top: 1px solid var(--color-border-secondary); }
#chats a { flex: 1; min-height: 44px; min-width: 0; text-decoration: none; border-radius: 6px; }
#chats b { display: block; overflow: hidden; white-space: nowrap; text-overflow: ellipsis; font-weight: 550; }
#chats [aria-current] b { color: var(--accent); }
#chats span { font-size: .82rem; color: var(--color-text-secondary); }
`;

export function chatsDialog(chat, told) {
  addStyle(css);
  const list = h("ul", {});
  const close = h("button", { type: "button", className: "quiet", textContent: t("close") });
  const dialog = h("dialog", { id: "chats", "aria-labelledby": "chats-title" },
    h("header", {}, h("h2", { id: "chats-title", textContent: t("conversations") }), close), list);
  document.body.append(dialog);

  function row({ id, title, at }) {
    const link = h("a", { href: `#create/${id}` }, h("b", { textContent: title, dir: "auto" }), h("span", { textContent: dateText(at) }));
    const drop = h("button", { type: "button", className: "quiet", textContent: t("delete"), "aria-label": t("deleteChat", { title }) });
    if (id === chat.shown()) link.setAttribute("aria-current", "true");
    link.addEventListener("click", () => dialog.close());
    drop.addEventListener("click", () => remove(id));
    return h("li", {}, link, drop);
  }

  function remove(id) {
    const back = conversations.remove(id);
    dialog.close();
    if (id === chat.shown()) chat.anew();
    const text = t("chatDeleted");
    told.say(text);
    undoable(text, { commit() {}, undo() {
      back();
      location.hash = `create/${id}`;
      $("say").focus();
    } });
  }

  close.addEventListener("click", () => dialog.close());
  dialog.addEventListener("click", ({ target }) => target === dialog && dialog.close());
  return {
    open() {
      list.replaceChildren(...conversations.list().map(row));
      dialog.showModal();
    },
  };
}
