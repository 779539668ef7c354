/** The service over HTTP: prices, images, chat. A quote is sent as often as needed and charged at most once. */

// Not inside new URL(): a bundler would look for the file.
const HERE = import.meta.url;
/** A device's clock that differs less is right: the header has whole seconds, and it took some time to come. */
const SKEW_MS = 30_000;
export const NETWORK = {
  type: "about:blank", title: "No answer", status: 0, code: "network",
  detail: "The service could not be reached.", charged: null, retryable: true,
};

/** An error of the service or of the network; `problem` is an RFC 9457 object. */
export class ProblemError extends Error {
  constructor(problem, options) {
    super(problem.detail || problem.title || problem.code, options);
    this.name = "ProblemError";
    this.problem = problem;
  }
}

/** Whether the answer is the service's own: there is no such image. */
export const isAbsent = ({ problem }) => problem?.status === 404 && problem.code !== "network" && problem.charged !== null;
async function answered(sent) {
  let response;
  try {
    response = await sent;
  } catch (error) {
    if (error.problem || error.name === "AbortError") throw error;
    throw new ProblemError(NETWORK, { cause: error });
  }
  const kind = response.headers.get("content-type") ?? "";
  if (response.ok) return response;
  // A failing gateway answers without a problem: then it is unknown whether the request was handled.
  const problem = kind.includes("problem+json") ? await response.json().catch(() => null) : null;
  throw new ProblemError(problem?.code ? problem : { ...NETWORK, status: response.status });
}

async function jsonOf(sent) {
  const response = await answered(sent);
  try {
    const body = await response.json();
    if (Object(body) !== body) throw new TypeError("not an object");
    return { status: response.status, wait: Number(response.headers.get("retry-after")) * 1000, body };
  } catch (error) {
    throw new ProblemError(NETWORK, { cause: error });
  }
}

/** What waits for images and reads answers, once it is being loaded. */
let loading;

/**
 * A client. `settings`: estimateUrl, generateUrl, healthUrl, chatUrl (without them from `config.json` at
 * pageUrl, or beside this module) and token, a text or a function that returns one. The function gets the request's
 * `path`, the `quote` of a click (several of a set), and after a 401 the token that the service `refused`: another one is tried, once.
 */
export function createClient(settings = {}) {
  let config;
  let skew = 0;
  let runs;

  async function address(name, path) {
    if (!settings[name]) {
      config ??= jsonOf(fetch(new URL("config.json", settings.pageUrl ? `${settings.pageUrl}/` : HERE)));
      config.catch(() => { config = undefined; });
    }
    const base = settings[name] ?? (await config).body[name];
    if (!base) throw new ProblemError({ ...NETWORK, code: "not_configured", detail: `The setting ${name} is missing.`, charged: false });
    return base.replace(/\/+$/, "") + path;
  }

  async function request(name, path, { body, method = body ? "POST" : "GET", open, signal, keepalive } = {}) {
    const tokenOf = async (about) => (typeof settings.token === "function" ? settings.token(about) : settings.token);
    const quote = body?.quotes ?? body?.quote;
    const token = open ? "" : await tokenOf({ path, quote });
    const url = path.includes("://") ? path : await address(name, path);
    const send = (shown) => {
      const headers = { accept: "application/json" };
      if (shown) headers.authorization = `Bearer ${shown}`;
      if (body) headers["content-type"] = "application/json";
      return fetch(url, { method, headers, signal, keepalive, cache: "no-store", body: body && JSON.stringify(body) });
    };
    const response = await send(token);
    const ahead = Date.parse(response.headers.get("date")) - Date.now();
    if (Number.isFinite(ahead)) skew = Math.abs(ahead) > SKEW_MS ? ahead : 0;
    if (response.status !== 401 || !token) return response;
    const other = await tokenOf({ path, refused: token, quote });
    return other && other !== token ? send(other) : response;
  }

  const json = async (...all) => (await jsonOf(request(...all))).body;

  const now = () => Date.now() + skew;

  /** Returns what waits for images and reads answers, which is loaded when it is first needed. */
  async function running() {
    const { runner } = await (loading ??= import("./client-run.js").catch((error) => {
      loading = undefined;
      throw new ProblemError(NETWORK, { cause: error });
    }));
    // One for all calls, also for those that waited together: it knows which quotes are being sent.
    return (runs ??= runner({ request, answered, jsonOf, now, isAbsent, ProblemError, NETWORK }));
  }

  const later = (name) => async (...given) => (await running())[name](...given);

  async function* chatEvents(...given) { yield* (await running()).chatEvents(...given); }

  return {
    settings,
    /** The service's time, in ms since 1970, as its answers have it: this device's clock may be wrong. */
    now,
    estimate: (wish, options) => json("estimateUrl", "/estimate", { body: wish, ...options }),
    generate: later("generate"),
    /** An image's status by id or address, or of several by their ids. Only a 404 or 410 of the service says whether it is charged. */
    status: later("status"),
    watch: later("watch"),
    /** With handlers by event name: a promise of message_complete. Without: an async iterator of `{event, data}`. */
    chat: (messages, handlers, { signal } = {}) => (handlers ? later("chatCalls")(messages, handlers) : chatEvents(messages, signal)),
    models: () => json("estimateUrl", "/models"),
    usage: () => json("generateUrl", "/usage"),
    /** A page of the user's own images, the newest first. */
    images: (query = {}) => json("generateUrl", `/images?${new URLSearchParams(query)}`),
    /** Deletes an image of the user for good; the charge stays. With `keepalive` also while the page is left. */
    remove: async (id, { keepalive } = {}) => { await answered(request("generateUrl", `/images/${encodeURIComponent(id)}`, { method: "DELETE", keepalive })); },
    /** Stores a file as an input; returns its uploadId. Options: `onProgress` (0 to 1), `signal`. */
    upload: later("upload"),
    health: () => json("healthUrl", "/health-check/image-providers"),
  };
}

/** The client of elements that have none of their own. */
export const defaultClient = createClient();
export const configure = (settings) => { Object.assign(defaultClient.settings, settings); };
