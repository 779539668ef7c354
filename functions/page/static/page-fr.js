/** The words of the whole page in French, those of the elements included. */

import { WORDS as ELEMENTS } from "./elements-fr.js";

export const WORDS = {
 "about": "Des images dans un chat, à un prix affiché à l’avance.",
 "skip": "Aller au champ de message",
 "views": "Vues",
 "create": "Créer",
 "gallery": "Galerie",
 "usage": "Consommation",
 "developer": "Développement",
 "yourToken": "Ton token",
 "enterYourToken": "Saisis ton token",
 "signIn": "Se connecter",
 "signOut": "Se déconnecter",
 "forDevelopers": "Pour les développeurs : utiliser un token",
 "useToken": "Utiliser",
 "forgetToken": "Oublier",
 "tokenHint": "Un token de ton service de connexion. Il reste dans cet onglet et disparaît quand tu le fermes. Une installation locale en affiche un.",
 "conversations": "Conversations",
 "newChat": "Nouveau chat",
 "conversation": "Conversation",
 "hello": "Que créons-nous ?",
 "promise": "Le prix sur le bouton est le maximum que tu paies : une seule fois au plus, et seulement pour une image que tu reçois.",
 "uploadPicture": "Importer une image",
 "fileToUpload": "Fichier à importer",
 "chooseYours": "Choisir une de tes images",
 "message": "Message",
 "describe": "Décris une image…",
 "settings": "Réglages",
 "send": "Envoyer",
 "needsScript": "Cette page a besoin de JavaScript."
};

export const ALL = { ...ELEMENTS, ...WORDS };
