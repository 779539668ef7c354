/**
 * The elements, the client and every JSON shape. Interfaces named like a schema of openapi.json are
 * that schema; a test compares them. Money is decimal dollars as text, time is ISO 8601 in UTC.
 */

export type Operation = "generate" | "upscale" | "cutout";
export type Tier = "fast" | "standard" | "high" | "ultra";
export type Status = "pending" | "generating" | "complete" | "failed" | "declined" | "cancelled";
export type ViewState =
  | "pending" | "pending-range" | "expired" | "starting" | "generating" | "preview" | "slow" | "complete"
  | "fallback" | "gone" | "error" | "refused" | "limited" | "cancelled" | "declined";

/** An input of an offer, as it was measured. */
export interface InputShown {
  role: "edit" | "reference" | "mask";
  width: number;
  height: number;
  mediaType: string;
  /** Of the image that it is; null for an upload. */
  quoteId: string | null;
}

/** Where an image is from, and the marks in its file. */
export interface Provenance {
  generator: string;
  model: string;
  createdAt: string;
  c2pa: "present" | "absent" | "unknown";
  watermark: string;
}

/** A picture to change or to look at: an image of one's own, or an upload. */
export interface InputReference {
  image?: string | null;
  upload?: string | null;
  role?: "edit" | "reference" | null;
}

export interface MaskReference {
  image?: string | null;
  upload?: string | null;
}

export interface EstimateRequest {
  operation?: Operation;
  /** Required to generate; without it for the other operations. */
  prompt?: string;
  /** Only to upscale; 2 without it. */
  scale?: 2 | 4 | null;
  quality?: Tier | null;
  size?: string;
  style?: string;
  maxCost?: string | number | null;
  provider?: string | null;
  model?: string | null;
  /** The file's format; without it, the model decides. */
  format?: "png" | "jpeg" | "webp" | null;
  /** How many images; maxCost is for all of them. */
  count?: number;
  inputs?: InputReference[];
  /** A PNG of the first input's size: it is changed where the mask is transparent. */
  mask?: MaskReference | null;
  background?: "transparent" | "opaque" | null;
  seed?: number | null;
  /** Preview frames while the image is made; each has a price. */
  partials?: number;
}

/** Either quote or quotes. */
export interface GenerateRequest {
  quote?: string | null;
  quotes?: string[];
  prompt: string;
  /** Whether the images of several quotes may be made by different models. */
  mixed?: boolean;
}

/** One image of several quotes. */
export interface SetImage {
  index: number;
  id: string | null;
  status: "complete" | "generating" | "failed";
  charged: boolean | null;
  image?: GeneratedImage | null;
  problem?: Problem | null;
  startedAt?: string | null;
  typicalSeconds?: number | null;
}

/** What the client makes of several images: complete if one is stored and none is being made. */
export interface SetRecord {
  status: "generating" | "complete" | "failed";
  images: SetImage[];
  startedAt?: string | null;
}

export interface GeneratedSet {
  images: SetImage[];
}

/** Of all images; perImage is the most that one of them can cost. */
export interface Price {
  perImage: string;
  expected: string;
  ceiling: string;
  count: number;
  currency: "USD";
}

export interface Alternative {
  key: string;
  provider: string;
  model: string;
  price: string | null;
  available: boolean;
  reason?: string | null;
  detail?: string | null;
}

/** What turns the same request into an offer of a choice. */
export interface ChoiceRequest {
  quality: Tier;
  model: string;
}

export type Label = "chosen" | "cheapest" | "fastest" | "best";

/** A model that the person may take instead; the first one is what the offer makes. */
export interface PricedChoice {
  labels: Label[];
  quality: Tier;
  provider: string;
  model: string;
  price: Price;
  typicalSeconds: number;
  request: ChoiceRequest;
}

export interface Blocked {
  reason: string;
  detail: string;
  /** null: waiting does not help. */
  opensAt: string | null;
}

export interface Replaced {
  provider: string;
  model: string;
  reason: string;
  price?: string | null;
}

export interface Constraints {
  sizes: string[];
  maxPromptCharacters: number;
  maxStyleCharacters: number;
}

export interface Allowance {
  imagesThisHour: number | null;
  imagesToday: number | null;
  usdToday: string;
  /** The budgets that are shared with others; not in the answer to a click. */
  levels?: { level: "organisation" | "team" | "key"; usdToday: string | null; usdThisMonth: string | null }[];
}

