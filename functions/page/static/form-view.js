/** The form: a live price while the request is written, and the images made of it. */

import { makerText, providerName, usdText } from "./format.js";
import { keep, kept } from "./person.js";
import { $, explain, h, picture } from "./ui.js";
import { besideText } from "./words.js";

const KEY = "imagegen.made";
const ORDER = "imagegen.order";
const PAUSE_MS = 350;
const MOST = 6;

export function formView(client, told) {
  const [form, price, why, list] = [$("order"), $("price"), $("why"), $("made")];
  let turn = 0;
  let timer;
  let offer;
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

  /** Returns the form's request, without empty fields. */
  function request() {
    const given = [...new FormData(form)].filter(([, value]) => value.trim());
    const { count, ...wanted } = Object.fromEntries(given);
    return count ? { ...wanted, count: Number(count) } : wanted;
  }

  async function ask() {
    const mine = ++turn;
    const wanted = request();
    keep(ORDER, wanted);
    if (!wanted.prompt) return tell("", "Write a prompt and see its price. Asking is free.");
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

  function fill(wanted) {
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
    `${makerText(made)}, ${besideText(made)}. Quality ${quality}: ${qualityReason}.`;

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
  function refresh() {
    const made = kept(KEY, []);
    list.replaceChildren(...made.map(show));
    offer = made.length && isOpen(made[0]) ? list.firstElementChild : undefined;
    // What somebody writes, or what a link asks for, stays.
    if (!form.elements.prompt.value) fill(kept(ORDER, {}));
    tell("", "Write a prompt and see its price. Asking is free.");
  }
  refresh();

  return {
    ask,
    /** Shows the images of the user who is there now. */
    refresh,
    /** Shows a request and asks for its price. */
    open(wanted) {
      form.reset();
      fill(wanted);
      return ask();
    },
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
