"""What a stack costs a month at AWS, by its images: measured units at the list prices we have."""

import math
from dataclasses import dataclass
from typing import Final

from bench.aws_cost import ARM_GB_SECOND, IMAGE_MB, parts, units
from bench.scale.fleet import MEMORY_MB, WAIT_SECONDS
from generators.docs import costs

MONTH_SECONDS: Final = 30 * 86_400
IMAGES: Final = (0, 1_000, 100_000, 10_000_000)
FREE_EGRESS_GB, EGRESS_GB = 100, 0.09
FREE_GB_SECONDS: Final = 400_000
KEPT_MONTHS: Final = 12
"""Images are kept for a year: of each month's images, so many months lie in the bucket then."""
IDLE_BUDGET: Final = 5.0


@dataclass(frozen=True, slots=True)
class Month:
    """A month of a stack, in US dollars."""

    images: int
    alarms: float
    metrics: float
    decrypts: float
    functions: float
    table: float
    bucket: float
    egress: float
    logs: float

    @property
    def fixed(self) -> float:
        """Return what does not depend on the number of images, but on whether there are any."""
        return self.alarms + self.metrics

    @property
    def total(self) -> float:
        """Return the sum, in the first month."""
        used = self.functions + self.table + self.bucket + self.egress + self.logs
        return self.fixed + self.decrypts + used

    @property
    def storage_later(self) -> float:
        """Return what more is stored from the thirteenth month on."""
        gigabytes = self.images * IMAGE_MB / 1_024
        return gigabytes * 0.023 * (KEPT_MONTHS - 1)


def month(images: int) -> Month:
    """Return what a month costs: each image with one estimate and one delivery."""
    found = units()
    image, estimate = found["tenth image"], found["estimate"]
    one = parts(WAIT_SECONDS, MEMORY_MB, image, estimate, ARM_GB_SECOND)
    series = costs.used() + costs.S3_SERIES if images else costs.probed()
    functions = images * (one["generate"] + one["estimate"] + one["redirect"])
    return Month(
        images,
        alarms=max(0, costs.watched() - costs.FREE) * costs.ALARM_CENTS / 100,
        metrics=max(0, series - costs.FREE) * costs.METRIC_CENTS / 100,
        decrypts=_decrypts(warm_instances(images)),
        functions=max(0.0, functions - FREE_GB_SECONDS * ARM_GB_SECOND),
        table=images * one["DynamoDB"],
        bucket=images * (one["S3 requests"] + one["S3, a month"]),
        egress=max(0.0, images * IMAGE_MB / 1_024 - FREE_EGRESS_GB) * EGRESS_GB,
        logs=images * one["logs"],
    )


def warm_instances(images: int) -> int:
    """Return how many instances are warm all month: twice the average, and those of schedules."""
    average = images / MONTH_SECONDS * WAIT_SECONDS
    return costs.WARM + math.ceil(2 * average)


def _decrypts(instances: int) -> float:
    done = instances * costs.READS * costs.SECRETS - costs.FREE_DECRYPTS
    return max(0.0, done / costs.DECRYPTS_PER_CENT / 100)
