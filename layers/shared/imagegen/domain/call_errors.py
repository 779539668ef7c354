"""The errors of one call, to a provider or to the chat's LLM; each has the call's outcome.

No route is answered with them: a run goes on with another model, and a chat that has begun to
answer reports the error in its stream.
"""

from imagegen.domain.errors import ImagegenError
from imagegen.domain.outcomes import TRY_AGAIN, Outcome


class LlmError(ImagegenError):
    """The chat's LLM did not answer, or its answer broke off; ``code`` says how it failed."""

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
    """One provider did not make the image; ``outcome`` says why.

    Its own codes go to logs; the message is ours, without the prompt and the provider's text.
    """

    code = "provider_error"
    is_billed: bool = False
    """Whether its provider may bill it all the same: it made an image that is not sold, because
    what arrived is broken, lost or not what was promised, or it worked before it failed."""

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
        self.ends_checks = False
        """Whether nothing more may be asked for free, with any key: the question was billed."""
        self.is_unbilled = False
        """Whether the vendor bills nothing for this answer, although it may bill other refusals."""
