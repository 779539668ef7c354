"""Holds in a user's entry and at each level above: the order of writes, refusals, deaths."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from imagegen.domain.budgets import ORGANISATION, Budget, Level, LevelHold, Take, Taken, team_level
from imagegen.domain.errors import StoreUnavailableError
from imagegen.domain.ids import WAITING
from imagegen.domain.ledger import Hold, Limits, OpState
from imagegen.domain.stores import Held, Known, LedgerSnapshot, Refused
from imagegen.domain.takeovers import Takeover
from imagegen.usecases.generate.budget_warnings import BudgetWarner
from imagegen.usecases.generate.budgeted_ledgers import BudgetedLedgers
from tests.fakes.budgets import MemoryBudgetStore, MemoryBudgetWarningStore
from tests.fakes.clock import Clock
from tests.fakes.faults import DiedError, Fault, Wire, wired
from tests.fakes.ledgers import MemoryLedgerStore

USER, OTHER = "a" * 32, "b" * 32
DAY, MONTH = "20261122", "202611"
PRICE = 170_000
TEAM = team_level("blue")
LEVELS = (Level(TEAM, 3_400_000), Level(ORGANISATION, 10_000_000, 100_000_000))
LIMITS = Limits(levels=LEVELS)
LEASE_MS = 330_000
MOST_CALLS = 12


@dataclass
class World:
    """Ledgers and budgets behind one wire, and what is stored."""

    wire: Wire = field(default_factory=Wire)
    clock: Clock = field(default_factory=Clock)
    ledgers: MemoryLedgerStore = field(default_factory=MemoryLedgerStore)
    budgets: MemoryBudgetStore = field(default_factory=MemoryBudgetStore)
    charges: dict[str, int] = field(default_factory=dict)
    """By quote id, of the images that are stored."""
    pauses: list[float] = field(default_factory=list)
    while_paused: Callable[[], object] = lambda: None
    warnings: MemoryBudgetWarningStore = field(default_factory=MemoryBudgetWarningStore)

    @property
    def warner(self) -> BudgetWarner:
        """Return what warns in a new instance."""
        return BudgetWarner(wired("warnings", self.warnings, self.wire), self.clock)

    def store(self) -> BudgetedLedgers:
        """Return the store of a new instance."""
        ledgers = wired("ledgers", self.ledgers, self.wire)
        budgets = wired("budgets", self.budgets, self.wire)
        warner = self.warner
        return BudgetedLedgers(ledgers, budgets, self.clock, self.pause, lambda: warner)

    def pause(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.while_paused()

    def hold(self, name: str = "one", *, price: int = PRICE, day: str = DAY) -> Hold:
        now_ms = self.clock()
        return Hold(name, f"run-{name}", day, price, now_ms + 600_000, now_ms + LEASE_MS, 0)

    def held(self, name: str = "one", user: str = USER, **changes: Any) -> LedgerSnapshot:
        hold = self.hold(name, **changes)
        came = self.store().reserve(user, hold, LIMITS, now_ms=self.clock())
        assert isinstance(came, Held)
        return came.snapshot

    def used(self, level: str = ORGANISATION, month: str = MONTH) -> Budget:
        return self.budgets.load(level, month)

    def reconcile(self) -> None:
        """End the holds of dead runs, as the reconciler does."""
        store = self.store()
        for user in store.lapsed(now_ms=self.clock(), limit=100):
            ledger = store.load(user)
            for name, op in ledger.ops.items():
                if op.state is not OpState.HELD or op.lease_ms >= self.clock():
                    continue
                self.end(user, LedgerSnapshot(name, ledger), self.charges.get(name))
            store.forget_lease(user)

    def end(self, user: str, snapshot: LedgerSnapshot, charge: int | None) -> bool:
        store, now_ms = self.store(), self.clock()
        if charge is None:
            return store.release(user, snapshot, code="x", retryable=True, now_ms=now_ms)
        return store.settle(user, snapshot, charged_microusd=charge, now_ms=now_ms)

    def check(self) -> None:
        """Assert that nothing is held, and that each level has what is charged below it."""
        for user, ledger in self.ledgers.ledgers.items():
            assert all(op.state is not OpState.HELD for op in ledger.ops.values())
            settled = {n for n, op in ledger.ops.items() if op.state is OpState.SETTLED}
            assert settled == {name for name in ledger.ops if name in self.charges}, user
        total = sum(self.charges.values())
        for level in LEVELS:
            used = self.used(level.name)
            assert used.month_microusd == sum(used.days.values()) == total
            assert not used.marks

    def settle_down(self) -> None:
        """Let the leases end, let the reconciler come, and let it come again."""
        self.wire.mend()
        self.clock.advance(LEASE_MS + 1_000)
        self.reconcile()
        self.check()
        writes = self.ledgers.writes + self.budgets.writes
        self.reconcile()
        assert self.ledgers.writes + self.budgets.writes == writes
        assert not self.ledgers.leases


def test_the_entry_opens_first_and_closes_last_and_the_level_of_all_is_taken_last() -> None:
    world = World()
    snapshot = world.held()
    assert world.wire.calls == ["ledgers.reserve", "budgets.take", "budgets.take"]
    assert snapshot.op.levels == (TEAM, ORGANISATION)
    for level in LEVELS:
        assert world.used(level.name) == Budget({DAY: PRICE}, PRICE, frozenset({snapshot.op.mark}))
    world.wire.calls.clear()
    world.end(USER, snapshot, 50_000)
    assert world.wire.calls == ["budgets.give", "budgets.give", "ledgers.settle"]
    for level in LEVELS:
        assert world.used(level.name) == Budget({DAY: 50_000}, 50_000)


def test_a_release_gives_back_at_each_level_before_the_entry_closes() -> None:
    world = World()
    snapshot = world.held()
    world.wire.calls.clear()
    assert world.end(USER, snapshot, None)
    assert world.wire.calls == ["budgets.give", "budgets.give", "ledgers.release"]
    world.check()


@pytest.mark.parametrize("state", OpState)
def test_only_an_open_entry_names_levels(state: OpState) -> None:
    world = World()
    snapshot = world.held()
    if state is not OpState.HELD:
        world.end(USER, snapshot, 50_000 if state is OpState.SETTLED else None)
    op = world.ledgers.load(USER).ops["one"]
    assert op.state is state
    assert (bool(op.levels), bool(op.mark)) == (state is OpState.HELD, state is OpState.HELD)


@pytest.mark.parametrize("full", [0, 1], ids=["team", "organisation"])
def test_a_refusal_of_a_level_leaves_nothing_held_and_is_no_attempt(full: int) -> None:
    world = World()
    world.end(OTHER, world.held("first", OTHER), 100_000)
    world.charges["first"] = 100_000
    levels = tuple(
        replace(level, daily_microusd=200_000) if index == full else level
        for index, level in enumerate(LEVELS)
    )
    came = world.store().reserve(USER, world.hold(), Limits(levels=levels), now_ms=world.clock())
    assert isinstance(came, Refused)
    assert came.limit.code == ("team_daily_spend", "total_daily_spend")[full]
    assert came.limit.retryable
    assert came.ledger == world.ledgers.load(USER)
    ledger = came.ledger
    assert (ledger.spent, ledger.months) == ({DAY: 0}, {MONTH: 0})
    assert (ledger.images, ledger.attempts, ledger.slots) == ({DAY: 0}, {DAY: 0}, {})
    world.check()
    # The same quote may be tried again, and its hold is another one.
    assert isinstance(world.store().reserve(USER, world.hold(), LIMITS, now_ms=world.clock()), Held)


def test_an_entry_that_refuses_asks_no_level() -> None:
    world = World()
    limits = replace(LIMITS, daily_microusd=PRICE - 1)
    came = world.store().reserve(USER, world.hold(), limits, now_ms=world.clock())
    assert isinstance(came, Refused)
    assert came.limit.code == "daily_spend"
    assert world.wire.calls == ["ledgers.reserve"]


def test_the_month_of_a_person_is_a_limit_of_the_entry() -> None:
    world = World()
    limits = replace(LIMITS, monthly_microusd=2 * PRICE)
    for name, day in (("one", DAY), ("two", "20261123"), ("three", "20261130")):
        came = world.store().reserve(USER, world.hold(name, day=day), limits, now_ms=world.clock())
    assert isinstance(came, Refused)
    assert came.limit.code == "monthly_spend"
    again = world.hold("four", day="20261201")
    assert isinstance(world.store().reserve(USER, again, limits, now_ms=world.clock()), Held)


def test_a_known_quote_takes_nothing_again() -> None:
    world = World()
    world.held()
    other = replace(world.hold(), owner="another run")
    came = world.store().reserve(USER, other, LIMITS, now_ms=world.clock())
    assert isinstance(came, Known)
    assert world.used().days == {DAY: PRICE}


def test_a_quote_of_yesterday_counts_in_its_own_day_and_month() -> None:
    """Confirmed after midnight, it counts where the offer showed what was left."""
    world = World()
    world.end(USER, world.held(day="20261031"), 50_000)
    assert world.used(month="202610") == Budget({"20261031": 50_000}, 50_000)
    assert world.used() == Budget()
    ledger = world.ledgers.load(USER)
    assert (ledger.spent, ledger.months) == ({"20261031": 50_000}, {"202610": 50_000})


def test_a_hold_ends_where_it_was_taken_though_its_user_has_another_team_now() -> None:
    world = World()
    first = world.held()
    green = Level(team_level("green"), 3_400_000)
    limits = replace(LIMITS, levels=(green, LEVELS[1]))
    came = world.store().reserve(USER, world.hold("two"), limits, now_ms=world.clock())
    assert isinstance(came, Held)
    world.end(USER, first, 50_000)
    assert world.used(TEAM) == Budget({DAY: 50_000}, 50_000)
    assert world.used(green.name).days == {DAY: PRICE}
    assert world.used().days == {DAY: PRICE + 50_000}


def test_a_level_that_appears_or_goes_while_a_run_is_held_does_not_change_its_end() -> None:
    world = World()
    with_both = world.held()
    alone = world.store().reserve(OTHER, world.hold("two"), Limits(), now_ms=world.clock())
    assert isinstance(alone, Held)
    world.clock.advance(LEASE_MS + 1_000)
    world.charges["one"] = 50_000
    world.reconcile()
    assert world.used(TEAM).days == world.used().days == {DAY: 50_000}
    assert with_both.op.levels == (TEAM, ORGANISATION)
    assert world.ledgers.load(OTHER).spent == {DAY: 0}


def test_a_limit_below_what_is_spent_refuses_until_the_day_is_over() -> None:
    world = World()
    world.end(USER, world.held(), PRICE)
    lowered = replace(LIMITS, levels=(Level(ORGANISATION, PRICE // 2),))
    came = world.store().reserve(USER, world.hold("two"), lowered, now_ms=world.clock())
    assert isinstance(came, Refused)
    assert world.used().days == {DAY: PRICE}
    tomorrow = world.hold("three", price=PRICE // 2, day="20261123")
    assert isinstance(world.store().reserve(USER, tomorrow, lowered, now_ms=world.clock()), Held)


def test_a_refusal_waits_for_holds_that_may_be_given_back() -> None:
    world = World()
    narrow = Limits(levels=(Level(ORGANISATION, 200_000),))
    store = world.store()
    first = store.reserve(OTHER, world.hold("first"), narrow, now_ms=world.clock())
    assert isinstance(first, Held)
    ended = first.snapshot
    world.while_paused = lambda: world.end(OTHER, ended, None)
    came = world.store().reserve(USER, world.hold(), narrow, now_ms=world.clock())
    assert isinstance(came, Held)
    assert world.pauses == [0.05]


def test_a_level_that_stays_full_is_asked_four_times_and_one_without_young_holds_once() -> None:
    world = World()
    narrow = Limits(levels=(Level(ORGANISATION, 200_000),))
    world.store().reserve(OTHER, world.hold("first"), narrow, now_ms=world.clock())
    for after_ms, pauses in ((0, [0.05, 0.1, 0.15]), (2_000, [])):
        world.clock.advance(after_ms)
        world.pauses.clear()
        came = world.store().reserve(USER, world.hold(), narrow, now_ms=world.clock())
        assert isinstance(came, Refused)
        assert world.pauses == pauses


def test_a_level_that_was_full_is_looked_at_before_anything_is_written() -> None:
    world = World()
    narrow = Limits(levels=(Level(ORGANISATION, 200_000),))
    store = world.store()
    store.reserve(OTHER, world.hold("first"), narrow, now_ms=world.clock())
    world.clock.advance(2_000)
    store.reserve(USER, world.hold(), narrow, now_ms=world.clock())
    writes = world.ledgers.writes + world.budgets.writes
    world.wire.calls.clear()
    came = store.reserve(USER, world.hold("two"), narrow, now_ms=world.clock())
    assert isinstance(came, Refused)
    assert came.limit.code == "total_daily_spend"
    assert came.ledger == world.ledgers.load(USER)
    assert world.wire.calls == ["budgets.load", "ledgers.load"]
    assert world.ledgers.writes + world.budgets.writes == writes


def test_what_the_entry_answers_comes_before_a_full_level() -> None:
    """A quote that was confirmed is known, and a limit of one's own is named, as ever."""
    world = World()
    narrow = Limits(levels=(Level(ORGANISATION, 180_000),))
    store = world.store()
    store.reserve(USER, world.hold(), narrow, now_ms=world.clock())
    world.clock.advance(2_000)
    again = store.reserve(USER, world.hold(), narrow, now_ms=world.clock())
    assert isinstance(again, Known | Held)
    assert "budgets.load" in world.wire.calls
    poor = replace(narrow, daily_images=1)
    refused = store.reserve(USER, world.hold("two"), poor, now_ms=world.clock())
    assert isinstance(refused, Refused)
    assert refused.limit.code == "daily_images"


