import { useChat } from "@ai-sdk/react";
import "imagegen-elements";
import { fromPart, withGeneration } from "imagegen-elements/aisdk";

export function Conversation({ chat }) {
  const { messages, setMessages, error } = useChat({ chat });
  const changed = (event) => setMessages((all) => withGeneration(all, event.detail.generation));
  const show = (part, index) => {
    const data = fromPart(part);
    if (data) return <generated-image key={part.toolCallId} data={data} onimage-change={changed} />;
    return part.type === "text" && <p key={index}>{part.text}</p>;
  };
  return (
    <main>
      {messages.map(({ id, role, parts }) => <article key={id} className={role}>{parts.map(show)}</article>)}
      {error && <p role="alert">{error.message}</p>}
    </main>
  );
}
