"""What the sweep needs for the users of dead runs: the product's own sweep, on the emulator."""

import time
from dataclasses import dataclass
from typing import Final

from bench.capacity import bench
from bench.metering import metered
from bench.scale.quotas import CALL_MS
from imagegen.domain.ledger import Hold
from imagegen.usecases.generate.sets import MOST_AT_ONCE
from tests.exactness.ground import Ground
from tests.exactness.instance import LIFETIME_MS

USERS: Final = 60
CORE: Final = 512 / 1_769
"""Lambda's share of a core at 512 MB."""
S3_MS: Final = 30.0
"""One look into the bucket."""


@dataclass(frozen=True, slots=True)
class Sweep:
    """What one user of a dead run takes."""

    calls: float
    """Of the table."""
    cpu_ms: float
    """Of a whole core of this machine."""
    reads_of_list: int
    """Queries for the list of all users."""

    def seconds(self, users: int) -> float:
        """Return how long so many users take: their waits side by side, their CPU time not."""
        waits = (self.calls * CALL_MS + S3_MS) / MOST_AT_ONCE
        each = max(waits, self.cpu_ms / CORE)
        return (self.reads_of_list * CALL_MS + users * each) / 1_000


def measure(ground: Ground) -> Sweep:
    """Let runs die before their image is stored, and sweep.

    Raises:
        RuntimeError: the sweep did not end all of them.
    """
    desk = bench(ground)
    now_ms, limits = desk.clock(), desk.here.limits
    for number in range(USERS):
        one = Hold(
            f"{number:024x}", "me", "20261122", 50_000,
            now_ms + 600_000, now_ms + LIFETIME_MS + 30_000, 0,
        )  # fmt: skip
        desk.here.service.ledgers.reserve(ground.user(), one, limits, now_ms=now_ms)
    desk.clock.at_ms += LIFETIME_MS + 31_000
    began = time.process_time()
    with metered(desk.client) as came:
        done = desk.here.reconciler.sweep(limit=5_000)
    took_ms = (time.process_time() - began) * 1_000
    if done.released != USERS:
        raise RuntimeError(f"not all were ended: {done}")
    queries = came.calls["Query"]
    return Sweep((came.trips - queries) / USERS, took_ms / USERS, queries)
