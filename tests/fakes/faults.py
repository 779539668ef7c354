"""What goes wrong between us and the world: a lost request, a lost reply, a process that dies.

Every store and provider of a service is wired through one ``Wire``; it counts the calls and fails
the one it was told to, so that a test can put a fault at each of them in turn.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, cast

from imagegen.domain.call_errors import ProviderError
from imagegen.domain.errors import StoreUnavailableError
from imagegen.domain.outcomes import Outcome


class DiedError(BaseException):
    """The process was killed: nothing of ours runs after it."""


class Fault(StrEnum):
    """What happens to a call."""

    BEFORE = "the request is lost"
    AFTER = "the reply is lost"
    DIES_BEFORE = "the process dies before it"
    DIES_AFTER = "the process dies after it"


@dataclass(slots=True)
class Wire:
    """Counts calls, and fails those it was told to fail."""

    faults: dict[int, Fault] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)
    dead: bool = False
    refused: Collection[str] = ()
    """The names whose every call fails."""

    def carry(self, name: str, action: Callable[[], Any]) -> Any:
        """Return what the action returns, unless the wire fails."""
        if self.dead:
            raise DiedError
        fault = self.faults.get(len(self.calls))
        self.calls.append(name)
        if name in self.refused:
            raise _lost(name)
        if fault in (Fault.AFTER, Fault.DIES_AFTER):
            action()
        if fault in (Fault.DIES_BEFORE, Fault.DIES_AFTER):
            self.dead = True
            raise DiedError
        if fault is not None:
            raise _lost(name)
        return action()

    def mend(self) -> None:
        """Make everything work again, as a new process finds it."""
        self.faults.clear()
        self.calls.clear()
        self.refused = ()
        self.dead = False


class _Wired:
    def __init__(self, name: str, target: object, wire: Wire) -> None:
        self._name, self._target, self._wire = name, target, wire

    def __getattr__(self, method: str) -> Any:
        real = getattr(self._target, method)

        def call(*args: Any, **kwargs: Any) -> Any:
            return self._wire.carry(f"{self._name}.{method}", lambda: real(*args, **kwargs))

        return call


def wired[T](name: str, target: T, wire: Wire) -> T:
    """Return the target, behind the wire."""
    return cast("T", _Wired(name, target, wire))


def _lost(name: str) -> Exception:
    if name.startswith("provider."):
        return ProviderError(name.split(".")[1], Outcome.UNKNOWN, "the answer did not come")
    if name.startswith("moderator."):
        return ProviderError("openai", Outcome.UNAVAILABLE, "no verdict")
    return StoreUnavailableError(f"{name} is down")
