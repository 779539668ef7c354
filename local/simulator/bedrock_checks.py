"""Bedrock's guardrail checks: a severity for each category that a request names, and no verdict.

https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_InvokeGuardrailChecks.html.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from local.simulator.bedrock_answers import aws_answer, error_answer, invalid
from local.simulator.bedrock_faults import CHECKS, FAULTS
from local.simulator.bedrock_signature import access_key_of, check_signature
from local.simulator.desk import Desk, Order
from local.simulator.faults import Fault, Shows, named
from local.simulator.prompts import categories_of
from local.simulator.wire import Answer, Body, Request

NAME = "bedrock-checks"
PATH = "/guardrail-checks/invoke"
# The words of the simulator's prompts are in OpenAI's categories.
SEVERE = {
    "VIOLENCE": ("violence", "self-harm"),
    "HATE": ("hate",),
    "SEXUAL": ("sexual",),
    "MISCONDUCT": ("illicit",),
    "INSULTS": ("harassment",),
}
ROLES = ("user", "assistant", "system")
TEXT_UNIT = 1_000
FLAGGED = {"flagged": Fault(None, Shows.EMPTY, details={"severe": ("SEXUAL",)})}
TABLE = named(CHECKS, {"bad_parameter": FAULTS["bad_parameter"]}, FLAGGED)


@dataclass(frozen=True, slots=True)
class GuardrailChecks:
    """The checks, with faults of their own."""

    name: str = NAME

    @property
    def faults(self) -> Mapping[str, Fault]:
        """Return Bedrock's exceptions without those that only models have."""
        return TABLE

    def key_of(self, request: Request) -> str:
        """Return the access key of the signature."""
        return access_key_of(request)

    def is_order(self, request: Request) -> bool:
        """Return whether the request is for checks."""
        return (request.method, request.path) == ("POST", PATH)

    def order_from(self, request: Request) -> Order:
        """Return an order for zero pictures, with the severities as its parameters."""
        check_signature(request, TABLE)
        try:
            body = request.json()
        except ValueError as error:
            raise invalid("the body must be a JSON object") from error
        if body.keys() != {"messages", "checks"}:
            raise invalid("messages and checks are required, and nothing else is taken")
        text, categories = text_of(body["messages"]), categories_in(body["checks"])
        severe = [name for name in categories if is_severe(name, text)]
        params = {"categories": categories, "severe": severe, "units": -(-len(text) // TEXT_UNIT)}
        return Order("guardrail-checks", text, params, count=0)

    def free(self, request: Request) -> Answer:
        """Refuse the request: there is no other route."""
        raise invalid(request.path)

    def error(self, fault: Fault) -> Answer:
        """Return an exception as AWS writes it."""
        return error_answer(fault)

    def success(self, desk: Desk) -> Answer:
        """Return the severities of the categories of the request."""
        return checks_answer(desk.order, desk.order.params["severe"])

    def empty(self, desk: Desk) -> Answer:
        """Return the severities that the fault defines, or an answer without any."""
        severe = desk.details.get("severe")
        if severe is None:
            return aws_answer({"results": {}, "usage": {}})
        return checks_answer(desk.order, severe)


def build() -> GuardrailChecks:
    """Return the simulated checks."""
    return GuardrailChecks()


def checks_answer(order: Order, severe: Any) -> Answer:
    """Return the severities, and the units of text that are billed."""
    results = [
        {"category": name, "severityScore": 0.9 if name in severe else 0.0}
        for name in order.params["categories"]
    ]
    usage = {"contentFilter": {"textUnits": order.params["units"]}}
    return aws_answer({"results": {"contentFilter": {"results": results}}, "usage": usage})


def is_severe(category: str, text: str) -> bool:
    """Return whether a text belongs to a category, by the words and passwords of the simulator."""
    return any(one.partition("/")[0] in SEVERE[category] for one in categories_of(text))


def text_of(messages: Any) -> str:
    """Return the text of all messages.

    Raises:
        FaultError: a message has another shape, or no text.
    """
    if not isinstance(messages, list) or not messages:
        raise invalid("messages must be a list with at least one message")
    texts: list[str] = []
    for message in messages:
        if not isinstance(message, dict) or message.keys() != {"role", "content"}:
            raise invalid("a message has role and content")
        blocks = message["content"]
        if message["role"] not in ROLES or not isinstance(blocks, list) or not blocks:
            raise invalid(f"a role is one of {', '.join(ROLES)}, and content a list of blocks")
        texts += [block_text(block) for block in blocks]
    return "\n".join(texts)


def block_text(block: Any) -> str:
    """Return the text of a block, which has nothing else.

    Raises:
        FaultError: it has another shape, or its text is empty.
    """
    text = block.get("text") if isinstance(block, dict) and block.keys() == {"text"} else None
    if not isinstance(text, str) or not text:
        raise invalid("a block has a text of at least one character")
    return text


def categories_in(checks: Any) -> list[str]:
    """Return the categories of the content filter.

    Raises:
        FaultError: there are none, one is unknown, or another check is asked for.
    """
    wanted: Body = checks if isinstance(checks, dict) and checks.keys() == {"contentFilter"} else {}
    listed = wanted.get("contentFilter", {}).get("categories")
    if not isinstance(listed, list) or not 0 < len(listed) <= len(SEVERE):
        raise invalid("contentFilter needs one to five categories")
    names = [str(one.get("category")) for one in listed if isinstance(one, dict)]
    if len(names) < len(listed) or set(names) - SEVERE.keys():
        raise invalid(f"a category is one of {', '.join(SEVERE)}")
    return names
