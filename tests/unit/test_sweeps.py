"""A sweep with too little time: no user is kept waiting by another one who cannot be helped."""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field, replace

import pytest

from imagegen.bootstrap.generate_tasks import ERASURE_MS, RECONCILE, run_task
from imagegen.domain.errors import ImagegenError, StoreUnavailableError
from imagegen.domain.ids import ImageRef
from imagegen.domain.ledger import OpState
from imagegen.domain.records import ImageRecord
from imagegen.usecases.generate.reconciler import Reconciled
from tests.fakes.faults import DiedError, Fault
from tests.fakes.images import MemoryImageStore
from tests.fakes.ledgers import MemoryLedgerStore
from tests.fakes.service import LIFETIME_MS, OTHER_USER, USER, Service, with_stores
from tests.unit.test_jobs import killed

LATE_MS = 400_000
SLOW_MS = 10_000


def name(number: int) -> str:
    return f"{number:032x}"


def with_dead_runs(users: int) -> Service:
    """Return a service in which each user has a hold of a dead run, the first one's the oldest."""
    service = Service()
    for number in range(users):
        offer = service.estimate(user=name(number))
        service.new_process()
        service.wire.faults[DIES_AT_PUT] = Fault.DIES_BEFORE
        with suppress(DiedError, ImagegenError):
            service.confirm(offer, name(number))
        service.new_process()
        service.clock.advance(1)
    service.clock.advance(LATE_MS)
    return service


def _index_of_put() -> int:
    service = Service()
    offer = service.estimate()
    service.new_process()
    service.confirm(offer)
    return service.wire.calls.index("images.put")


DIES_AT_PUT = _index_of_put()


def ended(service: Service, users: int) -> list[int]:
    """Return which users have no hold left."""
    return [
        number
        for number in range(users)
        if all(op.state is not OpState.HELD for op in service.ledger(name(number)).ops.values())
    ]


@dataclass(slots=True)
class SlowStore:
    """Images that are looked for slowly, those of some users in vain."""

    service: Service
    images: MemoryImageStore
    unreadable: Sequence[str] = ()
    asked: list[str] = field(default_factory=list)

    def find(self, ref: ImageRef) -> ImageRecord | None:
        self.asked.append(ref.user)
        self.service.clock.advance(SLOW_MS)
        if ref.user in self.unreadable:
            raise StoreUnavailableError("unreadable")
        return self.images.find(ref)


def slow(service: Service, *unreadable: int) -> SlowStore:
    return SlowStore(service, service.images, [name(one) for one in unreadable])


def sweep(service: Service, images: SlowStore, *, users: int) -> None:
    """Sweep in the time that as many users take."""
    until_ms = service.clock() + users * SLOW_MS
    reconciler = with_stores(service.functions.reconciler, images=images)
    with suppress(StoreUnavailableError):
        reconciler.sweep(limit=100, until_ms=until_ms)


def test_who_was_left_when_time_was_over_comes_first_at_the_next_sweep() -> None:
    service = with_dead_runs(5)
    images = slow(service)
    for expected in ([0, 1], [0, 1, 2, 3], [0, 1, 2, 3, 4]):
        sweep(service, images, users=2)
        assert ended(service, 5) == expected
    assert images.asked == [name(number) for number in range(5)]
    service.check_charged_iff_stored()


def test_the_oldest_who_always_fail_do_not_keep_the_others() -> None:
    service = with_dead_runs(6)
    images = slow(service, 0, 1)
    sweep(service, images, users=2)
    assert ended(service, 6) == []
    sweep(service, images, users=2)
    sweep(service, images, users=2)
    assert ended(service, 6) == [2, 3, 4, 5]
    images.unreadable = ()
    sweep(service, images, users=2)
    assert ended(service, 6) == [0, 1, 2, 3, 4, 5]
    assert not service.ledgers.leases


