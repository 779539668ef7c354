"""How a refusal is recognized where no code of the vendor names it.

An answer in words without an image is a refusal in any language, because a model declines in the
language of the prompt. There are two exceptions: words that announce an image which is missing, and
words about a technical failure. In errors and logs, where words are usual, a text is a refusal only
if it states that something was refused.
"""

import re
from collections.abc import Iterator, Mapping

from imagegen.domain.ports import Json
from imagegen.providers.pictures import SHOWN_IMAGE

# A code of one word, such as ``content_filter``. ``safety_identifier`` is a parameter's name.
CODE = re.compile(
    r"(?:content|usage|responsible_ai)_?(?:policy|filter|moderat)|moderation_block|_moderated\b"
    r"|policy_?violation|safety_(?:violation|block|refus|filter|system)|content_blocked"
    r"|prohibited_?content|sensitive_?content|unsafe_?content|nsfw_|^(?:image_)?safety$"
    r"|^(?:nsfw|moderated|flagged|filtered|refused|blocked|unsafe|image_recitation|recitation)$",
    re.IGNORECASE,
)
POLICY = (
    r"safety|moderation|moderator|nsfw|sensitive|polic(?:y|ies)|guidelines?|content filters?"
    r"|unsafe|inappropriate|harmful|prohibited|responsible ai|terms of (?:use|service)"
)
REFUSING = (
    r"flagged|rejected|blocked|refused|declined|filtered|moderated|disallowed|prohibited"
    r"|not (?:allowed|permitted)"
)
APOSTROPHE = r"['\u2019]"
OTHER_LANGUAGES = "|".join(
    (
        *(
            "违规",
            "违反",
            "敏感",
            "不当内容",
            "不适当",
            "审核(?:未|不)通过",
            "安全(?:准则|政策|规范)",
        ),
        *("不適切", "ポリシー", "ガイドライン", "センシティブ", "정책", "가이드라인", "부적절"),
        *("richtlinie", "unangemessen", "anstößig", "politique de", "inapproprié", "política de"),
        *("inapropiad", "contenido (?:sensible|prohibido)", "impróprio", "inadequad"),
        *("我(?:无法|不能)", "linee guida", "inappropriat[oa]", "политик", "недопустим", "запрещ"),
    )
)
VERDICT = re.compile(
    rf"\bnsfw\b[^.\n]{{0,60}}\b(?:detected|found|{REFUSING})\b"
    rf"|\b(?:{REFUSING})\b[^.\n]{{0,80}}(?:{POLICY})"
    rf"|(?:{POLICY})[^.\n]{{0,60}}\b(?:{REFUSING})\b"
    r"|\b(?:content|prompt|input|output|request|image) (?:was |is |has been )?(?:flagged|moderated)"
    rf"|\bviolat\w*[^.\n]{{0,80}}(?:{POLICY}|rules|standards)|polic(?:y|ies) violation"
    r"|\bcontain\w*[^.\n]{0,40}\b(?:sensitive|inappropriate|prohibited|unsafe|explicit|nsfw)\b"
    r"|^\W*(?:prohibited|sensitive|inappropriate|unsafe|nsfw) (?:content|words|image)\b"
    r"|\(E005\)|\bsafety (?:concerns?|reasons?|violations?)\b|^\W*(?:error\W+)?nsfw\W*$"
    rf"|\bi(?: am|{APOSTROPHE}m)? (?:can(?:no|{APOSTROPHE})?t|unable|not able|won{APOSTROPHE}t)\b"
    rf"|{OTHER_LANGUAGES}",
    re.IGNORECASE | re.MULTILINE,
)
# A failure of a machine.
FAILURE_WORDS = re.compile(
    r"\bfail(?:ed|ure|s)? (?:to )?(?:load|initiali|import|start|download|connect|reach|respond|run)"
    r"|\bcould not (?:be )?(?:load|reach|connect|start|import|find|found)|\bno module\b"
    r"|\b(?:is|are|temporarily|currently|service) unavailable\b|\btim(?:ed|ing) out\b"
    r"|\bout of memory\b|\boverloaded\b|\btry again later\b",
    re.IGNORECASE,
)
# A check that was not made, or that found nothing.
PASSED = re.compile(
    r"\bload(?:ing|ed)?\b|\bnot found\b|\b(?:disabled|enabled|off)\b|\bskipp|\binitiali[sz]"
    r"|\bdownload|\bpassed\b|\bcheck(?:ing|s)? for\b|\bno (?:nsfw|sensitive|unsafe|inappropriate)"
    r"|\bnot (?:nsfw|flagged|blocked|filtered|detected)\b|\b(?:timeout|connection|unavailable)\b",
    re.IGNORECASE,
)
# A line of a log that repeats the request.
ECHO = re.compile(r"^\W*(?:\w+[ _])?(?:prompt|caption)\W*[:=]", re.IGNORECASE)
ANNOUNCEMENT = re.compile(
    r"^\W*(?:(?:sure|certainly|of course|okay|ok|great|absolutely|done|bien sûr|claro)\b\W*)?"
    rf"(?:here(?:{APOSTROPHE}s| is| are| it is| you (?:go|are))\b|i(?:{APOSTROPHE}ve| have) "
    r"(?:created|generated|made|drawn)\b|this is (?:your|the) \w+"
    r"|(?:generating|creating|drawing) (?:your|the|an?)\b"
    r"|hier (?:ist|sind|kommt)\b|voici\b|voilà\b|aquí (?:está|tienes|tiene)\b|aqui está\b|ecco\b"
    r"|вот\b|这是您?的|以下是|こちらが|여기)",
    re.IGNORECASE,
)
DECLINING = re.compile(
    rf"\bcan(?:no|{APOSTROPHE})?t\b|\bunable\b|\bsorry\b|\bnot\b|n{APOSTROPHE}t\b|\binstead\b"
    r"|\bhowever\b|\bbut\b|\bunfortunately\b|\bnicht\b|\bkein|\bleider\b|\bpas\b|\bnon\b|\bnão\b"
    r"|\bno (?:puedo|posso)\b|\bне\b|不能|无法|抱歉|ません|できな|없|않",  # noqa: RUF001 - Russian
    re.IGNORECASE,
)
# Fields that hold no words of the model: what repeats the request, data and names.
REQUEST = frozenset(
    {"input", "instructions", "metrics", "prompt", "revised_prompt", "urls", "usage"}
)
TEXT_FIELDS = frozenset(
    {
        *("b64_json", "background", "completed_at", "created", "created_at", "data", "id", "model"),
        *("finishmessage", "mime_type", "mimetype", "modelversion", "object", "output_format"),
        *("quality", "responseid", "role", "size", "source", "started_at", "url", "version"),
    }
)
# Fields in which words are usual.
REPORTS = frozenset(
    {"error", "error_message", "errors", "log", "logs", "stderr", "traceback", "warning"}
)
FLAG = re.compile(r"nsfw|flagged|blocked|filtered|moderated|unsafe|refus|violat", re.IGNORECASE)
NO_FLAG = re.compile(r"check|enable|disable|toler|level|score|threshold|categor", re.IGNORECASE)
IS_SAFE = re.compile(r"^(?:is_?)?(?:image_?)?(?:is_?)?(?:safe|sfw)$", re.IGNORECASE)
NAME = re.compile(r"\b[A-Za-z]+(?:_[A-Za-z]+)+\b")
URL = re.compile(r"\w+://\S*")
LONGEST_CODE = 80
LONGEST_TEXT = 20_000
"""Longer texts are data; of a log, its end is read."""
FIRST_SCRIPT_WITHOUT_SPACES = "\u0e00"
"""From here on (Thai, Chinese, Japanese, Korean), a sentence may have no spaces."""


