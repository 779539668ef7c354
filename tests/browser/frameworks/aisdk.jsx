import { Chat, useChat } from "@ai-sdk/react";
import { validateUIMessages } from "ai";
import { useEffect } from "react";
import { createRoot } from "react-dom/client";

/** A chat over the service with `useChat`, as in docs/embed.md. */
window.mount = async (root, { settings, messages = [] }) => {
  await import("/elements.js");
  const { createClient } = await import("/client.js");
  const { createTransport, fromPart, withGeneration } = await import("/aisdk.js");
  const client = createClient(settings);
  const transport = createTransport(client);
  function App() {
    const chat = useChat({ transport, messages });
    const { messages: shown, setMessages, status, error } = chat;
    useEffect(() => { window.chat = chat; window.validated = () => validateUIMessages({ messages: window.chat.messages }); });
    const changed = (event) => setMessages((all) => withGeneration(all, event.detail.generation));
    return (
      <main data-status={status}>
        {error && <p role="alert">{error.message}</p>}
        {shown.map(({ id, role, parts }) => (
          <article key={id} className={role}>
            {parts.map((part, index) => {
              const data = fromPart(part);
              if (data) return <generated-image key={part.toolCallId} client={client} data={data} onimage-change={changed} />;
              return part.type === "text" ? <p key={index}>{part.text}</p> : null;
            })}
          </article>
        ))}
      </main>
    );
  }
  createRoot(root).render(<App />);
};
window.Chat = Chat;
