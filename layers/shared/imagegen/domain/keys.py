"""Keys for programs: their form, what each allows, and how long it is valid.

A key is ``ik_`` and 64 characters of lower-case base32: 5 bytes that name it, 32 random bytes, and
3 bytes of a keyed check. The check recognises a mistyped or invented key without a read of the
store. Only a hash of the random bytes is stored. They are 256 random bits, so that a plain hash
cannot be reversed by guessing, and it needs neither salt nor many rounds.
"""

import base64
import binascii
import hashlib
import hmac
from dataclasses import dataclass, field, replace
from typing import Protocol

from imagegen.domain.callers import ADMIN, CHAT, ESTIMATE, IMAGES, KEY_PREFIX, PEOPLE, User
from imagegen.domain.errors import InvalidRequestError
from imagegen.domain.text import is_blank

SCOPES = (ESTIMATE, IMAGES, CHAT, PEOPLE, ADMIN)
ID_BYTES, SECRET_BYTES, CHECK_BYTES = 5, 32, 3
TEXT_CHARACTERS = 64
MAX_NAME_CHARACTERS = 64
MAX_DAILY_IMAGES = 1_000
"""The ledger keeps each request while its quote may be sent again, and an item of the table has at
most 400 KB, which is room for about 1,900 requests."""
DAILY_CHATS, MAX_DAILY_CHATS = 1_000, 1_000_000
"""Chat requests of a day: what a key has by default, and a bound that every store can count to."""
MAX_OVERLAP_MS = 30 * 86_400_000
_DIGEST_BYTES = 32


@dataclass(frozen=True, slots=True)
class KeyLine:
    """The most that may be spent with a key; amounts are micro-dollars."""

    daily_microusd: int
    monthly_microusd: int | None = None
    """``None``: counted, and not limited."""
    daily_images: int = 500
    daily_chats: int = DAILY_CHATS


@dataclass(frozen=True, slots=True)
class EarlierSecret:
    """What a rotated key was before; it is accepted until a time."""

    digest: bytes
    until_ms: int


@dataclass(frozen=True, slots=True)
class ProgramKey:
    """What is stored of a key: enough to recognise the key, and not enough to use it."""

    id: str
    """8 characters. It names the key in lists and logs, and stays the same when it is rotated."""
    name: str
    scopes: frozenset[str]
    line: KeyLine
    digest: bytes = field(repr=False)
    created_ms: int
    made_by: str
    expires_ms: int | None = None
    earlier: EarlierSecret | None = field(default=None, repr=False)
    revoked_ms: int | None = None
    version: int = 1
    """Counts the changes, so that of two changes at the same time one is tried again."""

    @property
    def user(self) -> str:
        """The id under which the key's own ledger and images are kept, 32 hex digits."""
        return hashlib.sha256(f"imagegen:key\0{self.id}".encode()).hexdigest()[:32]


@dataclass(frozen=True, slots=True)
class Program:
    """The program of a request: its key, and whether it acts for a person that it names."""

    key: ProgramKey
    is_for_person: bool = False


class KeyStore(Protocol):
    """The keys; every change is one atomic write of one key's item."""

    def find(self, key_id: str) -> ProgramKey | None:
        """Return a key as it is now, ``None`` if there is none of this id.

        Raises:
            StoreUnavailableError: it cannot be read.
        """
        ...

    def add(self, key: ProgramKey) -> bool:
        """Store a new key. Return ``False`` if another one has its id.

        Raises:
            StoreUnavailableError: it may or may not have been stored.
        """
        ...

    def change(self, key: ProgramKey) -> bool:
        """Replace the key's version before this one. Return ``False`` if it was changed since.

        Raises:
            StoreUnavailableError: it may or may not have been replaced.
        """
        ...

    def all(self) -> list[ProgramKey]:
        """Return all keys, also revoked and expired ones, in the order of their ids.

        Raises:
            StoreUnavailableError: they cannot be read.
        """
        ...


class KeyVerifier(Protocol):
    """Turns a key into the user of a request."""

    def verify(self, text: str, *, needed: str | None, person: str | None) -> User:
        """Return the program, or the person for whom it acts, by the issuer's subject.

        Raises:
            UnauthorizedError: it is not a key of this service that is valid now.
            ForbiddenError: the key does not have the scope, or may not name a person.
            StoreUnavailableError: the key cannot be looked up now.
        """
        ...


