"use client";

import { useCallback, useEffect, useState } from "react";
import { ServedOffer } from "./react-offer";

export function Conversation({ first }) {
  const [data, setData] = useState(first);
  useEffect(() => {
    window.give = setData;
    window.changes = [];
    window.mount = () => {};
  }, []);
  const onChange = useCallback((generation) => { window.changes.push(generation.status); }, []);
  return <ServedOffer data={data} onChange={onChange} />;
}
