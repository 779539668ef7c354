"""R22: budgets above the users: exact with everybody at once, and after faults and deaths."""

from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from itertools import count
from random import Random
from threading import Lock
from typing import Any

from bench.metering import metered
from imagegen.aws.budget_store import DynamoBudgetStore
from imagegen.aws.ledger_store import DynamoLedgerStore
from imagegen.aws.record_store import DynamoRecordStore
from imagegen.aws.warning_store import DynamoBudgetWarningStore
from imagegen.domain.budgets import ORGANISATION, Level, team_level
from imagegen.domain.errors import StoreUnavailableError
from imagegen.domain.ids import ImageRef
from imagegen.domain.ledger import Limits, OpState
from imagegen.domain.stores import Held, LedgerSnapshot, Refused, Reservation
from imagegen.usecases.generate.budget_warnings import BudgetWarner
from imagegen.usecases.generate.budgeted_ledgers import BudgetedLedgers
from tests.adapters.aws.test_image_contract import COMPLETE
from tests.exactness.ground import Ground, Place, all_at_once
from tests.exactness.money import CAP, DAY, FIT, PRICE, REQUESTS, hold
from tests.exactness.rows import Measured, Verdict
from tests.fakes.clock import NOON_MS as NOW
from tests.fakes.faults import DiedError

SEEDS, PERSONS, TEAMS, THREADS = 20, 20, 3, 200
TEAM_CAP = 3_400_000
MONTH = DAY[:6]
FAULTY, THREADS_FAULTY = 300, 24
DROPPED = 0.2
DYING = 0.3
UNITS = {1: 5.0, 2: 7.0, 3: 9.0}
"""What an image may write at most with so many levels, the user's own included, with its record and
without its prompt."""
ALONE = Limits(0, 100_000, 100_000, 10**12)


@dataclass(slots=True)
class Mortal:
    """A store whose caller dies before or after one of its calls, if the dice say so."""

    target: Any
    dice: Random
    left: dict[str, int] = field(default_factory=lambda: {"calls": -1})

    def __getattr__(self, name: str) -> Any:
        real = getattr(self.target, name)

        def call(*args: Any, **kwargs: Any) -> Any:
            self.left["calls"] -= 1
            if self.left["calls"] != 0:
                return real(*args, **kwargs)
            if self.dice.random() < 0.5:
                real(*args, **kwargs)
            raise DiedError

        return call


@dataclass(slots=True)
class Company:
    """Persons in teams of one organisation, and what of theirs is stored."""

    place: Place
    levels: Mapping[str, tuple[Level, ...]]
    """By person: the team's and the organisation's."""
    stored: dict[str, int] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    @property
    def persons(self) -> list[str]:
        return list(self.levels)

    @property
    def all_levels(self) -> list[Level]:
        return sorted({level for some in self.levels.values() for level in some}, key=str)

    def store(self, client: Any, now_ms: int = NOW, dying: Mortal | None = None) -> BudgetedLedgers:
        """Return the store of one instance."""
        ledgers = DynamoLedgerStore(client, self.place.table)
        budgets = DynamoBudgetStore(client, self.place.table)
        if dying is not None:
            ledgers = replace_target(dying, ledgers)
            budgets = replace_target(dying, budgets)
        warner = BudgetWarner(DynamoBudgetWarningStore(client, self.place.table), lambda: now_ms)
        return BudgetedLedgers(
            ledgers, budgets, lambda: now_ms, lambda _seconds: None, lambda: warner
        )

    def limits(self, person: str) -> Limits:
        return replace(ALONE, levels=self.levels[person])

    def store_image(self, quote_id: str, charge: int) -> None:
        with self._lock:
            self.stored[quote_id] = charge

    def sweep(self, client: Any, now_ms: int) -> int:
        """End all that is held after its lease. Return how many requests were ended."""
        store, ended = self.store(client, now_ms), 0
        for user in store.lapsed(now_ms=now_ms, limit=1_000):
            ledger = store.load(user)
            for quote_id, op in ledger.ops.items():
                if op.state is OpState.HELD:
                    ended += 1
                    end(store, user, LedgerSnapshot(quote_id, ledger), self.stored.get(quote_id))
            store.forget_lease(user)
        return ended

    def judge(self, verdict: Verdict, client: Any, name: str) -> int:
        """Hold each level against the entries below it. Return what the organisation charged."""
        store, below = self.store(client), Counter[str]()
        budgets = DynamoBudgetStore(client, self.place.table)
        charged, held = dict[str, int](), 0
        for person in self.persons:
            ledger = store.load(person)
            for level in self.levels[person]:
                below[level.name] += ledger.spent.get(DAY, 0)
            held += sum(op.state is OpState.HELD for op in ledger.ops.values())
            charged |= {
                quote_id: op.price_microusd
                for quote_id, op in ledger.ops.items()
                if op.state is OpState.SETTLED
            }
        verdict.demand(charged == self.stored, f"{name}: charged and stored differ")
        verdict.demand(held == 0, f"{name}: {held} holds are left")
        for level in self.all_levels:
            found = budgets.load(level.name, MONTH)
            used, most = found.days.get(DAY, 0), level.daily_microusd or 0
            verdict.demand(used == below[level.name], f"{name}: {level} is off the entries")
            verdict.demand(found.month_microusd == used, f"{name}: {level}: month and day differ")
            verdict.demand(not found.marks, f"{name}: {level} has {len(found.marks)} marks")
            verdict.demand(used <= most, f"{name}: {level} is over by {used - most}")
        return below[ORGANISATION]


