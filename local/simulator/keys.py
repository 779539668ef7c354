"""Checks the keys of simulated providers: a word in the key defines what is wrong with it."""

from collections.abc import Mapping

from local.simulator.faults import Fault, FaultError


def check_key(key: str, faults: Mapping[str, Fault]) -> None:
    """Raise unless the key is good.

    Raises:
        FaultError: ``missing_key`` if the key is empty, ``bad_key`` if it contains "bad" or
            "invalid".
    """
    if not key:
        raise FaultError(faults["missing_key"])
    if "bad" in key.lower() or "invalid" in key.lower():
        raise FaultError(faults["bad_key"])


def check_credit(key: str, fault: Fault) -> None:
    """Raise unless the key's account has credit.

    Raises:
        FaultError: the key contains "empty".
    """
    if "empty" in key.lower():
        raise FaultError(fault)
