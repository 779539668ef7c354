"""What is simulated, and what came of it."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Final

from bench.scale.quotas import NEW_READS, NEW_WRITES, TABLE_UNITS
from imagegen.aws.ledger_items import LEASE_PARTITIONS

DAY_SECONDS: Final = 86_400


@dataclass(frozen=True, slots=True)
class Plan:
    """What is simulated."""

    name: str
    images: float
    """Confirmed a second."""
    with_organisation: bool = False
    """Whether the organisation has a limit, so that its level counts every image."""
    writes: int = NEW_WRITES
    """Write units a second that the table takes at the beginning, and its index as well."""
    reads: int = NEW_READS
    lease_partitions: int = LEASE_PARTITIONS
    wait_seconds: int = 12
    concurrency: int = 0
    """Reserved for the function that makes images, which is its maximum; 0 means any."""
    seconds: int = DAY_SECONDS
    quota: int = TABLE_UNITS
    seed: int = 1


@dataclass(slots=True)
class Day:
    """What came of it."""

    plan: Plan
    offered: float = 0
    made: float = 0
    not_begun: float = 0
    """Images for which Lambda had no free instance."""
    late: float = 0
    """Writes after the provider that the sweep made."""
    throttled: float = 0
    """Attempts that were refused."""
    lost_by: Counter[str] = field(default_factory=Counter)
    """Refused images, by the key that refused them."""
    write_units: float = 0
    read_units: float = 0
    before_ms: list[float] = field(default_factory=list)
    after_ms: list[float] = field(default_factory=list)
    first_refusal: tuple[int, str] | None = None
    """The second and the key of the first image that was refused."""
    last_refusal: int = -1
    """The last second in which at least one image was refused."""
