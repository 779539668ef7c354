/** `<generated-image>`: one image, from its priced offer to the file or to a clear error. */

import { guardClicks } from "./clicks.js";
import { defaultClient, isAbsent, NETWORK } from "./client.js";
import { loadElementWords } from "./elements-words.js";
import { altText, levelText, providerName, safeUrl, sizeText } from "./format.js";
import { fill, hasWords, inLanguage, t, tagFor } from "./locale.js";
import { blockedOf, firstOf, isOpen, isUnknown, next, problemOf, viewState, WAITING } from "./machine.js";
import { adoptable, Base, h, sheetsOf } from "./styles.js";
import { besideText, buttonText, choiceTexts, loadLater, laterNow, moneyPromised, wordsOf } from "./words.js";

const css = `
:host { container-type: inline-size; }
.card {
  display: block; overflow: hidden; max-width: 768px; border: 1px solid var(--line); border-radius: var(--radius); background: var(--bg);
}
.frame { position: relative; overflow: hidden; width: 100%; display: grid; background: var(--bg2); }
.frame > * { grid-area: 1 / 1; min-width: 0; min-height: 0; }
:host([data-box=picture]) .frame { aspect-ratio: var(--r); min-height: 152px; max-height: max(20rem, 100vh - 15.75rem); }
:host([data-box=none]) .frame { display: none; }
.link { position: absolute; inset: 0; }
img { display: block; width: 100%; height: 100%; object-fit: contain; }
.say { position: relative; align-self: center; padding: 20px 12%; text-align: center; text-wrap: balance; }
.head { font-size: 16px; font-weight: 600; }
.note { color: var(--soft); font-variant-numeric: tabular-nums; margin-top: 2px; min-height: 1lh; }
.wait { z-index: 1; align-self: end; margin: 10px; }
.body { position: relative; display: grid; gap: 10px; padding: 12px 16px; }
.prompt {
  font-size: 15px; line-height: 1.45; display: -webkit-box; -webkit-box-orient: vertical; -webkit-line-clamp: 3; overflow: hidden;
}
.line { display: grid; gap: 4px; }
.chips, .prompt { padding-inline-end: 78px; }
.money { color: var(--soft); font-size: 13px; }
.money::before { content: attr(data-most); float: left; width: 100%; margin-right: -100%; visibility: hidden; }
.chips { gap: 6px; }
[data-few] > :not([data-more]), .actions > *, .wait, .bar { display: none; }
[data-fresh] { pointer-events: none; }
.choices { flex: 1 0 100%; display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 118px), 1fr)); gap: 6px; }
.choices button { display: grid; align-content: start; padding: 7px 10px; font-size: 13px; font-weight: 400; line-height: 1.4; text-align: start; }
.choices [aria-pressed=true] { border-color: var(--solid); box-shadow: inset 0 0 0 1px var(--solid); cursor: default; }
.root summary { position: absolute; top: 12px; inset-inline-end: 12px; padding: 0 6px; font-size: 13px; line-height: 28px; color: var(--soft); cursor: pointer; border-radius: 6px; }
details:not([open]) { position: absolute; inset: 0 0 auto; }
:host(:is([data-show=offer], [data-show=shut])) .offer, :host([data-show=redo]) .redo, :host([data-show=undo]) .undo,
:host([data-show=done]) .bar, :host([data-show=wait]) .wait { display: flex; }
:host([data-show=done]) .say,
:host(:is([data-show=edit], [data-show=wait], [data-show=done])) .prompt, :host([data-show=shut]) .offer > :not(.choices),
:host(:is([data-show=wait], [data-show=done])) :is([data-more], .actions), :host(:is([data-show=edit], [data-show=none])) .actions { display: none; }
:host([data-tone=warn]) .frame { background: var(--warn-bg); }
:host([data-tone=warn]) .head { color: var(--warn); }
:host([data-show=undo]) .chips { display: none; }
@container (max-width: 499px) {
  .body { padding: 10px 12px 12px; }
  .main, .beside { flex: 1 0 100%; }
  .root summary { top: 4px; line-height: 44px; }
}
@container (max-width: 379px) { .choices > :last-child:nth-child(odd) { grid-column: 1 / -1; } }
`;