def test_room_that_comes_back_is_found_although_the_level_was_full() -> None:
    world = World()
    narrow = Limits(levels=(Level(ORGANISATION, 200_000),))
    store = world.store()
    first = store.reserve(OTHER, world.hold("first"), narrow, now_ms=world.clock())
    assert isinstance(first, Held)
    world.clock.advance(2_000)
    assert isinstance(store.reserve(USER, world.hold(), narrow, now_ms=world.clock()), Refused)
    world.end(OTHER, first.snapshot, 10_000)
    assert isinstance(store.reserve(USER, world.hold(), narrow, now_ms=world.clock()), Held)


def watches(world: World, store: BudgetedLedgers) -> bool:
    """Return whether the level of all is looked at before the next hold is written."""
    world.wire.calls.clear()
    wide = Limits(levels=(Level(ORGANISATION, 10_000_000),))
    store.reserve(OTHER, world.hold("next", price=1), wide, now_ms=world.clock())
    return world.wire.calls[0] == "budgets.load"


@pytest.mark.parametrize(
    ("price", "after_ms", "is_watched"),
    [
        (8_999_999, 0, False),
        (9_000_000, 0, True),
        (9_000_000, 10_000, True),
        (9_000_000, 10_001, False),
    ],
)
def test_a_level_that_was_nearly_full_is_looked_at_for_ten_seconds(
    price: int, after_ms: int, *, is_watched: bool
) -> None:
    world = World()
    store, wide = world.store(), Limits(levels=(Level(ORGANISATION, 10_000_000),))
    store.reserve(USER, world.hold(price=price), wide, now_ms=world.clock())
    world.clock.advance(after_ms)
    assert watches(world, store) is is_watched


