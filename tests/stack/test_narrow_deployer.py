"""Deploys with the deployer's policy alone: another Region, a failed first try, and its limits."""

import json
from collections.abc import Iterator

import boto3
import pytest
from botocore.exceptions import WaiterError

from local.stack import LocalStack
from operations.deployer_policy import Scope
from tests.stack.terminal import ACCOUNT, Terminal, narrow

NAME, REGION = "europe", "eu-central-1"
BROKEN = {
    "Resources": {
        "Alarm": {
            "Type": "AWS::CloudWatch::Alarm",
            "Properties": {
                "ComparisonOperator": "GreaterThanThreshold",
                "EvaluationPeriods": 1,
                "Metrics": [{"Id": "sum", "Expression": "no metric"}],
            },
        }
    }
}
"""A stack whose first resource cannot be created."""


@pytest.fixture(scope="module")
def terminal(
    local_stack: LocalStack, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Terminal]:
    env_file = tmp_path_factory.mktemp("deploy") / ".env.europe"
    env_file.write_text(f"JWT_ISSUER={local_stack.issuer.url}\n")
    with narrow(local_stack.emulator, Scope(NAME, REGION, ACCOUNT), "deployer") as environment:
        yield Terminal(local_stack, NAME, env_file, environment)


@pytest.mark.parametrize(
    "more",
    [
        ("url", "STACK=imagegen-local"),
        ("destroy", "STACK=imagegen-local"),
        ("url",),
        ("deploy-env",),
    ],
)
def test_another_stack_and_another_region_are_not_the_deployers(
    terminal: Terminal, more: tuple[str, ...]
) -> None:
    assert "is not authorized to perform" in terminal.refused(*more)


def test_after_a_failed_first_deploy_the_stack_is_destroyed_and_deployed_in_its_region(
    terminal: Terminal,
) -> None:
    here = f"AWS_REGION={REGION}"
    cloud = boto3.client(
        "cloudformation",
        endpoint_url=terminal.stack.emulator.endpoint,
        region_name=REGION,
        aws_access_key_id="test",
        aws_secret_access_key="test",
    )
    cloud.create_stack(StackName=NAME, TemplateBody=json.dumps(BROKEN))
    with pytest.raises(WaiterError, match="ROLLBACK_COMPLETE"):
        cloud.get_waiter("stack_create_complete").wait(
            StackName=NAME, WaiterConfig={"Delay": 1, "MaxAttempts": 60}
        )
    assert "make destroy" in terminal.refused("deploy", here)
    terminal.make("destroy", here)
    said = terminal.make("deploy", here, "-o", "build")
    assert f"Region      {REGION} (from AWS_REGION)" in said
    listed = json.loads(terminal.make("url", here))
    assert {one["OutputKey"] for one in listed} >= {"EstimateUrl", "TableName", "BucketName"}
    # What stands beside a stack needs a policy of its own.
    for target in ("edge", "news"):
        assert "is not authorized to perform" in terminal.refused(target, here)
    assert "Kept: its table, its bucket" in terminal.make("destroy", here)
