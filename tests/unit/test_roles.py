"""The rights of each role, read from the template after SAM's transform."""

import json
from functools import cache
from typing import Any

import pytest

from tests.fakes.catalogs import real_catalog
from tests.fakes.templates import transformed_template


@cache
def resources() -> dict[str, Any]:
    found: dict[str, Any] = transformed_template()["Resources"]
    return found


def roles() -> dict[str, Any]:
    return {
        name: one["Properties"]
        for name, one in resources().items()
        if one["Type"] == "AWS::IAM::Role"
    }


every_role = pytest.mark.parametrize("role", sorted(roles()))


@every_role
def test_a_role_has_no_policy_but_its_own(role: str) -> None:
    assert "ManagedPolicyArns" not in roles()[role]
    (one,) = roles()[role]["Policies"]
    for statement in one["PolicyDocument"]["Statement"]:
        assert statement["Effect"] == "Allow"
        assert statement["Resource"] != "*"
        assert "*" not in str(statement["Action"])


@every_role
def test_a_role_can_be_bounded_and_moved(role: str) -> None:
    bounded = ["BoundsRoles", {"Ref": "PermissionsBoundary"}, {"Ref": "AWS::NoValue"}]
    assert roles()[role]["PermissionsBoundary"] == {"Fn::If": bounded}
    assert roles()[role]["Path"] == {"Ref": "RolePath"}
    assert "RoleName" not in roles()[role], "a given name would need CAPABILITY_NAMED_IAM"


@pytest.mark.parametrize("function", ["Estimate", "Generate", "Health", "Chat", "Admin", "Page"])
def test_a_function_writes_its_own_log_and_no_other(function: str) -> None:
    (one,) = roles()[f"{function}FunctionRole"]["Policies"]
    logs = [one for one in one["PolicyDocument"]["Statement"] if "logs:" in str(one["Action"])]
    assert logs == [
        {
            "Sid": "WriteLogs",
            "Effect": "Allow",
            "Action": ["logs:CreateLogStream", "logs:PutLogEvents"],
            "Resource": {"Fn::GetAtt": [f"{function}Logs", "Arn"]},
        }
    ]
    assert resources()[f"{function}Function"]["Properties"]["Role"] == {
        "Fn::GetAtt": [f"{function}FunctionRole", "Arn"]
    }


def test_generate_may_invoke_its_own_alias_and_no_role_but_the_schedules_any_other() -> None:
    own = resources()["GenerateSelfPolicy"]["Properties"]
    assert own["Roles"] == [{"Ref": "GenerateFunctionRole"}]
    assert own["PolicyDocument"]["Statement"] == [
        {
            "Sid": "RunInBackground",
            "Effect": "Allow",
            "Action": "lambda:InvokeFunction",
            "Resource": {"Ref": "GenerateFunctionAliaslive"},
        }
    ]
    allowing = roles() | policies()
    invoking = {name for name, one in allowing.items() if "lambda:Invoke" in json.dumps(one)}
    assert invoking == {"ScheduleRole", "GenerateSelfPolicy"}


def test_an_event_is_kept_in_no_place_and_never_tried_again() -> None:
    configured = [
        one for one in resources().values() if one["Type"] == "AWS::Lambda::EventInvokeConfig"
    ]
    assert {one["Properties"]["Qualifier"] for one in configured} == {"live"}
    for one in configured:
        assert one["Properties"]["MaximumRetryAttempts"] == 0
        assert one["Properties"]["MaximumEventAgeInSeconds"] == 60
        assert not one["Properties"].get("DestinationConfig")
    for one in resources().values():
        assert "DeadLetterConfig" not in one.get("Properties", {})


# What a provider without keys needs.


def policies() -> dict[str, Any]:
    return {name: one for name, one in resources().items() if one["Type"] == "AWS::IAM::Policy"}


def bedrock_policies() -> dict[str, dict[str, Any]]:
    return {name: one for name, one in policies().items() if name.startswith("Bedrock")}


def test_every_policy_beside_a_role_has_a_condition_or_names_its_own_function() -> None:
    assert {name: one.get("Condition") for name, one in policies().items()} == {
        "GenerateSelfPolicy": None,
        "BedrockImages": "BedrockByOwnRole",
        "BedrockModels": "BedrockByOwnRole",
        "BedrockRole": "BedrockByAnotherRole",
    }


def test_images_may_be_bought_of_one_family_in_one_region_and_by_generate_alone() -> None:
    properties = bedrock_policies()["BedrockImages"]["Properties"]
    assert properties["Roles"] == [{"Ref": "GenerateFunctionRole"}]
    statements = {one["Sid"]: one for one in properties["PolicyDocument"]["Statement"]}
    assert statements["MakeImages"]["Action"] == "bedrock:InvokeModel"
    assert statements["MakeImages"]["Resource"] == {
        "Fn::Sub": "arn:${AWS::Partition}:bedrock:${BedrockRegion}::foundation-model/stability.*"
    }
    models = {row.model for row in real_catalog().models if row.provider == "bedrock"}
    assert {model.partition(".")[0] for model in models} == {"stability"}


def test_what_is_allowed_on_everything_has_a_condition() -> None:
    for policy_of_role in bedrock_policies().values():
        for statement in policy_of_role["Properties"]["PolicyDocument"]["Statement"]:
            assert "*" not in str(statement["Action"])
            assert statement["Resource"] != "*" or statement["Condition"]["StringEquals"]


def test_another_role_takes_the_place_of_ones_own_rights() -> None:
    properties = bedrock_policies()["BedrockRole"]["Properties"]
    (statement,) = properties["PolicyDocument"]["Statement"]
    assert (statement["Action"], statement["Resource"]) == (
        "sts:AssumeRole",
        {"Ref": "BedrockRoleArn"},
    )
