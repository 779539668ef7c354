import { useCallback, useEffect, useState } from "react";
import { createRoot, hydrateRoot } from "react-dom/client";
import { Offer, ServedOffer } from "./react-offer.jsx";

/** One element whose data is set as `window.given` says, and set anew with `window.give(data)`. */
function App({ first, As }) {
  const [data, setData] = useState(first);
  const [, again] = useState(0);
  useEffect(() => {
    window.give = setData;
    window.rerender = () => again((count) => count + 1);
  }, []);
  const onChange = useCallback((generation) => { window.changes.push(generation.status); }, []);
  return <As data={data} onChange={onChange} />;
}

window.changes = [];
window.mount = (root, data, { hydrate = false, served = false } = {}) => {
  const app = <App first={data} As={served ? ServedOffer : Offer} />;
  if (hydrate) hydrateRoot(root, app);
  else createRoot(root).render(app);
};
