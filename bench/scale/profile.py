"""What whole requests do to each key of the table: the product's own code on the emulator.

A hook asks every call for its consumed capacity and notes the key that it is for; the code that is
measured is not changed.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Any, Final

from bench.capacity import Bench, bench
from bench.metering import READS, metered
from imagegen.aws.budget_store import DynamoBudgetStore
from imagegen.aws.circuit_store import DynamoCircuitStore
from imagegen.aws.items import to_item
from imagegen.aws.ledger_store import DynamoLedgerStore
from imagegen.bootstrap.catalog_file import load_catalog
from imagegen.domain.breaker import Failure
from imagegen.domain.budgets import ORGANISATION, Level, LevelHold, mark_of
from imagegen.domain.fleet import KeyCheck
from imagegen.domain.ledger import Hold, Limits
from imagegen.domain.outcomes import Outcome
from imagegen.domain.stores import Held
from imagegen.domain.vendor_prices import Finding, PriceCheck
from tests.exactness.ground import Ground
from tests.exactness.instance import CountingProvider
from tests.fakes.clock import NOON_MS

DAY, MONTH = "20261122", "202611"
MARKS: Final = (1, 12, 60, 120, 180, 300, 480, 600, 624, 1_200, 3_000, 6_000, 12_000)
KEPT: Final = (1, 10, 50, 100, 200)
"""How many requests an entry has when its next one is measured."""


class Key(StrEnum):
    """Whose key a call is for."""

    PERSON = "the person's entry and records"
    PROMPTS = "the person's prompts"
    ORGANISATION = "the organisation's level"
    CIRCUITS = "circuits and checks"
    LEASES = "index of leases"


class Moment(StrEnum):
    """When a call is made."""

    ESTIMATE = "estimate"
    BEFORE = "before the provider"
    AFTER = "after the provider"


@dataclass(frozen=True, slots=True)
class Touch:
    """One call of a request, and what it consumed."""

    moment: Moment
    key: Key
    writes: float = 0
    reads: float = 0
    index_writes: float = 0


@dataclass(frozen=True, slots=True)
class Profile:
    """What was measured."""

    touches: Sequence[Touch]
    """Of one image with its estimate, in order."""
    level_units: Sequence[tuple[int, float]]
    """Open holds at a level, and the units of a write to it."""
    entry_units: Sequence[tuple[int, float]]
    """Requests that a person's entry has, and the units of a hold there."""
    circuit_reads: float
    """Read units of the circuits, with a check of each provider's key and prices."""
    bad_circuit_reads: float
    """The same where each provider has four failures, and a price that differs."""

    def writes(self, *, with_organisation: bool) -> float:
        """Return the write units of an image, with the index's, at a level with few holds."""
        return sum(
            one.writes + one.index_writes
            for one in self.touches
            if with_organisation or one.key is not Key.ORGANISATION
        )

    def units_at(self, marks: float) -> float:
        """Return the units of a write to a level with so many open holds."""
        return between(self.level_units, marks)

    def entry_units_at(self, kept: float) -> float:
        """Return the units of a write to a person's entry with so many requests."""
        return between(self.entry_units, kept)


def between(measured: Sequence[tuple[int, float]], at: float) -> float:
    """Return the units between two measured points; beyond the last they grow as before it."""
    lower = (0, 1.0)
    for upper in measured:
        if at <= upper[0]:
            share = (at - lower[0]) / (upper[0] - lower[0])
            return lower[1] + share * (upper[1] - lower[1])
        lower = upper
    return lower[1] * at / lower[0]


@dataclass(slots=True)
class Recorder:
    """Notes the calls of a client."""

    moment: Moment = Moment.ESTIMATE
    touches: list[Touch] = field(default_factory=list)

    @contextmanager
    def running(self, client: Any) -> Iterator[None]:
        """Note every call until the block ends."""
        hooks: dict[str, Callable[..., Any]] = {
            "provide-client-params": self._ask,
            "after-call": self._note,
        }
        for event, hook in hooks.items():
            client.meta.events.register(f"{event}.dynamodb", hook)
        try:
            yield
        finally:
            for event, hook in hooks.items():
                client.meta.events.unregister(f"{event}.dynamodb", hook)

    def _ask(self, params: dict[str, Any], context: dict[str, Any], **_: object) -> dict[str, Any]:
        context["imagegen_key"] = _partition(params)
        return {**params, "ReturnConsumedCapacity": "INDEXES"}

    def _note(self, parsed: Any, model: Any, context: dict[str, Any], **_: object) -> None:
        units = parsed["ConsumedCapacity"]
        indexes = units.get("GlobalSecondaryIndexes", {}).values()
        index, total = sum(one["CapacityUnits"] for one in indexes), units["CapacityUnits"]
        is_read = model.name in READS
        self.touches.append(
            Touch(
                self.moment,
                kind_of(context["imagegen_key"]),
                writes=0 if is_read else total - index,
                reads=total if is_read else 0,
                index_writes=0 if is_read else index,
            )
        )


