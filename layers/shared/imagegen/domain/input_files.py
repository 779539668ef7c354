"""Which files a person may give with a request: every rule, each with its error message.

The type is read from the bytes; a name or a header proves nothing. An accepted file is complete, is
not animated, and does not unpack to more than its header announces.
"""

import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import islice

from imagegen.domain.errors import ParameterError
from imagegen.domain.jpeg import read_jpeg
from imagegen.domain.jpeg_segments import FRAME_MARKERS, SOS, segments_of
from imagegen.domain.orientation import read_orientation, turned
from imagegen.domain.pixels import BrokenImageError, MediaType, media_type_of
from imagegen.domain.png_chunks import chunks_of
from imagegen.domain.png_rows import TooMuchDataError, layout_of, open_png
from imagegen.domain.transparency import read_transparency
from imagegen.domain.webp import read_webp, riff_chunks

INPUTS = "inputs"
MAX_BYTES = 10 * 1024 * 1024
MAX_PIXELS = 25_000_000
MAX_SIDE = 8_192
MAX_RATIO = 3
MAX_SCANS = 100
"""Of a progressive JPEG: encoders write about ten, and each costs a decoder the whole image."""
MAX_PARTS = 1_000
"""Segments or chunks of a JPEG or WebP. With millions of empty ones, a list of them takes more
memory than the image; a JPEG of the largest size with all kinds of metadata has about 200."""
MAX_PNG_PARTS = 20_000
"""Chunks of a PNG: some encoders cut ten megabytes of data into thousands."""
ANIMATION_FLAG = 0x02
COMMON_JPEG_FRAMES = frozenset({0xC0, 0xC1, 0xC2})
"""Huffman-coded, baseline or progressive: nearly no program reads the others."""
OTHER_FORMATS = {
    b"GIF8": "a GIF",
    b"BM": "a BMP",
    b"II*\0": "a TIFF",
    b"MM\0*": "a TIFF",
    b"%PDF": "a PDF",
    b"8BPS": "a Photoshop file",
    b"<": "a text such as SVG or HTML",
    b"\0\0\0\x0cJXL ": "a JPEG XL",
    b"\xff\x0a": "a JPEG XL",
}
BLANKS = b"\xef\xbb\xbf\t\n\r "
"""What may precede a text: a byte order mark, and white space."""


@dataclass(frozen=True, slots=True)
class InputFacts:
    """What the rest of a request needs of an accepted file."""

    media_type: str
    width: int
    """In pixels, after the orientation: as a provider measures it, and as people see it."""
    height: int
    has_alpha: bool
    """Whether the file has alpha in any form; every pixel may still be opaque."""


def check_input(content: bytes) -> InputFacts:
    """Return the facts of a file that may be given with a request.

    Raises:
        ParameterError: it may not; the message is one sentence with the reason and one with what
            to do.
    """
    return _facts_by(_checked, content)


def check_mask_file(content: bytes) -> InputFacts:
    """Return the facts of a PNG whose rows were read before, as ``masks.check_mask`` does.

    Raises:
        ParameterError: as ``check_input``, but the rows are not read again.
    """
    return _facts_by(_checked_png_structure, content)


def _facts_by(check: Callable[[bytes], InputFacts], content: bytes) -> InputFacts:
    if not content:
        raise _refused("The file is empty. Send a PNG, JPEG or WebP.")
    if len(content) > MAX_BYTES:
        raise _refused(
            f"The file has {len(content)} bytes, and {MAX_BYTES} (10 MB) are the most. Make it "
            "smaller, or save it as a JPEG or WebP."
        )
    try:
        return check(content)
    except TooMuchDataError:
        raise _refused(
            "The data of the PNG unpack to more than its size in pixels. Save the image again."
        ) from None
    except BrokenImageError as error:
        raise _refused(f"The file is damaged or cut off: {error}. Send it again.") from None
    except (struct.error, IndexError):
        raise _refused("The file is damaged or cut off. Send it again.") from None


def _refused(message: str) -> ParameterError:
    return ParameterError(INPUTS, message)


