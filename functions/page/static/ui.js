/** Functions that the page's parts share: making elements, and texts. Text only, never HTML. */

export const $ = (id) => document.getElementById(id);

/** Returns a new element with these properties (`data-…` and `aria-…` as attributes) and children. */
export function h(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties))
    if (name.includes("-")) element.setAttribute(name, value);
    else element[name] = value;
  element.append(...children);
  return element;
}

/** Returns an error as text: the service's own text if it answered. */
export function explain(error) {
  const problem = error.problem;
  if (!problem) return "The service cannot be reached. Nothing was charged.";
  const wait = problem.retryAfterSeconds;
  return problem.detail + (wait ? ` Try again in ${clock(wait)}.` : "");
}

/** Returns seconds, rounded up, as 0:07 or 59:59, or in hours where there are some. */
export function clock(seconds) {
  const whole = Math.ceil(seconds);
  const [minutes, rest] = [Math.floor(whole / 60), whole % 60];
  return minutes >= 60 ? `${Math.ceil(minutes / 60)} h` : `${minutes}:${String(rest).padStart(2, "0")}`;
}

/** Returns the value that was stored under a name, or the default. */
export function kept(name, otherwise) {
  try {
    return JSON.parse(localStorage.getItem(name)) ?? otherwise;
  } catch {
    return otherwise;
  }
}

/**
 * Keeps something for the next visit. An open offer is kept with its quote, so that its button is
 * there after a reload: a quote is worth nothing to anybody but its user, once, for ten minutes.
 * With the image made it is worth nothing at all, and goes.
 */
export function keep(name, value) {
  const spent = (key, one) => (key === "quote" ? undefined : one);
  const text = JSON.stringify(value, (_, one) =>
    one?.status === "complete" && one.estimate ? JSON.parse(JSON.stringify(one, spent)) : one);
  try {
    localStorage.setItem(name, text);
  } catch {
    // The storage is full or not allowed: the page works without it.
  }
}

/** Returns a <generated-image> for one generation. */
export function picture(client, data) {
  const element = document.createElement("generated-image");
  element.client = client;
  element.data = data;
  return element;
}
