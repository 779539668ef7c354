"""The event in which one invocation of ``generate`` leaves images to another one.

Lambda encrypts it while it waits. No place keeps it afterwards, and it is never logged.
"""

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from imagegen.domain.ids import WAITING
from imagegen.domain.text import PromptOrNone
from imagegen.wire.estimates import MOST_IMAGES
from imagegen.wire.images import QuoteText
from imagegen.wire.values import EdgeModel, optional_field

MOST_LEVELS = 3
"""A team, a program's key and the organisation."""
type LevelName = Annotated[str, StringConstraints(max_length=64)]


class WaitingImage(EdgeModel):
    """One image to be made: the name of the hold that waits for it, and its quote."""

    hold: Annotated[str, StringConstraints(pattern=f"^{WAITING}", max_length=64)]
    quote: QuoteText
    unsure: Annotated[tuple[LevelName, ...], Field(max_length=MOST_LEVELS)] | None = (
        optional_field()
    )
    """The levels at which a write that counts the hold may still arrive: ``LedgerSnapshot``."""


class RunEvent(EdgeModel):
    """The images of one request that are to be made. Inputs and wishes are in their quotes."""

    task: Literal["makeImages"] = "makeImages"
    images: Annotated[tuple[WaitingImage, ...], Field(min_length=1, max_length=MOST_IMAGES)]
    prompt: PromptOrNone
    mixed: bool = False

    def to_json(self) -> str:
        """Return the event as JSON, in UTF-8 at most 275 KB: a character may take 6 bytes.

        Lambda accepts 1 MB:
        https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html (2026-11-26).
        """
        return self.model_dump_json(by_alias=True)
