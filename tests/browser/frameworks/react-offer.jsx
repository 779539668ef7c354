import { useEffect, useRef } from "react";

/** For a page that is rendered in the browser. */
export function Offer({ data, onChange }) {
  return <generated-image id="subject" data={data} onimage-change={(event) => onChange(event.detail.generation)} />;
}

/** For a page that a server renders: React hydrates neither properties nor listeners of custom elements. */
export function ServedOffer({ data, onChange }) {
  const ref = useRef(null);
  useEffect(() => { ref.current.data = data; }, [data]);
  useEffect(() => {
    const element = ref.current;
    const changed = (event) => onChange(event.detail.generation);
    element.addEventListener("image-change", changed);
    return () => element.removeEventListener("image-change", changed);
  }, [onChange]);
  return <generated-image id="subject" ref={ref} />;
}
