"""Upscales and cut-outs in a chat and over MCP: the LLM names a picture, and no prompt is sent."""

from typing import Any

import pytest
from pydantic import ValidationError

from imagegen.chat import tool_definition, with_inputs
from imagegen.domain.errors import InvalidRequestError, ParameterError
from imagegen.domain.operations import Operation
from imagegen.mcp.offers import estimate_definition, offer_result, to_request
from imagegen.usecases.generate.run import Made
from local.simulator.chat_changes import change_of
from tests.fakes.llms import ScriptedLlm, use
from tests.unit.test_chat_pictures import DONE, IDS, last, offered, said, talk
from tests.unit.test_operations import OPERATIONS, a_service, result_of

TOOL_FIELDS = {"prompt": "the fox, larger"}


@pytest.mark.parametrize("name", OPERATIONS)
def test_the_llm_offers_it_for_a_picture_of_the_conversation(name: str) -> None:
    wanted = OPERATIONS[name]
    service, image_id = a_service()
    service.react("alpha", result_of(wanted))
    service.llm = ScriptedLlm([(use("larger", edit="image 1", **wanted), DONE[1]), DONE])
    message = last(talk(service, said("a fox"), offered(image_id), said("make it larger")))
    (image,) = message.image_generations
    assert image.estimate is not None
    assert (image.prompt, image.estimate.operation) == ("", wanted["operation"])
    made = service.confirm(image.estimate)
    assert isinstance(made, Made)
    assert made.record.operation == wanted["operation"]


@pytest.mark.parametrize(
    ("named", "at"),
    [({"edit": "image 2"}, 1), ({"edit": 1}, 0), ({}, 2), ({"edit": ""}, 2), ({"edit": "last"}, 2)],
)
@pytest.mark.parametrize("operation", ["upscale", "cutout"])
def test_without_a_name_it_is_the_last_picture(
    operation: str, named: dict[str, Any], at: int
) -> None:
    found = with_inputs({**TOOL_FIELDS, "operation": operation, **named}, IDS)
    assert found == {"operation": operation, "inputs": [{"image": IDS[at], "role": "edit"}]}


def test_a_reference_alone_is_the_picture_that_is_worked_on() -> None:
    found = with_inputs({"prompt": "x", "operation": "cutout", "references": ["image 1"]}, IDS)
    assert found["inputs"] == [{"image": IDS[0], "role": "edit"}]


def test_without_a_picture_there_is_nothing_to_work_on() -> None:
    with pytest.raises(InvalidRequestError, match="no picture in this conversation"):
        with_inputs({"prompt": "x", "operation": "upscale"}, [])


@pytest.mark.parametrize("operation", [None, "generate"])
def test_other_calls_keep_their_prompt(operation: str | None) -> None:
    found = with_inputs({"prompt": "a fox", "operation": operation}, IDS)
    assert found["prompt"] == "a fox"
    assert "inputs" not in found


@pytest.mark.parametrize("form", ["openai", "anthropic", "gemini", "mcp"])
def test_the_tool_has_the_operation_only_where_pictures_have_names(form: str) -> None:
    assert "upscale" in str(tool_definition(form, pictures=True))
    assert "upscale" not in str(tool_definition(form))


def test_mcp_prices_an_operation_on_an_image_by_its_id() -> None:
    properties = estimate_definition(["alpha"])["inputSchema"]["properties"]
    assert properties["operation"]["enum"] == list(Operation)
    assert properties["scale"]["enum"] == [2, 4]
    given = {"inputs": [{"image": "x", "role": "edit"}], "operation": "upscale", "scale": 4}
    for more in ({}, TOOL_FIELDS, {"prompt": ""}):
        request = to_request({**given, **more})
        assert (request.prompt, request.scale) == ("", 4)
    assert to_request(TOOL_FIELDS).prompt == TOOL_FIELDS["prompt"]
    with pytest.raises(ValidationError):
        to_request({"inputs": given["inputs"]})


def test_mcps_offer_of_an_operation_has_no_link_that_could_not_repeat_it() -> None:
    service, image_id = a_service()
    request = to_request({"operation": "cutout", "inputs": [{"image": image_id}]})
    estimate = service.functions.estimator.estimate(request, "a1" * 16)
    result = offer_result(request, estimate, "https://page.test")
    offer = result["structuredContent"]
    assert (offer["operation"], offer["offerUrl"]) == ("cutout", None)
    assert offer["buttonLabel"] == "Cut Out Image for $0.02"
    assert estimate.quote not in str({**result, "_meta": None})


@pytest.mark.parametrize(
    ("text", "operation"),
    [
        ("make it larger", "upscale"),
        ("Please upscale image 1", "upscale"),
        ("in a higher resolution", "upscale"),
        ("remove the background", "cutout"),
        ("cut the fox out", "cutout"),
    ],
)
def test_the_demo_llm_offers_it(text: str, operation: str) -> None:
    assert change_of(text, ["image 1"]) == {
        "prompt": text,
        "edit": "image 1",
        "operation": operation,
    }
    assert not change_of(text.replace("image 1", "it"), [])


def test_what_an_llm_adds_that_an_operation_lacks_is_a_problem_it_can_read() -> None:
    service, image_id = a_service()
    request = to_request({"operation": "cutout", "inputs": [{"image": image_id}], "style": "oil"})
    with pytest.raises(ParameterError, match="takes no style"):
        service.functions.estimator.estimate(request, "a1" * 16)
