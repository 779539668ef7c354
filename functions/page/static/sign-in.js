/**
 * Signing in with OpenID Connect: authorization code with PKCE (RFC 6749, RFC 7636), renewal by refresh token,
 * sign-out. It is loaded when it is first needed. Nothing here compares a time of the issuer with this device's clock.
 */

import { english, has, t } from "./locale.js";
import { WORDS } from "./sign-in-en.js";

/** What was begun in this tab. It is taken once, by the answer that has its state. */
const BEGUN = "imagegen.sign-in";
const RENEWAL = "imagegen.renewal";

english(WORDS);

/** Errors that mean the same for a person. */
const SAME = { unsupported_grant_type: "unsupported_response_type" };
/** The errors of RFC 6749 (4.1.2.1, 5.2) and OpenID Connect Core (3.1.2.6), by the keys of their words. */
function keyOf(error) {
  const key = `sign.${SAME[error] ?? error}`;
  return has(key) ? key : null;
}

/** Why nobody was signed in: `key` is that of the words for a person. `hasEnded`: the issuer refuses to go on with the session. */
export class SignInError extends Error {
  constructor(key, { hasEnded = false, ...options } = {}) {
    super(t(key), options);
    this.key = key;
    this.name = "SignInError";
    this.hasEnded = hasEnded;
  }
}

const text = (bytes) => btoa(String.fromCharCode(...new Uint8Array(bytes))).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
const random = () => text(crypto.getRandomValues(new Uint8Array(32)));
const challengeOf = async (verifier) => text(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(verifier)));

/** Returns the claims of a JWT, or null if the text is none. Its signature is the service's to check. */
export function claimsOf(token) {
  try {
    const [, body, , ...more] = token.split(".");
    const bytes = Uint8Array.from(atob(body.replaceAll("-", "+").replaceAll("_", "/")), (one) => one.charCodeAt(0));
    const claims = JSON.parse(new TextDecoder().decode(bytes));
    return more.length || Object(claims) !== claims ? null : claims;
  } catch {
    return null;
  }
}

/** Where the issuer sends people back to: this page without its query, as it is registered there. */
export const returnAddress = () => new URL(".", location.href).href;

function isProtected(address) {
  try {
    const { protocol, hostname } = new URL(address);
    return protocol === "https:" || ["127.0.0.1", "localhost", "[::1]"].includes(hostname);
  } catch {
    return false;
  }
}

/** Sends nothing but what is given: no cookie, and no header that would need a preflight. */
async function ask(address, body) {
  try {
    const response = await fetch(address, { method: body ? "POST" : "GET", body, credentials: "omit", redirect: "error", cache: body ? "no-store" : "default" });
    return { status: response.status, answer: await response.json().catch(() => null) ?? {} };
  } catch (error) {
    throw new SignInError("signInUnreachable", { cause: error });
  }
}

/** Returns the issuer's metadata (OpenID Connect Discovery 1.0). */
export async function discover({ issuer }) {
  const { status, answer } = await ask(`${issuer.replace(/\/$/, "")}/.well-known/openid-configuration`);
  if (status >= 500) throw new SignInError("signInUnreachable");
  const needed = [answer.authorization_endpoint, answer.token_endpoint];
  if (answer.issuer !== issuer || !needed.every(isProtected)) throw new SignInError("sign.odd");
  return answer;
}

/** Goes to the issuer. `view` is kept in this tab for the way back. */
export async function begin(signIn, view) {
  const metadata = await discover(signIn);
  const [state, nonce, verifier] = [random(), random(), random()];
  const { issuer, clientId } = signIn;
  const redirect = returnAddress();
  const scopes = new Set(signIn.scopes.split(" "));
  // Whoever lists this scope gives refresh tokens for it; others refuse a scope that they do not have.
  if (metadata.scopes_supported?.includes("offline_access")) scopes.add("offline_access");
  const address = new URL(metadata.authorization_endpoint);
  const query = {
    response_type: "code", client_id: clientId, redirect_uri: redirect, scope: [...scopes].join(" "), state, nonce,
    code_challenge: await challengeOf(verifier), code_challenge_method: "S256", ...(signIn.audience && { audience: signIn.audience }),
  };
  for (const [name, value] of Object.entries(query)) address.searchParams.set(name, value);
  sessionStorage.setItem(BEGUN, JSON.stringify({ state, nonce, verifier, issuer, clientId, redirect, view }));
  location.assign(address.href);
}