def test_far_below_its_limits_a_level_asks_for_no_warning() -> None:
    world = World()
    ledgers, budgets = world.ledgers, world.budgets

    def warner() -> BudgetWarner:
        raise AssertionError("a warning costs a cold start its module")

    store = BudgetedLedgers(ledgers, budgets, world.clock, world.pause, warner)
    assert isinstance(store.reserve(USER, world.hold(), LIMITS, now_ms=world.clock()), Held)


def test_an_image_that_was_found_while_a_level_refused_is_known() -> None:
    """Its quote was tried again, while the reconciler settled what an earlier run had made."""
    wire = InterruptedWire()
    world = World(wire)
    narrow = Limits(levels=(Level(ORGANISATION, 1),))

    def settle() -> None:
        snapshot = LedgerSnapshot("one", world.ledgers.load(USER))
        world.ledgers.settle(USER, snapshot, charged_microusd=1, now_ms=world.clock())

    wire.before, wire.happens = "ledgers.release", settle
    came = world.store().reserve(USER, world.hold(), narrow, now_ms=world.clock())
    assert isinstance(came, Known)
    assert came.snapshot.op.state is OpState.SETTLED


@dataclass
class SentTwice:
    """Budgets whose takes the SDK sends twice: the second copy arrives when a test lets it."""

    budgets: MemoryBudgetStore
    result: Taken | None = None
    late: list[Callable[[], object]] = field(default_factory=list)

    def take(self, level: Level, hold: LevelHold) -> Take:
        self.late.append(lambda: self.budgets.take(level, hold))
        took = self.budgets.take(level, hold)
        return replace(took, is_unsure=True, result=self.result or took.result)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.budgets, name)


