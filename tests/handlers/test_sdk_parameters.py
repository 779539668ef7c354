"""Every parameter and value that OpenAI's SDK has for images is taken, or refused by its name.

The lists are read from the SDK's own types, so that a parameter which a later SDK has fails here
until somebody has decided about it.
"""

from collections.abc import Iterator
from io import BytesIO
from typing import Any, Literal, get_args, get_origin, get_type_hints

import openai
import pytest
from openai.types import ImagesResponse
from openai.types.image_edit_params import ImageEditParamsNonStreaming
from openai.types.image_generate_params import ImageGenerateParamsNonStreaming
from openai.types.images_response import UsageInputTokensDetails
from PIL import Image

from tests.fakes.pictures import cutout, picture, png
from tests.handlers.bridge import Bridge, openai_client
from tests.handlers.conftest import Functions
from tests.unit.test_inputs import mask

PROMPT = "A red fox"
ONE = picture(size=(1024, 1024))


def large_cutout() -> bytes:
    out = BytesIO()
    Image.open(BytesIO(cutout())).resize((1024, 1024)).save(out, "PNG")
    return out.getvalue()


REFUSED: dict[str, set[Any]] = {
    "complexity": {"low", "medium", "high"},
    "frame_count": {2, 64},
    "frame_duration_ms": {40, 100},
    "input_fidelity": {"high", "low"},
    "markup": {mask()},
    "moderation": {"none"},
    "n": {0, 5, 10},
    "output_compression": {0, 50, 99},
    "output_format": {"gif", "svg"},
    "partial_images": {1, 2, 3},
    "response_format": {"bytes"},
    "stream": {True},
    "svg": {"model"},
}
"""What is refused, each before anything is paid; one of the first seven exists only for edits."""
TAKEN: dict[str, set[Any]] = {
    "background": {"auto", "opaque", "transparent"},
    "image": {ONE},
    "mask": {mask((1024, 1024))},
    "model": {"standard", "gpt-image-2.5-flare"},
    "moderation": {"auto", "low"},
    "n": {1, 2},
    "output_compression": {100},
    "output_format": {"png", "jpeg", "webp"},
    "partial_images": {0},
    "prompt": {PROMPT},
    "quality": {"auto", "low", "medium", "high", "xhigh", "max", "standard", "hd"},
    "response_format": {"url", "b64_json"},
    "safety_identifier": {"someone"},
    "size": {"auto", "1024x1024", "1536x1024", "1024x1536", "256x256", "512x512", "1792x1024",
             "1024x1792"},
    "stream": {False},
    "style": {"natural", "vivid"},
    "user": {"someone"},
}  # fmt: skip
FILES = {
    "jpeg": [picture("JPEG", size=(1024, 1024))],
    "webp": [picture("WEBP", size=(1024, 1024))],
    "transparent": [large_cutout()],
}
"""What the model makes where it is asked for these."""
PARAMETERS = {
    "generations": get_type_hints(ImageGenerateParamsNonStreaming),
    "edits": get_type_hints(ImageEditParamsNonStreaming),
}


def literals(hint: Any) -> Iterator[Any]:
    if get_origin(hint) is Literal:
        yield from get_args(hint)
    for inner in get_args(hint):
        yield from literals(inner)


def cases(table: dict[str, set[Any]]) -> list[Any]:
    return [
        pytest.param(route, name, value, id=f"{route}-{name}-{str(value)[:12]}")
        for route, hints in PARAMETERS.items()
        for name in hints
        for value in sorted(table.get(name, ()), key=str)
    ]


@pytest.fixture
def bridge(functions: Functions) -> Bridge:
    return Bridge(functions, "generate")


@pytest.fixture
def client(bridge: Bridge) -> openai.OpenAI:
    return openai_client(bridge)


def call(client: openai.OpenAI, route: str, **asked: Any) -> ImagesResponse:
    images: Any = client.images
    sent = {"prompt": PROMPT, **asked}
    made = (
        images.generate(**sent) if route == "generations" else images.edit(**{"image": ONE, **sent})
    )
    assert isinstance(made, ImagesResponse)
    return made


@pytest.mark.parametrize("route", PARAMETERS)
def test_every_parameter_of_the_sdk_and_each_of_its_values_is_decided(route: str) -> None:
    hints = PARAMETERS[route]
    assert hints.keys() <= REFUSED.keys() | TAKEN.keys()
    for name, hint in hints.items():
        values = {one for one in literals(hint) if isinstance(one, str)} if name != "model" else {}
        assert set(values) <= REFUSED.get(name, set()) | TAKEN.get(name, set()), name


def test_no_value_is_both() -> None:
    assert not any(REFUSED.get(name, set()) & values for name, values in TAKEN.items())


