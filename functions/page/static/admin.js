/** The page for operators: what it cost, what fails, and what an operator can do about it. */

import { accountView } from "./account.js";
import { call } from "./admin-calls.js";
import { budgetView, circuitName, failuresView, keysView, personView, providersView, spendingView, trailView } from "./admin-views.js";
import { providerName } from "./format.js";
import { english } from "./locale.js";
import { WORDS } from "./page-en.js";
import { enter, forget, token } from "./person.js";
import { $ } from "./ui.js";

const { adminUrl, signIn, simulatorUrl } = JSON.parse(document.querySelector("meta[name=config]").content);
const need = signIn ? "Sign in as an operator." : "This page needs the token of an operator.";

// The page for operators is in English; what signs them in has its words in a file.
english(WORDS);

/** Each change: its route, the question, and the part that shows the result; or the part that is read again. */
const ACTS = {
  switch: { path: "providers/switch", part: "state", ask: ({ provider, on }) => [`Switch ${providerName(provider)} ${on ? "on" : "off"}?`, on ? "It is used again if its flag allows it." : "It makes no image for anybody until it is switched on. Live within seconds."] },
  reset: { path: "circuits/reset", part: "state", ask: ({ circuit }) => [`Close ${circuitName(circuit)}?`, "Its failures are forgotten, and the next call goes through. If the reason is still there, it opens again."] },
  block: { path: "people/block", part: "people", ask: ({ blocked }) => (blocked ? ["Block this person?", "Every later click of theirs is refused. What is being made is finished."] : ["Let this person in again?", "They have the limits of everybody."]) },
  erase: { path: "people/erase", part: "people", ask: () => ["Erase this person?", "Pictures, prompts and uploads go for ever, in all versions. What they paid stays. It begins within five minutes."] },
  budget: { path: "budgets/set", part: "budgets", ask: ({ reset, title }) => (reset ? [`Reset the budget of ${title}?`, "The stack's settings hold again, or everybody's limit."] : [`Set the budget of ${title}?`, "It holds within a minute. What is spent already stays spent; below that, every click is refused."]) },
  revoke: { path: "keys/revoke", again: "keys", part: "keys", ask: ({ keyId, title }) => [`Revoke the key ${title} (${keyId})?`, "It is refused everywhere within a minute, and for ever."] },
};
const VIEWS = { state: providersView, failures: failuresView, people: personView, budgets: budgetView, keys: keysView, trail: trailView };
const READS = { state: "providers", failures: "failures?hours=24", keys: "keys", trail: "trail" };
const places = { today: "sums" };
/** How often each part was asked for: an answer to an earlier question is not shown. */
const asks = { today: 0, state: 0, failures: 0, people: 0, budgets: 0, keys: 0, trail: 0 };
const placeOf = (part) => $(places[part] ?? `${part}-tables`);

function clear() {
  for (const part of Object.keys(asks)) {
    asks[part] += 1;
    placeOf(part).replaceChildren();
    $(`${part}-note`).textContent = "";
  }
}

const account = accountView(signIn, Boolean(simulatorUrl), {
  need,
  changed: () => { clear(); everything(); },
  left: () => { forget(); clear(); },
  view: () => ({ back: "admin" }),
  restore() {},
});
const ask = (path, body) => call(adminUrl, path, account.fresh, body);

/** Says why a person is not let in. */
function refused({ status, detail }) {
  if (status === 403) account.show(`${detail} You need the scope of operators.`);
  else account.refused({ status });
}

/** Shows an answer, or why there is none, in a part of the page. */
async function show(part, view, asked) {
  const mine = asks[part] += 1;
  $(`${part}-note`).textContent = "Reading …";
  try {
    const found = await asked();
    if (mine !== asks[part]) return Boolean(token());
    placeOf(part).replaceChildren(...view(found));
    $(`${part}-note`).textContent = found.complete === false ? "There was no time to read all of it: make report has the whole month." : "";
    return true;
  } catch (error) {
    if (mine !== asks[part]) return false;
    $(`${part}-note`).textContent = error.problem?.detail ?? "The service cannot be reached.";
    if ([401, 403].includes(error.problem?.status)) refused(error.problem);
    return false;
  }
}

