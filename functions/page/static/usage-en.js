/** The words of the view of what was spent, in English. JSON, so that the site and the tests can read it. */

export const WORDS = {
 "use.images": {
  "one": "{count} image",
  "other": "{count} images"
 },
 "use.of": "{shown} of {of}",
 "use.organisationToday": "Left of the budget of all users today",
 "use.organisationThisMonth": "Left of the budget of all users this month",
 "use.teamToday": "Left of the budget of your team today",
 "use.teamThisMonth": "Left of the budget of your team this month",
 "use.ownDay": "You set yourself a limit of {price} a day.",
 "use.ownMonth": "You set yourself a limit of {price} a month.",
 "use.reserved": "{price} is reserved for images that are being made.",
 "use.today": "Today",
 "use.spentFor": "spent for {images}.",
 "use.dayEnds": "A day ends at 00:00 UTC.",
 "use.budgetLeft": "Budget left today",
 "use.imagesHour": "Images left this hour",
 "use.imagesDay": "Images left today",
 "use.chatsLeft": "Chat messages left today",
 "use.day": "Day",
 "use.imagesHead": "Images",
 "use.charged": "Charged",
 "use.byDay": "Charges by day",
 "use.newestOnly": {
  "one": "Only the newest {count} picture is counted.",
  "other": "Only the newest {count} pictures are counted."
 },
 "use.chargedFor": "charged for {images} of your gallery.",
 "use.deletedNot": "Pictures that you deleted are not in it; their charges stay.",
 "use.notCharged": "not charged",
 "use.newest": "Newest requests",
 "use.adding": "Adding up …",
 "use.tools": "Developer tools"
};
