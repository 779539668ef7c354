"""The issuer's public keys, and which of them may verify a token.

Source: https://www.rfc-editor.org/rfc/rfc7517, and for the pairs of algorithm and key
https://www.rfc-editor.org/rfc/rfc7518#section-3.1
"""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from http.client import HTTPException
from typing import TYPE_CHECKING, Any

from imagegen.domain.errors import StoreUnavailableError

if TYPE_CHECKING:
    import jwt

ALGORITHMS: Mapping[str, tuple[str, str]] = {
    **{f"{family}{bits}": ("RSA", "") for family in ("RS", "PS") for bits in (256, 384, 512)},
    "ES256": ("EC", "P-256"),
    "ES384": ("EC", "P-384"),
    "ES512": ("EC", "P-521"),
    "EdDSA": ("OKP", "Ed25519"),
}
"""Every algorithm that may be configured, and its keys' type and curve. None is symmetric."""
REFRESH_MS = 60_000
"""The least time between two fetches of the keys because none verifies a token."""
FIRST_FETCH_MS = 1_000
"""The same while there are no keys: it is shorter, because no token can be checked until then."""
MAX_AGE_MS = 3_600_000
MAX_NAMELESS_KEYS = 8
"""How many keys without an id are tried; an issuer with more must name them."""


@dataclass(frozen=True, slots=True)
class Key:
    """One public key of the issuer."""

    kid: str | None
    kind: tuple[str, str]
    """Its type and curve; no curve for RSA."""
    algorithm: str | None
    """The only algorithm that the issuer allows for it; ``None``: each of its type."""
    jwk: "jwt.PyJWK"

    def fits(self, algorithm: str) -> bool:
        """Return whether the key may verify signatures of an algorithm."""
        is_named = self.algorithm in (None, algorithm)
        return is_named and ALGORITHMS.get(algorithm) == self.kind


@dataclass(slots=True)
class Keys:
    """The issuer's public keys, cached; old ones are kept while a fetch fails."""

    fetch: Callable[[], bytes]
    now_ms: Callable[[], int]
    _keys: tuple[Key, ...] = ()
    _fetched_ms: int = field(default=-MAX_AGE_MS)
    _tried_ms: int = field(default=-REFRESH_MS)

    def get(self, kid: str | None, algorithm: str) -> list[Key]:
        """Return the keys that may have signed a token; none if the issuer has no such key.

        ``kid`` is the key id that the token names, ``None`` if it names none.

        Raises:
            StoreUnavailableError: there are no keys and they cannot be fetched.
        """
        if self.now_ms() - self._fetched_ms >= MAX_AGE_MS or not self._found(kid, algorithm):
            self.renew()
        if not self._keys:
            raise StoreUnavailableError("The issuer's keys cannot be fetched. Try again.")
        return self._found(kid, algorithm)

    def renew(self) -> bool:
        """Fetch the keys unless that was tried a short time ago; return whether they changed."""
        pause_ms = REFRESH_MS if self._keys else FIRST_FETCH_MS
        if self.now_ms() - self._tried_ms < pause_ms:
            return False
        self._tried_ms = self.now_ms()
        try:
            found = tuple(_public_keys(json.loads(self.fetch())["keys"]))
        except (OSError, HTTPException, ValueError, KeyError, TypeError, RecursionError):
            return False
        before, self._keys, self._fetched_ms = self._keys, found, self.now_ms()
        return [one.jwk.key for one in before] != [one.jwk.key for one in found]

    def _found(self, kid: str | None, algorithm: str) -> list[Key]:
        return [one for one in self._named(kid) if one.fits(algorithm)][:MAX_NAMELESS_KEYS]

    def _named(self, kid: str | None) -> list[Key]:
        """Return the keys with this id; without an id, an only key or those without an id.

        A token may also name an id where the issuer names none of its keys.
        """
        same = [one for one in self._keys if kid is not None and one.kid == kid]
        nameless = [one for one in self._keys if one.kid is None]
        if same:
            return same
        if kid is None:
            return list(self._keys) if len(self._keys) == 1 else nameless
        return nameless if len(nameless) == len(self._keys) else []


def _public_keys(found: Any) -> Iterator[Key]:
    """Yield the keys that may verify signatures; symmetric and unsupported ones are passed over."""
    import jwt  # noqa: PLC0415 cryptography is loaded only to check a token

    for values in found:
        try:
            if values["kty"] == "oct" or values.get("use", "sig") != "sig":
                continue
            kid, algorithm = values.get("kid"), values.get("alg")
            kind = (values["kty"], "" if values["kty"] == "RSA" else values.get("crv", ""))
            usual = next(name for name, one in ALGORITHMS.items() if one == kind)
            if not isinstance(kid, str | None) or algorithm not in (None, *ALGORITHMS):
                continue
            yield Key(kid, kind, algorithm, jwt.PyJWK(values, algorithm or usual))
        except (jwt.PyJWTError, KeyError, TypeError, AttributeError, ValueError, StopIteration):
            continue
