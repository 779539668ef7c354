/** The page: the user's token, which view is shown, and the events between the parts. */

import "./elements.js";
import { accountView } from "./account.js";
import { chatView } from "./chat-view.js";
import { guardClicks } from "./clicks.js";
import { createClient } from "./client.js";
import { usdText } from "./format.js";
import { icon } from "./icons.js";
import { t } from "./locale.js";
import { settle } from "./page-language.js";
import { enter, forget, kept, ORDER, subjectOf, token } from "./person.js";
import { LATER } from "./later.js";
import { $, explain, h, late, technical, technicalText, tell } from "./ui.js";
import { provide } from "./words.js";

const VIEWS = ["create", "gallery", "usage"];
/** What a link may ask for. Numbers are text in an address. */
const LINKED = ["prompt", "size", "quality", "model", "provider", "maxCost", "style", "background", "count", "seed"];
const NUMBERS = ["count", "seed"];
/** Words that were not sent when the page was loaded anew in another language. */
const UNSENT = "imagegen.unsent";
// A charge is in the ledger a moment after the image is shown.
const SETTLED_MS = 1_000;

/** Returns what an address says behind its #, as names and values. */
const saidBy = (hash) => Object.fromEntries(new URLSearchParams(hash.slice(1)));

/** Removes a token or an offer from the address, so that it is not copied with it or kept in the history. */
const cleared = () => history.replaceState(null, "", location.pathname + location.search);

/**
 * Enters the token of a link, as `make run` prints one. Elsewhere a link is somebody else's word and never
 * logs in, and nowhere does it change the user: what its reader makes then would belong to somebody else.
 */
function offered(given) {
  if (!given || !config.simulatorUrl || given === token()) return;
  if (token() && subjectOf(given) !== subjectOf(token())) account.show("otherToken");
  else take(given);
}

/** Prices a link's request in a conversation of its own. Only a click makes the image. */
function takeOffer(given) {
  const wanted = Object.fromEntries(LINKED.filter((name) => given[name]).map((name) => [name, NUMBERS.includes(name) ? Number(given[name]) : given[name]]));
  chat.anew();
  create(wanted.prompt, wanted);
}

/** Returns the view that the address names, and the conversation in it. */
function place() {
  const [name, id] = location.hash.slice(1).split("/");
  return { name: VIEWS.includes(name) ? name : "create", id };
}

function showView() {
  const { name, id } = place();
  for (const view of document.querySelectorAll("[data-part]")) view.hidden = view.dataset.part !== name;
  for (const link of document.querySelectorAll("nav a"))
    if (link.hash === `#${name}`) link.setAttribute("aria-current", "page"); else link.removeAttribute("aria-current");
  document.title = `${t(name)} · imagegen`;
  if (name === "create") return chat.open(id);
  scrollTo(0, 0);
  if (name === "gallery") withOwn($("gallery"), (loaded) => loaded.gallery.show());
  else usageView().then((view) => view.show(), (error) => note(error));
}

/** Follows the address: a token, an offer, or a view. */
function follow() {
  const given = saidBy(location.hash);
  if (given.token || given.prompt) cleared();
  if (location.hash === "#developer") {
    history.replaceState(null, "", "#create");
    developer().then((drawer) => drawer.open(), (error) => note(error));
  }
  showView();
  if (given.prompt) takeOffer(given);
  return given.token;
}

const go = (name) => { if (place().name !== name) location.hash = name; showView(); };

/** Says a text, or what an error means. */
function note(said) {
  tell($("why"), said);
  told.say(typeof said === "string" ? said : explain(said));
}

/** Says something in the conversation; with a request, exactly that is priced. */
function create(words, request, pictures) {
  go("create");
  const isSaid = chat.speak(words, request, pictures);
  if (!isSaid) note(t("stillAnswering"));
  return isSaid;
}

/** What a person goes on with after signing in, besides what is kept for them: words and settings that nobody owned yet. */
function viewNow() {
  const say = $("say").value;
  if (token()) return { hash: location.hash, say };
  return { hash: location.hash && `#${place().name}`, say, settings: settings?.request(), asked: chat.unanswered() };
}

