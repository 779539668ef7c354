/** The words of the mask's dialog, in English. JSON, so that the site and the tests can read it. */

export const WORDS = {
 "mask.notShown": "The picture cannot be shown here, so nothing can be painted on it.",
 "mask.tooLarge": "The picture is too large to paint on here.",
 "mask.canvas": "What is painted may change. Without a mouse, mark an area by numbers below.",
 "mask.left": "Left, in %",
 "mask.top": "Top, in %",
 "mask.width": "Width, in %",
 "mask.height": "Height, in %",
 "mask.markThis": "Mark this area",
 "mask.byNumbers": "Mark an area by numbers",
 "mask.paint": "Paint",
 "mask.erase": "Erase",
 "mask.clear": "Clear",
 "mask.use": "Use it",
 "mask.all": "All may change",
 "mask.share": "{percent} % of the picture may change.",
 "mask.nothing": "Nothing is painted yet. Paint over the part that may change.",
 "mask.title": "What may change in {name}?",
 "mask.brush": "Brush size",
 "mask.storing": "Storing what you painted …",
 "mask.allSaid": "All of the picture may change.",
 "mask.stored": "Only what you painted may change. Models follow it closely, not to the pixel.",
 "mask.before": "What you painted before still holds.",
 "mask.notStored": "What you painted is not stored, so all of the picture may change."
};
