/** The user's own pictures: the gallery, which asks the service and not this browser, and what can be done with one. */

import { usdText } from "./format.js";
import { asInput } from "./inputs-view.js";
import { firstOf } from "./machine.js";
import { pictureDialog } from "./picture-dialog.js";
import { pictureList } from "./picture-list.js";
import { $, explain } from "./ui.js";
import { undoable } from "./undo.js";

const GONE = { code: "image_deleted", status: 410, detail: "", charged: true, retryable: false };
/** Operations that need a picture and no prompt, as POST /estimate names them. */
const OPERATIONS = [["upscale", "Upscale", "Make this picture larger"], ["cutout", "Remove background", "Remove the background of this picture"]];

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

/**
 * `change(inputs)` gives pictures to the composer; `quote(words, request)` shows the offer of a request in the conversation.
 */
export function ownPictures(client, told, { change, quote }) {
  const found = new Set();
  const list = pictureList(client, told, (image) => open(image));
  let isStale = true;
  let looked;
  $("gallery-note").replaceWith(list.node);

  const edit = (image) => change([asInput(image)]);
  const vary = (image) => quote("Four variations of this picture", { ...like(image), count: 4, inputs: [{ image: image.id, role: "reference" }] });
  const dialog = pictureDialog([
    { text: "Edit", fits: () => true, act: edit },
    // More pictures from other pictures would need those again: only the quote, not the image, names them.
    { text: "Make more", fits: ({ prompt, inputs = [] }) => Boolean(prompt) && !inputs.length, act: (image) => quote("Four more like this picture", { ...like(image), count: 4 }) },
    { text: "Vary", fits: ({ prompt }) => Boolean(prompt), act: vary },
    ...OPERATIONS.map(([operation, text, words]) => ({
      text, fits: () => found.has(operation), act: ({ id }) => quote(words, { operation, inputs: [{ image: id }] }),
    })),
    { text: "Delete", fits: () => true, act: (image) => remove(image) },
  ]);

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

  /** Takes a picture away at once, and deletes it once nobody has taken that back. */
  function remove(image) {
    const before = [...document.querySelectorAll("generated-image")].map((element) => [element, element.data])
      .filter(([, data]) => data && withoutPicture(data, image.id) !== data);
    for (const [element, data] of before) element.data = withoutPicture(data, image.id);
    if (!list.remove(image.id)) isStale = true;
    const focus = () => $($("gallery").hidden ? "say" : "gallery-title").focus();
    if (document.activeElement === document.body) focus();
    const cost = image.cost ? `The charge of ${usdText(image.cost.charged)} stays` : "Its charge stays";
    const text = `The picture is deleted, with its prompt and its links. ${cost}.`;
    const back = () => {
      for (const [element, data] of before) element.data = data;
      isStale = true;
      if (!$("gallery").hidden) show();
    };
    told.say(`${text} There are ten seconds to undo it.`);
    undoable(text, {
      undo() {
        back();
        focus();
        told.say("The picture is kept.");
      },
      commit: (options) => client.remove(image.id, options).catch((error) => {
        back();
        told.note(`The picture is not deleted. ${explain(error)}`);
        told.failed(error);
      }),
    });
  }

  async function upscale(image) {
    await operations();
    if (!found.has("upscale")) return told.note("No model can upscale now.");
    quote(OPERATIONS[0][2], { operation: "upscale", inputs: [{ image: image.id }] });
  }

  /** Shows the newest pictures, anew if one was made since. */
  function show() {
    if (!isStale) return;
    list.clear();
    if (!told.hasToken()) return;
    isStale = false;
    list.load();
  }

  return {
    edit,
    vary,
    upscale,
    remove,
    open,
    gallery: { show, change() { isStale = true; } },
    /** Shows nobody's pictures. */
    clear() {
      isStale = true;
      looked = undefined;
      found.clear();
      list.clear();
    },
  };
}
