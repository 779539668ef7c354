"""Pictures in a chat: the LLM names them, and only the service turns names into ids."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imagegen.chat import INSTRUCTIONS, tool_definition, with_inputs
from imagegen.domain.chat_usage import most_tokens
from imagegen.domain.errors import InvalidRequestError
from imagegen.domain.inputs import Role
from imagegen.domain.ports import TextPart, ToolUse
from imagegen.logs import HIDDEN, cleaned
from imagegen.providers import PROVIDERS
from imagegen.usecases.chat.llm_call import FIXED_TOKENS
from imagegen.usecases.generate.run import Made
from imagegen.wire.handles import handle, note
from imagegen.wire.messages import TOOL, ChatEvent, ChatRequest, MessageComplete
from tests.fakes.llms import SPENT, ScriptedLlm, TalkingLlm, use
from tests.fakes.service import OTHER_USER, USER, Service
from tests.unit.test_inputs import editors, image_of

LIFETIME_MS = 60_000
DONE = (TextPart("Done."), SPENT)
IDS = ["a" * 64, "b" * 64, "c" * 64]


def talk(service: Service, *messages: dict[str, Any]) -> list[ChatEvent]:
    request = ChatRequest.model_validate({"messages": messages})
    return list(service.chatter.chat(request, USER, ends_ms=service.clock() + LIFETIME_MS))


def offered(*ids: str, content: str = "Here you are.") -> dict[str, Any]:
    images = [{"id": one} for one in ids]
    return {"role": "assistant", "content": content, "imageGenerations": images}


def said(text: str) -> dict[str, Any]:
    return {"role": "user", "content": text}


def last(events: list[ChatEvent]) -> MessageComplete:
    assert isinstance(events[-1], MessageComplete)
    return events[-1]


def test_a_change_passes_the_picture_and_not_a_description_of_it() -> None:
    service = editors()
    one = image_of(service)
    service.llm = ScriptedLlm([(use("make it blue", edit="image 1"), SPENT), DONE])
    message = last(talk(service, said("draw a fox"), offered(one), said("make it blue")))
    (image,) = message.image_generations
    assert image.estimate is not None
    assert [one.role for one in image.estimate.inputs] == [Role.EDIT]
    assert isinstance(service.confirm(image.estimate), Made)
    order = service.providers["alpha"].orders[-1]
    assert order.prompt == "make it blue"
    assert order.inputs[0].content


def test_the_llm_reads_names_in_order_and_never_an_id() -> None:
    service = editors()
    ids = [image_of(service) for _ in range(3)]
    llm = ScriptedLlm([(use("both", edit="image 3", references=["image 1"]), SPENT), DONE])
    service.llm = llm
    history = (said("two foxes"), offered(*ids[:2]), said("one more"), offered(ids[2], content=""))
    message = last(talk(service, *history, said("now both")))
    texts = [turn.text for turn in llm.received[0]]
    assert texts == [
        "two foxes",
        "Here you are.\n\n[Here: image 1, image 2]",
        "one more",
        "[Here: image 3]",
        "now both",
    ]
    estimate = message.image_generations[0].estimate
    assert estimate is not None
    quote_ids = [one[:24] for one in ids]
    assert [one.quote_id for one in estimate.inputs] == [quote_ids[2], quote_ids[0]]
    result = json.loads(llm.received[1][-1].text)
    assert result["image"] == "image 4"
    everything = str(llm.received)
    assert not [one for one in ids if one in everything or one[:24] in everything]


@pytest.mark.parametrize(
    ("named", "number"),
    [
        ("image 2", 2),
        ("Image 2", 2),
        ("[image 2]", 2),
        ("image2", 2),
        ("#2", 2),
        ("2", 2),
        (2, 2),
        ("picture no. 2", 2),
        ("the last image", 3),
        ("latest", 3),
    ],
)
def test_a_name_is_understood_as_llms_write_it(named: object, number: int) -> None:
    found = with_inputs({"prompt": "x", "edit": named}, IDS)
    assert found == {"prompt": "x", "inputs": [{"image": IDS[number - 1], "role": "edit"}]}


@pytest.mark.parametrize(
    "named", ["image 0", "image 4", "image", "the fox", "image 1 or 2", True, -1, 1.5, {}, "9" * 9]
)
def test_another_name_is_a_problem_that_lists_the_names(named: object) -> None:
    with pytest.raises(InvalidRequestError, match="image 1 to image 3"):
        with_inputs({"prompt": "x", "edit": named}, IDS)


def test_without_pictures_the_llm_reads_that_there_is_none() -> None:
    with pytest.raises(InvalidRequestError, match="no picture"):
        with_inputs({"prompt": "x", "edit": "image 1"}, [])


@pytest.mark.parametrize("empty", [{}, {"edit": None}, {"references": []}, {"edit": ""}])
def test_without_a_name_it_is_a_new_picture(empty: dict[str, object]) -> None:
    assert with_inputs({"prompt": "x", **empty}, IDS) == {"prompt": "x"}


@pytest.mark.parametrize("name", ["inputs", "mask"])
def test_an_llm_cannot_pass_ids(name: str) -> None:
    with pytest.raises(InvalidRequestError, match=name):
        with_inputs({"prompt": "x", name: [{"image": IDS[0]}]}, IDS)


@given(st.lists(st.integers(1, 3), max_size=4), st.integers(1, 3))
def test_names_and_ids_are_in_the_same_order(references: list[int], edit: int) -> None:
    arguments = {"prompt": "x", "edit": handle(edit), "references": list(map(handle, references))}
    found = with_inputs(arguments, IDS)["inputs"]
    assert [one["image"] for one in found] == [IDS[number - 1] for number in (edit, *references)]
    assert [one["role"] for one in found] == ["edit", *["reference"] * len(references)]


@given(st.text(), st.text())
def test_no_name_leads_to_an_id_that_is_not_in_the_conversation(edit: str, reference: str) -> None:
    try:
        found = with_inputs({"edit": edit, "references": reference}, IDS)
    except InvalidRequestError:
        return
    assert {one["image"] for one in found.get("inputs", [])} <= set(IDS)


def strange(service: Service) -> str:
    return image_of(service, OTHER_USER)


def unmade(service: Service) -> str:
    return service.estimate("never confirmed").image_id


@pytest.mark.parametrize("other", [strange, unmade, lambda _service: "nonsense"])
def test_a_picture_that_is_not_the_users_own_is_a_problem_for_the_llm(other: Any) -> None:
    service = editors()
    service.llm = ScriptedLlm([(use("blue", edit="image 1"), SPENT), DONE])
    events = talk(service, said("x"), offered(other(service)), said("make it blue"))
    message = last(events)
    assert not message.image_generations
    (call,) = (event for event in events if getattr(event, "problem", None))
    assert call.problem.code == "not_found"  # type: ignore[union-attr]


def test_an_offer_of_the_same_answer_has_the_next_name_and_cannot_be_used_yet() -> None:
    service = editors()
    llm = ScriptedLlm([(use("a fox"), SPENT), (use("blue", "call_2", edit="image 1"), SPENT), DONE])
    service.llm = llm
    talk(service, said("draw a fox, then make it blue"))
    assert json.loads(llm.received[1][-1].text)["image"] == "image 1"
    assert "not made yet" in llm.received[2][-1].text


def test_words_that_look_like_a_name_in_the_users_text_open_nothing() -> None:
    service = editors()
    service.llm = ScriptedLlm(
        [(ToolUse("c", TOOL, '{"prompt": "x", "edit": "image 1"}'), SPENT), DONE]
    )
    events = talk(service, said("[Here: image 1] make it blue"))
    assert not last(events).image_generations


@pytest.mark.parametrize("form", ["openai", "anthropic", "gemini", "mcp"])
def test_the_definition_names_pictures_only_where_it_is_asked_for(form: str) -> None:
    assert '"edit"' not in json.dumps(tool_definition(form))
    with_pictures = json.dumps(tool_definition(form, pictures=True))
    assert '"edit"' in with_pictures
    assert '"items": {"type": "string"}' in with_pictures


def test_the_instructions_say_that_a_change_passes_the_picture() -> None:
    assert "edit" in INSTRUCTIONS
    assert note(1, 1).removesuffix("1]") in INSTRUCTIONS


@pytest.mark.parametrize(
    "text",
    [
        "make it blue",
        "Make it a bit darker, please",
        "same but at night",
        "the same in winter",
        "change the background to a forest",
        "remove the hat",
        "now with a red scarf",
        "Add a moon",
        "replace the fox by a wolf",
        "but at sunset",
    ],
)
def test_the_demo_llm_edits_the_last_picture(text: str) -> None:
    service = editors(llm=TalkingLlm())
    ids = [image_of(service), image_of(service)]
    message = last(talk(service, said("draw foxes"), offered(*ids), said(text)))
    (image,) = message.image_generations
    assert image.estimate is not None
    assert [one.quote_id for one in image.estimate.inputs] == [ids[1][:24]]


def test_the_demo_llm_edits_the_picture_that_is_named() -> None:
    service = editors(llm=TalkingLlm())
    ids = [image_of(service), image_of(service)]
    text = "make image 1 blue in the style of picture 2"
    message = last(talk(service, said("draw foxes"), offered(*ids), said(text)))
    estimate = message.image_generations[0].estimate
    assert estimate is not None
    assert [one.quote_id for one in estimate.inputs] == [ids[0][:24], ids[1][:24]]


@pytest.mark.parametrize("text", ["draw a house", "a picture of a lighthouse", "what is that?"])
def test_the_demo_llm_draws_a_new_picture_of_other_words(text: str) -> None:
    service = editors(llm=TalkingLlm())
    message = last(talk(service, said("draw a fox"), offered(image_of(service)), said(text)))
    estimates = [one.estimate for one in message.image_generations if one.estimate]
    assert not any(one.inputs for one in estimates)


@pytest.mark.parametrize("text", ["make it blue", "same but at night"])
def test_without_a_picture_the_demo_llm_has_nothing_to_change(text: str) -> None:
    service = editors(llm=TalkingLlm())
    message = last(talk(service, said(text)))
    assert not [one for one in message.image_generations if one.estimate and one.estimate.inputs]


def test_the_tokens_of_instructions_and_tool_are_within_what_is_reserved() -> None:
    tool = tool_definition("openai", list(PROVIDERS), pictures=True)
    assert most_tokens(INSTRUCTIONS) + most_tokens(json.dumps(tool)) <= FIXED_TOKENS


def test_a_quote_with_inputs_in_a_history_is_not_read_by_the_llm() -> None:
    service = editors()
    offer = service.estimate("blue", inputs=[{"image": image_of(service)}])
    assert offer.quote.startswith("q2.")
    llm = ScriptedLlm()
    service.llm = llm
    talk(service, said(f"confirm {offer.quote}"))
    assert offer.quote not in str(llm.received)
    assert "confirm" in llm.received[0][0].text


def test_a_quote_with_inputs_is_never_in_a_log_line() -> None:
    service = editors()
    offer = service.estimate("blue", inputs=[{"image": image_of(service)}])
    assert cleaned(f"refused {offer.quote} of a user") == f"refused {HIDDEN} of a user"
