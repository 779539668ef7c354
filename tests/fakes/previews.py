"""Preview frames in memory."""

from dataclasses import dataclass, field

from imagegen.domain.ids import ImageRef
from imagegen.domain.inputs import PreviewFrame
from imagegen.domain.previews import PreviewLink


@dataclass(slots=True)
class MemoryPreviewStore:
    """``PreviewStore`` in a dictionary."""

    objects: dict[tuple[ImageRef, int], tuple[bytes, str]] = field(default_factory=dict)

    def put(self, ref: ImageRef, frame: PreviewFrame, media_type: str) -> None:
        self.objects[ref, frame.index] = (frame.content, media_type)

    def newest(self, ref: ImageRef, *, most: int) -> PreviewLink | None:
        found = [index for one, index in self.objects if one == ref and index < most]
        return PreviewLink(max(found), f"https://previews.test/{max(found)}") if found else None

    def delete(self, ref: ImageRef, index: int) -> None:
        self.objects.pop((ref, index), None)
