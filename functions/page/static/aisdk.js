/**
 * Converts an ImageGeneration to the tool part of an AI SDK UI message and back, without loss, like
 * `chat/aisdk.py`. Fields that the part has no place for are in `toolMetadata.imageGeneration`; where
 * they differ, the part's own fields are newer (an approval by the AI SDK's client) and win.
 */

export { createTransport, withGeneration } from "./aisdk-chat.js";

const TYPE = "tool-generate_image";

const PARTS = {
  pending: ({ estimate }) => ({
    state: "approval-requested",
    facts: estimate && {
      price: estimate.price.expected, ceiling: estimate.price.ceiling, currency: estimate.price.currency,
      expiresAt: estimate.expiresAt, provider: estimate.provider, model: estimate.model,
    },
  }),
  generating({ estimate, startedAt, previewUrl }) {
    const decided = { approved: true };
    if (startedAt === undefined && previewUrl === undefined) return { state: "approval-responded", decided };
    const output = {
      status: "generating",
      ...(startedAt !== undefined && { startedAt }),
      ...(estimate && { typicalMs: estimate.typicalSeconds * 1000 }),
      ...(previewUrl !== undefined && { previewUrl }),
    };
    return { state: "output-available", decided, preliminary: true, output };
  },
  complete({ id, prompt, image }) {
    const { imageUrl, alt, provider, model, cost, fallback } = image ?? {};
    const output = { id, url: imageUrl ?? null, alt: alt || prompt, provider: provider ?? null, model: model ?? null,
      cost: cost?.charged ?? null, ...(fallback && { fallback }) };
    return { state: "output-available", decided: { approved: true }, output };
  },
  failed({ problem, image }) {
    const { code, detail, retryable, charged } = problem ?? image ?? {};
    const facts = { code: code || "unknown", retryable: Boolean(retryable), charged: charged ?? null };
    return { state: "output-error", decided: { approved: true }, errorText: problem && detail || facts.code, facts };
  },
  declined: () => ({ state: "output-denied", decided: { approved: false, reason: "declined" } }),
  cancelled: () => ({ state: "output-denied", decided: { approved: false, reason: "cancelled" } }),
};

/** The tool part of a generation. */
export function toPart(generation) {
  const { toolCallId, prompt, status, ...imageGeneration } = generation;
  const { state, decided, facts, ...tail } = PARTS[status](generation);
  return {
    type: TYPE,
    toolCallId: toolCallId ?? generation.id,
    state,
    input: { prompt },
    approval: { id: generation.estimate?.quoteId ?? generation.id, ...decided },
    ...tail,
    toolMetadata: { imageGeneration, ...facts },
  };
}

/** The generation in a tool part, or null if the part is not one of ours. */
export function fromPart(part) {
  const rest = part?.toolMetadata?.imageGeneration;
  const { toolCallId } = part ?? {};
  const prompt = part?.input?.prompt;
  if (part?.type !== TYPE || [rest?.id, toolCallId, prompt].some((one) => typeof one !== "string")) return null;
  return { ...rest, ...(toolCallId !== rest.id && { toolCallId }), prompt, status: statusOf(part) };
}

/** Only `approved: true` is a yes, and only `approved: false` a no: anything else is an open question. */
function statusOf({ state, approval, preliminary }) {
  switch (state) {
    case "approval-responded": return approval?.approved === true ? "generating" : approval?.approved === false ? "declined" : "pending";
    case "output-available": return preliminary ? "generating" : "complete";
    case "output-error": return "failed";
    case "output-denied": return approval?.reason === "cancelled" ? "cancelled" : "declined";
    default: return "pending";
  }
}
