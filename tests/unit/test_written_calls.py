"""Tool calls that a model writes as text are calls, and are never shown; all other text is."""

# ruff: noqa: E501 a row of a table is one line

import json
import time
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from imagegen.domain.call_errors import LlmError
from imagegen.domain.ports import AnswerEnd, TextPart, ToolUse
from imagegen.domain.text import is_same_name
from imagegen.llm.answer_filter import AnswerFilter
from imagegen.llm.call_filter import (
    INDENTED,
    MARKS,
    MAX_CHARACTERS,
    MOST_BEFORE,
    NAME_WITHIN,
    CallFilter,
)
from imagegen.llm.python_calls import strict_json
from imagegen.llm.stream_reader import Reader
from imagegen.llm.thinking import PAIRS, UnopenedFilter
from imagegen.llm.written_calls import written_calls

TOOL = "generate_image"
FOX = '{"prompt": "a fox"}'
HARE = '{"prompt": "a hare"}'
BAR, LOW = "\uff5c", "\u2581"


def deep(mark: str) -> str:
    """Return a mark as DeepSeek writes it."""
    return f"<{BAR}{mark.replace('_', LOW)}{BAR}>"


def dsml(tag: str, rest: str = "") -> str:
    """Return a tag as DeepSeek V3.2 writes it."""
    slash = "/" if tag.startswith("/") else ""
    return f"<{slash}{BAR}DSML{BAR}{tag.removeprefix('/')}{rest}>"


def named(name: str = TOOL, arguments: str = FOX, word: str = "arguments") -> str:
    return f'{{"name": "{name}", "{word}": {arguments}}}'


