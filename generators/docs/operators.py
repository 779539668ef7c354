"""Sends the requests of an operator to a running local stack, for docs/api.md."""

from typing import Final

from generators.docs.exchanges import Call
from generators.docs.visitor import Example, Visitor
from imagegen.providers import PROVIDERS

OPERATORS: Final = (
    Example("spending", "getSpending", 200),
    Example("failures", "listFailures", 200),
    Example("providers", "listProviders", 200),
    Example("switch", "switchProvider", 200),
    Example("reset", "resetCircuit", 200),
    Example("person", "findPerson", 200),
    Example("block", "blockPerson", 200),
    Example("erase", "erasePerson", 200),
    Example("not-an-operator", "blockPerson", 403),
    Example("make-key", "makeKey", 200),
    Example("keys", "listKeys", 200),
    Example("rotate-key", "rotateKey", 200),
    Example("revoke-key", "revokeKey", 200),
    Example("trail", "listTrail", 200),
)
STRANGER: Final = "0123456789abcdef" * 2
"""Nobody's hash: blocking it hurts no user of the stack."""


def operators(visitor: Visitor) -> None:
    """Show what an operator reads and changes; what was changed is changed back."""
    token: str = visitor.stack["adminToken"]
    visitor.show("spending", Call("GET", "/admin/spending", token=token))
    visitor.show("failures", Call("GET", "/admin/failures?hours=24", token=token))
    visitor.show("providers", Call("GET", "/admin/providers", token=token))
    switch, reason = "/admin/providers/switch", "Their status page reports an outage"
    provider = next(iter(PROVIDERS))
    off = {"provider": provider, "on": False, "reason": reason}
    visitor.show("switch", Call("POST", switch, off, token))
    visitor.ask("switchProvider", Call("POST", switch, {**off, "on": True}, token))
    reset = {"circuit": provider, "reason": "The key is renewed"}
    visitor.show("reset", Call("POST", "/admin/circuits/reset", reset, token))
    visitor.show("person", Call("POST", "/admin/people/find", {"subject": "alice"}, token))
    block = {"user": STRANGER, "blocked": True, "reason": "Ticket 1234"}
    blocking = Call("POST", "/admin/people/block", block, token)
    visitor.show("block", blocking)
    erase = {"user": STRANGER, "reason": "Their letter of today"}
    visitor.show("erase", Call("POST", "/admin/people/erase", erase, token))
    visitor.show("not-an-operator", Call("POST", blocking.path, block, visitor.person()))
    _keys(visitor, token)
    visitor.show("trail", Call("GET", "/admin/trail", token=token))
    visitor.ask("blockPerson", Call("POST", blocking.path, {**block, "blocked": False}, token))


def _keys(visitor: Visitor, token: str) -> None:
    """Show how a key is made, rotated and revoked."""
    order = {"name": "Open WebUI", "scopes": ["images", "people"], "dailySpend": "5", "days": 180}
    made = visitor.show("make-key", Call("POST", "/admin/keys/make", order, token))
    visitor.show("keys", Call("GET", "/admin/keys", token=token))
    named = {"keyId": made["key"]["keyId"]}
    rotate = {**named, "overlapHours": 24, "reason": "Every half year"}
    visitor.show("rotate-key", Call("POST", "/admin/keys/rotate", rotate, token))
    revoke = {**named, "reason": "It was in a screenshot"}
    visitor.show("revoke-key", Call("POST", "/admin/keys/revoke", revoke, token))
