/** One picture, large, with what is known about it and what can be done with it. */

import { dateText } from "./dates.js";
import { altText, levelText, makerText, safeUrl, sizeText, usdText } from "./format.js";
import { savePicture } from "./saving.js";
import { addStyle } from "./sheets.js";
import { h } from "./ui.js";

const css = `
#alone { width: 100vw; height: 100dvh; max-width: none; max-height: none; padding: 0; border: 0; border-radius: 0; background: #000; cursor: zoom-out; }
#alone img { display: block; width: 100%; height: 100%; object-fit: contain; }
`;

const C2PA = { present: "A C2PA manifest is in the file; nobody has checked it here.", absent: "No C2PA manifest is in the file." };
const WATERMARK = { synthid: "Its vendor says that it has a SynthID watermark." };

/** In place of a prompt, for what is made without one. */
const MADE = { upscale: "A larger version of a picture", cutout: "A picture without its background" };

/** What is known about a picture: `[name, text]`. */
function factsOf({ cost, provider, model, size, quality, operation, style, createdAt, inputs = [], provenance }) {
  const { c2pa, watermark } = provenance ?? {};
  const made = inputs.length === 1 ? "1 picture" : `${inputs.length} pictures`;
  return [
    ["Price", cost && `${usdText(cost.charged)} charged`],
    ["Model", provider && makerText({ provider, model })],
    ["Quality", levelText({ quality, operation })],
    ["Size", size && sizeText(size)],
    ["Style", style],
    ["Made", createdAt && dateText(createdAt)],
    ["Made from", inputs.length && made],
    ["Origin", ["Made by AI.", C2PA[c2pa], WATERMARK[watermark]].filter(Boolean).join(" ")],
  ].filter(([, text]) => text);
}

/** Returns `open(image)`. `actions`: `[{text, fits, act}]`, each shown where it fits the picture. */
export function pictureDialog(actions) {
  const picture = h("img", {});
  const link = h("a", { target: "_blank", rel: "noopener", title: "Open in full size" }, picture);
  const prompt = h("p", { dir: "auto", className: "prompt" });
  const facts = h("dl", {});
  const note = h("p", { className: "hint", role: "status" });
  const title = h("h2", { id: "picture-title", textContent: "Your picture" });
  const close = h("button", { type: "button", className: "quiet", textContent: "Close" });
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
      note.textContent = `${navigator.share ? "Shared" : "Link copied"}. Whoever has the link sees the picture, without the prompt, until you delete it.`;
    } catch (error) {
      if (error.name !== "AbortError") note.textContent = `The browser refused to copy. Here is the link: ${url}`;
    }
  }

  async function download() {
    note.textContent = await savePicture(safeUrl(image.imageUrl, document.baseURI), image.prompt);
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
    prompt.textContent = image.prompt || (MADE[image.operation] ?? "The prompt was not kept.");
    facts.replaceChildren(...factsOf(image).flatMap(([name, text]) => [h("dt", { textContent: name }), h("dd", { textContent: text })]));
    const more = actions.filter(({ fits }) => fits(image)).map(({ text, act }) => button(text, () => {
      dialog.close();
      act(image);
    }));
    row.replaceChildren(button("Download", download), button(navigator.share ? "Share" : "Copy link", share), ...more);
    note.textContent = "";
    dialog.showModal();
    close.focus();
  };
}
