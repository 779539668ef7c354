/** The words of the whole page in Spanish, those of the elements included. */

import { WORDS as ELEMENTS } from "./elements-es.js";

export const WORDS = {
 "about": "Imágenes en un chat, a un precio que ves antes.",
 "skip": "Ir al campo de mensaje",
 "views": "Vistas",
 "create": "Crear",
 "gallery": "Galería",
 "usage": "Consumo",
 "developer": "Desarrollo",
 "yourToken": "Tu token",
 "enterYourToken": "Introduce tu token",
 "signIn": "Iniciar sesión",
 "signOut": "Cerrar sesión",
 "forDevelopers": "Para desarrolladores: usar un token",
 "useToken": "Usarlo",
 "forgetToken": "Olvidarlo",
 "tokenHint": "Un token de tu servicio de inicio de sesión. Se queda en esta pestaña y desaparece cuando la cierras. Un entorno local muestra uno.",
 "conversations": "Conversaciones",
 "newChat": "Chat nuevo",
 "conversation": "Conversación",
 "hello": "¿Qué creamos hoy?",
 "promise": "El precio del botón es lo máximo que pagas: una sola vez como mucho y solo por una imagen que recibes.",
 "uploadPicture": "Subir una imagen",
 "fileToUpload": "Archivo para subir",
 "chooseYours": "Elegir una de tus imágenes",
 "message": "Mensaje",
 "describe": "Describe una imagen…",
 "settings": "Ajustes",
 "send": "Enviar",
 "needsScript": "Esta página necesita JavaScript."
};

export const ALL = { ...ELEMENTS, ...WORDS };
