"""The whole chat against endpoints that a test scripts: what is sent, learned, read and sent back."""

# ruff: noqa: E501 a row of a table is one line

import json
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from pydantic import SecretStr

from imagegen.chat import INSTRUCTIONS, tool_definition
from imagegen.domain.call_errors import LlmError
from imagegen.domain.outcomes import Outcome
from imagegen.domain.ports import AnswerPart, ChatTurn, TextPart
from imagegen.llm.dialect import LEARNING_CALLS, DialectMemory
from imagegen.llm.openai_chat import OpenAILlm, build_llm, first_dialect
from imagegen.wire.messages import ChatRequest, MessageComplete
from tests.adapters.providers.loopback import Loopback, Reply, ToolUse, Wire, json_reply, serving
from tests.fakes.catalogs import real_catalog
from tests.fakes.service import USER, Service

SSE = {"Content-Type": "text/event-stream"}
ASK = (ChatTurn("user", "Draw a fox"),)
FOX = json.dumps({"prompt": "A red fox"})
type Rule = Callable[[dict[str, Any]], Reply | None]


@pytest.fixture
def server() -> Iterator[Loopback]:
    with serving() as running:
        yield running


def llm_at(server: Loopback, memory: DialectMemory | None = None) -> OpenAILlm:
    tool = tool_definition("openai")
    url = f"{server.origin}/v1"
    return build_llm(SecretStr("k"), url, "m", instructions=INSTRUCTIONS, tool=tool, memory=memory)


def sse(*bodies: Any, done: bool = True) -> Reply:
    lines = [f"data: {json.dumps(one)}\n\n" for one in bodies] + (
        ["data: [DONE]\n\n"] if done else []
    )
    return Reply(200, SSE, "".join(lines).encode())


def delta(finish: str | None = None, **fields: Any) -> dict[str, Any]:
    return {"choices": [{"index": 0, "delta": fields, "finish_reason": finish}]}


def offering(**extras: Any) -> list[dict[str, Any]]:
    """Return the chunks of one call of the tool; ``extras`` are further fields of the call."""
    function = {"name": "generate_image", "arguments": FOX}
    call = {"index": 0, "id": "zv7", "type": "function", "function": function, **extras}
    return [delta(tool_calls=[call]), delta("tool_calls")]


def two_rounds(*first: dict[str, Any]) -> Callable[[dict[str, Any]], Reply]:
    """Return an endpoint that offers, and then says so."""

    def answer(body: dict[str, Any]) -> Reply:
        if body["messages"][-1]["role"] == "tool":
            return sse(delta("stop", content="It costs what the button says."))
        return sse(*(first or offering()))

    return answer


def serve(server: Loopback, answer: Callable[[dict[str, Any]], Reply], *rules: Rule) -> None:
    """Answer as told, unless a rule refuses the request."""

    def script(asked: ToolUse, _: Wire) -> Reply:
        body = asked.json()
        return next((found for rule in rules if (found := rule(body))), None) or answer(body)

    server.script = script


def refusing(name: str, status: int = 400) -> Rule:
    message = f"Unsupported parameter: '{name}'"
    error = {"error": {"message": message, "param": name, "code": "unsupported_parameter"}}
    return lambda body: json_reply(status, error) if name in body else None


def asking(body: dict[str, Any]) -> list[dict[str, Any]]:
    return [one for one in body["messages"] if one.get("tool_calls")]


def chat(
    server: Loopback, llm: OpenAILlm | None = None, text: str = "Draw a fox"
) -> MessageComplete:
    service = Service(catalog=real_catalog(), llm=llm or llm_at(server))
    request = ChatRequest.model_validate({"messages": [{"role": "user", "content": text}]})
    events = list(service.chatter.chat(request, USER, ends_ms=service.clock() + 20_000))
    assert isinstance(events[-1], MessageComplete)
    return events[-1]


def offered(complete: MessageComplete) -> list[str]:
    assert complete.problem is None
    assert complete.stop_reason == "end"
    return [one.prompt for one in complete.image_generations]


SIGNATURE = {"google": {"thought_signature": "EjQKMg=="}}


