/**
 * The states of an ImageGeneration and the transitions between them, without DOM and clock.
 * `events/ui/*.json` has one generation per state; `tests/browser/machine.json` the transitions.
 */

export const STATES = [
  "pending", "pending-range", "expired", "starting", "generating", "preview", "slow",
  "complete", "fallback", "gone", "error", "refused", "limited", "cancelled", "declined",
];
export const WAITING = ["starting", "generating", "preview", "slow"];

const DEFAULT_SECONDS = 30;
const KINDS = {
  content_refused: "refused", gone: "gone", image_deleted: "gone", input_gone: "gone", quote_expired: "expired", blocked: "limited",
  hourly_images: "limited", daily_images: "limited", daily_attempts: "limited", daily_spend: "limited",
  total_daily_spend: "limited", total_monthly_spend: "limited", monthly_spend: "limited", key_daily_spend: "limited", key_monthly_spend: "limited",
  team_daily_spend: "limited", team_monthly_spend: "limited",
  daily_chats: "limited", daily_chat_tokens: "limited", upload_limit: "limited",
};

/** How long the image usually takes, in seconds. */
export const typicalSeconds = (generation) =>
  generation.estimate?.typicalSeconds ?? generation.image?.typicalSeconds ?? DEFAULT_SECONDS;

/** The problem of the generation or of its status record; null if there is none. */
export function problemOf({ problem, image }) {
  if (problem) return problem;
  if (image?.status !== "failed") return null;
  const { code, charged, retryable } = image;
  return { code: code ?? "unknown", detail: "", charged, retryable: Boolean(retryable) };
}

const isGone = (problem) => KINDS[problem?.code] === "gone";

/** The first of several images that is stored; undefined if none is. */
export const firstOf = (images) => images?.find((one) => one.status === "complete")?.image;

/** Why a click on this offer would be refused now; null if it would not. */
export const blockedOf = ({ status, estimate }) => (status === "pending" && estimate?.blocked) || null;

/** Whether there may be an image that is not shown. Then nothing is offered before its status was looked at. */
export function isUnknown(generation) {
  const { status, image } = generation;
  const problem = problemOf(generation);
  if (isGone(problem) || ["pending", "generating", "declined"].includes(status)) return false;
  if (status === "complete") return !image?.imageUrl;
  return (status !== "cancelled" || Boolean(problem)) && problem?.charged !== false;
}

const VIEWS = {
  pending({ estimate }, now) {
    if (!estimate) return "pending-range";
    // The limit may open long after the price has expired.
    if (estimate.blocked) return "limited";
    if (now >= Date.parse(estimate.expiresAt)) return "expired";
    return estimate.price.expected === estimate.price.ceiling ? "pending" : "pending-range";
  },
  generating(generation, now) {
    const { startedAt, previewUrl } = generation;
    // Twice the usual time, in ms.
    if (startedAt && now - Date.parse(startedAt) > typicalSeconds(generation) * 2000) return "slow";
    if (previewUrl) return "preview";
    return startedAt ? "generating" : "starting";
  },
  complete({ image, problem }) {
    if (isGone(problem)) return "gone";
    if (!image?.imageUrl) return "error";
    return image.fallback ? "fallback" : "complete";
  },
  failed(generation) {
    if (isUnknown(generation)) return "error";
    const { code, status } = problemOf(generation) ?? {};
    return KINDS[code] ?? (status === 429 ? "limited" : "error");
  },
  cancelled: () => "cancelled",
  declined: () => "declined",
};

/** One of STATES; `now` in ms since 1970. */
export const viewState = (generation, now) => VIEWS[generation.status]?.(generation, now) ?? "error";

/** Whether the user stopped waiting and the result is not known yet. */
export const isOpen = ({ status, problem, image }) => status === "cancelled" && !problem && !image;

const OFFERED = ["pending", "pending-range"];
const TRIED = [...WAITING, "cancelled"];
const begun = ({ problem, image, images, startedAt, previewUrl, ...rest }) => rest;
const MOVES = {
  approve: [OFFERED, (g) => (g.estimate ? { ...g, status: "generating" } : g)],
  decline: [[...OFFERED, "expired"], (g) => ({ ...g, status: "declined" })],
  undo: [["declined"], (g) => ({ ...g, status: "pending" })],
  cancel: [WAITING, (g) => ({ ...g, status: "cancelled" })],
  started: [WAITING, (g, { startedAt }) => ({ ...g, startedAt: g.startedAt ?? startedAt })],
  previewed: [WAITING, (g, { previewUrl }) => ({ ...g, previewUrl })],
  completed: [[...TRIED, ...OFFERED, "expired", "error"], (g, { image, images }) => {
    const { problem: _, ...rest } = g;
    return { ...rest, status: "complete", image, ...(images && { images }) };
  }],
  failed: [[...TRIED, "error"], (g, { problem }) => {
    if (g.status !== "generating" && !isOpen(g) && !isUnknown(g)) return g;
    // Gone: the image was made and charged while the page did not watch.
    const status = isGone(problem) ? "complete" : g.status === "cancelled" ? "cancelled" : "failed";
    return { ...g, status, problem };
  }],
  // A look found the run, or found that the quote was never confirmed: then its offer is open again.
  resumed: [["expired", "cancelled", "error"], (g, { startedAt }) =>
    (g.status === "pending" || isUnknown(g) ? { ...begun(g), status: "generating", startedAt } : g)],
  unmade: [[...TRIED, "error"], (g, { problem }) => {
    if (isOpen(g)) return g;
    if (!isUnknown(g)) return g.estimate ? { ...begun(g), status: "pending" } : g;
    return { ...g, status: g.status === "cancelled" ? g.status : "failed", problem: { ...problem, ...problemOf(g), charged: false } };
  }],
  gone: [["complete", "fallback"], (g, { problem }) => ({ ...g, problem })],
  quoted: [STATES.filter((state) => !WAITING.includes(state)), (g, { estimate }) => (isOpen(g) || isUnknown(g) ? g : {
    id: estimate.imageId, ...(g.toolCallId && { toolCallId: g.toolCallId }), prompt: estimate.prompt, status: "pending", estimate,
  })],
};

export const EVENTS = Object.keys(MOVES);

/**
 * The generation after an event `{type, …}`; the same object if the event has no effect now:
 * a second click, a late answer, a price that has just expired.
 */
export function next(generation, event, now) {
  const [from, move] = MOVES[event.type] ?? [[]];
  return from.includes(viewState(generation, now)) ? move(generation, event) : generation;
}
