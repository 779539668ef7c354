"""What every store of budgets' warnings does: the first one of its place stays."""

from dataclasses import replace
from typing import Any

from imagegen.aws.record_store import DynamoRecordStore
from imagegen.aws.warning_store import KEPT_SECONDS, PARTITION, DynamoBudgetWarningStore
from imagegen.domain.budget_warnings import BudgetWarning
from imagegen.domain.ids import ImageRef
from local.parameters import read_template
from tests.adapters.aws.test_image_contract import COMPLETE
from tests.adapters.aws.world import Aws, every_request_sent_twice
from tests.fakes.clock import NOON_MS as NOW

WARNING = BudgetWarning("O", "organisation", "day", "20261122", 80, 81_000_000, 100_000_000)


def stored(aws: Aws, table: str, partition: str) -> list[dict[str, Any]]:
    answer = aws.dynamodb.query(
        TableName=table,
        KeyConditionExpression="pk = :p",
        ExpressionAttributeValues={":p": {"S": partition}},
    )
    return list(answer["Items"])


def test_the_first_warning_of_its_place_stays_with_all_that_it_says(aws: Aws) -> None:
    store = DynamoBudgetWarningStore(aws.dynamodb, table := aws.new_table())
    store.add(WARNING, NOW)
    store.add(replace(WARNING, used_microusd=90_000_000), NOW + 1)
    assert stored(aws, table, PARTITION) == [
        {
            "pk": {"S": "WARNINGS"},
            "sk": {"S": "20261122#O#100000000#80"},
            "level": {"S": "organisation"},
            "name": {"S": "O"},
            "span": {"S": "day"},
            "time": {"S": "20261122"},
            "percent": {"N": "80"},
            "used_microusd": {"N": "81000000"},
            "limit_microusd": {"N": "100000000"},
            "at_ms": {"N": str(NOW)},
            "ttl": {"N": str(NOW // 1000 + KEPT_SECONDS)},
        }
    ]
    assert KEPT_SECONDS > 31 * 86_400, "the month that it warns of is over before it goes"
    store.add(replace(WARNING, percent=100), NOW)
    assert len(stored(aws, table, PARTITION)) == 2


def test_a_warning_that_is_sent_twice_is_kept_once(aws: Aws) -> None:
    table = aws.new_table()
    with every_request_sent_twice(aws.dynamodb, "PutItem"):
        DynamoBudgetWarningStore(aws.dynamodb, table).add(WARNING, NOW)
    assert len(stored(aws, table, PARTITION)) == 1


def test_only_generate_may_write_warnings() -> None:
    roles = {
        name: str(one["Properties"].get("Policies"))
        for name, one in read_template()["Resources"].items()
        if one["Type"] == "AWS::IAM::Role"
    }
    assert {name for name, text in roles.items() if PARTITION in text} == {"GenerateFunctionRole"}


def test_a_record_has_its_users_name_in_logs_beside_it_and_not_in_it(aws: Aws, user: str) -> None:
    store = DynamoRecordStore(aws.dynamodb, table := aws.new_table(), 0, lambda _user: "0123abcd")
    store.put(ImageRef("quote", user, NOW), COMPLETE)
    (item,) = stored(aws, table, f"U#{user}")
    assert item["by"] == {"S": "0123abcd"}
    assert store.recent(user, limit=1) == [COMPLETE]
