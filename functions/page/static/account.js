/** Who is signed in: the session that the tabs of this page share, its renewal, and what the page shows of it. */

import { NETWORK, ProblemError } from "./client.js";
import { dropSession, enter, entered, isSessionChange, join, keepSession, session, sharedSession, subjectOf, token } from "./person.js";
import { t } from "./locale.js";
import { $, late } from "./ui.js";

/** Held by each tab that takes part in a session: the session ends with the last of them. */
const TAB = "imagegen.tab";

const isFree = (path) => path.startsWith("/health-check/");
const protocol = late(() => import("./sign-in.js"));
const problem = (key, more) => new ProblemError({ ...NETWORK, title: "Not signed in", status: 401, code: "signed_out", detail: t(key), said: t(key), charged: null, ...more });

/**
 * `signIn`: issuer, clientId, scopes and audience, or null where a token is entered by hand. `page`: `changed(before)` and
 * `left(before)` show what belongs to another person, `view()` and `restore(view)` what is kept on the way to the issuer,
 * `need` the key of what a person is told who has to sign in, or a sentence, if that is not to make images.
 */
export function accountView(signIn, isLocal, page) {
  const need = page.need ?? (signIn ? "needSignIn" : "needToken");
  /** Clicks whose requests wait until their person is signed in again. */
  const waits = new Set();
  let who = subjectOf(token());
  let isOver = false;
  /** The session of the person who leaves, while what waits is done: there is no time to renew it. */
  let leaver = null;
  let free = () => {};
  let opened;
  let isOpen = false;
  let reason = [""];
  const opening = new Promise((done) => { opened = done; });

  const query = new URLSearchParams(location.search);
  const isAnswer = Boolean(signIn) && (query.has("code") || query.has("error"));
  // It is not copied with the address, and not sent again by a reload.
  if (isAnswer) history.replaceState(null, "", location.pathname + location.hash);

  /** Shows why something is asked of the person, words by their key; without a reason the panel closes. */
  function show(why, values) {
    reason = [why, values];
    const held = entered() ? null : session();
    const byHand = !signIn || Boolean(entered());
    $("entry").hidden = !why;
    $("person").setAttribute("aria-expanded", Boolean(why));
    $("person").textContent = byHand ? t(token() ? "yourToken" : "enterToken") : held ? held.name || t("signedIn") : t("signIn");
    $("entry-title").textContent = t(byHand ? "enterYourToken" : held && !isOver ? "yourAccount" : "signIn");
    $("sign-in").hidden = byHand || Boolean(held) && !isOver;
    $("sign-out").hidden = !held;
    $("developer").hidden = !byHand && !isLocal;
    $("developer").open = byHand;
    if (why) $("entry-why").textContent = t(why, values);
  }

  /** The page shows another person, or the same one with a session that works again. */
  function changed() {
    const before = who;
    who = subjectOf(token());
    isOver = false;
    page.changed(before);
    release(who);
  }

  function hold(held) {
    free();
    navigator.locks.request(`${TAB} ${held.id}`, { mode: "shared" }, () => new Promise((done) => { free = done; })).catch(() => {});
  }

  /** What waits in the page is done now, with the token of the person who decided it: another tab may have taken it away. */
  function parted(held = session()) {
    leaver = held;
    dispatchEvent(new Event("person-leaves"));
    leaver = null;
  }

  /** Nobody is there any more. */
  function left() {
    const before = who;
    who = "";
    isOver = false;
    release("");
    free();
    page.left(before || subjectOf(token()));
    show(need);
  }

  function joined(held, old) {
    if (subjectOf(held.token) !== who) parted(old);
    join(held);
    hold(held);
    changed();
  }

  /** Lets the clicks that wait go on if they are this person's, and drops the others. */
  function release(person) {
    for (const { subject, resolve, reject } of waits)
      if (person && subject === person) resolve(token()); else reject(problem("sessionEnded"));
    waits.clear();
  }

  /** Drops a click that its person gave up; of one for several offers, when the last of them is. Other clicks go on waiting. */
  function drop({ detail: { generation: { estimate } } }) {
    const given = [estimate?.quote, ...(estimate?.quotes ?? [])];
    for (const one of waits) {
      one.quotes = one.quotes.filter((quote) => !given.includes(quote));
      if (one.quotes.length) continue;
      waits.delete(one);
      one.reject(problem("sessionEnded"));
    }
  }

  /** Returns a token for a request to the service, a new one instead of one that it `refused`. */
  async function fresh({ path = "", refused, quote } = {}) {
    const asker = subjectOf(refused ?? token());
    // What one person asked for is never sent in the name of another, who has come since.
    const own = (given) => {
      if (asker && given && subjectOf(given) !== asker) throw problem("sessionEnded");
      return given;
    };
    if (!signIn || entered()) return own(token());
    // Once it is open nothing is awaited: what is asked for at the moment of signing out still has its person's token.
    if (!isOpen) await opening;
    const held = leaver ?? session();
    own(held?.token);
    const isUsable = held && held.token !== refused;
    if (isUsable && Date.now() < (leaver ? held.until : held.due)) return held.token;
    if (isFree(path)) return isUsable ? held.token : "";
    if (!held) throw problem(need);
    try {
      const { renew } = await protocol();
      return own((await renew(signIn, held.token, { read: session, write: keepSession })).token);
    } catch (error) {
      // The person left while the issuer answered: nothing of theirs is sent or waits any more.
      if (who !== subjectOf(held.token)) throw problem("sessionEnded");
      if (!error.hasEnded) {
        if (isUsable && Date.now() < held.until) return held.token;
        throw problem("signInUnreachable", { status: 0, code: "network" });
      }
    }
    const isClick = path === "/generate-image";
    // The page asks for the usage by itself: that does not open again what a person has closed.
    const isNews = !isOver || path !== "/usage";
    isOver = true;
    if (isNews) show(isClick || waits.size ? "sessionWaits" : "sessionEnded");
    if (!isClick) throw problem("sessionEnded");
    $("sign-in").focus();
    return new Promise((resolve, reject) => waits.add({ subject: who, quotes: [quote].flat(), resolve, reject }));
  }

  const failed = (error) => show(...(error.name === "SignInError" ? [error.key, error.values] : ["signInUnreachable"]));

  const begin = () => protocol().then(({ begin: leaveFor }) => leaveFor(signIn, { ...page.view(), who })).catch(failed);

  async function arrived() {
    const { finish } = await protocol();
    const { session: held, view } = await finish(signIn, query);
    enter("");
    keepSession(held);
    joined(held);
    show("");
    // What somebody had on the page is for nobody else who comes back in this tab.
    // The issuer sends operators to the main page, too, because that address alone is registered there.
    if (view.back) location.replace(view.back);
    else if (!view.who || view.who === who) page.restore(view);
  }

  /** Another tab's session is this one's, too. One that no tab takes part in has ended: its person closed the page. */
  async function adopt() {
    const held = sharedSession();
    if (!held || entered()) return;
    const { held: locks } = await navigator.locks.query();
    if (locks.some(({ name }) => name === `${TAB} ${held.id}`)) joined(held);
    else dropSession();
  }

  async function start() {
    if (!signIn) return;
    const held = sharedSession();
    if (held && (held.issuer !== signIn.issuer || held.clientId !== signIn.clientId)) dropSession();
    try {
      if (session()) hold(session());
      if (isAnswer) await arrived();
      else if (!session()) await adopt();
      // What the page has said already, of a link, stays.
      show(...(token() ? reason : [need]));
    } catch (error) {
      failed(error);
    } finally {
      isOpen = true;
      opened();
    }
  }

  /** Signs out here and in the other tabs, then at the issuer. */
  async function leave() {
    const held = session();
    parted();
    left();
    if (!held) return;
    const address = await protocol().then(({ signOut }) => signOut(signIn, held)).catch(() => "");
    if (address) location.assign(address);
    else show("signedOutHere");
  }

  addEventListener("storage", (event) => {
    if (!signIn || entered() || !isSessionChange(event)) return;
    const held = sharedSession();
    const old = JSON.parse(event.oldValue);
    if (held && held.id !== session()?.id) {
      joined(held, old);
      show("");
    } else if (!held && who) {
      parted(old);
      left();
    }
  });
  document.addEventListener("image-cancel", drop);
  $("sign-in").addEventListener("click", begin);
  $("sign-out").addEventListener("click", leave);
  $("person").addEventListener("click", () => {
    if (signIn && !token()) return begin();
    const name = session()?.name;
    const about = entered() || !signIn ? "everyRequest" : isOver ? "sessionEnded" : name ? "signedInAs" : "youAreSignedIn";
    show($("entry").hidden ? about : "", { name });
    if (!$("entry").hidden) $(entered() || !signIn ? "token" : "sign-out").focus();
  });

  /** The service did not accept a request's token, or there was none. */
  function refused({ code }) {
    // What a session needs is shown already.
    if (code === "signed_out" && token()) return;
    show(entered() ? "tokenRefused" : token() ? "signInRefused" : need);
  }

  return { fresh, leave, need, parted, refused, show, start };
}
