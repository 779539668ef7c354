"""R17: everything at once for a while, 5 % of it failing; nothing drifts and nothing is left."""

import gc
import random
import resource
import time
from collections import Counter
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection
from pathlib import Path

from imagegen.domain.errors import ImagegenError
from imagegen.domain.outcomes import Outcome
from imagegen.usecases.generate.run import Made
from tests.exactness.faulty import judge_bills
from tests.exactness.ground import Ground, Place, child, receive
from tests.exactness.instance import LIFETIME_MS, Instance, instance, providers
from tests.exactness.rows import Measured, Verdict
from tests.fakes.clock import NOON_MS

PROCESSES = 2
USERS = 40
SPEED = 60
FAULTS = {
    "drop_after": 0.02,
    "drop_before": 0.01,
    "throttled": 0.005,
    "error": 0.01,
    "delay": 0.005,
}
OUTCOMES = (
    *[Outcome.REFUSED] * 6,
    *[Outcome.BAD_PARAMETER] * 3,
    # Few enough for circuits to open and to close again, and not to stay open.
    *(Outcome.UNAVAILABLE, Outcome.RATE_LIMITED, Outcome.UNKNOWN),
)
WARM = 0.4
"""Of the time: caches, pools and code are loaded by then."""


@dataclass(frozen=True, slots=True)
class Fast:
    """A clock that runs faster, alike in every process: circuits open and close, leases end."""

    began: float

    def __call__(self) -> int:
        return NOON_MS + int((time.monotonic() - self.began) * SPEED * 1_000)


def live(connection: Connection, place: Place, s3: Place, seed: str, clock: Fast) -> None:
    """Do what users do until the time is over; send what came of it."""
    seconds = connection.recv()
    dice, counts = random.Random(seed), Counter[str]()

    def react(_: str) -> Outcome | None:
        return dice.choice(OUTCOMES) if dice.random() < 0.05 else None

    here = instance(
        place.dynamodb(), s3.s3(), place.table, place.bucket, clock, drawn_by=providers(react)
    )
    users = [f"{n:032x}" for n in range(10**6, 10**6 + USERS)]
    began, warm_kib = time.monotonic(), 0
    while (passed := time.monotonic() - began) < seconds:
        if not warm_kib and passed > seconds * WARM:
            warm_kib = _resident_kib()
        _one(here, dice, dice.choice(users), counts)
        # Kept by the test, not by the service.
        here.finished.clear()
        here.moves.clear()
    growth = _resident_kib() / warm_kib - 1 if warm_kib else 0.0
    connection.send((counts, growth))


def _one(here: Instance, dice: random.Random, user: str, counts: Counter[str]) -> None:
    try:
        quote = here.estimate(user).quote
        came = here.confirm(quote, user)
        counts[type(came).__name__] += 1
        if dice.random() < 0.2:
            again = here.confirm(quote, user)
            counts["again"] += 1
            if isinstance(came, Made) and isinstance(again, Made) and came.record != again.record:
                counts["another answer"] += 1
        if dice.random() < 0.02:
            here.reconciler.sweep(limit=10)
    except ImagegenError as error:
        counts[type(error).__name__] += 1
    except Exception as error:  # noqa: BLE001 that is what is looked for
        counts[f"unhandled {error!r}"] += 1


def _resident_kib() -> int:
    gc.collect()
    status = Path("/proc/self/status")
    if not status.exists():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    line = next(one for one in status.read_text().splitlines() if one.startswith("VmRSS"))
    return int(line.split()[1])


def r17(ground: Ground) -> Measured:
    """Live for a while through the proxies, then count everything."""
    verdict, real, seconds = Verdict(), ground.place(bucket=True), ground.soak_seconds
    clock = Fast(time.monotonic())
    with ground.proxy("soak") as dynamo, ground.proxy("soak s3") as s3:
        dynamo.set(**FAULTS)
        s3.set(**FAULTS)
        place, images = replace(real, endpoint=dynamo.url), replace(real, endpoint=s3.url)
        crew = [
            child(live, place, images, f"{ground.seed}/r17/{n}", clock) for n in range(PROCESSES)
        ]
        for _, pipe in crew:
            pipe.send(seconds)
        came = [receive(pipe, seconds) for _, pipe in crew]
    counts = sum((one[0] for one in came), Counter[str]())
    growth = max(one[1] for one in came)
    late_ms = clock() + LIFETIME_MS + 90_000
    users = [f"{n:032x}" for n in range(10**6, 10**6 + USERS)]
    stored = judge_bills(verdict, real, users, late_ms)
    strange = {name: n for name, n in counts.items() if name.startswith(("unhandled", "another"))}
    verdict.demand(not strange, f"{strange}")
    verdict.demand(growth < 0.05, f"memory grew by {growth:.1%}")
    verdict.demand(counts["Made"] > 0, "nothing was made")
    return verdict.measured(
        f"{seconds:.0f} s, {sum(counts.values())} requests, {len(stored)} stored = charged, memory "
        f"{growth:+.1%}, {len(strange)} unhandled",
        counts=dict(counts), memoryGrowth=round(growth, 4), stored=len(stored),
    )  # fmt: skip
