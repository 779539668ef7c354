"""R7 and R8: replies that get lost, stores that are gone; through the SDK as it ships."""

import random
import statistics
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from multiprocessing.connection import Connection
from typing import Any

from imagegen.aws import clients
from imagegen.domain.errors import ImagegenError, StoreUnavailableError
from imagegen.domain.ledger import Ledger, Limits, OpState
from imagegen.domain.outcomes import Outcome
from imagegen.domain.records import ImageRecord
from imagegen.usecases.generate.run import Made
from tests.exactness.crashes import judge_organisation
from tests.exactness.ground import (
    Clock,
    Ground,
    Place,
    Proxy,
    all_at_once,
    child,
    receive,
)
from tests.exactness.instance import LIFETIME_MS, Instance, instance, providers
from tests.exactness.rows import Measured, Verdict
from tests.exactness.stored import stored_by_user
from tests.fakes.clock import NOON_MS

OPS = 5_000
PER_REQUEST = 4
"""A request is an offer read, a hold, an ending and a record."""
PROCESSES = 2
THREADS = 8
PATIENCE = 6
RATES = {
    "drop_after": 0.20,
    "drop_before": 0.10,
    "throttled": 0.05,
    "provisioned": 0.05,
    "conflict": 0.025,
    "error": 0.025,
}
S3_RATES = {"drop_after": 0.10, "drop_before": 0.05, "throttled": 0.05, "error": 0.05}


SERVED = 0.97
"""What part of the clicks must be served. It was 0.99, and 0.9992 was measured, when a click took
four requests to the stores. With the organisation's budget it takes seven, each of which may fail:
0.9856 was measured, of 1,250 clicks."""
LIMITS = Limits(100, 100_000, 100_000, 10**12)
"""More slots than any user asks for: one that is not given back shows."""


# --- R7


@dataclass(slots=True)
class Ticking:
    """A clock that moves a little each time it is read, as clocks do."""

    at_ms: int = NOON_MS

    def __call__(self) -> int:
        self.at_ms += 1
        return self.at_ms


@dataclass(frozen=True, slots=True)
class Job:
    """One image that a user wants."""

    user: str
    fails: bool


@dataclass(slots=True)
class Shift:
    """What one process came to."""

    made: dict[str, int] = field(default_factory=dict)
    """Charges that a caller was told of, by quote id."""
    refused: int = 0
    unserved: int = 0
    clicks: int = 0


def work(connection: Connection, place: Place, s3: Place, seed: str, jobs: list[Job]) -> None:
    """Make images through a proxy that loses a third of everything; send what callers saw."""
    shift, dice = Shift(), random.Random(seed)
    lucky = [replace(job, fails=dice.random() < 0.2) for job in jobs]
    crew = [_behind(place, s3, Ticking()) for _ in range(THREADS)]
    mine = [lucky[n::THREADS] for n in range(THREADS)]

    def live(number: int) -> None:
        for job in mine[number]:
            _want(crew[number], job, shift)

    all_at_once(live, range(THREADS), threads=THREADS)
    connection.send(shift)


def _behind(place: Place, s3: Place, now_ms: Ticking) -> Instance:
    failing = providers()
    return instance(
        place.unhurried(), s3.s3(), place.table, place.bucket, now_ms,
        drawn_by=failing, limits=LIMITS,
    )  # fmt: skip


def _want(here: Instance, job: Job, shift: Shift) -> None:
    """Ask, and ask again a few times, as a patient client does with the same quote."""
    for one in here.providers.values():
        one.react = (lambda _: Outcome.BAD_PARAMETER) if job.fails else (lambda _: None)
    quote = ""
    for _ in range(PATIENCE):
        shift.clicks += 1
        try:
            quote = quote or here.estimate(job.user).quote
            came = here.confirm(quote, job.user)
        except StoreUnavailableError:
            continue
        except ImagegenError:
            shift.refused += 1
            return
        if isinstance(came, Made):
            shift.made[came.record.quote_id] = came.record.charged_microusd
        # A run under way (202) is an answer, too: the caller polls it.
        return
    shift.unserved += 1


