/** The form: a live price while the request is written, and the images made of it. */

import { makerText, providerName, usdText } from "./format.js";
import { keep, kept } from "./person.js";
import { $, explain, h, late, picture } from "./ui.js";
import { besideText } from "./words.js";

const KEY = "imagegen.made";
const ORDER = "imagegen.order";
const PAUSE_MS = 350;
const MOST = 6;
const WRITE = "Write a prompt and see its price. Asking is free.";
const CHANGE = "Write what should change, and see its price. Asking is free.";

export function formView(client, told) {
  const [form, price, why, list] = [$("order"), $("price"), $("why"), $("made")];
  let turn = 0;
  let fills = 0;
  let timer;
  let offer;
  let pictures;
  const save = () => keep(KEY, [...list.children].map(({ data }) => data));
  const isOpen = ({ status }) => status === "pending" || status === "declined";

  function show(generation) {
    const element = picture(client, generation);
    element.addEventListener("image-change", ({ detail }) => {
      // A clicked offer stays where it is; the next offer gets an element of its own.
      if (element === offer && !isOpen(detail.generation)) offer = undefined;
      save();
    });
    return element;
  }

  function offered(estimate) {
    const generation = { id: estimate.imageId, prompt: estimate.prompt, status: "pending", estimate };
    if (offer) [offer.data, offer.inert] = [generation, false];
    else list.prepend((offer = show(generation)));
    while (list.childElementCount > MOST) list.lastChild.remove();
    save();
  }

  const inputs = late(() => import("./pictures.js").then(({ inputsView }) => (pictures = inputsView(client, told, changed))));
  const withInputs = (act) => inputs().then(act, (error) => tell("", explain(error)));

  /** A request with pictures has the size of the first one, unless another size is chosen. */
  function fitSize() {
    const { size } = form.elements;
    const same = size.querySelector("[value=same]");
    const isNeeded = Boolean(pictures.wanted().inputs || pictures.isBusy());
    if (isNeeded === !same.disabled) return;
    same.hidden = same.disabled = !isNeeded;
    size.value = isNeeded ? "same" : "square";
  }

  function changed() {
    fitSize();
    if (offer) offer.inert = true;
    ask();
  }

  const isEmpty = () => !form.elements.prompt.value;

  /** Puts a request into the form; returns whether it is the newest one, and still fits, once its pictures can be shown. */
  async function put(wanted, fits = () => true) {
    const mine = ++fills;
    // What a link says of pictures is none.
    const found = Array.isArray(wanted.inputs) ? wanted.inputs : [];
    if (pictures || found.length) {
      const shown = await inputs();
      if (mine !== fills || !fits()) return false;
      shown.set([]);
      fitSize();
      shown.set(found);
      fitSize();
    }
    fill(wanted);
    return true;
  }

  /** Returns the form's request, without empty fields. */
  function request() {
    const given = [...new FormData(form)].filter(([, value]) => value.trim());
    const { count, ...wanted } = Object.fromEntries(given);
    return { ...wanted, ...(count && { count: Number(count) }), ...pictures?.wanted() };
  }

  async function ask() {
    clearTimeout(timer);
    const wanted = request();
    keep(ORDER, { ...wanted, inputs: pictures?.kept() ?? [] });
    turn += 1;
    form.removeAttribute("aria-busy");
    if (!wanted.prompt) return tell("", wanted.inputs ? CHANGE : WRITE);
    if (pictures?.isBusy()) return tell("", "The price comes when the picture is uploaded.");
    await quote(wanted);
  }

  /** Shows the offer of a request. */
  async function quote(wanted) {
    const mine = ++turn;
    form.setAttribute("aria-busy", true);
    try {
      const estimate = await client.estimate(wanted);
      if (mine !== turn) return;
      tell(`at most ${usdText(estimate.price.ceiling)}`, reason(estimate));
      offered(estimate);
    } catch (error) {
      if (mine !== turn) return;
      tell("", explain(error));
      told.failed(error);
    } finally {
      if (mine === turn) form.removeAttribute("aria-busy");
    }
  }

  function fill({ inputs: _, ...wanted }) {
    for (const [name, given] of Object.entries(wanted)) {
      const value = String(given);
      const field = form.elements[name];
      if (field?.options && ![...field.options].some((one) => one.value === value))
        field.append(h("option", { value, textContent: value }));
      if (field) field.value = value;
    }
  }

  function tell(amount, text) {
    price.textContent = amount;
    why.textContent = text;
  }

  const reason = ({ quality, qualityReason, ...made }) =>
    [`${makerText(made)}, ${besideText(made)}.`, qualityReason && `Quality ${quality}: ${qualityReason}.`].filter(Boolean).join(" ");

  form.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(ask, PAUSE_MS);
    // The button belongs to the previous text.
    if (offer) offer.inert = true;
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    ask();
  });
  $("choose").addEventListener("click", () => withInputs((shown) => shown.choose()));
  $("send-file").addEventListener("click", () => $("file").click());
  $("file").addEventListener("input", (event) => {
    event.stopPropagation();
    const [file] = $("file").files;
    $("file").value = "";
    if (file) withInputs((shown) => shown.upload(file));
  });
  function refresh() {
    const made = kept(KEY, []);
    list.replaceChildren(...made.map(show));
    offer = made.length && isOpen(made[0]) ? list.firstElementChild : undefined;
    // What somebody writes, or what a link asks for, stays.
    if (isEmpty()) put(kept(ORDER, {}), isEmpty);
    tell("", WRITE);
  }
  refresh();

  return {
    ask,
    /** Shows the images of the user who is there now. */
    refresh,
    /** Shows a request and asks for its price. */
    async open(wanted) {
      form.reset();
      if (offer) offer.inert = true;
      if (await put(wanted)) await ask();
    },
    /** Shows the price of a request that has no prompt. */
    quote,
    /** Empties the form. */
    clear() {
      turn += 1;
      form.reset();
      refresh();
    },
    /** Puts the providers into the list, once they are known. */
    providers(names) {
      const select = $("provider");
      if (select.options.length > 1) return;
      select.append(...names.map((name) => h("option", { value: name, textContent: providerName(name) })));
      select.value = kept(ORDER, {}).provider ?? "";
    },
  };
}
