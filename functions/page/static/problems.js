/** What a problem means for a person: one of four kinds, whatever the service's words for it are. */

import { has, t } from "./locale.js";

/** By kind: something must be changed, one has to wait, to sign in, or to try again because something failed. */
export const KINDS = {
  change: "invalid_json quote_invalid unsupported_event not_found method_not_allowed quote_mismatch gone image_deleted input_gone quote_expired body_too_large "
    + "unsupported_media_type above_max_cost content_refused idempotency_key_reused invalid_request model_not_found model_retired unsupported_parameter "
    + "unsupported_size upload_failed llm_refused",
  limit: "blocked daily_attempts daily_chat_tokens daily_chats daily_images daily_spend hourly_images key_daily_spend key_monthly_spend monthly_spend "
    + "team_daily_spend team_monthly_spend total_daily_spend total_monthly_spend upload_limit",
  access: "unauthorized forbidden forbidden_origin signed_out",
  later: "internal_error generation_failed llm_account llm_bad_parameter llm_blocked llm_model_gone llm_rate_limited llm_unavailable llm_unknown "
    + "generation_abandoned moderation_unavailable no_provider_available not_configured still_running store_unavailable network unknown",
};
/** Which limit it is, as far as a person can do something else about it. */
const LIMITS = { hourly: "hour", daily_images: "day", daily_attempts: "day", daily_spend: "money", monthly: "month", total: "shared", team: "shared", key: "shared", daily_chat: "chats", upload: "uploads", blocked: "blocked" };

/** One of KINDS; a code that is not among them is of the kind that its status has. */
export const kindOf = ({ code, status }) => Object.keys(KINDS).find((kind) => KINDS[kind].split(" ").includes(code))
  ?? (status === 429 ? "limit" : [401, 403].includes(status) ? "access" : status >= 400 && status < 500 ? "change" : "later");

/** What happened and what helps, in the reader's language; `said` are words of the page itself. */
export function sentenceOf(problem) {
  const kind = kindOf(problem);
  const limit = kind === "limit" && Object.keys(LIMITS).find((name) => problem.code?.startsWith(name));
  return problem.said ?? t(limit ? `l.${LIMITS[limit]}` : has(`e.${problem.code}`) ? `e.${problem.code}` : `e.${kind}`);
}

/** The machine's words, in English: for those who look after the service. */
export const technicalOf = ({ code, status, detail, said }) => (said ? "" : [detail, code, status || ""].filter(Boolean).join(" · "));
