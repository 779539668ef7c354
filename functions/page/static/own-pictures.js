/** The user's own pictures: the gallery, which asks the service and not this browser, and what can be done with one. */

import { usdText } from "./format.js";
import { asInput } from "./inputs-view.js";
import { firstOf } from "./machine.js";
import { pictureDialog } from "./picture-dialog.js";
import { pictureList } from "./picture-list.js";
import { $ } from "./ui.js";

const GONE = { code: "image_deleted", status: 410, detail: "", charged: true, retryable: false };
/** Operations that need a picture and no prompt, as POST /estimate names them. */
const OPERATIONS = [["upscale", "Upscale"], ["cutout", "Remove background"]];

/** What a picture was requested with, for more pictures like it. */
const like = ({ prompt, style, quality, size }) => ({ prompt, ...(style && { style }), quality, size });

/** A generation as it is after one of its pictures is deleted; the same object if it has not that picture. */
function withoutPicture(generation, id) {
  const images = generation.images?.map((one) => (one.image?.id === id ? { ...one, status: "failed", problem: GONE } : one));
  const left = firstOf(images);
  if (!images?.some((one, index) => one !== generation.images[index]))
    return generation.image?.id === id && !images ? { ...generation, problem: GONE } : generation;
  return { ...generation, images, ...(left ? { image: left } : { problem: GONE }) };
}

/** `change(request)` opens the form with a request, `quote(request)` shows the offer of one that has no prompt. */
export function ownPictures(client, told, { change, quote }) {
  const found = new Set();
  const list = pictureList(client, told, (image) => open(image));
  let isStale = true;
  let looked;
  $("gallery-note").replaceWith(list.node);

  const edit = (image) => change({ inputs: [asInput(image)] });
  const dialog = pictureDialog(client, {
    failed: told.failed,
    removed,
    actions: [
      { text: "Change this picture", fits: () => true, act: edit },
      // More pictures from other pictures would need those again: only the quote, not the image, names them.
      { text: "Make more", fits: ({ prompt, inputs = [] }) => Boolean(prompt) && !inputs.length, act: (image) => change({ ...like(image), count: 4 }) },
      { text: "Vary", fits: ({ prompt }) => Boolean(prompt), act: (image) => change({ ...like(image), count: 4, inputs: [{ ...asInput(image), role: "reference" }] }) },
      ...OPERATIONS.map(([operation, text]) => ({
        text, fits: () => found.has(operation), act: ({ id }) => quote({ operation, inputs: [{ image: id }] }),
      })),
    ],
  });

  /** Which operations the catalog has now; without an answer, none is shown. */
  function operations() {
    looked ??= client.models().then(({ models }) => {
      for (const { operation, available } of models) if (available && operation) found.add(operation);
    }, () => { looked = undefined; });
    return looked;
  }

  async function open(image) {
    await operations();
    dialog(image);
  }

  function removed({ id, cost }) {
    told.say(`The picture is deleted. ${cost ? `The charge of ${usdText(cost.charged)} stays` : "Its charge stays"}.`);
    for (const element of document.querySelectorAll("generated-image")) if (element.data) element.data = withoutPicture(element.data, id);
    if (list.remove(id)) return;
    isStale = true;
    if (document.querySelector("main").dataset.shown === "pictures") $("gallery-title").focus();
  }

  return {
    change: edit,
    open,
    gallery: {
      /** Shows the newest pictures, anew if one was made since. */
      show() {
        if (!isStale) return;
        list.clear();
        if (!told.hasToken()) return;
        isStale = false;
        list.load();
      },
      change() { isStale = true; },
    },
    /** Shows nobody's pictures. */
    clear() {
      isStale = true;
      looked = undefined;
      found.clear();
      list.clear();
    },
  };
}
