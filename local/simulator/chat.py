"""A simulated LLM with OpenAI's chat completions, streamed or not, that can call our tool.

https://platform.openai.com/docs/api-reference/chat. Its base URL is not that of the simulated
OpenAI images, so that each can fail without the other.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from secrets import token_hex

from imagegen.chat import INSTRUCTIONS
from local.simulator import chat_dialects
from local.simulator.chat_faults import FAULTS, SCRIPTS
from local.simulator.chat_wishes import TOOL
from local.simulator.chat_words import Reply, Use, reply_to
from local.simulator.clock import now_seconds
from local.simulator.faults import Fault, FaultError, Shows
from local.simulator.jobs import time_text
from local.simulator.keys import check_key
from local.simulator.ledger import Call
from local.simulator.openai import CREATED, error_answer
from local.simulator.scripts import chosen, is_scripted, spoken
from local.simulator.studio import Studio, body_or_empty, tail, with_delay
from local.simulator.wire import Answer, Body, Request, json_answer, page_answer

NAME, BASE, MODEL = "llm", "/llm/v1", "simulated-llm"
PIECE = 12
CHARACTERS_IN_TOKEN = 4


@dataclass(frozen=True, slots=True)
class SimulatedLlm:
    """The simulated LLM; the studio has the armed faults and the recorded calls."""

    studio: Studio

    @property
    def faults(self) -> Mapping[str, Fault]:
        """Return the faults that can be armed."""
        return FAULTS

    def answer(self, request: Request) -> Answer:
        """Return the answer to a request, and record the call."""
        if (request.method, request.path) == ("GET", "/models"):
            self.studio.ledger.record_free(NAME)
            return with_delay(json_answer({"object": "list", "data": model_list()}), 0)
        if (request.method, request.path) != ("POST", "/chat/completions"):
            return with_delay(json_answer({"error": "no such path"}, status=404), 0)
        armed = self.studio.board.take(NAME, str(body_or_empty(request).get("model", "")))
        fault = chosen(armed.fault, request.content) if armed else Fault(None)
        seconds = armed.delay_seconds if armed else 0
        self.studio.ledger.record(call_of(request, fault))
        answer = replace(answered(request, fault), ending=fault.ending, packing=fault.packing)
        return with_delay(answer, seconds)


def model_list() -> list[Body]:
    """Return the models: the plain one, and one for each endpoint whose dialect it speaks."""
    modes = (f"{chat_dialects.PREFIX}{name}" for name in chat_dialects.endpoints())
    return [{"id": name} for name in (MODEL, *modes)]


def answered(request: Request, fault: Fault) -> Answer:
    """Return the answer as the fault changes it."""
    try:
        check_key(request.bearer(), FAULTS)
        body = body_of(request)
    except FaultError as error:
        return error_answer(error.fault)
    if is_scripted(fault):
        return spoken(fault)
    if fault.name and fault.shows is Shows.ERROR:
        return error_answer(fault)
    if fault.shows is Shows.PAGE and fault.name:
        return page_answer(fault.status)
    if refusal := chat_dialects.refusal(body):
        return refusal
    reply = reply_of(body, fault)
    if not body.get("stream"):
        return json_answer(whole(body, reply))
    content = "".join(streamed(body, reply, fault)).encode()
    return Answer(200, content, "text/event-stream; charset=utf-8")


def body_of(request: Request) -> Body:
    """Return the request's body.

    Raises:
        FaultError: the body is not a valid request for a completion.
    """
    body = dict(body_or_empty(request))
    messages = body.get("messages")
    if not isinstance(messages, list) or not all(isinstance(one, dict) for one in messages):
        raise FaultError(FAULTS["bad_request"])
    if not isinstance(body.get("model"), str) or broken_history(messages):
        raise FaultError(FAULTS["bad_request"])
    return body


def broken_history(messages: list[Body]) -> bool:
    """Return whether a tool call lacks its result or a result its call, which OpenAI refuses."""
    open_ids: list[str] = []
    for message in messages:
        if message.get("role") == "tool":
            if message.get("tool_call_id") not in open_ids:
                return True
            open_ids.remove(message["tool_call_id"])
        elif open_ids:
            return True
        open_ids += [one["id"] for one in message.get("tool_calls") or ()]
    return bool(open_ids)


def reply_of(body: Body, fault: Fault) -> Reply:
    """Return the LLM's reply, or the reply that the fault's script gives instead."""
    messages = [without_instructions(one) for one in body["messages"]]
    has_tool = any(one.get("function", {}).get("name") == TOOL for one in body.get("tools") or ())
    script = SCRIPTS.get(fault.name)
    scripted = script(messages) if script else None
    return reply_to(messages, has_tool=has_tool) if scripted is None else scripted


def without_instructions(message: Body) -> Body:
    """Return a message without the instructions that come before a question in one text."""
    text = message.get("content")
    if message.get("role") != "user" or not isinstance(text, str):
        return message
    return {**message, "content": text.removeprefix(f"{INSTRUCTIONS}\n\n")}


BROKEN = {
    "error_in_stream": 'data: {"error": {"message": "overloaded", "code": "server_error"}}\n\n',
    "nonsense": 'data: {"choices": [{"delta": {"tool_calls": "x", "content": 7}}, 3]}\n\n'
    "data: [1, 2]\n\ndata: {broken\n\n",
}
"""The events with which a broken stream ends, after its text, by fault."""


def streamed(body: Body, reply: Reply, fault: Fault) -> Iterator[str]:
    """Yield the stream's events, with text and arguments in pieces."""
    head = frame(body, f"chatcmpl-{token_hex(8)}", "chat.completion.chunk")
    if mode := chat_dialects.mode_of(body["model"]):
        yield from chat_dialects.streamed(mode, head, reply, usage_of(body, reply))
        return
    yield delta(head, {"role": "assistant", "content": ""})
    for piece in pieces(reply.words):
        yield delta(head, {"content": piece})
    if fault.name in BROKEN:
        yield BROKEN[fault.name]
        return
    for index, use in enumerate(reply.uses):
        for call in call_pieces(index, use, fault):
            yield delta(head, {"tool_calls": [call]})
    if fault.name == "no_ending":
        return
    yield delta(head, {}, finish_of(reply, fault))
    if (body.get("stream_options") or {}).get("include_usage") and fault.name != "no_usage":
        yield event({**head, "choices": [], "usage": usage_of(body, reply)})
    yield "data: [DONE]\n\n"


