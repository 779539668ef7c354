/** The pictures that a request starts from: one's own, or files that are uploaded. */

import { altText, safeUrl } from "./format.js";
import { english, t } from "./locale.js";
import { pictureList } from "./picture-list.js";
import { WORDS } from "./pictures-en.js";
import { $, explain, h, late } from "./ui.js";

const MOST = 4;

english(WORDS);

/** An image of the user as a picture that a request starts from. */
export const asInput = (image) => ({ reference: { image: image.id }, name: altText(image.prompt, image.alt), src: image.imageUrl });

/** `changed()` is called when the pictures of the request are others. */
export function inputsView(client, told, changed) {
  const [list, note] = [$("given"), $("given-note")];
  let items = [];
  let dialog;

  const isReady = ({ reference }) => Boolean(reference);
  const isBusy = () => items.some((one) => (!isReady(one) && !one.failed) || one.isMaskSent);
  const painter = late(() => import("./mask-dialog.js"));

  function picker() {
    if (dialog) return dialog;
    const pictures = pictureList(client, told, (image) => {
      dialog.node.close();
      add(image);
    });
    const close = h("button", { type: "button", className: "quiet", textContent: t("close") });
    const node = h("dialog", { id: "choice", "aria-labelledby": "choice-title" },
      h("header", {}, h("h2", { id: "choice-title", textContent: t("in.choose") }), close), pictures.node);
    close.addEventListener("click", () => node.close());
    node.addEventListener("click", ({ target }) => target === node && node.close());
    document.body.append(node);
    return (dialog = { node, pictures });
  }

  const isFull = () => {
    if (items.length < MOST) return false;
    note.textContent = t("in.most", { count: MOST });
    return true;
  };

  function put(item) {
    items.push(item);
    draw();
    changed();
    return item;
  }

  /** Adds an image of the user. */
  function add(image) {
    if (isFull() || items.some(({ reference }) => reference?.image === image.id)) return;
    note.textContent = "";
    put(asInput(image));
  }

  async function upload(file) {
    if (isFull()) return;
    const stop = new AbortController();
    const item = put({ name: file.name, src: URL.createObjectURL(file), progress: 0, stop });
    note.textContent = t("in.uploading", { name: file.name });
    try {
      const onProgress = (part) => { item.bar.value = item.progress = part; };
      item.reference = { upload: await client.upload(file, { onProgress, signal: stop.signal }) };
      note.textContent = t("in.uploaded", { name: file.name });
    } catch (error) {
      if (stop.signal.aborted) return;
      item.failed = true;
      note.textContent = `${file.name}: ${explain(error)}`;
      told.failed(error);
    }
    draw();
    changed();
  }

  /** Ends the upload of a picture, if it is one, and frees its file. */
  function end({ stop, src }) {
    if (!stop) return;
    stop.abort();
    URL.revokeObjectURL(src);
  }

  function remove(item) {
    end(item);
    items = items.filter((one) => one !== item);
    note.textContent = "";
    draw();
    changed();
    (list.querySelector("button") ?? $("choose")).focus();
  }

  /** The first picture is changed or looked at; the others are looked at. */
  function roleOf(item) {
    if (items.indexOf(item)) return h("span", { className: "hint", textContent: t("in.lookedAt") });
    const role = h("select", { "aria-label": t("in.role", { name: item.name }) },
      h("option", { value: "edit", textContent: t("in.change") }), h("option", { value: "reference", textContent: t("in.look") }));
    const paint = h("button", { type: "button", className: "quiet", textContent: t("in.paint"), "aria-pressed": Boolean(item.mask) });
    role.value = item.role ?? "edit";
    paint.hidden = role.value !== "edit";
    role.addEventListener("change", () => {
      item.role = role.value;
      paint.hidden = role.value !== "edit";
      changed();
    });
    paint.addEventListener("click", () => mask(item));
    item.paint = paint;
    return h("div", { className: "row" }, role, paint);
  }

  /** Lets the person paint what may change of a picture. */
  async function mask(item) {
    const view = { fits: () => items.includes(item), say: (text) => { note.textContent = text; }, failed: told.failed, changed };
    await painter().then(({ changeMask }) => changeMask(client, item, view), (error) => view.say(explain(error)));
    draw();
    changed();
    item.paint?.focus();
  }

  function draw() {
    const held = items.find(({ drop }) => drop && drop === document.activeElement);
    list.replaceChildren(...items.map((item) => {
      const shown = h("img", { alt: "", width: 56, height: 56, src: item.src ? safeUrl(item.src, document.baseURI) : "icon.svg" });
      const drop = item.drop = h("button", { type: "button", className: "quiet", textContent: t("in.remove"), "aria-label": t("in.removeName", { name: item.name }) });
      drop.addEventListener("click", () => remove(item));
      item.bar = h("progress", { max: 1, value: item.progress ?? 1, "aria-label": t("in.uploadOf", { name: item.name }) });
      const state = isReady(item) ? roleOf(item) : item.failed ? h("span", { className: "trouble", textContent: t("in.notUploaded") }) : item.bar;
      return h("li", {}, shown, h("span", { className: "name", title: item.name }, item.name), state, drop);
    }));
    held?.drop.focus();
  }

  return {
    isBusy,
    upload,
    /** Opens the choice of the user's own pictures. */
    choose() {
      const { node, pictures } = picker();
      node.showModal();
      pictures.clear();
      pictures.load();
    },
    /** Returns the pictures, and the mask of the one that is changed, as POST /estimate takes them. */
    wanted() {
      const inputs = items.filter(isReady).map(({ reference, role }, index) => ({ ...reference, role: index ? "reference" : role ?? "edit" }));
      const drawn = inputs[0]?.role === "edit" && items.find(isReady).mask;
      return { ...(inputs.length && { inputs }), ...(drawn && { mask: drawn }) };
    },
    /** Returns what can be kept: an upload's file is not shown again, because nothing serves it. */
    kept: () => items.filter(isReady).map(({ reference, role, name, src, mask: kept }) => ({ reference, role, name, mask: kept, ...(reference.image && { src }) })),
    /** Shows what was kept, or nothing. */
    set(kept) {
      items.forEach(end);
      items = [...kept];
      note.textContent = "";
      draw();
    },
  };
}
