"""What `make url` prints."""

import json

import pytest

from operations.accounts import AccountError
from operations.addresses import shown

OUTPUTS = [
    {"OutputKey": "HealthUrl", "OutputValue": "https://h.on.aws/", "Description": "health"},
    {"OutputKey": "TableName", "OutputValue": "prod-Table-1", "Description": "table"},
]
STACK = {"StackName": "prod", "Outputs": OUTPUTS}


def test_without_a_name_everything_is_printed_as_json() -> None:
    assert json.loads(shown(STACK, "")) == OUTPUTS
    assert json.loads(shown({}, "")) == []


@pytest.mark.parametrize(
    ("name", "value"), [("HealthUrl", "https://h.on.aws"), ("TableName", "prod-Table-1")]
)
def test_one_value_is_printed_as_a_path_can_be_added_to_it(name: str, value: str) -> None:
    assert shown(STACK, name) == value


def test_another_name_is_refused_with_those_that_there_are() -> None:
    with pytest.raises(AccountError, match="NAME='healthurl' must be one of HealthUrl, TableName"):
        shown(STACK, "healthurl")