def call_pieces(index: int, use: Use, fault: Fault) -> Iterator[Body]:
    """Yield a tool call in pieces: its name first, then its arguments."""
    identity = "call_same" if fault.name == "same_ids" else f"call_{token_hex(8)}"
    function = {"name": use.name, "arguments": ""}
    yield {"index": index, "id": identity, "type": "function", "function": function}
    end = len(use.arguments) // 2 if fault.name == "cut_short" else None
    for piece in pieces(use.arguments[:end]):
        yield {"index": index, "function": {"arguments": piece}}


def delta(head: Body, piece: Body, finish: str | None = None) -> str:
    """Return an event with the next piece of the answer."""
    return event({**head, "choices": [{"index": 0, "delta": piece, "finish_reason": finish}]})


def event(chunk: Body) -> str:
    """Return one server-sent event."""
    return f"data: {json.dumps(chunk)}\n\n"


def finish_of(reply: Reply, fault: Fault) -> str:
    """Return the ``finish_reason`` of the answer."""
    ends = {"filtered": "content_filter", "cut_short": "length"}
    return ends.get(fault.name) or ("tool_calls" if reply.uses else "stop")


def whole(body: Body, reply: Reply) -> Body:
    """Return the answer in one piece."""
    uses = [
        {
            "id": f"call_{token_hex(8)}",
            "type": "function",
            "function": {"name": use.name, "arguments": use.arguments},
        }
        for use in reply.uses
    ]
    message = {"role": "assistant", "content": reply.words or None, "refusal": None}
    choice = {
        "index": 0,
        "message": {**message, **({"tool_calls": uses} if uses else {})},
        "logprobs": None,
        "finish_reason": "tool_calls" if uses else "stop",
    }
    identity = f"chatcmpl-{token_hex(8)}"
    made = {**frame(body, identity, "chat.completion"), "choices": [choice]}
    return {**made, "usage": usage_of(body, reply)}


def frame(body: Body, identity: str, kind: str) -> Body:
    """Return the fields that every chunk has."""
    return {"id": identity, "object": kind, "created": CREATED, "model": body["model"]}


def usage_of(body: Body, reply: Reply) -> Body:
    """Return the token counts, at four characters for each token."""
    inputs = tokens_in(json.dumps([body["messages"], body.get("tools")]))
    outputs = tokens_in(reply.words + "".join(use.arguments for use in reply.uses))
    return {
        "prompt_tokens": inputs,
        "completion_tokens": outputs,
        "total_tokens": inputs + outputs,
    }


def tokens_in(text: str) -> int:
    """Return how many tokens a text has."""
    return -(-len(text) // CHARACTERS_IN_TOKEN)


def pieces(text: str) -> Iterator[str]:
    """Yield a text in pieces."""
    for start in range(0, len(text), PIECE):
        yield text[start : start + PIECE]


def call_of(request: Request, fault: Fault) -> Call:
    """Return the record of a call."""
    body = body_or_empty(request)
    return Call(
        provider=NAME,
        model=str(body.get("model", "")),
        params={"stream": bool(body.get("stream"))},
        prompt_length=len(request.content),
        at=time_text(now_seconds()),
        outcome=str(fault.outcome or "answered"),
        fault=fault.name or None,
        key_tail=tail(request.bearer()),
    )
