"""Every error of the service, and what it means for the caller and for the circuit.

ImagegenError                     has `code` (stable, for programs) and a message (for people)
├── InvalidRequestError           422  the request cannot be served as it is
│   ├── UnsupportedSizeError      422  no model of the tier draws this size
│   ├── AboveMaxCostError         422  every model that fits is dearer than the caller pays
│   ├── UnknownModelError         422  the catalog has no such model
│   ├── ParameterError            422  a parameter of the /v1 routes that cannot be honoured
│   ├── ReusedKeyError            422  an idempotency key of another request
│   └── RetiredModelError         422  the model asked for was shut down
├── UnauthorizedError             401  no valid token
├── ForbiddenError                403  a valid token without the scope
├── NotFoundError                 404  absent, or somebody else's: the same answer
├── GoneError                     410  it existed and was deleted
├── QuoteError                    4xx  invalid 400, expired 410, mismatch 409
├── LimitError                    429  an hour, day, attempt or spending limit of this user
├── NoProviderError               503  no candidate is available now
├── GenerationFailedError         502  every candidate that was tried failed
├── ContentRefusedError           422  moderation or the provider refused the prompt
├── ModerationUnavailableError    503  there is no verdict and one is required
├── LeaseLostError                503  the run was given up before it could be settled
├── StillRunningError             503  the first attempt is not over: ask for the same again
├── ConfigurationError            503  the operator must set something
├── StoreUnavailableError         503  the ledger cannot be reached, so nothing is spent
├── LlmError                      502  the chat's LLM did not answer
└── ProviderError                 what one provider did, by `Outcome`
"""

from imagegen.domain.outcomes import TRY_AGAIN, Outcome


class ImagegenError(Exception):
    """Anything this service says no with."""

    code: str = "internal_error"
    retryable: bool = False
    """Whether the same request may do better later."""
    charged: bool = False
    """Whether the image that was asked for is paid for, now or before."""
    replayed: bool = False
    """Whether an earlier run came to this, and the present one did nothing."""

    def __init__(self, message: str, *, retry_after_seconds: int | None = None) -> None:
        super().__init__(message)
        self.retry_after_seconds = retry_after_seconds


class InvalidRequestError(ImagegenError):
    """The request cannot be served as it is; the message says what to change."""

    code = "invalid_request"


class UnsupportedSizeError(InvalidRequestError):
    """No model of the tier draws this size."""

    code = "unsupported_size"


class AboveMaxCostError(InvalidRequestError):
    """Every model that fits is dearer than the caller wants to pay."""

    code = "above_max_cost"


class UnknownModelError(InvalidRequestError):
    """The catalog has no such model."""

    code = "model_not_found"


class ParameterError(InvalidRequestError):
    """A parameter of the routes under /v1 cannot be honoured; ``param`` is its name."""

    code = "unsupported_parameter"

    def __init__(self, param: str, message: str) -> None:
        super().__init__(message)
        self.param = param


class ReusedKeyError(InvalidRequestError):
    """The idempotency key was used for another request before."""

    code = "idempotency_key_reused"


class RetiredModelError(InvalidRequestError):
    """The model asked for by name was shut down."""

    code = "model_retired"


class UnauthorizedError(ImagegenError):
    """There is no valid token."""

    code = "unauthorized"


class ForbiddenError(ImagegenError):
    """The token is valid and lacks the scope."""

    code = "forbidden"


class NotFoundError(ImagegenError):
    """Absent, or somebody else's: the caller cannot tell which."""

    code = "not_found"


class GoneError(ImagegenError):
    """The image was made and charged, and is deleted."""

    code = "gone"
    charged = True


class QuoteError(ImagegenError):
    """A quote was not accepted."""

    code = "quote_invalid"


class QuoteExpiredError(QuoteError):
    """The quote's ten minutes are over."""

    code = "quote_expired"
    retryable = True


class QuoteMismatchError(QuoteError):
    """The quote is genuine and was made for something else."""

    code = "quote_mismatch"


class LimitError(ImagegenError):
    """A limit of this user is reached; ``code`` names which."""

    retryable = True

    def __init__(self, code: str, message: str, *, retry_after_seconds: int | None = None) -> None:
        super().__init__(message, retry_after_seconds=retry_after_seconds)
        self.code = code
        # Only an operator lifts a block.
        self.retryable = code != "blocked"


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
    """The run was given up before it could be settled; nothing is charged."""

    code = "generation_abandoned"
    retryable = True


class StillRunningError(ImagegenError):
    """The first attempt of the same request is not over; asking again meets it."""

    code = "still_running"
    retryable = True


class ConfigurationError(ImagegenError):
    """The operator must set something; the message names it."""

    code = "not_configured"
    retryable = True


class StoreUnavailableError(ImagegenError):
    """The ledger cannot be reached, so nothing is spent."""

    code = "store_unavailable"
    retryable = True


class LlmError(ImagegenError):
    """The chat's LLM did not answer, or not to the end; ``code`` says what it did instead.

    ``provider_code`` and ``http_status`` are the LLM's own; the message is ours.
    """

    code = "llm_failed"

    def __init__(
        self,
        message: str,
        *,
        outcome: Outcome = Outcome.UNAVAILABLE,
        provider_code: str | None = None,
        http_status: int | None = None,
        retry_after_seconds: int | None = None,
    ) -> None:
        super().__init__(message, retry_after_seconds=retry_after_seconds)
        self.code = f"llm_{outcome}"
        self.retryable = outcome in TRY_AGAIN
        self.outcome = outcome
        self.provider_code = provider_code
        self.http_status = http_status


class ProviderError(ImagegenError):
    """What one provider did instead of making an image.

    ``provider_code`` and ``http_status`` are the provider's own and go to logs; the message is
    ours and holds neither the prompt nor the provider's text.
    """

    code = "provider_error"

    def __init__(
        self,
        provider: str,
        outcome: Outcome,
        message: str,
        *,
        provider_code: str | None = None,
        http_status: int | None = None,
        retry_after_seconds: int | None = None,
    ) -> None:
        super().__init__(message, retry_after_seconds=retry_after_seconds)
        self.provider = provider
        self.outcome = outcome
        self.provider_code = provider_code
        self.http_status = http_status
