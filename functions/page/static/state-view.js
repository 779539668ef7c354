/** The state of the providers, their switches on a local stack, and what the user may still spend. */

import { providerName, usdText } from "./format.js";
import { $, clock, h } from "./ui.js";

const EVERY_MS = 30_000;
const REASONS = {
  no_key: "No key",
  disabled: "Switched off",
  circuit_open: "Resting",
};
// Every simulated provider has this fault, and it counts against the circuit.
const BROKEN = { fault: "server_error" };

export function stateView(client, simulatorUrl, told) {
  const list = $("providers");
  const cells = new Map();
  let ticking;

  async function health() {
    try {
      const report = await client.health();
      report.providers.forEach(showProvider);
      told.providers(report.providers.map(({ provider }) => provider));
      list.setAttribute("aria-busy", false);
    } catch {
      // The next poll tries again; until then the last known state is shown.
    }
  }

  function showProvider(report) {
    const cell = cells.get(report.provider) ?? addCell(report.provider);
    const { circuit } = report;
    const isOff = !report.available && circuit.state === "closed";
    cell.item.dataset.circuit = isOff ? "off" : circuit.state;
    cell.retryAt = circuit.state === "open" ? Date.parse(circuit.retryAt) : 0;
    cell.words = words(report);
    draw(cell);
    tick();
  }

  function words({ available, reason, credentials, circuit, models }) {
    if (circuit.state === "half_open") return "Being tried again";
    if (circuit.state === "open") return "Resting";
    if (credentials === "refused") return "Key refused";
    if (!available) return REASONS[reason] ?? reason.replaceAll("_", " ");
    const up = models.filter((one) => one.available).length;
    if (up < models.length) return `${up} of ${models.length} models`;
    const failures = circuit.failures;
    return failures ? `Available, ${failures} of 5 failures` : "Available";
  }

  function draw(cell) {
    const left = (cell.retryAt - Date.now()) / 1000;
    const when = cell.retryAt ? (left > 0 ? `, next try in ${clock(left)}` : ", may be tried now") : "";
    cell.state.textContent = cell.words + when;
  }

  function tick() {
    const waits = [...cells.values()].some((cell) => cell.retryAt);
    if (waits) ticking ??= setInterval(() => cells.forEach(draw), 1000);
    else ticking = clearInterval(ticking);
  }

  function addCell(provider) {
    const state = h("span");
    const item = h("li", { "data-provider": provider }, h("i"),
      h("div", {}, h("strong", { textContent: providerName(provider) }), state));
    if (simulatorUrl) item.append(breaker(provider));
    list.append(item);
    cells.set(provider, { item, state });
    return cells.get(provider);
  }

  function breaker(provider) {
    const url = `${simulatorUrl}/control/providers/${provider}`;
    const box = h("input", { type: "checkbox", role: "switch", "aria-label": `Break ${providerName(provider)}` });
    const ask = async (body) => {
      const answer = await fetch(url, body && { method: "POST", body: JSON.stringify(body) });
      box.checked = (await answer.json()).armed.length > 0;
    };
    box.addEventListener("change", () => ask(box.checked ? BROKEN : { fault: null }).catch(told.failed));
    ask().catch(() => (box.disabled = true));
    return h("label", {}, "Break", box);
  }

  async function usage() {
    if (!told.hasToken()) return;
    try {
      showUsage(await client.usage());
    } catch (error) {
      told.failed(error);
    }
  }

  function showUsage({ spent, reserved, limits, remaining, recent }) {
    const held = Number(reserved) ? `, ${usdText(reserved)} reserved` : "";
    $("spent").textContent = `${usdText(spent)} spent${held}`;
    const money = [usdText(remaining.usdToday), usdText(limits.usdToday)];
    $("left").replaceChildren(
      bar("Budget left today", remaining.usdToday, limits.usdToday, money),
      ...(limits.imagesThisHour === null ? [] : [bar("Images left this hour", remaining.imagesThisHour, limits.imagesThisHour)]),
      bar("Images left today", remaining.imagesToday, limits.imagesToday),
    );
    $("recent").replaceChildren(...recent.slice(0, 5).map((one) => h("li", {},
      h("span", {}, h("b", { textContent: providerName(one.provider) }), ` ${one.model}`),
      h("span", { textContent: one.status === "complete" ? usdText(one.cost) : "not charged" }))));
  }

  function bar(label, left, all, [shown, of] = [left, all]) {
    return h("div", {}, h("dt", { textContent: label }), h("dd", { textContent: `${shown} of ${of}` }),
      h("dd", {}, h("progress", { value: Number(left), max: Number(all) || 1, "aria-label": label })));
  }

  const refresh = () => Promise.all([health(), usage()]);
  setInterval(() => document.hidden || refresh(), EVERY_MS);
  document.addEventListener("visibilitychange", () => document.hidden || refresh());
  refresh();
  return {
    refresh,
    /** Shows nobody's usage. */
    clear() {
      $("spent").textContent = "";
      $("left").replaceChildren();
      $("recent").replaceChildren();
    },
  };
}
