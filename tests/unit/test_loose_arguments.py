"""What models write loosely into a tool call is read in the one meaning that it can have."""

import json
from typing import Any

import pytest

from imagegen.domain.ports import TextPart, ToolUse
from imagegen.usecases.chat.llm_call import parse_arguments, parse_request
from imagegen.wire.estimates import Estimate, EstimateRequest
from imagegen.wire.loose_arguments import LEFT_OUT, as_meant
from tests.unit.test_chatter import PRICED, answered, last

FOX = '{"prompt": "a fox"}'
FIELDS = sorted(EstimateRequest.model_fields.keys() - {"prompt", "max_cost"})


def offer_of(use: ToolUse) -> Estimate | None:
    """Return what a person is offered after a call, ``None`` if the model reads what is wrong."""
    _, _, events = answered((use,), (PRICED, TextPart("It is wrong.")))
    images = last(events).image_generations
    return images[0].estimate if images else None


@pytest.mark.parametrize(
    "name",
    ["generate_image", "Generate_Image", "generate-image", "generateImage", "generate image",
     "generate_image:0", "GENERATE_IMAGE:12"],
)  # fmt: skip
def test_a_name_is_the_tools_in_any_spelling(name: str) -> None:
    assert offer_of(ToolUse("c", name, FOX))


@pytest.mark.parametrize(
    "name",
    ["generate_images", "generate", "image", "regenerate_image", "generate_image:x", "", "search",
     "generate_image_now", "generate.image"],
)  # fmt: skip
def test_another_tools_name_is_not_guessed(name: str) -> None:
    assert offer_of(ToolUse("c", name, FOX)) is None


@pytest.mark.parametrize(
    "text",
    [
        f"```json\n{FOX}\n```",
        f"```\n{FOX}```",
        f"\ufeff{FOX}",
        f"{FOX}<|im_end|>",
        f"{FOX}\n<|tool_call_end|><|eot_id|>\n",
        json.dumps(FOX),
        json.dumps(f"```json\n{FOX}\n```"),
        f"  {FOX}\n",
    ],
)
def test_what_stands_around_the_arguments_is_no_part_of_them(text: str) -> None:
    assert parse_arguments(text) == {"prompt": "a fox"}


def test_a_line_end_in_a_text_may_be_written_as_it_is() -> None:
    assert parse_arguments('{"prompt": "a fox\n\tin snow"}') == {"prompt": "a fox\n\tin snow"}


@pytest.mark.parametrize(
    "text",
    ["a fox", '["a fox"]', "{'prompt': 'a fox'}", '{"prompt": "a fox"', '{"prompt": "a fox",}',
     f"```json\n{FOX}", f"{FOX} and more", '{"prompt": NaN}', "<|im_end|>x"],
)  # fmt: skip
def test_what_is_not_one_object_is_not_repaired(text: str) -> None:
    assert parse_arguments(text) is None


@pytest.mark.parametrize("value", [*sorted(LEFT_OUT), None, " Auto ", "NONE"])
@pytest.mark.parametrize("name", [*FIELDS, "maxCost", "edit", "references"])
def test_a_word_for_no_wish_is_none(name: str, value: str | None) -> None:
    use = ToolUse("c", "generate_image", "")
    assert parse_request(use, {"prompt": "a fox", name: value}) == EstimateRequest(prompt="a fox")


def test_a_prompt_is_what_it_says() -> None:
    assert as_meant({"prompt": "None"}) == {"prompt": "None"}


@pytest.mark.parametrize(
    ("name", "value", "meant"),
    [
        ("quality", " HIGH", "high"),
        ("quality", "Ultra", "ultra"),
        ("size", "Landscape", "landscape"),
        ("size", "1536X1024", "1536x1024"),
        ("size", "1536 × 1024", "1536x1024"),  # noqa: RUF001 - the multiplication sign
        ("size", "1024x1024px", "1024x1024"),
        ("format", "PNG", "png"),
        ("background", "Transparent", "transparent"),
        ("style", "Art Nouveau", "Art Nouveau"),
        ("model", "black-forest-labs/FLUX.2-pro", "black-forest-labs/FLUX.2-pro"),
    ],
)
def test_a_word_of_ours_is_written_as_we_do_and_no_other(name: str, value: str, meant: str) -> None:
    assert as_meant({name: value}) == {name: meant}


@pytest.mark.parametrize(
    ("name", "value"), [("quality", "best"), ("size", "16:9"), ("size", "big"), ("count", "two")]
)
def test_what_could_mean_several_things_is_refused(name: str, value: Any) -> None:
    arguments = json.dumps({"prompt": "a fox", name: value})
    assert offer_of(ToolUse("c", "generate_image", arguments)) is None


@pytest.mark.parametrize("name", ["background", "format", "operation", "quality", "size"])
def test_a_word_of_ours_is_meant_in_small_letters(name: str) -> None:
    assert as_meant({name: " WORD "}) == {name: "word"}
    assert as_meant({name: 5}) == {name: 5}
    assert as_meant({name: None}) == {}


def test_a_fence_may_have_a_name_in_capitals_and_lines() -> None:
    assert parse_arguments('```JSON\n{\n"prompt": "a fox"\n}\n```') == {"prompt": "a fox"}
