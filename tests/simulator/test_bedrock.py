"""boto3 works against the simulated Bedrock unchanged; what AWS would refuse is refused."""

import base64
import io
import json
from collections.abc import Callable
from typing import Any

import boto3
import pytest
import requests
from botocore.config import Config
from botocore.exceptions import ClientError
from PIL import Image

from imagegen.providers import RoleAccess, build_provider
from local.simulator import Simulator
from tests.fakes.catalogs import real_catalog
from tests.vendors import vendor

NAME = "bedrock"
CORE = "stability.stable-image-core-v1:1"
type Arm = Callable[..., None]
type Order = Callable[..., requests.Response]
type Client = Callable[..., Any]


@pytest.fixture
def client(sim: Simulator, monkeypatch: pytest.MonkeyPatch) -> Client:
    """Build boto3's clients as its users do, with AWS's own variables for the addresses."""
    monkeypatch.setenv("AWS_ENDPOINT_URL_BEDROCK_RUNTIME", f"{sim.url}/bedrock")
    monkeypatch.setenv("AWS_ENDPOINT_URL_BEDROCK", f"{sim.url}/bedrock")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIASIMULATED")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    once = Config(retries={"total_max_attempts": 1})

    def build(service: str = "bedrock-runtime", region: str = "us-west-2", **more: Any) -> Any:
        return boto3.client(service, region_name=region, config=once, **more)  # type: ignore[call-overload]

    return build


def invoke(client: Any, model: str = CORE, **body: Any) -> Any:
    sent = json.dumps({"prompt": "a fox", **body})
    answer = client.invoke_model(
        modelId=model, body=sent, contentType="application/json", accept="application/json"
    )
    return json.loads(answer["body"].read())


def code_of(call: Callable[[], object]) -> tuple[str, int]:
    with pytest.raises(ClientError) as caught:
        call()
    response = caught.value.response
    return response["Error"]["Code"], response["ResponseMetadata"]["HTTPStatusCode"]


@pytest.mark.parametrize(
    "model", sorted({row.model for row in real_catalog().models if row.provider == NAME})
)
def test_boto3_gets_an_image_of_each_model(client: Client, model: str) -> None:
    body = invoke(client(), model, aspect_ratio="3:2", output_format="jpeg", seed=7)
    image = Image.open(io.BytesIO(base64.b64decode(body["images"][0])))
    assert (image.size, image.format) == ((1216, 832), "JPEG")
    assert (body["seeds"], body["finish_reasons"]) == ([7], [None])


def test_boto3_lists_the_models_with_their_state(client: Client) -> None:
    found = client("bedrock").list_foundation_models(
        byOutputModality="IMAGE", byInferenceType="ON_DEMAND"
    )
    states = {one["modelId"]: one["modelLifecycle"]["status"] for one in found["modelSummaries"]}
    assert states[CORE] == "ACTIVE"
    text = client("bedrock").list_foundation_models(byOutputModality="TEXT")
    assert text["modelSummaries"] == []


def checks_of(client: Any, text: str, *categories: str) -> Any:
    return client.invoke_guardrail_checks(
        messages=[{"role": "user", "content": [{"text": text}]}],
        checks={"contentFilter": {"categories": [{"category": one} for one in categories]}},
    )


def checked(client: Any, text: str, *categories: str) -> dict[str, float]:
    found = checks_of(client, text, *categories)["results"]["contentFilter"]["results"]
    return {one["category"]: one["severityScore"] for one in found}


def test_boto3_gets_the_severities_it_asked_for(client: Client) -> None:
    assert checked(client(), "a murder", "VIOLENCE", "HATE") == {"VIOLENCE": 0.9, "HATE": 0.0}
    assert checked(client(), "a nude", "SEXUAL") == {"SEXUAL": 0.9}
    assert checked(client(), "a fox", "INSULTS") == {"INSULTS": 0.0}


def test_checks_too_answer_with_the_id_of_the_request(client: Client, arm: Arm) -> None:
    assert len(checks_of(client(), "a fox", "HATE")["ResponseMetadata"]["RequestId"]) == 36
    arm(f"{NAME}-checks", "rate_limited")
    with pytest.raises(ClientError) as caught:
        checks_of(client(), "a fox", "HATE")
    assert len(caught.value.response["ResponseMetadata"]["RequestId"]) == 36


