/** The calls of the page for operators. */

import { token } from "./person.js";

/** Returns the JSON of a route of `admin`; raises an error with its `problem` for any other answer. */
export async function call(base, path, body) {
  const headers = { authorization: `Bearer ${token()}` };
  if (body) headers["content-type"] = "application/json";
  const answer = await fetch(`${base}/admin/${path}`, { method: body ? "POST" : "GET", headers, body: body && JSON.stringify(body) });
  const found = await answer.json().catch(() => undefined);
  if (answer.ok) return found;
  throw Object.assign(new Error("refused"), { problem: found ?? { status: answer.status, detail: `The service answered ${answer.status}.` } });
}
