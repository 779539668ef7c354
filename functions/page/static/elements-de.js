/** The words of the elements in German. JSON, so that the site and the tests can read it. */

export const WORDS = {
 "close": "Schließen"
};
