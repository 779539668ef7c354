"""Ends the holds of dead runs: settled if the image is stored, else released.

A hold whose lease is over belongs to a run that Lambda has ended. One fact decides: whether the
image's object exists in S3. Therefore several instances may reconcile the same hold, repeatedly and
in any order. If the dead run ordered a job, its provider is asked for the image first, and that is
stored (``jobs``).
"""

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Self

from imagegen.domain.errors import ImagegenError, LeaseLostError, StoreUnavailableError
from imagegen.domain.ids import ImageRef, is_waiting
from imagegen.domain.ledger import Ledger, OpState, abandoned, settled
from imagegen.domain.quote import LIFETIME_MS
from imagegen.domain.records import ImageRecord, with_team
from imagegen.domain.stores import LedgerSnapshot, Stores

QUESTIONS_OF_A_CLICK = 1
"""How many jobs of dead runs are asked for while a person waits: each may take 15 seconds."""
QUESTIONS_OF_A_SWEEP = 100
"""How many jobs of one user a scheduled sweep asks for."""

if TYPE_CHECKING:
    # Only the end of a dead run loads it.
    from imagegen.usecases.generate.jobs import Jobs


@dataclass(frozen=True, slots=True)
class Reconciled:
    """How many holds were ended, and how many users were looked at."""

    settled: int = 0
    released: int = 0
    users: int = 0

    def __add__(self, other: Self) -> Self:
        """Return the sum of both."""
        return replace(
            self,
            settled=self.settled + other.settled,
            released=self.released + other.released,
            users=self.users + other.users,
        )


@dataclass(frozen=True, slots=True)
class EndedHold:
    """The hold of a dead run that was ended by this instance."""

    is_settled: bool
    """Whether the image was stored and is charged; otherwise the hold was released."""
    microusd: int
    """The charge; of a released hold, what providers may have billed for an image that was lost."""


def _ignore(_: EndedHold) -> None:
    """Do nothing."""


def _one_by_one(tasks: Sequence[Callable[[], Reconciled]]) -> list[Reconciled]:
    """Return the results of tasks, in their order."""
    return [task() for task in tasks]


