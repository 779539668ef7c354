"""The quote: a signed, single-use promise of a price to one user for one prompt.

``q1.<kid>.<payload>.<mac>``, or ``q2`` if it has inputs, wishes or sizes of its models: HMAC-SHA256
over the text before the last dot, with keys of its own. It is deliberately not a JWT: there is no
algorithm to choose, and it cannot be used as a login.
The MAC is compared as text, so that no second spelling of the same bytes is accepted.
"""

import base64
import binascii
import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import TypeAdapter, ValidationError

from imagegen.domain.catalog import Tier
from imagegen.domain.errors import ConfigurationError, QuoteError, QuoteMismatchError
from imagegen.domain.ids import ImageRef
from imagegen.domain.inputs import QuotedInput
from imagegen.domain.operations import Operation
from imagegen.domain.records import Fallback
from imagegen.domain.text import is_blank
from imagegen.domain.wishes import NONE, Wishes

LIFETIME_MS = 10 * 60 * 1000
MAX_TOKEN_CHARACTERS = 8_192
MIN_KEY_BYTES = 32
PREFIX = "q1"
PREFIX_WITH_INPUTS = "q2"
"""Of a quote with inputs, wishes or sizes per candidate, which an earlier release would not see."""
_PREFIXES = (PREFIX, PREFIX_WITH_INPUTS)


@dataclass(frozen=True, slots=True)
class QuotedCandidate:
    """One model that a quote allows: the row's key, its price and the digest of what is sent."""

    key: str
    price_microusd: int
    digest: str
    file_format: str = ""
    """The file format that is requested; empty for the model's usual one."""
    size: str = ""
    """The exact size of this candidate; empty if the quote's size means it."""


@dataclass(frozen=True, slots=True)
class Quote:
    """The promise: what may be made, for whom, at which price and until when."""

    quote_id: str
    image_id: str
    user: str
    day: str
    """The UTC day of issue, ``YYYYMMDD``: the day whose limits it counts against."""
    issued_ms: int
    expires_ms: int
    prompt_hash: str
    tier: Tier
    size: str
    style: str
    candidates: tuple[QuotedCandidate, ...]
    slot: int
    """An hour slot that was free at issue: a hint that saves a read."""
    fallback: Fallback | None = None
    """The first choice, if it was unavailable when the quote was made."""
    inputs: tuple[QuotedInput, ...] = ()
    """The pictures in their order, the mask last."""
    wishes: Wishes = NONE
    operation: Operation = Operation.GENERATE

    @property
    def expected_microusd(self) -> int:
        """The first candidate's price."""
        return self.candidates[0].price_microusd

    @property
    def ceiling_microusd(self) -> int:
        """The most this quote can cost."""
        return max(c.price_microusd for c in self.candidates)

    @property
    def ref(self) -> ImageRef:
        """The reference under which its image and record are stored."""
        return ImageRef(self.quote_id, self.user, self.issued_ms)

    def is_expired(self, now_ms: int) -> bool:
        """Return whether it is too late to confirm the quote."""
        return now_ms >= self.expires_ms


@dataclass(frozen=True, slots=True)
class Keyring:
    """The keys that verify quotes, by id; the first one also signs them."""

    keys: Mapping[str, bytes]

    @property
    def signing_id(self) -> str:
        """The id of the key that signs."""
        return next(iter(self.keys))


_PAYLOAD = TypeAdapter(Quote)


def parse_keyring(text: str) -> Keyring:
    """Return the keys in ``kid:base64url[,kid:base64url]``; the first signs, all verify.

    Raises:
        ConfigurationError: there is no key, an id is used twice, or a key has less than 32 bytes.
    """
    keys: dict[str, bytes] = {}
    for part in filter(None, (part.strip() for part in text.split(","))):
        kid, _, encoded = part.partition(":")
        key = _decoded(encoded)
        if not kid.isalnum() or kid in keys or key is None or len(key) < MIN_KEY_BYTES:
            raise ConfigurationError(
                "QUOTE_KEYS must be kid:base64url, separated by commas; a key has at least 32 bytes"
            )
        keys[kid] = key
    if not keys:
        raise ConfigurationError("QUOTE_KEYS is empty: run `make deploy-env`")
    return Keyring(keys)


