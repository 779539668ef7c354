"""Ideogram's errors, as data.

https://developer.ideogram.ai/api-reference/images/generate/ideogram-4-5 has the statuses, and the
fields of 402 and 429. The bodies of the others are not documented.
"""

from collections.abc import Mapping

from local.simulator.faults import (
    DRAWN,
    FILES,
    FIREWALL,
    OUTAGES,
    TRANSPORT,
    Fault,
    Outcome,
    Shows,
    named,
)


def limit(outcome: Outcome, status: int, reason: str, message: str) -> Fault:
    """Return the rejection by a limit of the account or of its use."""
    return Fault(outcome, status=status, code=reason, message=message)


def withheld(details: Mapping[str, object]) -> Fault:
    """Return a success whose image did not pass the safety check."""
    return Fault(Outcome.REFUSED, Shows.EMPTY, details=details)


ROWS = {
    "missing_key": Fault(Outcome.ACCOUNT, status=401, message="API key is missing"),
    "bad_key": Fault(Outcome.ACCOUNT, status=401, message="Invalid API key", everywhere=True),
    "forbidden": Fault(Outcome.BLOCKED, status=403, message="Not permitted"),
    "out_of_credit": limit(Outcome.ACCOUNT, 402, "insufficient_funds", "Insufficient credits"),
    "subscription_required": limit(
        Outcome.ACCOUNT, 402, "subscription_required", "This model needs a subscription"
    ),
    "priority_credit_required": limit(
        Outcome.ACCOUNT, 402, "priority_credit_required", "Priority credits are used up"
    ),
    "feature_limit": limit(Outcome.ACCOUNT, 402, "feature_limit", "The feature's limit is reached"),
    "daily_limit": limit(Outcome.RATE_LIMITED, 402, "daily_limit", "The daily limit is reached"),
    "inflight_limit": Fault(
        Outcome.RATE_LIMITED,
        status=402,
        code="inflight_limit",
        message="Too many generations in progress",
        details={"max_inflight_requests": 10, "task_completion_speed": "fast"},
    ),
    "rate_limited": Fault(
        Outcome.RATE_LIMITED,
        status=429,
        code="inflight_limit",
        message="Too many requests",
        details={"max_inflight_requests": 10, "task_completion_speed": "fast"},
        retry_after_seconds=2,
    ),
    "model_gone": Fault(Outcome.MODEL_GONE, status=404, message="The model does not exist"),
    "bad_parameter": Fault(Outcome.BAD_PARAMETER, status=400, message="Invalid input provided"),
    "unsupported_media": Fault(
        Outcome.BAD_PARAMETER, status=415, message="The content type is not supported"
    ),
    "refused": Fault(
        Outcome.REFUSED, status=422, message="The prompt did not pass the safety check"
    ),
    # Drawn and withheld: in the place of the link there is nothing.
    "withheld": withheld({"data": {"is_image_safe": False, "url": ""}}),
    "withheld_null": withheld({"data": {"is_image_safe": False, "url": None}}),
    "withheld_without_link": withheld({"data": {"is_image_safe": False}}),
    # Accepted and not finished: an answer as to a request with ``async``.
    "only_accepted": Fault(Outcome.UNKNOWN, Shows.EMPTY, details={"only_accepted": True}),
}
FAULTS = named(TRANSPORT, FIREWALL, OUTAGES, DRAWN, FILES, ROWS)
