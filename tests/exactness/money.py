"""R1 to R5: the cap, the hour and the quote, with everybody at once."""

import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection
from typing import Any

from imagegen.aws.ledger_store import DynamoLedgerStore
from imagegen.domain.days import utc_day
from imagegen.domain.ledger import HOUR_MS, Hold, Ledger, Limits, OpState
from imagegen.domain.standing import limit_reached
from imagegen.domain.stores import Held, LedgerSnapshot, LedgerStore, Refused
from tests.exactness.ground import (
    CONTEXT,
    Clock,
    Ground,
    Place,
    all_at_once,
    child,
    receive,
)
from tests.exactness.history import Historian
from tests.exactness.rows import Measured, Verdict
from tests.fakes.clock import NOON_MS as NOW
from tests.fakes.ledgers import MemoryLedgerStore

CAP = 10_000_000
PRICE = 170_000
FIT = 58
REQUESTS = 200
PROCESSES = 4
SEEDS = 20
CASES = 200
HELD, REFUSED = Held.__name__, Refused.__name__
DAY = utc_day(NOW)
MONEY_ONLY = Limits(0, 100_000, 100_000, CAP)
HOUR_ONLY = Limits(10, 100_000, 100_000, 10**12)


@dataclass(frozen=True, slots=True)
class Try:
    """One hold that was asked for, what the store said, and what it had seen."""

    hold: Hold
    kind: str
    ledger: Ledger


def hold(number: int, *, price: int = PRICE, now_ms: int = NOW, day: str = "") -> Hold:
    """Return a hold that no other is like."""
    expires_ms, lease_ms = now_ms + 600_000, now_ms + 330_000 + number % 97
    return Hold(
        f"q{number:05d}", f"run-{number}", day or DAY, price, expires_ms, lease_ms, number % 10
    )


def ask(store: DynamoLedgerStore, user: str, limits: Limits, one: Hold, now_ms: int = NOW) -> Try:
    """Return what the store says to a hold."""
    came = store.reserve(user, one, limits, now_ms=now_ms)
    ledger = came.ledger if isinstance(came, Refused) else came.snapshot.ledger
    return Try(one, type(came).__name__, ledger)


def shared(tries: list[Try]) -> list[Try]:
    """Return the same with each ledger once: it is sent once, then, and not for each refusal."""
    known: dict[int, Ledger] = {}
    found = []
    for one in tries:
        first = known.setdefault(one.ledger.version, one.ledger)
        found.append(replace(one, ledger=first) if first == one.ledger else one)
    return found


def unjustified(
    states: Sequence[Ledger], tries: Sequence[Try], limits: Limits, now_ms: int = NOW
) -> list[str]:
    """Return every refusal that the ledger of its very version does not justify."""
    found = []
    for one in tries:
        if one.kind != REFUSED:
            continue
        ledger = one.ledger
        if ledger.version >= len(states) or states[ledger.version] != ledger:
            found.append(f"{one.hold.quote_id} was refused by a ledger nobody else saw")
        elif limit_reached(ledger, one.hold, limits, now_ms=now_ms) is None:
            found.append(f"{one.hold.quote_id} was refused at v{ledger.version} without a reason")
    return found


# --- R1


def spend(connection: Connection, place: Place, gate: Any, threads: int) -> None:
    """Reserve and settle in a process of its own, as often as it is told to."""
    client = place.patient()
    historian = Historian()
    historian.watch(client)
    store = DynamoLedgerStore(client, place.table)
    while job := connection.recv():
        user, numbers = job
        gate.wait()
        tries = all_at_once(
            lambda n, user=user: ask(store, user, MONEY_ONLY, hold(n)),  # type: ignore[misc]
            numbers,
            threads=threads,
        )
        gate.wait()
        for one in tries:
            if one.kind == HELD:
                seen = LedgerSnapshot(one.hold.quote_id, one.ledger)
                store.settle(user, seen, charged_microusd=PRICE, now_ms=NOW)
        connection.send((shared(tries), historian.items, historian.wrong))
        historian.items.clear()


def r1(ground: Ground) -> Measured:
    """Spend $10 in images of $0.17, 200 at once from 4 processes, over 20 seeds."""
    place, verdict = ground.place(), Verdict()
    gate, threads = CONTEXT.Barrier(PROCESSES), REQUESTS // PROCESSES
    crew = [child(spend, place, gate, threads) for _ in range(PROCESSES)]
    made: list[int] = []
    for seed in range(SEEDS):
        historian = Historian()
        user = _spender(ground, place, seed, historian)
        numbers = list(range(REQUESTS))
        ground.random("r1", seed).shuffle(numbers)
        for number, (_, pipe) in enumerate(crew):
            pipe.send((user, numbers[number::PROCESSES]))
        tries = list[Try]()
        for _, pipe in crew:
            some, items, wrong = receive(pipe)
            tries += some
            historian.merge(items)
            historian.wrong += wrong
        made.append(_check_spending(verdict, place, user, historian, tries))
    for process, pipe in crew:
        pipe.send(None)
        process.join()
    over = max(made) * PRICE - CAP
    return verdict.measured(
        f"{SEEDS} seeds: {sorted(set(made))} made of {REQUESTS}, "
        f"overshoot ${max(0, over) / 1e6:.2f}",
        made=made, seeds=SEEDS, processes=PROCESSES, threads=REQUESTS,
    )  # fmt: skip


