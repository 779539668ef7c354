"""What ``health`` needs. Vendor clients load when the probe runs, not for a report."""

from functools import cache

from imagegen.bootstrap.priming import prime
from imagegen.bootstrap.providers import provider
from imagegen.bootstrap.shared import (
    emit,
    get_catalog,
    get_circuits,
    get_guard,
    get_parameters,
    get_switchboard,
    get_verifier,
    now_ms,
    setups,
)
from imagegen.logs import logger
from imagegen.monitoring.samples import key_check_samples
from imagegen.usecases.health import HealthReporter
from imagegen.usecases.key_checks import KeyChecker, KeyCheckResults


@cache
def get_reporter() -> HealthReporter:
    """Return who says which providers would be used."""
    return HealthReporter(get_catalog(), get_switchboard(), now_ms)


@cache
def get_key_checker() -> KeyChecker:
    """Return who checks the keys."""
    return KeyChecker(get_catalog(), setups, provider, get_guard(), get_circuits(), now_ms)


def log_key_checks(probed: KeyCheckResults) -> None:
    """Log and meter a probe; a key that changed is told by one probe of the whole fleet."""
    logger.info("probed", outcomes=probed.outcomes)
    for change in probed.changes:
        logger.warning("key changed", provider=change.provider, old=change.old, new=change.new)
    for model in probed.unlisted:
        logger.warning("model not listed", model=model)
    emit(key_check_samples(probed))


# The summary is open and the probe brings no token: what checks tokens is left out.
prime(get_reporter, get_parameters, get_verifier)
