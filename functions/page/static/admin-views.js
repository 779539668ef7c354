/** What the page for operators shows of each answer: text and tables, never HTML. */

import { bars, table } from "./charts.js";
import { microUsd, moneyText, providerName, usdText } from "./format.js";
import { reasonText } from "./makers.js";
import { english } from "./locale.js";
import { WORDS } from "./later-en.js";
import { h } from "./ui.js";

english(WORDS);

const PARTS = ["charged", "in doubt", "unsold"];
const HEADS = ["requests", "promised", "charged", "billed", "in doubt", "unsold", "above price"];
const MOST_ROWS = 20;
const when = (text) => (text ? text.slice(0, 19).replace("T", " ") : "–");
const name = (text) => text || "–";

const figures = (sums) => [
  String(sums.requests),
  ...[sums.promised, sums.charged, sums.billed, sums.inDoubt, sums.unsold, sums.abovePrice].map(usdText),
];
const named = (caption, head, sums, shown = (one) => one) =>
  table(caption, [head, ...HEADS], sums.slice(0, MOST_ROWS).map((one) => [shown(one.name), ...figures(one.sums)]));
/** The name of a circuit as people know its provider: a provider, or one model of it. */
export const circuitName = (circuit) => {
  const [provider, ...model] = circuit.split("/");
  return [providerName(provider), ...(model.length ? [model.join("/")] : [])].join(" ");
};
const facts = (pairs) => h("dl", {}, ...pairs.map(([term, text, className = ""]) =>
  h("div", {}, h("dt", { textContent: term }), h("dd", { className, textContent: text }))));
const button = (text, act, detail) => Object.assign(h("button", { type: "button", className: "quiet", textContent: text, "data-act": act }), { detail });

/** The sums of a day or a month. */
export function spendingView(found) {
  const { total } = found;
  const rows = found.byTime.map(({ name: time, sums }) => ({ name: time, values: [sums.charged, sums.inDoubt, sums.unsold].map(microUsd) }));
  const shared = found.budgets.map(({ level, usedToday, usdToday, usedThisMonth, usdThisMonth }) => [
    level, usdText(usedToday), usdToday ? usdText(usdToday) : "no limit", usdText(usedThisMonth), usdThisMonth ? usdText(usdThisMonth) : "no limit",
  ]);
  return [
    facts([["requests", String(total.requests)], ["images", String(total.images)], ["promised", usdText(total.promised)], ["charged", usdText(total.charged)],
      ["billed", usdText(total.billed)], ["in doubt", usdText(total.inDoubt)], ["unsold", usdText(total.unsold)], ["above price", usdText(total.abovePrice)]]),
    ...(rows.length ? [bars(rows, PARTS, moneyText, "Money by time (UTC)")] : []),
    named("By time (UTC)", "time", found.byTime),
    named("By provider", "provider", found.byProvider, providerName),
    named("By model", "model", found.byModel, circuitName),
    named("By person (hash)", "person", found.byPerson),
    ...(found.byTeam.length ? [named("By team (hash)", "team", found.byTeam)] : []),
    named("By outcome", "outcome", found.byOutcome, reasonText),
    ...(shared.length ? [table("Budgets that all share, now", ["level", "used today", "of", "used this month", "of"], shared)] : []),
  ];
}

/** Providers with their switches, and circuits with their reasons. */
export function providersView(found) {
  const rows = found.providers.map((one) => [
    providerName(one.provider),
    one.enabled ? "yes" : "no",
    one.flag ? "on" : "off",
    one.switch ? `${one.switch.on ? "on" : "off"} since ${when(one.switch.at)}${one.switch.reason ? `: ${one.switch.reason}` : ""}` : "never used",
    one.hasKey ? "yes" : "no",
    name(one.lastKeyCheck),
    one.circuit.state.replace("_", " "),
    one.switch && !one.switch.on
      ? button(`Switch ${providerName(one.provider)} on`, "switch", { provider: one.provider, on: true })
      : button(`Switch ${providerName(one.provider)} off`, "switch", { provider: one.provider, on: false }),
  ]);
  const circuits = found.circuits.map((one) => [
    circuitName(one.circuit), one.state.replace("_", " "), one.why ? reasonText(one.why) : "–", String(one.failures), String(one.users), when(one.retryAt),
    button(`Close ${circuitName(one.circuit)}`, "reset", { circuit: one.circuit }),
  ]);
  return [
    table("Providers", ["provider", "used", "flag", "switch", "key", "key check", "circuit", "change"], rows),
    circuits.length
      ? table("Circuits that are open, rest or have failures", ["circuit", "state", "why", "failures", "users", "again at (UTC)", "change"], circuits)
      : h("p", { textContent: "Every circuit is closed." }),
  ];
}

