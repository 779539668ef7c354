"""Every error of the service, and what it means for the caller and for the circuit.

ImagegenError                     has `code` (stable, for programs) and a message (for people)
├── InvalidRequestError           422  the request cannot be served as it is
│   ├── UnsupportedSizeError      422  no model of the tier supports this size
│   ├── AboveMaxCostError         422  every suitable model costs more than the caller allows
│   ├── UnknownModelError         422  the catalog has no such model
│   ├── ParameterError            422  a parameter has a value that is not supported
│   ├── ReusedKeyError            422  the idempotency key was used for another request
│   └── RetiredModelError         422  the requested model was shut down
├── UnauthorizedError             401  no valid token
├── ForbiddenError                403  a valid token without the scope
├── NotFoundError                 404  the image does not exist, or belongs to another user
├── GoneError                     410  it existed and was deleted
│   └── ImageDeletedError         410  its owner deleted it
├── InputGoneError                410  an input image was deleted, or an upload has expired
├── QuoteError                    4xx  invalid 400, expired 410, mismatch 409
├── LimitError                    429  an hour, day, attempt or spending limit of this user
├── NoProviderError               503  no candidate is available now
├── GenerationFailedError         502  every candidate that was tried failed
├── ContentRefusedError           422  moderation or the provider refused the prompt
├── ModerationUnavailableError    503  there is no verdict and one is required
├── LeaseLostError                503  the run was given up before it could be settled
├── StillRunningError             503  the first run of this request is still running
├── ConfigurationError            503  the operator must set something
├── StoreUnavailableError         503  a store cannot be reached, so nothing is bought now
├── LlmError                      502  the chat's LLM did not answer to the end
└── ProviderError                 one provider did not make the image; `outcome` says why

The last two are in ``call_errors``: they end one call, not a request.
"""


class ImagegenError(Exception):
    """The base of every error that this service answers with."""

    code: str = "internal_error"
    retryable: bool = False
    """Whether the same request may succeed later."""
    charged: bool | None = None
    """Whether the requested image is charged; ``None`` until it has been looked up."""
    replayed: bool = False
    """Whether an earlier run ended with this error, and the present request did nothing."""
    hint: str | None = None
    """What an operator should look at: for the log, never for the caller."""
    param: str | None = None
    """The parameter that is at fault, if the answer names one."""

    def __init__(self, message: str, *, retry_after_seconds: int | None = None) -> None:
        super().__init__(message)
        self.retry_after_seconds = retry_after_seconds


class InvalidRequestError(ImagegenError):
    """The request cannot be served as it is; the message says what to change."""

    code = "invalid_request"


class UnsupportedSizeError(InvalidRequestError):
    """No model of the tier supports this size."""

    code = "unsupported_size"


class AboveMaxCostError(InvalidRequestError):
    """Every suitable model costs more than the caller allows."""

    code = "above_max_cost"


class UnknownModelError(InvalidRequestError):
    """The catalog has no such model."""

    code = "model_not_found"


class ParameterError(InvalidRequestError):
    """A parameter has a value that is not supported; ``errors`` names the parameter."""

    code = "unsupported_parameter"

    def __init__(self, param: str, message: str) -> None:
        super().__init__(message)
        self.param: str = param


class ReusedKeyError(InvalidRequestError):
    """The idempotency key was already used for another request."""

    code = "idempotency_key_reused"


class RetiredModelError(InvalidRequestError):
    """The requested model was shut down."""

    code = "model_retired"


class UnauthorizedError(ImagegenError):
    """There is no valid token."""

    code = "unauthorized"

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.hint = hint


class ForbiddenError(ImagegenError):
    """The token lacks the scope, or the call did not come through the public address."""

    code = "forbidden"


class NotFoundError(ImagegenError):
    """The image does not exist, or belongs to another user: both get the same answer."""

    code = "not_found"


class GoneError(ImagegenError):
    """The image was made and charged, and deleted later."""

    code = "gone"
    charged = True


class ImageDeletedError(GoneError):
    """The image was made and charged, and its owner deleted it. It is not made again."""

    code = "image_deleted"


class InputGoneError(ImagegenError):
    """An input image was deleted, or an upload has expired or was never stored."""

    code = "input_gone"


class QuoteError(ImagegenError):
    """A quote was not accepted."""

    code = "quote_invalid"


class QuoteExpiredError(QuoteError):
    """The quote's ten minutes are over, or its models or its day's limits have changed since."""

    code = "quote_expired"


class QuoteMismatchError(QuoteError):
    """The quote is genuine and was made for something else."""

    code = "quote_mismatch"


class LimitError(ImagegenError):
    """A limit of this user is reached; ``code`` names the limit."""

    retryable = True

    def __init__(self, code: str, message: str, *, retry_after_seconds: int | None = None) -> None:
        super().__init__(message, retry_after_seconds=retry_after_seconds)
        self.code = code
        self.retryable = code != "blocked"  # Only an operator lifts a block.


class NoProviderError(ImagegenError):
    """No candidate is available now; the message names each reason."""

    code = "no_provider_available"
    retryable = True


class GenerationFailedError(ImagegenError):
    """Every candidate that was tried failed."""

    code = "generation_failed"
    retryable = True


class ContentRefusedError(ImagegenError):
    """Moderation or the provider refused the prompt."""

    code = "content_refused"


class ModerationUnavailableError(ImagegenError):
    """There is no verdict on the prompt, and the operator requires one."""

    code = "moderation_unavailable"
    retryable = True


class LeaseLostError(ImagegenError):
    """The run was given up before it could be settled."""

    code = "generation_abandoned"
    retryable = True


class StillRunningError(ImagegenError):
    """The first run of the same request is still running; a later request gets its result."""

    code = "still_running"
    retryable = True


class ConfigurationError(ImagegenError):
    """The operator must set something; the message names it."""

    code = "not_configured"
    retryable = True


class StoreUnavailableError(ImagegenError):
    """A store cannot be reached, so nothing is bought now."""

    code = "store_unavailable"
    retryable = True
