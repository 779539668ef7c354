"""R15: what each request consumes of DynamoDB, as ``bench/metering.py`` counts it.

``make exactness ROWS=R15`` writes ``bench/capacity.md``.
"""

import itertools
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from bench.metering import Consumed, metered
from imagegen.aws.circuit_store import DynamoCircuitStore
from imagegen.aws.ledger_store import DynamoLedgerStore
from imagegen.domain.errors import ImagegenError
from imagegen.domain.ledger import HOUR_MS, Limits
from imagegen.usecases.generate.run import Made
from local.paths import ROOT
from tests.exactness.ground import Clock, Ground, all_at_once
from tests.exactness.instance import Instance, instance, providers
from tests.exactness.money import hold
from tests.exactness.rows import Measured, Verdict
from tests.exactness.works import Mode, Offered, Work, clicked, delivered, editors, offered, sent
from tests.fakes.clock import NOON_MS
from tests.fakes.service import PRODUCT_LIMITS

OUT = ROOT / "bench" / "capacity.md"
INPUT_TRIPS = 1
"""One more round trip for an image with inputs: the ledger is looked at before they are read."""
BUDGET_WRITES, BUDGET_READS, BUDGET_TRIPS, BUDGET_STORM = 7.0, 2.0, 6, 250.0
PROMPT_WRITES = 1
"""One more write, and one more round trip, for the prompt of an image where prompts are kept."""
TAKEOVER_WRITES = 1
"""One more write where another invocation makes the image: its run takes the hold over."""
STORM = 200
WORDS = {Work.EDITS: "an edit", Work.UPSCALE: "an upscale", Work.CUTOUT: "a cut-out"}


@dataclass(slots=True)
class Bench:
    """An instance whose calls are metered."""

    ground: Ground
    client: Any
    here: Instance
    clock: Clock
    rows: dict[str, Consumed] = field(default_factory=dict)

    def measure(self, name: str, work: Callable[[], object]) -> Consumed:
        """Return what a piece of work consumed."""
        # As in an instance that was idle: circuits are read anew.
        self.clock.at_ms += 2_000
        with metered(self.client) as came:
            try:
                work()
            except ImagegenError as error:
                name = f"{name} ({error.code})"
        self.rows[name] = came
        return came


@dataclass(frozen=True, slots=True)
class Budget:
    """What an image may take beside ``BUDGET_WRITES`` and ``BUDGET_TRIPS``."""

    writes: int = 0
    trips: int = 0


def _check(verdict: Verdict, name: str, came: Consumed, budget: Budget) -> None:
    writes, trips = BUDGET_WRITES + budget.writes, BUDGET_TRIPS + budget.trips
    units = came.all_writes
    verdict.demand(units <= writes, f"{name}: {units} write units with the index's")
    verdict.demand(came.reads <= BUDGET_READS, f"{name}: {came.reads} read units")
    verdict.demand(came.trips <= trips, f"{name}: {came.trips} round trips")


def bench(ground: Ground) -> Bench:
    """Return a bench over new tables."""
    place, clock = ground.place(bucket=True), Clock()
    client = place.patient()
    here = instance(
        client, place.s3(), place.table, place.bucket, clock,
        drawn_by=providers(), limits=replace(PRODUCT_LIMITS, hourly_images=20),
        catalog=editors("alpha"),
    )  # fmt: skip
    return Bench(ground, client, here, clock)


def capacity(ground: Ground) -> Measured:
    """Measure every kind of request and keep the table."""
    verdict, desk = Verdict(), bench(ground)
    images = _images(desk)
    refused = _refused(desk)
    _reads(desk)
    storm = _storm(ground, desk)
    for name, came in images.items():
        _check(verdict, name, came, Budget(PROMPT_WRITES, PROMPT_WRITES))
    for name, (came, budget) in _other_images(desk).items():
        _check(verdict, name, came, budget)
    verdict.demand(storm <= BUDGET_STORM, f"a storm of {STORM} took {storm} write units")
    breaker_writes = _healthy_breaker_writes(desk)
    verdict.demand(breaker_writes == 0, f"{breaker_writes} breaker writes on the healthy path")
    _write(desk.rows, breaker_writes)
    first, tenth = images["first image"], images["tenth image"]
    return verdict.measured(
        f"image {first.all_writes:g} to {tenth.all_writes:g} write + {tenth.reads:g} read units, "
        f"{tenth.trips} round trips; refused {refused.all_writes:g}; storm {storm:g}; healthy "
        f"breaker {breaker_writes} writes",
        image=tenth.cells(), storm=storm, breakerWrites=breaker_writes,
    )  # fmt: skip


