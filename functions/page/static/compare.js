/** Two to four models side by side: one request for all of them, one button with one number, each picture with its own end. */

import { WORDS } from "./compare-en.js";
import { isolate, levelText, microUsd, moneyText, providerName, qualityName, secondsText, usdText } from "./format.js";
import { english, t } from "./locale.js";
import { addStyle } from "./sheets.js";
import { explain, h, tell } from "./ui.js";

english(WORDS);

export const MOST = 4;
/** A second click, meant for what was there before, confirms nothing. */
const GUARD_MS = 600;
const STORED = "complete";
const OVER = [STORED, "failed", "cancelled"];

const css = `
.compare > *, .models > * { min-width: 0; }
.compare { display: grid; gap: .8rem; padding: 1rem 1.1rem; }
.compare.over { padding: 0; border: 0; background: none; box-shadow: none; }
.compare > .prompt { overflow-wrap: anywhere; }
.rivals { display: grid; grid-template-columns: minmax(0, 1fr) auto auto; column-gap: 1rem; }
.rivals li { display: grid; grid-template-columns: subgrid; grid-column: 1 / -1; padding: .5rem 0; border-top: 1px solid var(--color-border-secondary); font-variant-numeric: tabular-nums; }
.rivals b { font-weight: 600; overflow-wrap: anywhere; }
.rivals :is(span, b + b, span + b) { text-align: end; }
.rivals small { grid-column: 1; color: var(--color-text-secondary); font-size: .82rem; }
.rivals .left { color: var(--color-text-secondary); }
.rivals .left small { grid-column: 1 / -1; }
.rivals span { color: var(--color-text-secondary); white-space: nowrap; }
.sides { display: grid; grid-template-columns: repeat(var(--across), minmax(0, 1fr)); gap: .8rem; align-items: start; }
.sides > li { display: grid; gap: .4rem; }
.sides.fresh { pointer-events: none; }
.sides .keep { justify-content: center; min-height: 44px; }
.sides .keep[aria-pressed=true] { background: var(--tint); border-color: var(--accent); }
.sides.kept { grid-template-columns: minmax(0, 1fr); }
.sides.kept > li:not(.chosen) { display: none; }
.models { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 19rem), 1fr)); gap: 0 1.6rem; border: 1px solid var(--color-border-secondary); border-radius: var(--border-radius-md); padding: .2rem .7rem; }
.models label { display: grid; grid-template-columns: auto minmax(0, 1fr) auto; align-items: center; gap: .6rem; min-height: 44px; margin: 0; cursor: pointer; color: var(--color-text-primary); }
.models small { display: block; font-weight: 400; color: var(--color-text-secondary); }
.models input { width: 20px; height: 20px; margin: 0; }
@media (max-width: 699px) { .sides { grid-template-columns: minmax(0, 1fr); } .compare .main { flex: 1 0 100%; min-height: 48px; } }
`;
/** The clients of images that are being made, by image id: whatever shows them again follows the same request. */
const running = new Map();

const shortName = (model) => isolate(model.split("/").pop());
const sumOf = (generations, name) => generations.reduce((all, { estimate }) => all + microUsd(estimate.price[name]), 0);

/** Returns the request that compares the choices of an offer. */
export function requestOf({ prompt, estimate }) {
  const { model: _, quality: __, count: ___, ...request } = estimate.request ?? {};
  const compare = [...new Set(estimate.choices.map((one) => one.request.model).filter(Boolean))].slice(0, MOST);
  return { ...request, prompt, compare };
}

/**
 * Asks for the price of each model, which is free. Returns an offer for each, as `generations`, and the
 * models that are left out, as `[{model, why}]`. It fails only if no model has a price.
 */
export async function priced(client, { compare, count: _, ...request }, options) {
  const looks = await Promise.allSettled(compare.map((model) => client.estimate({ ...request, model }, options)));
  options?.signal?.throwIfAborted();
  const [seen, left] = [new Map(), []];
  looks.forEach(({ value: estimate, reason }, index) => {
    const row = estimate && [estimate.provider, estimate.model, estimate.quality, estimate.size].join();
    if (!estimate) left.push({ model: compare[index], why: explain(reason) });
    else if (seen.has(row)) left.push({ model: compare[index], why: t("compareTwice") });
    else seen.set(row, { id: estimate.imageId, prompt: estimate.prompt, status: "pending", estimate });
  });
  if (!seen.size) throw looks[0].reason;
  return { generations: [...seen.values()], left };
}

