import { configure, createClient, GeneratedImageElement, LlmInfoElement, ProblemError, type ImageGeneration } from "imagegen-elements";
import { createTransport, fromPart, toPart, withGeneration } from "imagegen-elements/aisdk";

declare const generation: ImageGeneration;
configure({ pageUrl: "https://page.example", token: async () => "a-token" });
const client = createClient({ token: "a-token" });
const element = document.createElement("generated-image");
element.client = client;
element.data = generation;
element.data = JSON.stringify(generation);
element.data = null;
const shown: ImageGeneration | null = element.data;
element.addEventListener("image-change", ({ detail }) => { const { id }: ImageGeneration = detail.generation; return id; });
const same: GeneratedImageElement = element;
const info: LlmInfoElement = document.createElement("llm-info");
info.calls = [];
// @ts-expect-error: a number is no generation
element.data = 7;
// @ts-expect-error: there is no such setting
configure({ tokens: "x" });
const charged: boolean | null = new ProblemError({ type: "", title: "", status: 401, code: "x", detail: "", charged: null, retryable: false }).problem.charged;
const parts = [{ parts: [toPart(generation)] }];
withGeneration(parts, generation)[0]?.parts.map(fromPart);
createTransport(client).reconnectToStream();
export { charged, info, same, shown };
