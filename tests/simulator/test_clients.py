"""The four official clients work against the simulator unchanged."""

import base64
import io
from collections.abc import Callable, Iterator
from typing import Any

import openai
import pytest
import requests
import together
from google import genai
from google.genai import errors as gemini_errors
from google.genai import types
from openai.types import ImagesResponse
from PIL import Image
from replicate.client import Client as ReplicateClient
from replicate.exceptions import ModelError, ReplicateError

from imagegen.chat import tool_definition
from local.simulator import Simulator

KEY = "sk-simulated-1234"
type Arm = Callable[..., None]


@pytest.fixture
def openai_client(sim: Simulator) -> Iterator[openai.OpenAI]:
    url = f"{sim.url}/openai/v1"
    with openai.OpenAI(base_url=url, api_key=KEY, max_retries=0) as client:
        yield client


@pytest.fixture
def together_client(sim: Simulator) -> Iterator[together.Together]:
    url = f"{sim.url}/together"  # this client adds /v1 itself
    with together.Together(base_url=url, api_key=KEY, max_retries=0) as client:
        yield client


@pytest.fixture
def replicate_client(sim: Simulator) -> Iterator[ReplicateClient]:
    client = ReplicateClient(api_token=KEY, base_url=f"{sim.url}/replicate")
    client.poll_interval = 0
    yield client
    client._client.close()


@pytest.fixture
def gemini_client(sim: Simulator) -> Iterator[genai.Client]:
    options = types.HttpOptions(base_url=f"{sim.url}/gemini", api_version="v1beta")
    with genai.Client(api_key=KEY, http_options=options) as client:
        yield client


def size_of(content: bytes) -> tuple[int, int]:
    image = Image.open(io.BytesIO(content))
    image.load()
    return image.size


def openai_image(client: openai.OpenAI, **more: Any) -> ImagesResponse:
    params: dict[str, Any] = {"model": "gpt-image-2.5-flare", "quality": "high", **more}
    answer: ImagesResponse = client.images.generate(prompt="a fox", **params)
    return answer


def test_openai_draws_and_reports_its_tokens(openai_client: openai.OpenAI) -> None:
    answer = openai_image(openai_client, size="1024x1024")
    assert answer.data
    assert answer.usage
    assert size_of(base64.b64decode(answer.data[0].b64_json or "")) == (1024, 1024)
    assert answer.usage.output_tokens == 1756


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ("bad_key", openai.AuthenticationError),
        ("unverified_org", openai.PermissionDeniedError),
        ("model_gone", openai.NotFoundError),
        ("moderation_blocked", openai.BadRequestError),
        ("insufficient_quota", openai.RateLimitError),
        ("overloaded", openai.InternalServerError),
        ("cut_before", openai.APIConnectionError),
        ("cut_during", openai.APIConnectionError),
    ],
)
def test_openai_raises_its_own_error(
    openai_client: openai.OpenAI, arm: Arm, fault: str, error: type[Exception]
) -> None:
    arm("openai", fault)
    with pytest.raises(error):
        openai_image(openai_client)


def test_openai_lists_models_and_moderates(openai_client: openai.OpenAI) -> None:
    assert "gpt-image-2.5-flare" in [model.id for model in openai_client.models.list()]
    assert openai_client.models.retrieve("gpt-image-2.5-flare").id == "gpt-image-2.5-flare"
    model = "omni-moderation-latest"
    harmless = openai_client.moderations.create(model=model, input="a fox").results[0]
    harmful = openai_client.moderations.create(model=model, input="a nude fox").results[0]
    assert not harmless.flagged
    assert harmful.flagged
    assert harmful.categories.sexual


def as_data_url(content: bytes) -> str:
    return f"data:image/jpeg;base64,{base64.b64encode(content).decode()}"


def test_openai_moderates_one_picture_in_a_call(openai_client: openai.OpenAI) -> None:
    def ask(*pictures: bytes) -> Any:
        parts: Any = [
            {"type": "text", "text": "a fox"},
            *({"type": "image_url", "image_url": {"url": as_data_url(one)}} for one in pictures),
        ]
        model = "omni-moderation-latest"
        return openai_client.moderations.create(model=model, input=parts).results[0]

    assert not ask(b"harmless").flagged
    harmful = ask(b"moderation-block:violence")
    assert harmful.categories.violence
    assert harmful.category_applied_input_types.violence == ["image"]
    # Hate is looked for in texts alone.
    assert not ask(b"moderation-block:hate").flagged
    with pytest.raises(openai.BadRequestError, match="exceeds maximum of 1") as caught:
        ask(b"one", b"two")
    assert caught.value.code == "too_many_images"