def key_id(nonce: bytes) -> str:
    """Return the id of a key of 5 random bytes."""
    return base64.b32encode(nonce).decode().lower()


def key_text(name: str, secret: bytes, check_key: bytes) -> str:
    """Return the key of an id and 32 random bytes, as a program sends it."""
    body = base64.b32decode(name, casefold=True) + secret
    return KEY_PREFIX + base64.b32encode(body + _check(body, check_key)).decode().lower()


def parse_key(text: str, check_key: bytes) -> tuple[str, bytes] | None:
    """Return the id and the random bytes of a key, ``None`` if this service did not make it."""
    coded = text.removeprefix(KEY_PREFIX)
    if coded == text or len(coded) != TEXT_CHARACTERS or coded != coded.lower():
        return None
    try:
        data = base64.b32decode(coded, casefold=True)
    except (binascii.Error, ValueError):
        return None
    body, check = data[:-CHECK_BYTES], data[-CHECK_BYTES:]
    if not hmac.compare_digest(check, _check(body, check_key)):
        return None
    return key_id(body[:ID_BYTES]), body[ID_BYTES:]


def digest_of(secret: bytes) -> bytes:
    """Return what is stored of a key's random bytes."""
    return hashlib.sha256(b"imagegen-key." + secret).digest()


def is_secret_of(key: ProgramKey | None, secret: bytes, *, now_ms: int) -> bool:
    """Return whether these are the key's random bytes; it takes equally long in every case.

    Those before a rotation count until the end of the overlap.
    """
    given, none = digest_of(secret), bytes(_DIGEST_BYTES)
    earlier = key.earlier if key and key.earlier and now_ms < key.earlier.until_ms else None
    is_newest = hmac.compare_digest(given, key.digest if key else none)
    is_earlier = hmac.compare_digest(given, earlier.digest if earlier else none)
    return is_newest or is_earlier


def is_expired(key: ProgramKey, *, now_ms: int) -> bool:
    """Return whether the key's time is over."""
    return key.expires_ms is not None and now_ms >= key.expires_ms


def allows(scopes: frozenset[str], needed: str | None) -> bool:
    """Return whether scopes of a key allow what a route needs; ``None`` is open to no key."""
    return needed in scopes or (needed == ESTIMATE and IMAGES in scopes)


def rotated(key: ProgramKey, digest: bytes, *, overlap_ms: int, now_ms: int) -> ProgramKey:
    """Return the key with new random bytes; the present ones are accepted for the overlap."""
    earlier = EarlierSecret(key.digest, now_ms + overlap_ms) if overlap_ms else None
    return replace(key, digest=digest, earlier=earlier, version=key.version + 1)


def revoked(key: ProgramKey, *, now_ms: int) -> ProgramKey:
    """Return the key as it is refused from now on; the time of a first revocation stays."""
    if key.revoked_ms is not None:
        return key
    return replace(key, revoked_ms=now_ms, earlier=None, version=key.version + 1)


def check_new(key: ProgramKey, *, now_ms: int) -> None:
    """Raise unless a new key is valid.

    Raises:
        InvalidRequestError: it says what to change.
    """
    faults = {
        f"The name must have 1 to {MAX_NAME_CHARACTERS} printable characters.": (
            is_blank(key.name) or len(key.name) > MAX_NAME_CHARACTERS or not key.name.isprintable()
        ),
        f"The scopes are {', '.join(SCOPES)}; name at least one besides {PEOPLE}.": (
            not key.scopes - {PEOPLE} or not key.scopes <= set(SCOPES)
        ),
        "The day's line must be more than $0.": key.line.daily_microusd <= 0,
        "The month's line must not be less than the day's.": (
            key.line.monthly_microusd is not None
            and key.line.monthly_microusd < key.line.daily_microusd
        ),
        f"The images of a day must be 1 to {MAX_DAILY_IMAGES}.": (
            not 0 < key.line.daily_images <= MAX_DAILY_IMAGES
        ),
        f"The chat requests of a day must be 1 to {MAX_DAILY_CHATS}.": (
            not 0 < key.line.daily_chats <= MAX_DAILY_CHATS
        ),
        "The key would already be expired.": is_expired(key, now_ms=now_ms),
    }
    for text, is_so in faults.items():
        if is_so:
            raise InvalidRequestError(text)


def _check(body: bytes, check_key: bytes) -> bytes:
    return hmac.digest(check_key, b"program-key." + body, "sha256")[:CHECK_BYTES]
