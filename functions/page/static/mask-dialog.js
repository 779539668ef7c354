/** What of a picture may change: painted with a brush, or given as an area in numbers. It becomes a mask. */

import { safeUrl } from "./format.js";
import { english, t } from "./locale.js";
import { WORDS } from "./mask-en.js";
import { explain, h } from "./ui.js";

english(WORDS);

const COLOUR = "#d6246e";
const AREA = [["left", 25], ["top", 25], ["width", 50], ["height", 50]];
const css = `
#mask { width: min(100vw - 1.5rem, 46rem); }
#mask .sheet { position: relative; display: grid; justify-self: center; width: fit-content; max-width: 100%; margin: 0 auto; border-radius: 10px; overflow: hidden; }
#mask .sheet > * { grid-area: 1 / 1; max-width: 100%; max-height: 52dvh; }
#mask canvas { width: 100%; height: 100%; opacity: .55; cursor: crosshair; touch-action: none; }
#mask .tools { display: flex; flex-wrap: wrap; gap: .5rem 1rem; align-items: end; margin-top: .7rem; }
#mask .tools label { margin: 0; flex: 1 1 9rem; }
#mask [type=range] { padding: 0; }
#mask .tools [aria-pressed=true] { border-color: var(--accent); color: var(--color-text-primary); background: var(--tint); }
#mask details { margin-top: .6rem; }
#mask summary { min-height: 40px; line-height: 40px; cursor: pointer; font-size: .87rem; }
#mask details > div { display: grid; grid-template-columns: repeat(auto-fit, minmax(6.5rem, 1fr)); gap: 0 .6rem; align-items: end; }
#mask .hint { margin: .6rem 0; min-height: 1.3em; }
`;

/** An error with words of its own, as `explain` shows it. */
const failure = (key) => Object.assign(new Error(key), { problem: { said: t(key) } });

async function loaded(src) {
  const shown = h("img", { alt: "", src: safeUrl(src, document.baseURI) });
  await shown.decode().catch(() => { throw failure("mask.notShown"); });
  return shown;
}

function sheetOf({ naturalWidth: width, naturalHeight: height }) {
  const canvas = h("canvas", { width, height, "aria-label": t("mask.canvas") });
  canvas.setAttribute("role", "img");
  const pen = canvas.getContext("2d");
  Object.assign(pen, { lineCap: "round", lineJoin: "round", strokeStyle: COLOUR, fillStyle: COLOUR });
  return { canvas, pen };
}

/** How much of a sheet is painted, from 0 to 1: seen in a small copy. */
function shareOf(canvas) {
  const side = 64;
  const small = h("canvas", { width: side, height: side }).getContext("2d", { willReadFrequently: true });
  small.drawImage(canvas, 0, 0, side, side);
  const { data } = small.getImageData(0, 0, side, side);
  return data.reduce((sum, value, at) => (at % 4 === 3 ? sum + value : sum), 0) / (255 * side * side);
}

/** The mask of a sheet: a PNG of its size, transparent where it is painted, which is where the picture may change. */
function maskOf(canvas) {
  const { width, height } = canvas;
  const sheet = h("canvas", { width, height });
  const pen = sheet.getContext("2d");
  pen.fillRect(0, 0, width, height);
  pen.globalCompositeOperation = "destination-out";
  pen.drawImage(canvas, 0, 0);
  return new Promise((resolve, reject) => sheet.toBlob((content) => (content
    ? resolve(new File([content], "mask.png", { type: "image/png" })) : reject(failure("mask.tooLarge"))), "image/png"));
}

/** Paints with a pointer; `size()` is the brush's width in pixels of the picture, `changed()` follows each stroke. */
function paintable({ canvas, pen }, { size, changed }) {
  let last;
  const at = ({ clientX, clientY }) => {
    const box = canvas.getBoundingClientRect();
    return [(clientX - box.left) * canvas.width / box.width, (clientY - box.top) * canvas.height / box.height];
  };
  const draw = (event) => {
    const here = at(event);
    pen.lineWidth = size();
    pen.beginPath();
    pen.moveTo(...(last ?? here));
    pen.lineTo(...here);
    pen.stroke();
    last = here;
  };
  canvas.addEventListener("pointerdown", (event) => {
    if (event.button) return;
    canvas.setPointerCapture(event.pointerId);
    draw(event);
  });
  canvas.addEventListener("pointermove", (event) => last && draw(event));
  for (const name of ["pointerup", "pointercancel"]) canvas.addEventListener(name, () => { last = undefined; changed(); });
}