@pytest.mark.parametrize(("route", "name", "value"), cases(TAKEN))
def test_what_the_sdk_can_send_is_taken(
    client: openai.OpenAI, functions: Functions, route: str, name: str, value: Any
) -> None:
    made = FILES.get(value, []) if isinstance(value, str) else []
    for provider in functions.service.providers.values():
        provider.reactions = list(made)
    got = call(client, route, **{name: value})
    assert got.data
    if name in {"background", "output_format"} and value != "auto":
        assert getattr(got, name) == value


@pytest.mark.parametrize(("route", "name", "value"), cases(REFUSED))
def test_what_cannot_be_done_is_refused_by_its_name_and_nothing_is_paid(
    client: openai.OpenAI, functions: Functions, route: str, name: str, value: Any
) -> None:
    with pytest.raises(openai.BadRequestError) as caught:
        call(client, route, **{name: value})
    assert caught.value.param == name
    assert not functions.service.called
    assert not functions.service.writes


@pytest.mark.parametrize("route", PARAMETERS)
def test_a_transparent_image_is_no_jpeg(
    client: openai.OpenAI, functions: Functions, route: str
) -> None:
    with pytest.raises(openai.BadRequestError) as caught:
        call(client, route, background="transparent", output_format="jpeg")
    assert caught.value.param in {"background", "output_format"}
    assert not functions.service.called


@pytest.mark.parametrize("route", PARAMETERS)
def test_a_named_model_that_makes_no_transparent_background_is_refused(
    client: openai.OpenAI, functions: Functions, route: str
) -> None:
    with pytest.raises(openai.BadRequestError) as caught:
        call(client, route, model="gemini-3.1-flash-image", background="transparent")
    assert (caught.value.param, caught.value.code) == ("background", "unsupported_parameter")
    assert not functions.service.called


@pytest.mark.parametrize("route", PARAMETERS)
def test_an_opaque_image_is_not_sold_as_a_transparent_one(
    client: openai.OpenAI, functions: Functions, route: str
) -> None:
    for name in functions.service.providers:
        functions.service.react(name, png())
    with pytest.raises(openai.APIStatusError) as caught:
        call(client, route, background="transparent")
    body: Any = caught.value.body
    assert body["imagegen"]["charged"] is False
    assert functions.service.called


# The tokens of an edit.


def counted(functions: Functions, **usage: int) -> None:
    for provider in functions.service.providers.values():
        provider.usage = usage


def test_the_tokens_of_pictures_and_of_words_are_told_apart(
    client: openai.OpenAI, functions: Functions
) -> None:
    counted(functions, input_tokens=1_060, input_image_tokens=1_024, output_tokens=439)
    usage = call(client, "edits").usage
    assert usage is not None
    assert isinstance(usage.input_tokens_details, UsageInputTokensDetails)
    assert usage.input_tokens_details.image_tokens == 1_024
    assert usage.input_tokens_details.text_tokens == 36
    assert (usage.input_tokens, usage.output_tokens, usage.total_tokens) == (1_060, 439, 1_499)


def test_the_tokens_of_several_edits_are_added(client: openai.OpenAI, functions: Functions) -> None:
    counted(functions, input_tokens=1_060, input_image_tokens=1_024, output_tokens=439)
    usage = call(client, "edits", n=3).usage
    assert usage is not None
    details = usage.input_tokens_details
    assert (details.image_tokens, details.text_tokens) == (3_072, 108)
    assert usage.total_tokens == 3 * 1_499


def test_a_replay_tells_the_same_tokens(client: openai.OpenAI, functions: Functions) -> None:
    counted(functions, input_tokens=1_060, input_image_tokens=1_024, output_tokens=439)
    key = {"extra_headers": {"Idempotency-Key": "one-edit-01"}}
    first, second = call(client, "edits", **key), call(client, "edits", **key)
    assert first.usage == second.usage
    assert second.to_dict()["imagegen"]["repeated"] is True  # type: ignore[index]


def test_tokens_of_pictures_that_are_not_counted_apart_are_not_made_up(
    client: openai.OpenAI, functions: Functions
) -> None:
    counted(functions, input_tokens=1_060, output_tokens=439)
    usage = call(client, "edits").usage
    assert usage is not None
    assert usage.total_tokens == 1_499
    assert "input_tokens_details" not in usage.to_dict()


def test_a_count_of_pictures_above_the_whole_input_is_cut_to_it(
    client: openai.OpenAI, functions: Functions
) -> None:
    counted(functions, input_tokens=10, input_image_tokens=1_024, output_tokens=439)
    usage = call(client, "edits").usage
    assert usage is not None
    assert usage.input_tokens_details.to_dict() == {"text_tokens": 0, "image_tokens": 10}
