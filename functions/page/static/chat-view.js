/** The conversation that is shown: its messages, the images it offers, and what is sent for the next answer. */

import { isAbsent } from "./client.js";
import { conversations, messageOf } from "./conversations.js";
import { safeUrl } from "./format.js";
import { icon } from "./icons.js";
import { english, t } from "./locale.js";
import { addStyle } from "./sheets.js";
import { $, explain, h, late, technical, technicalText } from "./ui.js";

const LONGEST = 100;
// In characters; the service takes 256 KB.
const LARGEST = 200_000;
const IDEAS = ["ideaFox", "ideaBakery", "ideaIsland"];
/** The page's own buttons at a finished picture: what is done, the key of its name, its symbol. */
const ACTS = [
  ["edit", "act.edit", "M4.5 19.5 5.5 15 15.5 5l3.5 3.5-10 10zM13.5 7l3.5 3.5"],
  ["vary", "act.vary", "M4.5 8.5h11v11h-11zM8.5 8.5v-4h11v11h-4"],
  ["upscale", "act.upscale", "M4.5 13.5v6h6m9-9v-6h-6m-9 15 6.5-6.5m8.5-8.5-6.5 6.5"],
  ["remove", "act.remove", "M5 7h14M10 7V4.5h4V7M7 7l.8 12.5h8.4L17 7"],
  ["open", "act.open", "M4.8 12h1.2M11.4 12h1.2M18 12h1.2"],
];

/** Returns a button that is a symbol with a name. */
function symbolButton(key, path, more) {
  const name = t(key);
  const button = h("button", { type: "button", className: "icon", title: name, "aria-label": name, ...more });
  button.append(icon(path));
  return button;
}

/** What shows models side by side. */
const compare = late(() => import("./compare.js"));