@pytest.mark.parametrize(
    "first",
    [
        offering(extra_content=SIGNATURE),
        [
            delta(tool_calls=[{"index": 0, "id": "z", "function": {"name": "generate_image", "arguments": ""}}]),
            delta(tool_calls=[{"index": 0, "function": {"arguments": FOX}, "extra_content": SIGNATURE}]),
            delta("tool_calls"),
        ],
        [*offering()[:1], delta("tool_calls", tool_calls=[{"index": 0, "extra_content": SIGNATURE}])],
        [*offering()[:1], delta(tool_calls=[{"id": "zv7", "extra_content": SIGNATURE}]), delta("tool_calls")],
    ],
    ids=["whole", "second piece", "with the end", "by id alone"],
)  # fmt: skip
def test_a_signature_of_a_call_goes_back_with_it(server: Loopback, first: list[Any]) -> None:
    def unsigned(body: dict[str, Any]) -> Reply | None:
        calls = [call for one in asking(body) for call in one["tool_calls"]]
        error = [
            {"error": {"code": 400, "message": "Function call is missing a thought_signature"}}
        ]
        bad = any(call.get("extra_content") != SIGNATURE for call in calls)
        return json_reply(400, error) if bad else None

    serve(server, two_rounds(*first), unsigned)
    assert offered(chat(server)) == ["A red fox"]
    assert len(server.asked) == 2, "nothing had to be learned"


@pytest.mark.parametrize(
    "pieces",
    [
        {"reasoning_content": ["The user", " wants a fox."]},
        {
            "reasoning": ["Hm"],
            "reasoning_details": [[{"type": "reasoning.encrypted", "data": "x"}]],
        },
        {"provider_specific_fields": [{"thought_signatures": ["s"]}]},
        {"thinking_blocks": [[{"type": "thinking", "thinking": "Hm", "signature": "s"}]]},
        {"anything_new": [{"deep": [1, {"x": None}]}]},
    ],
    ids=str,
)
def test_fields_of_the_message_go_back_with_it(
    server: Loopback, pieces: dict[str, list[Any]]
) -> None:
    first = [delta(**{name: one}) for name, ones in pieces.items() for one in ones]
    serve(server, two_rounds(*first, *offering()))
    complete = chat(server)
    assert offered(complete) == ["A red fox"]
    (message,) = asking(server.asked[1].json())
    for name, ones in pieces.items():
        joined = "".join(ones) if isinstance(ones[0], str) else ones[0]
        assert message[name] == joined
    assert "wants" not in complete.content


@pytest.mark.parametrize("status", [400, 422])
def test_every_optional_field_may_be_refused(server: Loopback, status: int) -> None:
    names = ("max_tokens", "stream_options", "safety_identifier", "max_completion_tokens")
    serve(server, two_rounds(), *(refusing(name, status) for name in names))
    llm = llm_at(server)
    assert offered(chat(server, llm)) == ["A red fox"]
    assert len(server.asked) == 6, "four refusals and two rounds"
    assert offered(chat(server, llm)) == ["A red fox"]
    assert len(server.asked) == 8


def test_what_one_key_learned_the_next_one_has(server: Loopback) -> None:
    memory = DialectMemory(first_dialect(server.origin))
    serve(server, two_rounds(), refusing("stream_options"))
    chat(server, llm_at(server, memory))
    before = len(server.asked)
    chat(server, llm_at(server, memory))
    assert len(server.asked) == before + 2


def test_an_endpoint_that_goes_on_refusing_is_asked_a_bounded_number_of_times(
    server: Loopback,
) -> None:
    def never(body: dict[str, Any]) -> Reply:
        name = next((one for one in body if one not in ("model", "messages")), "tools")
        return json_reply(400, {"error": {"message": f"'{name}' CANARY", "param": name}})

    serve(server, never)
    llm = llm_at(server)
    with pytest.raises(LlmError) as caught:
        list(llm.answer(ASK, timeout_seconds=10, user="u"))
    assert caught.value.outcome is Outcome.BAD_PARAMETER
    assert 1 < len(server.asked) <= LEARNING_CALLS + 1
    assert "CANARY" not in repr(vars(caught.value))
    assert caught.value.__context__ is None
    assert llm.memory.dialect == first_dialect(server.origin), "nothing that did not help is kept"


def test_a_refusal_of_the_words_teaches_nothing(server: Loopback) -> None:
    filtered = {"error": {"code": "content_filter", "message": "'max_tokens'", "status": 400}}
    serve(server, lambda _: json_reply(400, filtered))
    with pytest.raises(LlmError) as caught:
        list(llm_at(server).answer(ASK, timeout_seconds=10))
    assert (caught.value.outcome, len(server.asked)) == (Outcome.REFUSED, 1)


