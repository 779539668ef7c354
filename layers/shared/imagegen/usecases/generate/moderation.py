"""The moderation of prompts, before anything is spent."""

from collections.abc import Callable
from dataclasses import dataclass

from imagegen.domain.errors import (
    ConfigurationError,
    ContentRefusedError,
    ModerationUnavailableError,
    ProviderError,
)
from imagegen.domain.outcomes import Outcome
from imagegen.domain.ports import Moderation, ModerationMode, Moderator

MODERATION_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class PromptModeration:
    """Accepts or refuses prompts."""

    moderator: Callable[[], Moderator | None]
    """Returns ``None`` if the operator has not set a key for moderation."""
    mode: ModerationMode

    def check(self, text: str) -> None:
        """Raise unless an image of the text may be made.

        Raises:
            ContentRefusedError: moderation flagged the text; the message names the categories.
            ConfigurationError: moderation is required and has no key.
            ModerationUnavailableError: moderation is required and did not answer.
        """
        if self.mode is ModerationMode.OFF:
            return
        verdict = self._verdict(text)
        if verdict is not None and verdict.flagged:
            categories = ", ".join(verdict.categories) or "policy"
            raise ContentRefusedError(f"Moderation refused this prompt ({categories}). Change it.")

    def _verdict(self, text: str) -> Moderation | None:
        required = self.mode is ModerationMode.REQUIRED
        moderator = self.moderator()
        if moderator is None:
            if required:
                raise ConfigurationError(
                    "Moderation is required and has no OPENAI_API_KEY. Set one, or set the "
                    "Moderation parameter to best-effort."
                )
            return None
        try:
            return moderator.check(text, timeout_seconds=MODERATION_SECONDS)
        except ProviderError as error:
            if error.outcome is Outcome.REFUSED:
                raise ContentRefusedError(
                    "Moderation refused to check this prompt. Change it."
                ) from error
            if required:
                raise ModerationUnavailableError(
                    "The prompt could not be checked, so no image was made. Try again.",
                    retry_after_seconds=error.retry_after_seconds or 5,
                ) from error
            return None
