"""Authentication by a key for programs. The keys of recent requests are remembered for a while."""

from collections.abc import Callable
from dataclasses import dataclass, field

from imagegen.domain.callers import ADMIN, PEOPLE, User
from imagegen.domain.errors import ConfigurationError, ForbiddenError, UnauthorizedError
from imagegen.domain.keys import (
    Program,
    ProgramKey,
    allows,
    digest_of,
    is_expired,
    is_secret_of,
    parse_key,
)
from imagegen.edge.token_claims import MAX_SUBJECT_CHARACTERS
from imagegen.edge.tokens import user_id
from imagegen.wire.headers import ON_BEHALF_OF

REMEMBERED_MS = 45_000
"""A revoked key is refused everywhere within a minute: this, and 15 seconds for the read."""
MOST_REMEMBERED = 500
MADE_UP = "The key was mistyped or cut off, or another stack made it."


@dataclass(slots=True)
class RecentKeys:
    """The keys that requests named lately, as they were when they were last read.

    Also an id that has no key is remembered, and a text that no key has, so that asking again costs
    no read.
    """

    find: Callable[[str], ProgramKey | None]
    now_ms: Callable[[], int]
    _found: dict[str, tuple[int, ProgramKey | None]] = field(default_factory=dict, repr=False)
    _refused: dict[tuple[str, bytes], None] = field(default_factory=dict, repr=False)
    """By id and digest: random bytes that did not fit a key when it was read, and never will."""

    def get(self, key_id: str, secret: bytes) -> ProgramKey | None:
        """Return a key as it was at most 45 seconds ago, ``None`` if there is none of this id.

        It is read anew if these random bytes do not fit: it may have been rotated since.

        Raises:
            StoreUnavailableError: it is not remembered, or does not fit, and cannot be read.
        """
        now_ms, text = self.now_ms(), (key_id, digest_of(secret))
        read_ms, key = self._found.get(key_id, (now_ms - REMEMBERED_MS, None))
        # A clock that was set back must not make it older than it looks.
        is_recent = 0 <= now_ms - read_ms < REMEMBERED_MS
        if is_recent and (text in self._refused or is_secret_of(key, secret, now_ms=now_ms)):
            return key
        key = self.find(key_id)
        # Its age counts from before the read.
        _remember(self._found, key_id, (now_ms, key))
        if not is_secret_of(key, secret, now_ms=now_ms):
            _remember(self._refused, text, None)
        return key


def _remember[K, V](entries: dict[K, V], name: K, value: V) -> None:
    """Add an entry as the newest; the oldest ones are forgotten."""
    entries.pop(name, None)
    while len(entries) >= MOST_REMEMBERED:
        del entries[next(iter(entries))]
    entries[name] = value


@dataclass(frozen=True, slots=True)
class ProgramKeyVerifier:
    """Turns a key for programs into a user."""

    recent: RecentKeys
    check_key: Callable[[], bytes]
    issuer: str
    now_ms: Callable[[], int]

    def verify(self, text: str, *, needed: str | None, person: str | None) -> User:
        """Return the program, or the person for whom it acts, by the issuer's subject.

        Raises:
            UnauthorizedError: it is not a key of this service that is valid now.
            ForbiddenError: the key does not have the scope, or may not name a person.
            StoreUnavailableError: the key cannot be looked up now.
            ConfigurationError: a person is named, and there is no issuer of people.
        """
        key = self._key(text)
        if not allows(key.scopes, needed):
            wanted = f"the scope {needed!r}" if needed else "a person's token"
            raise ForbiddenError(f"The key {key.name!r} may not be used here: {wanted} is needed.")
        scopes = key.scopes - {PEOPLE}
        if person is None:
            return User(key.user, scopes, program=Program(key))
        subject = self._person(key, person, needed)
        program = Program(key, is_for_person=True)
        return User(user_id(self.issuer, subject), scopes, program=program)

    def _key(self, text: str) -> ProgramKey:
        parsed = parse_key(text, self.check_key())
        if parsed is None:
            raise UnauthorizedError("The key is not valid.", hint=MADE_UP)
        key_id, secret = parsed
        now_ms, key = self.now_ms(), self.recent.get(key_id, secret)
        if not is_secret_of(key, secret, now_ms=now_ms) or key is None:
            raise UnauthorizedError(
                "The key is not valid.", hint=f"There is no key {key_id}, or it was rotated."
            )
        # Only the key's holder gets as far as this, and may know why it is refused.
        if key.revoked_ms is not None:
            raise UnauthorizedError("The key was revoked.", hint=f"The key {key_id} was revoked.")
        if is_expired(key, now_ms=now_ms):
            raise UnauthorizedError("The key has expired.", hint=f"The key {key_id} has expired.")
        return key

    def _person(self, key: ProgramKey, person: str, needed: str | None) -> str:
        subject = person.strip()
        if PEOPLE not in key.scopes:
            raise ForbiddenError(
                f"The key {key.name!r} may not name a person: it lacks the scope {PEOPLE!r}."
            )
        if needed == ADMIN:
            raise ForbiddenError(f"Operators act for nobody else: leave out {ON_BEHALF_OF}.")
        if not 0 < len(subject) <= MAX_SUBJECT_CHARACTERS:
            raise ForbiddenError(
                f"{ON_BEHALF_OF} must have 1 to {MAX_SUBJECT_CHARACTERS} characters."
            )
        if not self.issuer:
            raise ConfigurationError("Set JwtIssuer: without an issuer no person can be named.")
        return subject
