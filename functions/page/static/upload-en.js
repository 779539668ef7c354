/** The words of an upload in English. */

export const WORDS = {
 "up.kind": "This file is {type}. Choose a PNG, a JPEG or a WebP.",
 "up.noKind": "The browser does not know what this file is. Choose a PNG, a JPEG or a WebP.",
 "up.empty": "This file is empty. Choose another one.",
 "up.large": "This file has {size} MB. Choose one of at most 10 MB.",
 "up.secure": "Files can be uploaded from a secure address (https) only.",
 "up.unreadable": "The file cannot be read. Choose it again.",
 "up.cut": "The upload was cut off. Check the connection and choose the file again.",
 "up.refused": "The file was not accepted, perhaps because it has changed. Choose it again."
};
