"""What calls consume of DynamoDB, told by DynamoDB itself.

A hook asks every call for its consumed capacity; the code that is measured does not know.
MiniStack counts units by the rules that were measured on AWS, but tells none for a condition that
failed. AWS charges those by the size of the item that was there (1 unit at least); so does this:
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/read-write-operations.html
"""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from tests.exactness.growth import size

READS = frozenset({"GetItem", "Query"})


@dataclass(slots=True)
class Consumed:
    """What calls came to."""

    writes: float = 0.0
    index_writes: float = 0.0
    reads: float = 0.0
    calls: Counter[str] = field(default_factory=Counter)

    @property
    def trips(self) -> int:
        """Round trips."""
        return sum(self.calls.values())

    @property
    def all_writes(self) -> float:
        """The table's and the index's."""
        return self.writes + self.index_writes

    def cells(self) -> str:
        """Return the columns of the table."""
        calls = ", ".join(f"{n} {name}" for name, n in self.calls.items()) or "none"
        return f"{self.writes:g} + {self.index_writes:g} | {self.reads:g} | {self.trips} | {calls}"


@contextmanager
def metered(client: Any) -> Iterator[Consumed]:
    """Count what a client's calls consume until the block ends."""
    came = Consumed()

    def ask(params: dict[str, Any], **_: object) -> dict[str, Any]:
        return {**params, "ReturnConsumedCapacity": "INDEXES"}

    def count(parsed: dict[str, Any], model: Any, **_: object) -> None:
        came.calls[model.name] += 1
        if "Error" in parsed and model.name not in READS:
            came.writes += max(1, -(-size(parsed.get("Item", {})) // 1_024))
        units = parsed.get("ConsumedCapacity", {})
        indexes = units.get("GlobalSecondaryIndexes", {}).values()
        index = sum(one["CapacityUnits"] for one in indexes)
        total = units.get("CapacityUnits", 0.0)
        if model.name in READS:
            came.reads += total
        else:
            came.writes += total - index
            came.index_writes += index

    hooks: dict[str, Callable[..., Any]] = {"provide-client-params": ask, "after-call": count}
    for event, hook in hooks.items():
        client.meta.events.register(f"{event}.dynamodb", hook)
    try:
        yield came
    finally:
        for event, hook in hooks.items():
            client.meta.events.unregister(f"{event}.dynamodb", hook)
