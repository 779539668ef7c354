import { renderToString } from "react-dom/server";
import { Offer, ServedOffer } from "./react-offer.jsx";

export const html = (data, { served } = {}) => {
  const As = served ? ServedOffer : Offer;
  return renderToString(<As data={data} onChange={() => {}} />);
};
