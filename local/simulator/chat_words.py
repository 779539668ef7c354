"""Chooses the simulated LLM's reply by rules, so that the same text always gets the same reply."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from imagegen.providers import registry

TOOL = "generate_image"
NUMBERS = {"two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "both": 2}
VERB = (
    r"(?:generate|draw|paint|create|make|sketch|render|design|show|give|get|illustrate|want|need)"
)
NOUN = r"(?:images?|pictures?|photos?|photographs?|drawings?|illustrations?|paintings?|logos?|art)"
ASKS = re.compile(rf"\b{VERB}\b|\b{NOUN}\b", re.IGNORECASE)
LEAD = re.compile(
    rf"^\W*(?:(?:please|can you|could you|would you|i|i'd like|now|then|and|ok|hello|hi)\b\W*)*"
    rf"(?:{VERB}\b\s*)?(?:me\b\s*|us\b\s*)?"
    rf"(?:(?:an?|the|one|some|two|three|four|five|six|\d+)\s+)?"
    rf"(?:(?:high|low|best|ultra|fast|quick|landscape|portrait|square)[\s-]+(?:quality\s+)?)*"
    rf"(?:{NOUN}\s*(?::|of|with|showing|that shows)\s+)?",
    re.IGNORECASE,
)
VAGUE = re.compile(
    rf"^(?:something|anything|it|an?|one|{NOUN}|nice|cool|please|\W)*$", re.IGNORECASE
)
QUALITIES = {
    "ultra": r"\bultra(?:[\s-]quality)?\b|\bbest quality\b",
    "high": r"\bhigh[\s-]quality\b",
    "fast": r"\bdraft quality\b|\bfast(?:est)?[\s-]quality\b|\bquick draft\b",
    "standard": r"\bstandard quality\b",
}
SIZES = re.compile(r"\b(landscape|portrait|square|\d{2,5}x\d{2,5})\b", re.IGNORECASE)
PROVIDER = re.compile(rf"\b(?:with|by|from|using|on)\s+({'|'.join(registry())})\b", re.IGNORECASE)
MODELS = re.compile(
    r"\b(?:with|by|using)\s+(dall-e-[23]|gpt-image-[\w.-]+|imagen-[\w.-]+)", re.IGNORECASE
)
NOTE = re.compile(r"\[Here: ([^\]]+)\]")
NAMED = re.compile(r"\b(?:image|picture|photo) #?(\d{1,3})\b", re.IGNORECASE)
CHANGES = re.compile(
    r"\b(?:make|turn|paint|colou?r|show) (?:it|this|that|them|him|her|the)\b|\bthe same\b|"
    r"^\W*(?:now\s+)?same\b|\b(?:change|replace|remove|erase|crop|recolou?r|brighten|darken)\b|"
    r"^\W*(?:now\s+)?(?:add|put|with|without|but)\b|\binstead\b",
    re.IGNORECASE,
)
"""What a text says that wants a change of the last picture, and not a new one."""
VERSIONS = re.compile(
    rf"[,;.]?\s*\b(?:(?:and\s+)?(?:make|in|as)\s+)?(\d|{'|'.join(NUMBERS)})"
    r"\s+(?:versions?|variations?|variants?)\b(?:\s+of\b)?"
    rf"|[,;.]\s*make\s+(\d|{'|'.join(NUMBERS)})\b",
    re.IGNORECASE,
)
"""Of one picture: they are one call of the tool, with ``count``."""
BUDGET = re.compile(r"\b(?:at most|under|below|up to)\s*\$\s*(\d+(?:\.\d+)?)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Use:
    """A tool call; ``arguments`` is JSON text."""

    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class Reply:
    """The LLM's reply: text and tool calls."""

    words: str = ""
    uses: tuple[Use, ...] = field(default=())


def reply_to(messages: Sequence[Mapping[str, Any]], *, has_tool: bool) -> Reply:
    """Return the reply to a conversation."""
    if results := results_in(messages):
        return Reply(" ".join(map(result_text, results)))
    text = last_words(messages)
    if has_tool and (changes := change_of(text, pictures_in(messages))):
        words = json.dumps({**changes, **extras_of(text)})
        return Reply("Let me find out what that would cost.", (Use(TOOL, words),))
    if not has_tool or not ASKS.search(text):
        return Reply(f'You said: "{text[:80]}". Ask me for a picture and I will price it.')
    if VAGUE.match(subject := subject_of(text)):
        return Reply("Gladly. What should the picture show?")
    uses = tuple(Use(TOOL, json.dumps(one)) for one in arguments_of(text, subject))
    many = "that" if len(uses) == 1 else f"those {len(uses)}"
    return Reply(f"Let me find out what {many} would cost.", uses)


def results_in(messages: Sequence[Mapping[str, Any]]) -> list[Any]:
    """Return the tool results at the end of the conversation, in order."""
    found: list[Any] = []
    for message in reversed(messages):
        if message.get("role") != "tool":
            break
        found.insert(0, read(str(message.get("content"))))
    return found


