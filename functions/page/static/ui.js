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

/** Returns what loads a part of the page when it is first needed; after a failure, the next call tries again. */
export function late(load) {
  let loading;
  return () => (loading ??= load().catch((error) => {
    loading = undefined;
    throw error;
  }));
}

/** Returns an error as text: the service's own text if it answered. */
export function explain(error) {
  const problem = error.problem;
  if (!problem) return "The service cannot be reached.";
  const wait = problem.retryAfterSeconds;
  return problem.detail + (wait ? ` Try again in ${clock(wait)}.` : "");
}

/** Returns seconds, rounded up, as 0:07 or 59:59, or in hours where there are some. */
export function clock(seconds) {
  const whole = Math.ceil(seconds);
  const [minutes, rest] = [Math.floor(whole / 60), whole % 60];
  return minutes >= 60 ? `${Math.ceil(minutes / 60)} h` : `${minutes}:${String(rest).padStart(2, "0")}`;
}