MARKED = {
    "Hermes": f"<tool_call>\n{named()}\n</tool_call>",
    "Hermes without an end": f"<tool_call>\n{named()}",
    "Hermes, a brace short": f"<tool_call>\n{named()[:-1]}\n</tool_call>",
    "Hermes, a brace too many": f"<tool_call>\n{named()}}}\n</tool_call>",
    "Llama, a brace short": f"<|python_tag|>{named()[:-1]}<|eom_id|>",
    "Hermes on one line": f"<tool_call>{named()}</tool_call>",
    "Hermes in a fence": f"```xml\n<tool_call>{named()}</tool_call>\n```",
    "Hermes with its control word": f"<tool_call>\n{named()}\n</tool_call><|im_end|>",
    "a tag of one call": f"<function_call>{named()}</function_call>",
    "Llama's function by name": f'<function name="{TOOL}">{FOX}</function>',
    "an invoke alone": f'<invoke name="{TOOL}"><parameter name="prompt">a fox</parameter></invoke>',
    "Granite, a list": f"<|tool_calls|>[{named()}]",
    "Kimi without its section": f"<|tool_call_begin|>functions.{TOOL}:0<|tool_call_argument_begin|>{FOX}<|tool_call_end|>",
    "DeepSeek without its section": f"{deep('tool_call_begin')}{TOOL}{deep('tool_sep')}{FOX}{deep('tool_call_end')}",
    "in capitals in a fence": f"```XML\n<TOOL_CALL>{named()}</TOOL_CALL>\n```",
    "in capitals": f"<TOOL_CALL>{named()}</TOOL_CALL>",
    "a list in the tag": f"<tool_calls>[{named()}]</tool_calls>",
    "Granite": f"<|tool_call|>[{named()}]",
    "Qwen2.5-Coder": f"<tools>\n{named()}\n</tools>",
    "Functionary": f"<functioncall> {named()} </s>",
    "Llama": f"<function={TOOL}>{FOX}</function>",
    "Llama, no end": f"<function={TOOL}>{FOX}<|eom_id|>",
    "Llama's tag for Python": f"<|python_tag|>{named(word='parameters')}<|eom_id|>",
    "Mistral": f"[TOOL_CALLS][{named()}]</s>",
    "Mistral with a space": f"[TOOL_CALLS] [{named()}]",
    "Mistral, newer": f"[TOOL_CALLS]{TOOL}[ARGS]{FOX}",
    "Mistral with an id": f"[TOOL_CALLS]{TOOL}[CALL_ID]aB3xYz123[ARGS]{FOX}",
    "Mistral, name and JSON": f"[TOOL_CALLS]{TOOL}{FOX}",
    "Kimi": f"<|tool_calls_section_begin|><|tool_call_begin|>functions.{TOOL}:0<|tool_call_argument_begin|>{FOX}<|tool_call_end|><|tool_calls_section_end|>",
    "DeepSeek V3": f"{deep('tool_calls_begin')}{deep('tool_call_begin')}function{deep('tool_sep')}{TOOL}\n```json\n{FOX}\n```{deep('tool_call_end')}{deep('tool_calls_end')}",
    "DeepSeek V3.1": f"{deep('tool_calls_begin')}{deep('tool_call_begin')}{TOOL}{deep('tool_sep')}{FOX}{deep('tool_call_end')}{deep('tool_calls_end')}{deep('end_of_sentence')}",
    "GLM": f"<tool_call>{TOOL}\n<arg_key>prompt</arg_key>\n<arg_value>a fox</arg_value>\n</tool_call>",
    "Qwen3-Coder": f"<tool_call>\n<function={TOOL}>\n<parameter=prompt>\na fox\n</parameter>\n</function>\n</tool_call>",
    "MiniMax": f'<minimax:tool_call>\n<invoke name="{TOOL}">\n<parameter name="prompt">a fox</parameter>\n</invoke>\n</minimax:tool_call>',
    "as XML": f'<function_calls><invoke name="{TOOL}"><parameter name="prompt" string="true">a fox</parameter></invoke></function_calls>',
    "gpt-oss": f"<|channel|>commentary to=functions.{TOOL} <|constrain|>json<|message|>{FOX}<|call|>",
    "gpt-oss with its start": f"<|start|>assistant<|channel|>commentary to=functions.{TOOL} json<|message|>{FOX}<|call|>",
    "LFM": f'<|tool_call_start|>[{TOOL}(prompt="a fox")]<|tool_call_end|>',
    "Llama's tag for Python, a function": f'<|python_tag|>{TOOL}(prompt="a fox")',
    "OpenAI's object in a tag": f'<tool_call>{{"type": "function", "function": {named()}}}</tool_call>',
    "Cohere": f'<|START_ACTION|>[\n    {{"tool_call_id": "0", "tool_name": "{TOOL}", "parameters": {FOX}}}\n]<|END_ACTION|>',
    "Cohere, older": f'Action: ```json\n[{{"tool_name": "{TOOL}", "parameters": {FOX}}}]\n```',
    "InternLM": f"<|action_start|><|plugin|>\n{named(word='parameters')}<|action_end|>",
    "Phi-4": f"functools[{named()}]",
    "Nemotron": f"<TOOLCALL>[{named()}]</TOOLCALL>",
    "Apertus": f'<|tools_prefix|>[{{"{TOOL}": {FOX}}}]<|tools_suffix|>',
    "LM Studio": f"[TOOL_REQUEST]\n{named()}\n[END_TOOL_REQUEST]",
    "Hunyuan": f"<tool_calls>\n<tool_call>{TOOL}<tool_sep>\n<arg_key>prompt</arg_key>\n<arg_value>a fox</arg_value>\n</tool_call>\n</tool_calls>",
    "Seed-OSS": f"<seed:tool_call>\n<function={TOOL}>\n<parameter=prompt>a fox</parameter>\n</function>\n</seed:tool_call>",
    "Qwen3-Coder, no end of a parameter": f"<tool_call>\n<function={TOOL}>\n<parameter=prompt>\na fox\n<parameter=count>\n2\n</function>\n</tool_call>",
    "LongCat": f"<longcat_tool_call>{TOOL}\n<longcat_arg_key>prompt</longcat_arg_key>\n<longcat_arg_value>a fox</longcat_arg_value>\n</longcat_tool_call>",
    "Step 3": f'{deep("tool_calls_begin")}{deep("tool_call_begin")}function{deep("tool_sep")}<steptml:invoke name="{TOOL}"><steptml:parameter name="prompt">a fox</steptml:parameter></steptml:invoke>{deep("tool_call_end")}{deep("tool_calls_end")}',
    "DeepSeek V3.2": f"""{dsml("function_calls")}\n{dsml("invoke", f' name="{TOOL}"')}\n{dsml("parameter", ' name="prompt" string="true"')}a fox{dsml("/parameter")}\n{dsml("/invoke")}\n{dsml("/function_calls")}""",
    "DeepSeek V4": f"""{dsml("tool_calls")}\n{dsml("invoke", f' name="{TOOL}"')}\n{FOX}\n{dsml("/invoke")}\n{dsml("/tool_calls")}""",
    "Olmo 3": f'<function_calls>\n{TOOL}(prompt="a fox")\n</function_calls>',
    "Gemma 4": f'<|tool_call>call:{TOOL}{{prompt:<|"|>a fox<|"|>}}<tool_call|>',
    "FunctionGemma": f"<start_function_call>call:{TOOL}{{prompt:<escape>a fox<escape>}}<end_function_call>",
    "Gemma in a tag": f'<tool_code>\nprint({TOOL}(prompt="a fox"))\n</tool_code>',
    "the name in the tag": f'<tool_call name="{TOOL}">{FOX}</tool_call>',
    "Llama, the tag is not closed": f"<function={TOOL}{FOX}</function>",
    "Llama, a comma in the tag": f"<function={TOOL},{FOX}</function>",
    "Llama, a bracket in the tag": f"<function={TOOL}({FOX})</function>",
    "Llama, opened again": f"<function={TOOL}>{FOX}<function>",
    "gpt-oss, its start names the tool": f"<|start|>assistant to=functions.{TOOL}<|channel|>commentary json<|message|>{FOX}<|call|>",
    "gpt-oss, its start names the tool and the format": f"<|start|>assistant to=functions.{TOOL} <|channel|>commentary <|constrain|>json<|message|>{FOX}<|call|>",
    "gpt-oss while it thinks": f"<|channel|>analysis to=functions.{TOOL} code<|message|>{FOX}<|call|>",
    "as Python": f"<tool_call>\n{{'name': '{TOOL}', 'arguments': {{'prompt': 'a fox', 'size': None, 'x': [True]}}}}\n</tool_call>",
    "a comma too many": f'<tool_call>{{"name": "{TOOL}", "arguments": {{"prompt": "a fox",}},\n}}</tool_call>',
    "arguments as text": f'<tool_call>{{"name": "{TOOL}", "arguments": {json.dumps(FOX)}}}</tool_call>',
}
BARE = {
    "JSON": named(),
    "Llama": named(word="parameters"),
    "Llama with a type": f'{{"type": "function", "name": "{TOOL}", "parameters": {FOX}}}',
    "spelled loosely": named("generateImage", word="args"),
    "a list": f"[{named()}]",
    "a list with a space": f"[ {named()} ]\n",
    "a fence": f"```json\n{named()}\n```",
    "a brace short": named()[:-1],
    "a fence, a brace short": f"```json\n{named()[:-1]}\n```",
    "a fence without a language": f"```\n{named()}\n```\n",
    "a fence on one line": f"```json {named()} ```",
    "an action": f'{{"action": "{TOOL}", "action_input": {FOX}}}',
    "arguments first": f'{{"arguments": {FOX}, "name": "{TOOL}"}}',
    "a line end inside": named(arguments='{"prompt": "a\nfox"}'),
    "spaces before": f"\n\n  {named()}",
    "Gemma": f'```tool_code\n{TOOL}(prompt="a fox")\n```',
    "Gemma, printed": f'```tool_code\nprint(default_api.{TOOL}(prompt="a fox"))\n```',
    "Llama 4": f"[{TOOL}(prompt='a fox', count=None)]",
    "a function that is printed": f'print({TOOL}(prompt="a fox"))',
    "a function of Gemma's module": f'default_api.{TOOL}(prompt="a fox")',
    "a function": f'{TOOL}(prompt="a fox", size="square")',
    "GLM-4": f"{TOOL}\n{FOX}",
    "a name and JSON": f"{TOOL}{FOX}",
    "a function of JSON": f"{TOOL}({FOX})",
    "Kimi without its marks": f"functions.{TOOL}:0{FOX}",
    "Functionary": f">>>{TOOL}\n{FOX}",
    "gpt-oss without its marks": f"commentary to=functions.{TOOL} json{FOX}",
    "gpt-oss without its marks, with its start": f"assistantcommentary to=functions.{TOOL} json{FOX}",
    "Gemma 4 without its marks": f'call:{TOOL}{{prompt:"a fox"}}',
    "a message": f'{{"content": null, "tool_calls": [{{"id": "a", "type": "function", "function": {named(arguments=json.dumps(FOX))}}}]}}',
    "parallel calls": f'{{"tool_uses": [{{"recipient_name": "functions.{TOOL}", "parameters": {FOX}}}]}}',
    "the name as a key": f'{{"{TOOL}": {FOX}}}',
    "as Python": f"{{'name': '{TOOL}', 'arguments': {{'prompt': 'a fox'}}}}",
    "OpenAI's object": f'{{"type": "function", "function": {named()}}}',
}