const read = (part, path = READS[part]) => show(part, VIEWS[part], () => ask(path));

function spending() {
  const [day, month] = [$("day").value, $("month").value];
  const query = month ? `?month=${month}` : day ? `?day=${day}` : "";
  return show("today", spendingView, () => ask(`spending${query}`));
}

async function everything() {
  placeOf("people").replaceChildren();
  // One after the other: a token that is refused is said once.
  if (!(await spending())) return;
  for (const part of Object.keys(READS)) await read(part);
  await budget({ level: "organisation" });
}

/** A person is named by the hash of 32 hex digits, or by the subject of their tokens. */
const named = (who) => (/^[0-9a-f]{32}$/.test(who) ? { user: who } : { subject: who });
const budget = (place) => show("budgets", VIEWS.budgets, () => ask("budgets/find", place));

/** Shows a person; meanwhile nobody is shown, whose buttons might be taken for this person's. */
function find(asked) {
  placeOf("people").replaceChildren();
  return show("people", personView, () => ask("people/find", asked));
}

/** Asks before a change, makes it, and shows what is now. */
function change(act, { title, ...detail }) {
  const { path, part, again, ask: words } = ACTS[act];
  const dialog = $("act");
  [$("act-title").textContent, $("act-what").textContent] = words({ ...detail, title });
  $("act-yes").textContent = "Yes, do it";
  $("act-why").value = "";
  dialog.returnValue = "";
  dialog.onclose = async () => {
    if (dialog.returnValue !== "yes") return;
    const body = { ...detail, reason: $("act-why").value };
    const made = () => ask(path, body).then((found) => (again ? ask(READS[again]) : found));
    const done = await show(part, VIEWS[part], made);
    $("said").textContent = done ? "Done." : $(`${part}-note`).textContent;
    $(`${part}-title`).focus();
    if (done) await read("trail");
  };
  dialog.showModal();
}

/** What the fields say now: an amount that is not changed is left out, an empty one is no limit. */
function amounts({ level, place, before, title }) {
  const set = { ...place, level, title };
  for (const [name, id] of [["dailySpend", "set-day"], ["monthlySpend", "set-month"]]) {
    const given = $(id).value.trim();
    if (given !== before[name]) set[name] = given || null;
  }
  return set;
}

document.addEventListener("click", ({ target }) => {
  const { act, again } = target.dataset ?? {};
  if (again) read(again);
  else if (act === "find") { find(target.detail); $("people-title").focus(); }
  else if (act === "older") read("trail", `trail?before=${encodeURIComponent(target.detail.before)}`);
  else if (act === "amounts") change("budget", amounts(target.detail));
  else if (act) change(act, target.detail);
});
$("period").addEventListener("submit", (event) => { event.preventDefault(); spending(); });
$("day").addEventListener("input", () => { $("month").value = ""; });
$("find").addEventListener("submit", (event) => {
  event.preventDefault();
  find(named($("who").value.trim()));
});
$("level").addEventListener("input", () => { $("whose").disabled = !["team", "person"].includes($("level").value); });
$("budget").addEventListener("submit", (event) => {
  event.preventDefault();
  const [level, whose] = [$("level").value, $("whose").value.trim()];
  budget({ level, ...(level === "team" ? { team: whose } : level === "person" ? named(whose) : {}) });
});
$("entry").querySelector("form").addEventListener("submit", (event) => {
  event.preventDefault();
  enter($("token").value.trim());
  $("token").value = "";
  account.show("");
  $("person").focus();
  clear();
  everything();
});
$("forget").addEventListener("click", account.leave);
account.show("");
if (token()) everything(); else if (!signIn) account.show(account.need);
account.start();
