"""Lets operators handle keys for programs; each change is in the trail before it is made."""

from dataclasses import dataclass

from imagegen.domain.errors import NotFoundError, ParameterError
from imagegen.domain.keys import KeyLine, ProgramKey, is_expired
from imagegen.domain.money import label_text
from imagegen.domain.trail import Action, Change
from imagegen.usecases.admin.trail import Trail
from imagegen.usecases.program_keys import KeyOrder, KeyRing, MadeKey
from imagegen.wire.admin_keys import (
    KeyItem,
    KeyList,
    KeyState,
    MadeKeyAnswer,
    NewKey,
    RevokeKey,
    RotateKey,
    to_item,
)

DAY_MS, HOUR_MS = 86_400_000, 3_600_000


@dataclass(frozen=True, slots=True)
class RecordedKeys:
    """The keys for programs of one stack, with the trail of what is changed of them."""

    ring: KeyRing
    trail: Trail

    def state(self, key: ProgramKey) -> KeyState:
        """Return the state of a key now; only a valid one is accepted."""
        if key.revoked_ms is not None:
            return "revoked"
        return "expired" if is_expired(key, now_ms=self.ring.now_ms()) else "valid"

    def create(self, order: KeyOrder, who: str, reason: str = "") -> MadeKey:
        """Make a key, and return it with its text, which is stored nowhere.

        Raises:
            InvalidRequestError: a field of the order is not valid.
            StoreUnavailableError: it may or may not be made; without its text, it opens nothing.
        """
        self.ring.check(order)
        scopes = " ".join(sorted(order.scopes))
        new = f"{scopes}, {label_text(order.line.daily_microusd)} a day"
        self.trail.record(who, Change(Action.KEY_MADE, order.name.strip(), "", new, reason))
        return self.ring.create(order, who)

    def rotate(self, key_id: str, who: str, *, overlap_ms: int, reason: str = "") -> MadeKey:
        """Give a key another text; its present one is accepted for the overlap as well.

        Raises:
            ParameterError: there is no key of this id, or it was revoked or has expired.
            InvalidRequestError: the overlap is too long.
            StoreUnavailableError: it may or may not be rotated.
        """
        state = self.state(self._key(key_id))
        if state != "valid":
            raise ParameterError("keyId", f"The key {key_id} is {state}: make a new one.")
        new = f"rotated, the old text for {overlap_ms // HOUR_MS} h"
        self.trail.record(who, Change(Action.KEY_ROTATED, key_id, state, new, reason))
        return self.ring.rotate(key_id, overlap_ms=overlap_ms)

    def revoke(self, key_id: str, who: str, reason: str = "") -> ProgramKey:
        """Refuse a key from now on, in every instance within a minute. A second time is safe.

        Raises:
            ParameterError: there is no key of this id.
            StoreUnavailableError: it may or may not be revoked. Send it again.
        """
        key = self._key(key_id)
        if key.revoked_ms is not None:
            return key
        change = Change(Action.KEY_REVOKED, key_id, self.state(key), "revoked", reason)
        self.trail.record(who, change)
        return self.ring.revoke(key_id)

    def _key(self, key_id: str) -> ProgramKey:
        try:
            return self.ring.get(key_id)
        except NotFoundError as error:
            raise ParameterError("keyId", str(error)) from None


@dataclass(frozen=True, slots=True)
class KeyControl:
    """What the routes for operators answer about keys for programs."""

    keys: RecordedKeys

    def all(self) -> KeyList:
        """Return all keys, the oldest first.

        Raises:
            StoreUnavailableError: they cannot be read.
        """
        return KeyList(keys=tuple(self._item(key) for key in self.keys.ring.all()))

    def create(self, asked: NewKey, who: str) -> MadeKeyAnswer:
        """Make a key, and return it with its text; errors as of ``RecordedKeys.create``."""
        line = KeyLine(
            asked.daily_spend, asked.monthly_spend, asked.daily_images, asked.daily_chats
        )
        end = None if asked.days is None else self.keys.ring.now_ms() + asked.days * DAY_MS
        order = KeyOrder(asked.name, frozenset(asked.scopes), line, end)
        return self._made(self.keys.create(order, who, asked.reason))

    def rotate(self, asked: RotateKey, who: str) -> MadeKeyAnswer:
        """Give a key another text; errors as of ``RecordedKeys.rotate``."""
        overlap_ms = asked.overlap_hours * HOUR_MS
        made = self.keys.rotate(asked.key_id, who, overlap_ms=overlap_ms, reason=asked.reason)
        return self._made(made)

    def revoke(self, asked: RevokeKey, who: str) -> KeyItem:
        """Refuse a key from now on; errors as of ``RecordedKeys.revoke``."""
        return self._item(self.keys.revoke(asked.key_id, who, asked.reason))

    def _made(self, made: MadeKey) -> MadeKeyAnswer:
        return MadeKeyAnswer(key_text=made.text, key=self._item(made.key))

    def _item(self, key: ProgramKey) -> KeyItem:
        return to_item(key, self.keys.state(key))
