"""What ``health`` needs. Vendor clients load when the probe runs, not for a report."""

from functools import cache

from imagegen.bootstrap.providers import provider
from imagegen.bootstrap.shared import (
    get_catalog,
    get_circuits,
    get_guard,
    get_switchboard,
    now_ms,
    setups,
)
from imagegen.usecases.health import HealthReporter, Prober


@cache
def get_reporter() -> HealthReporter:
    """Return who says which providers would be used."""
    return HealthReporter(get_catalog(), get_switchboard(), now_ms)


@cache
def get_prober() -> Prober:
    """Return who checks the keys."""
    return Prober(get_catalog(), setups, provider, get_guard(), get_circuits(), now_ms)