@dataclass
class SometimesTwice(SentTwice):
    """Of these takes, one after the other, only some are sent twice."""

    unsure: list[bool] = field(default_factory=list)

    def take(self, level: Level, hold: LevelHold) -> Take:
        return replace(self.budgets.take(level, hold), is_unsure=self.unsure.pop(0))


@pytest.mark.parametrize(
    "unsure",
    [(True, False), (False, True), (False, False, False, True), (True, False, False, False)],
)
def test_a_hold_may_arrive_again_if_one_of_its_takes_was_sent_twice(unsure: Sequence[bool]) -> None:
    """A level that is full for a moment is asked again; a copy of any take may still arrive."""
    world = World()
    narrow = Limits(levels=(Level(ORGANISATION, 200_000),))
    first = world.store().reserve(OTHER, world.hold("first"), narrow, now_ms=world.clock())
    assert isinstance(first, Held)
    ended = first.snapshot

    def give_back() -> None:
        if len(world.pauses) == len(unsure) - 1:
            world.end(OTHER, ended, None)

    world.while_paused = give_back
    budgets = SometimesTwice(world.budgets, unsure=list(unsure))
    store = BudgetedLedgers(world.ledgers, budgets, world.clock, world.pause, lambda: world.warner)
    came = store.reserve(USER, world.hold(), narrow, now_ms=world.clock())
    assert isinstance(came, Held)
    assert came.snapshot.unsure == {ORGANISATION}


