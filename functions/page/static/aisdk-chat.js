/**
 * A transport for the AI SDK's `useChat`: it sends the conversation to `POST /chat` and returns its answer as
 * UI message chunks, as its documentation of custom transports describes. It imports nothing of the AI SDK.
 */

import { fromPart, toPart } from "./aisdk.js";
import { defaultClient, ProblemError } from "./client.js";

const TOOL = "generate_image";

// The service takes no longer conversation.
const MOST = 100;

/** The messages of the service: texts and image ids. Parts of other tools stay with the host. */
function messagesOf(messages) {
  const all = messages.flatMap(({ role, parts }) => {
    const content = parts.filter(({ type }) => type === "text").map(({ text }) => text).join("\n\n");
    const ids = parts.map(fromPart).filter(Boolean).map(({ id }) => ({ id }));
    if (!["user", "assistant"].includes(role) || !content && !ids.length) return [];
    return [{ role, content, ...(role === "assistant" && ids.length && { imageGenerations: ids }) }];
  });
  return all.slice(-MOST);
}

/** The chunks that make an offer a part of the message, waiting for a person's click. */
function* offered(generation) {
  const { toolCallId, input, approval, toolMetadata } = toPart(generation);
  yield { type: "tool-input-available", toolCallId, toolName: TOOL, input, toolMetadata };
  yield { type: "tool-approval-request", toolCallId, approvalId: approval.id };
}

/** The chunks of one answer. */
async function* chunksOf(events) {
  const id = "text";
  const seen = new Set();
  let spoken = false;
  function* offers(generations) {
    for (const one of generations) {
      if (!one || seen.has(one.id)) continue;
      seen.add(one.id);
      yield* offered(one);
    }
  }
  for await (const { event, data } of events) {
    if (event === "message_start") yield* [{ type: "start", messageId: data.id }, { type: "start-step" }];
    if (event === "text_delta") {
      if (!spoken) yield { type: "text-start", id };
      spoken = true;
      yield { type: "text-delta", id, delta: data.text };
    }
    if (event === "tool_call") yield* offers([data.imageGeneration]);
    if (event !== "message_complete") continue;
    if (!spoken && data.content) yield* [{ type: "text-start", id }, { type: "text-delta", id, delta: data.content }];
    if (spoken || data.content) yield { type: "text-end", id };
    yield* offers(data.imageGenerations);
    if (data.problem) yield { type: "error", errorText: data.problem.detail };
    yield* [{ type: "finish-step" }, { type: "finish", messageMetadata: { llmApiCalls: data.llmApiCalls } }];
  }
}

/**
 * A transport over a client. It never confirms an offer: a person's click on the element does, and what
 * becomes of it comes back with `withGeneration`.
 */
export function createTransport(client = defaultClient) {
  return {
    async sendMessages({ messages, abortSignal: signal }) {
      const sent = messagesOf(messages);
      const chunks = sent.at(-1)?.role === "user" ? chunksOf(client.chat(sent, undefined, { signal })) : [];
      const source = chunks[Symbol.asyncIterator]?.() ?? chunks[Symbol.iterator]();
      return new ReadableStream({
        async pull(controller) {
          try {
            const { done, value } = await source.next();
            if (done) controller.close(); else controller.enqueue(value);
          } catch (error) {
            if (signal?.aborted) controller.close();
            else controller.error(error instanceof ProblemError ? new Error(error.problem.detail, { cause: error }) : error);
          }
        },
        cancel: () => source.return?.(),
      });
    },
    /** An answer that broke off is not kept by the service. */
    reconnectToStream: async () => null,
  };
}

/** Messages in which the part of a generation, as an element's `image-change` reports it, is replaced. */
export function withGeneration(messages, generation) {
  const isIts = (part) => {
    const known = fromPart(part);
    return known && (known.id === generation.id || part.toolCallId === generation.toolCallId);
  };
  return messages.map((message) => (message.parts.some(isIts)
    ? { ...message, parts: message.parts.map((part) => (isIts(part) ? { ...toPart(generation), toolCallId: part.toolCallId } : part)) }
    : message));
}
