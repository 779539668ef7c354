"""Whether a prompt may be drawn, asked before anything is spent."""

from collections.abc import Callable
from dataclasses import dataclass

from imagegen.domain.errors import (
    ConfigurationError,
    ContentRefusedError,
    ModerationUnavailableError,
    ProviderError,
)
from imagegen.domain.moderation import ModerationMode
from imagegen.domain.ports import Moderation, Moderator

MODERATION_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class PromptModeration:
    """Lets a prompt through or refuses it."""

    moderator: Callable[[], Moderator | None]
    """``None`` where the operator has set no key for it."""
    mode: ModerationMode

    def check(self, text: str) -> None:
        """Raise unless an image of the text may be made.

        Raises:
            ContentRefusedError: moderation flagged it; the message names the categories.
            ConfigurationError, ModerationUnavailableError: no verdict, and one is required.
        """
        if self.mode is ModerationMode.OFF:
            return
        verdict = self._verdict(text)
        if verdict is not None and verdict.flagged:
            said = ", ".join(verdict.categories) or "policy"
            raise ContentRefusedError(f"Moderation refused this prompt ({said}). Change it.")

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
            if required:
                raise ModerationUnavailableError(
                    "The prompt could not be checked, so nothing was drawn. Try again.",
                    retry_after_seconds=error.retry_after_seconds or 5,
                ) from error
            return None
