import { Conversation } from "./conversation";
import pending from "./pending.json";

/** A server component: the offer is in the HTML before any script runs. */
export default function Page() {
  return <Conversation first={pending.data} />;
}