/** Returns what was begun with this state, and forgets it. */
function taken(state) {
  const begun = JSON.parse(sessionStorage.getItem(BEGUN) ?? "null");
  if (!begun || !state || begun.state !== state) throw new SignInError("sign.foreign");
  sessionStorage.removeItem(BEGUN);
  return begun;
}

/**
 * Returns `{session, view}` for an answer of the issuer, the query with which it sent the person back.
 * Throws SignInError; then nobody was signed in.
 */
export async function finish(signIn, query) {
  const only = (name) => (query.getAll(name).length === 1 ? query.get(name) : null);
  const begun = taken(only("state"));
  if (begun.issuer !== signIn.issuer || begun.clientId !== signIn.clientId) throw new SignInError("sign.foreign");
  const metadata = await discover(signIn);
  // RFC 9207: an answer of another issuer must not be taken for this one's.
  const needsIssuer = query.has("iss") || metadata.authorization_response_iss_parameter_supported;
  if (needsIssuer && only("iss") !== signIn.issuer) throw new SignInError("sign.wrong");
  const { view } = begun;
  if (query.has("error")) throw new SignInError(keyOf(query.get("error")) ?? "sign.server_error");
  const code = only("code");
  if (!code) throw new SignInError("sign.wrong");
  const answer = await exchange(signIn, metadata, {
    grant_type: "authorization_code", code, redirect_uri: begun.redirect, code_verifier: begun.verifier,
  });
  const claims = checked(answer.id_token, signIn);
  if (!claims || claims.nonce !== begun.nonce) throw new SignInError("sign.wrong");
  return { session: sessionOf(answer, signIn, { id: random(), name: String(claims.name ?? claims.email ?? claims.preferred_username ?? "") }), view };
}

/** Asks the token endpoint. */
async function exchange({ clientId }, metadata, fields) {
  const { status, answer } = await ask(metadata.token_endpoint, new URLSearchParams({ ...fields, client_id: clientId }));
  if (status === 200 && typeof answer.access_token === "string" && /^bearer$/i.test(answer.token_type)) return answer;
  const hasEnded = status >= 400 && status < 500 && ![408, 429].includes(status);
  throw new SignInError(keyOf(answer.error) ?? (hasEnded ? "sign.wrong" : "signInUnreachable"), { hasEnded });
}

/**
 * Returns an ID token's claims if they are of this issuer and for this client, else null (OpenID Connect Core,
 * 3.1.3.7). It came from the issuer itself, over TLS, and the nonce shows that it is new: so neither its
 * signature is checked here nor its end against a clock that may be wrong.
 */
function checked(token, { issuer, clientId }) {
  const claims = typeof token === "string" ? claimsOf(token) : null;
  if (!claims) return null;
  const { iss, sub, aud, azp, iat, exp } = claims;
  const audiences = [aud].flat();
  const isOurs = iss === issuer && audiences.includes(clientId) && (azp === undefined ? audiences.length === 1 : azp === clientId);
  return isOurs && typeof sub === "string" && sub && exp > iat ? claims : null;
}

/** What is kept of an answer. The service gets the access token, or the ID token where that one is no JWT. */
function sessionOf(answer, { issuer, clientId }, before) {
  const { access_token: access, id_token: proof = "", refresh_token: refresh = before.refresh, expires_in: seconds } = answer;
  const token = claimsOf(access) ? access : proof;
  const { iat, exp } = claimsOf(token) ?? {};
  if (!exp) throw new SignInError("sign.odd");
  // The shorter of what the answer and the token say, counted from now on this device, whatever its clock shows.
  const lasts = Math.min(...[Number(seconds), exp - iat].filter((one) => one > 0));
  if (!Number.isFinite(lasts)) throw new SignInError("sign.odd");
  const now = Date.now();
  return { ...before, issuer, clientId, token, refresh, due: now + Math.max(lasts - 60, lasts * 0.75) * 1000, until: now + lasts * 1000 };
}

