/** The words of the whole page in German, those of the elements included. */

import { WORDS as ELEMENTS } from "./elements-de.js";

export const WORDS = {
 "about": "Bilder in einem Chat, zu einem Preis, den du vorher siehst.",
 "skip": "Zum Nachrichtenfeld springen",
 "views": "Ansichten",
 "create": "Erstellen",
 "gallery": "Galerie",
 "usage": "Verbrauch",
 "developer": "Entwicklung",
 "yourToken": "Dein Token",
 "enterYourToken": "Gib dein Token ein",
 "signIn": "Anmelden",
 "signOut": "Abmelden",
 "forDevelopers": "Für Entwickler: ein Token verwenden",
 "useToken": "Verwenden",
 "forgetToken": "Vergessen",
 "tokenHint": "Ein Token deines Anmeldedienstes. Es bleibt in diesem Tab und ist weg, wenn du ihn schließt. Ein lokaler Stack gibt eines aus.",
 "conversations": "Unterhaltungen",
 "newChat": "Neuer Chat",
 "conversation": "Unterhaltung",
 "hello": "Was wollen wir machen?",
 "promise": "Der Preis auf dem Button ist das Höchste, was du zahlst: höchstens einmal und nur für ein Bild, das du bekommst.",
 "uploadPicture": "Bild hochladen",
 "fileToUpload": "Datei zum Hochladen",
 "chooseYours": "Eines deiner Bilder wählen",
 "message": "Nachricht",
 "describe": "Beschreibe ein Bild …",
 "settings": "Einstellungen",
 "send": "Senden",
 "needsScript": "Diese Seite braucht JavaScript."
};

export const ALL = { ...ELEMENTS, ...WORDS };