/** What reads the signs of Markdown, and those signs: most answers have none. */
const markdown = late(() => import("./markdown.js").then(({ reader }) => reader({ h, safeUrl, addStyle })));
const SIGNS = /[*_`[>|]|https?:|^\s*(?:#|[-+] |---|\d+[.)] )/m;

/** Returns the words of an assistant as they are now; `draw()` shows them anew. Without what reads Markdown they are plain. */
function wordsOf(message) {
  const text = h("div", { className: "words" });
  let read;
  function draw() {
    const { content } = message;
    if (!read && SIGNS.test(content)) markdown().then((nodesOf) => { read = nodesOf; draw(); }, () => {});
    text.replaceChildren(...(read ? read(content) : content ? [h("p", { textContent: content })] : []));
  }
  draw();
  return { text, draw };
}

const DONE = ["complete", "failed", "cancelled"];

/** Returns a <generated-image> for one generation, with the page's own buttons for the finished picture. */
function picture(client, data, acts = ACTS) {
  const element = document.createElement("generated-image");
  element.client = client;
  element.data = data;
  element.append(...acts.map(([act, key, path]) => symbolButton(key, path, { slot: "actions", "data-act": act })));
  return element;
}

/**
 * `told.opened(id)` is called with the conversation that is shown, or nothing for a new one; `told.moved(generation)` with
 * each new state of an image of the person who is there, also of a conversation that is not shown any more.
 */
export function chatView(client, told) {
  // Nothing is shown before the first conversation is opened, which may be an empty one with the id "".
  let id = null, messages = [], busy = false, people = 0;
  let stop, retry;
  const [list, say] = [$("messages"), $("say")];
  const send = $("composer").querySelector("button.main");
  const isNear = () => document.documentElement.scrollHeight - scrollY - innerHeight < 160;
  const toEnd = () => $("create").hidden || scrollTo(0, document.documentElement.scrollHeight);

  /** What makes the buttons of a message. */
  const acting = late(() => import("./message-acts.js").then(({ actions }) => actions({ told, symbolButton, icon, t, english, addStyle })));

  function save() {
    if (!messages.length) return;
    if (!id) told.opened((id = conversations.newId()));
    conversations.save(id, messages);
  }

  /** Shows the conversation; an answer to the one before is no longer read. */
  function show() {
    stop?.abort();
    setBusy(false);
    list.replaceChildren(...messages.map((one) => row(one).item));
    const last = messages.at(-1);
    if (last?.role === "user") offerAgain(trouble(t("noReply")));
    else if (last?.trouble) offerAgain();
    greet();
    toEnd();
  }

  function open(wanted) {
    id = wanted;
    messages = id ? conversations.messages(id) : [];
    show();
  }

  const newest = () => conversations.list()[0]?.id ?? "";

  function greet() {
    $("hello").hidden = messages.length > 0;
    $("anew").hidden = !messages.length;
    $("history").hidden = !conversations.list().length;
  }

  const who = (role) => h("span", { className: "unseen", textContent: t(role === "user" ? "you" : "assistant") });

  function row(message) {
    const { text, draw } = message.role === "user" ? { text: h("p", { textContent: message.content }) } : wordsOf(message);
    const acts = h("div", { className: "acts" });
    acting().then((buttonsOf) => acts.append(...buttonsOf(message)), () => {});
    const item = h("li", { className: message.role }, who(message.role), text, acts);
    if (message.role === "user") {
      if (message.pictures?.length) item.append(h("p", { className: "with", textContent: t("with", { names: message.pictures.join(t("comma")) }) }));
      return { item };
    }
    const images = h("div", { className: "images" });
    item.append(images);
    const add = (generation) => images.append(offer(message, generation));
    const beside = () => withCompare(({ comparison }) => {
      const near = isNear();
      images.append(comparison(client, message, {
        picture: (generation, service) => offer(message, generation, service, ACTS.slice(-1)), save, isAbsent, failed: told.failed, keep: () => say.focus(),
      }));
      if (near) toEnd();
    });
    if (message.compare) beside(); else message.generations.forEach(add);
    if (message.trouble) item.append(trouble(message.trouble, message.technical));
    return { item, draw, add, beside };
  }

  /** Returns the element of an offer; what becomes of it is kept in its message. */
  function offer(message, generation, service = client, acts = ACTS) {
    const element = picture(service, generation, acts);
    const owner = people;
    if (!message.compare && generation.estimate?.choices?.length > 1) {
      const button = h("button", { type: "button", className: "quiet", textContent: t("compare"), slot: "offer" });
      button.addEventListener("click", () => withCompare(({ requestOf }) => speak(t("compareThese"), requestOf(element.data)) || told.note(t("stillAnswering"))));
      element.append(button);
    }
    element.addEventListener("image-change", ({ detail }) => {
      const at = message.generations.findIndex((one) => one.id === generation.id);
      if (detail.generation.id !== generation.id) message.replaced = [...(message.replaced ?? []), generation.id];
      generation = detail.generation;
      if (at >= 0) message.generations[at] = generation;
      save();
      if (owner === people) told.moved(generation);
      if (["generating", ...DONE].includes(generation.status)) element.scrollIntoView?.({ block: "nearest" });
    });
    return element;
  }

  const withCompare = (act) => compare().then(act, (error) => told.note(explain(error)));

  const trouble = (text, machine) => h("div", { className: "trouble" }, text, ...technical(machine));

  function offerAgain(why) {
    const again = h("button", { type: "button", className: "quiet", textContent: t("askAgain") });
    retry = h("li", { className: "assistant" }, h("div", {}, again));
    if (why) retry.prepend(why);
    again.addEventListener("click", () => {
      say.focus();
      answer();
    });
    list.append(retry);
    toEnd();
  }

  /** Returns the conversation up to the person's last words. */
  const asked = () => messages.slice(0, messages.findLastIndex(({ role }) => role === "user") + 1);

  /** Returns the newest part of it as the service reads it: texts and image ids. */
  function history() {
    const sent = asked().slice(-LONGEST).map(({ role, content, generations = [], compare: { kept } = {} }) => {
      // Of pictures that were compared, the conversation goes on with the one that was kept.
      const shown = generations.filter((one) => !kept || one.id === kept);
      return { role, content, ...(shown.length && { imageGenerations: shown.map(({ id: image }) => ({ id: image })) }) };
    });
    while (sent.length > 1 && JSON.stringify(sent).length > LARGEST) sent.shift();
    return sent;
  }

  function setBusy(now) {
    busy = now;
    send.textContent = t(now ? "stopAnswer" : "send");
    send.setAttribute("data-stops", now);
    list.setAttribute("aria-busy", now);
  }

  const brokeOff = ({ problem }, { isBegun }) => isBegun && problem?.code === "network";

  async function answer() {
    const mine = messages;
    const message = messageOf({ role: "assistant", content: "", generations: [], calls: [] });
    const view = row(message);
    /** What a person has read, or may buy at once, stays. */
    view.stay = () => {
      if (!mine.includes(message)) mine.push(message);
      if (mine === messages) save();
    };
    stop = new AbortController();
    retry?.remove();
    setBusy(true);
    view.item.classList.add("busy");
    list.append(view.item);
    toEnd();
    const { request } = asked().at(-1);
    const thrown = await (request ? price(request, message, view) : hear(message, view)).catch((one) => one);
    const error = thrown ?? (view.problem && { problem: view.problem });
    // Another conversation, or another user's, may be shown by now.
    if (mine !== messages) return;
    if (error) Object.assign(message, stop.signal.aborted ? { trouble: t("stoppedAnswer") } : brokeOff(error, view) ? { trouble: t("brokeOff") } : { trouble: explain(error), technical: technicalText(error) });
    const isEmpty = error && !message.content && !message.generations.length;
    if (isEmpty) view.item.remove();
    else view.stay();
    if (!error) told.say(message.content || t("offerHere"));
    else {
      const said = trouble(message.trouble, message.technical);
      if (!isEmpty) view.item.append(said);
      offerAgain(isEmpty && said);
      if (!stop.signal.aborted) told.failed(error);
    }
    view.item.classList.remove("busy");
    setBusy(false);
    if (isNear()) toEnd();
  }

  const put = (message, view, generation) => {
    if (message.generations.some((one) => one.id === generation.id)) return;
    message.generations.push(generation);
    view.add(generation);
    view.stay();
  };

  /** Offers exactly what was requested, without an LLM. */
  async function price(request, message, view) {
    const { signal } = stop;
    if (request.compare) {
      const { generations, left } = await compare().then(({ priced }) => priced(client, request, { signal }));
      Object.assign(message, { generations, compare: { request, left } });
      return view.beside();
    }
    const estimate = await client.estimate(request, { signal });
    signal.throwIfAborted();
    put(message, view, { id: estimate.imageId, prompt: estimate.prompt, status: "pending", estimate });
  }

  async function hear(message, view) {
    for await (const { event, data } of client.chat(history(), null, stop)) {
      view.isBegun = true;
      const near = isNear();
      if (event === "text_delta") message.content += data.text;
      if (event === "tool_call" && data.ok) put(message, view, data.imageGeneration);
      if (event === "message_complete") {
        message.content = data.content;
        data.imageGenerations.forEach((one) => put(message, view, one));
        message.calls = data.llmApiCalls;
        // The text ends with the service's sentence; this is said in the reader's language.
        view.problem = data.problem;
      }
      view.draw();
      if (near) toEnd();
    }
  }

  /** Says something; with a request, exactly that is priced. Returns whether it was said. */
  function speak(text, request, pictures) {
    if (busy || !text.trim()) return false;
    const message = messageOf({ role: "user", content: text.trim(), ...(request && { request, pictures }) });
    messages.push(message);
    list.append(row(message).item);
    save();
    greet();
    answer();
    return true;
  }

  function anew() {
    told.opened("");
    open("");
    say.focus();
  }

  const idea = (key) => {
    const text = t(key);
    const button = h("button", { type: "button", className: "quiet", textContent: text });
    button.addEventListener("click", () => {
      say.focus();
      speak(text);
    });
    return h("li", {}, button);
  };
  $("anew").addEventListener("click", anew);
  $("hello").querySelector("ul").append(...IDEAS.map(idea));
  addEventListener("storage", ({ key }) => {
    if (!id || busy || !conversations.isOf(id, key)) return;
    // Only read: two tabs that both wrote what they read would answer each other for ever.
    const all = conversations.joined(id, messages);
    if (JSON.stringify(all) === JSON.stringify(messages)) return;
    messages = all;
    show();
  });

  return {
    speak,
    anew,
    /** Shows a conversation by its id. Without one, what was shown stays; at first it is the newest, or an empty one. */
    open(wanted) {
      if (wanted === undefined && id !== null) toEnd();
      else if (wanted !== id) open(wanted ?? newest());
      if (id) told.opened(id);
    },
    /** Returns the last words of the person while they have no answer, as `{content, request}`. */
    unanswered: () => (messages.at(-1)?.role === "user" ? messages.at(-1) : null),
    /** Shows the newest conversation of the user who is there now. */
    refresh() {
      people += 1;
      open(newest());
    },
    stop: () => busy && (stop.abort(), true),
    shown: () => id,
    /** Every call that this conversation has caused, of the LLM and for images. */
    calls: () => messages.flatMap(({ calls = [], generations = [] }) => {
      const made = generations.flatMap(({ image, images }) => images?.map((one) => one.image) ?? [image]);
      return [...calls, ...made.map((one) => one?.llmApiCall).filter(Boolean)];
    }),
  };
}
