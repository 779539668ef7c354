"""A chat whose answer is sent while it is made."""

import io
import json
import threading
from collections.abc import Iterator, Sequence
from queue import SimpleQueue
from typing import Any

import pytest

from imagegen.domain.ports import AnswerPart, ChatTurn, TextPart
from imagegen.edge.streams import COMMENT, with_comments
from imagegen.runtime.loop import Loop
from imagegen.runtime.runtime_api import END_OF_HEAD, RuntimeApi
from tests.fakes.llms import SPENT, Round, ScriptedLlm, TalkingLlm, use
from tests.fakes.runtime_api import FakeRuntimeApi, runtime_api
from tests.fakes.sse import events_in
from tests.handlers.conftest import Functions


@pytest.fixture
def lambda_api() -> Iterator[FakeRuntimeApi]:
    with runtime_api() as running:
        yield running


class WaitingLlm(TalkingLlm):
    """Says its first word, and the last one only when a reader has the first."""

    first_was_read = threading.Event()

    def answer(
        self, turns: Sequence[ChatTurn], *, timeout_seconds: float, user: str = ""
    ) -> Iterator[AnswerPart]:
        del turns, timeout_seconds, user
        yield TextPart("First")
        assert self.first_was_read.wait(10), "the first word is held back until the last one"
        yield TextPart(" last.")
        yield SPENT


def chat_event(functions: Functions, body: Any = None) -> dict[str, Any]:
    event = functions.event("estimate/prompt-only")
    event["rawPath"] = event["requestContext"]["http"]["path"] = "/chat"
    asked = {"messages": [{"role": "user", "content": "Draw a fox"}]}
    event["body"] = json.dumps(body or asked)
    return event


def loop_of(functions: Functions, fake: FakeRuntimeApi) -> Loop:
    handler = functions.modules["chat"].lambda_handler
    return Loop(RuntimeApi(fake.address), handler, io.StringIO())


def test_a_word_is_sent_before_the_llm_says_the_next(
    functions: Functions, lambda_api: FakeRuntimeApi
) -> None:
    functions.service.llm = llm = WaitingLlm()
    lambda_api.put(chat_event(functions))
    runner = threading.Thread(target=loop_of(functions, lambda_api).run_once)
    runner.start()
    sent, seen = lambda_api.next_sent(), b""
    while b"First" not in seen:
        piece = sent.pieces.get(timeout=10)
        assert piece is not None
        seen += piece
    assert b" last." not in seen
    llm.first_was_read.set()
    body = (seen + sent.body()).partition(END_OF_HEAD)[2].decode()
    runner.join(10)
    events = events_in(body)
    assert [name for name, _ in events][0::3] == ["message_start", "message_complete"]
    assert events[-1][1]["content"] == "First last."


def test_streamed_and_whole_answers_have_the_same_events(
    functions: Functions, lambda_api: FakeRuntimeApi
) -> None:
    rounds: list[Round] = [[TextPart("A fox?"), use("a fox"), SPENT], [TextPart("There."), SPENT]]
    functions.service.llm = ScriptedLlm([*rounds])
    whole = functions.invoke("chat", chat_event(functions))
    functions.service.llm = ScriptedLlm([*rounds])
    lambda_api.put(chat_event(functions))
    loop_of(functions, lambda_api).run_once()
    head, _, body = lambda_api.next_sent().body().partition(END_OF_HEAD)
    assert json.loads(head) == {
        "statusCode": whole["statusCode"],
        "headers": whole["headers"],
    }
    names = [name for name, _ in events_in(body.decode())]
    assert names == [name for name, _ in events_in(whole["body"])]
    assert "tool_call" in names


@pytest.mark.parametrize(
    ("body", "status"), [({"messages": []}, 422), ({"messages": [{"role": "user"}]}, 422)]
)
def test_a_request_that_is_refused_keeps_its_status(
    functions: Functions, lambda_api: FakeRuntimeApi, body: Any, status: int
) -> None:
    lambda_api.put(chat_event(functions, body))
    loop_of(functions, lambda_api).run_once()
    head, _, problem = lambda_api.next_sent().body().partition(END_OF_HEAD)
    assert json.loads(head)["statusCode"] == status
    assert json.loads(problem)["status"] == status


def test_a_request_without_a_token_keeps_its_status(
    functions: Functions, lambda_api: FakeRuntimeApi
) -> None:
    event = chat_event(functions)
    del event["headers"]["authorization"]
    lambda_api.put(event)
    loop_of(functions, lambda_api).run_once()
    head, _, _ = lambda_api.next_sent().body().partition(END_OF_HEAD)
    assert json.loads(head)["statusCode"] == 401


def test_what_a_streamed_answer_used_is_counted(
    functions: Functions, lambda_api: FakeRuntimeApi
) -> None:
    lambda_api.put(chat_event(functions))
    loop_of(functions, lambda_api).run_once()
    lambda_api.next_sent().body()
    assert len(functions.service.answered) == 1


def test_silence_is_filled_with_comments_until_the_next_piece() -> None:
    may_go_on: SimpleQueue[str] = SimpleQueue()

    def pieces() -> Iterator[str]:
        yield "first"
        yield may_go_on.get(timeout=10)

    stream = with_comments(pieces(), silence_seconds=0.001)
    seen = [next(stream)]
    while seen[-1] != COMMENT:
        seen.append(next(stream))
    may_go_on.put("last")
    seen += stream
    assert [one for one in seen if one != COMMENT] == ["first", "last"]


def test_an_error_of_the_pieces_is_raised_where_they_are_read() -> None:
    def pieces() -> Iterator[str]:
        yield "first"
        raise ValueError("broken")

    stream = with_comments(pieces(), silence_seconds=60)
    assert next(stream) == "first"
    with pytest.raises(ValueError, match="broken"):
        next(stream)


def test_a_comment_is_no_event() -> None:
    assert events_in(f"event: a\ndata: {{}}\n\n{COMMENT}event: b\ndata: {{}}\n\n") == [
        ("a", {}),
        ("b", {}),
    ]
