// What settings.js needs of a browser, and a user who left settings with a picture in the composer. FORM: its address.

const nodes = new Map();
const named = {};
const element = () => ({
  listeners: {}, children: [], files: [], textContent: "", hidden: false, value: "",
  append(...all) { this.children.push(...all); },
  prepend() {}, focus() {}, remove() {},
  setAttribute(name, value) { this[name] = value; },
  removeAttribute(name) { delete this[name]; },
  replaceChildren(...all) { this.children = all; },
  querySelector: () => same,
  addEventListener(name, act) { this.listeners[name] = act; },
  set name(name) { named[name] = this; this.called = name; },
  get name() { return this.called; },
});
const same = { disabled: true };
const order = Object.assign(element(), {
  elements: new Proxy(named, { get: (all, name) => (name === Symbol.iterator ? () => Object.values(all)[Symbol.iterator]() : all[name]) }),
});
nodes.set("composer", order);
globalThis.document = {
  baseURI: "https://page.example/",
  getElementById: (id) => nodes.get(id) ?? nodes.set(id, element()).get(id),
  createElement: element,
  createElementNS: element,
};
const elements = named;
document.getElementById("say").name = "prompt";
globalThis.IntersectionObserver = class { observe() {} unobserve() {} };
globalThis.FormData = class {
  *[Symbol.iterator]() { for (const [name, { value }] of Object.entries(named)) yield [name, value]; }
};
const store = (held) => ({
  getItem: (name) => held.get(name) ?? null,
  setItem: (name, value) => held.set(name, value),
  removeItem: (name) => held.delete(name),
});
const token = `x.${btoa(JSON.stringify({ iss: "us", sub: "ada" }))}.x`;
globalThis.sessionStorage = store(new Map([["imagegen.token", token]]));
const kept = { style: "ink", size: "same", inputs: [{ reference: { upload: "one" }, name: "kept.png" }] };
globalThis.localStorage = store(new Map([[`imagegen.order ${JSON.stringify(["us", "ada"])}`, JSON.stringify(kept)]]));
const asked = [];
const client = { estimate: (wanted) => { asked.push(wanted); return new Promise(() => {}); }, models: async () => ({ models: [] }) };
const { english } = await import(new URL("./locale.js", FORM));
for (const part of ["elements", "later", "page"]) english((await import(new URL(`./${part}-en.js`, FORM))).WORDS);
const { settingsView } = await import(FORM);
const form = settingsView(client, { failed() {} });
const loaded = () => import(new URL("./pictures.js", FORM)).then(() => new Promise((done) => setTimeout(done)));
const shown = () => ({ prompt: elements.prompt.value, style: elements.style.value, size: elements.size.value, pictures: nodes.get("given").children.length });
