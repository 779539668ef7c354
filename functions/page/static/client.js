/** The service over HTTP: prices, images, chat. A quote is sent as often as needed and charged at most once. */

// Not inside new URL(): a bundler would look for the file.
const HERE = import.meta.url;
const LOST_TRIES = 6;
const LOOK_MS = 8000;
// So many images of a set begin together; a later one may begin after the first has ended.
const AT_ONCE = 4;
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

const sleep = (ms, signal) => new Promise((resolve, reject) => {
  signal?.throwIfAborted();
  const timer = setTimeout(resolve, ms);
  signal?.addEventListener("abort", () => { clearTimeout(timer); reject(signal.reason); }, { once: true });
});
// Worth the same request again: no answer, or a gateway's that another try may heal.
const isLost = ({ problem }) => problem?.code === "network" && navigator.onLine && !/^4(?!08|29)/.test(problem.status);
/** Whether the answer is the service's own: there is no such image. */
export const isAbsent = ({ problem }) => problem?.status === 404 && problem.code !== "network" && problem.charged !== null;
// Errors from before the ledger is read: an earlier request with the same quote may have been charged.
const BLIND = [401, 403, 500, "quote_invalid", "quote_expired", "store_unavailable"];
const isKnown = ({ status, code, charged }) => charged === true || charged === false && !BLIND.some((one) => one === status || one === code);

/** The list of several images as one record: complete if one is stored, and nothing is being made any more. */
function ofSet({ images, startedAt }) {
  const running = images.find((one) => one.status === "generating");
  if (running) return { status: "generating", startedAt: startedAt ?? running.startedAt, images };
  if (images.some((one) => one.status === "complete")) return { status: "complete", images };
  const { code, charged, retryable, detail } = images.map((one) => one.problem).sort((one, other) => (one.charged === false) - (other.charged === false))[0];
  return { status: "failed", code, charged, retryable, detail, images };
}

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

/**
 * Reads server-sent events from chunks of text, with any chunk borders and line ends, and yields
 * `{event, data}` with `data` parsed.
 */
export async function* readEvents(chunks) {
  let rest = "", event = "message", data = [];
  async function* all() { yield* chunks; yield "\n"; }
  for await (const chunk of all()) {
    // A CR at the very end may be half of a CRLF.
    const lines = (rest + chunk).split(/\r\n|\n|\r(?!$)/);
    rest = lines.pop();
    for (const line of lines) {
      const [, field, value] = /^([^:]*):? ?(.*)$/s.exec(line);
      if (field === "event") event = value;
      else if (field === "data") data.push(value);
      if (line !== "") continue;
      if (data.length) yield { event, data: JSON.parse(data.join("\n")) };
      event = "message"; data = [];
    }
  }
}

async function* textOf(body) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  try {
    for (let read; !(read = await reader.read()).done;) yield read.value;
  } catch (error) {
    throw new ProblemError(NETWORK, { cause: error });
  } finally {
    reader.cancel().catch(() => {});
  }
}

/**
 * A client. `settings`: estimateUrl, generateUrl, healthUrl, chatUrl (without them from `config.json` at
 * pageUrl, or beside this module) and token, a text or a function that returns one. The function gets the request's
 * `path`, and after a 401 the token that the service `refused`: another one is tried, once.
 */
