"""Together's error table (https://docs.together.ai/docs/error-codes), as data."""

from local.simulator.faults import (
    COMMON,
    FILES,
    INLINE,
    Fault,
    Outcome,
    Shows,
    named,
)

REQUEST = "invalid_request_error"
NSFW = "The prompt was flagged as NSFW by the content moderation system."


def account(status: int, code: str, message: str, *, everywhere: bool = False) -> Fault:
    """Return a row about the key or the money behind it."""
    return Fault(
        Outcome.ACCOUNT,
        status=status,
        code=code,
        kind=REQUEST,
        message=message,
        everywhere=everywhere,
    )


def refusal(status: int, code: str = "content_policy_violation") -> Fault:
    """Return a refusal of the prompt. Together does not document its real body."""
    return Fault(Outcome.REFUSED, status=status, code=code, kind=REQUEST, message=NSFW)


ROWS = {
    "missing_key": account(401, "missing_api_key", "Missing API key"),
    "bad_key": account(401, "invalid_api_key", "Invalid API key provided.", everywhere=True),
    "out_of_credit": account(402, "insufficient_credits", "Credit balance is exhausted."),
    "spending_limit": account(402, "spending_limit_reached", "Spending limit is reached."),
    "third_party_data_sharing_blocked": account(
        403,
        "third_party_data_sharing_blocked",
        "This model requires third-party data sharing, which your organization has turned off.",
    ),
    "forbidden": Fault(
        Outcome.BLOCKED,
        status=403,
        code="forbidden",
        kind=REQUEST,
        message="You do not have access to this resource.",
    ),
    # An error about a checker refuses nothing.
    "checker_down": Fault(
        Outcome.UNAVAILABLE,
        status=500,
        kind="server_error",
        message="The safety checker failed to load.",
    ),
    "model_gone": Fault(
        Outcome.MODEL_GONE,
        status=400,
        code="model_not_available",
        kind=REQUEST,
        message="Unable to access non-serverless model.",
    ),
    "model_gone_404": Fault(
        Outcome.MODEL_GONE,
        status=404,
        code="model_not_found",
        kind=REQUEST,
        message="The model does not exist.",
    ),
    "bad_parameter": Fault(
        Outcome.BAD_PARAMETER,
        status=400,
        code="invalid_request",
        kind=REQUEST,
        message="width: not supported",
        details={"param": "width"},
    ),
    "bad_parameter_422": Fault(
        Outcome.BAD_PARAMETER,
        status=422,
        code="invalid_request",
        kind=REQUEST,
        message="width: not supported",
        details={"param": "width"},
    ),
    "rate_limited": Fault(
        Outcome.RATE_LIMITED,
        status=429,
        code="rate_limit_exceeded",
        kind="rate_limit",
        message="You have reached the rate limit specific to this model.",
        retry_after_seconds=2,
    ),
    "refused": refusal(422),
    "refused_400": refusal(400),
    "refused_nsfw": refusal(422, "nsfw_content"),
}
ODD_SUCCESSES = {"answers_other_form": Fault(None, Shows.IMAGE, details={"form": "other"})}
FAULTS = named(COMMON, INLINE, FILES, ROWS, ODD_SUCCESSES)