@pytest.mark.parametrize("status", [401, 403, 404, 429, 500, 503])
def test_other_errors_are_not_asked_again(server: Loopback, status: int) -> None:
    serve(server, lambda _: json_reply(status, {"error": {"message": "x", "param": "max_tokens"}}))
    with pytest.raises(LlmError):
        list(llm_at(server).answer(ASK, timeout_seconds=10))
    assert len(server.asked) == 1


def test_a_refusal_inside_a_stream_teaches_too(server: Loopback) -> None:
    error = {
        "error": {"message": "Unrecognized key: 'stream_options'", "type": "invalid_request_error"}
    }
    serve(server, two_rounds(), lambda body: sse(error) if "stream_options" in body else None)
    assert offered(chat(server)) == ["A red fox"]


def test_a_refusal_after_words_ends_the_answer(server: Loopback) -> None:
    error = {"error": {"message": "'stream_options'", "type": "invalid_request_error"}}
    serve(server, lambda _: sse(delta(content="Hel"), error))
    with pytest.raises(LlmError):
        list(llm_at(server).answer(ASK, timeout_seconds=10))
    assert len(server.asked) == 1


def test_an_endpoint_that_does_not_stream_answers_whole(server: Loopback) -> None:
    def answer(body: dict[str, Any]) -> Reply:
        if body.get("stream"):
            return json_reply(400, {"error": {"message": "verify to stream", "param": "stream"}})
        call = {
            "id": "a",
            "type": "function",
            "function": {"name": "generate_image", "arguments": FOX},
        }
        is_last = body["messages"][-1]["role"] == "tool"
        message = {"content": "Done."} if is_last else {"content": None, "tool_calls": [call]}
        usage = {"prompt_tokens": 5, "completion_tokens": 6}
        return json_reply(
            200, {"choices": [{"message": message, "finish_reason": "stop"}], "usage": usage}
        )

    serve(server, answer)
    complete = chat(server)
    assert offered(complete) == ["A red fox"]
    assert [one.output_tokens for one in complete.llm_api_calls if one.type == "text"] == [6, 6]


def test_json_instead_of_the_stream_that_was_asked_for_is_an_answer(server: Loopback) -> None:
    whole = {"choices": [{"message": {"role": "assistant", "content": "Hello"}}]}
    serve(server, lambda _: json_reply(200, json.dumps(whole, indent=2)))
    assert list(llm_at(server).answer(ASK, timeout_seconds=10)) == [TextPart("Hello")]


@pytest.mark.parametrize(
    ("reply", "code"),
    [
        (sse(*offering()[:1]), None),
        (sse(*offering()[:1], done=False), "llm_unknown"),
        (sse(*offering(), done=False), None),
        (Reply(200, {**SSE, "Content-Length": "9999"}, sse(*offering(), done=False).body), None),
        (Reply(200, {**SSE, "Content-Length": "9999"}, sse(*offering()[:1]).body), None),
        (Reply(200, {**SSE, "Content-Length": "9999"}, sse(*offering()[:1], done=False).body), "llm_unknown"),
        (sse(), "llm_unknown"),
        (Reply(200, SSE, b""), "llm_unknown"),
        (json_reply(200, {"hello": 1}), "llm_unknown"),
        (sse(delta("content_filter", content="x")), "llm_refused"),
    ],
    ids=range(10),
)  # fmt: skip
def test_how_an_answer_ends_decides_whether_it_is_whole(
    server: Loopback, reply: Reply, code: str | None
) -> None:
    def answer(body: dict[str, Any]) -> Reply:
        return two_rounds()(body) if body["messages"][-1]["role"] == "tool" else reply

    serve(server, answer)
    complete = chat(server)
    assert (complete.problem.code if complete.problem else None) == code
    assert len(complete.image_generations) == (code is None)


def test_an_answer_of_thinking_alone_ran_out_of_room(server: Loopback) -> None:
    for first in ({"reasoning_content": "Hm"}, {"content": "<think>Hm"}, {"content": ""}):
        usage = {"usage": {"prompt_tokens": 500, "completion_tokens": 4096}}
        reply = sse(delta(**first), {**delta("length", content=""), **usage})
        serve(server, lambda _, reply=reply: reply)  # type: ignore[misc]
        complete = chat(server)
        assert (complete.stop_reason, complete.problem) == ("length", None)
        assert complete.content.startswith("I ran out of room")


