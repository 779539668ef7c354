"""R6: SIGKILL at every step of a run; then charged is what is stored, and nothing is held."""

import os
import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from typing import Any, cast

from imagegen.domain.budgets import ORGANISATION
from imagegen.domain.ledger import Ledger, OpState
from imagegen.domain.outcomes import Outcome
from tests.exactness.ground import Clock, Ground, Place, child, receive
from tests.exactness.history import Historian
from tests.exactness.instance import LIFETIME_MS, LIFTED, PROMPT, Instance, instance, providers
from tests.exactness.rows import Measured, Verdict
from tests.exactness.stored import stored_by_quote

KILLS = 50
POINTS = (
    "after the hold",
    "after a level took it",
    "in the provider's call",
    "before the put",
    "after the put",
    "after the record",
    "after a level ended it",
    "after the settle",
)
LEASE_AND_A_MINUTE_MS = LIFETIME_MS + 30_000 + 60_000
AT_A_TIME = 3
MONTHS = ("202611", "202612")


@dataclass(slots=True)
class Parking:
    """Tells the parent when the run has come to a point, and stays there until it is killed."""

    connection: Connection
    point: str

    def at(self, point: str) -> None:
        if point == self.point:
            self.connection.send(os.getpid())
            threading.Event().wait()

    def around[T](self, target: T, before: dict[str, str], after: dict[str, str]) -> T:
        """Return the target, with points before and after some of its methods."""
        return cast("T", _Parked(target, self, before, after))


@dataclass(slots=True)
class _Parked:
    _target: Any
    _parking: Parking
    _before: dict[str, str]
    _after: dict[str, str]

    def __getattr__(self, name: str) -> Any:
        real = getattr(self._target, name)

        def call(*args: Any, **kwargs: Any) -> Any:
            self._parking.at(self._before.get(name, ""))
            came = real(*args, **kwargs)
            self._parking.at(self._after.get(name, ""))
            return came

        return call


def run_until(connection: Connection, place: Place, point: str, quote: str, user: str) -> None:
    """Confirm a quote with the real use case and the real stores; stop at the point."""
    parking = Parking(connection, point)
    clock = Clock()
    made = instance(
        place.thin(),
        place.s3(),
        place.table,
        place.bucket,
        clock,
        drawn_by=providers(_parking_provider(parking)),
    )
    parked = Instance(
        parking.around(
            made.ledgers,
            {},
            {"reserve": "after the hold", "settle": "after the settle"},
        ),
        parking.around(
            made.budgets, {}, {"take": "after a level took it", "give": "after a level ended it"}
        ),
        parking.around(made.images, {"put": "before the put"}, {"put": "after the put"}),
        parking.around(made.records, {}, {"put": "after the record"}),
        made.circuits,
        clock,
        made.providers,
        erasing=made.erasing,
        prompts=made.prompts,
    )
    parked.confirm(quote, user)
    connection.send(0)


def _parking_provider(parking: Parking) -> Callable[[str], Outcome | None]:
    def react(_: str) -> Outcome | None:
        parking.at("in the provider's call")
        return None

    return react


@dataclass(slots=True)
class Scene:
    """Where the killings take place, and what the survivors find."""

    place: Place
    fleet: Instance
    clock: Clock
    historian: Historian
    killed: Counter[str] = field(default_factory=Counter)

    def kill(self, job: tuple[str, str]) -> None:
        """Start a run and kill it at a point."""
        point, user = job
        quote = self.fleet.estimate(user).quote
        process, pipe = child(run_until, self.place, point, quote, user)
        if receive(pipe):
            process.kill()
            self.killed[point] += 1
        process.join()
        pipe.close()

    def ledger(self, user: str) -> Ledger:
        return self.fleet.ledgers.load(user)

    def stored(self) -> dict[str, int]:
        """Return the charge of each image that is in S3, by quote id."""
        records = stored_by_quote(self.place.s3(), self.place.bucket)
        return {quote_id: record.charged_microusd for quote_id, record in records.items()}