def _spender(ground: Ground, place: Place, seed: int, historian: Historian) -> str:
    """Return a user: three of four were never seen, the fourth has a past that cost nothing."""
    user = ground.user()
    if seed % 4 == 3:
        thin = place.thin()
        thin.on_item = historian.tell
        store = DynamoLedgerStore(thin, place.table)  # type: ignore[arg-type]
        came = store.reserve(user, hold(90_000), MONEY_ONLY, now_ms=NOW)
        assert isinstance(came, Held)
        store.release(user, came.snapshot, code="x", retryable=False, now_ms=NOW)
    return user


def _check_spending(
    verdict: Verdict, place: Place, user: str, historian: Historian, tries: list[Try]
) -> int:
    ledger = DynamoLedgerStore(place.thin(), place.table).load(user)  # type: ignore[arg-type]
    kinds = Counter(one.kind for one in tries)
    settled = sum(op.state is OpState.SETTLED for op in ledger.ops.values())
    verdict.demand(kinds == {HELD: FIT, REFUSED: REQUESTS - FIT}, f"{user}: {dict(kinds)}")
    verdict.demand(settled == FIT, f"{user}: {settled} charged")
    verdict.demand(ledger.spent == {DAY: FIT * PRICE}, f"{user}: spent {dict(ledger.spent)}")
    states = historian.ledgers(user)
    for said in historian.problems(user, MONEY_ONLY, latest_ms=NOW):
        verdict.demand(False, said)  # noqa: FBT003
    for said in unjustified(states, tries, MONEY_ONLY):
        verdict.demand(False, said)  # noqa: FBT003
    verdict.demand(states[-1] == ledger, f"{user}: the last answer is not what is stored")
    return settled


# --- R2 and R3


def r2(ground: Ground) -> Measured:
    """Spend a random cap at random prices, releasing some, 200 times over."""
    place, verdict = ground.place(), Verdict()
    asked = refused = 0
    for case in range(CASES):
        dice, user = ground.random("r2", case), ground.user()
        limits = Limits(0, 100_000, 100_000, dice.randrange(500_000, 12_000_000))
        historian = Historian()
        thin = place.thin()
        thin.on_item = historian.tell
        store = DynamoLedgerStore(thin, place.table)  # type: ignore[arg-type]
        jobs = [(n, dice.randrange(1, 3_000_000), dice.random()) for n in range(16)]
        tries = all_at_once(
            lambda job, user=user, limits=limits, store=store: _life(store, user, limits, job),  # type: ignore[misc]
            jobs,
            threads=8,
        )
        states = historian.ledgers(user)
        most = max((state.spent.get(DAY, 0) for state in states), default=0)
        verdict.demand(most <= limits.daily_microusd, f"case {case}: {most} spent at one time")
        said = historian.problems(user, limits, latest_ms=NOW)
        for text in [*said, *unjustified(states, tries, limits)]:
            verdict.demand(False, f"case {case}: {text}")  # noqa: FBT003
        asked += len(tries)
        refused += sum(one.kind == REFUSED for one in tries)
    return verdict.measured(
        f"{CASES} cases, {asked} requests, {refused} refused, each justified at its version",
        cases=CASES, asked=asked, refused=refused,
    )  # fmt: skip


def _life(store: DynamoLedgerStore, user: str, limits: Limits, job: tuple[int, int, float]) -> Try:
    """Reserve, then charge a part of it, give it back, or leave it held."""
    number, price, luck = job
    one = ask(store, user, limits, hold(number, price=price))
    seen = LedgerSnapshot(one.hold.quote_id, one.ledger)
    if one.kind == HELD and luck < 0.4:
        store.settle(user, seen, charged_microusd=int(price * luck), now_ms=NOW)
    elif one.kind == HELD and luck < 0.8:
        store.release(user, seen, code="x", retryable=False, now_ms=NOW)
    return one