def test_thinking_is_not_in_the_message(server: Loopback) -> None:
    serve(server, lambda _: sse(delta(content="<think>\nThe user"), delta(content=" says hi</think>\n\nHello!"), delta("stop")))  # fmt: skip
    assert chat(server).content == "Hello!"


def test_two_that_learn_at_once_both_get_their_answer(server: Loopback) -> None:
    serve(server, two_rounds(), refusing("stream_options"), refusing("max_tokens"))
    llm, found = llm_at(server), list[list[AnswerPart]]()

    def ask() -> None:
        found.append(list(llm.answer(ASK, timeout_seconds=10)))

    threads = [threading.Thread(target=ask) for _ in range(6)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert len(found) == 6
    assert all(one == found[0] for one in found)
    assert not {"stream_options", "max_tokens"} & server.asked[-1].json().keys()


def test_the_time_for_an_answer_is_for_all_its_requests(server: Loopback) -> None:
    times = iter([0.0, 0.0, 6.0, 6.0, 6.0])
    serve(server, two_rounds(), refusing("stream_options"))
    tool = tool_definition("openai")
    llm = build_llm(SecretStr("k"), f"{server.origin}/v1", "m", instructions="", tool=tool)
    late = OpenAILlm(llm.client, llm.provider, "m", "", tool, clock=lambda: next(times))
    with pytest.raises(LlmError):
        list(late.answer(ASK, timeout_seconds=5))
    assert len(server.asked) == 1


@pytest.mark.parametrize(
    "reply",
    [
        json_reply(404, {"detail": "Not Found"}),
        json_reply(405, {"detail": "Method Not Allowed"}),
        Reply(404, {"Content-Type": "text/plain"}, b"404 page not found"),
        json_reply(200, {"error": "Unexpected endpoint or method. (POST /chat/completions)"}),
    ],
    ids=["FastAPI", "405", "text", "LM Studio"],
)
def test_the_problem_says_that_the_address_has_no_version(server: Loopback, reply: Reply) -> None:
    serve(server, lambda _: reply)
    tool = tool_definition("openai")
    llm = build_llm(SecretStr("k"), server.origin, "m", instructions=INSTRUCTIONS, tool=tool)
    with pytest.raises(LlmError, match=r"CHAT_BASE_URL.*/v1"):
        list(llm.answer(ASK, timeout_seconds=10))
    with pytest.raises(LlmError) as caught:
        list(llm_at(server).answer(ASK, timeout_seconds=10))
    assert "CHAT_BASE_URL" not in str(caught.value)


@pytest.mark.parametrize(
    "text",
    [
        f'<tool_call>\n{{"name": "generate_image", "arguments": {FOX}}}\n</tool_call>',
        f"<function=generate_image>{FOX}</function>",
        f'[TOOL_CALLS][{{"name": "generate_image", "arguments": {FOX}}}]',
        f'```json\n{{"name": "generate_image", "parameters": {FOX}}}\n```',
    ],
    ids=["Hermes", "Llama", "Mistral", "JSON"],
)
def test_a_call_that_the_model_writes_as_text_is_an_offer(server: Loopback, text: str) -> None:
    pieces = [delta(content=text[at : at + 4]) for at in range(0, len(text), 4)]
    serve(server, two_rounds(*pieces, delta("stop")))
    complete = chat(server)
    assert offered(complete) == ["A red fox"]
    assert complete.content == "It costs what the button says."
    sent = server.asked[-1].json()["messages"]
    assert [one["role"] for one in sent[-2:]] == ["assistant", "tool"]
    assert sent[-2]["tool_calls"][0]["function"]["arguments"] == FOX
    assert not sent[-2]["content"]


def test_thinking_that_the_template_opens_is_learned_once(server: Loopback) -> None:
    text = "The person says hi.\n</think>\n\nHello!"
    pieces = [delta(content=text[at : at + 4]) for at in range(0, len(text), 4)]
    serve(server, lambda _: sse(*pieces, delta("stop")))
    memory = DialectMemory(first_dialect(""))
    said = [
        "".join(
            part.text
            for part in llm_at(server, memory).answer(ASK, timeout_seconds=10)
            if isinstance(part, TextPart)
        )
        for _ in range(3)
    ]
    assert said == ["The person says hi.\n\n\nHello!", "Hello!", "Hello!"]
    serve(server, lambda _: sse(delta(content="Hi."), delta("stop")))
    list(llm_at(server, memory).answer(ASK, timeout_seconds=10))
    assert not memory.leaves_thinking_open
