/** `<llm-info>`: every LLM and image call of a turn, in a dialog. */

import { loadElementWords } from "./elements-words.js";
import { tagFor } from "./locale.js";
import { adoptable, Base } from "./styles.js";

export class LlmInfoElement extends Base {
  #calls = [];
  #dialog = null;

  constructor() {
    super();
    this.attachShadow({ mode: "open" });
  }

  connectedCallback() { adoptable(this, ["calls"], () => this.#calls.length); }

  /** The calls shown, LlmApiCall[]. */
  get calls() { return this.#calls; }
  set calls(value) {
    this.#calls = value ?? [];
    this.#dialog?.show(this.#calls);
  }

  /** Shows the dialog, as soon as it is loaded. */
  async open() {
    const tag = tagFor(this);
    const [{ CallsDialog }] = await Promise.all([import("./llm-dialog.js"), loadElementWords(tag)]);
    this.#dialog ??= new CallsDialog(this.shadowRoot);
    this.#dialog.show(this.#calls, tag);
    this.#dialog.open();
  }

  close() { this.#dialog?.close(); }
}