def replace_target(dying: Mortal, target: Any) -> Any:
    """Return a store whose calls are counted with those of another one."""
    return Mortal(target, dying.dice, dying.left)


def company(ground: Ground, *, team_cap: int, cap: int) -> Company:
    """Return twenty persons in three teams, whom no store has seen."""
    number, organisation = ground.user(), Level(ORGANISATION, cap)
    teams = [Level(team_level(f"{number}/{index}"), team_cap) for index in range(TEAMS)]
    levels = {ground.user(): (teams[index % TEAMS], organisation) for index in range(PERSONS)}
    return Company(ground.place(), levels)


def end(store: BudgetedLedgers, user: str, seen: LedgerSnapshot, charge: int | None) -> bool:
    """Settle a stored image, or give its hold back."""
    if charge is None:
        return store.release(user, seen, code="x", retryable=True, now_ms=NOW + 400_000)
    return store.settle(user, seen, charged_microusd=charge, now_ms=NOW + 1_000)


def r22(ground: Ground) -> Measured:
    """Spend by twenty persons in three teams, with everybody at once, and with faults."""
    verdict = Verdict()
    made = [_together(verdict, ground, seed) for seed in range(SEEDS)]
    verdict.demand(set(made) == {FIT}, f"organisation: {made} of {REQUESTS}, not {FIT}")
    of_teams = sorted({made for seed in range(SEEDS) for made in _by_team(verdict, ground, seed)})
    faults = [_faulty(verdict, ground, seed) for seed in range(2)]
    units = {levels: image_units(ground.place(), levels) for levels in UNITS}
    for levels, came in units.items():
        verdict.demand(came <= UNITS[levels], f"{levels} levels: {came} write units")
    return verdict.measured(
        f"{SEEDS} seeds: {sorted(set(made))} of {REQUESTS}; each team {of_teams}; faults: "
        f"{'; '.join(faults)}; write units with 1, 2, 3 levels: "
        f"{', '.join(f'{came:g}' for came in units.values())}",
        made=made, units=units,
    )  # fmt: skip


def _ask(here: Company, client: Any, numbers: list[int]) -> list[tuple[str, Reservation]]:
    store = here.store(client)

    def ask(number: int) -> tuple[str, Reservation]:
        person = here.persons[number % PERSONS]
        wanted = hold(number)
        return person, store.reserve(person, wanted, here.limits(person), now_ms=NOW)

    return all_at_once(ask, numbers, threads=THREADS)


def _settle_all(here: Company, client: Any, came: list[tuple[str, Reservation]]) -> None:
    store = here.store(client)
    held = [(person, one.snapshot) for person, one in came if isinstance(one, Held)]
    for _, snapshot in held:
        here.store_image(snapshot.quote_id, PRICE)
    all_at_once(lambda one: end(store, *one, PRICE), held, threads=min(20, len(held)))


