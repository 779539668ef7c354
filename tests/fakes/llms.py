"""An LLM that says what a test scripted, and keeps the turns that it received."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from hypothesis import strategies as st

from imagegen.domain.ports import AnswerEnd, AnswerPart, ChatTurn, TextPart, TokenCount, ToolUse
from imagegen.llm.messages import to_message
from imagegen.wire.messages import TOOL
from local.simulator.chat_words import reply_to

type Part = TextPart | ToolUse | TokenCount | AnswerEnd | Exception
type Round = Sequence[Part]

SPENT = TokenCount(100, 20)
ANY_TEXT = st.text(st.characters() | st.characters(categories=["Cs"]))
"""Also halves of characters, which JSON can name."""


def use(prompt: str, call_id: str = "call_1", **more: Any) -> ToolUse:
    """Return a good use of the tool."""
    return ToolUse(call_id, TOOL, json.dumps({"prompt": prompt, **more}))


@dataclass(slots=True)
class ScriptedLlm:
    """Answers with these rounds in turn, the last one for ever."""

    rounds: list[Round] = field(default_factory=lambda: [(TextPart("Hello."), SPENT)])
    received: list[tuple[ChatTurn, ...]] = field(default_factory=list)
    timeouts_seconds: list[float] = field(default_factory=list)
    users: list[str] = field(default_factory=list)
    provider: str = "acme"
    model: str = "talker-1"

    def answer(
        self, turns: Sequence[ChatTurn], *, timeout_seconds: float, user: str = ""
    ) -> Iterator[AnswerPart]:
        self.received.append(tuple(turns))
        self.timeouts_seconds.append(timeout_seconds)
        self.users.append(user)
        for part in self.rounds.pop(0) if len(self.rounds) > 1 else self.rounds[0]:
            if isinstance(part, Exception):
                raise part
            yield part


@dataclass(frozen=True, slots=True)
class TalkingLlm:
    """Answers as the simulated LLM does, without a wire."""

    provider: str = "acme"
    model: str = "talker-1"

    def answer(
        self, turns: Sequence[ChatTurn], *, timeout_seconds: float, user: str = ""
    ) -> Iterator[AnswerPart]:
        reply = reply_to([to_message(turn) for turn in turns], has_tool=True)
        yield TextPart(reply.words)
        for number, one in enumerate(reply.uses):
            yield ToolUse(f"call_{number}", one.name, one.arguments)
        yield SPENT
