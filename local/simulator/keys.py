"""Which keys a simulated provider takes: the word in the key says what is wrong with it."""

from collections.abc import Mapping

from local.simulator.faults import Fault, FaultError


def check_key(key: str, faults: Mapping[str, Fault]) -> None:
    """Return when the key is good.

    Raises:
        FaultError: there is none (``missing_key``), or it says "bad" or "invalid" (``bad_key``).
    """
    if not key:
        raise FaultError(faults["missing_key"])
    if "bad" in key.lower() or "invalid" in key.lower():
        raise FaultError(faults["bad_key"])


def check_credit(key: str, fault: Fault) -> None:
    """Return when the account behind the key can pay.

    Raises:
        FaultError: the key says "empty".
    """
    if "empty" in key.lower():
        raise FaultError(fault)
