/** Keeps the second half of a double click from a button that it was not meant for. */

const TOGETHER_MS = 600;
/** A pointer that has moved further means what it points at. */
const NEAR_PX = 24;

const buttonOf = (event) => event.composedPath().find((one) => one.matches?.("button, summary, a[href], label"));
/** A button that says something else by now is another button. */
const nameOf = (button) => button.textContent + button.getAttribute("aria-label");

/** Swallows a click below a node that follows another one in the same place, on another button. */
export function guardClicks(node) {
  let last;
  node.addEventListener("click", (event) => {
    const button = buttonOf(event);
    // A click without a pointer is the keyboard's: it is moved to the button first.
    if (!event.isTrusted || !event.detail) return;
    const { timeStamp: at, clientX: x, clientY: y } = event;
    const isSecond = last && at - last.at < TOGETHER_MS && Math.hypot(x - last.x, y - last.y) < NEAR_PX;
    if (button && isSecond && (button !== last.button || nameOf(button) !== last.name)) {
      event.preventDefault();
      event.stopImmediatePropagation();
      return;
    }
    last = { at, x, y, button, name: button && nameOf(button) };
  }, true);
}
