"""What a user's list of images needs: places in the list, how long images are kept, kept prompts.

A cursor names the last image of a page by its time and quote id. So a page stays right while images
are added and deleted. It gives access to nothing: the list is that of the token's user.
"""

import base64
import binascii
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from imagegen.domain.errors import ParameterError
from imagegen.domain.ids import ImageRef
from imagegen.domain.records import Place

DAY_MS = 86_400_000
_PLACE = re.compile(r"([0-9]{1,15})\.([a-z2-7]{24})")


@dataclass(frozen=True, slots=True)
class KeptPrompt:
    """The user's own words behind one image."""

    prompt: str
    style: str = ""


class PromptStore(Protocol):
    """The prompts of stored images, for their owners alone. They live as long as the image."""

    def put(self, ref: ImageRef, words: KeptPrompt, *, until_ms: int) -> None:
        """Keep the words until a time.

        Raises:
            StoreUnavailableError: they may or may not have been kept.
        """
        ...

    def get(self, ref: ImageRef) -> KeptPrompt | None:
        """Return the words, ``None`` if they were not kept.

        Raises:
            StoreUnavailableError: they cannot be read.
        """
        ...

    def between(self, user: str, newest: Place, oldest: Place) -> Mapping[str, KeptPrompt]:
        """Return the words of the user's images between two places, both included, by quote id.

        Raises:
            StoreUnavailableError: they cannot be read.
        """
        ...

    def forget(self, ref: ImageRef) -> None:
        """Remove the words; without any, nothing happens.

        Raises:
            StoreUnavailableError: they may or may not have been removed.
        """
        ...


def to_cursor(place: Place) -> str:
    """Return the cursor of the page after a place."""
    return base64.urlsafe_b64encode(f"{place.issued_ms}.{place.quote_id}".encode()).decode()


def parse_cursor(text: str) -> Place:
    """Return the place in a cursor.

    Raises:
        ParameterError: the text is not a cursor of this service.
    """
    try:
        found = _PLACE.fullmatch(base64.urlsafe_b64decode(text.encode()).decode())
    except (binascii.Error, ValueError):
        found = None
    place = Place(int(found[1]), found[2]) if found else None
    if place is None or to_cursor(place) != text:
        raise ParameterError(
            "cursor", "Send the nextCursor of the page before, unchanged; leave it out to begin."
        )
    return place


def kept_until_ms(created_ms: int, days: int) -> int:
    """Return until when an image is kept: the first midnight (UTC) that it is ``days`` old.

    S3 rounds an object's expiry up to the next midnight:
    https://docs.aws.amazon.com/AmazonS3/latest/userguide/intro-lifecycle-rules.html
    """
    ends_ms = created_ms + days * DAY_MS
    return -(-ends_ms // DAY_MS) * DAY_MS
