/** The settings of a request, and its price while it is written. With one of them, the words are the prompt as they are. */

import { qualityName, secondsText, usdText } from "./format.js";
import { languageField } from "./language-field.js";
import { english, t } from "./locale.js";
import { keep, kept, ORDER } from "./person.js";
import { WORDS } from "./settings-en.js";
import { $, h, late, tell } from "./ui.js";

english(WORDS);

const PAUSE_MS = 350;
const SIZES = ["square", "landscape", "portrait", "same"];
const QUALITIES = ["fast", "standard", "high", "ultra"];
const COUNTS = [["", "1"], ["2", "2"], ["3", "3"], ["4", "4"]];
const NUMBERS = ["count", "seed"];

function choice(name, label, options) {
  const select = h("select", { id: name, name }, ...options.map(([value, textContent]) => h("option", { value, textContent })));
  return h("div", {}, h("label", { htmlFor: name, textContent: label }), select);
}

const field = (name, label, properties) =>
  h("div", {}, h("label", { htmlFor: name, textContent: label }), h("input", { id: name, name, ...properties }));

const model = () => {
  const found = choice("model", t("set.model"), [["", t("set.bestPrice")]]);
  found.append(h("button", { type: "button", className: "quiet", id: "rivals", "aria-expanded": false }));
  return found;
};

/** Returns the fields, in the order in which they are decided. */
const fields = () => [
  choice("size", t("set.size"), SIZES.map((one) => [one, t(`size.${one}`)])), choice("count", t("set.count"), COUNTS),
  choice("quality", t("set.quality"), [["", t("set.fromWords")], ...QUALITIES.map((one) => [one, qualityName(one)])]),
  model(),
  field("maxCost", t("set.maxCost"), { type: "number", min: "0.001", step: "any", inputMode: "decimal", placeholder: t("set.noLimit") }),
  field("style", t("set.style"), { maxLength: 200, placeholder: t("set.styleExample") }),
  choice("background", t("set.background"), [["", t("set.asWords")], ["transparent", t("set.transparent")]]),
  field("seed", t("set.seed"), { type: "number", min: "0", step: "1", inputMode: "numeric", placeholder: t("set.any") }),
];

