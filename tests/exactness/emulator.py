"""R0: whether the store under test is atomic. If it is not, every green below is void.

Its clients wait: after a timeout the SDK sends a put once more, and the second one finds the first,
so that on a busy machine a race would seem to have no winner.
"""

from typing import Any

from botocore.exceptions import ClientError

from tests.exactness.ground import Ground, Place, all_at_once
from tests.exactness.rows import Measured, Verdict

THREADS = 16
PUTS = 200
INCREMENTS = 1_000
TRANSACTIONS = 200


def r0(ground: Ground) -> Measured:
    """Race for 200 keys, count to 1,000 together, and move between items 200 times."""
    place, verdict = ground.place(), Verdict()
    winners = _winners(place)
    counted = _counted(place)
    moved, total = _moved(place)
    verdict.demand(winners == PUTS, f"{PUTS} races had {winners} winners")
    verdict.demand(counted == INCREMENTS, f"{INCREMENTS} increments came to {counted}")
    verdict.demand(total == moved, f"{moved} transactions left {total} behind")
    verdict.demand(moved > 0, "no transaction went through")
    return verdict.measured(
        f"{winners} winners of {PUTS}; {counted}; {moved} transactions, {total} kept",
        winners=winners, increments=counted, transactions=moved, kept=total,
    )  # fmt: skip


def _winners(place: Place) -> int:
    client = place.patient()

    def put(number: int) -> bool:
        try:
            client.put_item(
                TableName=place.table,
                Item=_key(f"race-{number // THREADS}"),
                ConditionExpression="attribute_not_exists(pk)",
            )
        except ClientError:
            return False
        return True

    return sum(all_at_once(put, range(PUTS * THREADS), threads=THREADS))


def _counted(place: Place) -> int:
    client = place.patient()

    def add(_: int) -> None:
        client.update_item(
            TableName=place.table,
            Key=_key("counter"),
            UpdateExpression="ADD n :one",
            ExpressionAttributeValues={":one": {"N": "1"}},
        )

    all_at_once(add, range(INCREMENTS), threads=THREADS)
    return _number(place, "counter")


def _moved(place: Place) -> tuple[int, int]:
    """Return how many transactions over the same two items went through, and what they left."""
    client = place.patient()

    def move(number: int) -> bool:
        adds: list[Any] = [
            {
                "Update": {
                    "TableName": place.table,
                    "Key": _key(name),
                    "UpdateExpression": "ADD n :one",
                    "ExpressionAttributeValues": {":one": {"N": "1"}},
                }
            }
            for name in ("left", "right")
        ]
        try:
            client.transact_write_items(TransactItems=adds if number % 2 else adds[::-1])
        except ClientError:
            return False
        return True

    moved = sum(all_at_once(move, range(TRANSACTIONS), threads=THREADS))
    left, right = _number(place, "left"), _number(place, "right")
    return moved, left if left == right else -1


def _number(place: Place, name: str) -> int:
    answer = place.dynamodb().get_item(TableName=place.table, Key=_key(name), ConsistentRead=True)
    return int(answer["Item"]["n"]["N"])


def _key(name: str) -> dict[str, Any]:
    return {"pk": {"S": name}, "sk": {"S": "-"}}
