"""The simulator's own API: arm and disarm faults, read the calls and what they would have cost."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Protocol

from local.simulator.board import Armed
from local.simulator.faults import Fault, Shows, Spoil
from local.simulator.packing import PACKINGS
from local.simulator.scripts import script_of
from local.simulator.studio import Studio
from local.simulator.wire import Answer, Body, Request, json_answer

FIELDS = {
    *("fault", "status", "code", "packing", "delaySeconds", "times", "model", "retryAfterSeconds"),
    *("answers", "spoil"),
}
NUMBERS = {"status": 200, "delaySeconds": 0, "times": 1, "retryAfterSeconds": 0}


class ControlError(Exception):
    """A control request that cannot be carried out; the message says why."""


class Breakable(Protocol):
    """A provider or the LLM, whose faults can be armed."""

    @property
    def faults(self) -> Mapping[str, Fault]:
        """Return its error table."""
        ...


@dataclass(frozen=True, slots=True)
class Control:
    """The control API over one studio."""

    studio: Studio
    providers: Mapping[str, Breakable]
    """By their names in the control API."""
    renew: Callable[[], None]
    """Clears what providers keep between calls."""

    def answer(self, request: Request) -> Answer:
        """Return the answer to a control request."""
        reads = {"/providers": self._totals, "/calls": self.studio.ledger.calls}
        if request.method == "GET" and request.path in reads:
            return json_answer(reads[request.path]())
        if (request.method, request.path) == ("GET", "/faults"):
            return json_answer(self._faults())
        if (request.method, request.path) == ("POST", "/reset"):
            return json_answer(self._reset())
        name = request.path.removeprefix("/providers/")
        if name not in self.providers or request.method not in ("GET", "POST"):
            return json_answer({"error": f"no such control path {request.path!r}"}, status=404)
        try:
            if request.method == "POST":
                self._arm(name, request.json())
        except (ControlError, ValueError) as error:
            return json_answer({"error": str(error)}, status=400)
        return json_answer(self._view(name))

    def _totals(self) -> Body:
        return {name: self._view(name) for name in self.providers}

    def _view(self, name: str) -> Body:
        armed = [armed_view(armed) for armed in self.studio.board.armed(name)]
        return {**self.studio.ledger.totals(name), "armed": armed}

    def _faults(self) -> Body:
        return {
            name: {fault.name: fault_view(fault) for fault in provider.faults.values()}
            for name, provider in self.providers.items()
        }

    def _reset(self) -> Body:
        self.studio.board.clear()
        self.studio.ledger.clear()
        self.studio.shelf.clear()
        self.renew()
        return {"reset": True}

    def _arm(self, name: str, body: Body) -> None:
        check(body)
        if body.get("answers") is not None:
            self.studio.board.arm(name, armed_of(script_of(body["answers"]), body))
            return
        delays = "delaySeconds" in body
        fault_name = body.get("fault") or ("slow" if delays else None)
        if fault_name is None:
            self.studio.board.disarm(name, body.get("model"))
            return
        faults = self.providers[name].faults
        if fault_name not in faults:
            raise ControlError(f"no fault {fault_name!r}; use one of {', '.join(sorted(faults))}")
        self.studio.board.arm(name, armed_of(faults[fault_name], body))


def check(body: Body) -> None:
    """Refuse unknown fields and invalid numbers.

    Raises:
        ControlError: a field is unknown or invalid; the message names it.
    """
    unknown = sorted(body.keys() - FIELDS)
    if unknown:
        raise ControlError(f"unknown fields {unknown!r}; use {sorted(FIELDS)!r}")
    if body.get("packing") not in (None, *PACKINGS):
        raise ControlError(f"packing must be one of {', '.join(PACKINGS)}")
    if body.get("spoil") not in (None, *Spoil):
        raise ControlError(f"spoil must be one of {', '.join(Spoil)}")
    for name, least in NUMBERS.items():
        value = body.get(name)
        if value is not None and (not isinstance(value, int | float) or value < least):
            raise ControlError(f"{name} must be a number of at least {least}")


def armed_of(fault: Fault, body: Body) -> Armed:
    """Return the fault with the changes that the request contains."""
    changes: dict[str, Any] = {
        field: body[name]
        for name, field in (
            ("status", "status"),
            ("code", "code"),
            ("packing", "packing"),
            ("retryAfterSeconds", "retry_after_seconds"),
        )
        if body.get(name) is not None
    }
    if body.get("spoil") is not None:
        changes["spoil"] = Spoil(body["spoil"])
    return Armed(
        replace(fault, **changes),
        delay_seconds=body.get("delaySeconds") or 0,
        times=body.get("times"),
        model=body.get("model"),
    )


def fault_view(fault: Fault) -> Body:
    """Return a fault as the control API shows it."""
    return {
        "outcome": fault.outcome,
        "status": fault.status if fault.shows is Shows.ERROR else 200,
        "code": fault.code,
        "ending": fault.ending,
        "billed": fault.draws,
        "applies": fault.applies,
        "seenByKeyChecks": fault.everywhere,
    }


def armed_view(armed: Armed) -> Body:
    """Return an armed fault as the control API shows it."""
    return {
        "fault": armed.fault.name,
        "model": armed.model,
        "times": armed.times,
        "delaySeconds": armed.delay_seconds,
    }
