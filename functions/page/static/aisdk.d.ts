/** The AI SDK's tool parts and a transport for `useChat`; nothing of the AI SDK is imported. */

import type { Client, ImageGeneration } from "./imagegen.js";

/** The part that the AI SDK names `tool-generate_image`. */
export interface ImagePart {
  type: "tool-generate_image";
  toolCallId: string;
  state: string;
  input: { prompt: string };
  [field: string]: any;
}

export function toPart(generation: ImageGeneration): ImagePart;
/** null if the part is not one of ours. */
export function fromPart(part: unknown): ImageGeneration | null;

export interface ImageTransport {
  sendMessages(options: { messages: any[]; abortSignal?: AbortSignal | undefined; [option: string]: any }): Promise<ReadableStream<any>>;
  reconnectToStream(options?: unknown): Promise<null>;
}

/** A `ChatTransport` over `POST /chat`; without a client, the module's default client. */
export function createTransport(client?: Pick<Client, "chat">): ImageTransport;

/** The messages with the part of this generation replaced; the others are the same objects. */
export function withGeneration<Message extends { parts: any[] }>(messages: Message[], generation: ImageGeneration): Message[];
