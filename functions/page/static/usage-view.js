/** What the user spent: today as the service counts it, and the days of the month as a chart and as a table. */

import { microUsd, moneyText, usdText } from "./format.js";
import { makerText } from "./makers.js";
import { english, language, t } from "./locale.js";
import { addStyle } from "./sheets.js";
import { h, tell } from "./ui.js";
import { WORDS } from "./usage-en.js";

english(WORDS);

const PAGE = 100;
const MOST_PAGES = 20;
const css = `
.figure { font-size: 2rem; font-weight: 620; letter-spacing: -.03em; line-height: 1.3; font-variant-numeric: tabular-nums; }
#left { display: grid; gap: .7rem; margin-top: 1rem; }
#left div { display: grid; grid-template-columns: 1fr fit-content(55%); gap: .2rem .5rem; font-size: .87rem; }
#left dt { color: var(--color-text-secondary); }
#left dd { font-variant-numeric: tabular-nums; font-weight: 550; text-align: end; }
#left dd + dd { grid-column: 1 / -1; line-height: 0; }
#left progress { appearance: none; width: 100%; height: 6px; border: 0; border-radius: 3px; overflow: hidden; background: var(--color-background-tertiary); }
#left ::-webkit-progress-bar { background: var(--color-background-tertiary); }
#left ::-webkit-progress-value { background: var(--accent); border-radius: 3px; }
#left ::-moz-progress-bar { background: var(--accent); }
.chart { display: grid; grid-template-columns: repeat(var(--days), minmax(0, 1.6rem)); gap: 3px; height: 9rem; margin: 1rem 0 .4rem; font-size: .7rem; color: var(--color-text-secondary); text-align: center; }
.chart li { display: flex; flex-direction: column; justify-content: end; min-width: 0; border-bottom: 1px solid var(--color-border-primary); margin-bottom: 1.2rem; position: relative; }
.chart i { background: var(--accent); border-radius: 3px 3px 0 0; }
.chart span { position: absolute; top: 100%; inset-inline: 0; padding-top: .15rem; }
#recent li { display: flex; justify-content: space-between; gap: .8rem; padding: .4rem 0; border-top: 1px solid var(--color-border-secondary); font-size: .87rem; font-variant-numeric: tabular-nums; }
#recent li:first-child { border: 0; }
#recent b { font-weight: 550; }
@media (max-width: 699px) { .chart li:not(:nth-child(5n + 1)) span { display: none; } }
@media (forced-colors: active) { .chart i { forced-color-adjust: none; } }
`;

/** Charges of the month by day, as `[{day, images, micro}]`, the first day first; days are UTC, as the service counts them. */
export function daysOf(images, today) {
  const month = today.slice(0, 8);
  const days = Array.from({ length: Number(today.slice(8)) }, (_, index) => ({ day: `${month}${String(index + 1).padStart(2, "0")}`, images: 0, micro: 0 }));
  for (const { createdAt, cost } of images) {
    const found = createdAt.startsWith(month) && days[Number(createdAt.slice(8, 10)) - 1];
    if (!found) continue;
    found.images += 1;
    found.micro += microUsd(cost?.charged ?? "0");
  }
  return days;
}

const dayText = (day, style) => new Date(`${day}T00:00:00Z`).toLocaleDateString(language(), { ...style, timeZone: "UTC" });
const countText = (count) => t("use.images", { count });

function bar(label, left, all, [shown, of] = [left, all]) {
  return h("div", {}, h("dt", { textContent: label }), h("dd", { textContent: t("use.of", { shown, of }) }),
    h("dd", {}, h("progress", { value: Number(left), max: Number(all) || 1, "aria-label": label })));
}

const PERIODS = [["usdToday", "Today"], ["usdThisMonth", "ThisMonth"]];

/** What the user shares with others, as far as it has limits. */
const sharedBars = ({ limits, remaining }) => (limits.levels ?? []).flatMap((limit, index) => PERIODS.filter(([name]) => limit[name] !== null).map(([name, when]) => {
  const left = remaining.levels?.[index][name] ?? "0";
  return bar(t(`use.${limit.level}${when}`), left, limit[name], [usdText(left), usdText(limit[name])]);
}));

/** The limits that a person has set for themselves, as sentences; "" if there are none. */
export const ownText = ({ usdToday: day, usdThisMonth: month } = {}) =>
  [day && t("use.ownDay", { price: usdText(day) }), month && t("use.ownMonth", { price: usdText(month) })].filter(Boolean).join(" ");

