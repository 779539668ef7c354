/** A file as an input: it is measured here and stored once, at the place that the service signs for exactly this file. */

const ACCEPTED = ["image/png", "image/jpeg", "image/webp"];
const MOST_BYTES = 10_000_000;
// A second try whose file is there already: the reply to the first one was lost.
const STORED_BEFORE = 412;

/** An error whose `problem` the client passes on. */
const failure = (detail, more) => Object.assign(new Error(detail), { problem: {
  type: "about:blank", title: "Not uploaded", status: 0, code: "upload_failed", charged: false, retryable: true, detail, ...more,
} });

/** Why a file cannot be an input, as far as the browser knows; "" if it may be one. */
function refusalOf({ type, size }) {
  if (!ACCEPTED.includes(type)) return `This file is ${type || "of a kind that the browser does not know"}. Choose a PNG, a JPEG or a WebP.`;
  if (!size) return "This file is empty. Choose another one.";
  return size > MOST_BYTES ? `This file has ${(size / 1e6).toFixed(1)} MB. Choose one of at most 10 MB.` : "";
}

async function digestOf(file) {
  if (!globalThis.crypto?.subtle) throw failure("Files can be uploaded from a secure address (https) only.", { retryable: false });
  const content = await file.arrayBuffer().catch(() => { throw failure("The file cannot be read. Choose it again."); });
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", content));
  return [...digest].map((one) => one.toString(16).padStart(2, "0")).join("");
}

/** Sends the file and returns the status of the answer. XMLHttpRequest, because fetch reports no progress. */
function put({ url, method, headers }, file, { onProgress, signal }) {
  return new Promise((resolve, reject) => {
    const call = new XMLHttpRequest();
    call.open(method, url);
    for (const [name, value] of Object.entries(headers)) call.setRequestHeader(name, value);
    call.upload.onprogress = ({ loaded, total }) => onProgress?.(total ? loaded / total : 0);
    call.onload = () => resolve(call.status);
    call.onerror = () => resolve(0);
    call.onabort = () => reject(signal.reason);
    signal?.addEventListener("abort", () => call.abort(), { once: true });
    call.send(file);
  });
}

/** Stores a file and returns its uploadId; `order` asks the service for the place. An error has a `problem`. */
export async function upload(file, order, { onProgress, signal } = {}) {
  const refusal = refusalOf(file);
  if (refusal) throw failure(refusal, { retryable: false });
  const ticket = await order({ mediaType: file.type, bytes: file.size, sha256: await digestOf(file) });
  signal?.throwIfAborted();
  const sent = () => put(ticket.upload, file, { onProgress, signal });
  const status = await sent() || await sent();
  if (!status) throw failure("The upload was cut off. Check the connection and choose the file again.", { code: "network" });
  if (status !== STORED_BEFORE && (status < 200 || status > 299)) throw failure("The file was not accepted, perhaps because it has changed. Choose it again.", { status });
  return ticket.uploadId;
}
