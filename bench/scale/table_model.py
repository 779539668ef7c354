"""A table of DynamoDB in virtual time: what its partitions take in a second, and what they refuse.

Adaptive capacity, burst capacity and the division of busy partitions are not assumed: AWS gives
them, but promises no figure. Each key lies in the partition to which a hash leads.
"""

import math
import random
from collections import Counter
from dataclasses import dataclass, field
from typing import Final

from bench.scale.quotas import (
    GROWTH,
    GROWTH_SECONDS,
    PARTITION_READS,
    PARTITION_WRITES,
)

TRIES: Final = 2
"""How often the product's client sends a call: ``imagegen.aws.clients``."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """Which share of the calls of one key is refused in one second."""

    attempt: float = 0.0
    """Of the attempts."""

    @property
    def lost(self) -> float:
        """Of the calls: every attempt is refused."""
        return self.attempt**TRIES


def refusal(wanted: float, capacity: float) -> Refusal:
    """Return what is refused where calls want more units than there are.

    A refused attempt takes no capacity and is sent once more: with a share p of the attempts
    refused, N calls are N (1 + p) attempts, of which N (1 + p) (1 - p) are served.
    """
    if wanted <= capacity:
        return Refusal()
    return Refusal(math.sqrt(1 - max(capacity, 0.0) / wanted))


@dataclass(slots=True)
class Capacity:
    """The units a second that a table or an index takes: it grows with what it has served."""

    units: float
    """What it takes now."""
    most: float
    """The quota of the account."""
    _peaks: list[tuple[int, float]] = field(default_factory=list)

    def served(self, second: int, units: float) -> None:
        """Note what was served: half an hour later the table takes twice as much."""
        if not self._peaks or units > self._peaks[-1][1]:
            self._peaks.append((second, units))
        while self._peaks and second - self._peaks[0][0] >= GROWTH_SECONDS:
            self.units = min(self.most, max(self.units, GROWTH * self._peaks.pop(0)[1]))


@dataclass(slots=True)
class Partitions:
    """The partitions of a table or an index for one kind of unit, in one second after another."""

    capacity: Capacity
    each: float
    """The most units a second of one of them."""
    seed: int
    _wanted: Counter[int] = field(default_factory=Counter)
    _places: dict[str, int] = field(default_factory=dict)
    _count: int = 0

    def begin(self) -> None:
        """Begin a second: nothing is wanted yet."""
        count = max(1, math.ceil(self.capacity.units / self.each))
        if count != self._count:
            self._count, self._places = count, {}
        self._wanted.clear()

    @property
    def count(self) -> int:
        """How many there are."""
        return self._count

    def want(self, key: str, units: float) -> None:
        """Ask for units of one key."""
        self._wanted[self._place(key)] += units  # type: ignore[assignment]  # units are fractions

    def want_spread(self, units: float, dice: random.Random) -> None:
        """Ask for units of very many keys, which fall to all partitions alike, but for chance."""
        mean = units / self._count
        for number in range(self._count):
            self._wanted[number] += max(0.0, dice.gauss(mean, math.sqrt(mean)))  # type: ignore[assignment]

    def refused(self, key: str) -> Refusal:
        """Return what is refused of one key's calls."""
        return self._at(self._place(key))

    def refused_spread(self, dice: random.Random) -> Refusal:
        """Return what is refused of the calls of one of very many keys, by chance."""
        return self._at(dice.randrange(self._count))

    def end(self, second: int) -> float:
        """End a second; return the units that were served."""
        served = sum(min(one, self.each) for one in self._wanted.values())
        self.capacity.served(second, served)
        return served

    def _at(self, place: int) -> Refusal:
        return refusal(self._wanted[place], min(self.each, self.capacity.units / self._count))

    def _place(self, key: str) -> int:
        if key not in self._places:
            self._places[key] = random.Random(f"{self.seed}/{key}").randrange(self._count)
        return self._places[key]


def write_partitions(capacity: Capacity, seed: int) -> Partitions:
    """Return partitions that take writes."""
    return Partitions(capacity, PARTITION_WRITES, seed)


def read_partitions(capacity: Capacity, seed: int) -> Partitions:
    """Return partitions that take reads."""
    return Partitions(capacity, PARTITION_READS, seed)
