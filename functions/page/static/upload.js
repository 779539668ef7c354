/** A file as an input: it is measured here and stored once, at the place that the service signs for exactly this file. */

import { numberText, english, t } from "./locale.js";
import { WORDS } from "./upload-en.js";

english(WORDS);

const ACCEPTED = ["image/png", "image/jpeg", "image/webp"];
const MOST_BYTES = 10_000_000;
// A second try whose file is there already: the reply to the first one was lost.
const STORED_BEFORE = 412;

/** An error whose `problem` the client passes on; `said` is for a person. */
const failure = (said, more) => Object.assign(new Error(said), { problem: {
  type: "about:blank", title: "Not uploaded", status: 0, code: "upload_failed", charged: false, retryable: true, detail: said, said, ...more,
} });

/** Why a file cannot be an input, as far as the browser knows; "" if it may be one. */
function refusalOf({ type, size }) {
  if (!ACCEPTED.includes(type)) return type ? t("up.kind", { type }) : t("up.noKind");
  if (!size) return t("up.empty");
  return size > MOST_BYTES ? t("up.large", { size: numberText(size / 1e6, { minimumFractionDigits: 1, maximumFractionDigits: 1 }) }) : "";
}

async function digestOf(file) {
  if (!globalThis.crypto?.subtle) throw failure(t("up.secure"), { retryable: false });
  const content = await file.arrayBuffer().catch(() => { throw failure(t("up.unreadable")); });
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
  if (!status) throw failure(t("up.cut"), { code: "network" });
  if (status !== STORED_BEFORE && (status < 200 || status > 299)) throw failure(t("up.refused"), { status });
  return ticket.uploadId;
}