/** Number fields of an area in percent of the picture; `fill(left, top, width, height)` gets parts of 1. */
function areaFields(fill) {
  const fields = AREA.map(([name, value]) => h("input", { type: "number", min: 0, max: 100, step: "any", value, inputMode: "decimal", name }));
  const apply = h("button", { type: "button", className: "quiet", textContent: t("mask.markThis") });
  apply.addEventListener("click", () => fill(...fields.map(({ valueAsNumber }) => Math.min(100, Math.max(0, valueAsNumber || 0)) / 100)));
  return h("details", {}, h("summary", { textContent: t("mask.byNumbers") }),
    h("div", {}, ...fields.map((field) => h("label", {}, t(`mask.${field.name}`), field)), apply));
}

/**
 * Opens the dialog for a picture `{src, name}`. Returns the mask as a file, `null` if all of the picture may change,
 * and `undefined` if the person leaves without a choice.
 */
async function paintMask({ src, name }) {
  const shown = await loaded(src);
  const sheet = sheetOf(shown);
  const { canvas, pen } = sheet;
  const button = (text, className = "quiet") => h("button", { type: "button", className, textContent: text });
  const [paint, erase, clear, use, all, close] = [button(t("mask.paint")), button(t("mask.erase")), button(t("mask.clear")), button(t("mask.use"), "main"), button(t("mask.all")), button(t("close"))];
  const width = h("input", { type: "range", min: 1, max: 50, value: 12 });
  const note = h("p", { className: "hint", role: "status" });
  let share = 0;

  function tell() {
    share = shareOf(canvas);
    const percent = Math.max(1, Math.round(share * 100));
    note.textContent = share ? t("mask.share", { percent }) : t("mask.nothing");
  }
  function take(tool) {
    for (const one of [paint, erase]) one.setAttribute("aria-pressed", one === tool);
    pen.globalCompositeOperation = tool === erase ? "destination-out" : "source-over";
  }
  paintable(sheet, { size: () => width.valueAsNumber / 100 * Math.min(canvas.width, canvas.height), changed: tell });
  const area = areaFields((left, top, wide, high) => {
    pen.fillRect(left * canvas.width, top * canvas.height, wide * canvas.width, high * canvas.height);
    tell();
  });
  paint.addEventListener("click", () => take(paint));
  erase.addEventListener("click", () => take(erase));
  clear.addEventListener("click", () => { pen.clearRect(0, 0, canvas.width, canvas.height); tell(); });
  take(paint);
  tell();

  const looks = new CSSStyleSheet();
  looks.replaceSync(css);
  document.adoptedStyleSheets.push(looks);
  const dialog = h("dialog", { id: "mask", "aria-labelledby": "mask-title" },
    h("header", {}, h("h2", { id: "mask-title", textContent: t("mask.title", { name }) }), close),
    h("div", { className: "sheet" }, shown, canvas),
    h("div", { className: "tools" }, h("div", { className: "row" }, paint, erase, clear), h("label", {}, t("mask.brush"), width)),
    area, note, h("div", { className: "row" }, use, all));
  document.body.append(dialog);
  try {
    return await new Promise((resolve, reject) => {
      const end = (value) => { resolve(value); dialog.close(); };
      use.addEventListener("click", () => (share ? maskOf(canvas).then(end, (error) => { reject(error); dialog.close(); }) : tell()));
      all.addEventListener("click", () => end(null));
      close.addEventListener("click", () => end(undefined));
      dialog.addEventListener("close", () => resolve(undefined));
      dialog.showModal();
      paint.focus();
    });
  } finally {
    dialog.remove();
    document.adoptedStyleSheets = document.adoptedStyleSheets.filter((one) => one !== looks);
  }
}

/**
 * Lets the person paint what may change of a picture, and stores that as its mask `{upload}`.
 * `fits()` says whether the picture is still there, `changed()` asks for a new price.
 */
export async function changeMask(client, item, { fits, say, failed, changed }) {
  try {
    const painted = await paintMask(item);
    if (painted === undefined || !fits()) return;
    item.mask = undefined;
    item.isMaskSent = Boolean(painted);
    say(t(painted ? "mask.storing" : "mask.allSaid"));
    changed();
    if (!painted) return;
    item.mask = { upload: await client.upload(painted) };
    say(t("mask.stored"));
  } catch (error) {
    // Without a dialog nothing has changed.
    say(`${t(item.mask ? "mask.before" : "mask.notStored")} ${explain(error)}`);
    failed(error);
  } finally {
    item.isMaskSent = false;
  }
}
