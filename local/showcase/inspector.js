/** A host for MCP Apps, as small as one can be: https://github.com/modelcontextprotocol/ext-apps (2026-01-26). */

const at = (id) => document.getElementById(id);
const frame = at("view");
/** Without a visibility, a tool is for the model and for views. */
const visibility = (tool) => tool._meta?.ui?.visibility ?? ["model", "app"];
let tools = [], result;

async function rpc(method, params = {}) {
  const answer = await fetch("rpc", { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify({ method, params }) });
  const { result: found, error } = await answer.json();
  if (!found) throw new Error(error?.message ?? "The stack does not answer.");
  return found;
}

const row = (...texts) => {
  const item = document.createElement("li");
  item.append(...texts.map((text, index) => Object.assign(document.createElement(index ? "span" : "b"), { textContent: text })));
  return item;
};
const tell = (message) => frame.contentWindow.postMessage({ jsonrpc: "2.0", ...message }, "*");

const WHO = { model: "for the model", app: "for the view of an offer alone" };
async function list() {
  ({ tools } = await rpc("tools/list"));
  at("tools").replaceChildren(...tools.map((tool) => row(tool.name, WHO[visibility(tool).includes("model") ? "model" : "app"])));
  at("tools").setAttribute("aria-busy", false);
}

/** What the view asks of its host. */
const ANSWERS = {
  "ui/initialize": () => ({
    protocolVersion: "2026-01-26", hostInfo: { name: "small host", version: "1" }, hostCapabilities: { serverTools: {}, openLinks: {} },
    hostContext: { theme: matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light", locale: navigator.language },
  }),
  "tools/call"({ name, arguments: given }) {
    const tool = tools.find((one) => one.name === name);
    if (!tool || !visibility(tool).includes("app")) throw new Error("The view may not call this tool.");
    at("asked").append(row(name, Object.keys(given).join(", ")));
    return rpc("tools/call", { name, arguments: given });
  },
  "ui/open-link"({ url }) {
    at("asked").append(row("ui/open-link", new URL(url).origin));
    return {};
  },
};

addEventListener("message", async ({ source, data }) => {
  if (source !== frame.contentWindow || data?.jsonrpc !== "2.0") return;
  if (data.method === "ui/notifications/initialized") tell({ method: "ui/notifications/tool-result", params: result });
  if (data.method === "ui/notifications/size-changed") frame.style.height = `${Math.min(data.params.height, 2000)}px`;
  if (!ANSWERS[data.method]) return;
  try {
    tell({ id: data.id, result: await ANSWERS[data.method](data.params) });
  } catch (error) {
    tell({ id: data.id, error: { code: -32000, message: error.message } });
  }
});
at("ask").addEventListener("submit", async (event) => {
  event.preventDefault();
  at("said").textContent = "";
  try {
    result = await rpc("tools/call", { name: "estimate_image", arguments: { prompt: at("prompt").value } });
    // A model reads these two and not _meta, which has the quote.
    at("read").textContent = result.content.map(({ text }) => text).join("\n\n");
    at("asked").replaceChildren();
    at("read").closest("section").hidden = false;
    frame.src = `view?${Date.now()}`;
  } catch (error) {
    at("said").textContent = error.message;
  }
});
list().catch((error) => { at("said").textContent = error.message; });
