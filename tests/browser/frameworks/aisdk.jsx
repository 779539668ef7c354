import { Chat } from "@ai-sdk/react";
import { validateUIMessages } from "ai";
import { createRoot } from "react-dom/client";
import { configure } from "imagegen-elements";
import { createTransport } from "imagegen-elements/aisdk";
import { Conversation } from "./conversation.jsx";

/** A chat over the service with `useChat`. */
window.mount = (root, { settings, messages = [] }) => {
  configure(settings);
  window.chat = new Chat({ transport: createTransport(), messages });
  window.validated = () => validateUIMessages({ messages: window.chat.messages });
  createRoot(root).render(<Conversation chat={window.chat} />);
};
