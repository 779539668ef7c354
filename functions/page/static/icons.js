/** Drawn symbols for buttons: strokes in a square of 24, in the colour of the text. */

const SVG = "http://www.w3.org/2000/svg";

export const ICONS = {
  download: "M12 4v11m-4.5-4.5L12 15l4.5-4.5M5 19.5h14",
  link: "M10 14a4 4 0 0 0 5.7 0l3-3a4 4 0 0 0-5.7-5.7l-1.2 1.2M14 10a4 4 0 0 0-5.7 0l-3 3a4 4 0 0 0 5.7 5.7l1.2-1.2",
  code: "M8.5 7.5 4 12l4.5 4.5m7-9L20 12l-4.5 4.5",
  info: "M12 11v5.5m0-9v.2M12 3.5a8.5 8.5 0 1 0 0 17 8.5 8.5 0 0 0 0-17",
};

/** Returns a symbol that a screen reader passes over. */
export function icon(path) {
  const svg = document.createElementNS(SVG, "svg");
  const line = document.createElementNS(SVG, "path");
  for (const [name, value] of Object.entries({ viewBox: "0 0 24 24", width: 20, height: 20, fill: "none", stroke: "currentColor",
    "stroke-width": 1.8, "stroke-linecap": "round", "stroke-linejoin": "round", "aria-hidden": true })) svg.setAttribute(name, value);
  line.setAttribute("d", path);
  svg.append(line);
  return svg;
}
