/** The page: the user's token, which part is shown, and the events between the parts. */

import "./elements.js";
import { accountView } from "./account.js";
import { createClient } from "./client.js";
import { chatView } from "./chat-view.js";
import { formView } from "./form-view.js";
import { enter, forget, subjectOf, token } from "./person.js";
import { stateView } from "./state-view.js";
import { $, explain, late } from "./ui.js";

// Instances of the service remember circuits for two seconds.
const SETTLED_MS = 2_500;

/** Removes a token from the address, so that it is not copied with it or kept in the history, and returns it. */
function takeToken() {
  const given = new URLSearchParams(location.hash.slice(1)).get("token");
  if (given) history.replaceState(null, "", location.pathname + location.search);
  return given;
}

/**
 * Enters the token of a link, as `make run` prints one. Elsewhere a link is somebody else's word and never
 * logs in, and nowhere does it change the user: what its reader makes then would belong to somebody else.
 */
function offered(given) {
  if (!given || !config.simulatorUrl || given === token()) return;
  if (token() && subjectOf(given) !== subjectOf(token())) account.show("The link that you opened has another token. It was not used: to change the user, forget your token first.");
  else take(given);
}

/** Opens the form with a link's request. The page prices it anew, and only a click makes the image. */
function takeOffer() {
  const wanted = Object.fromEntries(new URLSearchParams(location.hash.slice(1)));
  if (!wanted.prompt) return;
  history.replaceState(null, "", location.pathname + location.search);
  showPart("make");
  form.open(wanted);
}

function showPart(name) {
  document.querySelector("main").dataset.shown = name;
  // Where there is room, the form and the status stand beside the chat.
  const pressed = name !== "pictures" && matchMedia("(min-width: 900px)").matches ? "chat" : name;
  for (const button of document.querySelectorAll("nav button"))
    button.setAttribute("aria-pressed", button.dataset.show === pressed);
  if (name === "pictures") withOwn((loaded) => loaded.gallery.show());
}

/** What a person goes on with after signing in, besides what is kept for them: words that nobody owned yet. */
function viewNow() {
  const part = document.querySelector("main").dataset.shown;
  return { part, say: chat.draft(), ...(!token() && { wanted: Object.fromEntries(new FormData($("order"))) }) };
}

function restore({ part, say, wanted }) {
  showPart(part);
  $("say").value = say;
  if (wanted?.prompt) form.open(wanted);
}

const config = JSON.parse(document.querySelector("meta[name=config]").content);
const linked = takeToken();
const account = accountView(config.signIn, Boolean(config.simulatorUrl), { changed, left, view: viewNow, restore });
const client = createClient({ ...config, token: account.fresh });
let state;
const told = {
  hasToken: () => Boolean(token()),
  say: (text) => ($("said").textContent = text),
  failed(error) {
    if (error.problem?.status === 401) account.refused(error.problem);
  },
  providers: (names) => form.providers(names),
};
const chat = chatView(client, told);
const form = formView(client, told);
let pictures;
/** The gallery, and what shows one picture. */
const own = late(() => import("./pictures.js").then(({ ownPictures }) => (pictures = ownPictures(client, told, {
  change: (wanted) => { showPart("make"); form.open(wanted); $("prompt").focus(); },
  quote: (wanted) => { showPart("make"); form.quote(wanted); $("make-title").focus(); },
}))));
const withOwn = (act) => own().then(act, (error) => { $("gallery-note").textContent = explain(error); });

/** The page's own buttons at a finished picture, in the chat and in the form. */
document.addEventListener("click", ({ target }) => {
  const { act } = target.dataset ?? {};
  const { image, prompt } = act ? target.closest("generated-image").data : {};
  if (image) withOwn((loaded) => loaded[act]({ ...image, prompt: image.prompt ?? prompt }));
});
/** Shows what belongs to the person who is there now. */
function changed(before) {
  if (before !== subjectOf(token())) {
    chat.refresh();
    pictures?.clear();
    showPart(document.querySelector("main").dataset.shown);
    if (before) form.clear(); else form.refresh();
  }
  state?.refresh();
}

function take(given) {
  const before = subjectOf(token());
  enter(given);
  changed(before);
  account.show("");
  if ($("prompt").value) form.ask();
}

function left() {
  forget();
  chat.refresh();
  form.clear();
  pictures?.clear();
  state?.clear();
}

document.addEventListener("image-change", ({ detail: { generation } }) => {
  if (generation.problem) told.failed(generation);
  if (!["complete", "failed", "cancelled"].includes(generation.status)) return;
  pictures?.gallery.change();
  state?.refresh();
  setTimeout(() => state?.refresh(), SETTLED_MS);
});
$("entry").querySelector("form").addEventListener("submit", (event) => {
  event.preventDefault();
  const given = $("token").value.trim();
  $("token").value = "";
  $("person").focus();
  take(given);
});
$("forget").addEventListener("click", account.leave);
document.querySelector("nav").addEventListener("click", ({ target }) => target.dataset.show && showPart(target.dataset.show));
document.querySelector(".skip").addEventListener("click", () => showPart("chat"));
account.show(token() || linked || config.signIn ? "" : account.need);
takeOffer();
state = stateView(client, config.simulatorUrl, told);
offered(linked);
if (!token() && !config.signIn) account.show(account.need);
account.start();
addEventListener("hashchange", () => {
  const given = takeToken();
  if (given) offered(given); else takeOffer();
});
