"""Holds back tool calls that a model writes as text, while its answer is streamed.

A call ends the answer. It may follow words where a mark begins it at the start of a line; JSON
alone has to be the whole answer, because it may just as well be what the person asked for.
"""

import re
from dataclasses import dataclass, field
from typing import Final

from imagegen.domain.text import name_alone
from imagegen.llm.python_calls import FORMS
from imagegen.llm.written_calls import WrittenCall, written_calls

_DEEPSEEK: Final = (
    "tool\u2581calls\u2581begin\uff5c>",
    "tool\u2581call\u2581begin\uff5c>",
    "dsml\uff5c",
)
MARKS: Final = (
    *("<tool_call>", "<tool_calls>", "<|tool_call|>", "<|tool_calls|>", "<tools>", "<toolcall>"),
    *("<function_call>", "<function_calls>", "<functioncall>", "<function=", "<function name="),
    *("<invoke name=", "<tool_call name=", "<minimax:tool_call>", "<seed:tool_call>"),
    *("[tool_calls]", "[tool_request]", "<|python_tag|>", "<tool_code>", "functools["),
    *("<|tool_calls_section_begin|>", "<|tool_call_begin|>", "<|tool_call_start|>"),
    *("<|tool_call>", "<start_function_call>", "<|tools_prefix|>", "<longcat_tool_call>"),
    *("<|start_action|>", "<|action_start|>", "action: ```json"),
    *(f"<\uff5c{one}" for one in _DEEPSEEK),
    *("<|channel|>commentary to=", "<|start|>assistant<|channel|>commentary to="),
    *("<|channel|>analysis to=", "<|start|>assistant to="),
)
"""What begins a call, in small letters: Hermes and Qwen, Granite, Qwen2.5-Coder, Nemotron,
Functionary, Llama, MiniMax, Seed-OSS, Mistral, LM Studio, Phi-4, Kimi, LFM, Gemma 4 and
FunctionGemma, Apertus, LongCat, Cohere, InternLM, DeepSeek, gpt-oss."""
NAMED_FORMS: Final = (
    *(*FORMS, "{}\n{{", "{}{{", "call:{}{{", "functions.{}:", ">>>{}\n"),
    *("commentary to=functions.{}", "assistantcommentary to=functions.{}"),
)
"""What an answer begins with that is a call without marks, besides JSON: a function, GLM-4, Kimi,
Functionary, and what is left of gpt-oss' marks where the server takes control words away."""
MAX_CHARACTERS: Final = 64_000
MOST_BEFORE: Final = 200
"""Spaces and a fence before a call that is the whole answer."""
NAME_WITHIN: Final = 1_000
"""JSON that does not name the tool in its first characters is the answer itself."""
INDENTED: Final = 8
_MARK: Final = re.compile("|".join(map(re.escape, MARKS)), re.IGNORECASE | re.ASCII)
_AT_LINE: Final = re.compile(
    rf"(?:(?<=\n)|\A)[ \t]{{0,{INDENTED}}}(?:{_MARK.pattern})", re.IGNORECASE | re.ASCII
)
_FENCE: Final = re.compile(r"\s*(?:```[a-z_]{0,12}\s*)?", re.IGNORECASE | re.ASCII)
_HALF_FENCE: Final = re.compile(r"\s*`{1,2}", re.ASCII)
_JSON: Final = re.compile(r"\[?\s{0,20}\{", re.ASCII)
_HALF_JSON: Final = re.compile(r"\[\s{0,20}", re.ASCII)