@pytest.mark.parametrize(
    ("fault", "code", "status"),
    [
        ("access_denied", "AccessDeniedException", 403),
        ("rate_limited", "ThrottlingException", 429),
        ("model_not_ready", "ModelNotReadyException", 429),
        ("model_gone", "ResourceNotFoundException", 404),
        ("no_on_demand", "ValidationException", 400),
        ("quota", "ServiceQuotaExceededException", 400),
        ("model_timeout", "ModelTimeoutException", 408),
        ("model_error", "ModelErrorException", 424),
        ("internal", "InternalServerException", 500),
        ("unavailable", "ServiceUnavailableException", 503),
    ],
)
def test_boto3_raises_the_exceptions_of_the_service(
    client: Client, arm: Arm, fault: str, code: str, status: int
) -> None:
    arm(NAME, fault)
    assert code_of(lambda: invoke(client())) == (code, status)


def test_a_filtered_prompt_is_a_success_for_boto3(client: Client, arm: Arm) -> None:
    arm(NAME, "refused_without_images")
    body = invoke(client())
    assert body["finish_reasons"] == ["Filter reason: prompt"]
    assert "images" not in body


@pytest.mark.parametrize(
    ("model", "code"),
    [
        ("amazon.nova-canvas-v1:0", "ResourceNotFoundException"),
        ("amazon.titan-image-generator-v2:0", "ResourceNotFoundException"),
        ("stability.stable-image-core-v1:9", "ValidationException"),
        ("stability.sd3-large-v1:0", "ValidationException"),
    ],
)
def test_a_model_that_ended_or_never_was_is_refused(client: Client, model: str, code: str) -> None:
    assert code_of(lambda: invoke(client(), model))[0] == code


@pytest.mark.parametrize("region", ["us-east-1", "eu-central-1"])
def test_a_signature_of_another_region_is_refused(client: Client, region: str) -> None:
    found = code_of(lambda: invoke(client(region=region)))
    assert found == ("InvalidSignatureException", 403)


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"authorization": ""}, "MissingAuthenticationTokenException"),
        ({"authorization": "Bearer sk-1"}, "MissingAuthenticationTokenException"),
        ({"x-amz-date": "20250101T000000Z"}, "InvalidSignatureException"),
        ({"content-type": "text/plain"}, "ValidationException"),
    ],
)
def test_a_request_that_is_not_signed_or_no_json_is_refused(
    sim: Simulator, given: dict[str, str], code: str
) -> None:
    sent = vendor(NAME).order(CORE, "a fox", {})
    headers = {**vendor(NAME).auth("AKIA"), **given}
    url = f"{sim.url}/bedrock{sent.path}"
    answer = requests.post(url, json=sent.body, headers=headers, timeout=10)
    assert answer.headers["x-amzn-errortype"] == code


@pytest.mark.parametrize(
    "wrong",
    [
        {"messages": []},
        {"messages": [{"role": "robot", "content": [{"text": "x"}]}]},
        {"messages": [{"role": "user", "content": []}]},
        {"messages": [{"role": "user", "content": [{"text": ""}]}]},
        {"messages": [{"role": "user", "content": [{"image": "x"}]}]},
        {"checks": {}},
        {"checks": {"contentFilter": {"categories": []}}},
        {"checks": {"contentFilter": {"categories": [{"category": "GORE"}]}}},
        {"guardrailIdentifier": "g"},
    ],
    ids=json.dumps,
)
def test_checks_of_another_shape_are_refused(order: Order, wrong: dict[str, Any]) -> None:
    answer = order("bedrock-checks", **wrong)
    assert answer.status_code == 400
    assert answer.headers["x-amzn-errortype"] == "ValidationException"


def test_the_adapter_follows_awss_own_variable_for_the_address(
    sim: Simulator, client: Client, totals: Callable[[str], Any]
) -> None:
    provider = build_provider(NAME, credential=RoleAccess("us-west-2"))
    models = provider.models(timeout_seconds=10)
    assert models is not None
    assert CORE in models
    assert totals(NAME)["freeCalls"] == 1
