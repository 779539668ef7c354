"""Preview frames as they are kept while an image is made: beside the images, never among them.

Nothing is ever charged or settled because of a stored frame.
"""

from dataclasses import dataclass
from typing import Protocol

from imagegen.domain.ids import ImageRef
from imagegen.domain.inputs import PreviewFrame


@dataclass(frozen=True, slots=True)
class PreviewLink:
    """Where the newest frame of an image can be seen."""

    index: int
    """Of the frame, from 0."""
    url: str


class PreviewStore(Protocol):
    """The preview frames of images that are being made. They are removed after a day at most."""

    def put(self, ref: ImageRef, frame: PreviewFrame, media_type: str) -> None:
        """Store a frame, or replace the one of the same index.

        Raises:
            StoreUnavailableError: it may or may not have been stored.
        """
        ...

    def newest(self, ref: ImageRef, *, most: int) -> PreviewLink | None:
        """Return a new URL that opens the newest frame for a minute, or ``None`` without frames.

        ``most`` is how many frames there can be; without any, nothing is read.

        Raises:
            StoreUnavailableError: they cannot be read.
        """
        ...

    def delete(self, ref: ImageRef, index: int) -> None:
        """Remove a frame, if it is stored.

        Raises:
            StoreUnavailableError: it may or may not have been removed.
        """
        ...
