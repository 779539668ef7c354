/** The words of the elements in French. JSON, so that the site and the tests can read it. */

export const WORDS = {
 "close": "Fermer"
};
