"""The real client against the simulated LLM: every way it can misbehave ends a message well."""

import gzip
import json
import zlib
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import requests
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import SecretStr

from imagegen.chat import INSTRUCTIONS, tool_definition
from imagegen.domain.call_errors import LlmError
from imagegen.domain.outcomes import Outcome
from imagegen.domain.ports import ChatTurn, Json, TextPart, TokenCount, ToolUse
from imagegen.domain.text import legible
from imagegen.llm.answer_filter import CONTROL_WORDS
from imagegen.llm.openai_chat import OpenAILlm, build_llm
from imagegen.llm.stream_reader import Reader
from imagegen.llm.tool_calls import MAX_ARGUMENT_CHARACTERS
from imagegen.wire.messages import ChatRequest, MessageComplete
from local.simulator import Simulator
from local.simulator.chat import BASE, MODEL
from local.simulator.chat_faults import FAULTS, SPENDING
from tests.adapters.providers.loopback import Loopback, Reply, Wire, json_reply, serving
from tests.adapters.providers.loopback import ToolUse as Sent
from tests.fakes.catalogs import real_catalog
from tests.fakes.llms import ANY_TEXT
from tests.fakes.service import USER, Service

KEY = "sk-canary-chat-key-1234567890"
ASK = (ChatTurn("user", "Generate a photorealistic sunset over mountains"),)
SSE = {"Content-Type": "text/event-stream"}


def llm_at(url: str, key: str = KEY) -> OpenAILlm:
    tool = tool_definition("openai")
    return build_llm(SecretStr(key), url, MODEL, instructions=INSTRUCTIONS, tool=tool)


@pytest.fixture
def server() -> Iterator[Loopback]:
    with serving() as running:
        yield running


def arm(vendors: Simulator, fault: str, **more: Any) -> None:
    url = f"{vendors.url}/control/providers/llm"
    requests.post(url, json={"fault": fault, **more}, timeout=10).raise_for_status()


def chat(vendors: Simulator, service: Service, text: str = ASK[0].text) -> MessageComplete:
    service.llm = llm_at(vendors.url + BASE)
    request = ChatRequest.model_validate({"messages": [{"role": "user", "content": text}]})
    events = list(service.chatter.chat(request, USER, ends_ms=service.clock() + 20_000))
    assert isinstance(events[-1], MessageComplete)
    return events[-1]


def test_words_tools_and_tokens_come_through_the_stream(vendors: Simulator) -> None:
    *words, asked, spent = llm_at(vendors.url + BASE).answer(ASK, timeout_seconds=10)
    assert "".join(one.text for one in words if isinstance(one, TextPart)).startswith("Let me")
    assert isinstance(asked, ToolUse)
    assert json.loads(asked.arguments) == {"prompt": "a photorealistic sunset over mountains"}
    assert isinstance(spent, TokenCount)
    assert spent.output_tokens > 0


PACKED: dict[str, tuple[str, Callable[[bytes], bytes]]] = {
    "gzip": ("gzip", gzip.compress),
    "deflate": ("deflate", zlib.compress),
    "gzip without a label": ("", gzip.compress),
    "not packed, labelled as gzip": ("gzip", bytes),
}


@pytest.mark.parametrize("kind", PACKED)
def test_a_packed_stream_is_unpacked(kind: str, server: Loopback) -> None:
    label, pack = PACKED[kind]
    chunk = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": MODEL}
    choice = {"index": 0, "delta": {"content": "Good morning."}, "finish_reason": "stop"}
    events = f"data: {json.dumps(chunk | {'choices': [choice]})}\n\ndata: [DONE]\n\n"
    headers = SSE | ({"Content-Encoding": label} if label else {})
    server.replies(Reply(200, headers, pack(events.encode())))
    parts = list(llm_at(server.origin).answer(ASK, timeout_seconds=10))
    assert [one.text for one in parts if isinstance(one, TextPart)] == ["Good morning."]


def test_a_packed_refusal_of_the_key_is_read(server: Loopback) -> None:
    body = gzip.compress(json.dumps({"error": {"code": "insufficient_quota"}}).encode())
    server.replies(Reply(429, {"Content-Encoding": "gzip"}, body))
    with pytest.raises(LlmError) as caught:
        list(llm_at(server.origin).answer(ASK, timeout_seconds=10))
    assert caught.value.outcome is Outcome.ACCOUNT


