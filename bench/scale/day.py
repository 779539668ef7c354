"""A simulated day of many images a second: every second, what each key is asked for and refuses.

Requests make the calls that ``bench/scale/profile.py`` measured, in that order. An image is made
only if all calls before its provider are served; a call after it that is lost is made again by the
sweep, ten minutes later. Time is virtual, so that a day takes seconds.
"""

import math
import random
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from bench.aws_cost import ESTIMATE_SECONDS
from bench.scale.plans import Day, Plan
from bench.scale.profile import Key, Moment, Profile, Touch
from bench.scale.quotas import CALL_MS, CALL_P99
from bench.scale.table_model import (
    Capacity,
    Partitions,
    Refusal,
    read_partitions,
    refusal,
    write_partitions,
)
from imagegen.guard import CACHE_MS

SWEPT_SECONDS: Final = 600
"""After how long the sweep makes a lost write again: the lease, and its next run."""
RETRY_MS: Final = 50.0
"""The pause before the second attempt: ``imagegen.aws.clients``."""
SIGMA: Final = math.log(CALL_P99) / 2.326
"""Of the logarithms of a call's time; 2.326 deviations are the 99th percentile."""
SAMPLES: Final = 2
"""Whole requests a second whose time is added up."""
BYTES_PER_READ, BYTES_PER_WRITE = 4_096, 1_024
HOT: Final = frozenset({Key.ORGANISATION, Key.CIRCUITS})
"""Keys that all requests share; every other call is for one of very many persons."""


@dataclass(slots=True)
class _Table:
    """Both kinds of units of the table, and the writes of its index."""

    writes: Partitions
    reads: Partitions
    index: Partitions

    @property
    def parts(self) -> tuple[Partitions, Partitions, Partitions]:
        return self.writes, self.reads, self.index


