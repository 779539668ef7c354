/**
 * What a client needs for its first image or answer: a quote is sent as often as needed, and what is made is looked at
 * until its end; an answer is read as it comes.
 */

const LOST_TRIES = 6;
const LOOK_MS = 8000;
// So many images of a set begin together; a later one may begin after the first has ended.
const AT_ONCE = 4;

const sleep = (ms, signal) => new Promise((resolve, reject) => {
  signal?.throwIfAborted();
  const timer = setTimeout(resolve, ms);
  signal?.addEventListener("abort", () => { clearTimeout(timer); reject(signal.reason); }, { once: true });
});
// Worth the same request again: no answer, or a gateway's that another try may heal.
const isLost = ({ problem }) => problem?.code === "network" && navigator.onLine && !/^4(?!08|29)/.test(problem.status);
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

/** Yields the text of a body; `failed(error)` is thrown where it breaks off. */
async function* textOf(body, failed) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  try {
    for (let read; !(read = await reader.read()).done;) yield read.value;
  } catch (error) {
    throw failed(error);
  } finally {
    reader.cancel().catch(() => {});
  }
}

/**
 * Returns `generate`, `status`, `watch`, `upload`, `chatEvents` and `chatCalls` over the parts of a client. It imports nothing,
 * because a copy of what the client has already would be loaded with it.
 */
export function runner({ request, answered, jsonOf, now, isAbsent, ProblemError, NETWORK }) {
  const running = new Map();

  /** An image's status by id or address, or of several by their ids. Only a 404 or 410 of the service says whether it is charged. */
  async function status(id, { signal } = {}) {
    if (Array.isArray(id)) return statusOfAll(id, { signal });
    const until = AbortSignal.timeout(LOOK_MS);
    try {
      const path = /[/:]/.test(id) ? new URL(id, document.baseURI).href : `/images/${encodeURIComponent(id)}`;
      const { body: record } = await jsonOf(request("generateUrl", path, { open: true, signal: signal ? AbortSignal.any([signal, until]) : until }));
      if (!record.status) throw new ProblemError(NETWORK);
      return record;
    } catch (error) {
      if (signal?.aborted) throw error;
      const problem = error.problem ?? NETWORK;
      throw [404, 410].includes(problem.status) ? error : new ProblemError({ ...problem, charged: null }, { cause: error });
    }
  }

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
        const early = isAbsent(error) && now() < until;
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
      const record = await watch(id, { onProgress: run.tell, tries: 0, until: run.lost && now() + 4000 });
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
    // It may have been given up while this was loaded: then nothing is sent.
    signal?.throwIfAborted();
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
      return await loaded.upload(file, async (body) => (await jsonOf(request("estimateUrl", "/inputs", { body }))).body, options);
    } catch (error) {
      throw error.problem ? new ProblemError(error.problem, { cause: error }) : error;
    }
  }

  async function* chatEvents(messages, signal) {
    const response = await answered(request("chatUrl", "/chat", { body: { messages }, signal }));
    for await (const one of readEvents(textOf(response.body, (cause) => new ProblemError(NETWORK, { cause })))) {
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

  return { generate, status, watch, upload, chatEvents, chatCalls };
}
