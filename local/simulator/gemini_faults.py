"""Gemini's error table (https://ai.google.dev/gemini-api/docs/troubleshooting), as data."""

from dataclasses import replace
from typing import Any

from local.simulator.faults import (
    COMMON,
    INLINE,
    Fault,
    FaultError,
    Outcome,
    Shows,
    named,
)

BLOCK_REASONS = ("SAFETY", "OTHER", "BLOCKLIST", "PROHIBITED_CONTENT", "IMAGE_SAFETY")
REFUSING = (
    "SAFETY",
    "PROHIBITED_CONTENT",
    "BLOCKLIST",
    "SPII",
    "RECITATION",
    "IMAGE_SAFETY",
    "IMAGE_PROHIBITED_CONTENT",
    "IMAGE_RECITATION",
    "ESCALATION",
)
# A filter of the output, or a prompt that asks for no picture: the prompt is the cause.
DECLINING = ("NO_IMAGE", "IMAGE_OTHER", "OTHER", "LANGUAGE")
BROKEN = ("MAX_TOKENS", "MALFORMED_RESPONSE", "MALFORMED_FUNCTION_CALL", "UNEXPECTED_TOOL_CALL")
DECLINED = "抱歉，我无法生成这张图片，因为它违反了安全准则。"  # noqa: RUF001 - Chinese commas


def error_info(reason: str) -> dict[str, Any]:
    """Return Google's machine-readable reason of an error."""
    info = {
        "@type": "type.googleapis.com/google.rpc.ErrorInfo",
        "reason": reason,
        "domain": "googleapis.com",
        "metadata": {"service": "generativelanguage.googleapis.com"},
    }
    return {"details": [info]}


def row(outcome: Outcome, status: int, kind: str, message: str, **more: Any) -> Fault:
    """Return an error with one of Google's canonical codes."""
    return Fault(outcome, status=status, kind=kind, message=message, **more)


def finished(reason: str, outcome: Outcome, text: str = "") -> Fault:
    """Return a success whose only candidate stopped before an image was made."""
    return Fault(outcome, Shows.EMPTY, details={"finishReason": reason, "text": text})


KEYS = {
    "bad_key": row(
        Outcome.ACCOUNT,
        400,
        "INVALID_ARGUMENT",
        "API key not valid. Please pass a valid API key.",
        details=error_info("API_KEY_INVALID"),
        everywhere=True,
    ),
    "missing_key": row(
        Outcome.ACCOUNT,
        403,
        "PERMISSION_DENIED",
        "Method doesn't allow unregistered callers. Please use API Key.",
    ),
    # Without a reason, it may be about this model alone.
    "forbidden": row(
        Outcome.BLOCKED, 403, "PERMISSION_DENIED", "The caller does not have permission."
    ),
    "key_leaked": row(
        Outcome.ACCOUNT, 403, "PERMISSION_DENIED", "Your API key was reported as leaked."
    ),
    "project_suspended": row(
        Outcome.ACCOUNT,
        403,
        "PERMISSION_DENIED",
        "Permission denied: the consumer has been suspended.",
        details=error_info("CONSUMER_SUSPENDED"),
    ),
    "billing_off": row(
        Outcome.ACCOUNT,
        400,
        "FAILED_PRECONDITION",
        "User location is not supported for the API use without a billing account linked.",
    ),
    "account_limited": finished("PUP_LIMITED_DISABLED", Outcome.UNAVAILABLE),
}
REQUESTS = {
    "bad_parameter": row(Outcome.BAD_PARAMETER, 400, "INVALID_ARGUMENT", "Invalid argument."),
    "model_gone": row(
        Outcome.MODEL_GONE,
        404,
        "NOT_FOUND",
        "The model is not found for API version v1beta, or is not supported for generateContent.",
    ),
    "rate_limited": row(
        Outcome.RATE_LIMITED,
        429,
        "RESOURCE_EXHAUSTED",
        "You exceeded your current quota, please check your plan and billing details.",
        retry_after_seconds=2,
    ),
    "rate_limited_bare": row(
        Outcome.RATE_LIMITED, 429, "RESOURCE_EXHAUSTED", "Resource has been exhausted."
    ),
}
KINDS = {500: "INTERNAL", 503: "UNAVAILABLE", 504: "DEADLINE_EXCEEDED"}
BLOCKS = {
    f"block_{reason.lower()}": Fault(Outcome.REFUSED, Shows.EMPTY, details={"blockReason": reason})
    for reason in BLOCK_REASONS
}
FINISHES = {
    **{
        f"finish_{reason.lower()}": finished(reason, Outcome.REFUSED)
        for reason in (*REFUSING, *DECLINING)
    },
    **{f"finish_{reason.lower()}": finished(reason, Outcome.NO_IMAGE) for reason in BROKEN},
    "refused": Fault(Outcome.REFUSED, Shows.EMPTY, details={"blockReason": "PROHIBITED_CONTENT"}),
    "declined_in_words": finished("STOP", Outcome.REFUSED, DECLINED),
    "chats_instead": finished("STOP", Outcome.REFUSED, "What a lovely idea!"),
    # An announcement of a picture that does not come refuses nothing.
    "text_only": finished("STOP", Outcome.NO_IMAGE, "Here it is!"),
    "no_candidates": Fault(Outcome.NO_IMAGE, Shows.EMPTY, details={"candidates": []}),
}
ODD_SUCCESSES = {
    "thought_parts": Fault(None, Shows.IMAGE, details={"thoughts": True}),
    # It draws what the prompt asks for, and bills every picture.
    "several_images": Fault(None, Shows.IMAGE, details={"images": 3}),
    "legacy_model": Fault(None, Shows.IMAGE, details={"modelStage": "LEGACY"}),
}
FAULTS = named(COMMON, INLINE, KEYS, REQUESTS, BLOCKS, FINISHES, ODD_SUCCESSES)


def invalid(message: str) -> FaultError:
    """Return the refusal of a field."""
    return FaultError(replace(FAULTS["bad_parameter"], message=message))
