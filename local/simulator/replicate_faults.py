"""Replicate's error table (https://replicate.com/docs/reference/http), as data."""

from typing import Any

from local.simulator.faults import (
    COMMON,
    FILES,
    Fault,
    Outcome,
    Shows,
    named,
)

NSFW = "NSFW content detected. Try running it again, or try a different prompt."
SENSITIVE = (
    "The input or output was flagged as sensitive. Please try again with different inputs. (E005)"
)
NSFW_LOG = "Using seed: 42\nPotential NSFW content was detected in one or more images.\n"
CREDIT = (
    "You have insufficient credit to run this model. "
    "Go to https://replicate.com/account/billing#billing to purchase credit."
)


def row(outcome: Outcome, status: int, title: str, message: str, **more: Any) -> Fault:
    """Return an error of the HTTP call itself."""
    return Fault(outcome, status=status, kind=title, message=message, **more)


def ended(outcome: Outcome, **details: Any) -> Fault:
    """Return a prediction that was accepted and ended without an image."""
    return Fault(outcome, Shows.EMPTY, details=details)


ERRORS = {
    "missing_key": row(
        Outcome.ACCOUNT,
        401,
        "Unauthenticated",
        "You did not pass an authentication token",
    ),
    "bad_key": row(
        Outcome.ACCOUNT,
        401,
        "Unauthenticated",
        "You did not pass a valid authentication token",
        everywhere=True,
    ),
    "out_of_credit": row(Outcome.ACCOUNT, 402, "Insufficient credit", CREDIT),
    "forbidden": row(
        Outcome.BLOCKED, 403, "Forbidden", "You do not have permission to perform this action."
    ),
    "model_gone": row(
        Outcome.MODEL_GONE, 404, "Not found", "The requested resource could not be found."
    ),
    "bad_parameter": row(
        Outcome.BAD_PARAMETER,
        422,
        "Input validation failed",
        "- input.aspect_ratio: must be one of the allowed values\n",
        details={"invalid_fields": [{"field": "input.aspect_ratio", "type": "enum"}]},
    ),
    # An official model needs no version; a model that requires one is no longer official.
    "version_required": row(
        Outcome.MODEL_GONE,
        422,
        "Invalid version or not permitted",
        "The specified version does not exist (or perhaps you don't have permission to use it?)",
    ),
    "rate_limited": row(
        Outcome.RATE_LIMITED,
        429,
        "Too many requests",
        "Request was throttled. Your rate limit resets in ~30s.",
        retry_after_seconds=30,
    ),
    "rate_limited_bare": row(
        Outcome.RATE_LIMITED,
        429,
        "Too many requests",
        "Request was throttled. Your rate limit resets in ~30s.",
    ),
}
JOBS = {
    "refused": ended(Outcome.REFUSED, status="failed", error=NSFW),
    "refused_sensitive": ended(Outcome.REFUSED, status="failed", error=SENSITIVE),
    "refused_in_logs": ended(Outcome.REFUSED, logs=NSFW_LOG),
    "refused_with_empty_list": ended(Outcome.REFUSED, logs=NSFW_LOG, output=[]),
    # The input may be the cause of a failed prediction.
    "replicate_failed": ended(
        Outcome.NO_IMAGE, status="failed", error="CUDA out of memory. Tried to allocate 2 GiB"
    ),
    "replicate_checker_failed": ended(
        Outcome.NO_IMAGE, status="failed", error="safety checker failed to load"
    ),
    "replicate_empty_list": ended(Outcome.NO_IMAGE, logs="Loading safety checker\n", output=[]),
    "replicate_not_started": ended(
        Outcome.UNAVAILABLE, status="failed", error="Timeout starting prediction (E6716)"
    ),
    "replicate_canceled": ended(Outcome.UNAVAILABLE, status="canceled"),
    "replicate_aborted": ended(Outcome.UNAVAILABLE, status="aborted"),
    "replicate_never_finishes": ended(Outcome.UNAVAILABLE, status="processing"),
    "replicate_data_removed": ended(Outcome.NO_IMAGE, status="succeeded", data_removed=True),
}
ODD_SUCCESSES = {
    "replicate_list_output": Fault(None, Shows.IMAGE, details={"output": "list"}),
    "replicate_string_output": Fault(None, Shows.IMAGE, details={"output": "string"}),
    **{
        f"replicate_{shape}_output": Fault(None, Shows.IMAGE, details={"output": shape})
        for shape in ("data_uri", "object", "objects", "nulls", "nested")
    },
}
FAULTS = named(COMMON, FILES, ERRORS, JOBS, ODD_SUCCESSES)
