"""How a run gets a hold that was made for it in another invocation: once, and only in time.

The invocation that answers the person makes the hold under a waiting name, with a short lease, and
sends that name in an event. The invocation that receives the event takes the hold over: in one
atomic write the owner becomes its own run, and the lease that of its own time. So a second delivery
finds another owner, a late one an ended hold or lease, and both do nothing.
"""

from dataclasses import dataclass, replace

from imagegen.domain.ids import is_waiting
from imagegen.domain.ledger import Ledger, Op, OpState


@dataclass(frozen=True, slots=True)
class Takeover:
    """A run that takes over a hold which was made for it in another invocation."""

    quote_id: str
    waiting: str
    """The hold's owner until now. It begins with ``WAITING``: no run's hold is ever taken."""
    owner: str
    """This run. The name is new in each invocation, so that of two only one gets the hold."""
    lease_ms: int


def may_take(op: Op | None, takeover: Takeover, *, now_ms: int) -> bool:
    """Return whether the hold waits for this run, and its lease is not over."""
    if op is None or not is_waiting(op.owner) or op.state is not OpState.HELD:
        return False
    return op.owner == takeover.waiting and op.lease_ms >= now_ms


def taken(ledger: Ledger, takeover: Takeover) -> Ledger:
    """Return the ledger with the hold as the run's own. Money, slot and counts stay as they are."""
    op = replace(ledger.ops[takeover.quote_id], owner=takeover.owner, lease_ms=takeover.lease_ms)
    return replace(ledger, version=ledger.version + 1, ops={**ledger.ops, takeover.quote_id: op})
