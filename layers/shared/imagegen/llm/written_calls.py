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
from imagegen.llm.python_calls import python_call
from imagegen.llm.tool_calls import MAX_CALLS, plain_name

_NAME: Final = r"""["']?([\w.:-]{1,80})["']?"""
_BAR: Final = "\uff5c"
"""DeepSeek's bar, which is as wide as a Chinese character."""
_NAMED: Final = re.compile(
    rf"<(?:function|invoke|tool_call)(?:=|\s+name\s*=\s*){_NAME}\s*>"
    rf"|(?:<\|start\|>assistant)?<\|channel\|>\s{{0,2}}\w{{0,20}}\s{{0,2}}to={_NAME}\s{{0,2}}"
    r"(?:<\|channel\|>)?\w{0,20}\s{0,2}(?:<\|constrain\|>)?\w{0,20}\s{0,2}<\|message\|>",
    re.IGNORECASE,
)
"""Llama's and Qwen3-Coder's function, MiniMax' invoke, gpt-oss' channel."""
_PASSED: Final = re.compile(
    rf"\s+|[,;}}]|```[a-z_]{{0,12}}|function<{_BAR}tool.sep{_BAR}>|\[CALL_ID\]\s*\w{{1,40}}"
    rf"|<\|[^|<>\s]{{1,40}}\|>|<{_BAR}[^{_BAR}<>\s]{{1,40}}{_BAR}>|\[/?(?:TOOL_CALLS|ARGS)\]"
    r"|</?(?:tool_calls?|tools|function_?calls?|minimax:tool_call)>|</(?:function|invoke|s)>",
    re.IGNORECASE,
)
"""Marks, fences, what separates two calls, and a brace too many behind one."""
_BEHIND: Final = re.compile(rf"</|<\||<{_BAR}|```|\Z")
_FIELD: Final = re.compile(
    rf"<parameter(?:=|\s+name\s*=\s*){_NAME}[^<>]{{0,80}}>(.*?)</parameter>"
    r"|<arg_key>\s*([\w.-]{1,80})\s*</arg_key>\s*<arg_value>(.*?)</arg_value>",
    re.IGNORECASE | re.DOTALL,
)
"""Qwen3-Coder's and MiniMax' parameters, GLM's keys and values."""
_BARE_NAME: Final = re.compile(r"[A-Za-z_][\w.:-]{0,79}")
_NAMES: Final = ("name", "tool", "tool_name", "function", "action")
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

    Only ``tool`` is called, under any spelling of its name, unless ``any_name``: then a call of
    what does not exist is one as well, so that the model is told.
    """
    try:
        calls = _Reading(text).calls_alone()
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
                self._begin(found, found[1] or found[2])
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
        inner = value.get("function", value.get("function_call"))
        value = inner if isinstance(inner, Mapping) else value
        name = next((value[one] for one in _NAMES if isinstance(value.get(one), str)), "")
        arguments = next((value[one] for one in _ARGUMENTS if one in value), None)
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