def r3(ground: Ground) -> Measured:
    """Ask for 200 images at once where ten an hour are allowed."""
    place, verdict = ground.place(), Verdict()
    client = place.patient()
    historian = Historian()
    historian.watch(client)
    store = DynamoLedgerStore(client, place.table)
    made = []
    for _ in range(3):
        user = ground.user()
        tries = all_at_once(
            lambda n, user=user: ask(store, user, HOUR_ONLY, hold(n)),  # type: ignore[misc]
            range(REQUESTS),
            threads=REQUESTS,
        )
        made.append(sum(one.kind == HELD for one in tries))
        verdict.demand(made[-1] == 10, f"{made[-1]} made")
        states = historian.ledgers(user)
        said = historian.problems(user, HOUR_ONLY, latest_ms=NOW)
        for text in [*said, *unjustified(states, tries, HOUR_ONLY)]:
            verdict.demand(False, text)  # noqa: FBT003
    return verdict.measured(f"{made} made of {REQUESTS} each", made=made)


# --- R4

HOURS = 48
ARRIVALS = 20_000
IN_DYNAMODB = 6_000
"""The rest goes to the store in memory, which the equivalence suite holds to be the same."""
SHIPPED = Limits(10, 50, 100_000, 10**12)
"""The shipped image limits; attempts and money would refuse first at this rate."""


@dataclass(frozen=True, slots=True)
class Day:
    """What one user's 48 hours came to."""

    arrivals: int
    made: int
    most_in_an_hour: int
    most_in_a_day: int
    hourly_refusals: int
    false_refusals: int


def live(connection: Connection, place: Place | None, user: str, seed: str, arrivals: int) -> None:
    """Let a user ask for 48 simulated hours in a process of its own; send what it came to."""
    dice, clock = random.Random(seed), Clock()
    store: LedgerStore = MemoryLedgerStore()
    if place:
        store = DynamoLedgerStore(place.thin(), place.table)  # type: ignore[arg-type]
    start_ms = NOW - NOW % 86_400_000
    times = sorted(dice.randrange(HOURS * HOUR_MS) for _ in range(arrivals))
    taken, hourly, false = list[int](), 0, 0
    for number, at_ms in enumerate(times):
        clock.at_ms = start_ms + at_ms
        day = utc_day(clock.at_ms)
        one = hold(number, now_ms=clock.at_ms, day=day)
        came = store.reserve(user, one, SHIPPED, now_ms=clock.at_ms)
        if isinstance(came, Refused):
            hour = sum(t > clock.at_ms - HOUR_MS for t in taken[-10:])
            today = sum(utc_day(t) == day for t in taken)
            hourly += came.limit.code == "hourly_images"
            justified = hour >= 10 if came.limit.code == "hourly_images" else today >= 50
            false += not justified
        elif isinstance(came, Held):
            _finish(store, user, came, clock.at_ms, taken, fails=dice.random() < 0.2)
    days = Counter(map(utc_day, taken))
    most = max(sum(t - HOUR_MS < other <= t for other in taken) for t in taken)
    connection.send(Day(arrivals, len(taken), most, max(days.values()), hourly, false))


def _finish(
    store: LedgerStore,
    user: str,
    came: Held,
    now_ms: int,
    taken: list[int],
    *,
    fails: bool,
) -> None:
    if fails:
        store.release(user, came.snapshot, code="x", retryable=False, now_ms=now_ms)
        return
    taken.append(now_ms)
    store.settle(user, came.snapshot, charged_microusd=PRICE, now_ms=now_ms)


def r4(ground: Ground) -> Measured:
    """Live through 48 hours with 20,000 arrivals."""
    place, verdict = ground.place(), Verdict()
    crew = [
        child(live, where, ground.user(), f"{ground.seed}/r4/{arrivals}", arrivals)
        for where, arrivals in ((place, IN_DYNAMODB), (None, ARRIVALS - IN_DYNAMODB))
    ]
    came: list[Day] = []
    for process, pipe in crew:
        while not pipe.poll(1):
            if not process.is_alive():
                raise RuntimeError("a worker died")
        came.append(pipe.recv())
    most = max(one.most_in_an_hour for one in came)
    daily = max(one.most_in_a_day for one in came)
    false = sum(one.false_refusals for one in came)
    verdict.demand(most == 10, f"{most} in one hour")
    verdict.demand(daily <= 50, f"{daily} in one day")
    verdict.demand(false == 0, f"{false} false refusals")
    verdict.demand(all(one.hourly_refusals for one in came), "the hour never refused")
    arrivals, made = sum(one.arrivals for one in came), sum(one.made for one in came)
    return verdict.measured(
        f"{arrivals} arrivals ({IN_DYNAMODB} in DynamoDB), {made} made, at most {most} in any hour "
        f"and {daily} a day, {false} false refusals",
        arrivals=arrivals, made=made, mostInAnHour=most, mostInADay=daily, falseRefusals=false,
    )  # fmt: skip
