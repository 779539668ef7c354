/** The words of the gallery, of one picture and of pictures to start from, in English. JSON, so that the site and the tests can read it. */

export const WORDS = {
 "pic.count": {
  "one": "{count} picture.",
  "other": "{count} pictures."
 },
 "pic.countMore": {
  "one": "{count} picture, and there are more.",
  "other": "{count} pictures, and there are more."
 },
 "pic.none": "You have no pictures yet.",
 "pic.more": "Show more",
 "pic.price": "Price",
 "pic.charged": "{price} charged",
 "pic.made": "Made",
 "pic.madeFrom": "Made from",
 "pic.origin": "Origin",
 "pic.pictures": {
  "one": "{count} picture",
  "other": "{count} pictures"
 },
 "pic.byAi": "Made by AI.",
 "pic.c2pa.present": "A C2PA manifest is in the file; nobody has checked it here.",
 "pic.c2pa.absent": "No C2PA manifest is in the file.",
 "pic.mark.synthid": "Its vendor says that it has a SynthID watermark.",
 "pic.made.upscale": "A larger version of a picture",
 "pic.made.cutout": "A picture without its background",
 "pic.noPrompt": "The prompt was not kept.",
 "pic.fullSize": "Open in full size",
 "pic.yours": "Your picture",
 "pic.shared": "Shared.",
 "pic.share": "Share",
 "pic.whoHas": "Whoever has the link sees the picture, without the prompt, until you delete it.",
 "pic.makeMore": "Make more",
 "pic.fourMore": "Four more like this picture",
 "pic.fourVariations": "Four variations of this picture",
 "pic.upscale": "Upscale",
 "pic.upscaleWords": "Make this picture larger",
 "pic.cutout": "Remove background",
 "pic.cutoutWords": "Remove the background of this picture",
 "pic.deleted": "The picture is deleted, with its prompt and its links.",
 "pic.chargeStays": "The charge of {price} stays.",
 "pic.someChargeStays": "Its charge stays.",
 "pic.tenSeconds": "There are ten seconds to undo it.",
 "pic.kept": "The picture is kept.",
 "pic.notDeleted": "The picture is not deleted.",
 "pic.noUpscale": "No model can upscale now.",
 "in.choose": "Choose a picture",
 "in.most": {
  "one": "A request has at most {count} picture. Remove one first.",
  "other": "A request has at most {count} pictures. Remove one first."
 },
 "in.uploading": "Uploading {name} …",
 "in.uploaded": "{name} is uploaded. Where and with what it was taken (EXIF, GPS) is removed before a provider gets it; marks of origin stay. It is kept for a day, and no link opens it.",
 "in.lookedAt": "Is looked at",
 "in.role": "What happens with {name}",
 "in.change": "Change it",
 "in.look": "Look at it",
 "in.paint": "Paint what may change",
 "in.remove": "Remove",
 "in.removeName": "Remove {name}",
 "in.uploadOf": "Upload of {name}",
 "in.notUploaded": "Not uploaded"
};
