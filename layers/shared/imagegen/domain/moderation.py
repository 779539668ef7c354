"""Whether moderation must check a prompt before an image is made."""

from enum import StrEnum


class ModerationMode(StrEnum):
    """What happens when moderation gives no verdict."""

    REQUIRED = "required"
    BEST_EFFORT = "best-effort"
    OFF = "off"
