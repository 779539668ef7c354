"""The preview frames of one run: shown while the image is made, and gone when the attempt ends.

A frame never counts as an image, and no fault of its store fails the run.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from imagegen.domain.ids import ImageRef
from imagegen.domain.inputs import PreviewFrame
from imagegen.domain.pixels import BrokenImageError, measure
from imagegen.domain.previews import PreviewStore


@dataclass(slots=True)
class Frames:
    """Keeps the frames of one run, and removes them."""

    store: Callable[[], PreviewStore]
    ref: ImageRef
    most: int
    """How many frames the quote has a price for; 0 if it has none."""
    shown: set[int] = field(default_factory=set)
    """The frames of the present attempt that are stored: those that have a price."""
    left: set[int] = field(default_factory=set)
    """The frames that may be stored: at first those of an earlier run that died."""
    is_down: bool = False
    """Whether a write failed. No other one is tried: it would delay the image."""

    def __post_init__(self) -> None:
        self.left.update(range(self.most))

    def keep(self, frame: PreviewFrame) -> None:
        """Store a frame that a provider sent; one that was not ordered is ignored."""
        if self.is_down or not 0 <= frame.index < self.most:
            return
        try:
            media_type = measure(frame.content).media_type
        except BrokenImageError:
            return
        self.left.add(frame.index)
        try:
            self.store().put(self.ref, frame, media_type)
        except Exception:  # noqa: BLE001 an image that is paid for is not lost over a frame
            self.is_down = True
        else:
            self.shown.add(frame.index)

    def missing(self) -> int:
        """Return how many of the ordered frames were not shown."""
        return self.most - len(self.shown)

    def forget(self) -> None:
        """Remove every frame that may be stored; one that cannot be removed now is tried again."""
        self.shown.clear()
        for index in sorted(self.left):
            try:
                self.store().delete(self.ref, index)
            except Exception:  # noqa: BLE001, S112 as above
                continue
            self.left.discard(index)
