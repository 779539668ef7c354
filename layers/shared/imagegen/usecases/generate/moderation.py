"""The moderation of prompts and inputs, before anything is spent."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from imagegen.domain.call_errors import ProviderError
from imagegen.domain.errors import (
    ConfigurationError,
    ContentRefusedError,
    ModerationUnavailableError,
)
from imagegen.domain.inputs import InputFile, Role
from imagegen.domain.outcomes import Outcome
from imagegen.domain.ports import Moderation, ModerationMode, Moderator

MODERATION_SECONDS = 10.0
PICTURE_SECONDS = 5.0
"""What each picture adds: it is sent in full."""
CHOSEN = " Unless the parameter Moderator is auto, only the provider that it names is asked."
NO_MODERATOR = (
    "Moderation is required and nothing can moderate. Set OPENAI_API_KEY and run "
    "`make deploy-env`, or set the parameter BedrockRegion to a Region, or Moderation to "
    f"best-effort.{CHOSEN}"
)
NO_PICTURES = (
    "Moderation is required, and Bedrock's checks read no pictures. Set OPENAI_API_KEY and run "
    f"`make deploy-env`, or set the parameter Moderation to best-effort.{CHOSEN}"
)


class PromptChecks(Protocol):
    """What accepts or refuses prompts and the pictures that come with them."""

    def check(self, text: str, inputs: Sequence[InputFile] = ()) -> None:
        """Raise unless an image of the text, and of the inputs, may be made."""


@dataclass(frozen=True, slots=True)
class PromptModeration:
    """Accepts or refuses prompts and the pictures that come with them."""

    moderator: Callable[[], Moderator | None]
    """Returns ``None`` if nothing can moderate: no credential is set."""
    mode: ModerationMode

    def check(self, text: str, inputs: Sequence[InputFile] = ()) -> None:
        """Raise unless an image of the text, and of the inputs, may be made.

        A mask is not checked: its pixels show nothing, and no provider draws them.

        Raises:
            ContentRefusedError: moderation flagged one of them; the message names the categories.
            ConfigurationError: moderation is required, and nothing can check these.
            ModerationUnavailableError: moderation is required and did not answer.
        """
        if self.mode is ModerationMode.OFF:
            return
        pictures = [one for one in inputs if one.role is not Role.MASK]
        verdict = self._verdict(text, pictures)
        if verdict is not None and verdict.flagged:
            categories = ", ".join(verdict.categories) or "policy"
            if not text:
                what, advice = "picture", "Choose another one."
            else:
                what = "prompt, or a picture with it" if pictures else "prompt"
                advice = "Change it."
            raise ContentRefusedError(f"Moderation refused this {what} ({categories}). {advice}")

    def _verdict(self, text: str, pictures: Sequence[InputFile]) -> Moderation | None:
        required = self.mode is ModerationMode.REQUIRED
        moderator = self.moderator()
        if moderator is None:
            if required:
                raise ConfigurationError(NO_MODERATOR)
            return None
        if pictures and not moderator.reads_pictures:
            if required:
                raise ConfigurationError(NO_PICTURES)
            pictures = ()
        try:
            seconds = MODERATION_SECONDS + PICTURE_SECONDS * len(pictures)
            return moderator.check(text, pictures, timeout_seconds=seconds)
        except ProviderError as error:
            if error.outcome is Outcome.REFUSED:
                raise ContentRefusedError(
                    "Moderation refused to check this prompt. Change it."
                ) from error
            if required:
                raise ModerationUnavailableError(
                    _unchecked(error), retry_after_seconds=error.retry_after_seconds or 5
                ) from error
            return None


def _unchecked(error: ProviderError) -> str:
    """Return the message for a prompt without a verdict, with what an operator can do about it."""
    if error.outcome is not Outcome.ACCOUNT:
        return "The prompt could not be checked, so no image was made. Try again."
    return (
        f"The prompt could not be checked, so no image was made: {error.provider} does not accept "
        "the credential for moderation. Its operator can set another one, or the parameter "
        "Moderator or Moderation."
    )