/** Returns why one click for all of these offers would be refused, or nothing. */
export function refusalOf(generations, { maxCost }) {
  const { blocked } = generations.find(({ estimate }) => estimate.blocked)?.estimate ?? {};
  if (blocked) return explain({ problem: { ...blocked, code: blocked.reason, status: 429 } });
  const sum = sumOf(generations, "ceiling");
  if (maxCost && sum > microUsd(maxCost)) return t("compareAboveYours", { money: moneyText(sum), limit: usdText(maxCost) });
  const { usdToday, imagesThisHour, imagesToday } = generations[0].estimate.remaining ?? {};
  if (usdToday !== undefined && sum > microUsd(usdToday)) return t("compareAboveDay", { money: moneyText(sum), left: usdText(usdToday) });
  const most = Math.min(...[imagesThisHour, imagesToday].filter((one) => typeof one === "number"));
  return most < generations.length ? t("compareRoom", { left: most }) : "";
}

/** Returns the total as it stands on the page's price line. */
export const totalText = ({ generations }) => t("compareTotal", { money: moneyText(sumOf(generations, "ceiling")), count: generations.length });

function rowOf({ estimate }) {
  const { provider, model, price, typicalSeconds, fallback } = estimate;
  const about = [providerName(provider), levelText(estimate), fallback && t("compareInstead", { model: shortName(fallback.model) })];
  return h("li", {}, h("b", { textContent: shortName(model) }), h("span", { textContent: t("about", { time: secondsText(typicalSeconds) }) }),
    h("b", { textContent: usdText(price.ceiling) }), h("small", { textContent: about.filter(Boolean).join(" · ") }));
}

const leftOut = ({ model, why }) => h("li", { className: "left" }, h("span", { textContent: model }), h("small", { textContent: why }));

/** What one request for several images comes to, for each of them apart: its element follows it as it would follow a run of its own. */
export function followed(client, ids, isAbsent) {
  const heard = ids.map(() => new Set());
  const ends = ids.map(() => {
    const end = {};
    end.promise = new Promise((resolve, reject) => Object.assign(end, { resolve, reject }));
    end.promise.catch(() => {});
    return end;
  });
  const clientOf = (index) => ({
    ...client,
    watch(id, options = {}) {
      if (id !== ids[index]) return client.watch(id, options);
      if (options.onProgress) heard[index].add(options.onProgress);
      return ends[index].promise;
    },
  });
  const fail = (index, problem) => ends[index].reject(Object.assign(new Error(problem.detail), { problem }));

  /** Takes in a list of the images, as it is while they are made or at the end. */
  function tell({ images, startedAt: begun }) {
    images?.forEach(({ id, status, image, problem, startedAt = begun }, index) => {
      if (status === STORED) ends[index].resolve(image);
      else if (problem) fail(index, problem);
      else if (startedAt) heard[index].forEach((listener) => listener({ id, startedAt }));
    });
  }

  /** After an error for all of them: looks at each. Returns whether certainly none was made or begun. */
  async function look(problem) {
    const looks = await Promise.allSettled(ids.map((id) => client.status(id)));
    if (problem.charged === false && looks.every(({ reason }) => reason && isAbsent(reason))) return true;
    looks.forEach(({ value, reason }, index) => {
      if (value?.status === STORED) ends[index].resolve(value);
      else if (value?.status === "generating") client.watch(ids[index]).then(ends[index].resolve, ends[index].reject);
      else if (value) fail(index, { ...problem, ...(value.code !== problem.code && { detail: "" }), code: value.code ?? "unknown", charged: value.charged, retryable: Boolean(value.retryable) });
      else fail(index, { ...problem, charged: isAbsent(reason) && problem.charged === false ? false : null });
    });
    return false;
  }

  return { clientOf, tell, look };
}