def body(**fields: Any) -> dict[str, Any]:
    return {"choices": [{"delta": fields, "finish_reason": None}]}


def answer(text: str, size: int = 1_000_000, finish: str = "stop", **more: Any) -> list[Any]:
    reader = Reader(text=AnswerFilter(CallFilter(TOOL), **more))
    pieces = [body(content=text[at : at + size]) for at in range(0, len(text), size)]
    end: dict[str, Any] = {"choices": [{"delta": {}, "finish_reason": finish}]}
    return [
        *(part for one in pieces for part in reader.read(one)),
        *reader.read(end),
        *reader.end(),
    ]


def words(parts: list[Any]) -> str:
    return "".join(one.text for one in parts if isinstance(one, TextPart))


def prompts(parts: list[Any]) -> list[str]:
    calls = [one for one in parts if isinstance(one, ToolUse)]
    assert all(is_same_name(one.name, TOOL) for one in calls)
    assert len({one.id for one in calls}) == len(calls)
    found = [json.loads(one.arguments, strict=False) for one in calls]
    return [one["prompt"].replace("\n", " ") for one in found]


@pytest.mark.parametrize("size", [1, 2, 7, 1_000])
@pytest.mark.parametrize("form", [*MARKED.values(), *BARE.values()], ids=[*MARKED, *BARE])
def test_a_written_call_is_a_call_and_is_not_shown(form: str, size: int) -> None:
    parts = answer(form, size)
    assert prompts(parts) == ["a fox"]
    assert words(parts) == ""


@pytest.mark.parametrize("size", [1, 5, 1_000])
@pytest.mark.parametrize("form", MARKED.values(), ids=MARKED)
def test_words_before_a_marked_call_are_shown_at_once(form: str, size: int) -> None:
    if form.startswith("`"):
        return
    parts = answer(f"Here is one.\n\n{form}", size)
    assert words(parts) == "Here is one.\n\n"
    assert prompts(parts) == ["a fox"]