/** Which buttons a state shows, and its tone; "redo" and none where nothing is said. */
const LOOKS = {
  pending: ["offer"], "pending-range": ["offer"], starting: ["wait", "busy"], generating: ["wait", "busy"],
  preview: ["wait"], slow: ["wait", "busy"], complete: ["done"], fallback: ["done"], declined: ["undo"],
  refused: ["edit", "bad"], error: ["redo", "bad"], expired: ["redo", "warn"], limited: ["redo", "warn"],
  gone: ["redo", "warn"], cancelled: ["none"],
};
const CLICKED = "imagegen.clicked";
/** A second click, meant for what was there before, confirms nothing. */
const GUARD_MS = 600;
/** What could not be loaded is tried again after this time. */
const LATER_MS = 5_000;
/** What a click sends: the quote, or the quotes of several images. */
const sent = ({ quote, quotes }) => (quotes?.length > 1 ? quotes : quote);

/** The generation in a JSON text; undefined if there is none. */
function parsed(text) {
  try {
    const value = JSON.parse(text);
    return value === null || typeof value.id === "string" ? value : undefined;
  } catch {
    return undefined;
  }
}

/** The ends of the quotes that a click in this tab confirmed: data alone never confirms. */
function clicked(quote) {
  try {
    const ends = JSON.parse(sessionStorage.getItem(CLICKED)) ?? [];
    if (quote) sessionStorage.setItem(CLICKED, JSON.stringify([quote.slice(-43), ...ends].slice(0, 20)));
    return ends;
  } catch {
    return [];
  }
}

export class GeneratedImageElement extends Base {
  static observedAttributes = ["data", "src", "alt", "lang"];

  #generation = null;
  #client = null;
  #parts = {};
  #said = null;
  #changedAt = 0;
  #clickedAt = 0;
  #stopped = false;
  #hosted = "";
  #followed = "";
  #shownFrame = "";
  #flash = "";
  #given = "";
  #timer;
  #asking = false;
  #choices = null;
  #offered = "";
  #arrived = [];
  #guard;
  #looking = null;
  #tag = "en";
  #page;
  #acts = null;
  #needed = false;

  constructor() {
    super();
    this.attachShadow({ mode: "open" }).adoptedStyleSheets = sheetsOf(css);
    this.#build();
    guardClicks(this.shadowRoot);
    this.#fill();
  }

