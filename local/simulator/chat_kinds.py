"""Tells small talk and plain questions from wishes: whatever is neither is a wish for a picture."""

import re
from collections.abc import Mapping

from local.simulator.chat_languages import vocabulary

SOCIAL: Mapping[str, frozenset[str]] = {
    kind: frozenset(words.split()) for kind, words in vocabulary()["smallTalk"].items()
}
"""Words of small talk by what is answered; the first kind with a word in the text counts."""
FILLERS = frozenset(vocabulary()["smallTalkFillers"].split())
ANSWER_TO_YES = "greeting"

WHAT = (
    r"(?:what|how|why|who|whom|whose|which|what's|who's|how's|"
    r"was|wie|warum|wieso|weshalb|wer|wem|welche\w*|wieviel|"
    r"qué|cuánt[oa]s?|cómo|quién|cuándo|dónde|cuál|por qué|"
    r"combien|comment|pourquoi|où|quel\w*|сколько|что|как|кто|почему)\b"
)
"""The first words of a question, whatever its last character."""
MAYBE_WHAT = r"(?:when|where|wann|wo|que|qu'|qui|quoi|como|cuanto|quien|quand|est-ce|hay|es)\b"
"""The first words of a question that ends with its mark."""
YOU = r"(?:you|it|this|that|we|i|du|es|das|ich|sie|man|tu|vous|on)\b"
HELPER = (
    r"(?:is|are|am|do|does|did|can|could|will|would|should|may|might|have|has|was|were|"
    r"bist|kannst|kann|ist|sind|hast|gibt|kostet|sprichst|darf|könnt\w*|wirst|"
    r"puedes|puede|podrías|eres|tienes|hablas|peux|peut|pourrais|pouvez|pourriez|es)"
)
HELPED = re.compile(rf"{HELPER}(?:[\s-]+{YOU}|\b.*[?？]\s*$)", re.IGNORECASE)
QUESTION = re.compile(
    rf"¿?\s*(?:{WHAT}|(?:{MAYBE_WHAT}).*[?？]\s*$)|^¿.*\?$|.*\bcombien\b.*\?$",
    re.IGNORECASE | re.DOTALL,
)
JAPANESE = re.compile(r"何|いくら|どう|誰|なぜ|いつ|どこ|どの|か[?？。]?\s*$")
JAPANESE_WISH = re.compile(r"描|作って|作れ|生成|見せて|して(?:くれ|もら|くだ|ほし)|絵を|画像を")
REQUEST = re.compile(
    r"\b(?:can|could|would|will|may|might)\s+(?:you|i|we|u)\b.*\b(?:draw|paint|create|make|sketch|"
    r"render|design|show|give|get|have|see|generate|illustrate|do an?|try|put|add|change|remove|"
    r"turn)\b"
    r"|\b(?:k[aö]nn\w*|würde\w*|magst|willst)\s+(?:du|sie|ich|ihr|wir)\b.*"
    r"(?:mal|zeichn|erstell|generier|mach|zeig|haben|bekomm|gestalt|entwerf|änder|setz|füg)"
    r"|\b(?:puedes?|podrías?)\b.*(?:dibuj|pint|hac|haz|crea|gener|muestr|mostr|diseñ|pon|cambi|"
    r"quit)"
    r"|\b(?:peux|pourrais|pouvez|pourriez|peut)[\s-]+(?:tu|vous|on|je)\b.*"
    r"(?:dessin|fai|peind|cré|génér|montr|mett|ajout|chang|enlev|avoir)"
    r"|^(?:can|could) it be\b",
    re.IGNORECASE | re.DOTALL,
)
"""A question that is a polite wish."""
SUGGESTION = re.compile(
    r"^\W*(?:how about|what about|what if|why not|why don't you|wie wäre?s?(?: es)?(?: mit)?|"
    r"was ist mit|qué tal|por qué no|et si|pourquoi pas)\b|\blooks? like\b|\baussehen\b",
    re.IGNORECASE,
)
TOPICS: Mapping[str, str] = {
    "spent": r"\bspen[dt]|\busage\b|\bleft\b|\bbudget\b|\bbalance\b|ausgegeben|verbrauch|übrig|"
    r"gastad|dépens|使った|残り",
    "models": r"\bmodels?\b|\bproviders?\b|\bmodell\w*|\banbieter|\bmodelos?\b|\bproveedor|"
    r"\bmod[eè]les?\b|\bfournisseur|モデル",
    "price": r"\bpric|\bcosts?\b|\bhow much\b|\bexpensive\b|\bcheap|\bfree\b|\bpay|\bcharge|kost|"
    r"preis|"
    r"teuer|bezahl|cuest|precio|cuánto|gratis|pagar|coût|prix|combien|gratuit|いくら|料金|値段|無料|"
    r"сколько|цена",
    "about": r"\bwho are you\b|\bwhat are you\b|\bcan you\b|\bdo you\b|\bare you\b|\bhelp\b|"
    r"\b(?:this|it) work\b|\bhow do i\b|\bhow to\b|wer bist|was kannst|was machst|hilf|"
    r"funktioniert|sprichst|bist du|quién eres|qué puedes|qué haces|ayuda|funciona|"
    r"qui es|peux-tu|peux tu|pouvez-vous|aide|marche|できま|あなた|誰|使い方",
}
HELP = re.compile(r"^\W*(?:help|hilfe|ayuda|aide|ヘルプ|使い方)\W*$", re.IGNORECASE)


def small_talk(text: str) -> str:
    """Return the kind of small talk that a whole text is; empty if it is something else."""
    words = re.findall(
        r"[^\W\d_]+(?:'[^\W\d_]+)?|[^\w\s.,!?'´’。、！？\ufe0f\U0001f3fb-\U0001f3ff]", text
    )
    said = {word.lower() for word in words}
    known = FILLERS.union(*SOCIAL.values())
    if not said or not said <= known:
        return ""
    kind = next((kind for kind, words in SOCIAL.items() if words & said), "")
    return ANSWER_TO_YES if kind == "agree" else kind


def question(text: str) -> str:
    """Return what a plain question is about; empty if the text is no plain question."""
    if HELP.match(text):
        return "about"
    asked = text.strip().strip("\"'")
    if SUGGESTION.search(asked) or not _is_question(asked):
        return ""
    topics = (topic for topic, words in TOPICS.items() if re.search(words, asked, re.IGNORECASE))
    return next(topics, "other")


def _is_question(text: str) -> bool:
    if JAPANESE.search(text) and re.search(r"[\u3040-\u30ff]", text):
        return not JAPANESE_WISH.search(text)
    if QUESTION.match(text) and not re.match(rf"¿?\s*{HELPER}\b", text, re.IGNORECASE):
        return not REQUEST.match(text)
    return bool(HELPED.match(text.lstrip("¿ "))) and not REQUEST.search(text)


def wished(text: str) -> tuple[str, str]:
    """Return what a text wishes, and the kind of what is answered if it wishes nothing.

    Small talk before a wish, and questions beside one, are left out of it.
    """
    if kind := small_talk(text) or question(text):
        return "", kind
    sentences = re.split(r"(?<=[.!?])\s+", text.strip())
    kinds = [small_talk(one) or question(one) for one in sentences]
    kept = [one for one, kind in zip(sentences, kinds, strict=True) if not kind]
    return (
        (text, "")
        if len(kept) == len(sentences)
        else (" ".join(kept), next(filter(None, kinds), ""))
    )
