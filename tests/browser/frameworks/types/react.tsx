import { useChat } from "@ai-sdk/react";
import { useRef } from "react";
import type { GeneratedImageElement, ImageGeneration } from "imagegen-elements";
import { createTransport, fromPart, withGeneration } from "imagegen-elements/aisdk";

export function Offer({ data }: { data: ImageGeneration }) {
  const ref = useRef<GeneratedImageElement>(null);
  const chat = useChat({ transport: createTransport() });
  chat.messages.flatMap(({ parts }) => parts.map(fromPart));
  chat.setMessages((all) => withGeneration(all, data));
  return (
    <>
      <generated-image
        ref={ref} key={data.id} className="wide" data-kind="offer" data={data} alt="A fox"
        onimage-change={({ detail }) => detail.generation.status}
      />
      <generated-image data={JSON.stringify(data)} />
      <generated-image src="https://api.example/images/abc" />
      <llm-info calls={[]} />
      {/* @ts-expect-error: a number is no generation */}
      <generated-image data={7} />
    </>
  );
}