function todayCard(usage) {
  const { spent, reserved, images, limits, remaining, chat } = usage;
  const held = Number(reserved) && t("use.reserved", { price: usdText(reserved) });
  return h("section", { className: "card", "aria-labelledby": "today-title" },
    h("h3", { id: "today-title", textContent: t("use.today") }),
    h("p", { className: "figure", textContent: usdText(spent) }),
    h("p", { className: "hint", textContent: [t("use.spentFor", { images: countText(images) }), held, t("use.dayEnds"), ownText(usage.ownLimits)].filter(Boolean).join(" ") }),
    h("dl", { id: "left" },
      bar(t("use.budgetLeft"), remaining.usdToday, limits.usdToday, [usdText(remaining.usdToday), usdText(limits.usdToday)]),
      ...(limits.imagesThisHour === null ? [] : [bar(t("use.imagesHour"), remaining.imagesThisHour, limits.imagesThisHour)]),
      bar(t("use.imagesDay"), remaining.imagesToday, limits.imagesToday),
      bar(t("use.chatsLeft"), chat.remaining.requests, chat.limits.requests), ...sharedBars(usage)));
}

function chartOf(days) {
  const most = Math.max(...days.map(({ micro }) => micro), 1);
  const bars = days.map(({ day, images, micro }) => {
    const fill = h("i", {});
    fill.style.height = `${Math.max(micro / most * 100, micro ? 3 : 0)}%`;
    return h("li", { title: `${dayText(day, { month: "short", day: "numeric" })}: ${moneyText(micro)}, ${countText(images)}` }, fill, h("span", { textContent: Number(day.slice(8)) }));
  });
  const chart = h("ol", { className: "chart", "aria-hidden": "true" }, ...bars);
  chart.style.setProperty("--days", days.length);
  return chart;
}

function tableOf(days) {
  const rows = days.filter(({ images }) => images).reverse().map(({ day, images, micro }) => h("tr", {},
    h("th", { scope: "row", textContent: dayText(day, { month: "long", day: "numeric" }) }), h("td", { textContent: images }), h("td", { textContent: moneyText(micro) })));
  const head = h("tr", {}, ...["use.day", "use.imagesHead", "use.charged"].map((key) => t(key)).map((textContent) => h("th", { scope: "col", textContent })));
  return h("table", {}, h("caption", { className: "unseen", textContent: t("use.byDay") }), h("thead", {}, head), h("tbody", {}, ...rows));
}

function monthCard(days, isWhole) {
  const sum = days.reduce((all, { micro }) => all + micro, 0);
  const count = days.reduce((all, { images }) => all + images, 0);
  const rest = !isWhole && t("use.newestOnly", { count: PAGE * MOST_PAGES });
  return h("section", { className: "card", "aria-labelledby": "month-title" },
    h("h3", { id: "month-title", textContent: dayText(days[0].day, { month: "long", year: "numeric" }) }),
    h("p", { className: "figure", textContent: moneyText(sum) }),
    h("p", { className: "hint", textContent: [t("use.chargedFor", { images: countText(count) }), t("use.deletedNot"), rest].filter(Boolean).join(" ") }),
    chartOf(days), ...(count ? [tableOf(days)] : []));
}

function recentCard(recent) {
  const rows = recent.slice(0, 10).map((one) => h("li", {}, h("span", { textContent: makerText(one) }),
    h("b", { textContent: one.status === "complete" ? usdText(one.cost) : t("use.notCharged") })));
  return h("section", { className: "card", "aria-labelledby": "recent-title" },
    h("h3", { id: "recent-title", textContent: t("use.newest") }), h("ul", { id: "recent" }, ...rows));
}

export function usageView(client, told) {
  addStyle(css);
  const root = document.getElementById("usage-note");
  const body = h("div", { className: "stack" });
  root.after(body);
  let turn = 0;
  let isStale = true;

  /** Returns the images since the month began, and whether these are all. */
  async function imagesSince(first) {
    const found = [];
    let cursor;
    for (let pages = 0; pages < MOST_PAGES; pages += 1) {
      const page = await client.images({ limit: PAGE, ...(cursor && { cursor }) });
      found.push(...page.images);
      cursor = page.nextCursor;
      if (!cursor || found.at(-1)?.createdAt < first) return [found, true];
    }
    return [found, false];
  }

  async function load() {
    const mine = ++turn;
    root.textContent = body.childElementCount ? "" : t("use.adding");
    try {
      const usage = await client.usage();
      const [images, isWhole] = await imagesSince(usage.day.slice(0, 8));
      if (mine !== turn) return;
      root.textContent = "";
      body.replaceChildren(todayCard(usage), monthCard(daysOf(images, usage.day), isWhole), ...(usage.recent.length ? [recentCard(usage.recent)] : []),
        h("p", { className: "hint" }, h("a", { href: "#developer", textContent: t("use.tools") })));
    } catch (error) {
      if (mine !== turn) return;
      tell(root, error);
      isStale = true;
      told.failed(error);
    }
  }

  return {
    /** Shows the figures, anew if an image was made since. */
    show() {
      if (!isStale || !told.hasToken()) return;
      isStale = false;
      load();
    },
    change() { isStale = true; },
    /** Shows nobody's figures. */
    clear() {
      turn += 1;
      isStale = true;
      root.textContent = "";
      body.replaceChildren();
    },
  };
}
