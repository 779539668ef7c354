/** The conversation: its messages, the images it offers, and what is sent for the next answer. */

import { totalText } from "./llm-dialog.js";
import { keep, kept } from "./person.js";
import { $, explain, h, picture } from "./ui.js";

const KEY = "imagegen.chat";
const LONGEST = 100;
const LARGEST = 200_000; // characters; the service takes 256 KB
const IDEAS = [
  "Draw a photorealistic red fox in fresh snow",
  "Sketch two logos for a bakery, fast quality",
  "Paint the map of an island, landscape, ultra quality",
];

export function chatView(client, told) {
  let messages = kept(KEY, []);
  let busy = false;
  let stop, retry;
  const [log, list, say] = [$("log"), $("messages"), $("say")];
  const send = $("composer").querySelector("button");
  const save = () => keep(KEY, messages);
  const isNear = () => log.scrollHeight - log.scrollTop - log.clientHeight < 120;
  const toEnd = () => (log.scrollTop = log.scrollHeight);

  /** Shows the conversation; an answer to the one before is no longer read. */
  function show() {
    stop?.abort();
    setBusy(false);
    list.replaceChildren(...messages.map((one) => row(one).item));
    const last = messages.at(-1);
    if (last?.role === "user") offerAgain("The answer did not arrive.");
    else if (last?.trouble) offerAgain();
    greet();
    toEnd();
  }

  function greet() {
    $("hello").hidden = messages.length > 0;
    $("anew").hidden = !messages.length;
  }

  function row(message) {
    const text = h("p", { textContent: message.content });
    const item = h("li", { className: message.role }, h("span", {
      className: "unseen", textContent: message.role === "user" ? "You: " : "Assistant: " }), text);
    if (message.role === "user") return { item };
    const images = h("div", { className: "images" });
    const foot = h("footer");
    item.append(images, foot);
    const view = { item, text, add, calls };
    function add(generation) {
      const element = picture(client, generation);
      element.addEventListener("image-change", ({ detail }) => {
        const found = message.generations.findIndex(({ id }) => id === generation.id);
        if (found >= 0) message.generations[found] = generation = detail.generation;
        save();
        calls();
      });
      images.append(element);
    }
    function calls() {
      const made = message.generations.flatMap(({ image, images }) => images?.map((one) => one.image) ?? [image]);
      const all = [...message.calls, ...made.map((one) => one?.llmApiCall).filter(Boolean)];
      if (!all.length) return;
      if (!foot.firstChild) {
        const info = document.createElement("llm-info");
        const open = h("button", { type: "button", className: "quiet" });
        open.addEventListener("click", () => info.open());
        foot.append(open, info);
      }
      foot.lastChild.calls = all;
      foot.firstChild.textContent = `LLM info: ${totalText(all)}`;
    }
    message.generations.forEach(add);
    calls();
    if (message.trouble) item.append(trouble(message.trouble));
    return view;
  }

  const trouble = (text) => h("p", { className: "trouble", textContent: text });

  function offerAgain(why) {
    const again = h("button", { type: "button", className: "quiet", textContent: "Ask again" });
    retry = h("li", { className: "assistant" }, h("div", {}, again));
    if (why) retry.prepend(trouble(why));
    again.addEventListener("click", () => {
      say.focus();
      answer();
    });
    list.append(retry);
    toEnd();
  }

  /** Returns the newest part of the conversation, up to the person's last words: texts and image ids. */
  function history() {
    const asked = messages.slice(0, messages.findLastIndex(({ role }) => role === "user") + 1);
    const sent = asked.slice(-LONGEST).map(({ role, content, generations = [] }) => ({
      role,
      content,
      ...(generations.length && { imageGenerations: generations.map(({ id }) => ({ id })) }),
    }));
    while (sent.length > 1 && JSON.stringify(sent).length > LARGEST) sent.shift();
    return sent;
  }

  function setBusy(now) {
    busy = now;
    send.textContent = now ? "Stop" : "Send";
    list.setAttribute("aria-busy", now);
  }

  async function answer() {
    const asked = messages;
    const message = { role: "assistant", content: "", generations: [], calls: [] };
    const view = row(message);
    stop = new AbortController();
    retry?.remove();
    setBusy(true);
    view.item.classList.add("busy");
    list.append(view.item);
    toEnd();
    const error = await hear(message, view).catch((one) => one);
    // Another conversation, or another user's, may be shown by now.
    if (asked !== messages) return;
    message.content = view.text.textContent;
    if (error) message.trouble = stop.signal.aborted ? "Stopped." : explain(error);
    const isEmpty = error && !message.content && !message.generations.length;
    if (isEmpty) view.item.remove();
    else {
      // What a person has read, or may have bought, stays.
      messages.push(message);
      save();
    }
    if (!error) told.say(message.content);
    else {
      if (!isEmpty) view.item.append(trouble(message.trouble));
      offerAgain(isEmpty && message.trouble);
      if (!stop.signal.aborted) told.failed(error);
    }
    view.item.classList.remove("busy");
    setBusy(false);
    if (isNear()) toEnd();
  }

  async function hear(message, view) {
    const offer = (generation) => {
      if (message.generations.some(({ id }) => id === generation.id)) return;
      message.generations.push(generation);
      view.add(generation);
    };
    for await (const { event, data } of client.chat(history(), null, stop)) {
      const near = isNear();
      if (event === "text_delta") view.text.append(data.text);
      if (event === "tool_call" && data.ok) offer(data.imageGeneration);
      if (event === "message_complete") {
        view.text.textContent = message.content = data.content;
        data.imageGenerations.forEach(offer);
        message.calls = data.llmApiCalls;
        view.calls();
      }
      if (near) toEnd();
    }
  }

  function speak(text) {
    if (busy || !text.trim()) return;
    const message = { role: "user", content: text.trim() };
    messages.push(message);
    list.append(row(message).item);
    say.value = "";
    save();
    greet();
    answer();
  }

  $("composer").addEventListener("submit", (event) => {
    event.preventDefault();
    if (busy) stop.abort();
    else speak(say.value);
  });
  say.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    speak(say.value);
  });
  $("anew").addEventListener("click", () => {
    messages = [];
    save();
    show();
    say.focus();
  });
  const idea = (text) => {
    const button = h("button", { type: "button", className: "quiet", textContent: text });
    button.addEventListener("click", () => {
      say.focus();
      speak(text);
    });
    return h("li", {}, button);
  };
  $("hello").querySelector("ul").append(...IDEAS.map(idea));
  show();

  return {
    /** Shows the conversation of the user who is there now. */
    refresh() {
      messages = kept(KEY, []);
      show();
    },
    /** Returns what was written and not answered, of somebody for whom nothing is kept. */
    draft: () => say.value || (messages.at(-1)?.role === "user" ? messages.at(-1).content : ""),
  };
}
