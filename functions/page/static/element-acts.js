/** What an element does with a picture, and after a click that asks for a price. It is loaded at the latest when an image is made. */

import { safeUrl } from "./format.js";
import { ICONS, icon } from "./icons.js";
import { t } from "./locale.js";
import { isUnknown, problemOf } from "./machine.js";

/** The buttons on a picture: what each does, the key of its name, its symbol. */
const BUTTONS = [["download", "download", ICONS.download], ["copy", "copyLink", ICONS.link], ["grab", "grab", ICONS.code], ["info", "llmInfo", ICONS.info]];
/** What the button of a failure does. */
const [LOOK, AGAIN, PRICE] = ["look", "again", "newPrice"];
/** A picture that did not load is tried again after these times, and whenever the network is back. */
const HEAL_MS = [3_000, 10_000, 30_000];

const urlOf = ({ image }) => safeUrl(image.imageUrl, document.baseURI);

/** Returns what the buttons on a picture do, by their names. */
function pressesOf({ ask, generation, host, late, parts, say }) {
  let dialog;
  async function put(text, said) {
    try {
      await navigator.clipboard.writeText(text);
      say(said);
    } catch {
      say("copyRefused", { text });
    }
  }
  function info() {
    const { provider, model, size, quality, cost, durationMs, createdAt, llmApiCall } = generation().image;
    dialog ??= host.shadowRoot.appendChild(document.createElement("llm-info"));
    dialog.calls = [llmApiCall ?? { type: "image", provider, model, size, quality, cost: cost?.charged ?? null, durationMs, success: true, timestamp: createdAt }];
    dialog.open?.();
  }
  return {
    download: () => late(async ({ savePicture }) => say(await savePicture(urlOf(generation()), generation().prompt))),
    copy: () => ask("image-copy") && put(urlOf(generation()), "linkCopied"),
    grab: () => ask("image-grab") && late(({ markdownText }) => put(markdownText(parts.picture.alt, urlOf(generation())), "markdownCopied")),
    info: () => ask("image-info") && info(),
  };
}

/** Returns a list item for each of several images; `h` makes elements. */
const itemsOf = (images, { h, shown, alt, press }) => images.map(({ image, problem, status }, index) => {
  if (status === "generating") return h("li", { class: "loads" }, h("span", { class: "sr" }, t("beingMade", { index: index + 1 })));
  if (!image || problem) return h("li", { class: "soft" }, t(image ? "deleted" : problem?.charged === false ? "notMade" : "notKnown"));
  const item = h("li", { class: "loads" });
  const loaded = () => item.classList.remove("loads");
  const shownAs = t("oneOf", { alt: alt(image), index: index + 1, count: images.length });
  item.append(h("button", { type: "button", "aria-pressed": String(index === shown), onclick: (event) => press(event, index) },
    h("img", { alt: shownAs, src: safeUrl(image.imageUrl, document.baseURI), onload: loaded, onerror: loaded })));
  return item;
});

/** Returns the list of several images that are made or being made, and what draws it; `own` is what an element has inside. */
function gridOf(h, own, enlarge) {
  const { alt, arrived, choose, generation, host, parts } = own;
  const grid = h("ul", { class: "grid", "data-t-aria-label": "images" });
  parts.say.before(grid);
  let first = 0, drawn;

  /** Several images that are being made, each in its state as far as it is known. */
  function waited() {
    const ids = generation().estimate?.imageIds ?? [];
    return ids.length > 1 ? ids.map((one, index) => arrived()[index] ?? { id: one, status: "generating" }) : [];
  }

  /** Chooses one of several images: what the card says and its buttons do is about that one. */
  function press(event, index, shown) {
    if (index === shown) return enlarge(event);
    first = index;
    return choose(generation().images[index].image);
  }

  function draw() {
    const { show } = host.dataset;
    const images = (show === "done" ? generation().images : show === "wait" && waited()) || [];
    grid.hidden = !images.length;
    const key = [t("images"), show, first, ...images.map(({ id, status }) => id + status)].join();
    if (drawn === key) return;
    drawn = key;
    const focused = grid.contains(host.shadowRoot.activeElement);
    const shown = images.findIndex((one, index) => one.image && !one.problem && index >= first);
    grid.replaceChildren(...itemsOf(images, { h, shown, alt, press: (event, index) => press(event, index, shown) }));
    if (focused) grid.querySelector("[aria-pressed=true]")?.focus();
  }

  return { grid, draw, begin() { first = 0; } };
}