export function createClient(settings = {}) {
  const running = new Map();
  let config;

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
    const token = open ? "" : await tokenOf({ path });
    const url = path.includes("://") ? path : await address(name, path);
    const send = (shown) => {
      const headers = { accept: "application/json" };
      if (shown) headers.authorization = `Bearer ${shown}`;
      if (body) headers["content-type"] = "application/json";
      return fetch(url, { method, headers, signal, keepalive, cache: "no-store", body: body && JSON.stringify(body) });
    };
    const response = await send(token);
    if (response.status !== 401 || !token) return response;
    const other = await tokenOf({ path, refused: token });
    return other && other !== token ? send(other) : response;
  }

  const json = async (...all) => (await jsonOf(request(...all))).body;

  /** The state of several images, as one answer: it waits for all of them, and there is none only if all are absent. */
  async function statusOfAll(ids, options) {
    const looks = await Promise.allSettled(ids.map((id) => status(id, options)));
    const lost = looks.find(({ reason }) => reason && !isAbsent(reason) && reason.problem?.status !== 410);
    if (lost || looks.every(({ reason }) => reason)) throw (lost ?? looks[0]).reason;
    const isRunning = looks.some(({ value }) => value?.status === "generating");
    const images = looks.map(({ value, reason }, index) => {
      const { status: state, charged } = value ?? (isRunning && isAbsent(reason) ? { status: "generating", charged: null } : { status: "failed", charged: isAbsent(reason) && ids.length > AT_ONCE ? null : reason.problem.charged });
      const problem = reason?.problem ?? { code: value.code ?? "unknown", detail: "", charged, retryable: false };
      return { index, id: ids[index], status: state, charged, ...(state === "complete" ? { image: value } : state === "failed" && { problem }) };
    });
    return ofSet({ images, startedAt: looks.find(({ value }) => value?.startedAt)?.value.startedAt });
  }

  /** An image's status by id or address, or of several by their ids. Only a 404 or 410 of the service says whether it is charged. */
  async function status(id, { signal } = {}) {
    if (Array.isArray(id)) return statusOfAll(id, { signal });
    const until = AbortSignal.timeout(LOOK_MS);
    try {
      const path = /[/:]/.test(id) ? new URL(id, document.baseURI).href : `/images/${encodeURIComponent(id)}`;
      const record = await json("generateUrl", path, { open: true, signal: signal ? AbortSignal.any([signal, until]) : until });
      if (!record.status) throw new ProblemError(NETWORK);
      return record;
    } catch (error) {
      if (signal?.aborted) throw error;
      const problem = error.problem ?? NETWORK;
      throw [404, 410].includes(problem.status) ? error : new ProblemError({ ...problem, charged: null }, { cause: error });
    }
  }

  /**
   * Waits for the image and returns its status record, complete or failed. Before `until` (ms since
   * 1970) an unknown id may still be confirmed. With `slow` it polls rarely.
   */
  async function watch(id, { onProgress, signal, until = 0, slow = false, tries = LOST_TRIES } = {}) {
    let lost = 0;
    for (let wait = slow ? 4000 : 1000; ; wait = Math.min(wait * 1.5, slow ? 30000 : 8000)) {
      try {
        const record = await status(id, { signal });
        if (record.status !== "generating") return record;
        lost = 0;
        onProgress?.(record);
      } catch (error) {
        const early = isAbsent(error) && Date.now() < until;
        if (!early && !(isLost(error) && ++lost <= tries)) throw error;
      }
      await sleep(wait, signal);
    }
  }

  /** Reports that a run has started while its one long request is still open; with `previews`, each look until its end. */
  async function peek(id, run, previews) {
    for (let looks = 0, wait = 1500; previews ? looks < 100 : looks < 3; looks += 1, wait = Math.min(wait * 2, previews ? 3000 : 6000)) {
      await sleep(wait);
      if (run.done) return;
      const record = await status(id).catch(() => null);
      if (record?.status !== "generating" || run.done) continue;
      run.tell(record);
      if (!previews) return;
    }
  }

  async function make(quote, prompt, run, mixed) {
    for (;;) {
      try {
        const quotes = Array.isArray(quote) ? { quotes: quote } : { quote };
        const { status: code, wait, body } = await jsonOf(request("generateUrl", "/generate-image", { body: { ...quotes, prompt, mixed } }));
        if (!body.id && !body.images) throw new ProblemError(NETWORK);
        if (code !== 202) return body.images ? ofSet(body) : body;
        if (body.images) {
          run.tell(ofSet(body));
          await sleep(Math.min((wait || 1000) * 1.5 ** run.looks++, 8000));
          continue;
        }
        run.tell(body);
        await sleep(wait || 1000);
        // When it has ended, sending the same quote again returns the full result.
        await watch(body.id, { onProgress: run.tell }).catch((error) => { if (isLost(error)) throw error; });
      } catch (error) {
        if (error.problem?.code === "network") run.lost += 1;
        if (!isLost(error) || run.lost > LOST_TRIES) throw error;
        await sleep(500 * 2 ** run.lost);
      }
    }
  }

  /** After an error: returns the image if a look finds it, else throws what is known. */
  async function looked(id, error, run) {
    const { problem } = error;
    if (!problem || isKnown(problem)) throw error;
    let known = { charged: null };
    if (id) try {
      // A request whose reply was lost may still be on its way.
      const record = await watch(id, { onProgress: run.tell, tries: 0, until: run.lost && Date.now() + 4000 });
      if (record.status === "complete") return record;
      const { code, charged, retryable } = record;
      known = { code: code ?? "unknown", charged, retryable: Boolean(retryable), detail: "" };
    } catch (unseen) {
      if (isAbsent(unseen)) known = { charged: false };
      else if (unseen.problem?.status === 410) known = unseen.problem;
    }
    throw new ProblemError({ ...problem, ...known }, { cause: error });
  }

  /**
   * The image a quote promises. One request per quote at a time, however often this is called;
   * a lost reply sends the same quote again, which never charges twice. `charged` of an error is null where
   * it is not known; with `imageId` it looks at the image's status before. With `mixed`, quotes of different models are one request.
   */
  function generate(quote, prompt, { imageId, onProgress, previews = false, signal, mixed } = {}) {
    const key = String(quote);
    let run = running.get(key);
    if (!run) {
      const listeners = new Set();
      run = { done: false, lost: 0, looks: 0, listeners, tell: (record) => listeners.forEach((listener) => listener(record)) };
      run.promise = make(quote, prompt, run, mixed).catch((error) => looked(imageId, error, run)).finally(() => { run.done = true; running.delete(key); });
      running.set(key, run);
      if (imageId) peek(imageId, run, previews);
    }
    if (onProgress) run.listeners.add(onProgress);
    if (!signal) return run.promise;
    // Only this caller stops waiting: the service has no way to stop a run.
    return Promise.race([run.promise, new Promise((_, reject) => {
      signal.addEventListener("abort", () => reject(signal.reason), { once: true });
    })]);
  }

  async function upload(file, options) {
    try {
      const loaded = await import("./upload.js");
      return await loaded.upload(file, (body) => json("estimateUrl", "/inputs", { body }), options);
    } catch (error) {
      throw error.problem ? new ProblemError(error.problem, { cause: error }) : error;
    }
  }

  async function* chatEvents(messages, signal) {
    const response = await answered(request("chatUrl", "/chat", { body: { messages }, signal }));
    for await (const one of readEvents(textOf(response.body))) {
      yield one;
      if (one.event === "message_complete") return;
    }
    throw new ProblemError({ ...NETWORK, detail: "The answer broke off." });
  }

  async function chatCalls(messages, handlers) {
    let last;
    for await (const { event, data } of chatEvents(messages, handlers.signal)) {
      handlers[event]?.(data);
      last = data;
    }
    return last;
  }

  return {
    settings,
    estimate: (wish, options) => json("estimateUrl", "/estimate", { body: wish, ...options }),
    generate,
    status,
    watch,
    /** With handlers by event name: a promise of message_complete. Without: an async iterator of `{event, data}`. */
    chat: (messages, handlers, { signal } = {}) => (handlers ? chatCalls(messages, handlers) : chatEvents(messages, signal)),
    models: () => json("estimateUrl", "/models"),
    usage: () => json("generateUrl", "/usage"),
    /** A page of the user's own images, the newest first. */
    images: (query = {}) => json("generateUrl", `/images?${new URLSearchParams(query)}`),
    /** Deletes an image of the user for good; the charge stays. With `keepalive` also while the page is left. */
    remove: async (id, { keepalive } = {}) => { await answered(request("generateUrl", `/images/${encodeURIComponent(id)}`, { method: "DELETE", keepalive })); },
    /** Stores a file as an input; returns its uploadId. Options: `onProgress` (0 to 1), `signal`. */
    upload,
    health: () => json("healthUrl", "/health-check/image-providers"),
  };
}

/** The client of elements that have none of their own. */
export const defaultClient = createClient();
export const configure = (settings) => { Object.assign(defaultClient.settings, settings); };
