/** `<llm-info>`: every LLM and image call of a turn, in a dialog. */

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
    const { CallsDialog } = await import("./llm-dialog.js");
    this.#dialog ??= new CallsDialog(this.shadowRoot);
    this.#dialog.show(this.#calls);
    this.#dialog.open();
  }

  close() { this.#dialog?.close(); }
}