@dataclass(slots=True)
class Simulation:
    """One day."""

    profile: Profile
    plan: Plan
    dice: random.Random = field(init=False)
    table: _Table = field(init=False)
    day: Day = field(init=False)
    running: deque[float] = field(init=False)
    """Images that are being made, by the second in which they end."""
    unswept: deque[float] = field(init=False)
    """Writes that were lost, by the second, until the sweep makes them again."""

    def __post_init__(self) -> None:
        """Begin the day."""
        plan = self.plan
        self.dice, self.day = random.Random(plan.seed), Day(plan)
        self.table = _Table(
            write_partitions(Capacity(plan.writes, plan.quota), plan.seed),
            read_partitions(Capacity(plan.reads, plan.quota), plan.seed),
            write_partitions(Capacity(plan.writes, plan.quota), plan.seed + 1),
        )
        self.running = deque([0.0] * (plan.wait_seconds * 3 // 2 + 1))
        self.unswept = deque([0.0] * SWEPT_SECONDS, SWEPT_SECONDS)

    def run(self) -> Day:
        """Return what came of the day."""
        for second in range(self.plan.seconds):
            self._second(second)
        return self.day

    def _second(self, second: int) -> None:
        offered = self._offered()
        done = self.running.popleft()
        self.running.append(0.0)
        ended = done + self.unswept[0]
        marks = done + sum(self.running) + sum(self.unswept)
        for part in self.table.parts:
            part.begin()
        for touch in self._touches():
            self._want(touch, self._calls(touch, offered, ended), marks)
        made = offered * self._served(second, offered)
        lost = ended * self._lost(Moment.AFTER)
        self._begin(made)
        self.unswept.append(lost)
        self._count(offered, made, lost)
        self._sample()
        self.day.write_units += self.table.writes.end(second) + self.table.index.end(second)
        self.day.read_units += self.table.reads.end(second)

    def _begin(self, images: float) -> None:
        """Let images end after half of the wait to one and a half, each second alike."""
        half = self.plan.wait_seconds // 2
        seconds = range(half, self.plan.wait_seconds + half + 1)
        for second in seconds:
            self.running[second - 1] += images / len(seconds)

    def _offered(self) -> float:
        """Return how many images are begun in this second, as far as Lambda lets them begin."""
        plan = self.plan
        wanted = max(0.0, self.dice.gauss(plan.images, math.sqrt(plan.images)))
        if not plan.concurrency:
            return wanted
        begun = max(0.0, min(wanted, plan.concurrency - sum(self.running) + self.running[0]))
        self.day.not_begun += wanted - begun
        return begun

    def _touches(self) -> Iterable[Touch]:
        with_organisation = self.plan.with_organisation
        return (
            one
            for one in self.profile.touches
            if with_organisation or one.key is not Key.ORGANISATION
        )

    def _calls(self, touch: Touch, offered: float, ended: float) -> float:
        """Return how many of a call are made in this second."""
        if touch.moment is Moment.AFTER:
            return ended
        if touch.moment is Moment.ESTIMATE and touch.key is Key.CIRCUITS:
            # An instance that answers estimates is busy for a part of a second each time, and
            # remembers the circuits.
            return min(offered, offered * ESTIMATE_SECONDS * 1_000 / CACHE_MS)
        return offered

    def _want(self, touch: Touch, calls: float, marks: float) -> None:
        table, writes, reads = self.table, touch.writes, touch.reads
        if touch.key is Key.ORGANISATION:
            size = self.profile.units_at(marks)
            writes *= size
            reads *= max(1.0, size * BYTES_PER_WRITE / BYTES_PER_READ)
        if touch.key in HOT:
            table.writes.want(touch.key, calls * writes)
            table.reads.want(touch.key, calls * reads)
            return
        if writes:
            table.writes.want_spread(calls * writes, self.dice)
        if reads:
            table.reads.want_spread(calls * reads, self.dice)
        if touch.index_writes:
            each = calls * touch.index_writes / self.plan.lease_partitions
            for number in range(self.plan.lease_partitions):
                units = max(0.0, self.dice.gauss(each, math.sqrt(each)))
                table.index.want(f"{Key.LEASES} {number}", units)

    def _refusals(self, touch: Touch) -> Iterable[tuple[str, Refusal]]:
        """Yield what may refuse a call, with the name of its key."""
        table, dice = self.table, self.dice
        part = table.writes if touch.writes else table.reads
        hot = touch.key in HOT
        yield touch.key, part.refused(touch.key) if hot else part.refused_spread(dice)
        if touch.index_writes:
            number = dice.randrange(self.plan.lease_partitions)
            yield Key.LEASES, table.index.refused(f"{Key.LEASES} {number}")

    def _served(self, second: int, offered: float) -> float:
        """Return the share of images whose every call before the provider is served."""
        share = 1.0
        for touch in self._touches():
            if touch.moment is not Moment.BEFORE or touch.key is Key.CIRCUITS:
                continue  # Circuits that cannot be read stop nothing.
            for name, one in self._refusals(touch):
                if one.lost:
                    self.day.lost_by[name] += round(offered * share * one.lost)
                    self.day.first_refusal = self.day.first_refusal or (second, name)
                    self.day.last_refusal = second
                share *= 1 - one.lost
        return share

    def _lost(self, moment: Moment) -> float:
        """Return the share of requests of which a call is lost."""
        kept = math.prod(
            1 - one.lost
            for touch in self._touches()
            if touch.moment is moment
            for _, one in self._refusals(touch)
        )
        return 1 - kept

    def _count(self, offered: float, made: float, lost: float) -> None:
        self.day.offered += offered
        self.day.made += made
        self.day.late += lost
        calls = offered
        for touch in self._touches():
            for _, one in self._refusals(touch):
                self.day.throttled += calls * one.attempt * (1 + one.attempt)

    def _sample(self) -> None:
        for _ in range(SAMPLES):
            self.day.before_ms.append(self._time(Moment.BEFORE))
            self.day.after_ms.append(self._time(Moment.AFTER))

    def _time(self, moment: Moment) -> float:
        """Return the ms that the table takes of one request at a moment: one call after another."""
        return sum(self._call_ms(one) for one in self._touches() if one.moment is moment)

    def _call_ms(self, touch: Touch) -> float:
        once = CALL_MS * math.exp(self.dice.gauss(0, SIGMA))
        attempt = max(one.attempt for _, one in self._refusals(touch))
        if attempt and self.dice.random() < attempt:
            return once + RETRY_MS + CALL_MS * math.exp(self.dice.gauss(0, SIGMA))
        return once


def simulate(profile: Profile, plan: Plan) -> Day:
    """Return what came of a plan."""
    return Simulation(profile, plan).run()


def served_of_one_key(calls: float, units: float, capacity: float) -> float:
    """Return the share of the calls of one key that are served."""
    return 1 - refusal(calls * units, capacity).lost