export interface Estimate {
  /** Empty for several images: then quotes are sent. */
  quote: string;
  quoteId: string;
  /** Of several images, the first one's. */
  imageId: string;
  quotes: string[];
  imageIds: string[];
  expiresAt: string;
  operation: Operation;
  /** Of an upscale: how many times longer its edges are. */
  scale?: number | null;
  prompt: string;
  quality: Tier;
  qualityReason: string;
  provider: string;
  model: string;
  size: string;
  style: string;
  price: Price;
  /** Its number is the most that can be charged. */
  buttonLabel: string;
  /** What it usually costs; empty if that is the same. */
  buttonNote: string;
  /** Why a click would be refused now: show it instead of the button. */
  blocked: Blocked | null;
  choices: PricedChoice[];
  constraints: Constraints;
  alternatives: Alternative[];
  fallback: Replaced | null;
  typicalSeconds: number;
  remaining: Allowance;
  /** The preview frames that the price includes. */
  partials: number;
  inputs: InputShown[];
  /** What was requested beside the prompt: send both again for a new price. */
  request?: Omit<EstimateRequest, "prompt">;
}

export interface Cost {
  charged: string;
  expected: string;
  ceiling: string;
  currency: "USD";
}

export interface AttemptMade {
  provider: string;
  model: string;
  outcome: string;
  durationMs: number;
}

/** The image call as the list of a turn's calls shows it. */
export interface LlmApiCall {
  type: "image";
  provider: string;
  model: string;
  size: string;
  quality: Tier;
  cost: string;
  durationMs: number;
  success: boolean;
  timestamp: string;
}

/** A call of the chat's LLM; cost is null where no price is known. */
export interface TextApiCall {
  type: "text";
  provider: string;
  model: string;
  inputTokens: number | null;
  outputTokens: number | null;
  cost: string | null;
  durationMs: number;
  success: boolean;
  timestamp: string;
}

export type ApiCall = LlmApiCall | TextApiCall;

export interface GeneratedImage {
  id: string;
  operation: Operation;
  status: "complete";
  imageUrl: string;
  alt: string;
  mediaType: string;
  width: number;
  height: number;
  provider: string;
  model: string;
  quality: Tier;
  size: string;
  style: string;
  cost: Cost;
  fallback: Replaced | null;
  attempts: AttemptMade[];
  durationMs: number;
  createdAt: string;
  llmApiCall: LlmApiCall;
  remaining: Allowance;
  /** The quote id of the image from which this one was made. */
  derivedFrom?: string | null;
  inputs: ("edit" | "reference" | "mask")[];
  /** The quote ids of the inputs in the same order; null for an upload. */
  parents: (string | null)[];
  provenance: Provenance;
}

export interface ImageInProgress {
  id: string;
  status: "generating";
  startedAt: string;
  typicalSeconds: number;
  /** null: it may be stored, and charged, already. */
  charged: boolean | null;
}

export interface ImageStatus {
  id: string;
  operation?: Operation | null;
  status: "generating" | "complete" | "failed";
  /** null: whether it is stored was not looked up, as by MCP's tool, which cannot see the images. */
  charged: boolean | null;
  startedAt?: string | null;
  /** The newest preview frame while it is generating; the link opens for a minute. */
  preview?: { index: number; url: string } | null;
  createdAt?: string | null;
  durationMs?: number | null;
  imageUrl?: string | null;
  mediaType?: string | null;
  width?: number | null;
  height?: number | null;
  provider?: string | null;
  model?: string | null;
  quality?: Tier | null;
  size?: string | null;
  cost?: Cost | null;
  fallback?: Replaced | null;
  attempts: AttemptMade[];
  code?: string | null;
  retryable?: boolean | null;
  /** Prompt, style and inputs are for the owner alone. */
  prompt?: string | null;
  style?: string | null;
  derivedFrom?: string | null;
  inputs: ("edit" | "reference" | "mask")[];
  provenance?: Provenance | null;
}

/**
 * RFC 9457. `charged` is null if nobody could look whether the image is charged: look at its status, and
 * offer no new price before that.
 */
