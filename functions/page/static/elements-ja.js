/** The words of the elements in Japanese. JSON, so that the site and the tests can read it. */

export const WORDS = {
 "close": "閉じる"
};