def scene(ground: Ground) -> Scene:
    """Return a scene with nobody in it."""
    place, clock, historian = ground.place(bucket=True), Clock(), Historian()
    thin = place.thin()
    thin.on_item = historian.tell
    fleet = instance(thin, place.s3(), place.table, place.bucket, clock, drawn_by=providers())
    return Scene(place, fleet, clock, historian)


def r6(ground: Ground) -> Measured:
    """Kill 300 runs; let half of the users come back, and the schedule find the rest."""
    verdict, here = Verdict(), scene(ground)
    users = [ground.user() for _ in range(KILLS)]
    jobs = [(point, user) for user in users for point in POINTS]
    ground.random("r6").shuffle(jobs)
    with ThreadPoolExecutor(AT_A_TIME) as pool:
        list(pool.map(here.kill, jobs))
    missed = {point: here.killed[point] for point in POINTS if here.killed[point] != KILLS}
    verdict.demand(not missed, f"killed only {missed}")
    here.clock.at_ms += LEASE_AND_A_MINUTE_MS
    returned = users[::2]
    for user in returned:
        here.fleet.confirm(here.fleet.estimate(user).quote, user, PROMPT)
    swept = here.fleet.reconciler.sweep(limit=1_000)
    second = second_sweep(here, users)
    verdict.demand(second == 0, f"the second sweep wrote {second} times")
    held, difference, cents = compared(here, users)
    verdict.demand(held == 0, f"{held} holds are left")
    verdict.demand(difference == 0, f"charged and stored differ in {difference} images")
    verdict.demand(cents == 0, f"the bills are off by {cents} micro-dollars")
    judge_organisation(verdict, here.fleet, sum(here.stored().values()))
    for user in users:
        for said in here.historian.problems(user, LIFTED, latest_ms=here.clock.at_ms):
            if "is followed by" not in said:  # what a killed worker was told, nobody has heard
                verdict.demand(False, said)  # noqa: FBT003
    total = sum(here.killed.values())
    return verdict.measured(
        f"{total} killed at {len(POINTS)} points; charged = stored ({len(here.stored())} images), "
        f"{held} held, second sweep {second} writes",
        killed=dict(here.killed), settled=swept.settled, released=swept.released,
        users=len(users), cameBack=len(returned),
    )  # fmt: skip


def judge_organisation(verdict: Verdict, fleet: Instance, stored_microusd: int) -> None:
    """Hold the organisation's budget of all months against what is stored."""
    months = [fleet.budgets.load(ORGANISATION, month) for month in MONTHS]
    days = sum(sum(one.days.values()) for one in months)
    total, marks = sum(one.month_microusd for one in months), sum(len(o.marks) for o in months)
    verdict.demand(days == stored_microusd, f"organisation: {days}, stored {stored_microusd}")
    verdict.demand(total == days, f"organisation: {total} in months, {days} in days")
    verdict.demand(marks == 0, f"organisation: {marks} holds are left")


def second_sweep(here: Scene, users: list[str]) -> int:
    """Return how much another sweep still finds to do."""
    before = {user: here.ledger(user).version for user in users}
    again = here.fleet.reconciler.sweep(limit=1_000)
    moved = sum(here.ledger(user).version - before[user] for user in users)
    return moved + again.settled + again.released


def compared(here: Scene, users: list[str]) -> tuple[int, int, int]:
    """Return holds left, images on one side only, and money that does not add up."""
    stored = here.stored()
    ledgers = [here.ledger(user) for user in users]
    ops = {name: op for ledger in ledgers for name, op in ledger.ops.items()}
    charged = {n: op.price_microusd for n, op in ops.items() if op.state is OpState.SETTLED}
    held = sum(op.state is OpState.HELD for op in ops.values())
    spent = sum(sum(ledger.spent.values()) for ledger in ledgers)
    return held, len(charged.items() ^ stored.items()), abs(spent - sum(stored.values()))
