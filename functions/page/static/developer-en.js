/** The words of the developer drawer, in English. JSON, so that the site and the tests can read it. */

export const WORDS = {
 "dev.halfOpen": "Being tried again",
 "dev.circuit_open": "Resting",
 "dev.refused": "Key refused",
 "dev.no_key": "No key",
 "dev.disabled": "Switched off",
 "dev.models": "{up} of {all} models",
 "dev.failures": "Available, {failures} of 5 failures",
 "dev.available": "Available",
 "dev.nextTry": ", next try in {time}",
 "dev.mayTry": ", may be tried now",
 "dev.break": "Break",
 "dev.breakName": "Break {name}",
 "dev.providers": "Providers",
 "dev.calls": "LLM and image calls of this conversation",
 "dev.pageCalls": "Calls of the page since this was opened",
 "dev.llmInfo": "LLM info: {sum}"
};