ENDS: dict[str, tuple[str, str | None, int]] = {
    "slow": ("end", None, 1),
    "no_usage": ("end", None, 1),
    # The limit of tokens cuts its last words off, too.
    "cut_short": ("length", None, 0),
    "same_ids": ("end", None, 2),
    "echo": ("end", None, 1),
    "empty": ("end", None, 0),
    "injected": ("end", None, 0),
    "broken_arguments": ("end", None, 0),
    "hallucinated_arguments": ("end", None, 0),
    "unknown_tool": ("end", None, 0),
    "spending_tool": ("end", None, 0),
    "many_tools": ("end", None, 4),
    "endless_tools": ("tool_limit", None, 4),
    "cut_before": ("error", "llm_unknown", 0),
    "cut_stream": ("error", "llm_unknown", 0),
    "no_ending": ("error", "llm_unknown", 0),
    "not_json": ("error", "llm_unknown", 0),
    "nonsense": ("error", "llm_unknown", 0),
    "timeout": ("error", "llm_unknown", 0),
    "error_in_stream": ("error", "llm_unavailable", 0),
    "filtered": ("error", "llm_refused", 0),
    "bad_key": ("error", "llm_account", 0),
    "missing_key": ("error", "llm_account", 0),
    "insufficient_quota": ("error", "llm_account", 0),
    "rate_limited": ("error", "llm_rate_limited", 0),
    "model_gone": ("error", "llm_model_gone", 0),
    "bad_request": ("error", "llm_bad_parameter", 0),
    **dict.fromkeys(
        ("server_error", "bad_gateway", "overloaded", "gateway_timeout"),
        ("error", "llm_unavailable", 0),
    ),
    **dict.fromkeys(("error_520", "error_524", "error_529"), ("error", "llm_unavailable", 0)),
}


def test_every_misbehaviour_is_tested() -> None:
    assert set(ENDS) == set(FAULTS)


@pytest.mark.parametrize("fault", sorted(ENDS))
def test_a_misbehaving_llm_ends_the_message_in_words_and_spends_nothing(
    vendors: Simulator, fault: str
) -> None:
    service = Service(catalog=real_catalog())
    arm(vendors, fault)
    if fault == "timeout":
        service.llm = llm_at(vendors.url + BASE)
        with pytest.raises(LlmError) as caught:
            list(service.llm.answer(ASK, timeout_seconds=0.3))
        assert caught.value.code == ENDS[fault][1]
        return
    complete = chat(vendors, service)
    code = complete.problem.code if complete.problem else None
    assert (complete.stop_reason, code, len(complete.image_generations)) == ENDS[fault]
    assert complete.content.strip()
    assert KEY not in complete.model_dump_json()
    assert service.writes == 0


def test_a_stream_that_is_cut_after_an_offer_keeps_the_offer(vendors: Simulator) -> None:
    service = Service(catalog=real_catalog())
    arm(vendors, "cut_stream", times=1)
    first = chat(vendors, service)
    assert (first.stop_reason, len(first.image_generations)) == ("error", 0)
    assert chat(vendors, service).stop_reason == "end", "the next message is well"


def test_an_llm_that_repeats_all_it_knows_knows_no_quote(vendors: Simulator) -> None:
    service = Service(catalog=real_catalog())
    arm(vendors, "echo")
    complete = chat(vendors, service)
    estimate = complete.image_generations[0].estimate
    assert estimate is not None
    assert estimate.button_label in complete.content
    for secret in (estimate.quote, estimate.image_id, estimate.quote_id, KEY, SPENDING):
        assert secret not in complete.content


def test_the_wire_has_the_model_the_tool_and_the_limit_and_is_asked_once(server: Loopback) -> None:
    server.replies(json_reply(500, {"error": {"message": KEY}}))
    with pytest.raises(LlmError) as caught:
        list(llm_at(server.origin + "/v1").answer(ASK, timeout_seconds=5))
    (sent,) = server.asked
    body = sent.json()
    assert sent.path == "/v1/chat/completions"
    assert sent.headers["authorization"] == f"Bearer {KEY}"
    assert (body["model"], body["stream"]) == (MODEL, True)
    assert body["stream_options"] == {"include_usage": True}
    assert body["tools"][0]["function"]["name"] == "generate_image"
    assert body["max_tokens"] > 0
    assert [one["role"] for one in body["messages"]] == ["system", "user"]
    shown = [str(caught.value), repr(caught.value), repr(vars(caught.value))]
    shown += [repr(one) for one in (caught.value.__cause__, caught.value.__context__) if one]
    assert KEY not in "".join(shown)