def _together(verdict: Verdict, ground: Ground, seed: int) -> int:
    """Return how many images of $0.17 the organisation's $10 pay, 200 threads at once."""
    here, numbers = company(ground, team_cap=10**12, cap=CAP), list(range(REQUESTS))
    ground.random("r22", seed).shuffle(numbers)
    client = here.place.patient()
    came = _ask(here, client, numbers)
    codes = {one.limit.code for _, one in came if isinstance(one, Refused)}
    verdict.demand(codes == {"total_daily_spend"}, f"refused for {codes}")
    _settle_all(here, client, came)
    spent = here.judge(verdict, client, f"seed {seed}")
    verdict.demand(spent == FIT * PRICE, f"seed {seed}: the organisation spent {spent}")
    return len(here.stored)


def _by_team(verdict: Verdict, ground: Ground, seed: int) -> list[int]:
    """Return how many images of $0.17 each team's $3.40 pay, 200 threads at once."""
    here, numbers = company(ground, team_cap=TEAM_CAP, cap=10**12), list(range(REQUESTS))
    ground.random("r22 teams", seed).shuffle(numbers)
    client = here.place.patient()
    came = _ask(here, client, numbers)
    _settle_all(here, client, came)
    here.judge(verdict, client, f"teams, seed {seed}")
    made = Counter(here.levels[person][0].name for person, one in came if isinstance(one, Held))
    verdict.demand(sorted(made.values()) == [20, 20, 20], f"teams made {made}")
    return list(made.values())


def _faulty(verdict: Verdict, ground: Ground, seed: int) -> str:
    """Lose a fifth of all replies, and let a third of the runs die at one of their calls."""
    here, dice = company(ground, team_cap=CAP, cap=3 * CAP), ground.random("r22 faults", seed)
    died, lock = count(), Lock()
    with ground.proxy("r22", seed) as proxy:
        proxy.set(drop_after=DROPPED)
        client = replace(here.place, endpoint=proxy.url).unhurried()

        def run(number: int) -> None:
            with lock:
                fate = Random(dice.random())
            mortal = Mortal(None, fate)
            if fate.random() < DYING:
                mortal.left["calls"] = fate.randint(1, 6)
            try:
                # A hold whose reply was lost is the sweep's to end.
                with suppress(StoreUnavailableError):
                    _live(here, here.store(client, dying=mortal), number, fate)
            except DiedError:
                next(died)

        all_at_once(run, range(FAULTY), threads=THREADS_FAULTY)
    calm, late_ms = here.place.patient(), NOW + 400_000
    swept = here.sweep(calm, late_ms)
    here.judge(verdict, calm, f"faults {seed}")
    with metered(calm) as second:
        again = here.sweep(calm, late_ms)
    verdict.demand(again == 0, f"the second sweep ended {again}")
    verdict.demand(second.all_writes == 0, f"the second sweep wrote {second.all_writes}")
    return f"{next(died)} of {FAULTY} died, {len(here.stored)} stored, {swept} swept"


def _live(here: Company, store: BudgetedLedgers, number: int, fate: Random) -> None:
    person = here.persons[number % PERSONS]
    came = store.reserve(person, hold(number), here.limits(person), now_ms=NOW)
    if not isinstance(came, Held):
        return
    charge = fate.choice([PRICE, PRICE * 2 // 3, PRICE // 2, None])
    if charge is not None:
        here.store_image(came.snapshot.quote_id, charge)
        store.settle(person, came.snapshot, charged_microusd=charge, now_ms=NOW + 1_000)
        return
    with suppress(StoreUnavailableError):
        store.release(person, came.snapshot, code="x", retryable=True, now_ms=NOW + 1_000)


def image_units(place: Place, levels: int) -> float:
    """Return the write units of one image with its record, with so many levels in all."""
    client, user = place.patient(), "e" * 32
    above = (Level(team_level("a team"), 10**10), Level(ORGANISATION, 10**10))
    here = Company(place, {user: above[3 - levels :]})
    store = here.store(client)
    with metered(client) as came:
        held = store.reserve(user, hold(1), here.limits(user), now_ms=NOW)
        if not isinstance(held, Held):
            raise TypeError("nothing was held")
        store.settle(user, held.snapshot, charged_microusd=50_000, now_ms=NOW + 1_000)
        DynamoRecordStore(client, place.table).put(ImageRef("q", user, NOW), COMPLETE)
    return came.all_writes