function restore({ hash, say, settings: wanted, asked }) {
  if (hash) history.replaceState(null, "", hash);
  showView();
  // It was sent before, and only a sign-in was missing.
  if (asked) {
    chat.anew();
    create(asked.content, asked.request);
  }
  $("say").value = say;
  if (wanted) withSettings((shown) => shown.open(wanted));
}

provide(LATER);
await settle();
const config = JSON.parse(document.querySelector("meta[name=config]").content);
const account = accountView(config.signIn, Boolean(config.simulatorUrl), { changed, left, view: viewNow, restore });
const client = createClient({ ...config, token: account.fresh });
const told = {
  hasToken: () => Boolean(token()),
  say: (text) => ($("said").textContent = text),
  note,
  /** Loads the page anew, in another language; what was written stays. */
  reload() {
    sessionStorage.setItem(UNSENT, $("say").value);
    location.reload();
  },
  /** Puts a message into the composer again, with its settings and pictures. */
  edit({ content, request, pictures: names = [] }) {
    const { prompt, inputs = [], mask, ...wanted } = request ?? {};
    $("say").value = prompt || content;
    $("say").focus();
    const items = inputs.map(({ role, ...reference }, index) => ({ reference, role, name: names[index] ?? t("generatedImage"), ...(!index && { mask }) }));
    if (request) withSettings((shown) => shown.open({ ...wanted, inputs: items }));
  },
  /** The conversation that is shown has an address, which the browser keeps. */
  opened: (id) => history.replaceState(null, "", id ? `#create/${id}` : "#create"),
  failed(error) {
    if (error.problem?.status === 401) account.refused(error.problem);
  },
  moved(generation) {
    if (generation.problem) told.failed(generation);
    if (!["complete", "failed", "cancelled"].includes(generation.status)) return;
    pictures?.gallery.change();
    usage?.change();
    spend();
    setTimeout(spend, SETTLED_MS);
  },
};
const chat = chatView(client, told);
let settings, pictures, usage;
/** The settings of a request, and the pictures that it starts from. */
const composer = late(() => import("./settings.js").then(({ settingsView }) => (settings = settingsView(client, told))));
const withSettings = (act) => composer().then(act, (error) => note(error));
/** The gallery, and what shows one picture. */
const own = late(() => import("./pictures.js").then(({ ownPictures }) => (pictures = ownPictures(client, told, {
  change: (inputs) => { go("create"); withSettings((shown) => shown.open({ inputs })); $("say").focus(); },
  quote: create,
}))));
const usageView = late(() => import("./usage-view.js").then(({ usageView: build }) => (usage = build(client, told))));
const developer = late(() => import("./developer.js").then(({ developerView }) => developerView(client, { ...told, calls: chat.calls, simulatorUrl: config.simulatorUrl })));
const chats = late(() => import("./chats.js").then(({ chatsDialog }) => chatsDialog(chat, told)));

/** Does something with them; if they cannot be loaded, the reason stands at `place`, where the person looks. */
function withOwn(where, act) {
  where.querySelector(".trouble")?.remove();
  own().then(act, (error) => where.append(h("div", { className: "trouble", slot: "actions", role: "alert" }, explain(error), ...technical(technicalText(error)))));
}

/** Shows what was spent today. */
async function spend() {
  if (!token()) return;
  const person = subjectOf(token());
  try {
    const { spent, reserved } = await client.usage();
    // Another person may be there by now.
    if (person !== subjectOf(token())) return;
    $("spent").textContent = t(Number(reserved) ? "spentReserved" : "spent", { spent: usdText(spent), reserved: usdText(reserved) });
  } catch (error) {
    // What was shown stays until the next image.
    told.failed(error);
  }
}

/** Takes a token that was entered by hand. */
function take(given) {
  const before = subjectOf(token());
  if (before !== subjectOf(given)) account.parted();
  enter(given);
  changed(before);
  account.show("");
}

/** Settings that this person left are there again before `act`; without any, it is done at once. */
const remember = (act = () => {}) => (settings || Object.keys(kept(ORDER, {})).length ? withSettings((shown) => shown.filled().then(act, note)) : act());

