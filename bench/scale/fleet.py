"""How many instances many images a second need, and what all of them ask of other services."""

import math
from dataclasses import dataclass
from typing import Final

from bench.aws_cost import ESTIMATE_SECONDS, OWN_SECONDS, lambda_usd
from bench.scale.quotas import CONCURRENCY, STARTS, STARTS_SECONDS
from imagegen.aws.parameters import SPREAD_MS, VALUES_CACHE_MS
from imagegen.edge.token_keys import MAX_AGE_MS
from imagegen.guard import CACHE_MS

WAIT_SECONDS: Final = 12.0
MEMORY_MB: Final = 512
MARGIN: Final = 1.25
"""Of instances asked for: arrivals and waits vary."""
DAY_SECONDS: Final = 86_400


@dataclass(frozen=True, slots=True)
class Fleet:
    """The instances of all functions at so many images a second."""

    images: float
    wait_seconds: float = WAIT_SECONDS

    @property
    def makers(self) -> float:
        """Return how many instances make images."""
        return self.images * (self.wait_seconds + OWN_SECONDS)

    @property
    def others(self) -> float:
        """Return how many answer estimates and deliveries, one of each for an image."""
        return self.images * 2 * ESTIMATE_SECONDS

    @property
    def instances(self) -> float:
        """Return how many work at once."""
        return self.makers + self.others

    @property
    def quota(self) -> int:
        """Return the concurrency to ask for, in steps of a thousand."""
        return max(1, math.ceil(self.instances * MARGIN / CONCURRENCY)) * CONCURRENCY

    @property
    def start_seconds(self) -> float:
        """Return how long Lambda takes to start all of them from none."""
        return self.makers / STARTS * STARTS_SECONDS

    @property
    def lambda_usd_a_day(self) -> float:
        """Return what Lambda costs."""
        made = lambda_usd(self.wait_seconds + OWN_SECONDS, MEMORY_MB)
        asked = 2 * lambda_usd(ESTIMATE_SECONDS, MEMORY_MB)
        return self.images * DAY_SECONDS * (made + asked)

    def parameter_reads(self, starts_a_minute: float = 0) -> float:
        """Return the reads of Parameter Store a second: at each start, and after 4 to 5 minutes."""
        between_ms = VALUES_CACHE_MS - SPREAD_MS / 2
        return self.instances * 1_000 / between_ms + starts_a_minute / 60

    def key_fetches(self, starts_a_minute: float = 0) -> float:
        """Return how often a second the issuer's keys are fetched: at each start, and each hour."""
        return self.instances * 1_000 / MAX_AGE_MS + starts_a_minute / 60

    @property
    def circuit_reads(self) -> float:
        """Return how often a second the circuits are read: once a run, and while one estimates."""
        return self.images * (1 + ESTIMATE_SECONDS * 1_000 / CACHE_MS)


def circuit_reads_at_most(instances: float) -> float:
    """Return the reads a second if every instance is asked all the time."""
    return instances * 1_000 / CACHE_MS