  /** The ImageGeneration that is shown; set it to show another. */
  get data() { return this.#generation; }
  set data(value) {
    const given = typeof value === "string" ? value : JSON.stringify(value ?? null);
    const generation = parsed(given);
    if (generation?.images && !generation.image) generation.image = firstOf(generation.images);
    // A framework renders the same data again, or writes "[object Object]".
    if (given === this.#given || generation === undefined) return;
    this.#given = given;
    const before = this.#generation;
    const { id, problem, status } = before ?? {};
    if (generation?.id !== id) { this.#stopped = false; this.#clickedAt = 0; this.#arrived = []; }
    else if (generation?.status === "pending" && ["generating", "complete"].includes(status) && this.#hosted !== id) return;
    // A host may set the data of an event again; the start of a limit's waiting time stays.
    if (JSON.stringify(generation?.problem) !== JSON.stringify(problem)) this.#changedAt = this.#now;
    this.#generation = generation;
    this.#render();
    this.#resume();
  }

  /** The client that calls the service; the module's default client unless set. */
  get client() { return this.#client ?? defaultClient; }
  set client(value) { this.#client = value; }

  connectedCallback() {
    adoptable(this, ["client", "data"], () => this.#generation);
    addEventListener("online", this.#online);
    this.#page = new MutationObserver(() => this.#speak());
    this.#page.observe(document.documentElement, { attributeFilter: ["lang"] });
    this.#speak();
    this.#render();
    this.#resume();
  }

  disconnectedCallback() {
    clearTimeout(this.#timer);
    this.#page?.disconnect();
    removeEventListener("online", this.#online);
  }

  attributeChangedCallback(name, _, value) {
    if (name === "alt") this.#render();
    else if (name === "lang") this.#speak();
    else if (value && name === "data") this.data = value;
    else if (value && !(this.#generation && value.includes(this.#generation.id))) {
      this.#followed = "";
      this.data = { id: value.split(/[?#]/)[0].split("/").pop(), prompt: "", status: "generating" };
    }
  }

  #build() {
    const p = this.#parts;
    const part = (name, tag, attributes, ...children) => (p[name] = h(tag, { class: name, ...attributes }, ...children));
    const button = (name, key, act, kind = "") => part(name, "button", { type: "button", class: kind, part: "button", onclick: () => act(), "data-t": key });
    part("card", "div", { class: "card root", part: "card", role: "group", "data-t-aria-label": "imageGeneration", tabindex: "-1" },
      part("status", "p", { class: "sr", role: "status" }),
      part("frame", "div", { part: "frame" },
        part("link", "a", { target: "_blank", rel: "noopener", hidden: "", "data-t-title": "showLarge", onclick: (event) => this.#acts?.enlarge(event) },
          part("picture", "img", { part: "image", onload: () => this.#acts?.loaded(), onerror: () => this.#acts?.unloaded() })),
        part("say", "div", {}, part("head", "p", {}), part("note", "p", { dir: "auto" })),
        h("div", { class: "wait" }, button("cancel", "stop", () => this.#cancel())),
        part("bar", "div", { role: "group", "data-t-aria-label": "actions" }, h("slot", { name: "actions" }))),
      h("div", { class: "body" },
        part("prompt", "p", { dir: "auto" }),
        h("div", { class: "line" }, part("chips", "ul", { class: "chips row", "data-t-aria-label": "modelAndSettings" }), part("money", "p", { part: "money" })),
        h("div", { class: "actions" },
          h("div", { class: "offer row" }, part("choices", "div", { role: "group", "data-t-aria-label": "choices" }),
            button("approve", undefined, () => this.#approve(), "main"), part("beside", "span", { class: "beside soft" }), button("decline", "notNow", () => this.#decline(), "plain"), h("slot", { name: "offer" })),
          h("div", { class: "redo row" }, button("retry", "newPrice", () => this.#price((acts) => acts.retry()), "main")),
          h("div", { class: "undo row" }, button("undo", "undo", () => this.#undo()))),
        part("details", "details", { ontoggle: () => this.#tell() }, h("summary", { "data-t": "details" }), part("facts", "dl"), part("others", "ul", { "data-t-aria-label": "alternatives" }))));
    this.shadowRoot.append(p.card);
  }

  /** Puts in what is needed only after the click, or with a picture, once it is loaded. */
  #dress() {
    const later = laterNow();
    if (!later || this.#acts) return;
    this.#acts = later.actsOf(h, {
      host: this, parts: this.#parts, isAbsent, generation: () => this.#generation, client: () => this.client, arrived: () => this.#arrived,
      isLive: (estimate) => this.#isLive(estimate), alt: (image) => this.#alt(image), look: () => this.#look(), render: () => this.#render(),
      ask: (...asked) => this.#ask(...asked), apply: (event) => this.#apply(event), take: (...taken) => this.#take(...taken), late: (act) => this.#late(act),
      say: (...said) => this.#say(...said), tellOf: (problem) => this.#tellOf(problem),
      busy: (asking) => { this.#asking = asking; this.#render(); },
      choose: (image) => { this.#generation = { ...this.#generation, image }; this.#render(); },
    });
    this.shadowRoot.adoptedStyleSheets.push(sheetsOf(later.css).at(-1));
    fill(this.shadowRoot);
  }

  get #state() { return viewState(this.#generation, this.#now); }

  /** The service's time, in ms since 1970: what this device shows may be wrong. */
  get #now() { return this.client.now?.() ?? Date.now(); }

  #isLive(estimate) { return Boolean(estimate) && this.#now < Date.parse(estimate.expiresAt); }

  #in(act) { return inLanguage(this.#tag, act); }

  #fill() { this.#in(() => fill(this.shadowRoot)); }

  /** Takes the language around the element. Its words are there before it is seen; without them it is English. */
  async #speak() {
    const tag = tagFor(this);
    if (tag === this.#tag) return;
    const { card } = this.#parts;
    if (!hasWords(tag)) {
      card.style.visibility = this.#generation ? "hidden" : "";
      await loadElementWords(tag);
      card.style.visibility = "";
      if (tag !== tagFor(this)) return;
    }
    this.#tag = tag;
    this.#choices = null;
    this.#fill();
    this.#render();
  }

  /** Applies an event; returns whether it changed the generation. */
  #apply(event) {
    const before = this.#generation;
    const after = next(before, event, this.#now);
    if (after === before) return false;
    if (event.type === "cancel") this.#stopped = true;
    this.#generation = after;
    this.#changedAt = this.#now;
    this.#render();
    this.#ask("image-change");
    return true;
  }

  /** Sends an event to the host; false if the host prevents the default and calls the service itself. */
  #ask(type, generation = this.#generation, more = {}) {
    const cancelable = type !== "image-change";
    return this.dispatchEvent(new CustomEvent(type, { bubbles: true, composed: true, cancelable, detail: { generation, ...more } }));
  }

  #render() { this.#in(() => this.#draw()); }

  #draw() {
    const generation = this.#generation;
    const p = this.#parts;
    p.card.hidden = !generation;
    if (!generation) return;
    this.#dress();
    const state = this.#state;
    const held = this.shadowRoot.activeElement;
    this.dataset.state = state;
    const settled = state === "cancelled" ? !isOpen(generation) : state === "pending-range" && !generation.estimate;
    const [show, tone = ""] = LOOKS[state];
    this.dataset.show = settled ? "redo" : blockedOf(generation) && !(this.#opensAt() && this.#opensAt() <= this.#now) ? "shut" : show;
    this.dataset.tone = tone;
    p.card.setAttribute("aria-busy", String(WAITING.includes(state)));
    this.#need();
    this.#frame();
    this.#words(state);
    this.#chips();
    if (p.details.open) this.#tell();
    // A button that disappears loses the focus. If the next button got it, a second Enter could spend.
    if (held && !held.checkVisibility({ visibilityProperty: true })) p.card.focus({ preventScroll: true });
    this.#schedule(state);
  }

  #frame() {
    const { frame, link, picture, head } = this.#parts;
    const { estimate, image, images } = this.#generation;
    const size = image?.size ?? estimate?.size ?? "1024x1024";
    const [width, height] = size.split("x");
    frame.style.setProperty("--r", width / height || 1);
    this.dataset.box = ["wait", "done"].includes(this.dataset.show) ? "picture" : ["offer", "undo"].includes(this.dataset.show) ? "none" : "band";
    head.textContent = sizeText(size);
    const done = this.dataset.show === "done";
    const url = done ? safeUrl(image.imageUrl, document.baseURI) : "";
    link.hidden = !done || Boolean(images);
    picture.alt = this.#alt(image);
    if (url && link.href !== url) {
      link.href = url;
      picture.src = url;
    }
  }

  #alt(image) { return altText(this.getAttribute("alt"), image?.alt, this.#generation.prompt); }

  #words(state) {
    const p = this.#parts;
    const { prompt, estimate, startedAt } = this.#generation;
    const now = this.#now;
    const words = wordsOf(this.#generation, state, {
      now, elapsedMs: now - (this.#clickedAt || Date.parse(startedAt) || now), opensAt: this.#opensAt(), stopped: this.#stopped,
    }) ?? { head: t("loading"), note: "", money: "", said: "" };
    this.#acts?.draw(words, state);
    if (words.head) p.head.textContent = words.head;
    p.note.textContent = words.note;
    p.money.textContent = this.#flash || words.money;
    // As tall as with the promise: what was charged is shorter, and nothing moves when the image is there.
    p.money.dataset.most = moneyPromised(this.#generation);
    // The button has the highest price; beside an offer the sentence is for those who hear it.
    p.money.classList.toggle("sr", this.dataset.show === "offer" && Boolean(estimate) && !this.#flash);
    p.prompt.textContent = prompt;
    p.prompt.hidden = !prompt;
    if (estimate) p.approve.textContent = buttonText(estimate);
    p.beside.textContent = estimate ? besideText(estimate) : "";
    this.#offer(state.startsWith("pending") && estimate ? String(sent(estimate)) : "");
    this.#choose();
    p.retry.setAttribute("aria-disabled", String(this.#asking || state === "limited" && !(this.#opensAt() <= now)));
    const key = [this.#generation.id, state, words.head].join();
    // The first state shown is not a change; after it, each change is announced once.
    if (this.#said !== null && this.#said !== key) p.status.textContent = words.said;
    this.#said = key;
  }

  /** Loads what all states but an offer's need: words, and what an element does in them. */
  #need() {
    if (this.#acts || this.#needed || ["offer", "undo"].includes(this.dataset.show)) return;
    this.#needed = true;
    loadLater().then(() => this.#render(), () => setTimeout(() => { this.#needed = false; if (this.isConnected) this.#render(); }, LATER_MS));
  }

  #chips() {
    const { estimate, image } = this.#generation;
    const made = image?.provider ? image : estimate;
    const { provider, model, size } = made ?? {};
    const level = levelText(made ?? {});
    const style = image?.style ?? estimate?.style;
    const chip = (text, attributes) => h("li", { class: "badge", ...attributes }, h("bdi", {}, text));
    const chips = [
      image?.fallback && chip(t("fallback"), { "data-kind": "fallback" }),
      provider && chip(providerName(provider), { "data-provider": provider }),
      model && chip(model.split("/").pop(), { title: model }),
      ...[size && sizeText(size), level, style].filter(Boolean).map((text) => chip(text, { "data-more": "" })),
    ].filter(Boolean);
    const list = this.#parts.chips;
    // Of several choices, each names its model; the size is that of this offer.
    list.hidden = !chips.length;
    list.toggleAttribute("data-few", this.dataset.show === "offer" && estimate?.choices?.length > 1);
    if (list.textContent !== chips.map((one) => one.textContent).join("")) list.replaceChildren(...chips);
  }

  #tell() {
    const { facts, others, details } = this.#parts;
    if (details.open) this.#late(({ showDetails }) => showDetails(this.#generation, { facts, others }));
  }

  /** Does something with what is loaded when it is first needed. */
  async #late(act) {
    try {
      const loaded = await import("./picture-acts.js");
      await this.#in(() => act(loaded));
    } catch {
      this.#say("notLoaded");
    }
  }

  /** A price that replaces another one, or that appears where another button was, waits for a click of its own. */
  #offer(quote) {
    const { approve } = this.#parts;
    if (quote && quote !== this.#offered && this.#said !== null) {
      clearTimeout(this.#guard);
      this.#guard = setTimeout(() => { this.#guard = undefined; if (this.#generation) this.#render(); }, GUARD_MS);
    }
    this.#offered = quote;
    approve.setAttribute("aria-disabled", String(this.#asking));
    // The keyboard goes on working: it has to be moved to the button first.
    approve.toggleAttribute("data-fresh", this.#guard !== undefined);
  }

  #choose() {
    const { choices = [], blocked } = this.#generation.estimate ?? {};
    const list = this.#parts.choices;
    // Another model helps only where money is the limit.
    list.hidden = choices.length < 2 || Boolean(blocked) && blocked.reason !== "daily_spend";
    if (this.#choices === choices) return;
    this.#choices = choices;
    list.replaceChildren(...choices.map((one, index) => {
      const [name, ...facts] = choiceTexts(one);
      return h("button", { type: "button", "aria-pressed": String(!index), title: providerName(one.provider), onclick: () => index && this.#price((acts) => acts.use(one)) },
        ...(index ? [h("span", { class: "sr" }, t("useThis"))] : []), h("b", {}, name), ...facts.map((text) => h("span", {}, text)));
    }));
  }

  #opensAt() {
    const blocked = blockedOf(this.#generation);
    if (blocked) return Date.parse(blocked.opensAt) || 0;
    const seconds = problemOf(this.#generation)?.retryAfterSeconds;
    return seconds === undefined ? 0 : this.#changedAt + seconds * 1000;
  }

  /** Render again when time alone changes something: each second of a run, else at the next limit. */
  #schedule(state) {
    clearTimeout(this.#timer);
    if (!this.isConnected) return;
    const now = this.#now;
    const { estimate } = this.#generation;
    const at = WAITING.includes(state) ? now + 1000
      : state.startsWith("pending") && estimate ? Date.parse(estimate.expiresAt)
        : state === "limited" && this.#opensAt() > now ? Math.min(now + 60000, this.#opensAt()) : 0;
    if (at) this.#timer = setTimeout(() => this.#tick(), Math.max(50, Math.min(at - now, 2 ** 31 - 1)));
  }

  #tick() {
    this.#render();
    // A limit opens while the person looks: its offer comes back with a new price, which is free.
    if (this.#generation && this.#opensAt() && blockedOf(this.#generation) && this.#opensAt() <= this.#now) this.#price((acts) => acts.retry());
  }

  /** Applies an event or a status record, if its generation is still shown. */
  #take(id, image) {
    const { type, status } = image;
    const known = { failed: { type: status, problem: problemOf({ image }) }, generating: { ...image, type: "resumed" } };
    const completed = image.images ? { image: firstOf(image.images), images: image.images } : { image };
    return this.#generation?.id === id && this.#apply(type ? image : known[status] ?? { type: "completed", ...completed });
  }

  async #follow(promise, id) {
    this.#followed = id;
    try {
      const image = await promise;
      if (image) this.#take(id, image);
    } catch (error) {
      if (this.#take(id, { type: "failed", problem: error.problem ?? { ...NETWORK, detail: error.message } }) && isUnknown(this.#generation)) this.#look();
    }
    // Another one is shown by now: when this one is shown again, it is looked at again.
    if (this.#generation?.id !== id && this.#followed === id) this.#followed = "";
  }

  /** After a reload, or with `src`: looks at the status. */
  #resume() {
    const generation = this.#generation;
    if (!this.isConnected || !generation || [this.#hosted, this.#followed].includes(generation.id)) return;
    if (isUnknown(generation)) this.#look();
    else if (isOpen(generation)) this.#follow(this.#watchOpen(), generation.id);
    else if (generation.status === "generating") this.#follow(this.#resumed(generation), generation.id);
  }

  async #resumed({ estimate, id }) {
    try {
      return await this.#watch(estimate ? {} : { tries: 1 });
    } catch (error) {
      if (!isAbsent(error) || !this.#isLive(estimate) || this.#generation.id !== id) throw error;
      // It never arrived. Only a click in this tab is sent again.
      if (clicked().includes(String(sent(estimate)).slice(-43))) return this.#send();
      this.#followed = "";
      this.#apply({ type: "unmade" });
      return null;
    }
  }

  get #address() {
    const src = this.getAttribute("src");
    const ids = this.#generation.estimate?.imageIds;
    if (ids?.length > 1) return ids;
    return src?.includes(this.#generation.id) ? src : this.#generation.id;
  }

  #watch(options) { return this.client.watch(this.#address, { ...options, onProgress: this.#progress() }); }

  #watchOpen() { return this.#watch({ slow: true, until: Date.parse(this.#generation.estimate?.expiresAt) }); }

  #send() {
    const { estimate, prompt } = this.#generation;
    return this.client.generate(sent(estimate), prompt, { imageId: this.#address, onProgress: this.#progress(), previews: estimate.partials > 0 });
  }

  /** Looks at the status, one look at a time, and returns whether there is certainly no image and no run. */
  #look() { return (this.#looking ??= this.#looked().finally(() => { this.#looking = null; this.#resume(); })); }

  async #looked() {
    const { id } = this.#generation;
    this.#followed = id;
    try {
      const record = await this.client.status(this.#address);
      if (this.#take(id, record) && record.status === "generating") this.#follow(this.#watch(), id);
      return false;
    } catch (error) {
      const { problem } = error;
      if (isAbsent(error)) { this.#take(id, { type: "unmade", problem }); return true; }
      if (problem?.status === 410) this.#take(id, { type: "failed", problem });
      else if (this.#asking) this.#tellOf(problem);
      return false;
    }
  }

  #online = () => {
    if (!this.#generation) return;
    if (isUnknown(this.#generation)) this.#look();
    this.#acts?.heal();
  };

  /** Returns what takes in the progress of the image that is shown now, as long as it is. */
  #progress() {
    const { id } = this.#generation;
    return (record) => this.#generation?.id === id && this.#started(record);
  }

  #started({ id, startedAt, preview, images }) {
    if (images) this.#arrived = images;
    if (!this.#apply({ type: "started", startedAt }) && images) this.#render();
    // Each look has a new link to the same frame: only another frame is loaded.
    const frame = preview ? `${id}/${preview.index}` : "";
    if (preview === undefined || frame === this.#shownFrame) return;
    this.#shownFrame = frame;
    this.#apply({ type: "previewed", previewUrl: preview?.url });
  }

  #approve() {
    const { estimate, id } = this.#generation;
    if (!this.#state.startsWith("pending") || !estimate || this.#parts.approve.getAttribute("aria-disabled") === "true") return;
    // Set before the host gets the event, because the host may set new data at once.
    this.#hosted = id;
    if (!this.#ask("image-approve")) return;
    this.#hosted = "";
    this.#clickedAt = this.#now;
    clicked(String(sent(estimate)));
    this.#apply({ type: "approve" });
    this.#follow(this.#send(), id);
  }

  #decline() { if (this.#ask("image-decline")) this.#apply({ type: "decline" }); }

  #undo() { this.#apply({ type: "undo" }); }

  #cancel() {
    if (!this.#ask("image-cancel")) return;
    // The open request continues and may still answer; if it does not, slow polling finds the result.
    if (this.#apply({ type: "cancel" })) this.#follow(this.#watchOpen(), this.#generation.id);
  }

  /** Asks for a price, which is free, with what is loaded for it at the latest now. */
  async #price(act) {
    if (this.#asking) return;
    const { id } = this.#generation;
    if (!this.#acts) try {
      this.#asking = true;
      this.#render();
      await loadLater();
    } catch {
      this.#say("e.network");
    } finally {
      this.#asking = false;
      this.#render();
    }
    // Another one may be shown by now.
    if (this.#acts && this.#generation?.id === id) await act(this.#acts);
  }

  /** Shows words for a moment, and announces them to screen readers. */
  #say(key, values) { this.#tellNow(this.#in(() => t(key, values))); }

  #tellOf(problem) {
    loadLater().then(({ sentenceOf }) => this.#tellNow(this.#in(() => sentenceOf(problem))), () => this.#say("e.network"));
  }

  #tellNow(text) {
    this.#flash = text;
    this.#parts.status.textContent = text;
    this.#render();
    setTimeout(() => { this.#flash = ""; if (this.#generation) this.#render(); }, 6000);
  }
}