@pytest.mark.parametrize(
    "text",
    [
        f"<tool_call>{named()}</tool_call>\n<tool_call>{named(arguments=HARE)}</tool_call>",
        f"<tool_call>\n{named()}\n{named(arguments=HARE)}\n</tool_call>",
        f"[TOOL_CALLS][{named()}, {named(arguments=HARE)}]",
        f"[TOOL_CALLS]{TOOL}[ARGS]{FOX}[TOOL_CALLS]{TOOL}[ARGS]{HARE}",
        f"[{named()},\n{named(arguments=HARE)}]",
        f"{named()}; {named(arguments=HARE)}",
        f'{{"tool_calls": [{named()}, {named(arguments=HARE)}]}}',
        f'<|tools_prefix|>[{{"{TOOL}": {FOX}}}, {{"{TOOL}": {HARE}}}]<|tools_suffix|>',
        f'<|tool_call>call:{TOOL}{{prompt:<|"|>a fox<|"|>}}<tool_call|><|tool_call>call:{TOOL}{{prompt:<|"|>a hare<|"|>}}<tool_call|>',
        f"[{{'name': '{TOOL}', 'arguments': {{'prompt': 'a fox'}}}}, {{'name': '{TOOL}', 'arguments': {{'prompt': 'a hare'}}}}]",
        f"<function={TOOL}>{FOX}</function><function={TOOL}>{HARE}</function>",
        f"<tool_call>{TOOL}\n<arg_key>prompt</arg_key><arg_value>a fox</arg_value></tool_call><tool_call>{TOOL}\n<arg_key>prompt</arg_key><arg_value>a hare</arg_value></tool_call>",
    ],
)
def test_several_written_calls_are_as_many(text: str) -> None:
    parts = answer(text, 3)
    assert prompts(parts) == ["a fox", "a hare"]
    assert words(parts) == ""


@pytest.mark.parametrize("size", [1, 2, 9, 1_000])
@pytest.mark.parametrize(
    "text",
    [
        "",
        "Hello!",
        "generate_image",
        f"generate_image {FOX} is how I call it.",
        f"<tool_call>{named()}</tool_call>\nThat is how it looks.",
        f"<tool_call>{named()} and more</tool_call>",
        f"I would write <tool_call>{named()}</tool_call>",
        f"Write:\n```xml\n<tool_call>{named()}</tool_call>\n```",
        f"Like this:\n{named()}",
        f"Like this:\n<tool_call>{named('get_weather')}</tool_call>",
        named("get_weather"),
        FOX,
        "[1, 2, 3]",
        "[Here](https://example.com) it is.",
        "[ ] a\n[x] b",
        "[{}]",
        "{}",
        "[]",
        "```python\nprint(1)\n```",
        "```json\n{}\n```",
        '{"name": "generate_image"}',
        '{"name": "generate_image", "arguments": 5}',
        '{"name": "generate_image", "arguments": {"prompt": "a',
        "<tool_call>",
        "<tool_call></tool_call>",
        "<tool_call>}</tool_call>",
        f"<tool_call>{named()[:-2]}</tool_call>",
        f"<tool_call>{named()[:-1]} and more</tool_call>",
        "<tool",
        "  <tool",
        "a\n <tool_ca",
        "<function=",
        "<table><tr></tr></table>",
        "`",
        "``x``",
        "\n\n",
        "<tool_call>generate_image</tool_call>",
        f"{TOOL}\n{FOX} is how I call it.",
        f"functions.{TOOL}: it makes images.",
        f"{TOOL}\nis the name of the tool.",
        f'{{"{TOOL}": "a tool"}}',
        f'{{"{TOOL}": {FOX}, "other": {FOX}}}',
        f'{{"get_weather": {FOX}}}',
        '{"tool_calls": []}',
        '{"tool_calls": [1]}',
        '{"tool_uses": {}}',
        f"{{'name': '{TOOL}'}}",
        f'{{"name": "{TOOL}", "arguments": {{"prompt": "a fox",,}}}}',
        f"<tool_call>{{'name': '{TOOL}', 'arguments': {{'prompt': 'a</tool_call>",
        "functools is a module of Python.",
        "Action: run",
        "Action: ```json\n[1]\n```",
        "commentary to=functions.generate_image json",
        f"call:{TOOL}{{prompt:",
        f"call:{TOOL}{{prompt:<escape>a fox}}",
        ">>>generate_image\n>>>",
        "(a fox)",
        "<parameter=prompt>a fox</parameter>",
        "<|channel|>commentary to=",
        f"{' ' * (INDENTED + 1)}x\n{' ' * (INDENTED + 1)}<tool_call>{named()}</tool_call>",
        f"{' ' * (MOST_BEFORE + 1)}{named()}",
    ],
)
def test_all_other_text_is_shown_whole(text: str, size: int) -> None:
    parts = answer(text, size)
    assert words(parts) == text
    assert not [one for one in parts if isinstance(one, ToolUse)]


