"""How a run gets a hold that another invocation made: once, and only in time.

The invocation that answers the person makes the hold under a waiting name, with a short lease, and
sends that name in an event. The invocation that receives the event takes the hold over: in one
atomic write the owner becomes its own run, and the lease that of its own time. So a second delivery
finds another owner, a late one an ended hold or lease, and both do nothing.

The hold of a dead run is taken over by the same write, to ask for the run's job (``domain.jobs``):
but only once its lease is over. An invocation that made a waiting hold takes it back by the same
write, too, before it gives anything back: its run may have begun meanwhile.
"""

from dataclasses import dataclass, replace

from imagegen.domain.ids import is_waiting
from imagegen.domain.ledger import Ledger, Op, OpState

TAKEN_BACK = "-back"
"""How the name of a waiting hold's owner ends once no run can take it over any more."""


@dataclass(frozen=True, slots=True)
class Takeover:
    """A run that takes over a hold which another invocation made."""

    quote_id: str
    previous: str
    """The hold's owner until now. It begins with ``WAITING``, unless its run is dead."""
    owner: str
    """This run. The name is new in each invocation, so that of two only one gets the hold."""
    lease_ms: int
    of_dead_run: bool = False
    """Whether the owner until now was a run, which is dead since the lease is over."""


def taking_back(quote_id: str, op: Op) -> Takeover:
    """Return the takeover of a waiting hold by the invocation that made it.

    No event contains the new name, so no run can take the hold over. The name still marks the hold
    as waiting, because no provider was called.
    """
    return Takeover(quote_id, op.owner, f"{op.owner}{TAKEN_BACK}", op.lease_ms)


def may_take(op: Op | None, takeover: Takeover, *, now_ms: int) -> bool:
    """Return whether the hold waits for this run in time, or is that of the dead run."""
    if op is None or op.state is not OpState.HELD or op.owner != takeover.previous:
        return False
    if takeover.of_dead_run:
        return op.lease_ms < now_ms
    return is_waiting(op.owner) and op.lease_ms >= now_ms


def taken(ledger: Ledger, takeover: Takeover) -> Ledger:
    """Return the ledger with the hold as the run's own. Money, slot and counts stay as they are."""
    op = replace(ledger.ops[takeover.quote_id], owner=takeover.owner, lease_ms=takeover.lease_ms)
    return replace(ledger, version=ledger.version + 1, ops={**ledger.ops, takeover.quote_id: op})
