// What chat-view.js needs of a browser, and a service whose answers the test gives. CHAT: its address.

class Node {
  listeners = {}; children = []; own = ""; hidden = false; parent = null;
  classList = { add() {}, remove() {} };
  get textContent() { return this.own + this.children.map((one) => one.textContent ?? one).join(""); }
  set textContent(text) { this.own = text; this.children = []; }
  get firstChild() { return this.children[0]; }
  get lastChild() { return this.children.at(-1); }
  append(...all) { this.#put(this.children.length, all); }
  prepend(...all) { this.#put(0, all); }
  replaceChildren(...all) { this.children = []; this.append(...all); }
  remove() { if (this.parent) this.parent.children = this.parent.children.filter((one) => one !== this); }
  focus() {}
  setAttribute(name, value) { this[name] = value; }
  addEventListener(name, act) { this.listeners[name] = act; }
  querySelector(name) { return (this.found ??= {})[name] ??= new Node(); }
  #put(at, all) {
    for (const one of all) if (one instanceof Node) one.parent = this;
    this.children.splice(at, 0, ...all);
  }
}
const nodes = new Map();
const node = (id) => nodes.get(id) ?? nodes.set(id, new Node()).get(id);
globalThis.document = {
  baseURI: "https://page.example/", documentElement: { scrollHeight: 0 }, adoptedStyleSheets: [],
  getElementById: node, createElement: () => new Node(), createElementNS: () => new Node(),
};
Object.assign(globalThis, { scrollTo() {}, scrollY: 0, innerHeight: 0, CSSStyleSheet: class { replaceSync() {} } });
const heard = new Map();
globalThis.addEventListener = (name, act) => heard.set(name, act);
const store = (held) => ({
  getItem: (name) => held.get(name) ?? null,
  setItem: (name, value) => held.set(name, value),
  removeItem: (name) => held.delete(name),
});
const token = `x.${btoa(JSON.stringify({ iss: "us", sub: "ada" }))}.x`;
globalThis.sessionStorage = store(new Map([["imagegen.token", token]]));
const stored = new Map();
globalThis.localStorage = store(stored);
/** What was asked, each with `say(event, data)` and `end()`. */
const asked = [];
const client = {
  async *chat(messages, _, { signal }) {
    const events = [];
    let wake;
    const next = () => new Promise((done) => { wake = done; });
    const one = {
      words: messages.map(({ content }) => content),
      signal,
      say(event, data) { events.push({ event, data }); wake?.(); },
      end() { events.push(null); wake?.(); },
    };
    asked.push(one);
    signal.addEventListener("abort", () => wake?.());
    for (;;) {
      if (!events.length && !signal.aborted) await next();
      signal.throwIfAborted();
      const found = events.shift();
      if (!found) throw new Error("broken off");
      yield found;
      if (found.event === "message_complete") return;
    }
  },
};
const estimated = [];
client.estimate = async (request) => {
  estimated.push(request);
  return { imageId: `image-${estimated.length}`, prompt: request.prompt };
};
const { english } = await import(new URL("./locale.js", CHAT));
for (const part of ["elements", "later", "page"]) english((await import(new URL(`./${part}-en.js`, CHAT))).WORDS);
const { chatView } = await import(CHAT);
const addresses = [];
const moves = [];
const page = { say() {}, failed() {}, opened: (id) => addresses.push(id), moved: ({ id, status }) => moves.push([id, status]) };
const chat = chatView(client, page);
chat.open();
const button = node("composer").querySelector("button.main");
const rest = () => new Promise((done) => setTimeout(done));
async function write(text, ...more) {
  const isSaid = chat.speak(text, ...more);
  await rest();
  return isSaid;
}
const rows = () => node("messages").children.map((one) => one.textContent);
const buttons = (name, from = node("messages")) => [
  ...(from.own === name ? [from] : []), ...(from.children ?? []).flatMap((one) => buttons(name, one)),
];
const owner = JSON.stringify(["us", "ada"]);
const list = () => JSON.parse(stored.get(`imagegen.chats ${owner}`) ?? "[]");
const messagesOf = (id) => JSON.parse(stored.get(`imagegen.chat.${id} ${owner}`));
const kept = () => messagesOf(chat.shown()).map(({ content }) => content);
/** The buttons of one message that are symbols with names. */
const buttonsOf = (from) => [...(from["aria-label"] && from.listeners.click ? [from] : []), ...(from.children ?? []).flatMap(buttonsOf)];
