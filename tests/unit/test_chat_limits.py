"""What one person may use of the chat in a day: reserved before the LLM is called, then settled."""

import re
from collections.abc import Sequence
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imagegen.domain.call_errors import LlmError
from imagegen.domain.chat_usage import (
    MAX_OUTPUT_TOKENS,
    ChatReservation,
    ChatUsage,
    DailyChatLimits,
    chat_limit_reached,
    chat_reserved,
    chat_settled,
    most_tokens,
)
from imagegen.domain.errors import (
    ConfigurationError,
    InvalidRequestError,
    LimitError,
    StoreUnavailableError,
)
from imagegen.domain.ids import provider_name
from imagegen.domain.ledger import Ledger
from imagegen.domain.outcomes import Outcome
from imagegen.domain.ports import AnswerEnd, ChatTurn, TextPart, TokenCount
from imagegen.domain.pricing import prompt_tokens
from imagegen.usecases.chat.limits import ChatLimits, check
from imagegen.usecases.chat.llm_call import FIXED_TOKENS, TokenBudget, call_tokens
from imagegen.wire.messages import ChatEvent, ChatRequest, MessageComplete
from tests.fakes.faults import DiedError, Fault
from tests.fakes.llms import SPENT, Part, Round, ScriptedLlm, use
from tests.fakes.service import IMAGE_ID_KEY, OTHER_USER, USER, Service

DAY = "20261122"
WORDS = (TextPart("Hello."), SPENT)


def request(text: str = "Draw a fox") -> ChatRequest:
    return ChatRequest.model_validate({"messages": [{"role": "user", "content": text}]})


def chat(service: Service, text: str = "Draw a fox", user: str = USER) -> MessageComplete:
    events = list(service.chatter.chat(request(text), user, ends_ms=service.clock() + 60_000))
    assert isinstance(events[-1], MessageComplete)
    return events[-1]


def service_with(*rounds: Round, **limits: int) -> Service:
    llm = ScriptedLlm([*rounds] or [WORDS])
    return Service(llm=llm, chat_limits=DailyChatLimits(**limits))


def usage(service: Service, user: str = USER) -> ChatUsage:
    return service.chat_usages.load(user, DAY)


def test_a_request_and_its_tokens_are_counted() -> None:
    service = service_with((TextPart("Hi"), TokenCount(1_000, 50)))
    chat(service)
    chat(service)
    assert usage(service) == ChatUsage(2, 2_100, {})
    assert usage(service, OTHER_USER) == ChatUsage()


def test_at_the_limit_of_requests_the_llm_is_not_called() -> None:
    service = service_with(chats=2)
    chat(service)
    chat(service)
    with pytest.raises(LimitError) as caught:
        chat(service)
    assert caught.value.code == "daily_chats"
    assert caught.value.retry_after_seconds == 12 * 3600 + 60, "the fake clock begins at noon"
    assert isinstance(service.llm, ScriptedLlm)
    assert len(service.llm.received) == 2
    assert chat(service, user=OTHER_USER).stop_reason == "end"
    service.clock.advance(12 * 3_600_000)
    assert chat(service).stop_reason == "end"


def test_at_the_limit_of_tokens_the_llm_is_not_called() -> None:
    service = service_with((TextPart("Hi"), TokenCount(40_000, 9_000)), tokens=60_000)
    chat(service)
    with pytest.raises(LimitError) as caught:
        chat(service)
    assert caught.value.code == "daily_chat_tokens"
    assert isinstance(service.llm, ScriptedLlm)
    assert len(service.llm.received) == 1


def test_a_blocked_person_is_blocked_in_the_chat_too() -> None:
    service = service_with()
    service.ledgers.ledgers[USER] = Ledger(blocked=True)
    with pytest.raises(LimitError) as caught:
        chat(service)
    assert (caught.value.code, caught.value.retryable) == ("blocked", False)
    assert isinstance(service.llm, ScriptedLlm)
    assert (service.llm.received, usage(service)) == ([], ChatUsage())


