"""The clients of AWS that the stores use: what they send beside what a store asks for."""

from io import BytesIO
from typing import Any

import boto3
import pytest
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.compat import HTTPHeaders
from urllib3 import HTTPResponse

from imagegen.aws import clients

CALLS: dict[str, tuple[str, dict[str, Any]]] = {
    "dynamodb": ("get_item", {"TableName": "table", "Key": {"pk": {"S": "U#one"}}}),
    "s3": ("head_object", {"Bucket": "bucket", "Key": "img/one"}),
    "s3_frames": ("head_object", {"Bucket": "bucket", "Key": "img/one"}),
}


@pytest.mark.parametrize("name", CALLS)
def test_a_call_of_every_image_names_this_service_and_its_sdk(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for variable in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(variable, "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    client, sent = getattr(clients, name).__wrapped__(), list[AWSPreparedRequest]()

    def send(request: AWSPreparedRequest, **_: Any) -> AWSResponse:
        sent.append(request)
        return AWSResponse(
            request.url,
            200,
            HTTPHeaders(),
            HTTPResponse(BytesIO(), status=200, preload_content=False),
        )

    client.meta.events.register("before-send", send)
    call, arguments = CALLS[name]
    getattr(client, call)(**arguments)
    agent = sent[0].headers["User-Agent"]
    # A signed request has it as bytes, an unsigned one as text.
    agent = agent.decode() if isinstance(agent, bytes) else agent
    assert agent.startswith(f"imagegen Boto3/{boto3.__version__} ")