def styled_prompt(prompt: str, style: str) -> str:
    """Return the text that a provider gets: the style is appended to the prompt."""
    return f"{prompt}\n\nStyle: {style}" if not is_blank(style) else prompt


def prompt_hash(prompt: str) -> str:
    """Return the SHA-256 of a prompt in hex, which binds a quote to exactly this prompt."""
    return hashlib.sha256(prompt.encode("utf-8", "surrogatepass")).hexdigest()


def sign_quote(quote: Quote, keyring: Keyring) -> str:
    """Return the quote as a signed token, for the client to send back."""
    payload = _PAYLOAD.dump_python(quote, mode="json")
    for one in payload["candidates"]:
        for name in ("file_format", "size"):
            if not one[name]:
                del one[name]
    _drop_defaults(payload)
    prefix = PREFIX_WITH_INPUTS if _is_new(quote) else PREFIX
    if prefix == PREFIX:
        del payload["inputs"], payload["wishes"]
    text = json.dumps(payload, separators=(",", ":"))
    signed = f"{prefix}.{keyring.signing_id}.{_encoded(text.encode())}"
    return f"{signed}.{_mac(keyring.keys[keyring.signing_id], signed)}"


def open_quote(token: str, keyring: Keyring) -> Quote:
    """Return the quote in a token that one of our keys signed. It may have expired.

    Raises:
        QuoteError: none of our keys signed it, or a byte of it was changed.
    """
    invalid = _invalid_quote()
    if len(token) > MAX_TOKEN_CHARACTERS or not token.isascii():
        raise invalid
    signed, _, mac = token.rpartition(".")
    prefix, _, rest = signed.partition(".")
    kid, _, payload = rest.partition(".")
    key = keyring.keys.get(kid)
    if prefix not in _PREFIXES or key is None or not hmac.compare_digest(mac, _mac(key, signed)):
        raise invalid
    try:
        return _PAYLOAD.validate_python(_json(payload))
    except (ValidationError, ValueError):
        raise invalid from None


def _drop_defaults(payload: dict[str, Any]) -> None:
    """Leave out what only an operation without a prompt has."""
    if payload["operation"] == Operation.GENERATE:
        del payload["operation"], payload["wishes"]["scale"]


def _is_new(quote: Quote) -> bool:
    """Return whether an earlier release would make something else of this quote."""
    has_sizes = any(one.size for one in quote.candidates)
    return bool(quote.inputs) or quote.wishes != NONE or has_sizes


def check_quote(quote: Quote, *, user: str, prompt: str) -> None:
    """Raise unless the quote was made for this user and this prompt.

    Raises:
        QuoteError: it was made for another user. The error is the same as for a forged quote, so
            that this user does not learn that the quote is genuine.
        QuoteMismatchError: it was made for another prompt.
    """
    if not hmac.compare_digest(quote.user, user):
        raise _invalid_quote()
    if not hmac.compare_digest(quote.prompt_hash, prompt_hash(prompt)):
        raise QuoteMismatchError("The quote was made for another prompt. Ask for a new estimate.")


def _invalid_quote() -> QuoteError:
    # A quote whose key was dropped looks like a forged one, and its image may have been made.
    return QuoteError(
        "The quote is not valid. Ask for a new estimate, unless it was confirmed before: then look "
        "at the status of its image first."
    )


def _mac(key: bytes, signed: str) -> str:
    return _encoded(hmac.digest(key, signed.encode(), "sha256"))


def _encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _decoded(text: str) -> bytes | None:
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        return None


def _json(payload: str) -> Any:
    data = _decoded(payload)
    if data is None:
        raise ValueError("not base64url")
    return json.loads(data)