@pytest.mark.parametrize(
    ("parts", "least", "most"),
    [
        ([TextPart("Hi"), TokenCount(1_000, 50)], 1_050, 1_050),
        ([TextPart("Hi")], FIXED_TOKENS, FIXED_TOKENS + 20),
        ([TextPart("Hi"), LlmError("no", outcome=Outcome.UNKNOWN)], FIXED_TOKENS, FIXED_TOKENS + 9),
        ([LlmError("no", outcome=Outcome.UNKNOWN)], FIXED_TOKENS, FIXED_TOKENS + 20),
        ([TextPart("Hi"), RuntimeError("bug")], FIXED_TOKENS, FIXED_TOKENS + 20),
        ([LlmError("no", outcome=Outcome.RATE_LIMITED)], 0, 0),
        ([LlmError("no", outcome=Outcome.BAD_PARAMETER)], 0, 0),
        ([TextPart("x" * 40_000)], FIXED_TOKENS + 4_096, FIXED_TOKENS + 4_110),
    ],
)  # fmt: skip
def test_tokens_that_were_not_told_are_counted_at_most(
    parts: Sequence[Part], least: int, most: int
) -> None:
    service = service_with(parts)
    chat(service)
    found = usage(service)
    assert least <= found.tokens <= most
    assert (found.chats, found.reservations) == (1, {})


def test_an_answer_that_is_given_up_midway_is_settled() -> None:
    service = service_with((TextPart("a"), TextPart("b"), SPENT))
    events = service.chatter.chat(request(), USER, ends_ms=service.clock() + 60_000)
    first: list[ChatEvent] = [next(events), next(events)]
    assert len(first) == 2
    events.close()  # type: ignore[attr-defined]
    assert usage(service).reservations == {}
    assert usage(service).tokens >= FIXED_TOKENS


@pytest.mark.parametrize("fault", Fault)
@pytest.mark.parametrize("call", range(8))
def test_a_fault_anywhere_never_makes_the_count_too_low(call: int, fault: Fault) -> None:
    """A run that dies, or whose write or reply is lost, leaves at most its own reservation."""
    service = service_with((use("a fox"), SPENT), WORDS)
    service.wire.faults = {call: fault}
    with suppress(DiedError, StoreUnavailableError):
        chat(service)
    service.new_process()
    assert isinstance(service.llm, ScriptedLlm)
    called, found = len(service.llm.received), usage(service)
    assert found.tokens >= 120 * called
    assert found.chats >= min(called, 1)
    assert found.tokens <= 2 * (FIXED_TOKENS + 10 + 2 * 4_096)


def test_runs_that_die_use_up_the_day_and_never_go_beyond_it() -> None:
    service = service_with(tokens=100_000)
    began = 0
    for _ in range(20):
        service.wire.faults = {2: Fault.DIES_BEFORE}  # ledger, reservation, settlement
        try:
            chat(service)
        except DiedError:
            began += 1
        except LimitError:
            break
        service.new_process()
    assert began == 4
    assert usage(service).tokens <= 100_000


def test_the_llm_is_not_called_when_the_counts_cannot_be_reached() -> None:
    for call in (0, 1):
        service = service_with()
        service.wire.faults = {call: Fault.BEFORE}
        with pytest.raises(StoreUnavailableError):
            chat(service)
        assert isinstance(service.llm, ScriptedLlm)
        assert service.llm.received == []


def test_an_answer_is_whole_although_it_cannot_be_settled() -> None:
    service = service_with()
    service.wire.faults = {2: Fault.BEFORE}
    assert chat(service).stop_reason == "end"
    assert usage(service).reservations


RESERVATIONS = st.lists(
    st.tuples(st.integers(0, 3), st.integers(0, 400), st.integers(0, 400)), max_size=30
)


@given(RESERVATIONS, st.integers(1, 9), st.integers(0, 900))
def test_the_counts_never_exceed_the_limits(
    steps: list[tuple[int, int, int]], chats: int, tokens: int
) -> None:
    """However requests interleave: what is used within its reservation stays within the day."""
    limits, found, taken = DailyChatLimits(chats, tokens), ChatUsage(), list[ChatReservation]()
    for number, (kind, wanted, used) in enumerate(steps):
        if kind and taken:
            reservation = taken[kind % len(taken)]
            found = chat_settled(found, reservation, min(used, reservation.tokens))
            continue
        reservation = ChatReservation(USER, DAY, f"h{number}", wanted)
        if chat_limit_reached(found, wanted, limits, now_ms=0) is None:
            found = chat_reserved(found, reservation)
            taken.append(reservation)
        assert found.chats <= chats
        assert 0 <= found.tokens <= tokens
        assert sum(found.reservations.values()) <= found.tokens