def test_a_tool_that_does_not_exist_is_called_in_marks_alone() -> None:
    """The model is told that there is none, instead of the person."""
    calls = written_calls(f"<tool_call>{named('dalle')}</tool_call>", TOOL, any_name=True)
    assert [one.name for one in calls] == ["dalle"]
    parts = answer(f"<tool_call>{named('dalle')}</tool_call>", 4)
    assert [one.name for one in parts if isinstance(one, ToolUse)] == ["dalle"]
    assert words(parts) == ""


@pytest.mark.parametrize(
    "name", ["name", "tool", "tool_name", "function", "action", "recipient_name"]
)
@pytest.mark.parametrize(
    "arguments",
    ["arguments", "parameters", "args", "input", "tool_input", "action_input", "kwargs"],
)
def test_name_and_arguments_are_read_under_the_names_of_every_family(
    name: str, arguments: str
) -> None:
    assert prompts(answer(f'{{"{name}": "{TOOL}", "{arguments}": {FOX}}}')) == ["a fox"]


@pytest.mark.parametrize(
    "text",
    [
        f'{{"function_call": {named()}}}',
        f'{{"tool_calls": 5, "name": "{TOOL}", "arguments": {FOX}}}',
        f'{{"tool_calls": [], "name": "{TOOL}", "arguments": {FOX}}}',
    ],
)
def test_an_object_around_a_call_or_an_empty_list_beside_it_changes_nothing(text: str) -> None:
    assert prompts(answer(text)) == ["a fox"]


@pytest.mark.parametrize(
    "text",
    [
        f"<parameter=x>1</parameter>{named()}",
        f'<function={TOOL}><parameter=prompt>a fox</parameter>{{"x": 1}}',
        f"<function={TOOL}>[1]",
        f"{named()}[]",
        '{"arguments": {"prompt": "a fox"}}',
        '{"name": "", "arguments": {"prompt": "a fox"}}',
        '{"get_weather": {"prompt": "a fox"}}',
    ],
)
def test_what_is_only_partly_a_call_is_none_under_any_name(text: str) -> None:
    assert written_calls(text, TOOL, any_name=True) == ()


def test_calls_keep_their_order_and_their_arguments_as_json() -> None:
    field = f"<function={TOOL}><parameter=prompt>a fox</parameter></function>"
    assert prompts(answer(field + named(arguments=HARE))) == ["a fox", "a hare"]
    calls = written_calls(f'<function=a>{TOOL}(prompt="a fox")', TOOL, any_name=True)
    assert [one.name for one in calls] == ["a", TOOL]
    (call,) = written_calls(named(arguments='{"prompt": "ä"}'), TOOL)
    assert call.arguments == '{"prompt": "ä"}'


def test_one_call_of_another_tool_makes_text_of_all() -> None:
    assert written_calls(named("dalle"), TOOL) == ()
    assert written_calls(f"{named()}{named('dalle')}", TOOL) == ()
    assert len(written_calls(f"{named()}{named('dalle')}", TOOL, any_name=True)) == 2


def test_a_call_inside_a_tag_may_have_no_arguments() -> None:
    parts = answer(f"<function={TOOL}></function>")
    assert [one.arguments for one in parts if isinstance(one, ToolUse)] == ["{}"]


def test_fields_in_tags_are_texts_or_lists() -> None:
    text = f'<function={TOOL}><parameter=prompt>\n[a] "fox"\n</parameter><parameter=references>["image 1"]</parameter><parameter=x> {{"a": 1}}</parameter><parameter=count>2</parameter></function>'
    (use,) = [one for one in answer(text) if isinstance(one, ToolUse)]
    assert json.loads(use.arguments) == {
        "prompt": '[a] "fox"',
        "references": ["image 1"],
        "x": {"a": 1},
        "count": "2",
    }


def test_arguments_of_a_function_are_literals() -> None:
    text = f"{TOOL}(prompt='It\\'s \\\"a\\nfox\\\"', references=[\"image 1\", 'image 2'], count=2, size=None)"
    (use,) = [one for one in answer(text, 3) if isinstance(one, ToolUse)]
    assert json.loads(use.arguments) == {
        "prompt": 'It\'s "a\nfox"', "references": ["image 1", "image 2"], "count": "2", "size": None,
    }  # fmt: skip
    text = f'<|tool_call>call:{TOOL}{{prompt:<|"|>It\'s "a, fox\\n"<|"|>, references:[<|"|>image 1<|"|>,<|"|>image 2<|"|>], count:2,background:None}}<tool_call|>'
    (use,) = [one for one in answer(text, 3) if isinstance(one, ToolUse)]
    assert json.loads(use.arguments) == {
        "prompt": 'It\'s "a, fox\\n"', "references": ["image 1", "image 2"], "count": "2", "background": None,
    }  # fmt: skip
    both = answer(f'[{TOOL}(prompt="a fox"), {TOOL}(prompt="a hare")]', 3)
    assert prompts(both) == ["a fox", "a hare"]


