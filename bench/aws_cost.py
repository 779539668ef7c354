"""What AWS bills for a stored image beside the provider's price: arithmetic, every factor shown.

    python -m bench.aws_cost

Prices of us-east-1 as of 2026-11, in US dollars, without free tiers:
https://aws.amazon.com/lambda/pricing/ https://aws.amazon.com/dynamodb/pricing/on-demand/
https://aws.amazon.com/s3/pricing/ https://aws.amazon.com/cloudwatch/pricing/
Units are read from ``bench/capacity.md``, which ``make exactness ROWS=R15`` measures.
"""

import re
from dataclasses import dataclass
from typing import Final

from bench import capacity
from bench.results import Part, alone
from local.paths import ROOT

ARM_GB_SECOND, X86_GB_SECOND = 0.0000133334, 0.0000166667
REQUEST: Final = 0.20 / 1e6
WRITE_UNIT, READ_UNIT = 0.625 / 1e6, 0.125 / 1e6
S3_PUT, S3_GET, S3_GB_MONTH = 0.005 / 1000, 0.0004 / 1000, 0.023
LOG_GB: Final = 0.50
ESTIMATE_SECONDS, OWN_SECONDS = 0.05, 0.1
IMAGE_MB, LOG_KB = 1.5, 4.0
WAITS, MEMORIES = (2, 12, 60), (512, 1024, 1769)
BUDGET: Final = 0.00015
BUDGET_WRITES: Final = capacity.BUDGET_WRITES + capacity.PROMPT_WRITES
BUDGET_TRIPS: Final = capacity.BUDGET_TRIPS + capacity.PROMPT_WRITES
"""Of an image whose prompt is kept."""
CAPACITY: Final = ROOT / "bench" / "capacity.md"


@dataclass(frozen=True, slots=True)
class Units:
    """What a request takes of DynamoDB."""

    writes: float
    reads: float
    trips: int


def units() -> dict[str, Units]:
    """Return the measured units by request."""
    row = re.compile(r"^\| ([^|]+) \| ([\d.]+) \+ ([\d.]+) \| ([\d.]+) \| (\d+) \|", re.MULTILINE)
    found = row.findall(CAPACITY.read_text())
    return {name: Units(float(t) + float(i), float(r), int(n)) for name, t, i, r, n in found}


def lambda_usd(seconds: float, memory_mb: int, gb_second: float = ARM_GB_SECOND) -> float:
    """Return what an invocation costs."""
    return seconds * memory_mb / 1024 * gb_second + REQUEST


def dynamodb_usd(one: Units) -> float:
    """Return what a request's units cost."""
    return one.writes * WRITE_UNIT + one.reads * READ_UNIT


def image_usd(wait_seconds: float, memory_mb: int, gb_second: float = ARM_GB_SECOND) -> float:
    """Return what an image costs whose provider takes so long: estimate, generate, one delivery."""
    found = units()
    return sum(
        parts(wait_seconds, memory_mb, found["tenth image"], found["estimate"], gb_second).values()
    )


def parts(
    wait_seconds: float, memory_mb: int, image: Units, estimate: Units, gb_second: float
) -> dict[str, float]:
    """Return the same, item by item."""
    return {
        "generate": lambda_usd(wait_seconds + OWN_SECONDS, memory_mb, gb_second),
        "estimate": lambda_usd(ESTIMATE_SECONDS, 512, gb_second),
        "redirect": lambda_usd(ESTIMATE_SECONDS, memory_mb, gb_second),
        "DynamoDB": dynamodb_usd(image) + dynamodb_usd(estimate),
        "S3 requests": S3_PUT + S3_GET,
        "S3, a month": IMAGE_MB / 1024 * S3_GB_MONTH,
        "logs": LOG_KB / 2**20 * LOG_GB,
    }


def measure() -> Part:
    """Return the table."""
    found = units()
    image, estimate = found["tenth image"], found["estimate"]
    columns = ["provider's wait", *(f"{mb} MB arm64" for mb in MEMORIES), "512 MB x86_64"]
    title = "AWS cost per stored image beside the provider's price, US dollars"
    part = Part("aws_cost", title, columns)
    for wait in WAITS:
        costs = [image_usd(wait, mb) for mb in MEMORIES] + [image_usd(wait, 512, X86_GB_SECOND)]
        part.rows.append((f"{wait} s", *(f"{one:.6f}" for one in costs)))
        part.figures[f"{wait}s"] = {
            **{f"{mb}MbArm": round(image_usd(wait, mb), 8) for mb in MEMORIES},
            "512MbX86": round(costs[-1], 8),
        }
    items = parts(12, 512, image, estimate, ARM_GB_SECOND)
    told = " + ".join(f"{name} {usd:.7f}" for name, usd in items.items())
    part.notes += [f"12 s at 512 MB: {told}.", *_notes(image, estimate)]
    total = sum(items.values())
    part.budgets[f"at most ${BUDGET:.5f} at 12 s and 512 MB (${total:.6f})"] = total <= BUDGET
    worst = max(one.writes for name, one in found.items() if name.endswith(" image"))
    trips = max(one.trips for name, one in found.items() if name.endswith(" image"))
    writes = f"at most {BUDGET_WRITES:g} write units an image, with the index's (worst {worst:g})"
    part.budgets[writes] = worst <= BUDGET_WRITES
    part.budgets[f"at most {BUDGET_TRIPS} round trips an image ({trips})"] = trips <= BUDGET_TRIPS
    part.figures["at12s"] = {name: round(usd, 9) for name, usd in items.items()}
    return part


def _notes(image: Units, estimate: Units) -> list[str]:
    return [
        (
            f"Lambda: seconds x GB x ${ARM_GB_SECOND} (x86_64 ${X86_GB_SECOND}) + $0.20 a million. "
            f"generate takes the wait + {OWN_SECONDS} s, the others {ESTIMATE_SECONDS} s."
        ),
        (
            f"DynamoDB (bench/capacity.md): the tenth image of a user {image.writes:g} write and "
            f"{image.reads:g} read units in {image.trips} round trips, the estimate "
            f"{estimate.reads:g} read units; $0.625 and $0.125 a million."
        ),
        (
            f"S3: one PUT, one GET, {IMAGE_MB} MB for a month; logs {LOG_KB:g} KB. Egress is not "
            f"in it: ${IMAGE_MB / 1024 * 0.09:.6f} a download after the first 100 GB of a month."
        ),
    ]


if __name__ == "__main__":
    alone(measure)
