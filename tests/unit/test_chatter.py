"""The chat's loop over a scripted LLM: what it may do, and how every message ends."""

import json
from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imagegen.chat.sse import to_sse
from imagegen.domain.call_errors import LlmError
from imagegen.domain.chat_usage import LlmPrices
from imagegen.domain.errors import ConfigurationError, InvalidRequestError
from imagegen.domain.outcomes import Outcome
from imagegen.domain.ports import AnswerEnd, Llm, TextPart, TokenCount, ToolUse
from imagegen.usecases.chat.answer_text import (
    BUSY,
    DECLINED,
    FAILED,
    NOTHING,
    STOPPED,
    TOO_LONG,
)
from imagegen.usecases.chat.chatter import MARGIN_MS
from imagegen.usecases.chat.limits import MAX_ANSWER_CHARACTERS
from imagegen.usecases.chat.llm_call import parse_arguments
from imagegen.wire.estimates import Estimate
from imagegen.wire.messages import (
    ChatEvent,
    ChatRequest,
    MessageComplete,
    MessageStart,
    TextDelta,
    ToolCall,
)
from tests.fakes.catalogs import real_catalog
from tests.fakes.llms import ANY_TEXT, SPENT, Part, Round, ScriptedLlm, use
from tests.fakes.service import USER, Service
from tests.fakes.sse import events_in

LIFETIME_MS = 60_000
LAMBDA_BYTES = 6_291_556 - 1_000
"""Less the headers."""
WORDS = TextPart("Let me see.")
PRICED = TextPart("It costs what the button says.")


def request(*messages: tuple[str, str]) -> ChatRequest:
    given = [{"role": role, "content": text} for role, text in messages or [("user", "Draw a fox")]]
    return ChatRequest.model_validate({"messages": given})


def chat(service: Service, messages: ChatRequest | None = None) -> list[ChatEvent]:
    ends_ms = service.clock() + LIFETIME_MS
    return list(service.chatter.chat(messages or request(), USER, ends_ms=ends_ms))


def answered(*rounds: Round) -> tuple[Service, ScriptedLlm, list[ChatEvent]]:
    llm = ScriptedLlm(list(rounds))
    service = Service(llm=llm)
    return service, llm, chat(service)


def last(events: Sequence[ChatEvent]) -> MessageComplete:
    assert isinstance(events[-1], MessageComplete)
    return events[-1]


def written(events: Sequence[ChatEvent]) -> str:
    return to_sse(events)


def in_lambda(events: Sequence[ChatEvent]) -> bytes:
    """Return the answer as Lambda carries it: text in JSON."""
    return json.dumps({"body": written(events)}, ensure_ascii=False).encode()


def uses(events: Sequence[ChatEvent]) -> list[ToolCall]:
    return [event for event in events if isinstance(event, ToolCall)]


def test_words_to_a_priced_offer() -> None:
    service, _, events = answered((WORDS, use("a fox"), SPENT), (PRICED, SPENT))
    kinds = [type(event) for event in events]
    assert kinds == [MessageStart, TextDelta, ToolCall, TextDelta, TextDelta, MessageComplete]
    complete = last(events)
    (image,) = complete.image_generations
    assert (image.status, image.prompt, image.tool_call_id) == ("pending", "a fox", "call_1")
    assert image.estimate is not None
    assert image.id == image.estimate.image_id
    assert complete.content == "Let me see.\n\nIt costs what the button says."
    assert (complete.stop_reason, complete.problem) == ("end", None)
    assert service.writes == 0


def test_the_llm_gets_the_price_and_never_the_quote_or_the_id() -> None:
    _, llm, events = answered((use("a fox"),), (PRICED,))
    estimate = last(events).image_generations[0].estimate
    assert estimate is not None
    seen = str(llm.received)
    assert estimate.button_label in seen
    for secret in (estimate.quote, estimate.quote_id, estimate.image_id, "q1."):
        assert secret not in seen


def test_several_images_come_in_one_message_each_with_its_own_id() -> None:
    _, llm, events = answered((use("a fox", "c1"), use("a hare", "c2")), (PRICED,))
    images = last(events).image_generations
    assert [one.prompt for one in images] == ["a fox", "a hare"]
    assert len({one.id for one in images}) == 2
    assert [turn.call_id for turn in llm.received[1] if turn.role == "tool"] == ["c1", "c2"]


