"""fal's errors (https://fal.ai/docs/errors), as data: of an order, and of its job."""

from collections.abc import Mapping
from typing import Any

from local.simulator.faults import (
    COMMON,
    FILES,
    Fault,
    Outcome,
    Shows,
    named,
)


def row(outcome: Outcome, status: int, detail: str, **more: Any) -> Fault:
    """Return a refusal of an order, or of any call."""
    return Fault(outcome, status=status, message=detail, **more)


def ended(outcome: Outcome, status: int, kind: str, **more: Any) -> Fault:
    """Return a job that was accepted and ended with an error of its model."""
    result = {"detail": [{"loc": ["body"], "msg": "It failed.", "type": kind}]}
    return Fault(outcome, Shows.EMPTY, details={"status": status, "result": result, **more})


def answered(outcome: Outcome, result: Mapping[str, Any], status: int = 200) -> Fault:
    """Return a job whose result is this body."""
    return Fault(outcome, Shows.EMPTY, details={"status": status, "result": result})


ERRORS = {
    "missing_key": row(
        Outcome.ACCOUNT, 401, "Authentication is required to access this application."
    ),
    "bad_key": row(Outcome.ACCOUNT, 401, "No user found for this key and secret.", everywhere=True),
    "out_of_credit": row(Outcome.ACCOUNT, 403, "User is locked. Reason: Exhausted balance."),
    "forbidden": row(Outcome.BLOCKED, 403, "You may not use this application."),
    "model_gone": row(Outcome.MODEL_GONE, 404, "Application not found"),
    "bad_parameter": row(
        Outcome.BAD_PARAMETER,
        422,
        "Input should be greater than 0",
        kind="greater_than",
        details={"field": "num_images"},
    ),
    "rate_limited": row(Outcome.RATE_LIMITED, 429, "Too many concurrent requests"),
}
JOBS = {
    "refused": ended(Outcome.REFUSED, 422, "content_policy_violation"),
    # A black square in the place of the image, which is an output like any other.
    "fal_black_image": Fault(Outcome.REFUSED, Shows.IMAGE, details={"black": True}),
    "fal_refused_in_a_success": answered(
        Outcome.REFUSED,
        {"detail": [{"loc": ["body"], "msg": "Refused.", "type": "content_policy_violation"}]},
    ),
    "fal_no_media": ended(Outcome.UNAVAILABLE, 422, "no_media_generated"),
    "fal_failed": ended(Outcome.UNAVAILABLE, 500, "internal_server_error"),
    "fal_generation_timeout": ended(Outcome.UNAVAILABLE, 504, "generation_timeout"),
    "fal_field_refused": ended(Outcome.BAD_PARAMETER, 422, "image_too_small"),
    "fal_model_needs_more": ended(Outcome.BAD_PARAMETER, 422, "feature_not_supported"),
    "fal_result_gone": answered(Outcome.UNKNOWN, {"detail": "Request not found"}, 404),
    "fal_not_begun": Fault(
        Outcome.UNAVAILABLE,
        Shows.EMPTY,
        details={
            "status": 504,
            "result": {"detail": "Gateway Timeout"},
            "headers": {"X-Fal-Request-Timeout-Type": "user"},
        },
    ),
    "fal_never_ready": Fault(
        Outcome.UNKNOWN, Shows.EMPTY, details={"first": "IN_QUEUE", "never": True}
    ),
}
ODD_SUCCESSES = {
    # As behind a proxy, or with URLs on a host that is not the vendor's.
    "fal_no_urls": Fault(None, Shows.IMAGE, details={"urls": None}),
    "fal_urls_elsewhere": Fault(
        None, Shows.IMAGE, details={"urls": "https://queue.fal.run.example.com/requests/1"}
    ),
    "fal_one_image": Fault(None, Shows.IMAGE, details={"alone": True}),
}
FAULTS = named(COMMON, FILES, ERRORS, JOBS, ODD_SUCCESSES)
