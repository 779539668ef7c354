"""The shape of a picture that is for a place: a wallpaper is wide, and one for a phone tall."""

import re

WIDE = re.compile(
    r"\bwallpapers?\b|\b(?:desktop|screen|computer|laptop|pc|mac)[\s-]background\b|\bscreensaver\b|"
    r"\bbanner\b|\b(?:web(?:site)?|page|blog|e-?mail|newsletter|profile) header\b|"
    r"\bheader (?:image|picture|photo)\b|\bcover (?:photo|image)\b|"
    r"\b(?:desktop|bildschirm)-?hintergr[uü]nd\w*|\bhintergrundbild\w*|\btitelbild\w*|"
    r"\bfondos? de (?:pantalla|escritorio)\b|\bcabecera\b|\bpancarta\b|"
    r"\bfonds? d['’]écran\b|\bbannière\b|\bphoto de couverture\b|"
    r"壁紙|デスクトップの?背景|バナー|ヘッダー画像|カバー写真",
    re.IGNORECASE,
)
"""Words for pictures that are wider than tall."""
TALL = re.compile(
    r"\block ?screen\b|\b(?:phone|mobile) background\b|\bsperrbildschirm\w*|"
    r"\b(?:handy|smartphone|telefon)-?hintergr[uü]nd\w*|"
    r"\bfondo (?:para|de) (?:(?:el|mi) )?(?:móvil|celular|teléfono)\b|\bpantalla de bloqueo\b|"
    r"\bécran de verrouillage\b|待ち受け(?:画面)?|ロック画面",
    re.IGNORECASE,
)
"""Words for pictures that fill a phone."""
PHONE = re.compile(
    r"\b(?:i?phone|smartphone|cell(?:phone)?|mobile|android|handy|telefon|móvil|celular|teléfono|"
    r"téléphone|portable)s?\b|スマホ|携帯|電話",
    re.IGNORECASE,
)
COMPUTER = re.compile(
    r"\b(?:laptop|desktop|computer|pc|mac|ordenador|ordinateur)\b|パソコン", re.IGNORECASE
)
SHOWS = re.compile(
    r"\b(?:with|on|behind|under|holding|carrying|mit|vor|hält|con|avec)\s+"
    r"(?:(?!(?:as|for|als|für|como|para|comme|pour)\b)[\w-]+\s+){0,3}$",
    re.IGNORECASE,
)
"""What stands before such a word where the picture only shows the thing: a room with wallpaper."""
LEADS_TO_IT = re.compile(
    r"\b(?:as|for|my|als|fürs?|mein(?:en|em)?|como|para|mi|comme|pour|mon)\b", re.IGNORECASE
)


def shape_for(text: str) -> str | None:
    """Return the shape of the place that a picture is wished for; ``None`` if it names none."""
    tall, wide = _named(TALL, text), _named(WIDE, text)
    if (tall and not COMPUTER.search(text)) or (wide and PHONE.search(text)):
        return "portrait"
    return "landscape" if tall or wide else None


def without_place(text: str) -> str:
    """Return a text without the words for the place of a picture."""
    for words in (TALL, WIDE, PHONE, COMPUTER, LEADS_TO_IT):
        text = words.sub(" ", text)
    return text


def _named(words: re.Pattern[str], text: str) -> bool:
    return any(not SHOWS.search(text[: one.start()]) for one in words.finditer(text))