/**
 * Shows the comparison of a message: its offer, then its pictures. `view.picture(generation, client)` returns
 * an element for one picture; `view.save()` keeps the message; `view.keep()` goes on with the one that was chosen;
 * `view.failed(error)` is told of an error; `view.isAbsent(error)` says whether there certainly is no such image.
 */
export function comparison(client, message, view) {
  addStyle(css);
  const card = h("section", { className: "card", "aria-label": t("comparison") });
  card.classList.add("compare");
  const note = h("p", { className: "hint", role: "status" });
  let timer, problem = "", isFresh = false, mark = () => {};

  const button = (text, act, more) => {
    const made = h("button", { type: "button", className: "quiet", textContent: text, ...more });
    made.addEventListener("click", act);
    return made;
  };
  const open = () => message.generations.filter(({ status }) => status === "pending");
  const isOffer = () => message.generations.every(({ status }) => ["pending", "declined"].includes(status));

  function draw() {
    clearTimeout(timer);
    const offered = isOffer();
    card.classList.toggle("over", !offered);
    if (offered) offer();
    else sides();
  }

  /** Does nothing for a moment with what has just appeared under the pointer. */
  function guarded() {
    isFresh = true;
    setTimeout(() => { isFresh = false; }, GUARD_MS);
  }

  function offer() {
    const { generations, compare: { request, left } } = message;
    const isDeclined = generations[0].status === "declined";
    const ends = Math.min(...generations.map(({ estimate }) => Date.parse(estimate.expiresAt)));
    const isOver = client.now() >= ends;
    const refusal = refusalOf(generations, request);
    const sum = sumOf(generations, "ceiling");
    const [usual, slowest] = [sumOf(generations, "expected"), Math.max(...generations.map(({ estimate }) => estimate.typicalSeconds))];
    const acts = isDeclined ? [button(t("undo"), () => set("pending"))] : isOver || refusal || problem ? [button(t("newPrice"), anew, { className: "main" })] : [
      button(t("compareButton", { count: generations.length, money: moneyText(sum) }), confirm, { className: "main" }),
      h("span", { className: "hint", textContent: [usual < sum && t("usually", { price: moneyText(usual) }), t("about", { time: secondsText(slowest) })].filter(Boolean).join(" · ") }),
      button(t("notNow"), () => set("declined")),
    ];
    tell(note, isDeclined ? t("declinedFree")
      : problem || refusal || (isOver ? t("compareExpired")
        : t("comparePromise", { money: moneyText(sum) })));
    card.replaceChildren(h("p", { className: "prompt", dir: "auto", textContent: generations[0].prompt }),
      h("ul", { className: "rivals" }, ...generations.map(rowOf), ...left.map(leftOut)), note, h("div", { className: "row" }, ...acts));
    if (!isOver && !isDeclined) timer = setTimeout(draw, Math.max(50, ends - client.now()));
  }

  function set(status) {
    for (const one of message.generations) one.status = status;
    view.save();
    guarded();
    draw();
  }

  async function anew() {
    card.setAttribute("aria-busy", true);
    try {
      const found = await priced(client, message.compare.request);
      message.replaced = [...(message.replaced ?? []), ...message.generations.map(({ id }) => id)];
      message.generations = found.generations;
      message.compare = { ...message.compare, left: found.left };
      problem = "";
      view.save();
      guarded();
    } catch (error) {
      problem = error;
    }
    card.removeAttribute("aria-busy");
    draw();
  }

  /** The click: one request for all offers. */
  async function confirm() {
    if (isFresh || !isOffer()) return;
    const generations = open();
    const ids = generations.map(({ id }) => id);
    const run = followed(client, ids, view.isAbsent);
    generations.forEach((one) => { one.status = "generating"; });
    view.save();
    clearTimeout(timer);
    card.classList.add("over");
    ids.forEach((id, index) => running.set(id, run.clientOf(index)));
    sides();
    guarded();
    const list = card.querySelector(".sides");
    list.classList.add("fresh");
    setTimeout(() => list.classList.remove("fresh"), GUARD_MS);
    try {
      const quotes = generations.map(({ estimate }) => estimate.quotes?.[0] ?? estimate.quote);
      run.tell(await client.generate(quotes, generations[0].prompt, { imageId: ids, mixed: true, onProgress: run.tell }));
    } catch (error) {
      const found = error.problem ?? { code: "network", detail: error.message, charged: null };
      view.failed(error);
      if (!await run.look(found)) return;
      problem = error;
      message.generations.forEach((one, index) => { message.generations[index] = { id: one.id, prompt: one.prompt, status: "pending", estimate: one.estimate }; });
      view.save();
      draw();
    } finally {
      ids.forEach((id) => running.delete(id));
    }
  }

  /** The pictures, each with what became of it. */
  function sides() {
    const items = message.generations.map((generation) => {
      const element = view.picture(generation, running.get(generation.id) ?? client);
      const keep = button(t("compareKeep"), () => choose(generation.id), { hidden: true });
      keep.classList.add("keep");
      return { id: generation.id, element, keep, item: h("li", {}, element, keep) };
    });
    const list = h("ul", { className: "sides" }, ...items.map(({ item }) => item));
    list.style.setProperty("--across", items.length === 3 ? 3 : 2);
    const others = button("", () => choose(""));
    mark = () => {
      // None of them was begun: the offer of all is open again.
      if (isOffer()) return draw();
      const { generations, compare: { kept } } = message;
      const stored = generations.filter(({ status, problem: gone }) => status === STORED && !gone);
      const isKept = stored.length > 0 && items.some(({ id }) => id === kept);
      list.classList.toggle("kept", isKept);
      others.hidden = !isKept || items.length < 2;
      others.textContent = t("compareAll", { count: items.length });
      items.forEach((one, index) => {
        one.id = generations[index].id;
        one.item.classList.toggle("chosen", one.id === kept);
        one.keep.hidden = isKept || !stored.some(({ id }) => id === one.id) || items.length < 2;
      });
      note.textContent = generations.every(({ status }) => OVER.includes(status)) ? chargedText(generations) : "";
    };
    list.addEventListener("image-change", () => setTimeout(mark));
    card.replaceChildren(list, h("div", { className: "row" }, note, others));
    mark();
  }

  function choose(id) {
    message.compare.kept = id;
    view.save();
    mark();
    if (id) view.keep();
    else card.querySelector(".keep:not([hidden])")?.focus();
  }

  draw();
  return card;
}

