/** What the tests call: show one element with a client that answers only what a test tells it. */

window.events = [];
window.violations = [];
for (const name of ["approve", "decline", "cancel", "retry", "copy", "grab", "info", "change"]) {
  document.addEventListener(`image-${name}`, (event) => window.events.push([event.type, event.detail.generation.status]));
}
document.addEventListener("securitypolicyviolation", (event) => window.violations.push(event.violatedDirective));

/** A client whose calls are counted and answered by `resolve(name, value)` and `reject(name, problem)`. */
export function stubClient() {
  const waiting = {};
  const client = { calls: [] };
  for (const name of ["estimate", "generate", "status", "watch"]) {
    client[name] = (...given) => {
      client.calls.push([name, ...given.map((one) => (typeof one === "object" ? { ...one } : one))]);
      return new Promise((resolve, reject) => { (waiting[name] ??= []).push({ resolve, reject, given }); });
    };
  }
  client.resolve = (name, value) => waiting[name].shift().resolve(value);
  client.reject = (name, problem) => waiting[name].shift().reject(Object.assign(new Error(problem.detail), { problem }));
  client.progress = (name, record) => waiting[name][0].given.at(-1).onProgress(record);
  return client;
}

window.show = async (data, { alt } = {}) => {
  const element = document.createElement("generated-image");
  element.id = "subject";
  window.client = element.client = stubClient();
  if (alt) element.setAttribute("alt", alt);
  element.data = data;
  window.said = [];
  const status = element.shadowRoot.querySelector("[role=status]");
  new MutationObserver(() => { if (status.textContent) window.said.push(status.textContent); })
    .observe(status, { childList: true, characterData: true, subtree: true });
  document.querySelector("#stage").replaceChildren(element);
  const pictures = [...element.shadowRoot.querySelectorAll("img")].filter((one) => one.src);
  await Promise.allSettled(pictures.map((one) => one.decode()));
  return element.dataset.state;
};

window.showCalls = async (calls) => {
  const element = document.createElement("llm-info");
  element.id = "subject";
  element.calls = calls;
  document.querySelector("#stage").replaceChildren(element);
  await element.open();
};

// What comes after the click is here at once; the tests of what is before it ask for a page without it.
const later = location.search === "?before-the-click" ? undefined : import("/words.js").then(({ loadLater }) => loadLater());
Promise.all([customElements.whenDefined("generated-image"), later]).then(() => { window.ready = true; });