def test_escapes_and_words_of_python_are_read() -> None:
    text = f"{TOOL}(prompt='a\\tb\\rc\\\nd\\ne', a=True, b=False, c=None)"
    (call,) = written_calls(text, TOOL)
    assert json.loads(call.arguments) == {
        "prompt": "a\tb\rcd\ne", "a": True, "b": False, "c": None,
    }  # fmt: skip
    loose = """['ä', "\\u00e4 \\"x\\"", True, None, False, 1,]"""
    assert strict_json(loose) == """["ä", "\\u00e4 \\"x\\"", true, null, false, 1]"""


def test_json_that_is_spelled_as_python_keeps_its_texts() -> None:
    text = f"""{{'name': '{TOOL}', 'arguments': {{'prompt': 'It\\'s "a, fox",}}', "background": "None, it's True,]", 'seed': None,}}}}"""
    (use,) = [one for one in answer(text, 3) if isinstance(one, ToolUse)]
    assert json.loads(use.arguments) == {
        "prompt": 'It\'s "a, fox",}', "background": "None, it's True,]", "seed": None,
    }  # fmt: skip


@pytest.mark.parametrize(
    "text",
    [
        f"{TOOL}(prompt=open('x'))",
        f"{TOOL}('a fox')",
        f'{TOOL}(prompt="a fox"',
        f'{TOOL}(prompt="a fox") makes it.',
        f'{TOOL}(prompt="a fox" + "x")',
        'print("hello")',
        'imagine(prompt="a fox")',
        f"{TOOL} (prompt)",
        "[generate",
        "p",
    ],
)
@pytest.mark.parametrize("size", [1, 1_000])
def test_all_other_functions_are_shown(text: str, size: int) -> None:
    assert words(answer(text, size)) == text


def test_a_call_that_ran_out_of_tokens_is_not_shown() -> None:
    text = f'<tool_call>\n{{"name": "{TOOL}", "arguments": {{"prompt": "a long'
    parts = answer(text, 5, finish="length")
    assert words(parts) == ""
    assert [one for one in parts if isinstance(one, AnswerEnd)] == [AnswerEnd(ran_out=True)]
    assert words(answer(text, 5)) == text, "else it is shown: it is no call"
    assert words(answer("<tool_call>\n{", 5, finish="length")) == "<tool_call>\n{"
    assert words(answer(named()[:-9], 5, finish="length")) == ""
    assert words(answer(TOOL, 5, finish="length")) == TOOL


def test_a_call_that_the_server_has_read_is_not_made_again() -> None:
    reader = Reader(text=AnswerFilter(CallFilter(TOOL)))
    known = {"index": 1, "id": "a", "function": {"name": TOOL, "arguments": FOX}}
    parts: list[Any] = [*reader.read(body(content=MARKED["Hermes"]))]
    parts += [*reader.read(body(tool_calls=[known]))]
    reader.finish = "tool_calls"
    parts += [*reader.end()]
    assert [one.id for one in parts if isinstance(one, ToolUse)] == ["a"]
    assert words(parts) == ""


def test_behind_thinking_a_call_goes_back_as_a_call_alone() -> None:
    parts = answer(f"<think>\nA fox.\n</think>\n\n{MARKED['Hermes']}", 3)
    assert prompts(parts) == ["a fox"]
    (end,) = [one for one in parts if isinstance(one, AnswerEnd)]
    assert end.extras == {"content": "<think>\nA fox.\n</think>\n\n"}


@pytest.mark.parametrize("size", [1, 3, 1_000])
@pytest.mark.parametrize(
    "call",
    [
        f"<|start|>assistant<|channel|>commentary to=functions.{TOOL} <|constrain|>json<|message|>{FOX}<|call|>",
        f"<|start|>assistant to=functions.{TOOL}<|channel|>commentary json<|message|>{FOX}<|call|>",
    ],
)
def test_behind_gpt_oss_thinking_a_call_is_a_call(call: str, size: int) -> None:
    """It thinks, ends that message, and begins another one that is the call."""
    parts = answer(f"<|channel|>analysis<|message|>A fox, so I draw.<|end|>{call}", size)
    assert prompts(parts) == ["a fox"]
    assert words(parts) == ""


@pytest.mark.parametrize("size", [1, 3, 1_000])
def test_behind_gpt_oss_thinking_more_thinking_and_an_answer_may_follow(size: int) -> None:
    think = "<|channel|>analysis<|message|>Hm.<|end|><|start|>assistant"
    for channel in ("final", "commentary"):
        said = f"<|channel|>{channel}<|message|>Hello!<|return|>"
        for text in (said, f"<|start|>assistant{said}", think + said, think + think + said):
            assert words(answer(text, size)) == "Hello!"


def test_parts_of_a_content_do_not_go_back_as_text_and_call() -> None:
    reader = Reader(text=AnswerFilter(CallFilter(TOOL)))
    parts = [*reader.read(body(content=[{"type": "text", "text": named()}]))]
    reader.finish = "stop"
    rest = [*reader.end()]
    assert prompts([*parts, *rest]) == ["a fox"]
    assert not [one for one in rest if isinstance(one, AnswerEnd)]