def test_several_versions_are_one_offer_with_one_button() -> None:
    service, llm, events = answered([use(prompt="a fox", count=4)], [PRICED])
    (image,) = last(events).image_generations
    offer = image.estimate
    assert offer is not None
    assert (len(offer.quotes), image.id) == (4, offer.image_ids[0])
    assert offer.button_label.startswith("Generate 4 Images for $")
    told = json.loads(llm.received[-1][-1].text)
    assert told["buttonLabel"] == offer.button_label
    assert told["price"]["count"] == 4
    assert not any(quote in json.dumps(told) for quote in offer.quotes)
    assert not any(one in json.dumps(told) for one in offer.image_ids)
    assert service.writes == 0


@pytest.mark.parametrize("count", [0, 5, 1.5, True, "many"])
def test_a_wrong_number_of_versions_goes_back_to_the_llm(count: Any) -> None:
    _, llm, events = answered([use(prompt="a fox", count=count)], [PRICED])
    assert last(events).image_generations == ()
    assert json.loads(llm.received[-1][-1].text)["offered"] is False


@pytest.mark.parametrize("count", [4, 4.0, "4"])
def test_an_llm_may_write_a_number_in_its_own_way(count: Any) -> None:
    _, _, events = answered([use(prompt="a fox", count=count)], [PRICED])
    (image,) = last(events).image_generations
    assert image.estimate is not None
    assert image.estimate.price.count == 4


@pytest.mark.parametrize(
    ("tool_use", "code"),
    [
        (use("a fox", model="no-such-model"), "model_not_found"),
        (use("a fox", model="dall-e-3"), "model_retired"),
        (use("a fox", size="5000x5000"), "unsupported_size"),
        (use("a fox", quality="premium"), "invalid_request"),
        (use("a fox", confirm=True), "invalid_request"),
        (use("a fox", max_cost=1), "invalid_request"),
        (use(""), "invalid_request"),
        (use("a fox", provider="nobody"), "invalid_request"),
        (use("a fox", maxCost="0.000001"), "above_max_cost"),
        (ToolUse("call_1", "generate_image", '{"prompt": "a f'), "invalid_request"),
        (ToolUse("call_1", "generate_image", "[]"), "invalid_request"),
        (ToolUse("call_1", "generate_image", '{"prompt": "a", "maxCost": NaN}'), "invalid_request"),
        (ToolUse("call_1", "generate_image", "[" * 100_000), "invalid_request"),
        (ToolUse("call_1", "generate_image", ""), "invalid_request"),
        (ToolUse("call_1", "confirm_generation", '{"quote": "q1.x"}'), "invalid_request"),
        (ToolUse("call_1", "make_image", '{"prompt": "a fox"}'), "invalid_request"),
    ],
)
def test_a_wrong_tool_use_goes_back_to_the_llm_which_explains_it(
    tool_use: ToolUse, code: str
) -> None:
    llm = ScriptedLlm([(tool_use, SPENT), (TextPart("Sorry, I cannot."), SPENT)])
    events = chat(Service(catalog=real_catalog(), llm=llm))
    (tool_call,) = uses(events)
    assert (tool_call.ok, tool_call.image_generation) == (False, None)
    assert tool_call.problem is not None
    assert tool_call.problem.code == code
    result = json.loads(llm.received[1][-1].text)
    assert (result["offered"], result["code"]) == (False, code)
    assert last(events).content == "Sorry, I cannot."
    assert (last(events).stop_reason, last(events).image_generations) == ("end", ())


def test_a_null_argument_counts_as_left_out() -> None:
    nothing: dict[str, Any] = dict.fromkeys(
        ("quality", "size", "style", "maxCost", "provider", "model")
    )
    _, _, events = answered((use("a fox", **nothing),), (PRICED,))
    assert uses(events)[0].ok


def test_no_provider_becomes_a_sentence_and_not_a_broken_stream() -> None:
    service = Service(llm=ScriptedLlm([(use("a fox"),), (TextPart("Later."),)]))
    for provider in service.setups:
        service.setups[provider] = type(service.setups[provider])(has_key=False, enabled=True)
    events = chat(service)
    problem = uses(events)[0].problem
    assert problem is not None
    assert problem.code == "no_provider_available"
    assert last(events).content == "Later."


def test_tool_uses_beyond_a_rounds_limit_are_each_rejected() -> None:
    many = tuple(use(f"a fox {n}", f"c{n}") for n in range(20))
    _, llm, events = answered(many, (PRICED,))
    assert [one.ok for one in uses(events)] == [True] * 4 + [False] * 12
    assistant, *results = llm.received[1][1:]
    assert [one.id for one in assistant.asked] == [turn.call_id for turn in results]


