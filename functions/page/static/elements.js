/** Defines `<generated-image>` and `<llm-info>`: the one script to include. */

import { GeneratedImage } from "./generated-image.js";
import { LlmInfo } from "./llm-info.js";

export { configure, createClient, defaultClient, ProblemError } from "./client.js";
export { GeneratedImage, LlmInfo };

const define = (name, type) => customElements.get(name) ?? customElements.define(name, type);
define("llm-info", LlmInfo);
define("generated-image", GeneratedImage);