def _images(desk: Bench) -> dict[str, Consumed]:
    user, came = desk.ground.user(), dict[str, Consumed]()
    for number in range(1, 11):
        quote = desk.here.estimate(user).quote
        name = {1: "first image", 2: "second image", 10: "tenth image"}.get(number, "")

        def make(quote: str = quote) -> None:
            if not isinstance(desk.here.confirm(quote, user), Made):
                raise TypeError("no image was made")

        if name:
            came[name] = desk.measure(name, make)
        else:
            make()
    # The requests of the last hour are still there; the slots are free again.
    desk.clock.at_ms += HOUR_MS
    quote = desk.here.estimate(user).quote
    late = "the next image, an hour later"
    came[late] = desk.measure(late, lambda: desk.here.confirm(quote, user))
    again = desk.here.estimate(user).quote
    desk.here.confirm(again, user)
    desk.measure("the same quote again", lambda: desk.here.confirm(again, user))
    return came


def _other_images(desk: Bench) -> dict[str, tuple[Consumed, Budget]]:
    """Return what other ways to an image consume, each beside what it may take."""
    plain = replace(desk.here, keeps_prompts=False)
    user = desk.ground.user()
    quote = desk.here.estimate(user).quote
    kept = "an image whose prompt is not kept"
    found = {kept: (desk.measure(kept, lambda: plain.confirm(quote, user)), Budget())}
    for work, mode in itertools.product((Work.EDITS, Work.UPSCALE, Work.CUTOUT), Mode):
        one = offered(desk.here, desk.ground.user(), work)
        # An operation has no prompt. An input needs a look at the ledger before it is read.
        more = PROMPT_WRITES if work is Work.EDITS else 0
        later = TAKEOVER_WRITES if mode is Mode.LATER else 0
        name = f"{WORDS[work]}, {mode}"
        came = desk.measure(name, partial(_made, desk.here, one, mode))
        found[name] = (came, Budget(more + later, more + later + INPUT_TRIPS))
    one = offered(desk.here, desk.ground.user(), Work.EDITS, count=4)
    four = desk.measure("four edits of a set", partial(_made, desk.here, one, Mode.AT_ONCE))
    each = four.share(4)
    found["one of four edits of a set"] = (each, Budget(PROMPT_WRITES, PROMPT_WRITES + INPUT_TRIPS))
    return found


def _made(here: Instance, one: Offered, mode: Mode) -> None:
    """Make the images of an offer, in the invocation that is called or in another one.

    Raises:
        TypeError: not all of them were made.
    """
    if mode is Mode.AT_ONCE:
        results = [image.result for image in clicked(here, one)]
    else:
        mine = replace(here, events=[])
        sent(mine, one)
        results = [result for event in mine.events for result in delivered(mine, event) if result]
    if not results or not all(isinstance(result, Made) for result in results):
        raise TypeError(f"not all were made: {results}")


def _refused(desk: Bench) -> Consumed:
    """Return what a request above the hour's limit costs."""
    user = desk.ground.user()
    quotes = [desk.here.estimate(user).quote for _ in range(21)]
    for quote in quotes[:20]:
        desk.here.confirm(quote, user)
    came = desk.measure("refused", lambda: desk.here.confirm(quotes[20], user))
    if not any("hourly_images" in name for name in desk.rows):
        raise RuntimeError(f"nothing was refused for the hour: {list(desk.rows)}")
    return came


def _reads(desk: Bench) -> None:
    user = desk.ground.user()
    desk.measure("estimate", lambda: desk.here.estimate(user))
    desk.measure("health", desk.here.guard.fleet)
    with metered(desk.client) as within:
        desk.here.guard.fleet()
    desk.rows["health again within 2 s"] = within


def _storm(ground: Ground, desk: Bench) -> float:
    """Return the write units of 200 requests at once against $10."""
    place = ground.place()
    client, user = place.patient(), ground.user()
    store = DynamoLedgerStore(client, place.table)
    with metered(client) as came:
        all_at_once(
            lambda n: store.reserve(user, hold(n), Limits(), now_ms=NOON_MS),
            range(STORM),
            threads=STORM,
        )
    desk.rows[f"{STORM} reservations of one user at once"] = came
    return came.all_writes


def _healthy_breaker_writes(desk: Bench) -> int:
    """Return how many items the circuits came to while all went well."""
    fleet = DynamoCircuitStore(desk.client, _table(desk)).load()
    return len(fleet.circuits)


def _table(desk: Bench) -> str:
    store = desk.here.circuits
    if not isinstance(store, DynamoCircuitStore):
        raise TypeError("another store")
    return store.table


def _write(rows: dict[str, Consumed], breaker_writes: int) -> None:
    lines = [
        "# What a request consumes of DynamoDB",
        "",
        "Measured by `make exactness` (row R15) from `ReturnConsumedCapacity`, on MiniStack.",
        "",
        "| request | write units, table + index | read units | round trips | calls |",
        "|---|---|---|---|---|",
        *(f"| {name} | {came.cells()} |" for name, came in rows.items()),
        "",
        f"Breaker writes on the healthy path: {breaker_writes}.",
        "",
    ]
    OUT.write_text("\n".join(lines))