@pytest.mark.parametrize(
    ("text", "tokens"), [("", 0), ("abc", 2), ("a" * 300, 200), ("狐", 3), ("🦊", 4), ("a狐", 4)]
)
def test_tokens_of_a_text_are_never_estimated_too_low(text: str, tokens: int) -> None:
    assert most_tokens(text) == tokens


@pytest.mark.parametrize("text", ["{}" * 300, "!?#%" * 300])
def test_symbols_are_not_estimated_below_the_price_of_a_prompt(text: str) -> None:
    assert most_tokens(text) == prompt_tokens(text) > 2 * len(text) // 3


@given(st.text())
def test_any_text_has_an_estimate_up_to_its_bytes(text: str) -> None:
    size = len(text.encode("utf-8", "surrogatepass"))
    assert -(-2 * size // 3) <= most_tokens(text) <= size
    assert most_tokens(text) >= prompt_tokens(text)


def test_a_request_is_bounded_in_bytes() -> None:
    limits = ChatLimits()
    check(request("a" * 32_000), limits)
    many = [{"role": role, "content": "狐" * 10_001} for role in ("user", "assistant", "user")]
    with pytest.raises(InvalidRequestError):
        check(ChatRequest.model_validate({"messages": many}), limits)


def test_rounds_end_when_the_requests_tokens_are_used() -> None:
    service = service_with((use("a fox"), TokenCount(9_000, 4_000)))
    complete = chat(service)
    assert complete.stop_reason == "tool_limit"
    assert isinstance(service.llm, ScriptedLlm)
    assert len(service.llm.received) == 2, "an offer and the words about it always fit"


def test_the_llm_gets_a_keyed_hash_of_the_user() -> None:
    service = service_with()
    chat(service)
    chat(service, user=OTHER_USER)
    assert isinstance(service.llm, ScriptedLlm)
    first, second = service.llm.users
    assert first == provider_name(USER, "chat", IMAGE_ID_KEY)
    assert re.fullmatch("[0-9a-f]{32}", first)
    assert len({first, second, USER, provider_name(USER, "chat", b"another key")}) == 4


def test_usage_shows_what_is_used_and_left() -> None:
    service = service_with((TextPart("Hi"), TokenCount(1_000, 50)), chats=3, tokens=60_000)
    chat(service)
    shown = service.usage_reader.usage(USER).model_dump(mode="json", by_alias=True)["chat"]
    assert shown == {
        "used": {"requests": 1, "tokens": 1_050},
        "limits": {"requests": 3, "tokens": 60_000},
        "remaining": {"requests": 2, "tokens": 58_950},
    }


def test_without_an_llm_nothing_is_counted() -> None:
    service = service_with()

    def no_llm() -> ScriptedLlm:
        raise ConfigurationError("no LLM")

    object.__setattr__(service.chatter, "llm", no_llm)
    with pytest.raises(ConfigurationError):
        chat(service)
    assert usage(service) == ChatUsage()


@pytest.mark.parametrize(
    ("parts", "stop_reason", "ending"),
    [
        ([AnswerEnd(ran_out=True), TokenCount(500, 4_096)], "length", "I ran out of room"),
        ([TextPart("Once upon a"), AnswerEnd(ran_out=True)], "length", "My answer ends here"),
        ([TextPart(" "), AnswerEnd(ran_out=True)], "length", "I ran out of room"),
        ([SPENT], "end", "I have no answer"),
    ],
)
def test_an_answer_that_ran_out_of_room_says_so(
    parts: Sequence[Part], stop_reason: str, ending: str
) -> None:
    complete = chat(service_with(parts))
    assert complete.stop_reason == stop_reason
    assert complete.content.strip().rpartition("\n\n")[2].startswith(ending)
    assert complete.problem is None


def test_the_llm_is_called_again_only_if_its_longest_answer_fits_into_the_budget() -> None:
    turns = [ChatTurn("user", "a fox")]
    least = call_tokens(turns) + MAX_OUTPUT_TOKENS
    assert TokenBudget(least).has_room(turns)
    assert not TokenBudget(least - 1).has_room(turns)
    assert not TokenBudget(least, used=1).has_room(turns)