/** Shows what belongs to the person who is there now, and nothing of the one before. What nobody owned yet stays. */
function show(before) {
  $("spent").textContent = "";
  if (location.hash) history.replaceState(null, "", `#${place().name}`);
  if (before) {
    $("say").value = "";
    for (const one of document.querySelectorAll("dialog[open]")) one.close();
  }
  if (settings) settings.refresh(); else remember();
  chat.refresh();
  pictures?.clear();
  usage?.clear();
  showView();
}

/** Another person may be there, or the same one with a token that works again. */
function changed(before) {
  if (before !== subjectOf(token())) show(before);
  else settings?.ask();
  spend();
}

function left(before) {
  forget();
  show(before);
}

guardClicks(document);
/** The page's own buttons at a finished picture. */
document.addEventListener("click", ({ target }) => {
  const { act } = target.closest?.("[data-act]")?.dataset ?? {};
  const element = act && target.closest("generated-image");
  const { image, prompt } = element?.data ?? {};
  if (image) withOwn(element, (loaded) => loaded[act]({ ...image, prompt: image.prompt ?? prompt }));
});
$("entry").querySelector("form").addEventListener("submit", (event) => {
  event.preventDefault();
  const given = $("token").value.trim();
  $("token").value = "";
  $("person").focus();
  take(given);
});
$("forget").addEventListener("click", account.leave);
function send() {
  const words = $("say").value;
  const request = settings?.request();
  if (request && (settings.isBusy() || !request.prompt)) return void settings.ask();
  if (!chat.speak(words, request, request && settings.pictures())) return;
  $("say").value = "";
  settings?.sent();
}
$("composer").addEventListener("submit", (event) => {
  event.preventDefault();
  // What this person has set belongs to the words.
  if (!chat.stop()) remember(send);
});
$("say").addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
  event.preventDefault();
  if ($("composer").querySelector("button.main").dataset.stops !== "true") $("composer").requestSubmit();
});
const upload = (file) => file && withSettings((shown) => shown.upload(file));
$("tune").addEventListener("click", () => withSettings((shown) => shown.toggle()));
$("choose").addEventListener("click", () => withSettings((shown) => shown.choose()));
$("send-file").addEventListener("click", () => $("file").click());
$("file").addEventListener("input", (event) => {
  event.stopPropagation();
  const [file] = $("file").files;
  $("file").value = "";
  upload(file);
});
$("composer").addEventListener("paste", (event) => {
  const file = [...event.clipboardData.files].find(({ type }) => type.startsWith("image/"));
  if (!file) return;
  event.preventDefault();
  upload(file);
});
$("history").addEventListener("click", () => chats().then((dialog) => dialog.open(), (error) => note(error)));
document.querySelector(".skip").addEventListener("click", (event) => {
  event.preventDefault();
  go("create");
  $("say").focus();
});
$("send-file").append(icon("M19 11.5 12 18.5a4.5 4.5 0 0 1-6.4-6.4l7.5-7.5a3 3 0 0 1 4.3 4.3l-7.4 7.3a1.5 1.5 0 0 1-2.1-2.1l6.6-6.6"));
$("choose").append(icon("M4.5 5h15v14h-15zM4.5 16l4.5-4.5 4 4 2.5-2.5 4 4M15 9h.01"));
// A keyboard on the screen covers the page, where the browser does not make the page smaller for it.
visualViewport?.addEventListener("resize", () => document.documentElement.style.setProperty("--keyboard", `${visualViewport.scale > 1 ? 0 : innerHeight - visualViewport.height}px`));
$("tools").hidden = !config.simulatorUrl;
account.show("");
/** Says that there is no network; when it is back, what was asked for before is asked again. */
function connected() {
  const isBack = navigator.onLine && $("offline").textContent;
  $("offline").textContent = navigator.onLine ? "" : t("offline");
  if (!isBack) return;
  note("");
  told.say(t("online"));
  settings?.ask();
  pictures?.gallery.change();
  if (place().name !== "create") showView();
  spend();
}
for (const name of ["online", "offline"]) addEventListener(name, connected);
connected();
$("say").value ||= sessionStorage.getItem(UNSENT) ?? "";
sessionStorage.removeItem(UNSENT);
const linked = saidBy(location.hash);
if (linked.token) cleared();
offered(linked.token);
remember();
follow();
spend();
if (!token() && !config.signIn) account.show(account.need);
account.start();
addEventListener("hashchange", () => offered(follow()));
