// What sign-in.js and account.js need of a browser, and an issuer whose answers a test changes. STATIC: their folder.

const store = () => {
  const held = new Map();
  const methods = {
    getItem: (name) => held.get(name) ?? null,
    setItem: (name, value) => held.set(name, String(value)),
    removeItem: (name) => held.delete(name),
    clear: () => held.clear(),
    names: () => [...held.keys()],
    text: () => JSON.stringify([...held]),
  };
  // As in a browser, its keys are what is stored.
  const getOwnPropertyDescriptor = (_, name) => held.has(name) ? { value: held.get(name), enumerable: true, configurable: true } : undefined;
  return new Proxy(methods, { ownKeys: () => [...held.keys()], getOwnPropertyDescriptor });
};
globalThis.sessionStorage = store();
globalThis.localStorage = store();

const ISSUER = "https://issuer.example/tenant/";
const PAGE = "https://page.example/app/";
const SIGN_IN = { issuer: ISSUER, clientId: "the-page", scopes: "openid profile", audience: "" };
const went = [];
globalThis.location = { href: `${PAGE}?x=1#y`, search: "", pathname: "/app/", hash: "#y", assign: (to) => went.push(to) };
globalThis.history = { replaceState: (_, __, to) => went.push(`replaced ${to}`) };

/** Locks as tabs share them: one at a time for a name, shared ones together. */
const tails = new Map();
const tabs = [];
const locks = {
  request(name, options, act = options) {
    if (options.mode === "shared") {
      tabs.push({ name });
      return act().then(() => tabs.splice(tabs.findIndex((one) => one.name === name), 1));
    }
    const turn = (tails.get(name) ?? Promise.resolve()).then(act);
    tails.set(name, turn.catch(() => {}));
    return turn;
  },
  query: async () => ({ held: tabs }),
};
Object.defineProperty(globalThis, "navigator", { value: { locks, onLine: true }, configurable: true });

const jwt = (claims) => `h.${Buffer.from(JSON.stringify(claims)).toString("base64url")}.s`;
const metadata = {
  issuer: ISSUER, authorization_endpoint: "https://issuer.example/authorize?tenant=1", token_endpoint: "https://issuer.example/token",
  end_session_endpoint: "https://issuer.example/logout", revocation_endpoint: "https://issuer.example/revoke",
  scopes_supported: ["openid", "profile", "offline_access"], authorization_response_iss_parameter_supported: true,
};
let serial = 0;
const access = (more) => jwt({ iss: ISSUER, sub: "ada", aud: "api", iat: 1000, exp: 1900, n: ++serial, ...more });
const proof = (more) => jwt({ iss: ISSUER, sub: "ada", aud: "the-page", name: "Ada", iat: 1000, exp: 1900, ...more });
const asked = [];
/** What the token endpoint answers; a test changes it. */
const issuer = {
  token: (form) => ({
    access_token: access(), token_type: "Bearer", expires_in: 900, refresh_token: `refresh.token.${++serial}`,
    id_token: proof(form.nonce && { nonce: form.nonce }),
  }),
  status: 200,
};
let nonce = "";
globalThis.fetch = async (address, options = {}) => {
  const form = Object.fromEntries(options.body instanceof URLSearchParams ? options.body : []);
  asked.push({ address: String(address), method: options.method ?? "GET", form, headers: options.headers ?? {}, credentials: options.credentials });
  if (issuer.lost) throw new TypeError("Failed to fetch");
  const found = String(address).endsWith("/.well-known/openid-configuration");
  const body = found ? metadata : issuer.token({ ...form, nonce: form.grant_type === "authorization_code" ? nonce : "" });
  return new Response(JSON.stringify(body), { status: found ? 200 : issuer.status });
};

const { english } = await import(`${STATIC}/locale.js`);
for (const part of ["elements", "later", "page"]) english((await import(`${STATIC}/${part}-en.js`)).WORDS);
const { begin, claimsOf, discover, finish, renew, signOut } = await import(`${STATIC}/sign-in.js`);
/** Begins a sign-in; the query of the address that the issuer got. */
async function begun(signIn = SIGN_IN, view = { part: "chat" }) {
  await begin(signIn, view);
  const query = Object.fromEntries(new URL(went.at(-1)).searchParams);
  nonce = query.nonce;
  return query;
}
/** Comes back with these parameters: what is kept, or why nobody was signed in. */
async function back(parameters, signIn = SIGN_IN) {
  const query = parameters instanceof URLSearchParams ? parameters : new URLSearchParams(parameters);
  try {
    return await finish(signIn, query);
  } catch (error) {
    return { error: error.message, name: error.name };
  }
}
const write = (value) => console.log(JSON.stringify(value));
