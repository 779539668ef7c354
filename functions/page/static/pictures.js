/** What the page loads when a picture of the user is first looked at, or first given with a request. */

export { inputsView } from "./inputs-view.js";
export { ownPictures } from "./own-pictures.js";
