/** The words of what can be done with a message, in English. */

export const WORDS = {
 "copyWords": "Copy message",
 "editWords": "Edit message",
 "wordsCopied": "Copied."
};
