"""What is left when a stack is deleted, and how a new one takes it over."""

from argparse import Namespace
from collections.abc import Mapping
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from operations import accounts, deploy, destroy, existing
from operations.accounts import AccountError, Place
from operations.destroy import kept

OUTPUTS = {"TableName": "prod-Table-1", "BucketName": "prod-bucket-1", "PageUrl": "https://a"}
HERE = Place("123456789012", "arn:aws:iam::123456789012:user/ann", "eu-central-1", "AWS_REGION")


def test_the_lines_for_a_new_stack_are_printed() -> None:
    said = kept("prod", "UPDATE_COMPLETE", OUTPUTS)
    assert said.endswith("EXISTING_TABLE_NAME=prod-Table-1\nEXISTING_BUCKET_NAME=prod-bucket-1")
    assert "the parameters under /imagegen/prod/" in said


@pytest.mark.parametrize("state", ["ROLLBACK_COMPLETE", "CREATE_FAILED", "ROLLBACK_FAILED"])
def test_of_a_failed_first_deployment_nothing_is_to_be_taken_over(state: str) -> None:
    assert "EXISTING" not in kept("prod", state, OUTPUTS)
    assert "EXISTING" not in kept("prod-edge", "CREATE_COMPLETE", {"Address": "https://a"})


class CloudFormation:
    """CloudFormation with one stack, which is gone after sam has run, unless sam fails."""

    def __init__(self, *states: str) -> None:
        self.states = list(states)

    def describe_stacks(self, *, StackName: str) -> Any:  # noqa: N803 boto3's name
        state = self.states.pop(0)
        if not state:
            error: Any = {"Error": {"Code": "ValidationError", "Message": "does not exist"}}
            raise ClientError(error, "DescribeStacks")
        outputs = [{"OutputKey": k, "OutputValue": v} for k, v in OUTPUTS.items()]
        return {"Stacks": [{"StackName": StackName, "StackStatus": state, "Outputs": outputs}]}


def destroyed(monkeypatch: pytest.MonkeyPatch, *states: str, status: int = 0) -> int:
    monkeypatch.setattr(accounts, "place", lambda: HERE)
    monkeypatch.setattr(boto3, "client", lambda _service: CloudFormation(*states))
    monkeypatch.setattr(destroy, "run_sam", lambda _given, _region: status)
    return destroy.destroy(Namespace(stack="prod", yes=True))


@pytest.mark.parametrize(
    "state", ["UPDATE_COMPLETE", "DELETE_FAILED", "ROLLBACK_COMPLETE", "REVIEW_IN_PROGRESS"]
)
def test_a_stack_in_any_lasting_state_can_be_deleted(
    state: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert destroyed(monkeypatch, state, "") == 0
    said = capsys.readouterr().out
    assert "Region      eu-central-1 (from AWS_REGION)" in said
    assert ("EXISTING_TABLE_NAME" in said) == (state != "ROLLBACK_COMPLETE")


@pytest.mark.parametrize(("states", "status"), [(["UPDATE_COMPLETE"] * 2, 0), (["X"], 1)])
def test_nothing_is_said_of_a_stack_that_is_still_there(
    states: list[str],
    status: int,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert destroyed(monkeypatch, *states, status=status) == status
    assert "Kept" not in capsys.readouterr().out


@pytest.mark.parametrize(
    ("state", "words"),
    [
        ("", "no stack 'prod' in eu-central-1"),
        ("UPDATE_IN_PROGRESS", "wait until it ends"),
        ("DELETE_IN_PROGRESS", "wait until it ends"),
    ],
)
def test_what_cannot_be_deleted_is_named(
    state: str, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(AccountError, match=words):
        destroyed(monkeypatch, state)


# A new stack over an earlier one's data.


class ParameterStore:
    """Parameter Store with some parameters."""

    class exceptions:  # noqa: N801 boto3's name
        """Its errors."""

        ParameterNotFound = KeyError

    def __init__(self, values: Mapping[str, str]) -> None:
        self.values = dict(values)

    def get_parameter(self, *, Name: str) -> Any:  # noqa: N803 boto3's name
        return self.values[Name]


@pytest.mark.parametrize(
    ("bucket", "names", "is_good"),
    [
        ("prod-bucket-1", ["/imagegen/prod/IMAGE_ID_KEY"], True),
        ("prod-bucket-1", [], False),
        # The stack had another name: its key is at another path.
        ("old-bucket-1", ["/imagegen/old/IMAGE_ID_KEY"], False),
        ("", [], True),
    ],
)
def test_an_earlier_bucket_is_used_only_with_the_key_that_names_its_images(
    bucket: str,
    names: list[str],
    is_good: bool,  # noqa: FBT001 a case
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    store = ParameterStore(dict.fromkeys(names, "key"))
    monkeypatch.setattr(boto3, "client", lambda _service: store)
    parameters = {"ExistingBucketName": bucket}
    if is_good:
        existing.check_key(parameters, "/imagegen/prod")
        return
    with pytest.raises(AccountError, match=r"/imagegen/prod/IMAGE_ID_KEY.*Use the STACK"):
        existing.check_key(parameters, "/imagegen/prod")


class Buckets:
    """S3 that refuses one bucket as S3 does: by a status alone."""

    def __init__(self, status: str) -> None:
        self.status = status

    def head_bucket(self, *, Bucket: str) -> None:  # noqa: N803 boto3's name
        del Bucket
        raise ClientError({"Error": {"Code": self.status, "Message": ""}}, "HeadBucket")


@pytest.mark.parametrize(
    ("status", "words"),
    [("301", "is in another Region"), ("403", "another account's"), ("404", "no bucket of this")],
)
def test_a_bucket_that_is_taken_or_elsewhere_is_named(
    status: str, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(boto3, "client", lambda _service: Buckets(status))
    with pytest.raises(AccountError, match=rf"EXISTING_BUCKET_NAME='taken'.*{status}, .*{words}"):
        existing.check({"ExistingBucketName": "taken"})


def test_keys_of_an_earlier_stack_are_named_after_the_first_deployment(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(boto3, "client", lambda _service: None)
    monkeypatch.setattr(deploy, "push", lambda *_: [])
    monkeypatch.setattr(deploy, "stored", lambda *_: {"GEMINI_API_KEY": "old", "FAL_KEY": "new"})
    deploy.finish(CloudFormation("CREATE_COMPLETE"), "prod", {"FAL_KEY": "new"})
    said = capsys.readouterr().out
    assert "an earlier stack of this name are used as well: GEMINI_API_KEY\n" in said
    assert "old" not in said
