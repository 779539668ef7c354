"""The JSON about the erasure of a user."""

from pydantic import Field

from imagegen.wire.values import EdgeModel, Instant


class ErasureReport(EdgeModel):
    """How far an erasure is."""

    finished: bool = Field(
        description="`false`: it goes on by itself, also without another request."
    )
    asked_at: Instant = Field(description="What was confirmed after this time is kept.")
    stays: tuple[str, ...] = Field(description="What is not erased, and for how long.")