@dataclass(frozen=True, slots=True)
class Reconciler:
    """Settles or releases the holds of dead runs."""

    stores: Stores
    now_ms: Callable[[], int]
    jobs: Callable[[], "Jobs"]
    on_ended: Callable[[EndedHold], None] = _ignore
    run_at_once: Callable[[Sequence[Callable[[], Reconciled]]], list[Reconciled]] = _one_by_one
    """Runs the users of a sweep, several at the same time."""

    def sweep(self, *, limit: int, until_ms: float = math.inf) -> Reconciled:
        """End the holds of dead runs of at most ``limit`` users; return how many were ended.

        Another sweep right afterwards finds none of them. At ``until_ms`` no other user is begun:
        the next sweep begins with those that are left.

        Raises:
            StoreUnavailableError: after all users, if the holds of one could not be ended; the
                next sweep tries again. The same goes for any other error of one user's entry.
        """
        faults: list[Exception] = []
        users = self._lapsed(limit, faults)
        tasks = [partial(self._swept, user, until_ms, faults) for user in users]
        done = sum(self.run_at_once(tasks), Reconciled())
        if faults:
            raise faults[0]
        return done

    def _lapsed(self, limit: int, faults: list[Exception]) -> Iterator[str]:
        try:
            yield from self.stores.ledgers.lapsed(now_ms=self.now_ms(), limit=limit)
        except StoreUnavailableError as error:
            faults.append(error)

    def _swept(self, user: str, until_ms: float, faults: list[Exception]) -> Reconciled:
        """End the holds of one user's dead runs; a fault is added, and does not end the sweep."""
        if self.now_ms() >= until_ms:
            return Reconciled()
        try:
            ledger, questions = self.stores.ledgers.load(user), QUESTIONS_OF_A_SWEEP
            return self.reconcile(user, ledger, questions=questions, until_ms=until_ms)
        except Exception as error:  # noqa: BLE001 it must not keep the others' money held
            faults.append(error)
        # The next sweep may be short of time as well: then it begins with the others. If this
        # fails, the user stays where they are.
        with suppress(Exception):
            self.stores.ledgers.defer_lease(user, now_ms=self.now_ms())
        return Reconciled()

    def load(self, user: str) -> Ledger:
        """Return the user's ledger as of now: holds of dead runs are ended first.

        Raises:
            StoreUnavailableError: the ledger cannot be read, or a hold cannot be ended yet.
        """
        return self.current(user, self.stores.ledgers.load(user))

    def current(self, user: str, ledger: Ledger) -> Ledger:
        """Return the ledger without holds of dead runs; if there were any, it is read again.

        The hold of a dead run whose job still runs, or is not asked for now, stays.

        Raises:
            StoreUnavailableError: a hold cannot be ended yet, or the ledger cannot be read.
        """
        if not abandoned(ledger, now_ms=self.now_ms()):
            return ledger
        self.reconcile(user, ledger)
        return self.stores.ledgers.load(user)

    def reconcile(
        self,
        user: str,
        ledger: Ledger,
        *,
        questions: int = QUESTIONS_OF_A_CLICK,
        until_ms: float = math.inf,
    ) -> Reconciled:
        """End the holds of one user's dead runs; return how many were ended.

        At most ``questions`` jobs are asked for, and none after ``until_ms``: the holds of further
        ones stay for the next request or sweep.

        Raises:
            StoreUnavailableError: a hold could not be ended; the next request or sweep tries again.
        """
        done, left = Reconciled(users=1), iter(range(questions))

        def may_ask() -> bool:
            return self.now_ms() < until_ms and next(left, None) is not None

        for quote_id in abandoned(ledger, now_ms=self.now_ms()):
            done += self._end(user, LedgerSnapshot(quote_id, ledger), may_ask)
        self.stores.ledgers.forget_lease(user)
        return done

    def settle_stored(self, ref: ImageRef, ledger: Ledger, record: ImageRecord) -> Ledger:
        """Return the ledger with a stored image settled, and settle it if it is still held.

        The write that settled it may have been lost. If this one is lost, too, the image is charged
        all the same: a later request or the sweep settles it.
        """
        op = ledger.ops.get(ref.quote_id)
        if op is None or op.state is not OpState.HELD:
            return ledger
        with suppress(StoreUnavailableError):
            self._settle(ref, LedgerSnapshot(ref.quote_id, ledger), record)
        return settled(ledger, ref.quote_id, record.charged_microusd)

    def _settle(self, ref: ImageRef, snapshot: LedgerSnapshot, record: ImageRecord) -> bool:
        record = with_team(record, snapshot.op.team)
        # The record is written first: if this instance dies before it settles, the hold remains and
        # is found again.
        is_recorded = self.stores.records.put(ref, record)
        if record.deleted_ms or not is_recorded:
            # The run stored it, or its prompt, after its owner had deleted it.
            self.stores.images.delete(ref)
            self.stores.prompts.forget(ref)
        return self.stores.ledgers.settle(
            ref.user, snapshot, charged_microusd=record.charged_microusd, now_ms=self.now_ms()
        )

    def _end(self, user: str, snapshot: LedgerSnapshot, may_ask: Callable[[], bool]) -> Reconciled:
        ref = ImageRef(snapshot.quote_id, user, snapshot.op.expires_ms - LIFETIME_MS)
        record = self.stores.images.find(ref)
        if record is None:
            return self._end_without_image(ref, snapshot, may_ask)
        won = self._settle(ref, snapshot, record)
        return self._count(EndedHold(is_settled=True, microusd=record.charged_microusd), won=won)

    def _end_without_image(
        self, ref: ImageRef, snapshot: LedgerSnapshot, may_ask: Callable[[], bool]
    ) -> Reconciled:
        """Store the image of the run's job, if it ordered one; else release the hold."""
        lost, op = LeaseLostError(""), snapshot.op
        if is_waiting(op.owner):
            # Before a run takes its hold over, it calls no provider.
            return self._release(ref, snapshot, lost, in_doubt_microusd=0)
        asked = self.jobs().finish(ref, snapshot, may_ask=may_ask)
        if asked is None:
            return self._release(ref, snapshot, lost, in_doubt_microusd=op.price_microusd)
        if asked.failed is None or asked.hold is None:
            return Reconciled(settled=int(asked.is_stored))
        return self._release(
            ref, asked.hold, asked.failed, in_doubt_microusd=asked.in_doubt_microusd
        )

    def _release(
        self,
        ref: ImageRef,
        snapshot: LedgerSnapshot,
        error: ImagegenError,
        *,
        in_doubt_microusd: int,
    ) -> Reconciled:
        self.stores.prompts.forget(ref)
        won = self.stores.ledgers.release(
            ref.user, snapshot, code=error.code, retryable=error.retryable, now_ms=self.now_ms()
        )
        return self._count(EndedHold(is_settled=False, microusd=in_doubt_microusd), won=won)

    def _count(self, ended: EndedHold, *, won: bool) -> Reconciled:
        """Report and count a hold, unless another instance has ended it."""
        if not won:
            return Reconciled()
        self.on_ended(ended)
        return Reconciled(settled=int(ended.is_settled), released=int(not ended.is_settled))