def test_too_many_written_calls_are_text() -> None:
    assert len(prompts(answer(named() * 32))) == 32
    assert words(answer(named() * 33)) == named() * 33


def test_arguments_that_are_too_long_are_refused_as_those_of_any_call() -> None:
    reader = Reader(text=AnswerFilter(CallFilter(TOOL)))
    # Each of these characters is six in JSON.
    list(reader.read(body(content=named(arguments='{"prompt": "' + "\x01" * 12_000 + '"}'))))
    reader.finish = "stop"
    with pytest.raises(LlmError):
        list(reader.end())


def test_words_that_can_be_no_call_are_shown_at_once() -> None:
    hidden = CallFilter(TOOL)
    for piece in ("Hi", " [", "`", " <tool_call>", "\n", "abc", "\n  - d", "\n", "         <to"):
        assert hidden.add(piece) == piece


@pytest.mark.parametrize("spaces", ["", "\t", " " * INDENTED])
def test_a_line_that_may_become_a_mark_is_held_back_and_no_other_text(spaces: str) -> None:
    hidden = CallFilter(TOOL)
    assert hidden.add(f"Hi there\n{spaces}<to") == "Hi there\n"
    assert hidden.add("mato>") == f"{spaces}<tomato>"
    assert hidden.add("\n" + spaces + "<tool_call") == "\n"
    assert hidden.end() == (f"{spaces}<tool_call", ())


def test_json_that_does_not_name_the_tool_is_streamed_on() -> None:
    hidden = CallFilter(TOOL)
    assert hidden.add("{" + " " * (NAME_WITHIN - 1)) == ""
    assert hidden.add(" ") == "{" + " " * NAME_WITHIN
    assert hidden.add(MARKED["Hermes"]) == MARKED["Hermes"]
    assert hidden.end() == ("", ())


def test_an_endless_call_is_passed_on() -> None:
    hidden = CallFilter(TOOL)
    assert hidden.add("<tool_call>" + "x" * (MAX_CHARACTERS - 11)) == ""
    assert hidden.add("x") == "<tool_call>" + "x" * (MAX_CHARACTERS - 10)
    assert hidden.add("<tool_call>") == "<tool_call>"


def test_without_a_tool_nothing_is_a_call() -> None:
    hidden = CallFilter()
    assert hidden.add(MARKED["Hermes"]) == MARKED["Hermes"]
    assert hidden.end() == ("", ())


PIECES = [
    *MARKS, *BARE.values(), TOOL, FOX, "{", "}", "[", "]", '"name"', ":", ",", " ", "\n", "```", "`", "json",
    "</tool_call>", "</function>", "<function=x>", "<parameter=a>", "</parameter>", "<arg_key>a</arg_key>",
    "<arg_value>", "</arg_value>", "[ARGS]", "Hi.", "\ud83d", "\ude00", "\u0130", "\u212a", "\u017f", "</think>", "<think>",
    f"{TOOL}(", "prompt='a'", ")", "print(", "default_api.",
]  # fmt: skip
MIXED = st.lists(st.sampled_from(PIECES) | st.text(max_size=3), max_size=8).map("".join)


@given(MIXED, st.integers(1, 9))
@example(f"{' ' * MOST_BEFORE}<tool_call>{named()}", 1)
@example(f"{' ' * (MOST_BEFORE - 3)}<tool_call>{named()}", 2)
def test_any_text_is_shown_or_a_call_however_it_is_cut(text: str, size: int) -> None:
    whole, hidden = CallFilter(TOOL), CallFilter(TOOL)
    shown = whole.add(text)
    rest, calls = whole.end()
    assert shown + rest == text[: len(text) - whole.hidden]
    assert bool(calls) == bool(whole.hidden)
    pieces = [hidden.add(text[at : at + size]) for at in range(0, len(text), size)]
    again, same = hidden.end()
    assert ("".join(pieces) + again, same) == (shown + rest, calls)