def test_who_cannot_be_put_behind_the_others_stays_and_the_others_are_ended() -> None:
    service = with_dead_runs(3)

    class Stuck(MemoryLedgerStore):
        def defer_lease(self, user: str, *, now_ms: int) -> bool:
            raise KeyError("st")

    ledgers = Stuck(service.ledgers.ledgers, service.ledgers.leases)
    broken = with_stores(service.reconciler, ledgers=ledgers, images=slow(service, 0))
    with pytest.raises(StoreUnavailableError, match="unreadable"):
        broken.sweep(limit=10)
    assert ended(service, 3) == [1, 2]


def test_a_list_that_is_read_in_part_ends_those_that_were_read() -> None:
    service = with_dead_runs(3)

    class Half(MemoryLedgerStore):
        def lapsed(self, *, now_ms: int, limit: int) -> list[str]:
            whole = super().lapsed(now_ms=now_ms, limit=limit)
            return in_part(whole[:2])  # type: ignore[return-value]

    ledgers = Half(service.ledgers.ledgers, service.ledgers.leases)
    with pytest.raises(StoreUnavailableError, match="a part"):
        with_stores(service.reconciler, ledgers=ledgers).sweep(limit=10)
    assert ended(service, 3) == [0, 1]


def in_part(users: list[str]) -> object:
    yield from users
    raise StoreUnavailableError("a part cannot be read")


def test_a_death_in_the_sweep_is_a_death() -> None:
    service = with_dead_runs(2)
    service.wire.faults[2] = Fault.DIES_BEFORE
    with pytest.raises(DiedError):
        service.reconciler.sweep(limit=10)
    service.new_process()
    assert service.reconciler.sweep(limit=10) == Reconciled(released=2, users=2)


def test_users_are_swept_at_the_same_time() -> None:
    service = with_dead_runs(4)
    together = threading.Barrier(4, timeout=10)

    @dataclass(slots=True)
    class Meeting:
        images: MemoryImageStore

        def find(self, ref: ImageRef) -> ImageRecord | None:
            together.wait()
            return self.images.find(ref)

    def threads(tasks: Sequence[Callable[[], Reconciled]]) -> list[Reconciled]:
        with ThreadPoolExecutor(4) as pool:
            return list(pool.map(lambda task: task(), tasks))

    meeting = with_stores(service.functions.reconciler, images=Meeting(service.images))
    done = replace(meeting, run_at_once=threads).sweep(limit=10)
    assert done == Reconciled(released=4, users=4)
    service.check_charged_iff_stored()


def test_the_sweep_of_the_function_runs_its_users_at_once() -> None:
    functions = Service().functions
    assert functions.reconciler.run_at_once == functions.world.run_at_once


def test_no_job_is_asked_for_when_time_is_over() -> None:
    service, _ = killed()
    reconciler, now_ms = service.reconciler, service.clock()
    done = reconciler.reconcile(USER, service.ledger(), until_ms=now_ms)
    assert done == Reconciled(users=1)
    assert "jobs.get" in service.wire.calls
    assert "provider.alpha.job_result" not in service.wire.calls
    assert reconciler.reconcile(USER, service.ledger(), until_ms=now_ms + 1).settled == 1


# The schedule.


def scheduled(service: Service, *, ends_ms: int) -> None:
    run_task(RECONCILE, {"task": RECONCILE}, service.functions, ends_ms=ends_ms)


def test_the_schedule_leaves_time_for_erasures() -> None:
    service = with_dead_runs(2)
    scheduled(service, ends_ms=service.clock() + ERASURE_MS)
    assert ended(service, 2) == []
    scheduled(service, ends_ms=service.clock() + ERASURE_MS + 1)
    assert ended(service, 2) == [0, 1]


def test_a_hold_that_cannot_be_ended_keeps_no_erasure() -> None:
    service = with_dead_runs(1)
    service.make("secret", OTHER_USER)
    service.functions.people.erase(OTHER_USER, "user:" + "c3" * 16, reason="")
    before = service.sweeps
    service.wire.refused = ("ledgers.release",)
    with pytest.raises(StoreUnavailableError):
        scheduled(service, ends_ms=service.clock() + LIFETIME_MS)
    assert not service.erasures.erasures
    assert service.sweeps == before, "a sweep that failed sends no heartbeat"
