"""The error of the chat's LLM: what a call to it came to."""

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
