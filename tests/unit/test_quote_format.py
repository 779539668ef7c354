"""The quote as it is written down, made by hand: what is in clients' hands today opens tomorrow."""

import base64
import hashlib
import hmac
import json
from dataclasses import replace

import pytest

from imagegen.domain.catalog import Tier
from imagegen.domain.errors import ConfigurationError, QuoteError
from imagegen.domain.ids import ImageRef
from imagegen.domain.quote import (
    LIFETIME_MS,
    Keyring,
    Quote,
    QuotedCandidate,
    check_quote,
    open_quote,
    parse_keyring,
    prompt_hash,
    sign_quote,
    styled_prompt,
)

KEY = b"one key of thirty-two bytes ...."
KEYRING = Keyring({"k1": KEY})
USER = "a1" * 16
PAYLOAD = {
    "quote_id": "a" * 24,
    "image_id": "b" * 64,
    "user": USER,
    "day": "20261122",
    "issued_ms": 1_000_000,
    "expires_ms": 1_600_000,
    "prompt_hash": hashlib.sha256(b"a fox").hexdigest(),
    "tier": "standard",
    "size": "square",
    "style": "ink?>",
    "candidates": [{"key": "alpha", "price_microusd": 50_000, "digest": "0" * 16}],
    "slot": 3,
    "fallback": None,
}
QUOTE = Quote(
    quote_id="a" * 24,
    image_id="b" * 64,
    user=USER,
    day="20261122",
    issued_ms=1_000_000,
    expires_ms=1_600_000,
    prompt_hash=prompt_hash("a fox"),
    tier=Tier.STANDARD,
    size="square",
    style="ink?>",
    candidates=(QuotedCandidate("alpha", 50_000, "0" * 16),),
    slot=3,
)


def encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().replace("=", "")


def written(payload: str, *, prefix: str = "q1", kid: str = "k1") -> str:
    signed = f"{prefix}.{kid}.{payload}"
    return f"{signed}.{encoded(hmac.new(KEY, signed.encode(), hashlib.sha256).digest())}"


def payload(values: object) -> str:
    return encoded(json.dumps(values, separators=(",", ":")).encode())


def of_length(length: int) -> tuple[str, Keyring]:
    """Return a quote that is signed well and is as long as that, by the name of its key."""
    quote = replace(QUOTE, style="x" * 5_000)
    short = len(sign_quote(quote, Keyring({"": KEY})))
    keyring = Keyring({"k" * (length - short): KEY})
    return sign_quote(quote, keyring), keyring


def test_a_quote_is_compact_json_and_its_hmac_in_base64url_without_padding() -> None:
    assert sign_quote(QUOTE, KEYRING) == written(payload(PAYLOAD))
    assert "=" not in sign_quote(QUOTE, KEYRING)


def test_what_was_written_by_hand_opens() -> None:
    assert open_quote(written(payload(PAYLOAD)), KEYRING) == QUOTE


def test_a_quote_lives_for_ten_minutes() -> None:
    assert LIFETIME_MS == 600_000


def test_the_longest_quote_has_8192_characters() -> None:
    token, keyring = of_length(8_192)
    assert len(token) == 8_192
    assert open_quote(token, keyring).style == "x" * 5_000
    token, keyring = of_length(8_193)
    assert len(token) == 8_193
    with pytest.raises(QuoteError):
        open_quote(token, keyring)


def test_another_format_under_our_own_key_is_refused() -> None:
    with pytest.raises(QuoteError):
        open_quote(written(payload(PAYLOAD), prefix="q3"), KEYRING)


@pytest.mark.parametrize(
    "signed",
    [
        "",
        "!!!!",
        "A",
        encoded(b"no json"),
        encoded(b"\xff\xfe"),
        payload([]),
        payload({}),
        payload(PAYLOAD | {"tier": "best"}),
        payload({name: value for name, value in PAYLOAD.items() if name != "slot"}),
    ],
)
def test_what_we_signed_and_is_no_quote_is_refused_and_says_what_to_do(signed: str) -> None:
    with pytest.raises(
        QuoteError, match=r"^The quote is not valid\. Ask for a new estimate, unless "
    ):
        open_quote(written(signed), KEYRING)


def test_a_quote_is_taken_from_whom_and_for_what_it_was_made() -> None:
    check_quote(QUOTE, user=USER, prompt="a fox")


def test_a_prompt_that_is_no_text_has_a_hash_of_its_own() -> None:
    assert prompt_hash("\ud800") != prompt_hash("\ud801")
    assert prompt_hash("a fox") == hashlib.sha256(b"a fox").hexdigest()


def test_a_key_is_base64url_and_nothing_else() -> None:
    key = b"\xfb\xff\xbe" * 11
    text = encoded(key)
    assert {"-", "_"} <= set(text)
    assert parse_keyring(f"k1:{text}").keys == {"k1": key}
    with pytest.raises(ConfigurationError, match="QUOTE_KEYS"):
        parse_keyring(f"k1:{text[:8]}!{text[8:]}")


def test_a_style_is_appended_to_the_prompt_and_a_blank_one_is_not() -> None:
    assert styled_prompt("a", "ink") == "a\n\nStyle: ink"
    assert styled_prompt("a", "  ") == "a"


def test_the_image_of_a_quote_is_kept_under_its_id_its_user_and_its_time_of_issue() -> None:
    assert QUOTE.ref == ImageRef("a" * 24, USER, 1_000_000)


def test_one_size_of_a_model_is_enough_for_what_an_earlier_release_would_not_see() -> None:
    own = QuotedCandidate("beta", 50_000, "1" * 16, size="832x1248")
    mixed = replace(QUOTE, candidates=(*QUOTE.candidates, own))
    assert [sign_quote(one, KEYRING)[:3] for one in (QUOTE, mixed)] == ["q1.", "q2."]
