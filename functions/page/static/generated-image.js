/** `<generated-image>`: one image, from its priced offer to the file or to a clear error. */

import { defaultClient, isAbsent, NETWORK } from "./client.js";
import { altText, fileName, markdownText, providerName, qualityName, safeUrl, sizeText } from "./format.js";
import { isOpen, isUnknown, next, problemOf, slowMs, viewState, WAITING } from "./machine.js";
import { adoptable, Base, h, sheetsOf } from "./styles.js";
import { alternativeText, detailsOf, wordsOf } from "./words.js";

const css = `
:host { container-type: inline-size; }
.card {
  display: grid; gap: 16px; padding: 12px; max-width: 760px; border: 1px solid var(--line);
  border-radius: var(--radius); background: var(--bg);
}
.frame {
  position: relative; overflow: hidden; align-self: start; min-height: 152px; max-height: 560px; width: 100%;
  display: grid; border-radius: var(--r2); background: var(--bg2);
}
.frame > * { grid-area: 1 / 1; min-width: 0; min-height: 0; }
.frame a { position: absolute; inset: 0; }
img { display: block; width: 100%; height: 100%; object-fit: contain; }
.seen { position: absolute; inset: 0; }
.say { position: relative; align-self: center; padding: 20px 12%; text-align: center; text-wrap: balance; }
.head { font-size: 16px; font-weight: 600; line-height: 1.35; }
.note { color: var(--soft); font-variant-numeric: tabular-nums; margin-top: 2px; }
.body { display: flex; flex-direction: column; gap: 12px; min-width: 0; padding: 2px; }
.prompt {
  font-size: 15px; line-height: 1.45; display: -webkit-box; -webkit-box-orient: vertical; -webkit-line-clamp: 3; overflow: hidden;
}
.money { color: var(--soft); min-height: 3lh; }
.row.chips { gap: 6px; }
.actions { display: grid; }
.actions > * { grid-area: 1 / 1; visibility: hidden; align-content: start; }
.offer > * { flex: auto; text-wrap: balance; }
.row.done { display: grid; grid-template-columns: 1fr 1fr; }
.done > * { padding: 8px 4px; font-size: 13.5px; }
label { display: grid; gap: 6px; font-weight: 500; }
textarea { display: block; width: 100%; min-height: 88px; padding: 10px; border: 1px solid var(--edge); border-radius: var(--r2); background: var(--bg); resize: vertical; font-weight: 400; }
form { display: grid; gap: 8px; justify-items: start; }
form label { width: 100%; }
details { border-top: 1px solid var(--line); margin-top: auto; margin-bottom: -6px; }
.root summary { font-size: 13px; line-height: 40px; color: var(--soft); cursor: pointer; border-radius: 6px; }
.facts { display: grid; grid-template-columns: max-content 1fr; gap: 4px 14px; font-size: 13px; padding-bottom: 8px; }
.facts dt { color: var(--soft); }
dd { white-space: pre-wrap; }
.others { display: grid; gap: 8px; font-size: 13px; padding: 8px 0; border-top: 1px solid var(--line); }
@container (min-width: 560px) {
  .card { grid-template-columns: minmax(0, 1fr) minmax(0, 1fr); padding: 16px; gap: 20px; }
  .row.done { grid-template-columns: repeat(4, auto); }
}
:host([data-show=offer]) .offer, :host([data-show=wait]) .wait, :host([data-show=done]) .done,
:host([data-show=redo]) .redo, :host([data-show=undo]) .undo { visibility: visible; }
:host([data-show=done]) .say, :host(:not([data-state=preview])) .seen, :host(:not([data-show=edit])) form,
:host([data-show=edit]) :is(.actions, .prompt) { display: none; }
:host([data-state=preview]) .say { align-self: end; justify-self: center; display: flex; gap: 8px; padding: 5px 14px; margin: 12px; border-radius: 99px; background: var(--bg); }
:host([data-state=preview]) :is(.head, .note) { font-size: inherit; margin: 0; }
:host([data-tone=bad]) .frame { background: var(--bad-bg); }
:host([data-tone=bad]) .head { color: var(--bad); }
:host([data-tone=warn]) .frame { background: var(--warn-bg); }
:host([data-tone=warn]) .head { color: var(--warn); }
:host([data-show=undo]) .card { grid-template-columns: 1fr; }
:host([data-show=undo]) :is(.frame, .chips, details, .actions > :not(.undo)) { display: none; }
:host([data-show=undo]) .money { min-height: 0; }
:host([data-show=undo]) .prompt { color: var(--soft); }
:host([data-tone=busy]) .frame::before {
  content: ""; position: absolute; inset: 0; translate: -100%; animation: shimmer 2.2s ease-in-out infinite;
  background: linear-gradient(100deg, transparent 20%, var(--bg3) 50%, transparent 80%);
}
@keyframes shimmer { to { translate: 100%; } }
@media (prefers-reduced-motion: reduce) { .frame::before { animation: none !important; } }
`;

