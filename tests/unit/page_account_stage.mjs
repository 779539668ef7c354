// What account.js needs of a page, besides what sign-in.js needs. STATIC: their folder.

const nodes = new Map();
const listeners = {};
const node = (id) => {
  if (!nodes.has(id)) nodes.set(id, {
    id, hidden: false, textContent: "", listeners: {}, focus() { focused = id; },
    setAttribute(name, value) { this[name] = value; }, addEventListener(name, act) { this.listeners[name] = act; },
  });
  return nodes.get(id);
};
let focused = "";
globalThis.document = { baseURI: PAGE, getElementById: node, addEventListener: (name, act) => { listeners[name] = act; } };
globalThis.addEventListener = (name, act) => { listeners[name] = act; };
globalThis.dispatchEvent = ({ type }) => listeners[type]?.();

const { accountView } = await import(`${STATIC}/account.js`);
const person = await import(`${STATIC}/person.js`);
const SESSION = "imagegen.session";
const kept = () => JSON.parse(localStorage.getItem(SESSION));
/** A session that this tab takes part in. */
function held(more) {
  const now = Date.now();
  const one = { id: "s1", issuer: ISSUER, clientId: "the-page", name: "Ada", token: access(), refresh: "r0", due: now + 60_000, until: now + 120_000, ...more };
  localStorage.setItem(SESSION, JSON.stringify(one));
  sessionStorage.setItem("imagegen.joined", one.id);
  return one;
}
const seen = [];
const page = {
  changed: (before) => seen.push(["changed", before]),
  left: () => { seen.push(["left"]); person.forget(); },
  view: () => ({ part: "make" }),
  restore: (view) => seen.push(["restore", view]),
};
/** The account as the page opens it. */
async function opened(signIn = SIGN_IN, isLocal = false) {
  const account = accountView(signIn, isLocal, page);
  await account.start();
  return account;
}
const rest = () => new Promise((done) => setTimeout(done, 5));
/** The token that a request gets, or what it is told. */
const got = (promise) => promise.then((token) => token, ({ problem, message }) => [problem?.status, problem?.code, problem?.charged, message]);
/** What another tab does to the session. */
async function elsewhere(one) {
  const oldValue = localStorage.getItem(SESSION);
  if (one) localStorage.setItem(SESSION, JSON.stringify(one));
  else localStorage.removeItem(SESSION);
  listeners.storage({ key: SESSION, oldValue });
  await rest();
}
const why = () => (node("entry").hidden ? "" : node("entry-why").textContent);
const ENDED = { due: 0, until: 0, refresh: "" };
/** The person gives up an image that has this estimate. */
const cancel = (estimate) => listeners["image-cancel"]({ detail: { generation: { estimate } } });
