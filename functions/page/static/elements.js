/** Defines `<generated-image>` and `<llm-info>`: the one script to include. */

import { GeneratedImageElement } from "./generated-image.js";
import { LlmInfoElement } from "./llm-info.js";

export { configure, createClient, defaultClient, ProblemError } from "./client.js";
export { GeneratedImageElement, LlmInfoElement };

// None where a server renders the page.
const { customElements: known } = globalThis;
const define = (name, type) => known?.get(name) ?? known?.define(name, type);
define("llm-info", LlmInfoElement);
define("generated-image", GeneratedImageElement);
