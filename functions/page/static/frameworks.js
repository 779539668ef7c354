/**
 * Properties that a framework gave to an element and that never reached it. React and Vue write an object as the
 * attribute "[object Object]" where they render before the element is defined, and React sets none when it
 * takes over the server's HTML. Both keep what they rendered at the element or its root: it is read from there.
 */

const LONGEST_MS = 60_000;

function reactProps(element) {
  return element[Object.keys(element).find((key) => key.startsWith("__reactProps$"))];
}

function vueProps(element) {
  let root = element;
  while (root && !root._vnode) root = root.parentNode ?? root.host;
  return root && rendered(root._vnode, element);
}

/** Returns the properties with which a tree of Vue's nodes renders the element. */
function rendered(node, element) {
  if (!node || typeof node !== "object") return undefined;
  const below = [node.component?.subTree, node.suspense?.activeBranch, ...(Array.isArray(node.children) ? node.children : [])];
  for (const one of below) {
    const found = rendered(one, element);
    if (found) return found;
  }
  return node.el === element && !node.component ? node.props : undefined;
}

/** Sets the named properties of a connected element, as soon as a framework has them, until `isSet`. */
export async function adopt(element, names, isSet) {
  for (let wait = 50, waited = 0; element.isConnected && !isSet() && waited < LONGEST_MS; waited += wait, wait *= 1.3) {
    const props = reactProps(element) ?? vueProps(element) ?? {};
    for (const name of names) if (props[name]) element[name] = props[name];
    await new Promise((next) => setTimeout(next, wait));
  }
}
