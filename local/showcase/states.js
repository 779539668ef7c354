/** Shows each state of `states.json` in both themes. Time stands still, so that a state does not become the next one. */

const { now, states, calls } = await (await fetch("states.json")).json();
const at = Date.parse(now);
Date.now = () => at;
await import("./elements.js");

/** A client that never answers. */
const never = () => new Promise(() => {});
const client = { estimate: never, generate: never, status: never, watch: never };

function h(tag, properties = {}, ...children) {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children);
  return element;
}

function shown(data, theme) {
  const element = document.createElement("generated-image");
  Object.assign(element, { client, data });
  return h("div", { className: theme }, element);
}

const list = document.querySelector("#states");
for (const { name, data } of states) {
  document.querySelector("#names").append(h("li", {}, h("a", { href: `#${name}`, textContent: name })));
  list.append(h("section", { className: "state", id: name }, h("h2", { textContent: name }),
    h("div", { className: "themes" }, shown(data, "light"), shown(data, "dark"))));
}
for (const { name, calls: made } of calls) {
  const info = Object.assign(document.createElement("llm-info"), { calls: made });
  const button = h("button", { type: "button", textContent: name });
  button.addEventListener("click", () => info.open());
  document.querySelector("#calls").append(button, info);
}
list.setAttribute("aria-busy", false);