@pytest.mark.parametrize("charge", [None, 50_000])
def test_a_copy_of_a_take_that_arrives_after_the_end_counts_nothing(charge: int | None) -> None:
    world = World()
    twice = SentTwice(world.budgets)
    store = BudgetedLedgers(world.ledgers, twice, world.clock, world.pause, lambda: world.warner)
    came = store.reserve(USER, world.hold(), LIMITS, now_ms=world.clock())
    assert isinstance(came, Held)
    assert came.snapshot.unsure == {TEAM, ORGANISATION}
    world.end(USER, came.snapshot, charge)
    for arrive in twice.late:
        arrive()
    if charge is not None:
        world.charges["one"] = charge
    world.check()


def test_a_copy_of_a_refused_take_that_arrives_when_there_is_room_counts_nothing() -> None:
    world = World()
    twice = SentTwice(world.budgets, Taken.DAY_FULL)
    store = BudgetedLedgers(world.ledgers, twice, world.clock, world.pause, lambda: world.warner)
    narrow = Limits(levels=(Level(ORGANISATION, 100),))
    came = store.reserve(USER, world.hold(price=101), narrow, now_ms=world.clock())
    assert isinstance(came, Refused)
    level = LEVELS[1]
    hold = world.ledgers.load(USER)
    assert hold.spent == {DAY: 0}
    for arrive in twice.late:
        arrive()
    assert not world.used().marks
    # The copy was sent with the old limit; what is fenced is refused with any.
    (fence,) = world.used().fences
    late = LevelHold(DAY, 101, fence)
    assert world.budgets.take(level, late).result is Taken.ENDED


def test_a_run_whose_hold_was_ended_does_not_begin() -> None:
    world = World()
    fenced = SentTwice(world.budgets, Taken.ENDED)
    store = BudgetedLedgers(world.ledgers, fenced, world.clock, world.pause, lambda: world.warner)
    with pytest.raises(StoreUnavailableError):
        store.reserve(USER, world.hold(), LIMITS, now_ms=world.clock())


