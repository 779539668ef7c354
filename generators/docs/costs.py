"""The monthly cost of a stack without requests, computed from its alarms and metrics."""

from collections.abc import Iterator
from typing import Final

from generators.docs.blocks import table
from generators.monitoring.alarms import alarms
from generators.monitoring.queries import FUNCTIONS
from imagegen.monitoring.metrics import SERIES, Dimension, Metric
from imagegen.providers import PROVIDERS

WARM, READS, SECRETS, FREE_DECRYPTS = 2, 8_640, 3, 20_000
"""Instances that the schedules keep warm, their reads of the parameters in a month, the encrypted
parameters of each read, and the decrypts that KMS includes free each month."""
DECRYPTS_PER_CENT: Final = 10_000 / 3
"""https://aws.amazon.com/kms/pricing/: $0.03 for 10,000."""
S3_SERIES: Final = 10
"""S3's metrics of requests that have values in use; CloudWatch bills them as the account's own."""
FREE: Final = 10
"""How many metrics of alarms, and how many custom metrics, CloudWatch includes free each month."""
ALARM_CENTS, METRIC_CENTS = 10, 30
PROBED: Final = 7
"""Series of the schedules: the heartbeats of probe and reconciler, circuits, keys, unlisted models,
prices that differ, days. A provider has none of its own while it is well."""
RARE: Final = frozenset(
    {
        Metric.CIRCUIT_MOVES,
        Metric.CIRCUIT_OPEN,
        Metric.KEY_CHANGES,
        Metric.KEY_REFUSED,
        Metric.LOSS_USD,
    }
)
"""These metrics are sent only when something breaks."""


def made() -> dict[str, str]:
    """Return the generated part of docs/deploy.md: the fixed costs."""
    fixed = table(("what", "arithmetic", "$ a month"), _fixed())
    return {"fixed costs": f"{fixed}\n{_in_use()}\n{_beside_another()}"}


def watched() -> int:
    """Return how many metrics the alarms read."""
    listed = alarms(dict.fromkeys(FUNCTIONS, "timeout"))
    return sum(len(one.queries) for one in listed if not one.condition)


def probed() -> int:
    """Return how many series a stack has without requests, while all providers are well."""
    return PROBED


def used() -> int:
    """Return how many series a stack in use has when all provider calls succeed."""
    return sum(
        len(PROVIDERS) if Dimension.PROVIDER in dimensions else 1
        for metric, series in SERIES.items()
        if metric not in RARE
        for dimensions in series.sets
    )


def at_rest() -> int:
    """Return what a stack without requests costs in a month, in cents."""
    return _alarms() + _metrics(probed()) + _kms()


def without_free() -> int:
    """Return the same where other stacks of the account use up what is free, in cents."""
    return watched() * ALARM_CENTS + probed() * METRIC_CENTS + _decrypts(WARM)


def _fixed() -> Iterator[tuple[str, str, str]]:
    yield "alarms", _beyond(watched(), "metrics that alarms read", ALARM_CENTS), _usd(_alarms())
    yield (
        "metrics of probe and reconciler",
        _beyond(probed(), "series", METRIC_CENTS),
        _usd(_metrics(probed())),
    )
    yield (
        "probe and reconciler, every 5 minutes",
        "8,640 x (2 s + 0.2 s) x 0.5 GB x $0.0000133334, within the lasting free 400,000 GB-s",
        "0 (else 0.13)",
    )
    yield "dashboard", "one of three that are free", "0"
    yield "parameters", "standard ones are free (up to 4 KB each)", "0"
    yield (
        "decrypting the parameters every 5 minutes",
        _decrypting(),
        _usd(_kms()),
    )
    yield "table and bucket, empty", "on demand", "0"
    yield "**sum**", "", f"**{_usd(at_rest())}**"


def _decrypting() -> str:
    free = f"{FREE_DECRYPTS:,} free"
    return (
        f"({WARM} warm instances x {READS:,} x {SECRETS} - {free}) x $0.03 / 10,000; each further "
        f"instance that is warm all month ${_usd(_decrypts(1))}"
    )


def _in_use() -> str:
    series = used() + S3_SERIES
    arithmetic = _beyond(series, "series", METRIC_CENTS)
    whole = _usd(_alarms() + _metrics(series) + _kms())
    return (
        f"In use, metrics cost {arithmetic} = ${_usd(_metrics(series))} ({S3_SERIES} of them are "
        f"S3's metrics of requests), and the fixed part is about **${whole}**. Each further "
        "outcome of a provider's calls in a month adds two or three series.\n"
    )


def _beside_another() -> str:
    return (
        "What is free is free once for an account. A stack beside another one that uses it up "
        f"costs ${_usd(without_free())} without one request, and $3 more if its dashboard is the "
        "fourth.\n"
    )


def _alarms() -> int:
    return max(0, watched() - FREE) * ALARM_CENTS


def _metrics(series: int) -> int:
    return max(0, series - FREE) * METRIC_CENTS


def _kms() -> int:
    return _decrypts(WARM) - round(FREE_DECRYPTS / DECRYPTS_PER_CENT)


def _decrypts(instances: int) -> int:
    """Return the cost of what so many warm instances decrypt in a month, in cents."""
    return round(instances * READS * SECRETS / DECRYPTS_PER_CENT)


def _beyond(count: int, what: str, cents: int) -> str:
    return f"({count} {what} - {FREE} free) x ${_usd(cents)}"


def _usd(cents: int) -> str:
    return f"{cents // 100}.{cents % 100:02d}"