/** The name of a lock that says of a token that it was renewed, and not what it is. */
const markOf = async (token) => `${RENEWAL} ${await challengeOf(token)}`;

/** Tells all tabs that a token was renewed, for as long as this one is open. */
async function mark(token) {
  const name = await markOf(token);
  return new Promise((done) => {
    navigator.locks.request(name, { mode: "shared" }, () => {
      done();
      return new Promise(() => {});
    }).catch(done);
  });
}

async function isMarked(token) {
  const [name, { held }] = [await markOf(token), await navigator.locks.query()];
  return held.some((one) => one.name === name);
}

/**
 * Returns what is kept. What another tab has kept may arrive here only after its lock is free, because a browser has
 * locks in one place and storage in each of its processes: of a token that was renewed the next one is waited for.
 */
async function latest(read, stale) {
  const isLate = () => read()?.token === stale && read().refresh;
  if (isLate() && (await isMarked(stale)))
    for (let waits = 0; waits < 100 && isLate(); waits += 1) await new Promise((done) => { setTimeout(done, 50); });
  return read();
}

/**
 * Returns the session with another token than `stale`: one tab at a time asks for it, and the others take what it got.
 * A used refresh token ends the session at many issuers. Throws SignInError.
 */
export function renew(signIn, stale, { read, write }) {
  return navigator.locks.request(RENEWAL, async () => {
    const held = await latest(read, stale);
    if (held && held.token !== stale) return held;
    if (!held?.refresh) throw new SignInError("sign.login_required", { hasEnded: true });
    const renewed = await renewedBy(signIn, held).catch((error) => {
      // The issuer is not asked again with a refresh token that it refused.
      if (error.hasEnded && read()?.id === held.id) write({ ...held, refresh: "" });
      throw error;
    });
    if (renewed.token !== stale) await mark(stale);
    // It was signed out while the issuer answered.
    if (read()?.id !== held.id) throw new SignInError("sign.login_required", { hasEnded: true });
    write(renewed);
    return renewed;
  });
}

async function renewedBy(signIn, held) {
  const metadata = await discover(signIn);
  const answer = await exchange(signIn, metadata, { grant_type: "refresh_token", refresh_token: held.refresh });
  const renewed = sessionOf(answer, signIn, held);
  const [was, is] = [held.token, renewed.token].map(claimsOf);
  // Some send no new ID token.
  const isOurs = answer.id_token === undefined || checked(answer.id_token, signIn);
  if (!isOurs || was.iss !== is.iss || was.sub !== is.sub) throw new SignInError("sign.wrong", { hasEnded: true });
  return renewed;
}

/** Ends the session at the issuer, where it can; returns the address to go to for that, or "". */
export async function signOut(signIn, { refresh }) {
  const metadata = await discover(signIn);
  if (refresh && isProtected(metadata.revocation_endpoint)) {
    const body = new URLSearchParams({ token: refresh, token_type_hint: "refresh_token", client_id: signIn.clientId });
    // It goes on while the page is left.
    fetch(metadata.revocation_endpoint, { method: "POST", body, credentials: "omit", keepalive: true }).catch(() => {});
  }
  if (!isProtected(metadata.end_session_endpoint)) return "";
  const address = new URL(metadata.end_session_endpoint);
  const back = returnAddress();
  // No token is sent in the address. Cognito has a name of its own for where to go afterwards.
  const query = { client_id: signIn.clientId, post_logout_redirect_uri: back, logout_uri: back };
  for (const [name, value] of Object.entries(query)) address.searchParams.set(name, value);
  return address.href;
}
