"""What growth costs: users, instances, and a user's own history. Arithmetic over measured units.

    python -m bench.growth

Every item of a user is in a partition of the user's own, and nothing is scanned: an image costs
the same with one user and with 100,000. Circuits are one Query of one partition, which each
instance keeps for 2 s: reads grow with instances that are busy, not with images.
"""

from typing import Final

from bench.aws_cost import READ_UNIT, WRITE_UNIT, dynamodb_usd, image_usd, units
from bench.results import Part, alone
from imagegen.providers import PROVIDERS

USERS: Final = (1, 1_000, 100_000)
INSTANCES: Final = (10, 1_000, 10_000)
IMAGES_A_DAY: Final = 5
CACHE_SECONDS: Final = 2
PARTITION_READ_UNITS: Final = 3_000
"""https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/bp-partition-key-design.html"""
SWEEPS_A_DAY, PROBES_A_DAY = 288, 288


def fixed_usd_a_day() -> float:
    """Return what the sweep and the probe take of DynamoDB, whoever uses the service."""
    sweep = SWEEPS_A_DAY * 0.5 * READ_UNIT
    probe = PROBES_A_DAY * (len(PROVIDERS) * WRITE_UNIT + 0.5 * READ_UNIT)
    return sweep + probe


def measure() -> Part:
    """Return both tables in one."""
    found = units()
    image, circuits = found["tenth image"], found["health"]
    part = Part("growth", "What growth costs",
                ["", "reads or writes a second", "US dollars per image", "note"])  # fmt: skip
    for users in USERS:
        images = users * IMAGES_A_DAY
        per_image = image_usd(12, 512) + fixed_usd_a_day() / images
        part.rows.append((
            f"{users:,} users, {IMAGES_A_DAY} images a day each",
            f"{images * image.writes / 86_400:,.2f} write units", f"{per_image:.6f}",
            f"{image.writes:g} write + {image.reads:g} read units, whoever else there is",
        ))  # fmt: skip
        part.figures[f"users{users}"] = {"usdPerImage": round(per_image, 8)}
    for instances in INSTANCES:
        reads = instances / CACHE_SECONDS
        units_a_second = reads * circuits.reads
        usd_an_hour = units_a_second * 3600 * READ_UNIT
        share = units_a_second / PARTITION_READ_UNITS
        part.rows.append((
            f"{instances:,} instances, all busy all the time",
            f"{reads:,.0f} reads of the circuits", "",
            (f"at most {units_a_second:,.1f} read units, {share:.1%} of what one partition gives; "
            f"${usd_an_hour:.4f} an hour"),
        ))  # fmt: skip
        part.figures[f"instances{instances}"] = {
            "readsPerSecond": reads, "unitsPerSecond": units_a_second,
            "shareOfPartition": round(share, 4), "usdPerHour": round(usd_an_hour, 6),
        }  # fmt: skip
    part.notes += [
        (
            f"An image is what `aws_cost` counts at 12 s and 512 MB; DynamoDB's part of it is "
            f"${dynamodb_usd(image):.7f}."
        ),
        (
            f"Sweep ({SWEEPS_A_DAY} a day) and probe ({PROBES_A_DAY} a day, {len(PROVIDERS)} "
            f"providers) take ${fixed_usd_a_day():.6f} a day of DynamoDB, in the dollars per image "
            "above."
        ),
        (
            f"Circuits: one Query of {circuits.reads:g} units (below 4 KB, eventually consistent), "
            f"kept {CACHE_SECONDS} s by an instance; an instance that draws for 12 s reads once."
        ),
    ]
    within = max(INSTANCES) / CACHE_SECONDS * circuits.reads <= PARTITION_READ_UNITS
    part.budgets[f"{max(INSTANCES):,} busy instances read the circuits from one partition"] = within
    return part


if __name__ == "__main__":
    alone(measure)
