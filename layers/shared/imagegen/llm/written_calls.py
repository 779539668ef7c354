"""Reads tool calls that a model writes as text, where its server passes them on unread.

Each family of models has a form of its own, made of the same parts: marks around the call, a name,
and JSON or fields in tags. The parts are read one after the other in any order that makes sense.
A text that contains anything else is not a call.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from imagegen.domain.ports import Json
from imagegen.domain.text import is_same_name
from imagegen.llm.python_calls import python_call, strict_json
from imagegen.llm.tool_calls import MAX_CALLS, plain_name

_NAME: Final = r"""["']?([\w.:-]{1,80})["']?"""
_BAR: Final = "\uff5c"
"""DeepSeek's bar, which is as wide as a Chinese character."""
_SPACE: Final = rf"(?:\w{{1,20}}:|longcat_|{_BAR}DSML{_BAR})?"
"""What stands before a tag's name: that of MiniMax, Seed-OSS, Step; of LongCat; of DeepSeek."""
_FORMAT: Final = r"\s{0,2}(?:<\|constrain\|>)?\w{0,20}\s{0,2}<\|message\|>"
_NAMED: Final = re.compile(
    rf"<{_SPACE}(?:function|invoke|tool_call)(?:=|\s+name\s*=\s*){_NAME}\s*+(?:>|[,(]?\s*+(?=\{{))"
    rf"|(?:<\|start\|>assistant)?<\|channel\|>\s{{0,2}}\w{{0,20}}\s{{0,2}}to={_NAME}\s{{0,2}}"
    rf"(?:<\|channel\|>)?\w{{0,20}}{_FORMAT}"
    rf"|<\|start\|>assistant\s{{0,2}}to={_NAME}\s{{0,2}}<\|channel\|>\w{{0,20}}{_FORMAT}"
    rf"|(?:assistant)?commentary\s{{1,2}}to={_NAME}\s{{0,2}}(?:json|code)?",
    re.IGNORECASE,
)
"""Llama's and Qwen3-Coder's function, also without its ``>``; MiniMax' invoke; gpt-oss' channel,
also where the server has taken the control words away."""
_PASSED: Final = re.compile(
    rf"\s+|[,;}}()]|>>>|```[a-z_]{{0,12}}|function<{_BAR}tool.sep{_BAR}>|\[CALL_ID\]\s*\w{{1,40}}"
    rf"|<\|[^|<>\s]{{1,40}}\|>|<{_BAR}[^{_BAR}<>\s]{{1,40}}{_BAR}>|\[/?(?:TOOL_CALLS|ARGS)\]"
    rf"|</?{_SPACE}(?:tool_?calls?|tools|tool_code|function_?calls?)>|</{_SPACE}(?:function|invoke)>"
    r"|<function>|</s>|<tool_sep>|<\|tool_call>|<tool_call\|>|<(?:start|end)_function_call>"
    r"|functools(?=\[)|\[(?:END_)?TOOL_REQUEST\]|Action:(?=\s*```)",
    re.IGNORECASE,
)
"""Marks, fences, what separates two calls, and a brace too many behind one."""
_BEHIND: Final = re.compile(rf"</|<\||<{_BAR}|```|\Z")
_FIELD: Final = re.compile(
    rf"<{_SPACE}parameter(?:=|\s+name\s*=\s*){_NAME}[^<>]{{0,80}}>(.*?)"
    rf"(?:</{_SPACE}parameter>|(?=<{_SPACE}parameter[=\s]|</{_SPACE}(?:function|invoke)>))"
    rf"|<{_SPACE}arg_key>\s*([\w.-]{{1,80}})\s*</{_SPACE}arg_key>\s*<{_SPACE}arg_value>(.*?)"
    rf"</{_SPACE}arg_value>",
    re.IGNORECASE | re.DOTALL,
)
"""Qwen3-Coder's and MiniMax' parameters, also without their end; GLM's keys and values."""
_BARE_NAME: Final = re.compile(r"[A-Za-z_][\w.:-]{0,79}")
_NAMES: Final = ("name", "tool", "tool_name", "function", "action", "recipient_name")
_LISTS: Final = ("tool_calls", "tool_uses")
"""The names under which an object has calls: a whole message, and OpenAI's parallel calls."""
_ARGUMENTS: Final = (
    *("arguments", "parameters", "args", "input", "tool_input", "action_input", "kwargs"),
)
_DECODER: Final = json.JSONDecoder(strict=False)


@dataclass(frozen=True, slots=True)
class WrittenCall:
    """A call, with its arguments as JSON."""

    name: str
    arguments: str


def written_calls(text: str, tool: str, *, any_name: bool = False) -> tuple[WrittenCall, ...]:
    """Return the calls that a text consists of; none if it is anything else.

    Only calls of ``tool`` count, under any spelling of its name. With ``any_name``, calls of tools
    that do not exist are returned as well, so that the model gets an error for them.
    """
    try:
        calls = _Reading(text, tool).calls_alone()
    except (ValueError, RecursionError):
        return ()
    is_wanted = any_name or all(is_same_name(one.name, tool) for one in calls)
    return tuple(calls) if is_wanted and len(calls) <= MAX_CALLS else ()


class _OtherTextError(ValueError):
    """The text is not made of calls alone."""


@dataclass(slots=True)
class _Reading:
    """One text, as far as it is read."""

    text: str
    tool: str
    at: int = 0
    calls: list[WrittenCall] = field(default_factory=list)
    name: str = ""
    """The name of a call whose arguments have not ended."""
    fields: dict[str, Json] = field(default_factory=dict)
    is_bare: bool = False
    """Whether the name stands without a tag, so that it is no call without arguments."""

    def calls_alone(self) -> list[WrittenCall]:
        while self.at < len(self.text):
            if found := _NAMED.match(self.text, self.at):
                self._begin(found, next(filter(None, found.groups())))
                self.is_bare = found[0][0] != "<"
            elif found := _PASSED.match(self.text, self.at):
                self.at = found.end()
            elif found := _FIELD.match(self.text, self.at):
                self._add_field(found)
            elif called := python_call(self.text, self.at):
                self._end()
                self._add(called.name, called.arguments)
                self.at = called.end
            elif self.text[self.at] in "{[":
                self._add_json()
            else:
                self._begin(_BARE_NAME.match(self.text, self.at))
        self._end()
        return self.calls

    def _begin(self, found: re.Match[str] | None, name: str = "") -> None:
        if found is None:
            raise _OtherTextError
        self._end()
        self.name, self.is_bare, self.at = name or found[0], not name, found.end()

    def _end(self) -> None:
        """End the call whose name was read; its arguments may be missing inside of a tag."""
        if self.name and self.is_bare and not self.fields:
            raise _OtherTextError
        if self.name:
            self._add(self.name, self.fields)
        self.name, self.fields = "", {}

    def _add_field(self, found: re.Match[str]) -> None:
        if not self.name:
            raise _OtherTextError
        name = found[1] or found[3]
        self.fields[name] = _value(found[2] if found[1] else found[4])
        self.at = found.end()

    def _add_json(self) -> None:
        value = self._decoded()
        if self.name and not self.fields and isinstance(value, Mapping):
            self._add(self.name, value)
            self.name = ""
            return
        self._end()
        for one in value if isinstance(value, list) and value else [value]:
            self._add_object(one)

    def _decoded(self) -> Json:
        """Return the JSON that begins here, which may be spelled as Python."""
        try:
            return self._next_json()
        except ValueError:
            self.text = self.text[: self.at] + strict_json(self.text[self.at :])
        return self._next_json()

    def _next_json(self) -> Json:
        """Return the JSON that begins here; small models leave out its last brace."""
        value: Json
        try:
            value, self.at = _DECODER.raw_decode(self.text, self.at)
        except ValueError:
            behind = _BEHIND.search(self.text, self.at)
            end = behind.start() if behind else len(self.text)
            value = _DECODER.decode(self.text[self.at : end].rstrip() + "}")
            self.at = end
        return value

    def _add_object(self, value: Json) -> None:
        if not isinstance(value, Mapping):
            raise _OtherTextError
        for inner in (value.get(one) for one in _LISTS):
            if isinstance(inner, list) and inner:
                for one in inner:
                    self._add_object(one)
                return
        inner = value.get("function", value.get("function_call"))
        value = inner if isinstance(inner, Mapping) else value
        name = next((value[one] for one in _NAMES if isinstance(value.get(one), str)), "")
        arguments = next((value[one] for one in _ARGUMENTS if one in value), None)
        if len(value) == 1 and is_same_name(next(iter(value)), self.tool):
            # Apertus names the object by the tool.
            ((name, arguments),) = value.items()
            arguments = arguments if isinstance(arguments, Mapping) else None
        if not isinstance(name, str) or not name or not isinstance(arguments, str | Mapping):
            raise _OtherTextError
        self._add(name, arguments)

    def _add(self, name: str, arguments: str | Mapping[str, Json]) -> None:
        if not isinstance(arguments, str):
            arguments = json.dumps(arguments, ensure_ascii=False)
        self.calls.append(WrittenCall(plain_name(name), arguments))


def _value(text: str) -> Json:
    """Return the value of a field: text, unless it is a list or an object."""
    plain = text.strip("\r\n")
    if not plain.lstrip().startswith(("[", "{")):
        return plain
    try:
        value: Json = json.loads(plain, strict=False)
    except (ValueError, RecursionError):
        return plain
    return value