def test_at_openai_the_limit_has_openais_name() -> None:
    tool = tool_definition("openai")
    llm = build_llm(SecretStr(KEY), "", "m", instructions="", tool=tool)
    assert (llm.provider, llm.limit_name) == ("openai", "max_completion_tokens")
    assert str(llm.client.base_url) == "https://api.openai.com/v1/"
    assert llm.client.max_retries == 0
    elsewhere = build_llm(SecretStr(KEY), "https://llm.test/v1", "m", instructions="", tool=tool)
    assert (elsewhere.provider, elsewhere.limit_name) == ("llm.test", "max_tokens")


@pytest.mark.parametrize("key", ["", "sk-ümlaut", "a\nb"])
def test_a_key_that_no_header_can_carry_is_an_account_error_that_hides_it(key: str) -> None:
    with pytest.raises(LlmError) as caught:
        llm_at("http://127.0.0.1:9/v1", key)
    assert caught.value.outcome is Outcome.ACCOUNT
    assert not key or key not in repr(caught.value)


def test_nobody_there_is_unavailable() -> None:
    with pytest.raises(LlmError) as caught:
        list(llm_at("http://127.0.0.1:9/v1").answer(ASK, timeout_seconds=5))
    assert caught.value.outcome is Outcome.UNAVAILABLE


@pytest.mark.parametrize(
    ("status", "body", "outcome"),
    [
        (403, b"<!DOCTYPE html><title>Attention Required!</title>", Outcome.BLOCKED),
        (401, b"Proxy login", Outcome.BLOCKED),
        (403, b'{"error": {"message": "no", "code": "x"}}', Outcome.ACCOUNT),
        (401, b'{"error": {"message": "no", "code": "invalid_api_key"}}', Outcome.ACCOUNT),
        (504, b"<html>timed out</html>", Outcome.UNAVAILABLE),
    ],
)
def test_what_stands_in_front_of_the_llm_says_nothing_about_the_key(
    status: int, body: bytes, outcome: Outcome, server: Loopback
) -> None:
    server.replies(Reply(status, {}, body))
    with pytest.raises(LlmError) as caught:
        list(llm_at(server.origin + "/v1").answer(ASK, timeout_seconds=5))
    assert caught.value.outcome is outcome


def test_a_stream_that_drips_ends_at_the_deadline(server: Loopback) -> None:
    def drip(_: Sent, wire: Wire) -> None:
        wire.send(Reply(200, {**SSE, "Transfer-Encoding": "identity"}).to_bytes())
        wire.drip(b": keep-alive\n\n" * 1_000)

    server.script = drip
    with pytest.raises(LlmError) as caught:
        list(llm_at(server.origin + "/v1").answer(ASK, timeout_seconds=0.5))
    assert caught.value.outcome is Outcome.UNKNOWN


def test_a_redirect_is_not_followed(server: Loopback) -> None:
    server.replies(Reply(307, {"Location": f"{server.origin}/elsewhere"}))
    with pytest.raises(LlmError):
        list(llm_at(server.origin + "/v1").answer(ASK, timeout_seconds=5))
    assert len(server.asked) == 1


def piece(index: Any, identity: str | None, name: str, arguments: str) -> dict[str, Any]:
    call = {"index": index, "id": identity, "function": {"name": name, "arguments": arguments}}
    return {"choices": [{"delta": {"tool_calls": [call]}}]}


def read(*bodies: dict[str, Any]) -> list[ToolUse]:
    reader = Reader()
    for body in (*bodies, {"choices": [{"delta": {}, "finish_reason": "tool_calls"}]}):
        list(reader.read(body))
    return [one for one in reader.end() if isinstance(one, ToolUse)]


def test_pieces_are_joined_by_index_also_where_they_alternate() -> None:
    asked = read(
        piece(0, "a", "one", ""),
        piece(1, "b", "two", ""),
        piece(0, None, "", '{"x"'),
        piece(1, None, "", "[]"),
        piece(0, "", "", ":1}"),
    )
    assert asked == [ToolUse("a", "one", '{"x":1}'), ToolUse("b", "two", "[]")]