/** Returns what an element does with the picture it shows: alone in the window, and when its file does not load. */
function pictureOf(h, own) {
  const { client, generation, host, late, parts, render, take, tellOf } = own;
  const { card, frame, link, picture } = parts;
  const seen = h("img", { class: "seen", alt: "" });
  link.after(seen);
  let lost = 0, url = "", id, healing;

  /** With a key held, the link opens as links do. */
  function enlarge(event) {
    if (event.metaKey || event.ctrlKey || event.shiftKey) return;
    event.preventDefault();
    late((loaded) => loaded.enlarge(card, { alt: picture.alt, src: urlOf(generation()) }));
  }
  const grid = gridOf(h, own, enlarge);

  /** Loads again what did not load. */
  function heal() {
    if (lost) frame.classList.add("loads");
    for (const one of [picture, ...grid.grid.querySelectorAll("img")]) if (one.src && one.complete && !one.naturalWidth) one.src = `${one.src}`;
  }

  /** The file does not load: finds out whether it was deleted. If not, it is tried again. */
  async function unloaded() {
    const { image, id: of } = generation();
    lost += 1;
    render();
    clearTimeout(healing);
    const wait = HEAL_MS[lost - 1];
    if (wait) healing = setTimeout(heal, wait);
    try {
      await client().status(image.imageUrl);
    } catch (error) {
      if (error.problem?.status === 410) take(of, { type: "gone", problem: error.problem });
      else if (own.isAbsent(error)) tellOf(error.problem);
    }
  }

  function loaded() {
    frame.classList.remove("loads");
    if (!lost) return;
    lost = 0;
    render();
  }

  /** Draws what is its own; `words` are changed where the picture is not seen. */
  function draw(words) {
    if (id !== generation().id) {
      ({ id } = generation());
      lost = 0;
      grid.begin();
    }
    const done = host.dataset.show === "done";
    if (done && url !== link.href) {
      url = link.href;
      lost = 0;
      frame.classList.toggle("loads", !generation().images && !picture.complete);
    }
    const preview = host.dataset.state === "preview" ? safeUrl(generation().previewUrl, document.baseURI) : "";
    if (preview && seen.src !== preview) seen.src = preview;
    grid.draw();
    host.toggleAttribute("data-lost", done && lost > 0);
    if (done && lost) Object.assign(words, { head: t("pictureLost"), note: t("pictureLostNote"), said: t("pictureLost") });
  }

  parts.say.append(h("button", { type: "button", part: "button", class: "plain heal", "data-t": "tryAgain", onclick: heal }));
  // It may have failed before this was loaded.
  if (picture.src && picture.complete && !picture.naturalWidth) Promise.resolve().then(unloaded);
  return { draw, enlarge, heal, loaded, unloaded };
}

/** Returns what asks for a price, which is free; it never spends. */
function pricesOf({ apply, ask, busy, client, generation, host, isLive, look, parts, take, tellOf }) {
  /** What the button of a failure does. */
  function way() {
    const { estimate, prompt } = generation();
    if (isUnknown(generation()) || !prompt && !estimate) return LOOK;
    // The same quote is charged once, even if the lost request still arrives.
    const { status, code } = problemOf(generation()) ?? {};
    return isLive(estimate) && ([401, 403, 500].includes(status) || ["network", "store_unavailable"].includes(code)) ? AGAIN : PRICE;
  }

  /** What this offer was requested with, with changes. */
  function wish(change) {
    const { prompt, estimate, image } = generation();
    const { quality, size, style } = estimate ?? image ?? {};
    const wished = { prompt, ...(estimate?.request ?? { quality, size, style }), ...change };
    return Object.fromEntries(Object.entries(wished).filter(([, value]) => value || value === 0));
  }

  async function quote(request, mayAsk = () => true) {
    const { id } = generation();
    busy(true);
    try {
      if (!await mayAsk()) return;
      const estimate = await client().estimate(request);
      take(id, { type: "quoted", estimate });
    } catch (error) {
      if (!error.problem) throw error;
      if (generation()?.id === id) tellOf(error.problem);
    } finally {
      busy(false);
    }
  }

  /** Looks at the status, returns to the offer or gets a new price. */
  async function retry(prompt = generation().prompt) {
    const request = wish({ prompt });
    if (parts.retry.getAttribute("aria-disabled") === "true" || !ask("image-retry", { ...generation(), prompt }, { request })) return;
    const what = way();
    if (what === AGAIN) { apply({ type: "unmade" }); return; }
    // It may have been confirmed in another tab.
    const isLooked = async () => !(what === LOOK || host.dataset.state === "expired") || (await look() && what !== LOOK);
    await quote(request, isLooked);
  }

  /** Asks for the price of a choice. */
  async function use({ request: chosen }) {
    const request = wish(chosen);
    if (ask("image-retry", generation(), { request })) await quote(request);
  }

  return { retry, use, way };
}

/** Builds what an element has only after the click and returns what it does with it; `h` makes elements, `own` is what is inside of one. */
export function actsOf(h, own) {
  const { generation, parts } = own;
  const presses = pressesOf(own);
  const picture = pictureOf(h, own);
  const prices = pricesOf(own);
  parts.bar.prepend(...BUTTONS.map(([name, key, path]) => h("button", { type: "button", part: "button", "data-t-title": key, onclick: () => presses[name]() },
    icon(path), h("span", { class: "sr", "data-t": key }))));
  const words = h("textarea", { dir: "auto", maxlength: "32000" });
  const form = h("form", { onsubmit: (event) => { event.preventDefault(); prices.retry(words.value); } },
    h("label", {}, h("span", { "data-t": "changePrompt" }), words), h("button", { class: "main", "data-t": "getPrice" }));
  parts.details.before(form);

  function draw(said, state) {
    const { id, prompt } = generation();
    picture.draw(said);
    parts.retry.textContent = t(prices.way());
    if (state !== "refused" || form.dataset.id === id) return;
    form.dataset.id = id;
    words.value = prompt;
  }

  return { ...picture, ...prices, draw };
}