@pytest.mark.parametrize("fault", Fault)
@pytest.mark.parametrize("charge", [None, 50_000, PRICE])
def test_a_fault_at_any_write_ends_with_each_level_as_what_is_below(
    charge: int | None, fault: Fault
) -> None:
    hit = 0
    for index in range(MOST_CALLS):
        world = World()
        world.wire.faults[index] = fault
        with suppress(DiedError, StoreUnavailableError):
            snapshot = world.held()
            if charge is not None:
                world.charges["one"] = charge
            world.end(USER, snapshot, charge)
        hit += int(index < len(world.wire.calls))
        world.settle_down()
    assert hit == 6


@pytest.mark.parametrize("fault", Fault)
def test_a_fault_while_a_level_refuses_ends_with_nothing_held(fault: Fault) -> None:
    for index in range(MOST_CALLS):
        world = World()
        world.wire.faults[index] = fault
        narrow = replace(LIMITS, levels=(LEVELS[0], Level(ORGANISATION, 100)))
        with suppress(DiedError, StoreUnavailableError):
            world.store().reserve(USER, world.hold(), narrow, now_ms=world.clock())
        world.settle_down()


@pytest.mark.parametrize("fault", [Fault.DIES_BEFORE, Fault.DIES_AFTER])
@pytest.mark.parametrize("charge", [None, 50_000])
def test_a_sweep_that_dies_is_finished_by_the_next(charge: int | None, fault: Fault) -> None:
    for index in range(MOST_CALLS):
        world = World()
        world.held()
        if charge is not None:
            world.charges["one"] = charge
        world.clock.advance(LEASE_MS + 1_000)
        world.wire.mend()
        world.wire.faults[index] = fault
        with suppress(DiedError):
            world.reconcile()
        world.settle_down()


@pytest.mark.parametrize("charge", [None, 50_000])
def test_a_run_that_is_late_finds_its_hold_ended_and_changes_no_level(charge: int | None) -> None:
    world = World()
    snapshot = world.held()
    world.clock.advance(LEASE_MS + 1_000)
    world.reconcile()
    before = world.used()
    world.wire.calls.clear()
    assert world.end(USER, snapshot, charge) is (charge is None)
    assert world.wire.calls == ["ledgers.load"]
    assert world.used() == before
    world.check()


@pytest.mark.parametrize(("left_ms", "is_read"), [(5_001, False), (5_000, True)])
def test_from_five_seconds_before_its_lease_ends_a_hold_is_read_before_it_ends(
    left_ms: int, *, is_read: bool
) -> None:
    world = World()
    snapshot = world.held()
    world.clock.advance(LEASE_MS - left_ms)
    world.wire.calls.clear()
    world.end(USER, snapshot, 50_000)
    assert (world.wire.calls[0] == "ledgers.load") is is_read


def test_without_levels_a_hold_ends_in_one_write_however_late() -> None:
    world = World()
    waits = replace(world.hold("two"), owner=f"{WAITING}1")
    for hold, name in ((world.hold(), "ledgers.settle"), (waits, "ledgers.release")):
        came = world.store().reserve(USER, hold, Limits(), now_ms=world.clock())
        assert isinstance(came, Held)
        late = World(ledgers=world.ledgers, clock=Clock(world.clock() + LEASE_MS - 1))
        late.end(USER, came.snapshot, 50_000 if name == "ledgers.settle" else None)
        assert late.wire.calls == [name]


def test_a_release_that_is_no_attempt_counts_as_none() -> None:
    world = World()
    for name, is_attempt in (("one", True), ("two", False)):
        store, snapshot, now_ms = world.store(), world.held(name), world.clock()
        store.release(
            USER, snapshot, code="x", retryable=True, is_attempt=is_attempt, now_ms=now_ms
        )
    assert world.ledgers.load(USER).attempts == {DAY: 1}


def test_a_user_who_cannot_be_swept_now_comes_last() -> None:
    world = World()
    world.held()
    world.clock.advance(LEASE_MS + 1_000)
    world.held("two", OTHER)
    world.clock.advance(LEASE_MS + 1_000)
    store, now_ms = world.store(), world.clock()
    assert list(store.lapsed(now_ms=now_ms, limit=9)) == [USER, OTHER]
    assert store.defer_lease(USER, now_ms=now_ms)
    assert not store.defer_lease(USER, now_ms=now_ms)
    assert list(store.lapsed(now_ms=now_ms, limit=9)) == [OTHER, USER]


