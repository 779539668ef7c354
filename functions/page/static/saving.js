/** Saves a picture as a file of the person's. */

import { oneLine } from "./format.js";

/** A file name from the prompt and the bytes' own type. */
function fileName(prompt, mediaType) {
  const words = oneLine(prompt).toLowerCase().replace(/[^\p{L}\p{N}]+/gu, "-").slice(0, 48);
  const kind = String(mediaType).split(/[/+;]/)[1] ?? "png";
  return `${words.replace(/^-+|-+$/g, "") || "generated-image"}.${kind === "jpeg" ? "jpg" : kind}`;
}

/** Downloads a picture, under a name from its prompt; returns the key of what is said of it. */
export async function savePicture(url, prompt) {
  try {
    const answer = await fetch(url, { headers: { accept: "image/*" } });
    const content = await answer.blob();
    if (!answer.ok || !content.type.startsWith("image/")) throw new Error();
    const href = URL.createObjectURL(content);
    Object.assign(document.createElement("a"), { href, download: fileName(prompt, content.type) }).click();
    setTimeout(() => URL.revokeObjectURL(href), 60000);
    return "downloaded";
  } catch {
    return "downloadFailed";
  }
}
