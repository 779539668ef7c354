/** The words of models side by side, in English. */

export const WORDS = {
 "comparison": "Comparison of models",
 "compareThese": "Compare these models",
 "compareTotal": "at most {money} for {count}",
 "compareInstead": "in place of {model}",
 "compareTwice": "Not available now; the model in its place is above.",
 "compareAboveYours": "Together they may cost {money}, more than the {limit} that you set. Take a model out.",
 "compareAboveDay": "Together they may cost {money}, and {left} of your day is left. Take a model out.",
 "compareRoom": "Your limit has room for {left} more. Take a model out.",
 "compareButton": {"one": "Generate {count} Image for {money}", "other": "Generate {count} Images for {money}"},
 "comparePromise": "You pay at most {money} in all, and only for the images you get.",
 "compareExpired": "This price has expired. A new one is free.",
 "compareKeep": "Keep this one",
 "compareAll": "Show all {count} again",
 "compareCharged": "{money} charged for {stored} of {count} images.",
 "compareOpen": "Whether the others will be charged is not known yet.",
 "compareChoose": "Models to compare: choose two to four",
 "compareFree": "Choose two to four. Each makes one image; the price below is for all of them."
};
