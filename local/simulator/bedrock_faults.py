"""Bedrock's exceptions of InvokeModel, and the reasons of its successes without an image, as data.

https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_InvokeModel.html.
"""

from dataclasses import replace

from local.simulator.faults import (
    COMMON,
    INLINE,
    OUTAGES,
    TRANSPORT,
    Fault,
    Outcome,
    Shows,
    named,
)


def exception(outcome: Outcome, status: int, code: str, message: str) -> Fault:
    """Return a row for one of AWS's exceptions."""
    return Fault(outcome, status=status, code=code, message=message)


def denied(message: str, code: str = "AccessDeniedException", *, everywhere: bool = False) -> Fault:
    """Return a row for a call that the account or its role may not make."""
    return replace(exception(Outcome.ACCOUNT, 403, code, message), everywhere=everywhere)


def ended(outcome: Outcome, reason: str) -> Fault:
    """Return a row for a success that gives a reason in place of the image."""
    return Fault(outcome, Shows.EMPTY, details={"reason": reason})


CREDENTIALS = {
    "missing_key": denied(
        "Missing Authentication Token", "MissingAuthenticationTokenException", everywhere=True
    ),
    "bad_key": denied(
        "The security token included in the request is invalid.",
        "UnrecognizedClientException",
        everywhere=True,
    ),
    "bad_signature": denied(
        "Credential should be scoped to a valid service and Region.",
        "InvalidSignatureException",
        everywhere=True,
    ),
    "expired_token": denied(
        "The security token included in the request is expired", "ExpiredTokenException"
    ),
    "access_denied": denied(
        "User: arn:aws:sts::123456789012:assumed-role/generate is not authorized to perform: "
        "bedrock:InvokeModel on the resource with an explicit deny in a service control policy"
    ),
    "marketplace": denied(
        "Model access is denied due to IAM user or service role is not authorized to perform the "
        "required AWS Marketplace actions."
    ),
    "out_of_credit": denied(
        "Model access is denied due to INVALID_PAYMENT_INSTRUMENT: A valid payment instrument must "
        "be provided."
    ),
    "quota": exception(
        Outcome.ACCOUNT, 400, "ServiceQuotaExceededException", "The daily quota is used up."
    ),
}
MODELS = {
    "no_model_access": exception(
        Outcome.MODEL_GONE,
        403,
        "AccessDeniedException",
        "You don't have access to the model with the specified model ID.",
    ),
    "model_denied": exception(
        Outcome.MODEL_GONE,
        403,
        "AccessDeniedException",
        "User: arn:aws:sts::123456789012:assumed-role/generate is not authorized to perform: "
        "bedrock:InvokeModel on resource: arn:aws:bedrock:us-west-2::foundation-model/stability."
        "stable-image-core-v1:1 with an explicit deny in a service control policy",
    ),
    "legacy": exception(
        Outcome.MODEL_GONE,
        403,
        "AccessDeniedException",
        "Access denied. This Model is marked by provider as Legacy and you have not been actively "
        "using the model in the last 15 days.",
    ),
    "model_gone": exception(
        Outcome.MODEL_GONE,
        404,
        "ResourceNotFoundException",
        "This model version has reached the end of its life.",
    ),
    "model_unknown": exception(
        Outcome.MODEL_GONE,
        400,
        "ValidationException",
        "The provided model identifier is invalid.",
    ),
    "no_on_demand": exception(
        Outcome.BAD_PARAMETER,
        400,
        "ValidationException",
        "Invocation of model ID with on-demand throughput isn't supported. Retry your request with "
        "the ID or ARN of an inference profile that contains this model.",
    ),
    "bad_parameter": exception(
        Outcome.BAD_PARAMETER,
        400,
        "ValidationException",
        "Malformed input request, please reformat your input and try again.",
    ),
    "forbidden": exception(Outcome.BLOCKED, 403, "ForbiddenException", "Forbidden"),
}
LOAD = {
    "rate_limited": exception(
        Outcome.RATE_LIMITED,
        429,
        "ThrottlingException",
        "Too many requests, please wait before trying again.",
    ),
    "model_not_ready": exception(
        Outcome.RATE_LIMITED, 429, "ModelNotReadyException", "The model is not ready."
    ),
    "model_timeout": exception(
        Outcome.UNKNOWN, 408, "ModelTimeoutException", "Model has timed out in processing."
    ),
    "model_error": exception(Outcome.UNAVAILABLE, 424, "ModelErrorException", "The model failed."),
    "internal": exception(Outcome.UNAVAILABLE, 500, "InternalServerException", "Internal failure."),
    "unavailable": exception(
        Outcome.UNAVAILABLE, 503, "ServiceUnavailableException", "Bedrock is unable to process it."
    ),
}
ENDINGS = {
    "refused": ended(Outcome.REFUSED, "Filter reason: prompt"),
    "refused_output": ended(Outcome.REFUSED, "Filter reason: output image"),
    "refused_input": ended(Outcome.REFUSED, "Filter reason: input image"),
    "refused_without_images": Fault(
        Outcome.REFUSED, Shows.EMPTY, details={"reason": "Filter reason: prompt", "images": None}
    ),
    "inference_error": ended(Outcome.UNAVAILABLE, "Inference error"),
}
CHECKS = named(TRANSPORT, OUTAGES, CREDENTIALS, LOAD)
"""Those of the guardrail checks."""
FAULTS = named(COMMON, INLINE, CREDENTIALS, MODELS, LOAD, ENDINGS)