def test_without_levels_a_hold_is_one_write_as_ever() -> None:
    world = World()
    store = world.store()
    came = store.reserve(USER, world.hold(), Limits(), now_ms=world.clock())
    assert isinstance(came, Held)
    assert (came.snapshot.op.levels, came.snapshot.op.mark) == ((), b"")
    world.end(USER, came.snapshot, 50_000)
    assert world.wire.calls == ["ledgers.reserve", "ledgers.settle"]
    assert not world.budgets.budgets


# A hold that waits for a run, and whose event seemed to be lost.


def waiting(world: World) -> LedgerSnapshot:
    hold = replace(world.hold(), owner=f"{WAITING}1")
    came = world.store().reserve(USER, hold, LIMITS, now_ms=world.clock())
    assert isinstance(came, Held)
    return came.snapshot


def takeover(world: World) -> Takeover:
    return Takeover("one", f"{WAITING}1", "run-2", world.clock() + LEASE_MS)


def test_a_hold_that_a_run_has_taken_over_is_not_given_back_at_any_level() -> None:
    world = World()
    hold = waiting(world)
    taken = world.store().take(USER, takeover(world), now_ms=world.clock())
    assert taken is not None
    assert world.end(USER, hold, None) is False
    for level in LEVELS:
        assert world.used(level.name).days == {DAY: PRICE}
    world.charges["one"] = 50_000
    assert world.end(USER, taken, 50_000)
    world.check()


@dataclass(slots=True)
class InterruptedWire(Wire):
    """Lets something else happen before one of the calls."""

    at: int = -1
    before: str = ""
    """The name of the call, instead of its number."""
    happens: Callable[[], object] = lambda: None

    def carry(self, name: str, action: Callable[[], Any]) -> Any:
        if len(self.calls) == self.at or name == self.before:
            self.happens()
        return Wire.carry(self, name, action)


@pytest.mark.parametrize("at", range(6))
def test_a_run_gets_a_waiting_hold_at_every_level_or_not_at_all(at: int) -> None:
    """Its event is delivered before any of the calls that give the hold back, or after them."""
    wire = InterruptedWire()
    world = World(wire)
    hold, came = waiting(world), list[LedgerSnapshot | None]()

    def deliver() -> None:
        came.append(world.ledgers.take(USER, takeover(world), now_ms=world.clock()))

    wire.calls.clear()
    wire.at, wire.happens = at, deliver
    released = world.end(USER, hold, None)
    wire.at = -1
    if not came:
        deliver()
    assert released is (came == [None])
    if came[0] is not None:
        world.charges["one"] = 50_000
        assert world.end(USER, came[0], 50_000)
    world.check()
    assert came[0] is not None or not world.charges


def test_a_copy_of_a_waiting_holds_take_is_fenced_when_it_is_given_back() -> None:
    world = World()
    hold = replace(waiting(world), unsure=frozenset({TEAM}))
    world.end(USER, hold, None)
    assert [len(world.used(level.name).fences) for level in LEVELS] == [1, 0]


@pytest.mark.parametrize(("late_ms", "is_taken_back"), [(0, True), (1, False)])
def test_until_its_lease_is_over_a_waiting_hold_is_taken_back_first(
    late_ms: int, *, is_taken_back: bool
) -> None:
    """As long, its run may come and take it over."""
    world = World()
    hold = waiting(world)
    world.clock.advance(LEASE_MS + late_ms)
    world.wire.calls.clear()
    assert world.end(USER, hold, None)
    assert ("ledgers.take" in world.wire.calls) is is_taken_back
    world.check()


@pytest.mark.parametrize("fault", Fault)
def test_a_fault_while_a_waiting_hold_is_given_back_leaves_nothing_held(fault: Fault) -> None:
    for index in range(MOST_CALLS):
        world = World()
        hold = waiting(world)
        world.wire.calls.clear()
        world.wire.faults[index] = fault
        with suppress(DiedError, StoreUnavailableError):
            world.end(USER, hold, None)
        world.settle_down()