def kind_of(partition: str) -> Key:
    """Return whose partition key it is.

    Raises:
        KeyError: a request used a partition that this model does not have.
    """
    kinds = {"U#": Key.PERSON, "P#": Key.PROMPTS, "L#": Key.ORGANISATION, "FL": Key.CIRCUITS}
    return kinds[partition[:2]]


def _partition(params: dict[str, Any]) -> str:
    found = params.get("Key") or params.get("Item")
    if found:
        return str(found["pk"]["S"])
    return str(params["ExpressionAttributeValues"][":p"]["S"])


def measure(ground: Ground) -> Profile:
    """Measure all of it on new tables."""
    desk = bench(ground)
    return Profile(
        touches=tuple(_touches(desk)),
        level_units=tuple(_level_units(ground)),
        entry_units=tuple(_entry_units(ground)),
        circuit_reads=_circuit_reads(ground, failing=False),
        bad_circuit_reads=_circuit_reads(ground, failing=True),
    )


def _touches(desk: Bench) -> list[Touch]:
    """Return what the tenth image of a person does, with its estimate."""
    user, recorder = desk.ground.user(), Recorder()

    def drawn(_: str) -> Outcome | None:
        recorder.moment = Moment.AFTER
        return None

    for provider in desk.here.providers.values():
        if isinstance(provider, CountingProvider):
            provider.react = drawn
    for _ in range(9):
        desk.here.confirm(desk.here.estimate(user).quote, user)
    # As in an instance that was idle: circuits are read anew.
    desk.clock.at_ms += 2_000
    recorder.moment = Moment.ESTIMATE
    with recorder.running(desk.client):
        quote = desk.here.estimate(user).quote
        desk.clock.at_ms += 2_000
        recorder.moment = Moment.BEFORE
        desk.here.confirm(quote, user)
    return recorder.touches


def _level_units(ground: Ground) -> Iterator[tuple[int, float]]:
    """Yield the units of a take at a level with so many open holds, late in a month."""
    place = ground.place()
    client = place.patient()
    store = DynamoBudgetStore(client, place.table)
    level = Level(ORGANISATION, 10**12)
    days = {f"u_{MONTH}{day:02d}": 100_000_000 for day in range(1, 32)}
    for count in MARKS:
        marks = {_mark(number) for number in range(count - 1)}
        row = {"pk": f"L#{ORGANISATION}", "sk": f"B#{MONTH}", **days, "m": 3_100_000_000}
        client.put_item(TableName=place.table, Item=to_item(row | ({"h": marks} if marks else {})))
        with metered(client) as came:
            store.take(level, LevelHold(DAY, 50_000, _mark(count)))
        yield count, came.writes


def _mark(number: int) -> bytes:
    return mark_of(f"quote-{number}", "owner", DAY, 50_000, started_ms=NOON_MS + number)


def _entry_units(ground: Ground) -> Iterator[tuple[int, float]]:
    """Yield the units of a hold in an entry that has so many requests of the last minutes."""
    place, user = ground.place(), ground.user()
    client = place.patient()
    store = DynamoLedgerStore(client, place.table)
    for number in range(1, max(KEPT) + 1):
        one = Hold(
            f"{number:024x}", f"{number:032x}", DAY, 50_000, NOON_MS + 600_000, NOON_MS + 330_000, 0
        )
        with metered(client) as came:
            held = store.reserve(user, one, Limits(0, 10**6, 10**6, 10**12), now_ms=NOON_MS)
        if not isinstance(held, Held):
            raise TypeError(f"not held: {held}")
        store.settle(user, held.snapshot, charged_microusd=50_000, now_ms=NOON_MS)
        if number in KEPT:
            yield number, came.writes


def _circuit_reads(ground: Ground, *, failing: bool) -> float:
    """Return the units of one read of all circuits, with what the real catalog's checks store."""
    place = ground.place()
    client = place.patient()
    store = DynamoCircuitStore(client, place.table)
    catalog = load_catalog()
    for provider in catalog.providers:
        row = next(row for row in catalog.models if row.provider == provider)
        ends = {row.model: date(2026, 12, 31)}
        store.save(provider, KeyCheck(NOON_MS, "valid", "valid", (row.model,), ends))
        found = {row.key: Finding("0123456789abcdef", 50_000)} if failing else {}
        store.save_prices(provider, PriceCheck(NOON_MS, found))
        for number in range(4 if failing else 0):
            store.add_failure(provider, 0, Failure(NOON_MS, f"{number:032x}", "0a1b2c3d"))
    with metered(client) as came:
        store.load()
    return came.reads
