"""Serves the files to which URLs in answers point; like providers, it deletes the oldest."""

from secrets import token_urlsafe
from threading import Lock

from local.simulator.faults import Spoil
from local.simulator.newest import Newest
from local.simulator.spoil import Picture
from local.simulator.wire import Answer, Ending, json_answer

KEPT_BYTES = 256_000_000
# The link-local address of a cloud's credentials; no client may fetch from it.
ELSEWHERE = "http://169.254.169.254/latest/meta-data/image.png"
EARLY = {Spoil.FILE_LATE: 404, Spoil.FILE_FORBIDDEN_FIRST: 403}
TYPES = {Spoil.FILE_OCTETS: "application/octet-stream", Spoil.FILE_UNTYPED: ""}
ENDINGS = {"image/png": "png", "image/jpeg": "jpg", "image/webp": "webp"}


class Shelf:
    """Finished files by name. Thread-safe."""

    def __init__(self, kept_bytes: int = KEPT_BYTES) -> None:
        self._lock = Lock()
        self._files = Newest[str, Answer](kept_bytes)
        self._early: dict[str, Answer] = {}
        """The answers to the first request for files that are late."""

    def publish(self, picture: Picture, origin: str, spoil: Spoil | None = None) -> str:
        """Store the picture and return its URL."""
        if spoil is Spoil.FILE_ELSEWHERE:
            return ELSEWHERE
        name = f"{token_urlsafe(18)}.{ENDINGS[picture.media_type]}"
        answer = file_answer(picture, spoil)
        self._files.put(name, answer, len(answer.content))
        if spoil in EARLY:
            with self._lock:
                self._early[name] = json_answer({"detail": "Not yet"}, status=EARLY[spoil])
        return f"{origin}/files/{name}"

    def get(self, name: str) -> Answer:
        """Return the file, or 404."""
        with self._lock:
            early = self._early.pop(name, None)
        return early or self._files.get(name) or json_answer({"detail": "No such file"}, status=404)

    def clear(self) -> None:
        """Delete every file."""
        self._files.clear()
        with self._lock:
            self._early.clear()


def file_answer(picture: Picture, spoil: Spoil | None) -> Answer:
    """Return the answer to a download of the file."""
    if spoil is Spoil.FILE_MISSING:
        return json_answer({"detail": "No such file"}, status=404)
    if spoil is Spoil.FILE_REDIRECTS:
        return Answer(302, b"", headers={"location": ELSEWHERE})
    ending = Ending.CUT_DURING if spoil is Spoil.FILE_CUT else Ending.SENT
    media_type = TYPES.get(spoil, picture.media_type) if spoil else picture.media_type
    packing = "gzip" if spoil is Spoil.FILE_PACKED else None
    return Answer(200, picture.content, media_type, ending=ending, packing=packing)
