"""OpenAI's error table (https://platform.openai.com/docs/guides/error-codes), as data."""

from typing import Any

from local.simulator.faults import (
    DRAWN,
    FIREWALL,
    INLINE,
    OUTAGES,
    TRANSPORT,
    Fault,
    Outcome,
    Shows,
    named,
)

REQUEST = "invalid_request_error"
USER = "image_generation_user_error"
SAFETY = "Your request was rejected by the safety system."
QUOTA = "You exceeded your current quota, please check your plan and billing details."


def account(status: int, code: str | None, message: str, *, kind: str = REQUEST) -> Fault:
    """Return a row about the key or the money behind it."""
    return Fault(Outcome.ACCOUNT, status=status, code=code, kind=kind, message=message)


def unclear(status: int, outcome: Outcome, message: str) -> Fault:
    """Return a row without a code: about the key, or about one model."""
    return Fault(outcome, status=status, kind=REQUEST, message=message)


def money(code: str) -> Fault:
    """Return a 429 that does not end by waiting; its type is always ``insufficient_quota``."""
    return account(429, code, QUOTA, kind="insufficient_quota")


def blocked(code: str, details: dict[str, Any] | None = None, kind: str = USER) -> Fault:
    """Return a refusal of the prompt or of the picture."""
    return Fault(
        Outcome.REFUSED, status=400, code=code, kind=kind, message=SAFETY, details=details or {}
    )


def stage(name: str) -> dict[str, Any]:
    """Return the details of a refusal: the stage at which the safety system stopped the request."""
    return {"moderation_details": {"moderation_stage": name, "categories": ["sexual"]}}


KEYS = {
    # Without a code it only may be the account.
    "missing_key": unclear(401, Outcome.UNAVAILABLE, "You didn't provide an API key."),
    "bad_key": Fault(
        Outcome.ACCOUNT,
        status=401,
        code="invalid_api_key",
        kind=REQUEST,
        message="Incorrect API key provided.",
        everywhere=True,
    ),
    "ip_not_authorized": account(
        401, "ip_not_authorized", "Your IP is not authorized to use this API key."
    ),
    "forbidden": unclear(
        403, Outcome.BLOCKED, "You have insufficient permissions for this operation."
    ),
    "missing_scope": account(
        403,
        None,
        "You have insufficient permissions for this operation. Missing scopes: api.images.request",
    ),
    "user_blocked": Fault(
        Outcome.BLOCKED,
        status=403,
        code="end_user_suspended",
        kind=REQUEST,
        message="Requests with this identifier are suspended.",
    ),
    "unsupported_country": account(
        403,
        "unsupported_country_region_territory",
        "Country, region, or territory not supported",
        kind="request_forbidden",
    ),
    "unverified_org": unclear(
        403, Outcome.BLOCKED, "Your organization must be verified to use this model."
    ),
}
MONEY = {
    **{
        code: money(code)
        for code in (
            "insufficient_quota",
            "credit_balance_exhausted",
            "organization_spend_limit_exceeded",
            "project_spend_limit_exceeded",
            "organization_usage_limit_exceeded",
        )
    },
    "billing_hard_limit_reached": account(
        400, "billing_hard_limit_reached", "Billing hard limit has been reached."
    ),
}
LOAD = {
    "rate_limited": Fault(
        Outcome.RATE_LIMITED,
        status=429,
        code="rate_limit_exceeded",
        kind="requests",
        message="Rate limit reached for images per minute.",
        retry_after_seconds=2,
    ),
    "slow_down_429": Fault(
        Outcome.RATE_LIMITED,
        status=429,
        code="slow_down",
        kind="requests",
        message="Slow down.",
    ),
    "slow_down": Fault(
        Outcome.UNAVAILABLE,
        status=503,
        code="slow_down",
        kind="service_unavailable_error",
        message="Slow down.",
    ),
    "overloaded": Fault(
        Outcome.UNAVAILABLE,
        status=503,
        code="server_is_overloaded",
        kind="service_unavailable_error",
        message="Our servers are currently overloaded. Please try again later.",
        everywhere=True,
    ),
}
REQUESTS = {
    "model_gone": Fault(
        Outcome.MODEL_GONE,
        status=404,
        code="model_not_found",
        kind=REQUEST,
        message="The model does not exist or you do not have access to it.",
    ),
    "bad_parameter": Fault(
        Outcome.BAD_PARAMETER,
        status=400,
        code="invalid_value",
        kind=REQUEST,
        message="Invalid value.",
        details={"param": "size"},
    ),
}
IMAGE_REQUESTS = {
    "user_error": Fault(
        Outcome.BAD_PARAMETER,
        status=400,
        code="invalid_image_file",
        kind=USER,
        message="Invalid image file or mode.",
    ),
    "moderation_blocked": blocked("moderation_blocked", stage("input")),
    "moderation_blocked_output": blocked("moderation_blocked", stage("output")),
    "moderation_blocked_unknown": blocked(
        "moderation_blocked", {"moderation_details": {"moderation_stage": "unknown"}}
    ),
    "moderation_blocked_bare": blocked("moderation_blocked"),
    "content_policy_violation": blocked("content_policy_violation", kind=REQUEST),
    "refused": blocked("moderation_blocked", stage("input")),
}
EDITS = {
    # The picture did not reach the model: a new one is drawn, and no token of an image is read.
    "input_lost": Fault(
        Outcome.NO_IMAGE, Shows.IMAGE, details={"only": "inputs", "input_lost": True}
    ),
}
STREAMS = {
    "stream_ends_early": Fault(
        Outcome.UNKNOWN, Shows.IMAGE, details={"only": "previews", "stream": "ends"}
    ),
    "stream_refuses": Fault(
        Outcome.REFUSED,
        Shows.IMAGE,
        details={
            "only": "previews",
            "stream": "fails",
            "error": {
                "code": "moderation_blocked",
                "type": USER,
                "message": SAFETY,
                "param": None,
                **stage("output"),
            },
        },
    ),
    "stream_fails": Fault(
        Outcome.UNAVAILABLE,
        Shows.IMAGE,
        details={
            "only": "previews",
            "stream": "fails",
            "error": {
                "code": "server_error",
                "type": "server_error",
                "message": "The server had an error while processing your request.",
                "param": None,
            },
        },
    ),
}
COMPATIBLE = {"answers_url": Fault(None, Shows.IMAGE, details={"form": "url"})}
SHARED = (TRANSPORT, FIREWALL, OUTAGES, KEYS, MONEY, LOAD, REQUESTS)
FAULTS = named(*SHARED, DRAWN, INLINE, COMPATIBLE, IMAGE_REQUESTS, EDITS, STREAMS)