/** Which buttons a state shows, and its tone; "redo" and none where nothing is said. */
const LOOKS = {
  pending: ["offer"], "pending-range": ["offer"], starting: ["wait", "busy"], generating: ["wait", "busy"],
  preview: ["wait"], slow: ["wait", "busy"], complete: ["done"], fallback: ["done"], declined: ["undo"],
  refused: ["edit", "bad"], error: ["redo", "bad"], expired: ["redo", "warn"], limited: ["redo", "warn"],
  gone: ["redo", "warn"], cancelled: ["none"],
};
const CLICKED = "imagegen.clicked";
const [LOOK, AGAIN, PRICE] = ["Check again", "Back to the offer", "Get a new price"];
const isLive = (estimate) => Boolean(estimate) && Date.now() < Date.parse(estimate.expiresAt);

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
  static observedAttributes = ["data", "src", "alt"];

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
  #looking = null;

  constructor() {
    super();
    this.attachShadow({ mode: "open" }).adoptedStyleSheets = sheetsOf(css);
    this.#build();
  }

  /** The ImageGeneration that is shown; set it to show another. */
  get data() { return this.#generation; }
  set data(value) {
    const given = typeof value === "string" ? value : JSON.stringify(value ?? null);
    const generation = parsed(given);
    // A framework renders the same data again, or writes "[object Object]".
    if (given === this.#given || generation === undefined) return;
    this.#given = given;
    const before = this.#generation;
    const { id, problem, status } = before ?? {};
    if (generation?.id !== id) { this.#stopped = false; this.#clickedAt = 0; }
    else if (generation?.status === "pending" && ["generating", "complete"].includes(status) && this.#hosted !== id) return;
    // A host may set the data of an event again; the start of a limit's waiting time stays.
    if (JSON.stringify(generation?.problem) !== JSON.stringify(problem)) this.#changedAt = Date.now();
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
    this.#render();
    this.#resume();
  }

  disconnectedCallback() {
    clearTimeout(this.#timer);
    removeEventListener("online", this.#online);
  }

  attributeChangedCallback(name, _, value) {
    if (name === "alt") this.#render();
    else if (value && name === "data") this.data = value;
    else if (value && !(this.#generation && value.includes(this.#generation.id))) {
      this.#followed = "";
      this.data = { id: value.split(/[?#]/)[0].split("/").pop(), prompt: "", status: "generating" };
    }
  }

  #build() {
    const p = this.#parts;
    const part = (name, tag, attributes, ...children) => (p[name] = h(tag, { class: name, ...attributes }, ...children));
    const button = (name, text, act, kind = "") => part(name, "button", { type: "button", class: kind, part: "button", onclick: () => act() }, text);
    part("card", "div", { class: "card root", part: "card", role: "group", "aria-label": "Image generation", tabindex: "-1" },
      part("status", "p", { class: "sr", role: "status" }),
      part("frame", "div", { part: "frame" },
        part("link", "a", { target: "_blank", rel: "noopener", hidden: "" }, part("picture", "img", { part: "image", onerror: () => this.#unloaded() })),
        part("seen", "img", { alt: "" }),
        part("say", "div", {}, part("head", "p", {}), part("note", "p", { dir: "auto" }))),
      h("div", { class: "body" },
        part("prompt", "p", { dir: "auto" }),
        part("chips", "ul", { class: "chips row", "aria-label": "Model and settings" }),
        part("money", "p", { part: "money" }),
        h("div", { class: "actions" },
          h("div", { class: "offer row" }, button("approve", "", () => this.#approve(), "main"), button("decline", "Decline", () => this.#decline(), "plain")),
          h("div", { class: "wait row" }, button("cancel", "Stop waiting", () => this.#cancel())),
          h("div", { class: "done row" }, button("copy", "Copy link", () => this.#copy()), button("grab", "Grab", () => this.#grab()),
            button("download", "Download", () => this.#download()), button("info", "LLM info", () => this.#openInfo())),
          h("div", { class: "redo row" }, button("retry", "", () => this.#retry(), "main")),
          h("div", { class: "undo row" }, button("undo", "Undo", () => this.#undo()))),
        part("form", "form", { onsubmit: (event) => { event.preventDefault(); this.#retry(p.words.value); } },
          h("label", {}, "Change the prompt", part("words", "textarea", { dir: "auto", maxlength: "32000" })),
          h("button", { class: "main" }, "Get a price")),
        part("details", "details", { ontoggle: () => this.#tell() }, h("summary", {}, "Details and alternatives"), part("facts", "dl"), part("others", "ul", { "aria-label": "Alternatives" }))));
    p.grab.setAttribute("aria-label", "Grab as Markdown");
    this.shadowRoot.append(p.card);
  }

  get #state() { return viewState(this.#generation, Date.now()); }

  /** Applies an event; returns whether it changed the generation. */
  #apply(event) {
    const before = this.#generation;
    const after = next(before, event, Date.now());
    if (after === before) return false;
    if (event.type === "cancel") this.#stopped = true;
    this.#generation = after;
    this.#changedAt = Date.now();
    this.#render();
    this.#ask("image-change");
    return true;
  }

  /** Sends an event to the host; false if the host prevents the default and calls the service itself. */
  #ask(type, generation = this.#generation) {
    const cancelable = type !== "image-change";
    return this.dispatchEvent(new CustomEvent(type, { bubbles: true, composed: true, cancelable, detail: { generation } }));
  }

  #render() {
    const generation = this.#generation;
    const p = this.#parts;
    p.card.hidden = !generation;
    if (!generation) return;
    const state = this.#state;
    const held = this.shadowRoot.activeElement;
    this.dataset.state = state;
    const settled = state === "cancelled" ? !isOpen(generation) : state === "pending-range" && !generation.estimate;
    const [show, tone = ""] = LOOKS[state];
    this.dataset.show = settled ? "redo" : show;
    this.dataset.tone = tone;
    p.card.setAttribute("aria-busy", String(WAITING.includes(state)));
    this.#frame(state);
    this.#words(state);
    this.#chips();
    if (p.details.open) this.#tell();
    // A button that disappears loses the focus. If the next button got it, a second Enter could spend.
    if (held && !held.checkVisibility({ visibilityProperty: true })) p.card.focus({ preventScroll: true });
    this.#schedule(state);
  }

  #frame(state) {
    const { frame, link, picture, seen, head } = this.#parts;
    const { prompt, estimate, image, previewUrl } = this.#generation;
    const size = image?.size ?? estimate?.size ?? "1024x1024";
    frame.style.setProperty("aspect-ratio", size.replace("x", " / "));
    head.textContent = sizeText(size);
    const done = state === "complete" || state === "fallback";
    const url = done ? safeUrl(image.imageUrl, document.baseURI) : "";
    link.hidden = !done;
    picture.alt = altText(this.getAttribute("alt"), image?.alt, prompt);
    if (url && link.href !== url) {
      link.href = url;
      picture.src = url;
    }
    link.title = "Open in full size";
    const preview = state === "preview" ? safeUrl(previewUrl, document.baseURI) : "";
    if (preview && seen.src !== preview) seen.src = preview;
  }

  #words(state) {
    const p = this.#parts;
    const { prompt, estimate, startedAt } = this.#generation;
    const now = Date.now();
    const words = wordsOf(this.#generation, state, {
      now, elapsedMs: now - (this.#clickedAt || Date.parse(startedAt) || now), opensAt: this.#opensAt(), stopped: this.#stopped,
    });
    if (words.head) p.head.textContent = words.head;
    p.note.textContent = words.note;
    p.money.textContent = this.#flash || words.money;
    p.prompt.textContent = prompt;
    p.prompt.hidden = !prompt;
    if (estimate) p.approve.textContent = estimate.buttonLabel;
    p.retry.textContent = this.#way;
    p.retry.setAttribute("aria-disabled", String(this.#asking || state === "limited" && !(this.#opensAt() <= now)));
    if (state === "refused" && p.form.dataset.id !== this.#generation.id) {
      p.form.dataset.id = this.#generation.id;
      p.words.value = prompt;
    }
    const key = [this.#generation.id, state, words.head].join();
    // The first state shown is not a change; after it, each change is announced once.
    if (this.#said !== null && this.#said !== key) p.status.textContent = words.said;
    this.#said = key;
  }

  #chips() {
    const { estimate, image } = this.#generation;
    const made = image?.provider ? image : estimate;
    const { provider, model, size, quality } = made ?? {};
    const style = image?.style ?? estimate?.style;
    const chip = (text, attributes) => h("li", { class: "badge", ...attributes }, h("bdi", {}, text));
    const chips = [
      image?.fallback && chip("Fallback", { "data-kind": "fallback" }),
      provider && chip(providerName(provider), { "data-provider": provider }),
      model && chip(model.split("/").pop(), { title: model }),
      size && chip(sizeText(size)), quality && chip(qualityName(quality)), style && chip(style),
    ].filter(Boolean);
    const list = this.#parts.chips;
    list.hidden = !chips.length;
    if (list.textContent !== chips.map((one) => one.textContent).join("")) list.replaceChildren(...chips);
  }

  #tell() {
    const { facts, others } = this.#parts;
    const rows = detailsOf(this.#generation).flatMap(([name, text]) => [h("dt", {}, name), h("dd", { dir: "auto" }, text)]);
    facts.replaceChildren(...rows);
    const found = this.#generation.estimate?.alternatives ?? [];
    others.hidden = !found.length;
    others.replaceChildren(...found.map((one) => h("li", { class: "row" },
      h("span", { class: "badge", "data-provider": one.provider }, providerName(one.provider)),
      h("bdi", {}, one.model.split("/").pop()), h("span", { class: "soft" }, alternativeText(one)))));
  }

  #opensAt() {
    const seconds = problemOf(this.#generation)?.retryAfterSeconds;
    return seconds === undefined ? 0 : this.#changedAt + seconds * 1000;
  }

  /** Render again when time alone changes something: each second of a run, else at the next limit. */
  #schedule(state) {
    clearTimeout(this.#timer);
    if (!this.isConnected) return;
    const now = Date.now();
    const { estimate } = this.#generation;
    const at = WAITING.includes(state) ? now + 1000
      : state.startsWith("pending") && estimate ? Date.parse(estimate.expiresAt)
        : state === "limited" && this.#opensAt() > now ? Math.min(now + 60000, this.#opensAt()) : 0;
    if (at) this.#timer = setTimeout(() => this.#render(), Math.max(50, Math.min(at - now, 2 ** 31 - 1)));
  }

  /** Applies an event or a status record, if its generation is still shown. */
  #take(id, image) {
    const { type, status } = image;
    const known = { failed: { type: status, problem: problemOf({ image }) }, generating: { ...image, type: "resumed" } };
    return this.#generation?.id === id && this.#apply(type ? image : known[status] ?? { type: "completed", image });
  }

  async #follow(promise, id) {
    this.#followed = id;
    try {
      const image = await promise;
      if (image) this.#take(id, image);
    } catch (error) {
      if (this.#take(id, { type: "failed", problem: error.problem ?? { ...NETWORK, detail: error.message } }) && isUnknown(this.#generation)) this.#look();
    }
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
      if (!isAbsent(error) || !isLive(estimate) || this.#generation.id !== id) throw error;
      // It never arrived. Only a click in this tab is sent again.
      if (clicked().includes(estimate.quote.slice(-43))) return this.#send();
      this.#followed = "";
      this.#apply({ type: "unmade" });
      return null;
    }
  }

  get #address() {
    const src = this.getAttribute("src");
    return src?.includes(this.#generation.id) ? src : this.#generation.id;
  }

  #watch(options) { return this.client.watch(this.#address, { ...options, onProgress: this.#started }); }

  #watchOpen() { return this.#watch({ slow: true, until: Date.parse(this.#generation.estimate?.expiresAt) }); }

  #send() {
    const { estimate, prompt, id } = this.#generation;
    return this.client.generate(estimate.quote, prompt, { imageId: id, onProgress: this.#started, previews: estimate.partials > 0 });
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
      else if (this.#asking) this.#say(error.message);
      return false;
    }
  }

  #online = () => { if (this.#generation && isUnknown(this.#generation)) this.#look(); };

  #started = ({ id, startedAt, preview }) => {
    this.#apply({ type: "started", startedAt });
    // Each look has a new link to the same frame: only another frame is loaded.
    const frame = preview ? `${id}/${preview.index}` : "";
    if (preview === undefined || frame === this.#shownFrame) return;
    this.#shownFrame = frame;
    this.#apply({ type: "previewed", previewUrl: preview?.url });
  };

  #approve() {
    const { estimate, id } = this.#generation;
    if (!this.#state.startsWith("pending") || !estimate) return;
    // Set before the host gets the event, because the host may set new data at once.
    this.#hosted = id;
    if (!this.#ask("image-approve")) return;
    this.#hosted = "";
    this.#clickedAt = Date.now();
    clicked(estimate.quote);
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

  /** Looks at the status, returns to the offer or gets a new price; it never spends. */
  async #retry(prompt = this.#generation.prompt) {
    const { retry } = this.#parts;
    if (retry.getAttribute("aria-disabled") === "true" || !this.#ask("image-retry", { ...this.#generation, prompt })) return;
    const way = this.#way;
    if (way === AGAIN) { this.#apply({ type: "unmade" }); return; }
    this.#asking = true;
    this.#render();
    try {
      // It may have been confirmed in another tab.
      if ((way === LOOK || this.#state === "expired") && (!await this.#look() || way === LOOK)) return;
      const { estimate, image } = this.#generation;
      const { quality, size, style } = estimate ?? image ?? {};
      const wish = Object.fromEntries(Object.entries({ prompt, quality, size, style }).filter(([, value]) => value));
      this.#apply({ type: "quoted", estimate: await this.client.estimate(wish) });
    } catch (error) {
      if (!error.problem) throw error;
      this.#say(error.message);
    } finally {
      this.#asking = false;
      if (this.#generation) this.#render();
    }
  }

  /** What the button of a failure does. */
  get #way() {
    const { estimate, prompt } = this.#generation;
    if (isUnknown(this.#generation) || !prompt) return LOOK;
    // The same quote is charged once, even if the lost request still arrives.
    const { status, code } = problemOf(this.#generation) ?? {};
    return isLive(estimate) && ([401, 403, 500].includes(status) || ["network", "store_unavailable"].includes(code)) ? AGAIN : PRICE;
  }

  /** The file does not load: finds out whether it was deleted or is only temporarily missing. */
  async #unloaded() {
    const { id, image } = this.#generation;
    try {
      await this.client.status(image.imageUrl);
    } catch (error) {
      if (error.problem?.status === 410) return this.#take(id, { type: "gone", problem: error.problem });
      if (isAbsent(error)) return this.#say(error.message);
    }
    this.#say("The picture did not load. Its link still works later.");
  }

  get #url() { return safeUrl(this.#generation.image.imageUrl, document.baseURI); }

  /** Shows a text for a moment, and announces it to screen readers. */
  #say(text) {
    this.#flash = text;
    this.#parts.status.textContent = text;
    this.#render();
    setTimeout(() => { this.#flash = ""; if (this.#generation) this.#render(); }, 6000);
  }

  async #put(text, said) {
    try {
      await navigator.clipboard.writeText(text);
      this.#say(said);
    } catch {
      this.#say(`The browser refused to copy. Here it is: ${text}`);
    }
  }

  #copy() { if (this.#ask("image-copy")) this.#put(this.#url, "Link copied."); }

  #grab() {
    if (this.#ask("image-grab")) this.#put(markdownText(this.#parts.picture.alt, this.#url), "Markdown copied.");
  }

  async #download() {
    try {
      const response = await fetch(this.#url, { headers: { accept: "image/*" } });
      const blob = await response.blob();
      if (!response.ok || !blob.type.startsWith("image/")) throw new TypeError("no image");
      const href = URL.createObjectURL(blob);
      h("a", { href, download: fileName(this.#generation.prompt, blob.type) }).click();
      setTimeout(() => URL.revokeObjectURL(href), 60000);
      this.#say("Downloaded.");
    } catch {
      this.#say("The download failed. Open the image and save it from there.");
    }
  }

  #openInfo() {
    if (!this.#ask("image-info")) return;
    const { image } = this.#generation;
    const { provider, model, size, quality, cost, durationMs, createdAt } = image;
    this.#parts.dialog ??= this.shadowRoot.appendChild(document.createElement("llm-info"));
    this.#parts.dialog.calls = [image.llmApiCall ?? { type: "image", provider, model, size, quality, cost: cost?.charged ?? null, durationMs, success: true, timestamp: createdAt }];
    this.#parts.dialog.open?.();
  }
}
