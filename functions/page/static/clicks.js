/** Keeps the second half of a double click from a button that it was not meant for. */

const buttonOf = (event) => event.composedPath().find((one) => one.matches?.("button, summary, a[href], label"));
/** A button that says something else by now is another button. */
const nameOf = (button) => button && button.textContent + button.getAttribute("aria-label");

/** Swallows the later clicks of a double click below a node, if they are on another button than the first one. */
export function guardClicks(node) {
  let button, name;
  node.addEventListener("click", (event) => {
    const pressed = buttonOf(event);
    // The browser counts clicks in the same place; the keyboard's have no number.
    if (event.detail > 1 && pressed && (pressed !== button || nameOf(pressed) !== name)) {
      event.preventDefault();
      event.stopImmediatePropagation();
    } else if (event.detail) [button, name] = [pressed, nameOf(pressed)];
  }, true);
}
