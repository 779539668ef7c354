/** A person's conversations in this browser: several, each with an id, the same in all tabs. */

import { keep, kept, place } from "./person.js";

const LIST = "imagegen.chats";
/** Where an earlier version had its only conversation. */
const FORMER = "imagegen.chat";
const TITLE = 60;
const nameOf = (id) => `imagegen.chat.${id}`;
const newId = () => Math.random().toString(36).slice(2, 10) + Date.now().toString(36);

/** Later states of an offer replace earlier ones, so that no tab takes back what another one paid for. */
const STEPS = ["pending", "declined", "generating", "cancelled", "failed", "complete"];
const isLater = (one, other) => STEPS.indexOf(one.status) > STEPS.indexOf(other.status);

/** One message as two tabs have it; `replaced` are the offers that a newer price stands for. */
function joined(mine, theirs) {
  if (!mine.generations) return mine;
  const others = theirs.generations ?? [];
  const replaced = [...new Set([...(mine.replaced ?? []), ...(theirs.replaced ?? [])])];
  const known = mine.generations.map(({ id }) => id);
  const all = [...mine.generations, ...others.filter(({ id }) => !known.includes(id))].map((one) => {
    const other = others.find(({ id }) => id === one.id);
    return other && isLater(other, one) ? other : one;
  });
  // What another tab has confirmed meanwhile is never taken away.
  const generations = all.filter(({ id, status }) => !replaced.includes(id) || ["generating", "cancelled", "complete"].includes(status));
  return { ...mine, generations, ...(replaced.length && { replaced }) };
}

/** Messages of two tabs as one conversation: what only one of them has stays, in its place. */
export function merged(mine, theirs) {
  const found = new Map(theirs.map((one) => [one.id, one]));
  const own = new Set(mine.map(({ id }) => id));
  const all = [...mine.map((one) => (found.has(one.id) ? joined(one, found.get(one.id)) : one)), ...theirs.filter(({ id }) => !own.has(id))];
  return all.sort((one, other) => one.at - other.at);
}

const titleOf = (messages) => messages.find(({ role }) => role === "user")?.content.slice(0, TITLE) ?? "";

/** Returns a message with what tells it from others. */
export const messageOf = (message) => ({ id: newId(), at: Date.now(), ...message });

/** Takes the only conversation of an earlier version over. */
function adopt() {
  const old = kept(FORMER, []);
  if (!old.length) return;
  const id = newId();
  keep(nameOf(id), old.map((one, index) => ({ ...messageOf(one), at: Date.now() - old.length + index })));
  keep(LIST, [{ id, title: titleOf(old), at: Date.now() }, ...kept(LIST, [])]);
  localStorage.removeItem(place(FORMER));
}

export const conversations = {
  newId,
  /** Returns `{id, title, at}` of each, the newest first. */
  list() {
    adopt();
    return kept(LIST, []);
  },
  messages: (id) => kept(nameOf(id), []),
  /** Returns a conversation as this tab and the others have it. */
  joined: (id, messages) => merged(messages, kept(nameOf(id), [])),
  /** Stores a conversation beside what another tab has stored of it since. */
  save(id, messages) {
    const all = this.joined(id, messages);
    if (!all.length) return;
    keep(nameOf(id), all);
    const rest = this.list().filter((one) => one.id !== id);
    keep(LIST, [{ id, title: titleOf(all), at: all.at(-1).at }, ...rest].sort((one, other) => other.at - one.at));
  },
  /** Takes a conversation out; returns what puts it back. */
  remove(id) {
    const [list, messages] = [this.list(), this.messages(id)];
    keep(LIST, list.filter((one) => one.id !== id));
    localStorage.removeItem(place(nameOf(id)));
    return () => {
      keep(nameOf(id), messages);
      keep(LIST, [...this.list(), ...list.filter((one) => one.id === id)].sort((one, other) => other.at - one.at));
    };
  },
  /** Whether a change of the storage by another tab was one of this conversation. */
  isOf: (id, key) => key === place(nameOf(id)),
};
