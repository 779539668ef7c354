"""The tables of ``make scale``."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from bench.aws_cost import ARM_GB_SECOND, Units, parts
from bench.scale import quotas
from bench.scale.fleet import MEMORY_MB, WAIT_SECONDS, Fleet, circuit_reads_at_most
from bench.scale.limits import KEPT_SECONDS, limits
from bench.scale.months import IMAGES, month
from bench.scale.plans import Day, Plan
from bench.scale.profile import Profile
from bench.scale.sweep import Sweep
from generators.docs.blocks import table
from imagegen.bootstrap.generate_tasks import ERASURE_MS
from tests.exactness.instance import LIFETIME_MS

RATES: Final = (1, 10, 40, 80, 100, 500, 1_000, 3_000)
STARTS_A_MINUTE: Final = 1_000
WARM: Final = 16_000
PLANS: Final = (
    Plan("1,000 a second for a day", 1_000, writes=WARM),
    Plan("a tenth of it", 100, writes=WARM, seconds=3_600),
    Plan("1,000 on a new table, without warm throughput", 1_000, seconds=7_200),
    Plan("1,000 with one partition of leases, as before", 1_000, writes=WARM, lease_partitions=1,
         seconds=3_600),
    Plan("40 with the organisation's limit", 40, with_organisation=True, seconds=3_600),
    Plan("50 with the organisation's limit", 50, with_organisation=True, seconds=3_600),
    Plan("1,000 with it, `GENERATE_CONCURRENCY=480`", 1_000, with_organisation=True,
         concurrency=480, writes=WARM, seconds=3_600),
    Plan("1,000 with it, no such limit", 1_000, with_organisation=True, writes=WARM, seconds=3_600),
    Plan("3,000 on a table that took 1,000 before", 3_000, writes=12_000, seconds=7_200),
    Plan("3,000 with warm throughput", 3_000, writes=quotas.TABLE_UNITS,
         reads=quotas.TABLE_UNITS, seconds=3_600),
)  # fmt: skip
"""What is simulated."""


def made(profile: Profile, days: Sequence[Day], sweep: Sweep) -> Mapping[str, str]:
    """Return every table by its name in the docs."""
    return {
        "scale calls": table(CALLS, _calls(profile)),
        "scale days": table(DAYS, map(_day, days)),
        "scale limits": table(LIMITS, _limits(profile)),
        "scale level": table(LEVEL, _level(profile)),
        "scale entry": table(ENTRY, _entry(profile)),
        "scale instances": table(INSTANCES, map(_instances, map(Fleet, RATES))),
        "scale services": table(SERVICES, map(_services, map(Fleet, RATES))),
        "scale circuits": table(CIRCUITS, _circuits(profile)),
        "scale sweep": table(SWEEP, _sweep(sweep)),
        "scale months": table(MONTHS, map(_month, IMAGES)),
    }


CALLS: Final = ("when", "key", "write units", "of the index", "read units")


def _calls(profile: Profile) -> Iterator[tuple[str, ...]]:
    for one in profile.touches:
        yield one.moment, one.key, f"{one.writes:g}", f"{one.index_writes:g}", f"{one.reads:g}"


DAYS: Final = (
    "images a second", "simulated", "made a second", "refused by the table", "attempts throttled",
    "writes left to the sweep", "before the provider, ms p50 / p99", "after it, ms p50 / p99",
    "write units a second", "write units an image", "AWS $ an image", "first refusal",
)  # fmt: skip


def _day(day: Day) -> tuple[str, ...]:
    plan = day.plan
    refused = day.offered - day.made
    return (
        plan.name,
        f"{plan.seconds / 3_600:g} h",
        f"{day.made / plan.seconds:,.1f}",
        _share(refused, day.offered),
        f"{day.throttled:,.0f}",
        f"{day.late:,.0f}",
        _percentiles(day.before_ms),
        _percentiles(day.after_ms),
        f"{day.write_units / plan.seconds:,.0f}",
        f"{day.write_units / day.made:,.2f}" if day.made else "",
        f"{image_usd(day):.6f}" if day.made else "",
        _first(day),
    )


def image_usd(day: Day) -> float:
    """Return what AWS bills for an image of a day: 12 s at 512 MB, stored for a month."""
    image = Units(day.write_units / day.made, day.read_units / day.made, 0)
    # The day has the units of estimate and image together.
    costs = parts(WAIT_SECONDS, MEMORY_MB, image, Units(0, 0, 0), ARM_GB_SECOND)
    return sum(costs.values())


def _first(day: Day) -> str:
    if day.first_refusal is None:
        return "none"
    second, key = day.first_refusal
    most = day.lost_by.most_common(1)[0][0]
    return f"{key}, second {second}; most by {most}; last in second {day.last_refusal}"


def _percentiles(values: Sequence[float]) -> str:
    ordered = sorted(values)
    return f"{ordered[len(ordered) // 2]:.0f} / {ordered[len(ordered) * 99 // 100]:.0f}"


def _share(part: float, whole: float) -> str:
    share = max(0.0, part) / whole if whole else 0.0
    return "0" if share < 1e-6 else f"{share:.2%}"


LIMITS: Final = ("images a second", "limit", "what to do")


def _limits(profile: Profile) -> Iterator[tuple[str, ...]]:
    for one in limits(profile):
        yield (
            f"{one.images:,.3g}" if one.images < 100 else f"{one.images:,.0f}",
            one.name,
            one.remedy,
        )


LEVEL: Final = ("open holds", "images a second at 12 s", "units a write", "units a second", "")


def _level(profile: Profile) -> Iterator[tuple[str, ...]]:
    for marks, each in profile.level_units:
        images = marks / WAIT_SECONDS
        whole = 2 * images * each
        fits = "" if whole <= quotas.PARTITION_WRITES else "above 1,000"
        yield f"{marks:,}", f"{images:,.0f}", f"{each:g}", f"{whole:,.0f}", fits


ENTRY: Final = ("requests of the last eleven minutes", "images a second", "units a write")


def _entry(profile: Profile) -> Iterator[tuple[str, ...]]:
    for kept, each in profile.entry_units:
        yield f"{kept:,}", f"{kept / KEPT_SECONDS:.2f}", f"{each:g}"


INSTANCES: Final = (
    "images a second", "instances at once", "concurrency to ask for", "seconds to start all",
    "Lambda $ a day", "Lambda $ an image",
)  # fmt: skip


def _instances(fleet: Fleet) -> tuple[str, ...]:
    return (
        f"{fleet.images:,}",
        f"{fleet.instances:,.0f}",
        f"{fleet.quota:,}",
        f"{fleet.start_seconds:,.0f}",
        f"{fleet.lambda_usd_a_day:,.0f}",
        f"{fleet.lambda_usd_a_day / fleet.images / 86_400:.6f}",
    )


SERVICES: Final = (
    "images a second", "reads of parameters a second", f"with {STARTS_A_MINUTE:,} starts a minute",
    "fetches of the issuer's keys a second", f"with {STARTS_A_MINUTE:,} starts a minute",
)  # fmt: skip


def _services(fleet: Fleet) -> tuple[str, ...]:
    reads, with_starts = fleet.parameter_reads(), fleet.parameter_reads(STARTS_A_MINUTE)
    return (
        f"{fleet.images:,}",
        f"{reads:.1f}{_over(reads)}",
        f"{with_starts:.1f}{_over(with_starts)}",
        f"{fleet.key_fetches():.1f}",
        f"{fleet.key_fetches(STARTS_A_MINUTE):.1f}",
    )


def _over(reads: float) -> str:
    if reads <= quotas.PARAMETER_READS:
        return ""
    return " (higher throughput)" if reads <= quotas.RAISED_PARAMETER_READS else " (too many)"


CIRCUITS: Final = ("", "reads a second", "read units a second, of 3,000")


def _circuits(profile: Profile) -> Iterator[tuple[str, ...]]:
    each = profile.bad_circuit_reads
    for images in (1_000, 3_000):
        reads = Fleet(images).circuit_reads
        yield f"{images:,} images a second, as runs read", f"{reads:,.0f}", f"{reads * each:,.0f}"
    for instances in (10_000, 12_000, 40_000):
        reads = circuit_reads_at_most(instances)
        name = f"{instances:,} instances, each asked all the time"
        yield name, f"{reads:,.0f}", f"{reads * each:,.0f}"


DEAD_IN_FIVE_MINUTES: Final = 300
SWEEP_SECONDS: Final = (LIFETIME_MS - ERASURE_MS) // 1_000
"""What a sweep has where the function's timeout is the default."""
SWEEP: Final = ("users of dead runs", "seconds", "")


def _sweep(sweep: Sweep) -> Iterator[tuple[str, ...]]:
    for users in (1, 300, 1_000, 5_000):
        note = f"in sweeps of {SWEEP_SECONDS} s" if sweep.seconds(users) > SWEEP_SECONDS else ""
        if users == DEAD_IN_FIVE_MINUTES:
            note = "one death in a thousand at 1,000 images a second, in five minutes"
        yield f"{users:,}", f"{sweep.seconds(users):.1f}", note


MONTHS: Final = (
    "images a month", "alarms", "metrics", "decrypts", "functions", "table", "bucket", "egress",
    "logs", "sum", "and storage from month 13", "an image",
)  # fmt: skip


def _month(images: int) -> tuple[str, ...]:
    one = month(images)
    values = (
        one.alarms, one.metrics, one.decrypts, one.functions, one.table, one.bucket, one.egress,
        one.logs, one.total, one.storage_later,
    )  # fmt: skip
    each = f"{one.total / images:.5f}" if images else ""
    return f"{images:,}", *(f"{value:,.2f}" for value in values), each
