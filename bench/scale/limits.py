"""At how many images a second each limit is met, and what to do about it then."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from bench.scale import quotas
from bench.scale.fleet import WAIT_SECONDS, Fleet
from bench.scale.profile import Key, Profile
from imagegen.aws.ledger_items import LEASE_PARTITIONS
from imagegen.domain.pruning import PRUNE_MARGIN_MS
from imagegen.domain.quote import LIFETIME_MS

MOST: Final = 1_000_000.0
BYTES_PER_WRITE: Final = 1_024
KEPT_SECONDS: Final = (LIFETIME_MS + PRUNE_MARGIN_MS) / 1_000
"""How long an entry keeps a request."""
KEY_READS: Final = 2
"""Reads of a program's key for an image: of estimate's instance and of generate's, if neither has
seen the key for 45 seconds."""


@dataclass(frozen=True, slots=True)
class Limit:
    """One limit."""

    name: str
    images: float
    """How many a second meet it."""
    remedy: str


def met_at(fits: Callable[[float], bool]) -> float:
    """Return the most images a second that fit, to a hundredth."""
    low, high = 0.0, MOST
    while high - low > 0.005:
        middle = (low + high) / 2
        low, high = (middle, high) if fits(middle) else (low, middle)
    return low


def level_fits(profile: Profile, images: float, wait_seconds: float = WAIT_SECONDS) -> bool:
    """Return whether one item takes the writes of a level: two an image, with its open holds."""
    units = profile.units_at(images * wait_seconds)
    return 2 * images * units <= quotas.PARTITION_WRITES


def entry_fits(profile: Profile, images: float) -> bool:
    """Return whether one person's entry, or a key's, takes its writes: two an image."""
    units = profile.entry_units_at(images * KEPT_SECONDS)
    return 2 * images * units <= quotas.PARTITION_WRITES


def limits(profile: Profile) -> list[Limit]:
    """Return every limit, the lowest first."""
    found = (*_lambda(), *_single_items(profile), *_table(profile), *_others(profile))
    return sorted(found, key=lambda one: one.images)


def _lambda() -> list[Limit]:
    each = Fleet(1).instances
    return [
        Limit(
            "Lambda's concurrency in a new account",
            quotas.NEW_CONCURRENCY / each,
            "ask for 1,000 before the first users come",
        ),
        Limit("Lambda's concurrency", quotas.CONCURRENCY / each, "ask for more (table below)"),
    ]


def _single_items(profile: Profile) -> list[Limit]:
    most = quotas.ITEM_BYTES / BYTES_PER_WRITE
    return [
        Limit(
            "the organisation's level: one item",
            met_at(lambda images: level_fits(profile, images)),
            "leave its limits off, and limit people, keys and concurrency",
        ),
        Limit(
            "one person's entry, or one program's key: all images are theirs",
            met_at(lambda images: entry_fits(profile, images)),
            "several keys for a program that needs more",
        ),
        Limit(
            "the organisation's level: bytes of its item",
            met_at(lambda images: profile.units_at(images * WAIT_SECONDS) <= most),
            "the same",
        ),
    ]


def _table(profile: Profile) -> list[Limit]:
    plain = sum(one.writes for one in profile.touches if one.key is not Key.ORGANISATION)
    index = sum(one.index_writes for one in profile.touches)
    return [
        Limit(
            "one partition of the index of leases (before)",
            quotas.PARTITION_WRITES / index,
            f"there are {LEASE_PARTITIONS} now",
        ),
        Limit(
            f"{LEASE_PARTITIONS} partitions of the index of leases",
            LEASE_PARTITIONS * quotas.PARTITION_WRITES / index,
            "more partitions, in code",
        ),
        Limit(
            "a new table's writes",
            quotas.NEW_WRITES / plain,
            "set the table's warm throughput, or let traffic grow for some hours",
        ),
        Limit(
            "a new index's writes",
            quotas.NEW_WRITES / index,
            "the same for the index",
        ),
        Limit("the account's writes of a table", quotas.TABLE_UNITS / plain, "ask for more"),
    ]


def _others(profile: Profile) -> list[Limit]:
    reads = Fleet(1).parameter_reads()
    circuits = Fleet(1).circuit_reads * profile.bad_circuit_reads
    return [
        Limit(
            "Parameter Store's reads",
            quotas.PARAMETER_READS / reads,
            "switch on its higher throughput",
        ),
        Limit(
            "Parameter Store's reads, higher throughput",
            quotas.RAISED_PARAMETER_READS / reads,
            "several stacks in several accounts",
        ),
        Limit(
            "the partition of circuits",
            quotas.PARTITION_READS / circuits,
            "nothing stops: circuits that cannot be read count as closed",
        ),
        Limit(
            "the partition of programs' keys, if all callers are programs with keys of their own",
            quotas.PARTITION_READS / KEY_READS,
            "people's tokens, or fewer keys: an instance remembers a key for 45 seconds",
        ),
        Limit("S3's puts under one prefix", quotas.PREFIX_PUTS, "S3 divides busy prefixes itself"),
    ]
