"""The pictures that are given with a request, opened as a provider opens them."""

import base64
import binascii
import re
from dataclasses import dataclass
from io import BytesIO

from PIL import Image, ImageOps

DATA_URL = re.compile(r"data:(image/(?:png|jpeg|webp|gif));base64,([A-Za-z0-9+/]+=*)")
TYPES = {"PNG": "image/png", "JPEG": "image/jpeg", "WEBP": "image/webp", "GIF": "image/gif"}


@dataclass(frozen=True, slots=True)
class Given:
    """One picture; width and height are those after its EXIF orientation."""

    content: bytes
    media_type: str
    """By the bytes, whatever the request says."""
    width: int
    height: int
    has_alpha: bool

    def pixels(self) -> Image.Image:
        """Return the picture as it is shown."""
        return ImageOps.exif_transpose(Image.open(BytesIO(self.content))).convert("RGBA")


def opened(content: bytes) -> Given:
    """Return the picture in a file.

    Raises:
        ValueError: it is not a whole PNG, JPEG, WebP or GIF.
    """
    try:
        image = Image.open(BytesIO(content))
        image.load()
        media_type = TYPES[image.format or ""]
    except (OSError, KeyError, SyntaxError, Image.DecompressionBombError) as error:
        raise ValueError("not an image") from error
    width, height = ImageOps.exif_transpose(image).size
    has_alpha = "A" in image.getbands() or "transparency" in image.info
    return Given(content, media_type, width, height, has_alpha)


def from_data_url(text: object) -> Given:
    """Return the picture in a data URL, whose label must agree with its bytes.

    Raises:
        ValueError: it is not such a URL, or not an image.
    """
    found = DATA_URL.fullmatch(text) if isinstance(text, str) else None
    if not found:
        raise ValueError("not a data URL of an image")
    given = from_base64(found[2])
    if given.media_type != found[1]:
        raise ValueError("the data URL names another type")
    return given


def from_base64(text: object) -> Given:
    """Return the picture in strict base64.

    Raises:
        ValueError: it is not base64, or not an image.
    """
    try:
        content = base64.b64decode(text if isinstance(text, str) else "", validate=True)
    except binascii.Error as error:
        raise ValueError("not base64") from error
    return opened(content)