export function settingsView(client, told) {
  const [form, price, why, drawer] = [$("composer"), $("price"), $("why"), $("settings")];
  let turn = 0, fills = 0, filled;
  let timer, pictures, looked, known, compared = [], list;
  const clear = h("button", { type: "button", className: "quiet", textContent: t("set.none") });
  drawer.append(h("div", { className: "fields" }, ...fields(), languageField(told.reload)),
    h("div", { className: "row" }, clear, h("p", { className: "hint", textContent: t("set.hint") })));

  const comparing = late(() => import("./compare.js"));
  const inputs = late(() => import("./pictures.js").then(({ inputsView }) => (pictures = inputsView(client, told, changed))));
  const withInputs = (act) => inputs().then(act, (error) => show("", error));

  /** Returns what is set beside the prompt, without empty fields. */
  function wishes() {
    const { prompt: _, ...given } = Object.fromEntries([...new FormData(form)].filter(([, value]) => value.trim()));
    // Square is what there is without a wish; from a picture it is one.
    if (given.size === "square" && !pictures?.wanted().inputs) delete given.size;
    for (const name of NUMBERS) if (given[name]) given[name] = Number(given[name]);
    if (compared.length < 2) return given;
    // Each model makes one image, in its own quality.
    const { model: __, quality: ___, count: ____, ...rest } = given;
    return { ...rest, compare: compared };
  }

  /** Returns what is priced word for word; nothing if the words go to the chat. */
  function request(prompt = form.elements.prompt.value.trim()) {
    const wanted = { ...wishes(), ...pictures?.wanted() };
    return Object.keys(wanted).length ? { prompt, ...wanted } : null;
  }

  /** A request with pictures has the size of the first one, unless another size is chosen. */
  function fitSize() {
    const { size } = form.elements;
    const same = size.querySelector("[value=same]");
    const isNeeded = Boolean(pictures?.wanted().inputs || pictures?.isBusy());
    if (isNeeded === !same.disabled) return;
    same.hidden = same.disabled = !isNeeded;
    size.value = isNeeded ? "same" : "square";
  }

  function changed() {
    fitSize();
    ask();
  }

  function mark() {
    const { size, ...rest } = wishes();
    const count = Object.keys(rest).length + (size && size !== "same" ? 1 : 0);
    $("tune").textContent = count ? t("set.counted", { count }) : t("settings");
    clear.hidden = !count;
    const isCompared = compared.length > 1;
    $("rivals").textContent = isCompared ? t("compared", { count: compared.length }) : t("compareModels");
    for (const name of ["model", "quality", "count"]) form.elements[name].disabled = isCompared;
  }

  async function ask() {
    clearTimeout(timer);
    turn += 1;
    form.removeAttribute("aria-busy");
    mark();
    const inputsKept = pictures?.kept() ?? [];
    keep(ORDER, { ...wishes(), ...(inputsKept.length && { inputs: inputsKept }) });
    const wanted = request();
    if (!wanted) return show("", "");
    if (pictures?.isBusy()) return show("", t("set.afterUpload"));
    if (!wanted.prompt) return show("", wanted.inputs ? t("set.whatChanges") : "");
    await quote(wanted);
  }

  async function alone(wanted) {
    const { price: { ceiling }, typicalSeconds } = await client.estimate(wanted);
    return [t("set.atMost", { price: usdText(ceiling) }), t("about", { time: secondsText(typicalSeconds) })];
  }

  async function together(wanted) {
    const { priced, totalText } = await comparing();
    return [totalText(await priced(client, wanted)), ""];
  }

  async function quote(wanted) {
    const mine = turn;
    form.setAttribute("aria-busy", true);
    try {
      const [amount, about] = wanted.compare ? await together(wanted) : await alone(wanted);
      if (mine !== turn) return;
      show(amount, "");
      price.title = about;
    } catch (error) {
      if (mine !== turn) return;
      show("", error);
      told.failed(error);
    } finally {
      if (mine === turn) form.removeAttribute("aria-busy");
    }
  }

  function show(amount, said) {
    price.textContent = amount;
    tell(why, said);
  }

  function fill({ inputs: _, mask: __, compare, ...wanted }) {
    if (Array.isArray(compare)) compared = compare.map(String);
    for (const [name, given] of Object.entries(wanted)) {
      const value = String(given);
      const box = form.elements[name];
      if (box?.options && ![...box.options].some((one) => one.value === value)) box.append(h("option", { value, textContent: value }));
      if (box) box.value = value;
    }
    mark();
  }

  /** Puts settings and pictures into the drawer; returns whether they are still the newest ones once they can be shown. */
  async function put(wanted) {
    const mine = ++fills;
    // What a link says of pictures is none.
    const found = Array.isArray(wanted.inputs) ? wanted.inputs : [];
    if (pictures || found.length) {
      const shown = await inputs();
      if (mine !== fills) return false;
      shown.set([]);
      fitSize();
      shown.set(found);
      fitSize();
    }
    fill(wanted);
    return true;
  }

  /** Puts the models into the list when the drawer is first opened. */
  function models() {
    looked ??= client.models().then(({ models: all }) => {
      const rows = all.filter(({ available, operation }) => available && operation === "generate");
      const chosen = known?.model ?? "";
      const select = form.elements.model;
      select.append(...rows.map(({ key, model, quality, sizes }) =>
        h("option", { value: key, textContent: t("set.modelRow", { model: model.split("/").pop(), quality: qualityName(quality), price: usdText(sizes[0].price) }) })));
      if (chosen) fill({ model: chosen });
      return rows;
    }, (error) => {
      looked = undefined;
      told.failed(error);
    });
    return looked;
  }

  /** Shows the list of models that can be compared, or takes it away. */
  async function rivals() {
    if (list) return noRivals();
    const [{ modelPicker }, rows] = await Promise.all([comparing(), models()]);
    list = modelPicker(rows ?? [], compared, (keys) => {
      compared = keys;
      ask();
    });
    drawer.querySelector(".fields").after(list);
    $("rivals").setAttribute("aria-expanded", true);
    list.querySelector("input")?.focus();
  }

  function noRivals() {
    list?.remove();
    list = undefined;
    $("rivals").setAttribute("aria-expanded", false);
  }

  function setOpen(isOpen) {
    drawer.hidden = !isOpen;
    $("tune").setAttribute("aria-expanded", isOpen);
    if (isOpen) models();
  }

  function reset() {
    compared = [];
    noRivals();
    for (const one of [...form.elements]) if (one.name && one.name !== "prompt") one.value = one.name === "size" ? "square" : "";
    fitSize();
  }

  form.addEventListener("input", () => {
    clearTimeout(timer);
    mark();
    timer = setTimeout(ask, PAUSE_MS);
    // The price belongs to the previous text.
    turn += 1;
    price.textContent = "";
  });
  $("rivals").addEventListener("click", () => rivals().catch((error) => show("", error)));
  clear.addEventListener("click", () => {
    reset();
    ask();
    form.elements.size.focus();
  });
  function refresh() {
    known = kept(ORDER, {});
    reset();
    filled = late(() => put(known));
    filled().then((isShown) => isShown && ask(), (error) => show("", error));
  }
  refresh();

  return {
    ask,
    toggle() {
      setOpen(drawer.hidden);
      if (!drawer.hidden) form.elements.size.focus();
    },
    choose: () => withInputs((shown) => shown.choose()),
    upload: (file) => withInputs((shown) => shown.upload(file)),
    request,
    /** Resolves when what this person left is in the fields. */
    filled: () => filled(),
    /** Returns the names of the pictures that are sent with the words. */
    pictures: () => (pictures?.kept() ?? []).map(({ name }) => name),
    isBusy: () => Boolean(pictures?.isBusy()),
    /** Shows the settings of the user who is there now. */
    refresh,
    /** Shows settings, and pictures to start from. */
    async open(wanted) {
      reset();
      if (!await put(wanted)) return;
      setOpen(Object.keys(wanted).some((name) => name !== "inputs" && name !== "prompt"));
      await ask();
    },
    /** Takes pictures and a comparison out once they are sent: they belonged to that request. */
    sent() {
      // The answer stands above the composer, where an open drawer would cover it.
      setOpen(false);
      compared = [];
      noRivals();
      pictures?.set([]);
      changed();
    },
  };
}