def test_a_llm_that_never_stops_using_the_tool_is_stopped() -> None:
    _, llm, events = answered((use("a fox"),))
    assert last(events).stop_reason == "tool_limit"
    assert last(events).content == STOPPED
    assert (len(llm.received), len(last(events).image_generations)) == (4, 4)


def test_an_empty_answer_becomes_a_sentence() -> None:
    _, _, events = answered((SPENT,))
    assert (last(events).content, last(events).stop_reason) == (NOTHING, "end")


@pytest.mark.parametrize("outcome", Outcome)
def test_a_failing_llm_ends_the_message_with_what_the_person_can_do(outcome: Outcome) -> None:
    error = LlmError("The LLM failed.", outcome=outcome, retry_after_seconds=7)
    service, _, events = answered((WORDS, use("a fox")), (TextPart("It co"), error))
    complete = last(events)
    assert complete.stop_reason == "error"
    assert complete.problem is not None
    assert complete.problem.code == f"llm_{outcome}"
    assert complete.problem.retry_after_seconds == 7
    said = {Outcome.REFUSED: DECLINED, Outcome.RATE_LIMITED: BUSY}.get(outcome, FAILED)
    assert complete.content == f"Let me see.\n\nIt co\n\n{said}"
    assert len(complete.image_generations) == 1, "the offer made before is good"
    assert [one.success for one in complete.llm_api_calls if one.type == "text"] == [True, False]
    assert service.answered == [complete]


def test_what_each_call_took_and_cost_is_listed() -> None:
    service = Service(
        llm=ScriptedLlm([(use("a"), TokenCount(1_000, 10)), (PRICED,)]),
        token_usd_per_million=(Decimal("0.15"), Decimal("0.6")),
    )
    first, second = last(chat(service)).llm_api_calls
    assert first.model_dump(mode="json", by_alias=True)["cost"] == "0.000156"
    assert (first.provider, first.model, first.success) == ("acme", "talker-1", True)
    assert second.type == "text"
    assert (second.input_tokens, second.output_tokens, second.cost) == (None, None, None)


@given(st.integers(0, 10**7), st.integers(0, 10**7))
def test_a_cost_is_never_rounded_down(inputs: int, outputs: int) -> None:
    prices = LlmPrices(Decimal("0.15"), Decimal("0.6"))
    cost = prices.cost_microusd(TokenCount(inputs, outputs))
    assert cost is not None
    assert 0 <= cost - (Decimal("0.15") * inputs + Decimal("0.6") * outputs) < 1


@pytest.mark.parametrize(
    "prices", [LlmPrices(), LlmPrices(Decimal(1)), LlmPrices(None, Decimal(1))]
)
def test_without_both_prices_there_is_no_cost(prices: LlmPrices) -> None:
    assert prices.cost_microusd(SPENT) is None


def test_a_call_may_take_the_rest_of_the_run_and_no_more() -> None:
    _, llm, _ = answered((PRICED,))
    assert llm.timeouts_seconds == [(LIFETIME_MS - MARGIN_MS) / 1000]


def test_without_time_left_the_llm_is_not_called() -> None:
    llm = ScriptedLlm()
    service = Service(llm=llm)
    events = list(service.chatter.chat(request(), USER, ends_ms=service.clock() + MARGIN_MS))
    assert (last(events).stop_reason, llm.received) == ("error", [])


@pytest.mark.parametrize(
    "messages",
    [
        [("user", "Hi"), ("assistant", "Hi")],
        [("user", " \n")],
        [("user", "a" * 30_000)] * 4,
    ],
)
def test_a_history_that_cannot_be_answered_is_refused_before_the_llm(
    messages: list[tuple[str, str]],
) -> None:
    service = Service(llm=ScriptedLlm())
    with pytest.raises(InvalidRequestError):
        service.chatter.chat(request(*messages), USER, ends_ms=service.clock() + LIFETIME_MS)


def test_without_an_llm_the_chat_is_refused() -> None:
    def no_llm() -> Llm:
        raise ConfigurationError("no LLM")

    service = Service()
    chatter = service.chatter
    unset = type(chatter)(no_llm, chatter.offer, chatter.to_problem, chatter.now_ms, chatter.new_id)
    with pytest.raises(ConfigurationError):
        unset.chat(request(), USER, ends_ms=service.clock() + LIFETIME_MS)


