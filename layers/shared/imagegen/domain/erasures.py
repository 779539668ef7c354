"""The erasure of everything that is kept of one user, except for the accounting.

It is asked for once and done in parts. One that breaks off goes on from the place in the user's
list that it had reached. Only what was made of quotes issued before the request is erased.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from imagegen.domain.ids import ImageRef
from imagegen.domain.records import ImageRecord, Place
from imagegen.domain.trail import TrailStore

STAYS = (
    "what each request cost and when, and a hash of its team, without prompt, picture and inputs",
    "the counts of today's limits, for two days",
    "whether the user is blocked, and the limits that the user or an operator set for the user",
    "what operators changed for the user, when and why",
    "the chat's counts and the tickets of ordered images, for three days at most",
    "an empty mark of each erased image, as long as images are kept, so that it is not made again",
    "an image whose request is forgotten already, as long as images are kept",
    "log lines with a keyed hash, as long as logs are kept",
    "changes of the table in its stream, for a day",
    "backups of the table, for 35 days",
)
"""What is not erased. Each part of it is needed for money, or ends by itself."""


@dataclass(frozen=True, slots=True)
class Erasure:
    """An erasure that was asked for and is not finished."""

    user: str
    asked_ms: int
    who: str
    """As in the trail; ``self`` if it is the user's own wish."""
    done: Place | None = None
    """The place of the last image in the user's list that is erased; ``None`` before the first."""


@dataclass(frozen=True, slots=True)
class Remains:
    """How much of a user is left that must go."""

    prompts: int = 0
    objects: int = 0
    """Versions of objects in the bucket."""

    @property
    def is_nothing(self) -> bool:
        """Return whether all of it is gone."""
        return not self.prompts and not self.objects


class ErasureStore(Protocol):
    """The erasures that are not finished."""

    def ask(self, erasure: Erasure) -> Erasure:
        """Store an erasure, and return it; one that is asked for already stays and is returned.

        Raises:
            StoreUnavailableError: it may or may not have been stored.
        """
        ...

    def find(self, user: str) -> Erasure | None:
        """Return the user's erasure, ``None`` if there is none that is not finished.

        Raises:
            StoreUnavailableError: it cannot be read.
        """
        ...

    def pending(self, *, limit: int) -> list[Erasure]:
        """Return erasures that are not finished.

        Raises:
            StoreUnavailableError: they cannot be read.
        """
        ...

    def advance(self, erasure: Erasure, done: Place) -> None:
        """Store the place of the last image in the list that is erased.

        Raises:
            StoreUnavailableError: it may or may not have been stored.
        """
        ...

    def finish(self, erasure: Erasure) -> None:
        """Remove an erasure that is done.

        Raises:
            StoreUnavailableError: it may or may not have been removed.
        """
        ...


class KeptStore(Protocol):
    """Everything that is kept of one user in the table and in the bucket."""

    def records(self, user: str, after: Place | None, *, until_ms: int) -> Iterator[ImageRecord]:
        """Yield the user's records after a place, the oldest first, up to a time of issue.

        Raises:
            StoreUnavailableError: they cannot be read.
        """
        ...

    def prompts(self, user: str, *, until_ms: int) -> list[ImageRef]:
        """Return the images whose prompt is kept, of quotes issued up to a time.

        Raises:
            StoreUnavailableError: they cannot be read.
        """
        ...

    def remove_image(self, ref: ImageRef) -> None:
        """Remove every version of an image and of its preview frames.

        Raises:
            StoreUnavailableError: some of it may be left.
        """
        ...

    def remove_others(self, user: str, *, until_ms: int) -> None:
        """Remove every version of the user's uploads up to a time, and images of early releases.

        Raises:
            StoreUnavailableError: some of it may be left.
        """
        ...

    def remains(self, user: str, *, until_ms: int) -> Remains:
        """Return what is left of prompts, of uploads and of images of early releases.

        Raises:
            StoreUnavailableError: that cannot be read.
        """
        ...


@dataclass(frozen=True, slots=True)
class ErasingStores:
    """The stores that an erasure needs beside those of images."""

    kept: KeptStore
    erasures: ErasureStore
    trail: TrailStore
