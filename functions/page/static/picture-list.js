/** A list of the user's own pictures, page by page from the service: for the gallery and for the choice of an input. */

import { dateText } from "./dates.js";
import { altText, safeUrl } from "./format.js";
import { english, t } from "./locale.js";
import { WORDS } from "./pictures-en.js";
import { h, tell as tellError } from "./ui.js";

english(WORDS);

const PAGE = 12;

/** Returns `{node, load, clear, remove}`; `press(image, button)` is called for the picture that was pressed. */
export function pictureList(client, told, press) {
  const list = h("ul", { className: "tiles" });
  const note = h("p", { className: "hint", role: "status" });
  const more = h("button", { type: "button", className: "quiet", hidden: true });
  const node = h("div", { className: "pictures" }, list, note, more);
  let cursor;
  let turn = 0;
  let busy = false;
  let isMore = true;

  function tile(image) {
    // The width and the height keep the place; the picture is loaded when it comes near.
    const shown = h("img", {
      alt: `${altText(image.prompt, image.alt)}, ${dateText(image.createdAt)}`, loading: "lazy", decoding: "async",
      width: image.width, height: image.height, src: safeUrl(image.imageUrl, document.baseURI),
    });
    const button = h("button", { type: "button", title: image.prompt ?? "" }, shown);
    button.addEventListener("click", () => press(image, button));
    return h("li", { "data-image": image.id }, button);
  }

  async function next(mine) {
    const before = list.childElementCount;
    // A page may be empty although the list goes on.
    do {
      const page = await client.images({ limit: PAGE, ...(cursor && { cursor }) });
      if (mine !== turn) return;
      list.append(...page.images.map(tile));
      cursor = page.nextCursor;
    } while (cursor && list.childElementCount === before);
  }

  function setBusy(now) {
    busy = now;
    node.setAttribute("aria-busy", now);
    more.setAttribute("aria-disabled", now);
  }

  async function load() {
    if (busy || cursor === null) return;
    const mine = turn;
    setBusy(true);
    try {
      await next(mine);
      if (mine === turn) tell();
    } catch (error) {
      if (mine !== turn) return;
      tellError(note, error);
      [more.textContent, more.hidden, isMore] = [t("tryAgain"), false, false];
      told.failed(error);
    } finally {
      if (mine === turn) setBusy(false);
    }
  }

  function tell() {
    const count = list.childElementCount;
    note.textContent = count ? t(cursor ? "pic.countMore" : "pic.count", { count }) : t("pic.none");
    [more.textContent, more.hidden, isMore] = [t("pic.more"), !cursor, true];
    // It is told only of changes: the end may be in view still.
    sight.unobserve(more);
    sight.observe(more);
  }

  more.addEventListener("click", load);
  // The next page comes by itself when the end of the list is scrolled into view.
  const sight = new IntersectionObserver((all) => all.at(-1).isIntersecting && isMore && load());

  return {
    node,
    load,
    /** Empties the list; the next `load` begins with the newest picture. */
    clear() {
      turn += 1;
      cursor = undefined;
      setBusy(false);
      list.replaceChildren();
      note.textContent = "";
      more.hidden = true;
    },
    /** Takes a picture out, and moves the focus to its neighbour; returns whether there is one. */
    remove(id) {
      const item = [...list.children].find((one) => one.dataset.image === id);
      const beside = item?.nextElementSibling ?? item?.previousElementSibling;
      item?.remove();
      tell();
      beside?.querySelector("button").focus();
      return Boolean(beside);
    },
  };
}
