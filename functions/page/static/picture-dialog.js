/** One picture, large, with what is known about it and what can be done with it. */

import { dateText } from "./dates.js";
import { altText, levelText, safeUrl, sizeText, usdText } from "./format.js";
import { makerText } from "./makers.js";
import { WORDS as ACTS } from "./acts-en.js";
import { english, has, t } from "./locale.js";
import { WORDS } from "./pictures-en.js";
import { savePicture } from "./saving.js";
import { addStyle } from "./sheets.js";
import { h } from "./ui.js";

english(ACTS);
english(WORDS);

const css = `
#alone { width: 100vw; height: 100dvh; max-width: none; max-height: none; padding: 0; border: 0; border-radius: 0; background: #000; cursor: zoom-out; }
#alone img { display: block; width: 100%; height: 100%; object-fit: contain; }
`;

/** Words are there for these marks and operations. */
const known = (key) => (has(key) ? t(key) : "");

/** What is known about a picture: `[name, text]`. */
function factsOf({ cost, provider, model, size, quality, operation, style, createdAt, inputs = [], provenance }) {
  const { c2pa, watermark } = provenance ?? {};
  return [
    ["pic.price", cost && t("pic.charged", { price: usdText(cost.charged) })],
    ["rows.model", provider && makerText({ provider, model })],
    ["rows.quality", levelText({ quality, operation })],
    ["rows.size", size && sizeText(size)],
    ["rows.style", style],
    ["pic.made", createdAt && dateText(createdAt)],
    ["pic.madeFrom", inputs.length && t("pic.pictures", { count: inputs.length })],
    ["pic.origin", [t("pic.byAi"), known(`pic.c2pa.${c2pa}`), known(`pic.mark.${watermark}`)].filter(Boolean).join(" ")],
  ].filter(([, text]) => text).map(([key, text]) => [t(key), text]);
}

/** Returns `open(image)`. `actions`: `[{text, fits, act}]`, each shown where it fits the picture. */
export function pictureDialog(actions) {
  const picture = h("img", {});
  const link = h("a", { target: "_blank", rel: "noopener", title: t("pic.fullSize") }, picture);
  const prompt = h("p", { dir: "auto", className: "prompt" });
  const facts = h("dl", {});
  const note = h("p", { className: "hint", role: "status" });
  const title = h("h2", { id: "picture-title", textContent: t("pic.yours") });
  const close = h("button", { type: "button", className: "quiet", textContent: t("close") });
  const row = h("div", { className: "row" });
  const dialog = h("dialog", { id: "picture", "aria-labelledby": "picture-title" },
    h("header", {}, title, close), link, h("div", { className: "about" }, prompt, facts, row, note));
  const alone = h("dialog", { id: "alone" });
  document.body.append(dialog, alone);
  addStyle(css);
  let image;

  /** Shows the picture alone, as large as the screen, until it is pressed; with a key held, the link opens as links do. */
  function enlarge(event) {
    if (event.metaKey || event.ctrlKey || event.shiftKey) return;
    event.preventDefault();
    alone.setAttribute("aria-label", picture.alt);
    alone.replaceChildren(h("img", { alt: picture.alt, src: picture.src }));
    alone.showModal();
  }

  const button = (text, act, className = "quiet") => {
    const made = h("button", { type: "button", className, textContent: text });
    made.addEventListener("click", act);
    return made;
  };

  async function share() {
    const url = safeUrl(image.imageUrl, document.baseURI);
    try {
      if (navigator.share) await navigator.share({ url });
      else await navigator.clipboard.writeText(url);
      note.textContent = `${t(navigator.share ? "pic.shared" : "linkCopied")} ${t("pic.whoHas")}`;
    } catch (error) {
      if (error.name !== "AbortError") note.textContent = t("copyRefused", { text: url });
    }
  }

  async function download() {
    note.textContent = t(await savePicture(safeUrl(image.imageUrl, document.baseURI), image.prompt));
  }

  link.addEventListener("click", enlarge);
  alone.addEventListener("click", () => alone.close());
  close.addEventListener("click", () => dialog.close());
  dialog.addEventListener("click", ({ target }) => target === dialog && dialog.close());

  return function open(given) {
    image = given;
    const url = safeUrl(image.imageUrl, document.baseURI);
    Object.assign(picture, { alt: altText(image.prompt, image.alt), width: image.width ?? 1024, height: image.height ?? 1024, src: url });
    link.href = url;
    prompt.textContent = image.prompt || (known(`pic.made.${image.operation}`) || t("pic.noPrompt"));
    facts.replaceChildren(...factsOf(image).flatMap(([name, text]) => [h("dt", { textContent: name }), h("dd", { textContent: text })]));
    const more = actions.filter(({ fits }) => fits(image)).map(({ text, act }) => button(text, () => {
      dialog.close();
      act(image);
    }));
    row.replaceChildren(button(t("download"), download), button(t(navigator.share ? "pic.share" : "copyLink"), share), ...more);
    note.textContent = "";
    dialog.showModal();
    close.focus();
  };
}
