/** The words of the elements in English. JSON, so that the site and the tests can read it. */

export const WORDS = {
 "close": "Close"
};
