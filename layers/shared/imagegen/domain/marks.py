"""Whether an image contains a C2PA manifest, which says how it was made (https://c2pa.org).

The structure of the file is walked, so bytes of pixels, comments or thumbnails that look like a
manifest are not taken for one. Whether a manifest is genuine is not checked: that would need its
signature and the certificates of its signer.

Where it is (C2PA specification 2.2, A.3): in a PNG, the chunk caBX; in a JPEG, segments APP11 with
JUMBF boxes (ISO/IEC 19566-5); in a WebP, the chunk C2PA.
"""

import struct
from enum import StrEnum

from imagegen.domain.jpeg_segments import APP11, has_segment
from imagegen.domain.pixels import BrokenImageError, MediaType, media_type_of
from imagegen.domain.png_chunks import chunks_of
from imagegen.domain.webp import riff_chunks

PNG_CHUNK, WEBP_CHUNK = b"caBX", b"C2PA"
JUMBF_SEGMENT = b"JP"
C2PA_TYPE = bytes.fromhex("63327061 0011 0010 8000 00aa00389b71")
"""The type of a box that contains manifests, in its description."""
EXTENDED_SIZE = 1
"""A length of a box that says: the real one follows the type, in eight bytes."""


class Presence(StrEnum):
    """Whether a mark is in a file."""

    PRESENT = "present"
    ABSENT = "absent"


def read_c2pa(content: bytes) -> Presence:
    """Return whether a PNG, JPEG or WebP contains a C2PA manifest.

    It is absent from files of other formats, and from those that are damaged before it.
    """
    try:
        found = _has_manifest(content)
    except (BrokenImageError, struct.error):
        found = False
    return Presence.PRESENT if found else Presence.ABSENT


def _has_manifest(content: bytes) -> bool:
    match media_type_of(content):
        case MediaType.PNG:
            return any(kind == PNG_CHUNK and data for kind, data in chunks_of(content))
        case MediaType.JPEG:
            return has_segment(content, APP11, is_c2pa_segment)
        case MediaType.WEBP:
            return any(kind == WEBP_CHUNK and data for kind, data in riff_chunks(content))
        case None:
            return False


def is_jumbf_segment(data: memoryview) -> bool:
    """Return whether the data of an APP11 segment belong to a JUMBF box."""
    return bytes(data[:2]) == JUMBF_SEGMENT


def is_c2pa_segment(data: memoryview) -> bool:
    """Return whether the data of an APP11 segment begin a JUMBF box with C2PA manifests.

    Of a box that is longer than a segment, each further segment repeats the head of the box, but
    not the description.
    """
    head = bytes(data[:64])
    if not head.startswith(JUMBF_SEGMENT) or head[12:16] != b"jumb":
        return False
    is_extended = int.from_bytes(head[8:12]) == EXTENDED_SIZE
    description = head[24:] if is_extended else head[16:]
    return description[4:8] == b"jumd" and description[8:24] == C2PA_TYPE