export interface Problem {
  type: string;
  title: string;
  status: number;
  code: string;
  detail: string;
  charged: boolean | null;
  retryable: boolean;
  retryAfterSeconds?: number | null;
  errors?: Record<string, unknown>[] | null;
  resource_metadata?: string | null;
}

/** One image in its owner's list. */
export interface OwnImage {
  id: string;
  operation: Operation;
  status: "complete";
  imageUrl: string;
  alt: string;
  prompt: string | null;
  style: string | null;
  mediaType: string;
  width: number;
  height: number;
  size: string;
  provider: string;
  model: string;
  quality: Tier;
  charged: boolean;
  cost: Cost;
  createdAt: string;
  derivedFrom: string | null;
  inputs: string[];
  provenance: Provenance;
}

export interface GalleryPage {
  images: OwnImage[];
  /** Of the next page; null if this is the last one. A page may be empty although the list goes on. */
  nextCursor: string | null;
}

/** One image through its whole life: what `<generated-image>` shows. */
export interface ImageGeneration {
  id: string;
  toolCallId?: string;
  prompt: string;
  status: Status;
  estimate?: Estimate;
  image?: GeneratedImage | ImageStatus;
  /** The images of an offer for several, once they are confirmed. */
  images?: SetImage[] | null;
  problem?: Problem;
  startedAt?: string;
  previewUrl?: string;
}

/** A message of the history; the last three are for clients that keep tool calls. */
export interface ChatMessage {
  role: "user" | "assistant" | "tool";
  content: string;
  imageGenerations?: { id: string }[];
  toolCalls?: { id?: string; name: string; arguments?: string | Record<string, unknown> | null }[];
  toolCallId?: string;
  name?: string;
}

export interface MessageComplete {
  id: string;
  role: "assistant";
  content: string;
  imageGenerations: ImageGeneration[];
  llmApiCalls: ApiCall[];
  stopReason: "end" | "tool_limit" | "error";
  problem?: Problem;
}

export interface ToolCall {
  id: string;
  name: string;
  arguments: Record<string, unknown> | null;
  ok: boolean;
  imageGeneration?: ImageGeneration;
  problem?: Problem;
}

export interface ChatEvents {
  message_start: { id: string; role: "assistant"; createdAt: string };
  text_delta: { text: string };
  tool_call: ToolCall;
  message_complete: MessageComplete;
}

export type ChatEvent = { [Name in keyof ChatEvents]: { event: Name; data: ChatEvents[Name] } }[keyof ChatEvents];
export type ChatHandlers = { [Name in keyof ChatEvents]?: (data: ChatEvents[Name]) => void } & { signal?: AbortSignal };

export interface ClientSettings {
  estimateUrl?: string;
  generateUrl?: string;
  healthUrl?: string;
  chatUrl?: string | null;
  /** The page's address, whose `config.json` has the others; needed where the elements come from a package. */
  pageUrl?: string;
  token?: string | ((about: { path: string; refused?: string; quote?: string | string[] }) => string | Promise<string>);
}

export interface GenerateOptions {
  imageId?: string | string[];
  /** Whether to keep looking at the status while the request is open, for preview frames. */
  previews?: boolean;
  /** Whether the images of several quotes may be made by different models, as those of a comparison are. */
  mixed?: boolean;
  onProgress?: (record: ImageInProgress | ImageStatus | SetRecord) => void;
  signal?: AbortSignal;
}

export interface UploadOptions {
  /** From 0 to 1. */
  onProgress?: (part: number) => void;
  signal?: AbortSignal;
}

export interface WatchOptions {
  onProgress?: (record: ImageStatus) => void;
  signal?: AbortSignal;
  until?: number;
  slow?: boolean;
  tries?: number;
}

