"""Follows a conversation to what its last message wants: calls of the tool, or an answer."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from local.simulator.chat_changes import change_of, operation_of, wants_a_change
from local.simulator.chat_conditions import conditions_of, extras_of
from local.simulator.chat_history import Message, calls_of, pictures_of, text_of
from local.simulator.chat_kinds import wished
from local.simulator.chat_subjects import arguments_of, is_vague, subject_of

TOOL = "generate_image"
POINTS_BACK = re.compile(
    r"\b(?:make|turn|paint|colou?r|give) (?:it|this|that|them)\b|\b(?:the )?same\b|"
    r"\bthe last one\b|"
    r"\b(?:mach\w*|färb\w*) (?:es|das|ihn|sie)\b|\bdas ?selbe\b|\bhaz(?:lo|la)\b|\blo mismo\b|"
    r"\bfais-l[ea]\b|\bla même chose\b|同じ|(?:く|に)して$",
    re.IGNORECASE,
)
"""Words that mean an earlier picture, and say nothing without one."""

type Arguments = dict[str, Any]


@dataclass(slots=True)
class Wishes:
    """What was wished in a conversation so far."""

    pictures: list[str] = field(default_factory=list)
    last: Arguments = field(default_factory=dict)
    """The arguments of the last call of the tool, empty if there was none."""
    description: str = ""
    """What the last picture shows, in the words of the wish and of all changes since."""

    def add(self, message: Message) -> None:
        """Take one more message into account."""
        self.pictures += pictures_of(message)
        asked = list(calls_of(message, TOOL))
        if message.get("role") == "user":
            asked = self.calls_for(text_of(message))[0]
        if asked:
            self.last = asked[-1]
            self.description = self.described(asked[-1])

    def described(self, asked: Arguments) -> str:
        """Return what the picture of a call shows, as a description that needs no other picture."""
        prompt = str(asked["prompt"])
        if not asked.get("edit") or not self.description:
            return prompt
        is_repeated = asked.get("operation") or self.description.endswith(prompt)
        return self.description if is_repeated else f"{self.description}, {prompt}"

    def calls_for(self, text: str) -> tuple[list[Arguments], str]:
        """Return the arguments of each call of the tool, or the kind of answer that fits better."""
        wish, kind = wished(text)
        if not wish:
            return [], kind or "ask"
        if self.last and (asked := self._of_the_last(wish)):
            return [asked], ""
        subject = subject_of(wish)
        points_back = POINTS_BACK.search(wish) or conditions_of(wish, {}) is not None
        if is_vague(subject) or points_back:
            return [], "ask"
        return list(arguments_of(wish, subject)), ""

    def _of_the_last(self, wish: str) -> Arguments:
        """Return the arguments of a wish that concerns the last picture, else none."""
        if not operation_of(wish):
            conditions = conditions_of(wish, self.last)
            if conditions is not None:
                kept = {name: one for name, one in self.last.items() if name != "count"}
                return {**kept, **conditions}
        if changes := change_of(wish, self.pictures):
            return changes if "operation" in changes else {**changes, **extras_of(wish)}
        if not self.pictures and (wants_a_change(wish) or POINTS_BACK.search(wish)):
            return {"prompt": f"{self.description}, {wish}", **extras_of(wish)}
        return {}


def wishes_in(messages: Sequence[Message]) -> Wishes:
    """Return what was wished in a conversation."""
    wishes = Wishes()
    for message in messages:
        wishes.add(message)
    return wishes
