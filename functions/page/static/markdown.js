/**
 * The Markdown of an LLM's answer as nodes: paragraphs, lists, quotes, headings, code, bold, italic, links.
 * It makes elements of these kinds and text, never markup; whatever else stands there stays as it is written.
 * It imports nothing, because a copy of what the page has already would be loaded with it.
 */

const css = `
.words { display: grid; grid-template-columns: minmax(0, 1fr); gap: .6rem; }
.words :is(ul, ol) { padding-inline-start: 1.4rem; }
.words ul { list-style: disc; }
.words ol { list-style: decimal; }
.words :is(pre, code) { font: .87em ui-monospace, monospace; background: var(--color-background-tertiary); border-radius: 6px; }
.words code { padding: .1em .3em; }
.words pre { margin: 0; padding: .6rem; overflow-x: auto; }
.words blockquote { margin: 0; padding-inline-start: .8rem; border-inline-start: 3px solid var(--color-border-primary); color: var(--color-text-secondary); }
`;

const FENCE = /^\s*\x60{3}/;
const ITEM = /^\s*(?:[-*+]|(\d{1,9})[.)])\s+(?=\S)/;
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
  const end = lines.findIndex((line) => !isOne(line));
  return lines.splice(0, end < 0 ? lines.length : end);
}

const isText = (line) => line.trim() && ![FENCE, ITEM, HEADING, QUOTE].some((one) => one.test(line));

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

  function list(lines) {
    const number = ITEM.exec(lines[0])[1];
    const isIts = (line) => (ITEM.exec(line)?.[1] === undefined) === (number === undefined) && ITEM.test(line);
    const items = taken(lines, isIts).map((line) => h("li", {}, ...inline(line.replace(ITEM, ""))));
    return number === undefined ? h("ul", {}, ...items) : h("ol", { start: Number(number) }, ...items);
  }

  function code(lines) {
    lines.shift();
    const content = taken(lines, (line) => !FENCE.test(line)).join("\n");
    lines.shift();
    return h("pre", { tabIndex: 0 }, content);
  }

  /** Returns the nodes of a text. */
  function nodesOf(text) {
    const lines = text.split("\n");
    const nodes = [];
    while (lines.length) {
      const [line] = lines;
      if (!line.trim()) lines.shift();
      else if (FENCE.test(line)) nodes.push(code(lines));
      else if (ITEM.test(line)) nodes.push(list(lines));
      else if (HEADING.test(line)) nodes.push(h("p", {}, h("strong", {}, ...inline(lines.shift().replace(HEADING, "")))));
      else if (QUOTE.test(line)) nodes.push(h("blockquote", {}, ...nodesOf(taken(lines, (one) => QUOTE.test(one)).map((one) => one.replace(QUOTE, "")).join("\n"))));
      else nodes.push(h("p", {}, ...inline(taken(lines, isText).join("\n"))));
    }
    return nodes;
  }

  return nodesOf;
}