def states_refusal(text: str) -> bool:
    """Return whether a report, such as an error or a log, states that content was refused."""
    lines = (line for line in text[-LONGEST_TEXT:].splitlines() if not ECHO.search(line))
    sentences = re.split(r"[\n;]|(?<=[.!?。])\s*", "\n".join(lines))
    # The name of a parameter, such as safety_identifier, is no word about safety.
    stated = (
        one for one in sentences if VERDICT.search(NAME.sub("", one)) or _has_refusal_code(one)
    )
    return any(not FAILURE_WORDS.search(one) and not PASSED.search(one) for one in stated)


def is_refusal_code(text: str) -> bool:
    """Return whether a vendor's code is about content that was refused."""
    return len(text) <= LONGEST_CODE and " " not in text and bool(CODE.search(text))


def _has_refusal_code(sentence: str) -> bool:
    """Return whether a code with an underscore stands in a sentence, as IMAGE_SAFETY does."""
    return any(map(is_refusal_code, re.findall(r"\b[A-Za-z]+_[A-Za-z_]+\b", sentence)))


def declines(text: str) -> bool:
    """Return whether a model's words, which came without an image, decline to make one.

    All words do, except an announcement of an image and a report of a technical failure.
    """
    if not any(character.isalpha() for character in text):
        return False
    if ANNOUNCEMENT.search(text) and not DECLINING.search(text):
        return False
    return states_refusal(text) or not FAILURE_WORDS.search(text)


def refused_in(body: Json) -> bool:
    """Return whether a success without an image contains words, or a field that says safety."""
    return any(_refuses(name, value) for name, value in _fields(body))


def refusal_stated_in(body: Json) -> bool:
    """Return whether an error in an unknown format states in any field that content was refused."""
    texts = (value for _, value in _fields(body) if isinstance(value, str))
    return any(is_refusal_code(one) or states_refusal(one) for one in texts)


def _fields(body: Json) -> Iterator[tuple[str, Json]]:
    """Yield every value that is neither an object nor a list, with the name of its field."""
    left: list[tuple[str, Json]] = [("", body)]  # no recursion: a body may be nested deeply
    while left:
        name, value = left.pop()
        if isinstance(value, Mapping):
            fields = ((key.lower(), inner) for key, inner in value.items())
            inner = ((key, one) for key, one in fields if key not in REQUEST)
            left += [(name if name in REPORTS else key, one) for key, one in inner]
        elif isinstance(value, list):
            left += [(name, inner) for inner in value]
        elif name not in TEXT_FIELDS:
            yield name, value


def _refuses(name: str, value: Json) -> bool:
    if isinstance(value, bool):
        flagged = FLAG.search(name) and not NO_FLAG.search(name)
        return bool(flagged) if value else bool(IS_SAFE.search(name))
    if not isinstance(value, str) or (len(value) > LONGEST_TEXT and name not in REPORTS):
        return False
    if is_refusal_code(value) or states_refusal(value):
        return True
    return name not in REPORTS and is_sentence(value) and declines(value)


def is_sentence(text: str) -> bool:
    """Return whether a text is written for people: several words, or a script without spaces."""
    if text.startswith("data:") or SHOWN_IMAGE.search(text):
        return False
    text = URL.sub("", text)
    if any(one >= FIRST_SCRIPT_WITHOUT_SPACES and one.isalpha() for one in text):
        return True
    return len(re.findall(r"[^\W\d_]{2,}", text)) > 1 and " " in text.strip()
