"""Uploads in memory; a link stores its file once, as S3 does."""

import hashlib
from dataclasses import dataclass, field

from imagegen.domain.uploads import UploadLink, UploadRef, UploadRequest


@dataclass(slots=True)
class MemoryUploadStore:
    """``UploadStore`` in a dictionary."""

    objects: dict[UploadRef, bytes] = field(default_factory=dict)
    links: dict[str, tuple[UploadRef, UploadRequest]] = field(default_factory=dict)
    reads: list[UploadRef] = field(default_factory=list)

    def used(self, user: str) -> frozenset[str]:
        return frozenset(ref.upload_id for ref in self.objects if ref.user == user)

    def link(self, ref: UploadRef, request: UploadRequest) -> UploadLink:
        url = f"https://uploads.test/{len(self.links)}"
        self.links[url] = (ref, request)
        return UploadLink(url, {"Content-Type": request.media_type})

    def put(self, url: str, content: bytes) -> int:
        """Send a file to a link, and return the status that S3 answers."""
        ref, request = self.links[url]
        if len(content) != request.size_bytes:
            return 403
        if hashlib.sha256(content).hexdigest() != request.sha256:
            return 400
        if ref in self.objects:
            return 412
        self.objects[ref] = content
        return 200

    def size(self, ref: UploadRef) -> int | None:
        content = self.objects.get(ref)
        return None if content is None else len(content)

    def read(self, ref: UploadRef, *, limit_bytes: int) -> bytes | None:
        self.reads.append(ref)
        content = self.objects.get(ref)
        return content if content is not None and len(content) <= limit_bytes else None

    def delete(self, ref: UploadRef) -> None:
        self.objects.pop(ref, None)
