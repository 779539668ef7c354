"""What is kept stays small: the ledger of a busy user, the circuit of a provider that is down."""

import json
import secrets
from typing import Any

from imagegen.aws.circuit_store import DynamoCircuitStore
from imagegen.aws.items import to_item
from imagegen.aws.ledger_items import op_values
from imagegen.aws.ledger_store import DynamoLedgerStore
from imagegen.bootstrap.aws_world import ID_BYTES
from imagegen.domain.budgets import Level, team_level
from imagegen.domain.days import utc_day
from imagegen.domain.ledger import HOUR_MS, Hold, Limits, held_op
from imagegen.domain.outcomes import Outcome
from imagegen.domain.stores import Held
from imagegen.settings import MoneySettings
from imagegen.usecases.generate.holds import MAX_DEAD
from tests.exactness.circuits import NAME, fleeting
from tests.exactness.ground import Ground
from tests.exactness.rows import Measured, Verdict
from tests.fakes.clock import NOON_MS

DAYS = 14
"""From 22 November on, so that a month ends in between."""
PER_DAY = 50
DAY_MS = 24 * HOUR_MS
VERSION_BYTES = 2
"""Its version has more digits with time."""
MONTH_BYTES = 16
"""For some days after a month's end its sum is kept beside the new one's."""
MAX_ITEM_BYTES = 400 * 1024
"""https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Limits.html"""


def size(item: dict[str, Any]) -> int:
    """Return about what DynamoDB counts: names, values, and a few bytes for each map."""
    return sum(len(name.encode()) + _size_of(value) for name, value in item.items())


def _size_of(typed: dict[str, Any]) -> int:
    ((kind, value),) = typed.items()
    if kind == "M":
        return 3 + sum(len(name) + 1 + _size_of(one) for name, one in value.items())
    if kind == "L":
        return 3 + sum(1 + _size_of(one) for one in value)
    if kind == "SS":
        return 3 + sum(len(one) + 1 for one in value)
    if kind == "N":
        return len(value) // 2 + 2
    return 1 if kind in ("BOOL", "NULL") else len(value)


def growth(ground: Ground) -> Measured:
    """Draw fifty a day for two weeks, fail all day, and work out the worst there can be."""
    verdict = Verdict()
    days = _busy_user(ground)
    usual = max(days[2:4]) + VERSION_BYTES
    grows = max(days[4:]) > usual + MONTH_BYTES or days[-1] > usual
    verdict.demand(not grows, f"the ledger grows: {days} bytes")
    circuit = _failing_day(ground)
    verdict.demand(circuit < 2_048, f"the circuit came to {circuit} bytes")
    worst = worst_case()
    verdict.demand(worst < MAX_ITEM_BYTES, f"a ledger may come to {worst} bytes")
    return verdict.measured(
        f"ledger at most {max(days)} B, the same from the third day to the last "
        f"({DAYS} days x {PER_DAY}, a month's end among them); circuit at most {circuit} B; worst "
        f"by construction {worst // 1024} KB of 400",
        ledgerBytesByDay=days, circuitBytes=circuit, worstBytes=worst,
    )  # fmt: skip


def _busy_user(ground: Ground) -> list[int]:
    """Return the largest item of each day; the days are alike, so a year is."""
    place, user, sizes = ground.place(), ground.user(), dict[int, int]()
    thin = place.thin()
    today = [0]
    thin.on_item = lambda item: sizes.update({today[0]: max(sizes.get(today[0], 0), size(item))})
    store = DynamoLedgerStore(thin, place.table)  # type: ignore[arg-type]
    start_ms = NOON_MS - NOON_MS % DAY_MS
    for number in range(DAYS * PER_DAY):
        day, place_in_day = divmod(number, PER_DAY)
        today[0] = day
        # Ten an hour, as quickly as is allowed.
        hour, in_hour = divmod(place_in_day, 10)
        now_ms = start_ms + day * DAY_MS + hour * (HOUR_MS + 60_000) + in_hour * 1_000
        name = f"{number:024d}"
        hold = Hold(
            name,
            secrets.token_hex(ID_BYTES),
            utc_day(now_ms),
            170_000,
            now_ms + 600_000,
            now_ms + 330_000,
            in_hour,
        )
        came = store.reserve(user, hold, Limits(), now_ms=now_ms)
        assert isinstance(came, Held), f"{came} at {number}"
        store.settle(user, came.snapshot, charged_microusd=150_000, now_ms=now_ms + 20_000)
    return [sizes[day] for day in range(DAYS)]


def _failing_day(ground: Ground) -> int:
    """Return the largest circuit while a provider fails now and then, then always, for a day."""
    fleet = fleeting(ground)
    largest = 0
    for gap_ms in (150_001, 30_000):
        end_ms = fleet.clock() + DAY_MS // 4
        while fleet.clock() < end_ms:
            guard = fleet.guards[fleet.clock() // 1_000 % len(fleet.guards)]
            fleet.call(guard, Outcome.UNAVAILABLE)
            fleet.clock.at_ms += gap_ms
            largest = max(largest, _circuit_bytes(fleet.store))
    return largest


def _circuit_bytes(store: DynamoCircuitStore) -> int:
    circuit = store.load().circuits[NAME]
    failures = [f"{one.at_ms}#{one.call_id}@{one.user}" for one in circuit.failures]
    return len(json.dumps([*failures, circuit.why, circuit.owner])) + 100


def worst_case() -> int:
    """Return the largest ledger that the limits of the settings can lead to, in bytes.

    Requests that ended stay until the next one ends, 20 minutes after theirs at the earliest: a
    day's that were left behind, today's and, around midnight, tomorrow's. Dead runs that cannot be
    ended are stopped at ``MAX_DEAD`` and one day of runs that were under way then.
    """
    most = MoneySettings.model_fields["daily_attempts"].metadata
    attempts: int = next(one.le for one in most if hasattr(one, "le"))
    slots: int = next(
        one.le for one in MoneySettings.model_fields["hourly_images"].metadata if hasattr(one, "le")
    )
    ops = 3 * attempts + MAX_DEAD + attempts
    days = 3 * 3 * 40 + MAX_DEAD * 3 * 20
    return ops * _op_bytes() + slots * 16 + days + 200


def _op_bytes() -> int:
    hold = Hold("x" * 24, secrets.token_hex(ID_BYTES), "20261122", 10**9, 10**13, 10**13, 99, 2)
    limits = Limits(levels=(Level(team_level("a team")), Level()))
    held = held_op(hold, limits, slot=99, now_ms=10**13)
    values = op_values(held) | {"c": "x" * 30, "r": True}
    # The name of the entry, and a byte for each of its parts.
    return 28 + len(values) + _size_of({"M": to_item(values)})