OPERATIONS = {
    "upscale": re.compile(
        r"\bupscale\b|\b(?:larger|bigger)\b|\bhigher resolution\b", re.IGNORECASE
    ),
    "cutout": re.compile(
        r"\b(?:remove|without) (?:the|its) background\b|\bcut .*\bout\b", re.IGNORECASE
    ),
}
"""The words that ask for an operation on a picture instead of a change of what it shows."""


def result_text(result: Any) -> str:
    """Return a sentence about a tool's result."""
    if isinstance(result, dict) and "buttonLabel" in result:
        what, _, price = str(result["buttonLabel"]).removeprefix("Generate ").partition(" for ")
        what = "the image" if what.endswith("Image") else what.lower()
        return (
            f"I can offer {what} for {price}, made by {result.get('provider')} "
            f"({result.get('model')}). Press the button to make it."
        )
    detail = result.get("detail") if isinstance(result, dict) else None
    return f"That cannot be offered: {detail or 'the tool had a problem'}"


def pictures_in(messages: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return the names of the pictures in a conversation's notes, in order."""
    texts = [one.get("content") for one in messages if one.get("role") == "assistant"]
    notes = [found for text in texts if isinstance(text, str) for found in NOTE.findall(text)]
    return [name for note in notes for name in note.split(", ")]


def change_of(text: str, pictures: Sequence[str]) -> dict[str, Any]:
    """Return the arguments for a change of a picture, empty if the text wants no change.

    The text names the picture that is changed, and then those to look at; without a name, it is the
    last one.
    """
    named = [f"image {number}" for number in NAMED.findall(text)]
    operation = next((one for one, words in OPERATIONS.items() if words.search(text)), None)
    if not pictures or not (named or operation or CHANGES.search(text)):
        return {}
    edit, *references = named or [pictures[-1]]
    if operation:
        return {"prompt": text, "edit": edit, "operation": operation}
    return {
        "prompt": VERSIONS.sub("", text),
        "edit": edit,
        **({"references": references} if references else {}),
    }


def extras_of(text: str) -> dict[str, str | float]:
    """Return the arguments besides the prompt that a text determines."""
    extras: dict[str, str | float] = {}
    if found := VERSIONS.search(text):
        word = (found[1] or found[2]).lower()
        extras["count"] = NUMBERS.get(word) or max(1, int(word))
    for quality, words in QUALITIES.items():
        if re.search(words, text, re.IGNORECASE):
            extras.setdefault("quality", quality)
    for name, pattern in (("size", SIZES), ("provider", PROVIDER), ("model", MODELS)):
        if found := pattern.search(text):
            extras[name] = found[1].lower()
    if found := BUDGET.search(text):
        extras["maxCost"] = float(found[1])
    return extras


def arguments_of(text: str, subject: str) -> list[dict[str, str | float]]:
    """Return the tool's arguments for each picture that a text asks for."""
    extras = extras_of(text)
    if "count" in extras:
        text, subject = VERSIONS.sub("", text), subject_of(VERSIONS.sub(" ", text))
    parts = re.split(r"\s+and (?:one of )?(?=an? )|;\s*", subject)
    count = counted(text)
    if count > 1 and len(parts) != count:
        parts = [f"{subject}, version {number}" for number in range(1, count + 1)]
    return [{"prompt": part, **extras} for part in (parts if count > 1 else [subject])]


def counted(text: str) -> int:
    """Return how many pictures a text asks for."""
    found = re.search(rf"\b(\d|{'|'.join(NUMBERS)})\s+(?:\w+\s+)?{NOUN}\b", text, re.IGNORECASE)
    if not found:
        return 1
    word = found[1].lower()
    return NUMBERS.get(word) or max(1, int(word))


def subject_of(text: str) -> str:
    """Return the subject of a picture: the text without the words that only ask for one."""
    rest = LEAD.sub("", text, count=1).strip(" .!?\n")
    lead = text[: len(text) - len(rest)].strip().lower()
    return rest if re.search(r"of$|with$|showing$", lead) or not rest else article(text, rest)


def article(text: str, rest: str) -> str:
    """Return ``rest`` with the article before it in ``text``, if there is one."""
    found = re.search(rf"\b(an?|the)\s+{re.escape(rest)}", text, re.IGNORECASE)
    return f"{found[1]} {rest}" if found else rest


def last_words(messages: Sequence[Mapping[str, Any]]) -> str:
    """Return the user's last message."""
    texts = [one.get("content") for one in messages if one.get("role") == "user"]
    return texts[-1] if texts and isinstance(texts[-1], str) else ""


def read(text: str) -> Any:
    """Return the decoded JSON, ``None`` if the text is not JSON."""
    try:
        return json.loads(text)
    except ValueError:
        return None
