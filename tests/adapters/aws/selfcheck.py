"""Whether the emulator is atomic: what a green test below is worth."""

from typing import Any

from botocore.exceptions import ClientError

from tests.adapters.aws.world import Aws, at_once

THREADS = 16
ROUNDS = 12
INCREMENTS = 1_000


def what_is_wrong(aws: Aws) -> str:
    """Return what the emulator does wrong under threads, nothing where it does all right."""
    table = aws.new_table()
    winners = [_winners(aws, table, one) for one in range(ROUNDS)]
    if set(winners) != {1}:
        return f"{THREADS} put-if-absent at once had {winners} winners"
    counted = _counted(aws, table)
    return "" if counted == INCREMENTS else f"{INCREMENTS} increments at once came to {counted}"


def _winners(aws: Aws, table: str, number: int) -> int:
    def put(_: int) -> bool:
        try:
            aws.dynamodb.put_item(
                TableName=table,
                Item=_key(f"race-{number}"),
                ConditionExpression="attribute_not_exists(pk)",
            )
        except ClientError:
            return False
        return True

    return sum(at_once(put, range(THREADS)))


def _counted(aws: Aws, table: str) -> int:
    def add(share: int) -> None:
        for _ in range(share):
            aws.dynamodb.update_item(
                TableName=table,
                Key=_key("counter"),
                UpdateExpression="ADD n :one",
                ExpressionAttributeValues={":one": {"N": "1"}},
            )

    at_once(add, [INCREMENTS // 20] * 20)
    answer = aws.dynamodb.get_item(TableName=table, Key=_key("counter"), ConsistentRead=True)
    return int(answer["Item"]["n"]["N"])


def _key(pk: str) -> dict[str, Any]:
    return {"pk": {"S": pk}, "sk": {"S": "-"}}
