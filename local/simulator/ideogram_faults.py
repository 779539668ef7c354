"""Ideogram's errors, as data.

https://developer.ideogram.ai/api-reference/images/generate/ideogram-4-5 has the statuses, and the
fields of 402 and 429. The bodies of the others are not documented.
"""

from typing import Any

from local.simulator.faults import (
    COMMON,
    FILES,
    Fault,
    Outcome,
    Shows,
    named,
)

BUSY = {"max_inflight_requests": 10, "task_completion_speed": "fast"}


def limit(outcome: Outcome, status: int, reason: str, message: str, **more: Any) -> Fault:
    """Return the rejection by a limit of the account or of its use."""
    return Fault(outcome, status=status, code=reason, message=message, **more)


def withheld(**link: str | None) -> Fault:
    """Return a success whose image did not pass the safety check."""
    return Fault(Outcome.REFUSED, Shows.EMPTY, details={"data": {"is_image_safe": False, **link}})


def ended(outcome: Outcome, state: str, **more: Any) -> Fault:
    """Return a job that was accepted and ended without an image."""
    return Fault(outcome, Shows.EMPTY, details={"state": {"status": state, **more}})


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
    "inflight_limit": limit(
        Outcome.RATE_LIMITED,
        402,
        "inflight_limit",
        "Too many generations in progress",
        details=BUSY,
    ),
    "rate_limited": limit(
        Outcome.RATE_LIMITED,
        429,
        "inflight_limit",
        "Too many requests",
        details=BUSY,
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
    "withheld": withheld(url=""),
    "withheld_null": withheld(url=None),
    "withheld_without_link": withheld(),
}
JOBS = {
    "ideogram_failed": ended(Outcome.UNAVAILABLE, "failed", failure_reason="Generation failed"),
    "ideogram_failed_for_content": ended(
        Outcome.REFUSED, "failed", failure_reason="The prompt was flagged by our content policy"
    ),
    "ideogram_new_state": ended(Outcome.NO_IMAGE, "withdrawn"),
    "ideogram_not_found": ended(Outcome.UNKNOWN, "forgotten"),
    "ideogram_never_ready": Fault(Outcome.UNKNOWN, Shows.EMPTY, details={"never": True}),
}
FAULTS = named(COMMON, FILES, ROWS, JOBS)
