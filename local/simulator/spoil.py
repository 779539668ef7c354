"""Damages a drawn image, to test the checks of clients."""

import base64
from dataclasses import dataclass, replace

from local.simulator.faults import Spoil

HUGE_BYTES = 31_000_000


@dataclass(frozen=True, slots=True)
class Picture:
    """The bytes of a picture, and the media type with which they are sent."""

    content: bytes
    media_type: str


def spoiled(picture: Picture, spoil: Spoil | None) -> Picture:
    """Return the picture with damaged bytes; damage to its file or encoding is done elsewhere."""
    if spoil is Spoil.TEXT:
        page = b"<!DOCTYPE html><html><body>The image is being prepared</body></html>"
        return replace(picture, content=page)
    if spoil is Spoil.TRUNCATED:
        return replace(picture, content=picture.content[: len(picture.content) // 2])
    if spoil is Spoil.HUGE:
        # More than 30 MB are sent in any case; base64 adds a third.
        return replace(picture, content=picture.content.ljust(HUGE_BYTES, b"\0"))
    return picture


def base64_of(picture: Picture, spoil: Spoil | None) -> str:
    """Return the picture as base64 for JSON, or as damaged base64."""
    if spoil is Spoil.NOT_BASE64:
        return "!bm8gYmFzZTY0!"
    return base64.b64encode(picture.content).decode()
