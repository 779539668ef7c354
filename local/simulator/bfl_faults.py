"""The error table of Black Forest Labs (https://docs.bfl.ai), as data."""

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
    """Return a row with a ``detail``."""
    return Fault(outcome, status=status, message=detail, **more)


def ended(outcome: Outcome, state: str, **more: Any) -> Fault:
    """Return a job that was accepted and ended without an image."""
    return Fault(outcome, Shows.EMPTY, details={"status": state, **more})


ERRORS = {
    "missing_key": row(Outcome.ACCOUNT, 403, "Not authenticated"),
    # A bad key is no 401.
    "bad_key": row(Outcome.ACCOUNT, 422, "Invalid API key format", everywhere=True),
    "out_of_credit": row(Outcome.ACCOUNT, 402, "Insufficient credits"),
    "forbidden": row(Outcome.BLOCKED, 403, "You may not use this model."),
    # Routing comes before the check of the key.
    "model_gone": row(Outcome.MODEL_GONE, 404, "Not Found"),
    "bad_parameter": row(
        Outcome.BAD_PARAMETER,
        422,
        "Input should be a multiple of 16",
        details={"field": "width"},
    ),
    "rate_limited": row(Outcome.RATE_LIMITED, 429, "Too many active tasks"),
}
JOBS = {
    "refused": ended(Outcome.REFUSED, "Request Moderated"),
    "bfl_content_moderated": ended(Outcome.REFUSED, "Content Moderated"),
    "bfl_error": ended(Outcome.UNAVAILABLE, "Error"),
    "bfl_failed": ended(Outcome.UNAVAILABLE, "Failed"),
    "bfl_task_not_found": ended(Outcome.UNKNOWN, "Task not found"),
    "bfl_new_state": ended(Outcome.NO_IMAGE, "Withdrawn"),
    "bfl_never_ready": ended(Outcome.UNKNOWN, "Generating"),
}
ODD_SUCCESSES = {
    # As behind a proxy, or with a URL on a host that is not the vendor's.
    "bfl_no_polling_url": Fault(None, Shows.IMAGE, details={"polling_url": None}),
    "bfl_polling_url_elsewhere": Fault(
        None, Shows.IMAGE, details={"polling_url": "https://bfl.ai.example.com/v1/get_result?id=1"}
    ),
    "bfl_reasons_first": Fault(None, Shows.IMAGE, details={"first": "Reasoning"}),
}
FAULTS = named(COMMON, FILES, ERRORS, JOBS, ODD_SUCCESSES)
