/** The user's own pictures: the gallery, which asks the service and not this browser, and what can be done with one. */

import { usdText } from "./format.js";
import { asInput } from "./inputs-view.js";
import { english, t } from "./locale.js";
import { firstOf } from "./machine.js";
import { pictureDialog } from "./picture-dialog.js";
import { pictureList } from "./picture-list.js";
import { WORDS } from "./pictures-en.js";
import { $, explain } from "./ui.js";
import { undoable } from "./undo.js";

english(WORDS);

const GONE = { code: "image_deleted", status: 410, detail: "", charged: true, retryable: false };
/** Operations that need a picture and no prompt, as POST /estimate names them. */
const OPERATIONS = ["upscale", "cutout"];

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
  let people = 0;
  $("gallery-note").replaceWith(list.node);

  const edit = (image) => change([asInput(image)]);
  const vary = (image) => quote(t("pic.fourVariations"), { ...like(image), count: 4, inputs: [{ image: image.id, role: "reference" }] });
  const dialog = pictureDialog([
    { text: t("act.edit"), fits: () => true, act: edit },
    // More pictures from other pictures would need those again: only the quote, not the image, names them.
    { text: t("pic.makeMore"), fits: ({ prompt, inputs = [] }) => Boolean(prompt) && !inputs.length, act: (image) => quote(t("pic.fourMore"), { ...like(image), count: 4 }) },
    { text: t("act.vary"), fits: ({ prompt }) => Boolean(prompt), act: vary },
    ...OPERATIONS.map((operation) => ({
      text: t(`pic.${operation}`), fits: () => found.has(operation), act: ({ id }) => quote(t(`pic.${operation}Words`), { operation, inputs: [{ image: id }] }),
    })),
    { text: t("delete"), fits: () => true, act: (image) => remove(image) },
  ]);

  /** Learns which operations the catalog has now; without an answer, none is shown. Returns whether the same person is there. */
  async function operations() {
    const mine = people;
    looked ??= client.models().then(({ models }) => {
      for (const { operation, available } of models) if (available && operation) found.add(operation);
    }, () => { looked = undefined; });
    await looked;
    return mine === people;
  }

  const open = async (image) => await operations() && dialog(image);

  /** Takes a picture away at once, and deletes it once nobody has taken that back. */
  function remove(image) {
    const before = [...document.querySelectorAll("generated-image")].map((element) => [element, element.data])
      .filter(([, data]) => data && withoutPicture(data, image.id) !== data);
    for (const [element, data] of before) element.data = withoutPicture(data, image.id);
    if (!list.remove(image.id)) isStale = true;
    const focus = () => $($("gallery").hidden ? "say" : "gallery-title").focus();
    if (document.activeElement === document.body) focus();
    const text = `${t("pic.deleted")} ${image.cost ? t("pic.chargeStays", { price: usdText(image.cost.charged) }) : t("pic.someChargeStays")}`;
    const back = () => {
      // What was made there since stays.
      for (const [element, data] of before) if (element.data?.id === data.id) element.data = data;
      isStale = true;
      if (!$("gallery").hidden) show();
    };
    told.say(`${text} ${t("pic.tenSeconds")}`);
    undoable(text, {
      undo() {
        back();
        focus();
        told.say(t("pic.kept"));
      },
      commit: (options) => client.remove(image.id, options).catch((error) => {
        back();
        told.note(`${t("pic.notDeleted")} ${explain(error)}`);
        told.failed(error);
      }),
    });
  }

  async function upscale(image) {
    if (!await operations()) return;
    if (!found.has("upscale")) return told.note(t("pic.noUpscale"));
    quote(t("pic.upscaleWords"), { operation: "upscale", inputs: [{ image: image.id }] });
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
      people += 1;
      isStale = true;
      looked = undefined;
      found.clear();
      list.clear();
    },
  };
}
