"""Damage done to a drawn image, so that a client's checks have something to find."""

import base64
from dataclasses import dataclass, replace

from local.simulator.faults import Spoil

HUGE_BYTES = 31_000_000


@dataclass(frozen=True, slots=True)
class Picture:
    """The bytes that leave, and what they are said to be."""

    content: bytes
    media_type: str


def spoiled(picture: Picture, spoil: Spoil | None) -> Picture:
    """Return the picture as the fault wants it; damage to its file or encoding comes later."""
    if spoil is Spoil.TEXT:
        page = b"<!DOCTYPE html><html><body>The image is being prepared</body></html>"
        return replace(picture, content=page)
    if spoil is Spoil.TRUNCATED:
        return replace(picture, content=picture.content[: len(picture.content) // 2])
    if spoil is Spoil.HUGE:
        # Base64 adds a third: either way more than 30 MB travel.
        return replace(picture, content=picture.content.ljust(HUGE_BYTES, b"\0"))
    return picture


def base64_of(picture: Picture, spoil: Spoil | None) -> str:
    """Return the picture as it stands inside JSON."""
    if spoil is Spoil.NOT_BASE64:
        return "!this is not base64!"
    return base64.b64encode(picture.content).decode()
