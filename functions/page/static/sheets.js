/** The styles of parts that are loaded later: they come with the part, so a first visit does not load them. */

const added = new Set();

/** Gives a style to the page, once: a constructed sheet, which the page's policy allows. */
export function addStyle(css) {
  if (added.has(css)) return;
  added.add(css);
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(css);
  document.adoptedStyleSheets.push(sheet);
}
