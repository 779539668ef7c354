"""The event of a background run, as it is sent to Lambda, and what is said if it cannot be sent."""

from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.exceptions import ClientError, ConnectTimeoutError, ReadTimeoutError
from botocore.stub import Stubber

from imagegen.aws.run_starter import ALIAS, LambdaRunStarter
from imagegen.domain.errors import StoreUnavailableError
from local.parameters import read_template

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient

EVENT = '{"prompt":"a fox \U0001f98a in the snow"}'


@pytest.fixture
def client() -> "LambdaClient":
    return boto3.client(
        "lambda", region_name="eu-west-1", aws_access_key_id="a", aws_secret_access_key="b"
    )


def test_the_function_invokes_its_own_alias_and_waits_for_nothing(client: "LambdaClient") -> None:
    sent: dict[str, Any] = {
        "FunctionName": "generate:live",
        "InvocationType": "Event",
        "Payload": EVENT.encode(),
    }
    with Stubber(client) as stubber:
        stubber.add_response("invoke", {"StatusCode": 202}, sent)
        LambdaRunStarter(client, "generate").start(EVENT)


@pytest.mark.parametrize(
    ("code", "status"),
    [
        ("AccessDeniedException", 403),
        ("TooManyRequestsException", 429),
        ("RequestTooLargeException", 413),
        ("ResourceNotFoundException", 404),
        ("ServiceException", 500),
        ("ENILimitReachedException", 502),
    ],
)
def test_every_refusal_of_lambda_is_one_error_of_ours(
    client: "LambdaClient", code: str, status: int
) -> None:
    with Stubber(client) as stubber:
        stubber.add_client_error("invoke", code, "in AWS's words", status)
        with pytest.raises(StoreUnavailableError) as found:
            LambdaRunStarter(client, "generate").start(EVENT)
    assert "AWS" not in str(found.value)
    assert "fox" not in str(found.value)
    assert found.value.charged is None, "nobody has looked yet"
    assert found.value.hint == code
    assert found.value.retry_after_seconds == 2
    assert isinstance(found.value.__cause__, ClientError)


@pytest.mark.parametrize("error", [ConnectTimeoutError, ReadTimeoutError])
def test_a_lost_answer_is_the_same_error(error: type[Exception]) -> None:
    class Lost:
        def invoke(self, **_: Any) -> None:
            raise error(endpoint_url="https://lambda.test")  # type: ignore[call-arg]

    with pytest.raises(StoreUnavailableError):
        LambdaRunStarter(Lost(), "generate").start(EVENT)  # type: ignore[arg-type]


def test_the_alias_is_the_templates() -> None:
    assert read_template()["Globals"]["Function"]["AutoPublishAlias"] == ALIAS
