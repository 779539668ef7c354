"""Makes, lists, rotates and revokes keys for programs. A key is returned once, when it is made."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from imagegen.domain.errors import InvalidRequestError, NotFoundError, StoreUnavailableError
from imagegen.domain.keys import (
    ID_BYTES,
    MAX_OVERLAP_MS,
    SECRET_BYTES,
    KeyLine,
    KeyStore,
    ProgramKey,
    check_new,
    digest_of,
    is_expired,
    key_id,
    key_text,
    revoked,
    rotated,
)

TRIES = 20
"""The most tries of a change, if others come first, and of new ids, if they are taken."""


@dataclass(frozen=True, slots=True)
class KeyOrder:
    """What a new key is to be."""

    name: str
    scopes: frozenset[str]
    line: KeyLine
    expires_ms: int | None = None


@dataclass(frozen=True, slots=True)
class MadeKey:
    """A key with its text, which is stored nowhere."""

    key: ProgramKey
    text: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class KeyRing:
    """The keys for programs, as an operator handles them."""

    store: KeyStore
    check_key: Callable[[], bytes]
    now_ms: Callable[[], int]
    random_bytes: Callable[[int], bytes]

    def check(self, order: KeyOrder) -> None:
        """Raise unless a key can be made of the order.

        Raises:
            InvalidRequestError: a field of the order is not valid.
        """
        check_new(self._new(order, b"", ""), now_ms=self.now_ms())

    def create(self, order: KeyOrder, made_by: str) -> MadeKey:
        """Store a new key, and return it with its text.

        Raises:
            InvalidRequestError: a field of the order is not valid.
            StoreUnavailableError: it may be stored; without its text, it opens nothing.
        """
        secret, check_key = self._parts_of_a_text()
        key = self._new(order, digest_of(secret), made_by)
        check_new(key, now_ms=key.created_ms)
        for _ in range(TRIES):
            key = replace(key, id=key_id(self.random_bytes(ID_BYTES)))
            if self.store.add(key):
                return MadeKey(key, key_text(key.id, secret, check_key))
        raise StoreUnavailableError("No free id was found for the key. Try again.")

    def get(self, name: str) -> ProgramKey:
        """Return a key by its id.

        Raises:
            NotFoundError: there is no key of this id.
            StoreUnavailableError: it cannot be read.
        """
        key = self.store.find(name)
        if key is None:
            raise NotFoundError(f"There is no key {name!r}.")
        return key

    def all(self) -> list[ProgramKey]:
        """Return all keys, the oldest first.

        Raises:
            StoreUnavailableError: they cannot be read.
        """
        return sorted(self.store.all(), key=lambda key: (key.created_ms, key.id))

    def rotate(self, name: str, *, overlap_ms: int) -> MadeKey:
        """Give a key new random bytes; its present text is accepted for the overlap as well.

        Raises:
            NotFoundError: there is no key of this id.
            InvalidRequestError: it is revoked or has expired, the overlap is too long, or another
                rotation came first, whose overlap a second one would end.
            StoreUnavailableError: it may or may not be rotated.
        """
        if not 0 <= overlap_ms <= MAX_OVERLAP_MS:
            days = MAX_OVERLAP_MS // 86_400_000
            raise InvalidRequestError(f"The overlap must be 0 to {days} days.")
        secret, check_key = self._parts_of_a_text()
        digests = set[bytes]()

        def change(key: ProgramKey) -> ProgramKey:
            now_ms = self.now_ms()
            digests.add(key.digest)
            if overlap_ms and len(digests) > 1:
                raise InvalidRequestError(
                    f"The key {name} was rotated at the same time by another request. One more "
                    "rotation ends the text that it had before."
                )
            if key.revoked_ms is not None or is_expired(key, now_ms=now_ms):
                raise InvalidRequestError(
                    f"The key {name} was revoked or has expired: make a new one."
                )
            return rotated(key, digest_of(secret), overlap_ms=overlap_ms, now_ms=now_ms)

        return MadeKey(self._changed(name, change), key_text(name, secret, check_key))

    def revoke(self, name: str) -> ProgramKey:
        """Refuse a key from now on, in every instance within a minute; a second time is safe.

        Raises:
            NotFoundError: there is no key of this id.
            StoreUnavailableError: it may or may not be revoked.
        """
        return self._changed(name, lambda key: revoked(key, now_ms=self.now_ms()))

    def _parts_of_a_text(self) -> tuple[bytes, bytes]:
        """Return new random bytes and the key of the check.

        Both are there before anything is stored: a rotated key without its text could not be used.
        """
        return self.random_bytes(SECRET_BYTES), self.check_key()

    def _changed(self, name: str, change: Callable[[ProgramKey], ProgramKey]) -> ProgramKey:
        for _ in range(TRIES):
            key = self.get(name)
            changed = change(key)
            if changed == key or self.store.change(changed):
                return changed
        raise StoreUnavailableError(f"The key {name!r} changes all the time. Try again.")

    def _new(self, order: KeyOrder, digest: bytes, made_by: str) -> ProgramKey:
        return ProgramKey(
            id="",
            name=order.name.strip(),
            scopes=order.scopes,
            line=order.line,
            digest=digest,
            created_ms=self.now_ms(),
            made_by=made_by,
            expires_ms=order.expires_ms,
        )