@dataclass(slots=True)
class CallFilter:
    """Takes the text as it arrives, and returns what is no call."""

    tool: str = ""
    """The name of the tool; without one, nothing is held back."""
    hidden: int = 0
    """The length of the calls' text at the end of the answer, once it has ended."""
    _tail: str = ""
    """A line that may still become a mark."""
    _held: list[str] = field(default_factory=list)
    """The text since what may be a call began."""
    _characters: int = 0
    """The length of what is held."""
    _is_marked: bool = False
    _is_at_line: bool = True
    """Whether the text so far ends with a line, or is empty."""
    _has_begun: bool = False
    """Whether any of the text was returned."""
    _is_over: bool = False

    def add(self, text: str) -> str:
        """Return the part of the text so far that may be shown and was not returned before."""
        if self._is_over or not self.tool:
            return text
        if self._held:
            return self._hold(text)
        text, self._tail = self._tail + text, ""
        start = self._start(text)
        if start is None:
            end = self._end_of_shown(text)
            self._tail = text[end:]
            return self._shown(text[:end])
        return self._shown(text[:start]) + self._hold(text[start:])

    def end(self, *, ran_out: bool = False) -> tuple[str, tuple[WrittenCall, ...]]:
        """Return the text that was held back, or the calls that it is.

        A call that was cut off, because the answer ``ran_out`` of tokens, is neither.
        """
        held, self._held = self._tail + "".join(self._held), []
        self._tail = ""
        any_name = self._is_marked and not self._has_begun
        # The words before opened a fence that ends here: the call is an example in them.
        is_quoted = self._has_begun and held.count("```") % 2 > 0
        is_call = self._characters > 0 and not is_quoted
        calls = written_calls(held, self.tool, any_name=any_name) if is_call else ()
        is_cut_off = ran_out and self._characters > 0 and self._names_tool(held)
        if not calls and not is_cut_off:
            return held, ()
        self.hidden = len(held)
        return "", calls

    def _start(self, text: str) -> int | None:
        """Return where what may be a call begins; ``None`` if it has not begun."""
        if not self._has_begun:
            at = _begin(text)
            self._is_marked = bool(_MARK.match(text, at))
            is_bare = _JSON.match(text, at) or text.startswith(self._functions(), at)
            if at <= MOST_BEFORE and (self._is_marked or is_bare):
                return 0
        found = _AT_LINE.search(text, 0 if self._is_at_line else 1)
        self._is_marked = found is not None
        return found.start() if found else None

    def _end_of_shown(self, text: str) -> int:
        """Return where the part begins that may still become the beginning of a call."""
        if not self._has_begun and self._may_begin(text):
            return 0
        line = text.rfind("\n") + 1
        if not line and not self._is_at_line:
            return len(text)
        start = text[line:].lstrip(" \t")
        is_near = len(text) - line - len(start) <= INDENTED
        return line if is_near and _may_be_mark(start) else len(text)

    def _shown(self, text: str) -> str:
        if text:
            self._has_begun, self._is_at_line = True, text.endswith("\n")
        return text

    def _hold(self, text: str) -> str:
        """Keep the text, unless it can be no call: then return all that was kept."""
        before, self._characters = self._characters, self._characters + len(text)
        self._held.append(text)
        is_other = self._characters > MAX_CHARACTERS
        if not self._is_marked and before <= NAME_WITHIN < self._characters:
            is_other = is_other or not self._names_tool("".join(self._held)[:NAME_WITHIN])
        if not is_other:
            return ""
        self._is_over, self._characters = True, 0
        text, self._held = "".join(self._held), []
        return self._shown(text)

    def _functions(self) -> tuple[str, ...]:
        return tuple(form.format(self.tool) for form in NAMED_FORMS)

    def _may_begin(self, text: str) -> bool:
        """Return whether a text may become a call that is the whole answer."""
        if _HALF_FENCE.fullmatch(text):
            return True
        at = _begin(text)
        if at > MOST_BEFORE:
            return False
        rest = text[at:]
        is_function = any(one.startswith(rest) for one in self._functions())
        return is_function or bool(_HALF_JSON.fullmatch(rest)) or _may_be_mark(rest)

    def _names_tool(self, text: str) -> bool:
        return name_alone(self.tool) in name_alone(text)


def _begin(text: str) -> int:
    """Return where a text begins behind spaces and the beginning of a fence."""
    before = _FENCE.match(text)
    return before.end() if before else 0


def _may_be_mark(text: str) -> bool:
    start = text.lower()
    return any(mark.startswith(start) for mark in MARKS)
