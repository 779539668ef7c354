"""A user's own images: the list of them, and the deletion of one."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass

from imagegen.domain.errors import NotFoundError, StillRunningError, StoreUnavailableError
from imagegen.domain.gallery import (
    DAY_MS,
    KeptPrompt,
    kept_until_ms,
    parse_cursor,
    to_cursor,
)
from imagegen.domain.ids import ImageRef, image_id, parse_image_id
from imagegen.domain.ledger import OpState
from imagegen.domain.operations import RESULTS
from imagegen.domain.quote import LIFETIME_MS
from imagegen.domain.records import ImageRecord, Place, RecordStatus, as_deleted, with_team
from imagegen.domain.stores import Stores
from imagegen.domain.uploads import UploadStore, check_upload_id
from imagegen.usecases.conversions import to_image_facts, to_origin
from imagegen.usecases.generate.reconciler import Reconciler
from imagegen.wire.gallery import GalleryPage, GalleryQuery, OwnImage

MOST_PROMPT_BYTES = 400_000
"""The most that the prompts of one page have together, except for a page of one image. An answer
may have 6 MB (https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html), and JSON
may write one byte as six, twice."""
RETRY_AFTER_SECONDS = 5
ALT = "AI-generated image"


@dataclass(frozen=True, slots=True)
class Gallery:
    """Lists and deletes a user's images."""

    stores: Stores
    reconciler: Reconciler
    uploads: Callable[[], UploadStore]
    image_id_key: Callable[[], bytes]
    now_ms: Callable[[], int]
    shows_prompts: bool
    retention_days: int

    def page(self, query: GalleryQuery, user: str, base_url: str) -> GalleryPage:
        """Return a part of the user's images; ``base_url`` is the URL of this service.

        Raises:
            ParameterError: the cursor is not one of this service.
            StoreUnavailableError: the records or the prompts cannot be read.
        """
        after = None if query.cursor is None else parse_cursor(query.cursor)
        if after is None:
            self._recover(user)
        now_ms = self.now_ms()
        since_ms = max(0, now_ms - (self.retention_days + 1) * DAY_MS - LIFETIME_MS)
        found = self.stores.records.page(user, after, since_ms=since_ms, limit=query.limit)
        records = [one for one in found.records if self._is_kept(one, now_ms)]
        words = self._words(user, records)
        shown = records[: _fitting(records, words)]
        rest = found.rest if len(shown) == len(records) else _place(shown[-1])
        return GalleryPage(
            images=tuple(self._own_image(one, words, user, base_url) for one in shown),
            next_cursor=to_cursor(rest) if rest else None,
        )

    def delete(self, image: str, user: str) -> None:
        """Delete an image of the user: its bytes and its prompt. The charge stays.

        What is deleted already is deleted again, so that a deletion that broke off can be repeated.

        Raises:
            NotFoundError: there is no such image, or it is not the user's.
            StillRunningError: it is being made.
            StoreUnavailableError: it may be deleted in part. The same request, sent again, ends it.
        """
        ref = parse_image_id(image, self.image_id_key())
        if ref.user != user:
            raise _missing()
        record = self._made(ref)
        # The uploads come first: a record of a deleted image does not name them.
        self._delete_uploads(record, user)
        deleted = as_deleted(record, self.now_ms())
        # The mark comes first: without bytes and without it, a held request would count as not made
        # and be released, and a repetition of it would make the image again.
        self.stores.images.mark_deleted(ref, deleted)
        # The bytes go after the prompt: once the image answers that it is deleted, nothing of it is
        # left.
        self.stores.prompts.forget(ref)
        self.stores.images.delete(ref)
        # The record is last: until then the image is listed, and can be deleted again.
        self.stores.records.put(ref, self._with_team(ref, deleted))

    def _with_team(self, ref: ImageRef, record: ImageRecord) -> ImageRecord:
        """Return a record from beside an image's file with its team, which only the table has."""
        known = self.stores.records.get(ref)
        return with_team(record, known.team) if known else record

    def _made(self, ref: ImageRef) -> ImageRecord:
        """Return the record of an image that was made; its hold is settled if that was lost."""
        ledger = self.reconciler.load(ref.user)
        stored = self.stores.images.find(ref)
        if stored is not None:
            self.reconciler.settle_stored(ref, ledger, stored)
            return stored
        op = ledger.ops.get(ref.quote_id)
        if op is not None and op.state is OpState.HELD:
            running = StillRunningError(
                "The image is being made. Delete it when it is complete.",
                retry_after_seconds=RETRY_AFTER_SECONDS,
            )
            running.charged = False
            raise running
        record = self.stores.records.get(ref)
        if record is None or record.status is not RecordStatus.COMPLETE:
            raise _missing()
        return record

    def _delete_uploads(self, record: ImageRecord, user: str) -> None:
        for upload in record.uploads:
            self.uploads().delete(check_upload_id(upload, user, self.image_id_key()))

    def _recover(self, user: str) -> None:
        """Write the records of stored images that have none yet: their holds have not ended.

        The list can be read without that, if a store does not answer.
        """
        with suppress(StoreUnavailableError):
            ledger = self.reconciler.load(user)
            for quote_id, op in ledger.ops.items():
                ref = ImageRef(quote_id, user, op.expires_ms - LIFETIME_MS)
                if op.state is OpState.HELD and (record := self.stores.images.find(ref)):
                    ledger = self.reconciler.settle_stored(ref, ledger, record)

    def _is_kept(self, record: ImageRecord, now_ms: int) -> bool:
        return kept_until_ms(record.created_ms, self.retention_days) > now_ms

    def _words(self, user: str, records: list[ImageRecord]) -> Mapping[str, KeptPrompt]:
        if not records or not self.shows_prompts:
            return {}
        return self.stores.prompts.between(user, _place(records[0]), _place(records[-1]))

    def _own_image(
        self, record: ImageRecord, words: Mapping[str, KeptPrompt], user: str, base_url: str
    ) -> OwnImage:
        ref = ImageRef(record.quote_id, user, record.issued_ms)
        opens, kept = image_id(ref, self.image_id_key()), words.get(record.quote_id)
        return OwnImage(
            id=opens,
            image_url=f"{base_url}/images/{opens}",
            alt=kept.prompt if kept else RESULTS.get(record.operation, ALT),
            prompt=kept.prompt if kept else None,
            style=kept.style if kept else None,
            **to_image_facts(record),
            **to_origin(record),
        )


def _place(record: ImageRecord) -> Place:
    return Place(record.issued_ms, record.quote_id)


def _sizes(records: list[ImageRecord], words: Mapping[str, KeptPrompt]) -> Iterator[int]:
    for record in records:
        kept = words.get(record.quote_id)
        yield len(f"{kept.prompt}{kept.style}".encode()) if kept else 0


def _fitting(records: list[ImageRecord], words: Mapping[str, KeptPrompt]) -> int:
    """Return how many records fit into one answer with their prompts, at least one."""
    total = 0
    for number, size in enumerate(_sizes(records, words)):
        total += size
        if number and total > MOST_PROMPT_BYTES:
            return number
    return len(records)


def _missing() -> NotFoundError:
    """Return the error of an image that is not there, or is another user's: both look alike."""
    missing = NotFoundError("There is no such image.")
    missing.charged = False
    return missing
