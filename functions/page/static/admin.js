/** The page for operators: what it cost, what fails, and what an operator can do about it. */

import { call } from "./admin-calls.js";
import { failuresView, personView, providersView, spendingView, trailView } from "./admin-views.js";
import { enter, forget, token } from "./person.js";
import { $ } from "./ui.js";

const { adminUrl } = JSON.parse(document.querySelector("meta[name=config]").content);

/** Each change: its route, the question, and the part that shows the result. */
const ACTS = {
  switch: { path: "providers/switch", part: "state", ask: ({ provider, on }) => [`Switch ${provider} ${on ? "on" : "off"}?`, on ? "It is used again if its flag allows it." : "It makes no image for anybody until it is switched on. Live within seconds."] },
  reset: { path: "circuits/reset", part: "state", ask: ({ circuit }) => [`Close ${circuit}?`, "Its failures are forgotten, and the next call goes through. If the reason is still there, it opens again."] },
  block: { path: "people/block", part: "people", ask: ({ blocked }) => (blocked ? ["Block this person?", "Every later click of theirs is refused. What is being made is finished."] : ["Let this person in again?", "They have the limits of everybody."]) },
  erase: { path: "people/erase", part: "people", ask: () => ["Erase this person?", "Pictures, prompts and uploads go for ever, in all versions. What they paid stays. It begins within five minutes."] },
};
const VIEWS = { state: providersView, failures: failuresView, people: personView, trail: trailView };
const READS = { state: "providers", failures: "failures?hours=24", trail: "trail" };
const places = { today: "sums" };
/** How often each part was asked for: an answer to an earlier question is not shown. */
const asks = { today: 0, state: 0, failures: 0, people: 0, trail: 0 };
const placeOf = (part) => $(places[part] ?? `${part}-tables`);

function askToken(why) {
  $("entry").hidden = !why;
  $("person").setAttribute("aria-expanded", Boolean(why));
  if (why) $("entry-why").textContent = why;
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
    if ([401, 403].includes(error.problem?.status)) askToken(token() ? error.problem.detail : "This page needs the token of an operator.");
    return false;
  }
}

const read = (part, path = READS[part]) => show(part, VIEWS[part], () => call(adminUrl, path));

function spending() {
  const [day, month] = [$("day").value, $("month").value];
  const query = month ? `?month=${month}` : day ? `?day=${day}` : "";
  return show("today", spendingView, () => call(adminUrl, `spending${query}`));
}

async function everything() {
  placeOf("people").replaceChildren();
  // One after the other: a token that is refused is said once.
  if (await spending()) for (const part of Object.keys(READS)) await read(part);
}

/** Shows a person; meanwhile nobody is shown, whose buttons might be taken for this person's. */
function find(asked) {
  placeOf("people").replaceChildren();
  return show("people", personView, () => call(adminUrl, "people/find", asked));
}

/** Asks before a change, makes it, and shows what is now. */
function change(act, detail) {
  const { path, part, ask } = ACTS[act];
  const dialog = $("act");
  [$("act-title").textContent, $("act-what").textContent] = ask(detail);
  $("act-yes").textContent = "Yes, do it";
  $("act-why").value = "";
  dialog.returnValue = "";
  dialog.onclose = async () => {
    if (dialog.returnValue !== "yes") return;
    const body = { ...detail, reason: $("act-why").value };
    const done = await show(part, VIEWS[part], () => call(adminUrl, path, body));
    $("said").textContent = done ? "Done." : $(`${part}-note`).textContent;
    $(`${part}-title`).focus();
    if (done) await read("trail");
  };
  dialog.showModal();
}

document.addEventListener("click", ({ target }) => {
  const { act, again } = target.dataset ?? {};
  if (again) read(again);
  else if (act === "find") { find(target.detail); $("people-title").focus(); }
  else if (act === "older") read("trail", `trail?before=${encodeURIComponent(target.detail.before)}`);
  else if (act) change(act, target.detail);
});
$("period").addEventListener("submit", (event) => { event.preventDefault(); spending(); });
$("day").addEventListener("input", () => { $("month").value = ""; });
$("find").addEventListener("submit", (event) => {
  event.preventDefault();
  const who = $("who").value.trim();
  find(/^[0-9a-f]{32}$/.test(who) ? { user: who } : { subject: who });
});
$("person").addEventListener("click", () => {
  askToken($("entry").hidden ? "A token with the scope of operators." : "");
  if (!$("entry").hidden) $("token").focus();
});
$("entry").querySelector("form").addEventListener("submit", (event) => {
  event.preventDefault();
  enter($("token").value.trim());
  $("token").value = "";
  askToken("");
  $("person").focus();
  everything();
});
$("forget").addEventListener("click", () => {
  forget();
  for (const part of Object.keys(asks)) { asks[part] += 1; placeOf(part).replaceChildren(); $(`${part}-note`).textContent = ""; }
  askToken("This page needs the token of an operator.");
});
if (token()) everything(); else askToken("This page needs the token of an operator.");