def test_a_new_id_under_an_old_index_is_another_use() -> None:
    asked = read(piece(0, "a", "one", "{}"), piece(0, "b", "one", "[]"))
    assert asked == [ToolUse("a", "one", "{}"), ToolUse("b", "one", "[]")]


def test_without_index_and_id_there_is_one_use_with_an_id_of_ours() -> None:
    assert read(piece(None, None, "one", "{"), piece(None, None, "", "}")) == [
        ToolUse("call_0", "one", "{}")
    ]


def test_two_uses_under_one_id_get_two() -> None:
    first, second = read(piece(0, "a", "one", "{}"), piece(1, "a", "one", "[]"))
    assert first.id != second.id


def test_arguments_without_end_are_refused() -> None:
    with pytest.raises(LlmError):
        read(piece(0, "a", "one", "x" * (MAX_ARGUMENT_CHARACTERS + 1)))


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"choices": None},
        {"choices": [None]},
        {"choices": [{"delta": None}]},
        {"choices": [{"delta": {"content": 5, "tool_calls": [None, 3, {"function": []}]}}]},
        {"usage": {"prompt_tokens": "many", "completion_tokens": None}},
    ],
)
def test_chunks_of_any_shape_are_read(body: dict[str, Any]) -> None:
    assert list(Reader().read(body)) == []


def words(*texts: str) -> list[str]:
    reader = Reader()
    bodies: list[Json] = [{"choices": [{"delta": {"content": text}}]} for text in texts]
    said = [one for body in bodies for one in reader.read(body)]
    list(reader.read({"choices": [{"delta": {}, "finish_reason": "stop"}]}))
    return [one.text for one in (*said, *reader.end()) if isinstance(one, TextPart)]


def test_a_character_that_comes_in_two_halves_is_said_whole() -> None:
    assert words("a \ud83e", "\udd8a b") == ["a ", "🦊 b"]


def test_a_half_whose_other_half_never_comes_is_said_as_unreadable() -> None:
    assert words("a \ud83e") == ["a ", "\ufffd"]
    assert words("\udd8a a") == ["\ufffd a"]


def test_arguments_cut_within_a_character_are_whole() -> None:
    (asked,) = read(piece(0, "a", "one", '{"prompt":"\ud83e'), piece(0, None, "", '\udd8a"}'))
    assert asked.arguments == '{"prompt":"🦊"}'


@given(st.lists(ANY_TEXT | st.sampled_from(CONTROL_WORDS).map(str.upper)))
@example(["fox", "<|EOT_ID|>"])
def test_however_words_are_cut_none_is_lost_but_control_words_at_the_end(texts: list[str]) -> None:
    sent, shown = legible("".join(texts)), "".join(words(*texts))
    assert sent.startswith(shown)
    hidden = sent.removeprefix(shown).lower()
    assert not hidden or any(word in hidden for word in CONTROL_WORDS)
    for word in CONTROL_WORDS:
        hidden = hidden.replace(word, "")
    assert not hidden.strip()


def test_an_id_without_end_becomes_one_of_ours() -> None:
    first, second = read(piece(0, "a" * 999, "n", ""), piece(1, "\ud83d", "n", ""))
    assert (first.id, second.id) == ("call_0", "\ufffd")


def test_absurd_counts_of_tokens_are_bounded() -> None:
    reader = Reader()
    usage = {"prompt_tokens": 10**60, "completion_tokens": -5}
    list(reader.read({"usage": usage, "choices": [{"delta": {}, "finish_reason": "stop"}]}))
    assert list(reader.end()) == [TokenCount(1_000_000_000, 0)]


@pytest.mark.parametrize("depth", [300, 900, 100_000])
def test_a_chunk_nested_without_end_ends_the_message_and_nothing_worse(
    server: Loopback, depth: int
) -> None:
    body = f'data: {{"choices": [{"[" * depth}{"]" * depth}]}}\n\n'
    server.replies(Reply(200, SSE, body.encode()))
    with pytest.raises(LlmError):
        list(llm_at(server.origin + "/v1").answer(ASK, timeout_seconds=5))