HOSTILE = [
    "<tool_call>" + "[" * 60_000,
    "<tool_call>" + '{"a":' * 12_000,
    "<function" + " " * 60_000,
    "<function=x" + " " * 60_000 + "<",
    "<|channel|>" + " " * 60_000,
    "<|channel|>commentary to=x" + " " * 60_000,
    "<tool_call>" + "<function=x>" * 5_000,
    "<tool_call><function=x>" + "<parameter=a>" * 4_000,
    "<tool_call>x" + "<arg_key>a</arg_key><arg_value>" * 1_900,
    "<tool_call>" + "1" * 60_000,
    '<tool_call>{"name": "x", "arguments": ' + "9" * 60_000 + "}",
    "\n<tool_cal" * 6_000,
    "<tool_call>" + '{"a":"</' * 7_000,
    "<tool_call>" + "}" * 60_000,
    f"{TOOL}(" + 'a="' * 15_000,
    f"{TOOL}(a=[" + '"x"' * 15_000,
    f"{TOOL}(a=[" + "  " * 30_000,
    f"{TOOL}(a=[" + '"x" ' * 15_000,
    f'{TOOL}(a="' + "\\" * 59_000,
    f"{TOOL}(" + "a='b'," * 9_000,
    f"<|tool_call>call:{TOOL}{{" + 'a:<|"|>' * 8_000,
    f"<|tool_call>call:{TOOL}{{" + "a:[<escape>" * 5_000,
    f"<|tool_call>call:{TOOL}{{a:[" + "<escape>b<escape>" * 3_500,
    "<tool_call>{" + "'" * 60_000,
    "<tool_call>{" + "'a'," * 15_000,
    "<tool_call>{" + ", " * 30_000,
    "<tool_call>{" + "," + " " * 60_000,
    "<tool_call>{'" + "\\" * 59_000,
    "<tool_call>" + "{'a':" * 12_000,
    "<tool_call>" + "(" * 60_000,
    "commentary" + " " * 60_000,
    "<" + "a" * 60_000 + ":invoke",
    "`" * 60_000,
    " " * 60_000,
    "<" * 60_000,
]


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
@pytest.mark.parametrize("size", [40, 100_000])
def test_no_text_takes_long(text: str, size: int) -> None:
    before = time.process_time()
    parts = answer(text, size)
    assert time.process_time() - before < 5
    assert words(parts) == text or text.startswith("<tool_call><function=x>")


# Thinking whose opening tag is in the request.


@pytest.mark.parametrize("closing", PAIRS.values())
@pytest.mark.parametrize("size", [1, 3, 1_000])
def test_the_next_answer_hides_thinking_without_an_opening_tag(closing: str, size: int) -> None:
    text = f"The user says hi.\n{closing}\n\nHello!"
    parts = answer(text, size, unopened=UnopenedFilter(is_expected=True))
    assert words(parts) == "Hello!"
    assert [one.extras for one in parts if isinstance(one, AnswerEnd)] == [{"content": text}]


def test_the_first_answer_loses_the_tag_and_what_was_not_shown_before_it() -> None:
    text = "The user says hi.\n</think>\n\nHello!"
    assert words(answer(text, 1)) == "The user says hi.\n\n\nHello!"
    assert words(answer(text)) == "Hello!"
    assert words(answer("Hi there.</think>\n\nHello!", 2)) == "Hi there.\n\nHello!"
    assert words(answer("</think>\n\nHello!", 1)) == "Hello!"
    assert words(answer("He says hi</think> \r\n\nHello!", 1)) == "He says hi \r\n\nHello!"
    assert words(answer("He says hi</think>\n\nHello!")) == "Hello!"
    assert words(answer("He says hi</think>", 1)) == "He says hi"


@pytest.mark.parametrize("size", [1, 4, 1_000])
@pytest.mark.parametrize("is_expected", [False, True])
@pytest.mark.parametrize(
    "text",
    [
        "Hello!",
        "It ends with </think> there",
        "It ends with </think>\n\nthen",
        "It ends with `</think>`\n\nthen",
        "hi</think> there",
        "`</think>` ends it",
        "A <think>b\n</think> c",
        "So: <think>\nb\n</think>\nis a block",
        "a </thi",
        "a\n</thi",
        "a\n<",
        "x</think>" + "y" * 40,
        "<",
    ],
)
def test_all_other_text_with_tags_is_shown_whole(text: str, size: int, is_expected: bool) -> None:  # noqa: FBT001
    parts = answer(text, size, unopened=UnopenedFilter(is_expected=is_expected))
    assert words(parts) == text


def test_behind_thinking_with_both_tags_nothing_more_is_hidden() -> None:
    text = "<think>a</think>\nHi.\n</think>\nx"
    for is_expected in (False, True):
        parts = answer(text, 2, unopened=UnopenedFilter(is_expected=is_expected))
        assert words(parts) == "Hi.\n</think>\nx"


def test_a_call_behind_thinking_without_an_opening_tag_is_a_call() -> None:
    text = f"A fox, then.\n</think>\n\n{MARKED['Hermes']}"
    parts = answer(text, 3, unopened=UnopenedFilter(is_expected=True))
    assert (words(parts), prompts(parts)) == ("", ["a fox"])


@given(st.text(st.sampled_from("<>/think[] \n.ab"), max_size=60), st.integers(1, 9), st.booleans())
@example("a.\n</think>b", 1, False)  # noqa: FBT003
def test_what_is_shown_behind_thinking_does_not_depend_on_how_it_was_cut(
    text: str,
    size: int,
    is_expected: bool,  # noqa: FBT001
) -> None:
    def shown(size: int) -> tuple[str, bool]:
        hidden = UnopenedFilter(is_expected=is_expected)
        pieces = [hidden.add(text[at : at + size]) for at in range(0, len(text), size)]
        return "".join([*pieces, hidden.end()]), hidden.was_found

    whole, found = shown(1_000)
    cut, same = shown(size)
    assert found == same
    assert cut == whole or (found and cut.endswith(whole))