def test_the_llm_gets_the_history_without_the_images_ids() -> None:
    image = {"id": "i" * 64}
    history = ChatRequest.model_validate(
        {
            "messages": [
                {"role": "user", "content": "Draw"},
                {"role": "assistant", "content": "", "imageGenerations": [image]},
                {"role": "user", "content": "Again"},
            ]
        }
    )
    llm = ScriptedLlm()
    chat(Service(llm=llm), history)
    assert [turn.role for turn in llm.received[0]] == ["user", "assistant", "user"]
    assert image["id"] not in str(llm.received)
    assert llm.received[0][1].text, "some endpoints refuse an empty turn"


def nested(depth: int) -> str:
    return '{"prompt": "a fox", "x": ' + "[" * depth + "]" * depth + "}"


ARGUMENTS = st.one_of(
    ANY_TEXT,
    st.sampled_from(['{"prompt": "a fox"}', '{"prompt": 1}', '{"prompt": "a", "maxCost": 1e999}']),
    st.builds('{{"prompt": "a fox {}"}}'.format, st.sampled_from(["\\ud83d", "\ud83d", "\\u0000"])),
    st.builds('{{"prompt": "a fox", "{}": 1}}'.format, st.sampled_from(["\\ud83d", "\ud83d", "x"])),
    st.builds(nested, st.integers(240, 270) | st.sampled_from([300, 900, 5_000, 30_000])),
)
PARTS = st.one_of(
    st.builds(TextPart, ANY_TEXT),
    st.builds(ToolUse, ANY_TEXT, st.just("generate_image") | ANY_TEXT, ARGUMENTS),
    st.just(SPENT),
    st.builds(LlmError, st.just("no"), outcome=st.sampled_from(Outcome)),
    st.builds(RuntimeError, st.just("CANARY")),
)


@given(st.lists(st.lists(PARTS, max_size=8), min_size=1, max_size=6))
def test_whatever_an_llm_does_the_message_is_completed_once_with_all_the_text(
    rounds: list[list[Part]],
) -> None:
    service, _, events = answered(*rounds)
    assert [type(event) for event in events].count(MessageComplete) == 1
    complete = last(events)
    assert complete.content == "".join(e.text for e in events if isinstance(e, TextDelta))
    assert complete.content.strip()
    assert complete.image_generations == tuple(
        one.image_generation for one in uses(events) if one.ok
    )
    assert (complete.problem is not None) == (complete.stop_reason == "error")
    assert service.writes == 0
    assert service.answered == [complete]
    names = [name for name, _ in events_in(written(events))]
    assert names.count("message_complete") == 1
    assert "CANARY" not in written(events)


@given(ARGUMENTS)
def test_arguments_are_an_object_that_can_be_repeated_or_nothing(text: str) -> None:
    found: Any = parse_arguments(text)
    assert found is None or isinstance(found, dict)
    used = ToolCall(id="c", name="n", arguments=found, ok=False)
    assert json.loads(used.model_dump_json())["arguments"] is None or found is not None


def test_an_unexpected_error_ends_the_message_with_a_sentence_and_is_reported() -> None:
    bug = RuntimeError("CANARY")
    service, _, events = answered((WORDS, use("a fox"), SPENT), (TextPart("It co"), bug))
    complete = last(events)
    assert complete.content == f"Let me see.\n\nIt co\n\n{FAILED}"
    assert (complete.stop_reason, len(complete.image_generations)) == ("error", 1)
    assert complete.problem is not None
    assert (complete.problem.status, "CANARY" in written(events)) == (500, False)
    assert service.unexpected == [bug]
    assert service.answered == [complete]


def test_an_unexpected_error_of_an_offer_ends_the_message_with_a_sentence_too() -> None:
    bug = ZeroDivisionError("CANARY")

    def broken(*_: object) -> Estimate:
        raise bug

    service = Service(llm=ScriptedLlm([(WORDS, use("a fox"))]))
    chatter = replace(service.chatter, offer=broken)
    events = list(chatter.chat(request(), USER, ends_ms=service.clock() + LIFETIME_MS))
    assert (last(events).stop_reason, service.unexpected) == ("error", [bug])


THOROUGH = pytest.mark.thorough


