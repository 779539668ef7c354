// What form-view.js needs of a browser, and a user who left a request with a picture in the form. FORM: its address.

const nodes = new Map();
const element = () => ({
  listeners: {}, children: [], files: [], textContent: "", hidden: false,
  append() {}, prepend() {}, focus() {},
  setAttribute(name, value) { this[name] = value; },
  removeAttribute(name) { delete this[name]; },
  replaceChildren(...all) { this.children = all; },
  querySelector: () => null,
  addEventListener(name, act) { this.listeners[name] = act; },
});
const same = { disabled: true };
const elements = {
  prompt: { value: "" },
  style: { value: "" },
  size: { value: "square", querySelector: () => same },
};
const order = Object.assign(element(), {
  elements,
  reset() { elements.prompt.value = elements.style.value = ""; elements.size.value = "square"; },
});
nodes.set("order", order);
globalThis.document = {
  baseURI: "https://page.example/",
  getElementById: (id) => nodes.get(id) ?? nodes.set(id, element()).get(id),
  createElement: element,
};
globalThis.IntersectionObserver = class { observe() {} unobserve() {} };
globalThis.FormData = class {
  *[Symbol.iterator]() { for (const [name, { value }] of Object.entries(elements)) yield [name, value]; }
};
const store = (held) => ({
  getItem: (name) => held.get(name) ?? null,
  setItem: (name, value) => held.set(name, value),
  removeItem: (name) => held.delete(name),
});
const token = `x.${btoa(JSON.stringify({ iss: "us", sub: "ada" }))}.x`;
globalThis.sessionStorage = store(new Map([["imagegen.token", token]]));
const kept = { prompt: "a kept fox", style: "ink", size: "same", inputs: [{ reference: { upload: "one" }, name: "kept.png" }] };
globalThis.localStorage = store(new Map([[`imagegen.order ${JSON.stringify(["us", "ada"])}`, JSON.stringify(kept)]]));
const asked = [];
const client = { estimate: (wanted) => { asked.push(wanted); return new Promise(() => {}); } };
const { formView } = await import(FORM);
const form = formView(client, { failed() {} });
const loaded = () => import(new URL("./pictures.js", FORM)).then(() => new Promise((done) => setTimeout(done)));
const shown = () => ({ prompt: elements.prompt.value, style: elements.style.value, size: elements.size.value, pictures: nodes.get("given").children.length });
