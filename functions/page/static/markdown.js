/**
 * The Markdown of an LLM's answer as nodes: paragraphs, lists and lists in them, tables, quotes, headings, rules, code, bold,
 * italic, links.
 * It makes elements of these kinds and text, never markup; whatever else stands there stays as it is written.
 * It imports nothing, because a copy of what the page has already would be loaded with it.
 */

const css = `
.words { display: grid; grid-template-columns: minmax(0, 1fr); gap: .6rem; }
.words :is(ul, ol) { padding-inline-start: 1.4rem; }
.words ul { list-style: disc; }
.words ol { list-style: decimal; }
.words li > :is(p, ul, ol, pre, blockquote, .wide, hr) { margin-top: .3rem; }
.words .wide { overflow-x: auto; }
.words table { border-collapse: collapse; }
.words :is(th, td) { padding: .3rem .9rem .3rem 0; border-bottom: 1px solid var(--color-border-secondary); text-align: start; vertical-align: top; }
.words th { white-space: nowrap; }
.words .end { text-align: end; font-variant-numeric: tabular-nums; }
.words .center { text-align: center; }
.words hr { width: 100%; margin: 0; border: 0; border-top: 1px solid var(--color-border-secondary); }
.words :is(pre, code) { font: .87em ui-monospace, monospace; background: var(--color-background-tertiary); border-radius: 6px; }
.words code { padding: .1em .3em; }
.words pre { margin: 0; padding: .6rem; overflow-x: auto; }
.words blockquote { margin: 0; padding-inline-start: .8rem; border-inline-start: 3px solid var(--color-border-primary); color: var(--color-text-secondary); }
`;

const FENCE = /^\s*\x60{3}/;
const ITEM = /^\s*(?:[-*+]|(\d{1,9})[.)])\s+(?=\S)/;
const RULE = /^\s*(?:-{3,}|\*{3,}|_{3,})\s*$/;
/** The line under the heads of a table, without spaces around it. */
const COLUMNS = /^\|? *:?-+:? *(?:\| *:?-+:? *)*\|?$/;
/** Lists in lists in lists: what is deeper is text. */
const DEEPEST = 6;
const HEADING = /^#{1,6}\s+(?=\S)/;
const QUOTE = /^\s*(?:>\s?)+/;
// Each part has a longest length, so that no text takes long.
const INLINE = new RegExp([
  "\\x60([^\\x60\\n]{1,500})\\x60",
  "\\*\\*(?=\\S)([^*\\n]{1,500})\\*\\*",
  "(?<![\\w*])\\*(?=\\S)([^*\\n]{1,500})\\*(?![\\w*])",
  "(?<![\\p{L}\\p{N}_])_(?=\\S)([^_\\n]{1,500})_(?![\\p{L}\\p{N}_])",
  "!?\\[([^[\\]\\n]{1,300})\\]\\(([^()\\s]{1,1000})\\)",
  "(https?://[^\\s<>\"'\\x60*()[\\]]{1,1000}[^\\s<>\"'\\x60*()[\\].,:;!?])",
].join("|"), "gu");

/** Takes lines from the front for as long as they are of a kind. */
function taken(lines, isOne) {
  const end = lines.findIndex((...one) => !isOne(...one));
  return lines.splice(0, end < 0 ? lines.length : end);
}

const depth = (line) => line.search(/\S|$/);

/** Takes the lines that belong to an item: those behind it that stand further in, with the empty ones between them. */
function inside(lines, base) {
  let end = 0;
  for (let at = 0; at < lines.length && (!lines[at].trim() || depth(lines[at]) > base + 1); at += 1) if (lines[at].trim()) end = at + 1;
  const found = lines.splice(0, end);
  const inset = found.reduce((least, line) => (line.trim() ? Math.min(least, depth(line)) : least), Infinity);
  return found.map((line) => line.slice(inset));
}

/** Returns the cells of a line of a table. */
function cells(line) {
  const found = line.trim().split(/(?<!\\)\|/).map((one) => one.trim().replaceAll("\\|", "|"));
  return found.slice(found.length > 1 && !found[0] ? 1 : 0, found.length > 2 && !found.at(-1) ? -1 : undefined);
}

/** Whether a table begins at a line: its heads, and a line below with as many columns. */
const isTable = (lines, at) => lines[at].includes("|") && COLUMNS.test(lines[at + 1]?.trim() ?? "") && cells(lines[at]).length === cells(lines[at + 1]).length;

