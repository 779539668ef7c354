/** The page: the user's token, which part is shown, and the events between the parts. */

import "./elements.js";
import { createClient } from "./client.js";
import { chatView } from "./chat-view.js";
import { formView } from "./form-view.js";
import { enter, forget, subjectOf, token } from "./person.js";
import { stateView } from "./state-view.js";
import { $, explain, h, late } from "./ui.js";

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
  if (token() && subjectOf(given) !== subjectOf(token())) askToken("The link that you opened has another token. It was not used: to change the user, forget your token first.");
  else entered(given);
}

/** Opens the form with a link's request. The page prices it anew, and only a click makes the image. */
function takeOffer() {
  const wanted = Object.fromEntries(new URLSearchParams(location.hash.slice(1)));
  if (!wanted.prompt) return;
  history.replaceState(null, "", location.pathname + location.search);
  showPart("make");
  form.open(wanted);
}

function askToken(why) {
  $("entry").hidden = !why;
  $("person").setAttribute("aria-expanded", Boolean(why));
  $("person").textContent = token() ? "Your token" : "Enter a token";
  if (why) $("entry-why").textContent = why;
}

function showPart(name) {
  document.querySelector("main").dataset.shown = name;
  // Where there is room, the form and the status stand beside the chat.
  const pressed = name !== "pictures" && matchMedia("(min-width: 900px)").matches ? "chat" : name;
  for (const button of document.querySelectorAll("nav button"))
    button.setAttribute("aria-pressed", button.dataset.show === pressed);
  if (name === "pictures") withOwn($("gallery"), (loaded) => loaded.gallery.show());
}

const linked = takeToken();
// It loads the addresses by itself, so that the stored conversation is shown without waiting for them.
const client = createClient({ token });
let state;
const told = {
  hasToken: () => Boolean(token()),
  say: (text) => ($("said").textContent = text),
  failed(error) {
    if (error.problem?.status !== 401) return;
    askToken(token() ? "Your token is not accepted, perhaps because it has expired. Enter a new one." : "Prices and images need a token.");
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
/** Does something with them; if they cannot be loaded, the reason stands at `place`, where the person looks. */
function withOwn(place, act) {
  place.querySelector(".trouble")?.remove();
  own().then(act, (error) => place.append(h("p", { className: "trouble", slot: "actions", role: "alert", textContent: explain(error) })));
}

/** The page's own buttons at a finished picture, in the chat and in the form. */
document.addEventListener("click", ({ target }) => {
  const { act } = target.dataset ?? {};
  const element = act && target.closest("generated-image");
  const { image, prompt } = element?.data ?? {};
  if (image) withOwn(element, (loaded) => loaded[act]({ ...image, prompt: image.prompt ?? prompt }));
});
function entered(given) {
  const before = subjectOf(token());
  enter(given);
  if (before !== subjectOf(given)) {
    chat.refresh();
    pictures?.clear();
    showPart(document.querySelector("main").dataset.shown);
    if (before) form.clear(); else form.refresh();
  }
  askToken("");
  state?.refresh();
  if ($("prompt").value) form.ask();
}

document.addEventListener("image-change", ({ detail: { generation } }) => {
  if (generation.problem) told.failed(generation);
  if (!["complete", "failed", "cancelled"].includes(generation.status)) return;
  pictures?.gallery.change();
  state?.refresh();
  setTimeout(() => state?.refresh(), SETTLED_MS);
});
$("person").addEventListener("click", () => {
  askToken($("entry").hidden ? "Every request except health and images needs a token." : "");
  if (!$("entry").hidden) $("token").focus();
});
$("entry").querySelector("form").addEventListener("submit", (event) => {
  event.preventDefault();
  const given = $("token").value.trim();
  $("token").value = "";
  $("person").focus();
  entered(given);
});
$("forget").addEventListener("click", () => {
  forget();
  chat.refresh();
  form.clear();
  pictures?.clear();
  state?.clear();
  askToken("Prices and images need a token.");
});
document.querySelector("nav").addEventListener("click", ({ target }) => target.dataset.show && showPart(target.dataset.show));
document.querySelector(".skip").addEventListener("click", () => showPart("chat"));
askToken(token() || linked ? "" : "Prices and images need a token.");
takeOffer();
const config = JSON.parse(document.querySelector("meta[name=config]").content);
Object.assign(client.settings, config);
state = stateView(client, config.simulatorUrl, told);
offered(linked);
if (!token()) askToken("Prices and images need a token.");
addEventListener("hashchange", () => {
  const given = takeToken();
  if (given) offered(given); else takeOffer();
});
