/** Whose page this is: the session, or a token of this tab, and where the browser keeps what belongs to its user. */

const TOKEN = "imagegen.token";
const SESSION = "imagegen.session";
/** The session that this tab takes part in. */
const JOINED = "imagegen.joined";
/** Where the settings of a request are kept. */
export const ORDER = "imagegen.order";
const OLD = ["imagegen.chat", "imagegen.made", ORDER];

/** The token that was entered in this tab by hand. */
export const entered = () => sessionStorage.getItem(TOKEN) ?? "";
export const token = () => entered() || (session()?.token ?? "");

/** Takes a token that was entered by hand, or with "" the signed-in person's again. */
export function enter(given) {
  if (given) sessionStorage.setItem(TOKEN, given);
  else sessionStorage.removeItem(TOKEN);
}

/** Returns the session that all tabs share, whether this one takes part in it or not; null if there is none. */
export function sharedSession() {
  try {
    return JSON.parse(localStorage.getItem(SESSION));
  } catch {
    return null;
  }
}

/** Returns the session of this tab. */
export function session() {
  const held = sharedSession();
  return held && held.id === sessionStorage.getItem(JOINED) ? held : null;
}

export const isSessionChange = ({ key }) => key === SESSION;
export const join = ({ id }) => sessionStorage.setItem(JOINED, id);
export const keepSession = (held) => localStorage.setItem(SESSION, JSON.stringify(held));
export const dropSession = () => localStorage.removeItem(SESSION);

/**
 * Returns a token's issuer and subject as a text, "" if it has none. The service checks the token; here it
 * only keeps the users of one browser apart.
 */
export function subjectOf(given) {
  try {
    const { iss, sub } = JSON.parse(atob(given.split(".")[1].replaceAll("-", "+").replaceAll("_", "/")));
    return sub ? JSON.stringify([iss, sub]) : "";
  } catch {
    return "";
  }
}

/** The name under which the browser stores something of this user. */
export const place = (name) => `${name} ${subjectOf(token())}`;
const owned = () => Boolean(subjectOf(token()));

/** Returns the value that was stored for this user under a name, or the default. */
export function kept(name, otherwise) {
  try {
    return owned() ? JSON.parse(localStorage.getItem(place(name))) ?? otherwise : otherwise;
  } catch {
    return otherwise;
  }
}

/**
 * Keeps something for this user's next visit. An open offer is kept with its quote, so that its button is
 * there after a reload: a quote is worth nothing to anybody but its user, once, for ten minutes.
 * With the image made it is worth nothing at all, and goes.
 */
export function keep(name, value) {
  if (!owned()) return;
  const spent = (key, one) => (key === "quote" ? undefined : one);
  const text = JSON.stringify(value, (_, one) =>
    one?.status === "complete" && one.estimate ? JSON.parse(JSON.stringify(one, spent)) : one);
  try {
    localStorage.setItem(place(name), text);
  } catch {
    // The storage is full or not allowed: the page works without it.
  }
}

/** Forgets the token, the session, and everything that is kept for their user. */
export function forget() {
  const end = place("");
  for (const name of Object.keys(localStorage)) if (owned() && name.startsWith("imagegen.") && name.endsWith(end)) localStorage.removeItem(name);
  if (session()) dropSession();
  sessionStorage.clear();
}

// An earlier version kept these for whoever used the browser.
for (const name of OLD) localStorage.removeItem(name);
