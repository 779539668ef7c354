/** The calls of the page for operators. */

/**
 * Returns the JSON of a route of `admin`; raises an error with its `problem` for any other answer. `fresh` returns
 * a token, another one instead of one that was refused, which is tried once.
 */
export async function call(base, path, fresh, body) {
  const first = await fresh({ path: `/admin/${path}` });
  const answer = await asked(base, path, first, body).catch((error) => {
    if (error.problem?.status === 401) return fresh({ path: `/admin/${path}`, refused: first }).then((token) => {
      if (token === first) throw error;
      return asked(base, path, token, body);
    });
    throw error;
  });
  return answer;
}

async function asked(base, path, token, body) {
  const headers = { authorization: `Bearer ${token}` };
  if (body) headers["content-type"] = "application/json";
  const answer = await fetch(`${base}/admin/${path}`, { method: body ? "POST" : "GET", headers, body: body && JSON.stringify(body) });
  const found = await answer.json().catch(() => undefined);
  if (answer.ok) return found;
  throw Object.assign(new Error("refused"), { problem: found ?? { status: answer.status, detail: `The service answered ${answer.status}.` } });
}
