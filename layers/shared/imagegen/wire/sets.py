"""The JSON about several images that one click confirmed."""

from typing import Literal

from pydantic import Field

from imagegen.wire.images import GeneratedImage
from imagegen.wire.reports import Problem
from imagegen.wire.values import EdgeModel, Instant, optional_field


class SetImage(EdgeModel):
    """One image of a set: made, being made, or the reason why it is not there."""

    index: int
    id: str | None = Field(description="null: its quote cannot be read.")
    status: Literal["complete", "generating", "failed"]
    charged: bool | None = Field(description="null: whether it is stored was not looked up.")
    image: GeneratedImage | None = optional_field()
    problem: Problem | None = optional_field()
    started_at: Instant | None = optional_field()
    typical_seconds: int | None = optional_field()


class GeneratedSet(EdgeModel):
    """The images of several quotes, in the order of the quotes; each is charged if it is stored."""

    images: tuple[SetImage, ...]

    @property
    def is_running(self) -> bool:
        """Whether an image is still being made."""
        return any(one.status == "generating" for one in self.images)