@pytest.mark.parametrize("character", ["x", "\n", "\u2028", "\x00", '"', "狐", "🦊"])
@pytest.mark.parametrize(
    "length", [pytest.param(1, marks=THOROUGH), 100, pytest.param(3_200_000, marks=THOROUGH)]
)
def test_an_endless_answer_is_cut_off_with_a_sentence_and_keeps_its_offers(
    character: str, length: int
) -> None:
    flood = [TextPart(character * length)] * min(40_000, -(-4_000_000 // length))
    _, _, events = answered((WORDS, use("a fox"), SPENT), flood)
    complete = last(events)
    assert complete.content.endswith(TOO_LONG)
    assert complete.content.startswith(f"Let me see.\n\n{character}")
    assert (complete.stop_reason, len(complete.image_generations)) == ("error", 1)
    assert len(in_lambda(events)) < LAMBDA_BYTES
    again = {"role": "assistant", "content": complete.content}
    ChatRequest.model_validate({"messages": [again]})


def test_no_text_follows_the_last_character_that_fits() -> None:
    first = (TextPart("x" * (MAX_ANSWER_CHARACTERS - 1)), use("a fox"))
    _, _, events = answered(first, (TextPart("a"), TextPart("bcde")))
    assert last(events).content.endswith(f"x\n\na\n\n{TOO_LONG}")


def test_the_longest_answer_that_fits_is_whole() -> None:
    _, _, events = answered((TextPart("x" * MAX_ANSWER_CHARACTERS),))
    assert (last(events).stop_reason, last(events).problem) == ("end", None)
    assert last(events).content == "x" * MAX_ANSWER_CHARACTERS


@pytest.mark.thorough
@pytest.mark.parametrize("character", ["x", "\\u0001", "狐", "🦊"])
def test_endless_tool_uses_are_stopped_and_the_offers_before_them_stay(character: str) -> None:
    prompt = character * (32_000 // (6 if len(character) > 1 else 1))
    long = [ToolUse(f"c{n}", "generate_image", f'{{"prompt": "{prompt}"}}') for n in range(4)]
    bad = [ToolUse(f"c{n}", "rm", f'{{"prompt": "{prompt * 2}"}}') for n in range(4, 16)]
    _, _, events = answered((use("a fox"),), [*long, *bad])
    assert last(events).image_generations
    assert len(in_lambda(events)) < LAMBDA_BYTES
    assert last(events).image_generations == tuple(
        one.image_generation for one in uses(events) if one.ok
    )


def test_what_an_endpoint_wants_back_goes_back_with_the_next_call() -> None:
    first = (TextPart("One."), AnswerEnd(extras={"reasoning": "r"}), use("a fox"))
    _, llm, _ = answered(first, (TextPart("Done."), SPENT))
    (turn,) = (one for one in llm.received[1] if one.asked)
    assert dict(turn.extras) == {"reasoning": "r"}


def test_pieces_of_one_answer_are_not_paragraphs_and_two_answers_are() -> None:
    first = (TextPart("One "), TextPart("fox."), use("a fox"), SPENT)
    _, _, events = answered(first, (TextPart("Done."), SPENT))
    assert last(events).content == "One fox.\n\nDone."


def test_after_a_line_s_end_a_paragraph_begins_at_once() -> None:
    first = (TextPart("One fox.\n"), use("a fox"), SPENT)
    _, _, events = answered(first, (TextPart("Done."), SPENT))
    assert last(events).content == "One fox.\nDone."


def test_each_wrong_argument_is_named_to_the_llm_and_at_most_five() -> None:
    wrong: dict[str, Any] = {f"wrong_{number}": 1 for number in range(7)}
    tool_use = use("", quality="premium", **wrong)
    llm = ScriptedLlm([(tool_use, SPENT), (TextPart("Sorry."), SPENT)])
    (tool_call,) = uses(chat(Service(catalog=real_catalog(), llm=llm)))
    assert tool_call.problem is not None
    assert len(tool_call.problem.detail.split("; ")) == 5
    assert "quality: " in tool_call.problem.detail


def test_tool_uses_that_are_too_long_together_end_the_message_with_a_sentence() -> None:
    arguments = json.dumps({"prompt": "x" * 400_000})
    long = [ToolUse(f"c{number}", "rm", arguments) for number in range(10)]
    _, _, events = answered((use("a fox"),), long)
    assert last(events).stop_reason == "error"
    assert last(events).content == TOO_LONG
    assert len(last(events).image_generations) == 1
    assert len(in_lambda(events)) < LAMBDA_BYTES
