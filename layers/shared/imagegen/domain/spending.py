"""What was promised, charged and billed in a time, by provider, model, user, team and outcome."""

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass, fields
from typing import Protocol, Self

from imagegen.domain.losses import NO_PROVIDER, Loss, LossKind, losses
from imagegen.domain.records import ImageRecord, RecordStatus


@dataclass(frozen=True, slots=True)
class Kind:
    """The values by which requests are summed up."""

    provider: str
    model: str
    user: str
    outcome: str
    """``complete``, or the code of the error."""
    team: str = ""
    """The team's level; empty if the request counted for none."""


@dataclass(frozen=True, slots=True)
class Sum:
    """The sums of some requests; money in micro-dollars."""

    requests: int = 0
    images: int = 0
    promised: int = 0
    """The sum of the prices on the buttons of the images: their ceilings."""
    charged: int = 0
    billed: int = 0
    """By what the providers' answers state; where one states nothing, what was charged."""
    in_doubt: int = 0
    """What providers may have billed for answers that were lost, errors and refusals."""
    unsold: int = 0
    """What providers bill for images that arrived and were not sold."""
    above_price: int = 0
    """How much of ``billed`` is above what was charged, where an image cost more than that."""

    def plus(self, other: Self) -> Self:
        """Return the sum of both."""
        names = (one.name for one in fields(self))
        return type(self)(*(getattr(self, name) + getattr(other, name) for name in names))


type Sums = Mapping[Kind, Sum]


@dataclass(frozen=True, slots=True)
class UserRecord:
    """The record of a confirmed request, and whose it is."""

    user: str
    record: ImageRecord


class RecordScan(Protocol):
    """Reads the records of all users. That is a read of the whole table, for operators alone."""

    def between(self, start_ms: int, end_ms: int) -> Iterator[UserRecord]:
        """Yield the records of quotes issued in a time, in no order; ``end_ms`` is not in it.

        Raises:
            StoreUnavailableError: they cannot be read.
        """
        ...


def added_up(found: Iterable[UserRecord]) -> dict[Kind, Sum]:
    """Return the sums of the records."""
    sums: dict[Kind, Sum] = defaultdict(Sum)
    for one in found:
        for kind, amount in parts(one):
            sums[kind] = sums[kind].plus(amount)
    return dict(sums)


def parts(one: UserRecord) -> Iterator[tuple[Kind, Sum]]:
    """Yield the request itself under the model that made its image, and each loss under its own."""
    record = one.record
    made = record.status is RecordStatus.COMPLETE
    outcome = record.status.value if made else record.code or record.status.value
    made_by = (record.provider, record.model) if made else (NO_PROVIDER, NO_PROVIDER)
    yield (
        Kind(*made_by, one.user, outcome, record.team),
        _amount(record) if made else Sum(requests=1),
    )
    for loss in losses(record):
        yield Kind(loss.provider, loss.model, one.user, outcome, record.team), _lost(loss)


def grouped[Name: Hashable](sums: Sums, name: Callable[[Kind], Name]) -> list[tuple[Name, Sum]]:
    """Return the sums by name, the largest charge first."""
    groups: dict[Name, Sum] = defaultdict(Sum)
    for kind, amount in sums.items():
        groups[name(kind)] = groups[name(kind)].plus(amount)
    return sorted(groups.items(), key=lambda one: (-one[1].charged, -one[1].requests, str(one[0])))


def total(sums: Sums) -> Sum:
    """Return the sum of all."""
    found = Sum()
    for amount in sums.values():
        found = found.plus(amount)
    return found


def _amount(record: ImageRecord) -> Sum:
    charged, counted = record.charged_microusd, record.actual_microusd
    billed = charged if counted is None else counted
    return Sum(1, 1, record.ceiling_microusd, charged, billed)


def _lost(loss: Loss) -> Sum:
    match loss.kind:
        case LossKind.IN_DOUBT:
            return Sum(in_doubt=loss.microusd)
        case LossKind.UNSOLD:
            return Sum(unsold=loss.microusd)
        case LossKind.ABOVE_PRICE:
            return Sum(above_price=loss.microusd)
