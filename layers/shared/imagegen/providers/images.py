"""Image bytes as providers send them: strict base64, and a look at the first bytes."""

import base64
import binascii

from imagegen.domain.ports import Json

MAX_IMAGE_BYTES = 25 * 1024 * 1024


def is_image(content: bytes) -> bool:
    """Return whether the bytes begin as PNG, JPEG or WebP do."""
    return content.startswith((b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff")) or (
        content[:4] == b"RIFF" and content[8:12] == b"WEBP"
    )


def decoded_image(encoded: Json) -> bytes | None:
    """Return the image in a base64 string, or ``None`` for anything that is not one."""
    if not isinstance(encoded, str) or len(encoded) > MAX_IMAGE_BYTES * 4 // 3 + 4:
        return None
    try:
        content = base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        return None
    return content if is_image(content) else None