def test_together_draws_inline_and_behind_a_url(together_client: together.Together) -> None:
    ask: dict[str, Any] = {"model": "black-forest-labs/FLUX.2-dev", "prompt": "a fox"}
    inline = together_client.images.generate(
        **ask, width=1216, height=832, response_format="base64"
    )
    linked = together_client.images.generate(**ask, response_format="url", n=2)
    assert inline.data[0].type == "b64_json"
    assert size_of(base64.b64decode(inline.data[0].b64_json)) == (1216, 832)
    assert [datum.type for datum in linked.data] == ["url", "url"]


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ("bad_key", together.AuthenticationError),
        ("third_party_data_sharing_blocked", together.PermissionDeniedError),
        ("model_gone", together.BadRequestError),
        ("refused", together.UnprocessableEntityError),
        ("rate_limited", together.RateLimitError),
        ("error_529", together.InternalServerError),
        ("cut_before", together.APIConnectionError),
    ],
)
def test_together_raises_its_own_error(
    together_client: together.Together, arm: Arm, fault: str, error: type[Exception]
) -> None:
    arm("together", fault)
    with pytest.raises(error):
        together_client.images.generate(model="black-forest-labs/FLUX.2-dev", prompt="a fox")


def test_together_says_what_it_serves_and_whose_key_it_is(
    together_client: together.Together,
) -> None:
    listed: Any = together_client.get("/v1/models", cast_to=object)
    assert "black-forest-labs/FLUX.2-max" in [model["id"] for model in listed]
    assert together_client.whoami().type == "project_api_key"


@pytest.mark.parametrize("model", ["flux-schnell", "flux-1.1-pro"])
def test_replicate_runs_models_of_both_output_shapes(
    replicate_client: ReplicateClient, model: str
) -> None:
    output = replicate_client.run(
        f"black-forest-labs/{model}", input={"prompt": "a fox", "aspect_ratio": "3:2"}
    )
    url: Any = output[0] if isinstance(output, list) else output
    assert size_of(requests.get(url, timeout=10).content) == (1216, 832)


def test_replicate_moves_through_its_statuses(replicate_client: ReplicateClient) -> None:
    job = replicate_client.predictions.create(
        model="black-forest-labs/flux-2-max", input={"prompt": "a fox"}
    )
    seen = [job.status]
    while job.status not in ("succeeded", "failed"):
        job.reload()
        seen.append(job.status)
    assert seen == ["starting", "processing", "succeeded"]
    assert replicate_client.accounts.current().username == "simulated"


def test_replicate_raises_its_own_errors(replicate_client: ReplicateClient, arm: Arm) -> None:
    model, ask = "black-forest-labs/flux-2-max", {"prompt": "a fox"}
    arm("replicate", "out_of_credit", times=1)
    with pytest.raises(ReplicateError) as no_credit:
        replicate_client.run(model, input=ask)
    arm("replicate", "refused", times=1)
    with pytest.raises(ModelError, match="NSFW"):
        replicate_client.run(model, input=ask)
    assert no_credit.value.status == 402


def gemini_answer(client: genai.Client, prompt: str = "a fox") -> types.GenerateContentResponse:
    image = types.ImageConfig(aspect_ratio="16:9", image_size="2K")
    config = types.GenerateContentConfig(response_modalities=["IMAGE"], image_config=image)
    return client.models.generate_content(
        model="gemini-nano-banana-2.1", contents=prompt, config=config
    )


def test_gemini_draws_inline(gemini_client: genai.Client) -> None:
    answer = gemini_answer(gemini_client)
    parts = answer.parts
    assert parts
    assert parts[0].inline_data
    assert size_of(parts[0].inline_data.data or b"") == (2752, 1536)
    assert answer.usage_metadata
    assert answer.usage_metadata.candidates_token_count == 1680


@pytest.mark.parametrize(
    ("fault", "error", "code"),
    [
        ("bad_key", gemini_errors.ClientError, 400),
        ("model_gone", gemini_errors.ClientError, 404),
        ("rate_limited", gemini_errors.ClientError, 429),
        ("overloaded", gemini_errors.ServerError, 503),
    ],
)
def test_gemini_raises_its_own_error(
    gemini_client: genai.Client, arm: Arm, fault: str, error: type[Exception], code: int
) -> None:
    arm("gemini", fault)
    with pytest.raises(error) as raised:
        gemini_answer(gemini_client)
    assert getattr(raised.value, "code", None) == code


def test_gemini_refuses_in_a_success(gemini_client: genai.Client, arm: Arm) -> None:
    blocked = gemini_answer(gemini_client, "provider-refusal")
    arm("gemini", "finish_image_safety")
    stopped = gemini_answer(gemini_client)
    assert blocked.prompt_feedback
    assert blocked.prompt_feedback.block_reason == types.BlockedReason.PROHIBITED_CONTENT
    assert stopped.candidates
    assert stopped.candidates[0].finish_reason == types.FinishReason.IMAGE_SAFETY


def test_gemini_lists_models(gemini_client: genai.Client) -> None:
    names = [model.name for model in gemini_client.models.list(config={"page_size": 1})]
    one = gemini_client.models.get(model="gemini-3-pro-image")
    assert one.name in names
    assert len(names) == 3


def test_geminis_client_takes_the_tools_definition() -> None:
    tool = types.Tool.model_validate(tool_definition("gemini"))
    assert tool.function_declarations is not None
    assert tool.function_declarations[0].name == "generate_image"