def _checked(content: bytes) -> InputFacts:
    match media_type_of(content):
        case MediaType.PNG:
            return _checked_png(content)
        case MediaType.JPEG:
            return _checked_jpeg(content)
        case MediaType.WEBP:
            return _checked_webp(content)
        case None:
            raise _refused(f"The file is {_other_format(content)}. Send a PNG, JPEG or WebP.")


def _other_format(content: bytes) -> str:
    if content[4:8] == b"ftyp":
        return "an AVIF" if content[8:12] in {b"avif", b"avis"} else "a HEIC or a video"
    head = content[:1024].lstrip(BLANKS)
    found = (name for start, name in OTHER_FORMATS.items() if head.startswith(start))
    return next(found, "not an image in a supported format")


def _checked_png(content: bytes) -> InputFacts:
    facts = _checked_png_structure(content)
    for _ in open_png(content).rows:
        pass
    return facts


def _checked_png_structure(content: bytes) -> InputFacts:
    layout = layout_of(content)
    _few(chunks_of(content), MAX_PNG_PARTS)
    facts = _facts(MediaType.PNG, (layout.width, layout.height), content)
    png = open_png(content)
    if png.is_animated:
        raise _animated()
    return replace(facts, has_alpha=layout.has_alpha_channel or bool(png.transparency))


def _checked_jpeg(content: bytes) -> InputFacts:
    segments = _few(segments_of(content))
    frames = [one for one in segments if one.marker in FRAME_MARKERS]
    if len(frames) != 1:
        raise BrokenImageError("the JPEG contains no image, or several")
    (frame,) = frames
    precision, height, width, components = struct.unpack_from(">BHHB", frame.data)
    if components == 4:
        raise _refused("The JPEG has CMYK colours. Save it with RGB colours.")
    is_common = frame.marker in COMMON_JPEG_FRAMES and precision == 8 and components in {1, 3}
    if not is_common:
        raise _refused("The JPEG is of a rare kind. Save it as an ordinary JPEG of 8 bits.")
    if sum(one.marker == SOS for one in segments) > MAX_SCANS:
        raise _refused(f"The JPEG has more than {MAX_SCANS} scans. Save it again.")
    facts = _facts(MediaType.JPEG, (width, height), content)
    read_jpeg(content, finds_blank=False)
    return facts


def _checked_webp(content: bytes) -> InputFacts:
    for kind, data in _few(riff_chunks(content)):
        if kind in {b"ANIM", b"ANMF"} or (kind == b"VP8X" and data[0] & ANIMATION_FLAG):
            raise _animated()
    found = read_webp(content)
    facts = _facts(MediaType.WEBP, (found.width, found.height), content)
    return replace(facts, has_alpha=read_transparency(content).has_alpha)


def _few[Part](parts: Iterator[Part], most: int = MAX_PARTS) -> list[Part]:
    found = list(islice(parts, most + 1))
    if len(found) > most:
        raise _refused(f"The file has more than {most} parts. Save the image again.")
    return found


def _animated() -> ParameterError:
    return _refused("The file is animated. Send one image that stands still.")


def _facts(media_type: MediaType, stored: tuple[int, int], content: bytes) -> InputFacts:
    """Return the facts that a header shows, without alpha.

    Raises:
        BrokenImageError: the image has no size.
        ParameterError: the size is not allowed.
    """
    width, height = turned(*stored, read_orientation(content))
    size = f"The image has {width}x{height} pixels"
    if not width or not height:
        raise BrokenImageError("the image has no size")
    if max(width, height) > MAX_SIDE:
        raise _refused(f"{size}, and {MAX_SIDE} are the most for a side. Make it smaller.")
    if width * height > MAX_PIXELS:
        raise _refused(f"{size}, and 25 million are the most in all. Make it smaller.")
    if max(width, height) > MAX_RATIO * min(width, height):
        raise _refused(f"{size}, and no side may be more than 3 times the other. Crop it.")
    return InputFacts(media_type, width, height, has_alpha=False)