const isText = (line, at, lines) => line.trim() && ![FENCE, ITEM, HEADING, QUOTE, RULE].some((one) => one.test(line)) && !isTable(lines, at);

/** Returns what makes nodes of a text, with the page's functions for elements, addresses and styles. */
export function reader({ h, safeUrl, addStyle }) {
  addStyle(css);

  /** A link that opens beside the page and tells its target nothing; text alone where its address is none of the web. */
  function link(address, name) {
    const href = /^https?:/i.test(address) ? safeUrl(address) : "";
    return href ? h("a", { href, title: name === address ? "" : href, target: "_blank", rel: "noreferrer" }, name) : `${name} (${address})`;
  }

  /** Returns text and elements for the signs inside of a line. */
  function inline(text) {
    const found = [];
    let end = 0;
    for (const { index: at, ...one } of text.matchAll(INLINE)) {
      const { 0: all, 1: code, 2: bold, 3: star, 4: line, 5: name, 6: address, 7: bare } = one;
      if (at > end) found.push(text.slice(end, at));
      end = at + all.length;
      found.push(code ? h("code", {}, code) : bold ? h("strong", {}, ...inline(bold)) : star || line ? h("em", {}, ...inline(star ?? line))
        : link(bare ?? address, bare ?? name));
    }
    return end < text.length ? [...found, text.slice(end)] : found;
  }

  /** Returns a list: items of one kind, also with empty lines between them. */
  function list(lines, level) {
    const base = depth(lines[0]);
    const number = ITEM.exec(lines[0])[1];
    const items = [];
    for (let at = 0; at >= 0;) {
      const [line] = lines.splice(0, at + 1).slice(-1);
      const content = [line.replace(ITEM, ""), ...inside(lines, base)];
      items.push(h("li", {}, ...inline(taken(content, isText).join("\n")), ...nodesOf(content, level + 1)));
      at = lines.findIndex((one) => one.trim());
      const next = ITEM.exec(lines[at] ?? "");
      if (!next || (next[1] === undefined) !== (number === undefined) || depth(lines[at]) > base + 1) at = -1;
    }
    return number === undefined ? h("ul", {}, ...items) : h("ol", { start: Number(number) }, ...items);
  }

  function rule(lines) {
    lines.shift();
    return h("hr");
  }

  function table(lines) {
    const [heads, columns] = lines.splice(0, 2).map(cells);
    const sides = columns.map((one) => (!one.endsWith(":") ? "" : one.startsWith(":") ? "center" : "end"));
    const row = (tag, all) => h("tr", {}, ...all.map((one, at) => h(tag, { className: sides[at] ?? "" }, ...inline(one))));
    const rows = taken(lines, (line) => line.trim() && line.includes("|")).map((line) => row("td", cells(line)));
    // It is moved by the keyboard, too, where it is wider than the page.
    return h("div", { className: "wide", tabIndex: 0 }, h("table", {}, h("thead", {}, row("th", heads)), h("tbody", {}, ...rows)));
  }

  function code(lines) {
    lines.shift();
    const content = taken(lines, (line) => !FENCE.test(line)).join("\n");
    lines.shift();
    return h("pre", { tabIndex: 0 }, content);
  }

  /** Returns the nodes of lines, which are taken away; `level` is how many lists are around them. */
  function nodesOf(lines, level) {
    const nodes = [];
    while (lines.length) {
      const [line] = lines;
      if (!line.trim()) lines.shift();
      else if (FENCE.test(line)) nodes.push(code(lines));
      else if (RULE.test(line)) nodes.push(rule(lines));
      else if (ITEM.test(line) && level < DEEPEST) nodes.push(list(lines, level));
      else if (HEADING.test(line)) nodes.push(h("p", {}, h("strong", {}, ...inline(lines.shift().replace(HEADING, "")))));
      else if (QUOTE.test(line)) nodes.push(h("blockquote", {}, ...nodesOf(taken(lines, (one) => QUOTE.test(one)).map((one) => one.replace(QUOTE, "")), level + 1)));
      else if (isTable(lines, 0)) nodes.push(table(lines));
      else nodes.push(h("p", {}, ...inline([lines.shift(), ...taken(lines, isText)].join("\n"))));
    }
    return nodes;
  }

  return (text) => nodesOf(text.replace(/^[ \t]+/gm, (space) => space.replaceAll("\t", "    ")).split("\n"), 0);
}