/** What all of them cost together, exactly as it is stored. */
function chargedText(generations) {
  const stored = generations.filter(({ status, image }) => status === STORED && image?.cost);
  const sum = stored.reduce((all, { image }) => all + microUsd(image.cost.charged), 0);
  const isOpen = generations.some(({ status, problem }) => status !== STORED && problem?.charged !== false);
  const charged = t("compareCharged", { money: moneyText(sum), stored: stored.length, count: generations.length });
  return isOpen ? `${charged} ${t("compareOpen")}` : charged;
}

/** A list of models of which two to four can be chosen; `changed(keys)` is called with those. */
export function modelPicker(rows, chosen, changed) {
  addStyle(css);
  const boxes = [...rows].sort((one, other) => microUsd(one.sizes[0].price) - microUsd(other.sizes[0].price)).map(({ key, model, provider, quality, sizes, typicalSeconds }) => {
    const box = h("input", { type: "checkbox", value: key, checked: chosen.includes(key) });
    const about = `${providerName(provider)} · ${qualityName(quality)} · ${secondsText(typicalSeconds)}`;
    return { box, label: h("label", {}, box, h("span", {}, shortName(model), h("small", { textContent: about })), h("span", { textContent: usdText(sizes[0].price) })) };
  });
  const keys = () => boxes.filter(({ box }) => box.checked).map(({ box }) => box.value);
  const limit = () => {
    const isFull = keys().length >= MOST;
    for (const { box } of boxes) box.disabled = isFull && !box.checked;
  };
  const list = h("div", { className: "models", role: "group", "aria-label": t("compareChoose") }, ...boxes.map(({ label }) => label));
  list.addEventListener("input", (event) => {
    event.stopPropagation();
    limit();
    changed(keys());
  });
  limit();
  return h("div", {}, h("p", { className: "hint", textContent: t("compareFree") }), list);
}