/** What failed, with a button for each user whom it affected. */
export function failuresView(found) {
  if (!found.groups.length) return [h("p", { textContent: "Nothing failed." })];
  const rows = found.groups.map((one) => [
    one.provider ? `${providerName(one.provider)} ${one.model}` : "no provider was called",
    reasonText(one.outcome), name(one.code), String(one.requests), String(one.made), String(one.people), when(one.lastAt),
    h("span", {}, ...one.users.slice(0, 5).map((user) => button(user.slice(0, 8), "find", { user })), one.users.length > 5 ? ` and ${one.people - 5} more` : ""),
  ]);
  return [table("Failures", ["model", "outcome", "code", "requests", "made elsewhere", "people", "last (UTC)", "users"], rows)];
}

/** A person: usage, limits, newest requests, and what can be done. */
export function personView(one) {
  const { user } = one;
  const rows = one.recent.slice(0, MOST_ROWS).map((made) => [
    when(made.createdAt), made.deleted ? "deleted" : made.status, made.provider ? `${providerName(made.provider)} ${made.model}` : "–",
    usdText(made.cost), name(made.code && reasonText(made.code)), made.quoteId,
  ]);
  return [
    facts([["hash", user, "small"], ["name in logs", one.logName, "small"], ["seen before", one.known ? "yes" : "no"], ["blocked", one.blocked ? "yes" : "no"],
      ["being erased", one.erasingSince ? `since ${when(one.erasingSince)}` : "no"], ["spent today", `${usdText(one.spent)} of ${usdText(one.limits.usdToday)}`],
      ["reserved", usdText(one.reserved)], ["images today", `${one.images} of ${one.limits.imagesToday}`], ["chats today", String(one.chat.requests)]]),
    h("div", { className: "row" },
      one.blocked ? button("Let them in again", "block", { user, blocked: false }) : button("Block this person", "block", { user, blocked: true }),
      button("Erase this person", "erase", { user })),
    rows.length ? table("Newest requests", ["when (UTC)", "state", "model", "charged", "code", "quote id"], rows) : h("p", { textContent: "This person has confirmed no image." }),
  ];
}

/** A budget, with fields in which it is set. */
export function budgetView(one) {
  const isPerson = one.level === "person";
  const place = { ...(one.team && { team: one.team }), ...(one.user && { user: one.user }) };
  const title = one.team ? `the team ${one.team}` : isPerson ? `the person ${one.user.slice(0, 8)}` : one.level === "teams" ? "each team" : "all users together";
  const missing = isPerson ? "as everybody" : "no limit";
  const plain = (text) => (text === null ? "" : text.replace(/0{1,4}$/, ""));
  const before = { dailySpend: plain(one.dailySpend), monthlySpend: plain(one.monthlySpend) };
  const field = (id, label, value) => [h("label", { htmlFor: id, textContent: label }), h("input", { id, value, inputMode: "decimal", autocomplete: "off", placeholder: missing })];
  const row = (span, most, own, used) => [span, most === null ? missing : usdText(most), ...(isPerson ? [own === null ? "–" : usdText(own)] : []), used === null ? "–" : usdText(used)];
  return [
    table(`Budget of ${title}${one.teamHash ? ` (${one.teamHash})` : ""}, ${one.isSet ? "set by an operator" : "as the stack's settings say"}`,
      ["UTC", "limit", ...(isPerson ? ["own limit"] : []), "used"],
      [row("day", one.dailySpend, one.ownDailySpend, one.spentToday), row("month", one.monthlySpend, one.ownMonthlySpend, one.spentThisMonth)]),
    h("div", { className: "row" }, ...field("set-day", "Dollars a day", before.dailySpend), ...field("set-month", "Dollars a month", before.monthlySpend),
      button("Set it", "amounts", { level: one.level, place, before, title }),
      ...(one.isSet ? [button("Reset it", "budget", { level: one.level, ...place, reset: true, title })] : [])),
  ];
}

/** The keys for programs, without their texts. */
export function keysView(found) {
  if (!found.keys.length) return [h("p", { textContent: "No program has a key. `make key NAME=...` makes one." })];
  const rows = found.keys.map((one) => [
    one.name, one.keyId, one.scopes.join(" "), one.state, usdText(one.dailySpend), one.monthlySpend === null ? "–" : usdText(one.monthlySpend), when(one.expiresAt), one.madeBy,
    one.state === "valid" ? button(`Revoke ${one.keyId}`, "revoke", { keyId: one.keyId, title: one.name }) : "–",
  ]);
  return [table("Keys", ["name", "id", "scopes", "state", "a day", "a month", "until (UTC)", "made by", "change"], rows)];
}

/** The trail. */
export function trailView(found) {
  if (!found.entries.length) return [h("p", { textContent: "No operator has changed anything." })];
  const rows = found.entries.map((one) => [when(one.at), one.action.replaceAll("_", " "), one.target, `${one.old} → ${one.new}`, one.who, name(one.reason)]);
  return [table("Trail", ["when (UTC)", "what", "of", "change", "who", "why"], rows),
    ...(found.nextCursor ? [button("Older entries", "older", { before: found.nextCursor })] : [])];
}