def r7(ground: Ground) -> Measured:
    """Make 1,250 images, 7 store operations each, while 45 % of all requests go wrong."""
    verdict, real = Verdict(), ground.place(bucket=True)
    users = [ground.user() for _ in range(25)]
    jobs = [Job(user, fails=False) for user in users for _ in range(OPS // PER_REQUEST // 25)]
    with ground.proxy("dynamodb") as dynamo, ground.proxy("s3") as s3:
        dynamo.set(**RATES)
        s3.set(**S3_RATES)
        place, images = replace(real, endpoint=dynamo.url), replace(real, endpoint=s3.url)
        crew = [
            child(work, place, images, f"{ground.seed}/r7/{n}", jobs[n::PROCESSES])
            for n in range(PROCESSES)
        ]
        shifts: list[Shift] = [receive(pipe) for _, pipe in crew]
        done, lost = dynamo.done(), s3.done()
    stored = judge_bills(verdict, real, users, NOON_MS + LIFETIME_MS + 90_000)
    charged = {name: price for (_, name), price in stored.items()}
    told = {name: price for shift in shifts for name, price in shift.made.items()}
    broken = sum(charged.get(name) != price for name, price in told.items())
    verdict.demand(broken == 0, f"{broken} callers were told of another charge than there is")
    served = 1 - sum(shift.unserved for shift in shifts) / len(jobs)
    verdict.demand(served >= SERVED, f"only {served:.2%} served")
    requests, good = sum(done.values()), done.get("forwarded", 0)
    return verdict.measured(
        f"{requests} ledger requests, {1 - good / requests:.0%} faulty; {len(stored)} stored = "
        f"charged, {broken} told otherwise, {served:.2%} served",
        faults=done, s3Faults=lost, clicks=sum(s.clicks for s in shifts), stored=len(stored),
        availability=served,
    )  # fmt: skip


def judge_bills(
    verdict: Verdict, place: Place, users: list[str], late_ms: int
) -> dict[tuple[str, str], int]:
    """Let the reconciler come, then hold each bill against the stored images; return those."""
    here = instance(
        place.thin(), place.s3(), place.table, place.bucket, Clock(late_ms), drawn_by=providers()
    )
    here.reconciler.sweep(limit=1_000)
    stored = stored_by_user(place.s3(), place.bucket, users)
    for user in users:
        ledger = here.ledgers.load(user)
        images = [record for (owner, _), record in stored.items() if owner == user]
        mine = [record.charged_microusd for record in images]
        held = sum(op.state is OpState.HELD for op in ledger.ops.values())
        spent, counted = sum(ledger.spent.values()), sum(ledger.images.values())
        verdict.demand(spent == sum(mine), f"{user}: charged {spent}, stored {sum(mine)}")
        verdict.demand(counted == len(mine), f"{user}: counted {counted}, stored {len(mine)}")
        verdict.demand(held == 0, f"{user}: {held} holds are left after the reconciler")
        for said in _slots(ledger, images):
            verdict.demand(False, said)  # noqa: FBT003
    judge_organisation(verdict, here, sum(one.charged_microusd for one in stored.values()))
    return {key: record.charged_microusd for key, record in stored.items()}


def _slots(ledger: Ledger, images: Sequence[ImageRecord]) -> Iterator[str]:
    """Yield each hour slot that was taken when no image was begun: it was not given back."""
    begun = {record.created_ms - record.duration_ms for record in images}
    for slot, at_ms in ledger.slots.items():
        if at_ms not in begun:
            yield f"slot {slot} is taken by nothing"


# --- R8

REQUESTS = 12
BAR_SECONDS = 2.0
BACKOFF_SECONDS = {"legacy": 0.05, "standard": 1.0}
"""The most that botocore waits before its second try at DynamoDB."""


@contextmanager
def _timed(seconds: list[float]) -> Iterator[None]:
    began = time.monotonic()
    try:
        yield
    finally:
        seconds.append(time.monotonic() - began)


@dataclass(frozen=True, slots=True)
class Running:
    """A clock that runs: how long a store was silent is what is measured here."""

    began: float = field(default_factory=time.monotonic)

    def __call__(self) -> int:
        return NOON_MS + int((time.monotonic() - self.began) * 1_000)


def r8(ground: Ground) -> Measured:
    """Take the ledger away in four ways, then the circuits."""
    verdict, place = Verdict(), ground.place(bucket=True)
    with ground.proxy("r8") as proxy:
        figures = {
            mode: _without_ledger(ground, verdict, place, proxy, mode=mode, requests=requests)
            for mode, requests in (
                ("drop_before", REQUESTS),
                ("error", REQUESTS),
                ("throttled", 6),
                ("hang", 3),
            )
        }
        went_on = _without_circuits(ground, verdict, place, proxy)
    worst = silent_seconds()
    verdict.demand(worst <= BAR_SECONDS, f"a silent ledger is told after {worst:.2f} s")
    said = ", ".join(f"{mode} {seconds:.2f} s" for mode, seconds in figures.items())
    return verdict.measured(
        f"0 provider calls; 503 after (most) {said}; without circuits {went_on}",
        seconds=figures, silentSeconds=worst, withoutCircuits=went_on,
    )  # fmt: skip


def silent_seconds() -> float:
    """Return how long one call may take by the client's settings when nobody answers."""
    config: Any = clients._STORE
    attempts = config.retries["total_max_attempts"]
    waits = 0.0 if attempts == 1 else BACKOFF_SECONDS[config.retries["mode"]]
    return float(attempts * max(config.read_timeout, config.connect_timeout) + waits)


def _without_ledger(
    ground: Ground, verdict: Verdict, place: Place, proxy: Proxy, *, mode: str, requests: int
) -> float:
    proxy.set()
    down = replace(place, endpoint=proxy.url)
    here = instance(
        down.dynamodb(), place.s3(), place.table, place.bucket, Running(), drawn_by=providers()
    )
    quotes = [(user := ground.user(), here.estimate(user).quote) for _ in range(requests)]
    proxy.set(**{mode: 1.0})
    seconds, came = list[float](), Counter[str]()
    for user, quote in quotes:
        with _timed(seconds):
            try:
                here.confirm(quote, user)
            except StoreUnavailableError as error:
                came["503" if error.retry_after_seconds else "503 without Retry-After"] += 1
            except ImagegenError as error:
                came[type(error).__name__] += 1
    proxy.set()
    calls = sum(one.calls for one in here.providers.values())
    spent = sum(sum(here.ledgers.load(user).spent.values()) for user, _ in quotes)
    verdict.demand(came == {"503": requests}, f"{mode}: {dict(came)}")
    verdict.demand(calls == 0, f"{mode}: {calls} provider calls")
    verdict.demand(spent == 0, f"{mode}: {spent} spent")
    return round(max(seconds), 2)


def _without_circuits(ground: Ground, verdict: Verdict, place: Place, proxy: Proxy) -> str:
    clock, seconds = Clock(), list[float]()
    down = replace(place, endpoint=proxy.url).dynamodb()
    here = instance(
        place.dynamodb(), place.s3(), place.table, place.bucket, clock, drawn_by=providers(),
        circuits=down,
    )  # fmt: skip
    proxy.set(drop_before=1.0)
    made = 0
    for _ in range(REQUESTS):
        user = ground.user()
        quote = here.estimate(user).quote
        with _timed(seconds):
            made += isinstance(here.confirm(quote, user), Made)
        clock.at_ms += 2_000
    proxy.set()
    verdict.demand(made == REQUESTS, f"without circuits {made} of {REQUESTS} were made")
    return f"{made} of {REQUESTS} made, {statistics.median(seconds):.2f} s each"