/** Every method rejects with ProblemError. */
export interface Client {
  settings: ClientSettings;
  /** The service's time in ms since 1970, as its answers have it; a client without it has this device's time. */
  now?(): number;
  estimate(request: EstimateRequest, options?: { signal?: AbortSignal }): Promise<Estimate>;
  /** A status record where a look at the image, and not the request itself, found it. */
  generate(quote: string, prompt: string, options?: GenerateOptions): Promise<GeneratedImage | ImageStatus>;
  /** Of several images: with their quotes, and their ids as `imageId`. */
  generate(quotes: string[], prompt: string, options?: GenerateOptions): Promise<SetRecord>;
  status(idOrUrl: string, options?: { signal?: AbortSignal }): Promise<ImageStatus>;
  status(ids: string[], options?: { signal?: AbortSignal }): Promise<SetRecord>;
  watch(idOrUrl: string, options?: WatchOptions): Promise<ImageStatus>;
  watch(ids: string[], options?: WatchOptions): Promise<SetRecord>;
  chat(messages: ChatMessage[], handlers?: undefined, options?: { signal?: AbortSignal }): AsyncIterable<ChatEvent>;
  chat(messages: ChatMessage[], handlers: ChatHandlers): Promise<MessageComplete>;
  models(): Promise<unknown>;
  usage(): Promise<unknown>;
  /** A page of the user's own images, the newest first. */
  images(query?: { cursor?: string; limit?: number }): Promise<GalleryPage>;
  /** Deletes an image of the user for good; the charge stays. */
  remove(id: string, options?: { keepalive?: boolean }): Promise<void>;
  /** Stores a PNG, JPEG or WebP of at most 10 MB as an input, and returns its uploadId for an estimate. */
  upload(file: File, options?: UploadOptions): Promise<string>;
  health(): Promise<unknown>;
}

export class ProblemError extends Error {
  constructor(problem: Problem, options?: ErrorOptions);
  problem: Problem;
}

export function createClient(settings?: ClientSettings): Client;
export function configure(settings: ClientSettings): void;
export const defaultClient: Client;

/** What `<generated-image>` calls of a client. */
export type ElementClient = Pick<Client, "estimate" | "generate" | "status" | "watch">;

export class GeneratedImageElement extends HTMLElement {
  get data(): ImageGeneration | null;
  set data(value: ImageGeneration | string | null | undefined);
  client: ElementClient;
}

export class LlmInfoElement extends HTMLElement {
  calls: ApiCall[];
  open(): Promise<void>;
  close(): void;
}

/** `request` of `image-retry`: what to ask POST /estimate for. */
export type ImageEvent = CustomEvent<{ generation: ImageGeneration; request?: EstimateRequest }>;

/** Attributes of any element, without the types of a framework. */
export interface AnyAttributes<Element> {
  id?: string;
  class?: string;
  className?: string;
  hidden?: boolean;
  slot?: string;
  title?: string;
  key?: string | number | bigint | null;
  ref?: { current: Element | null } | ((element: Element | null) => void | (() => void)) | string | null;
  [attribute: `data-${string}` | `aria-${string}`]: unknown;
}

export interface GeneratedImageAttributes extends AnyAttributes<GeneratedImageElement> {
  data?: ImageGeneration | string | null;
  client?: ElementClient;
  src?: string;
  alt?: string;
}

export interface LlmInfoAttributes extends AnyAttributes<LlmInfoElement> {
  calls?: ApiCall[] | null;
}

type Listeners<Names extends string> = { [Name in Names]?: (event: ImageEvent) => unknown };
type ImageAction = "approve" | "decline" | "cancel" | "retry" | "copy" | "grab" | "info" | "change";

export interface ElementsOfJsx {
  "generated-image": GeneratedImageAttributes & Listeners<`onimage-${ImageAction}`>;
  "llm-info": LlmInfoAttributes;
}

declare global {
  interface HTMLElementTagNameMap {
    "generated-image": GeneratedImageElement;
    "llm-info": LlmInfoElement;
  }
  interface HTMLElementEventMap {
    "image-approve": ImageEvent;
    "image-decline": ImageEvent;
    "image-cancel": ImageEvent;
    "image-retry": ImageEvent;
    "image-copy": ImageEvent;
    "image-grab": ImageEvent;
    "image-info": ImageEvent;
    "image-change": ImageEvent;
  }
  namespace JSX {
    interface IntrinsicElements extends ElementsOfJsx {}
  }
}

// @ts-ignore: where React's types are installed
declare module "react" {
  namespace JSX {
    interface IntrinsicElements extends ElementsOfJsx {}
  }
}

// @ts-ignore: where Vue is installed
declare module "vue" {
  interface GlobalComponents {
    "generated-image": new () => { $props: GeneratedImageAttributes & Listeners<`onImage${Capitalize<ImageAction>}`> };
    "llm-info": new () => { $props: LlmInfoAttributes };
  }
}
