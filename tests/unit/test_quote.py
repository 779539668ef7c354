"""A quote is taken as it was given out, by whom it was given to, or not at all."""

import base64
import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imagegen.domain.catalog import Tier
from imagegen.domain.errors import ConfigurationError, QuoteError, QuoteMismatchError
from imagegen.domain.ids import ImageRef
from imagegen.domain.quote import (
    MAX_TOKEN_CHARACTERS,
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
from imagegen.domain.records import Fallback
from tests.examples import examples
from tests.fakes.service import KEYRING, OTHER_USER, PROMPT, USER

CANDIDATES = (
    QuotedCandidate("alpha-standard", 50_000, "0" * 16),
    QuotedCandidate("beta-standard", 70_000, "1" * 16),
)
QUOTE = Quote(
    quote_id="a" * 24,
    image_id="b" * 64,
    user=USER,
    day="20261122",
    issued_ms=1_000_000,
    expires_ms=1_600_000,
    prompt_hash=prompt_hash(PROMPT),
    tier=Tier.STANDARD,
    size="square",
    style="ink — 墨",
    candidates=CANDIDATES,
    slot=3,
    fallback=Fallback("gamma", "gamma-model", "circuit_open"),
)
TOKEN = sign_quote(QUOTE, KEYRING)
CHARACTERS = st.characters(codec="utf-8")


def refuses(token: str) -> None:
    with pytest.raises(QuoteError):
        open_quote(token, KEYRING)


def test_a_quote_reads_back_as_it_was_signed() -> None:
    assert open_quote(TOKEN, KEYRING) == QUOTE


def test_a_quote_changed_in_any_character_is_refused() -> None:
    for position, char in enumerate(TOKEN):
        before, after = TOKEN[:position], TOKEN[position + 1 :]
        for other in {chr(ord(char) ^ 1), chr(ord(char) ^ 32), "A", "=", ".", "é", "\n"} - {char}:
            refuses(before + other + after)
        refuses(before + after)
        refuses(before + "A" + char + after)
        refuses(before + char + char + after)


@given(st.integers(0, len(TOKEN) - 1), CHARACTERS)
def test_a_quote_with_any_other_character_anywhere_is_refused(position: int, char: str) -> None:
    changed = TOKEN[:position] + char + TOKEN[position + 1 :]
    if changed != TOKEN:
        refuses(changed)


@given(st.integers(0, len(TOKEN)), st.text(CHARACTERS, min_size=1, max_size=5))
def test_a_quote_with_anything_put_in_is_refused(position: int, extra: str) -> None:
    changed = TOKEN[:position] + extra + TOKEN[position:]
    if changed != TOKEN:
        refuses(changed)


@given(st.integers(0, len(TOKEN) - 1), st.integers(0, len(TOKEN) - 1))
def test_a_quote_with_characters_exchanged_is_refused(one: int, two: int) -> None:
    chars = list(TOKEN)
    chars[one], chars[two] = chars[two], chars[one]
    if "".join(chars) != TOKEN:
        refuses("".join(chars))


@given(st.text(max_size=200))
def test_any_other_text_is_no_quote(text: str) -> None:
    refuses(text)


@examples(50)
@given(st.sampled_from(["user", "day", "style", "size", "prompt_hash", "quote_id"]), st.text())
def test_a_payload_of_ones_own_is_refused(field: str, value: str) -> None:
    _, kid, payload, mac = TOKEN.split(".")
    values = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    forged = json.dumps(values | {field: value + "x"}).encode()
    body = base64.urlsafe_b64encode(forged).decode().rstrip("=")
    refuses(f"q1.{kid}.{body}.{mac}")


def test_a_quote_signed_with_a_key_of_ones_own_is_refused() -> None:
    refuses(sign_quote(QUOTE, Keyring({"k1": b"another key of thirty-two bytes."})))


def test_a_quote_under_another_key_id_is_refused() -> None:
    refuses(TOKEN.replace("q1.k1.", "q1.k0."))


def test_an_absurdly_long_quote_is_refused_unread() -> None:
    refuses("q1.k1." + "A" * MAX_TOKEN_CHARACTERS)


def test_a_quote_of_a_retired_key_is_good_while_the_key_verifies() -> None:
    old = sign_quote(QUOTE, Keyring({"k0": KEYRING.keys["k0"]}))
    assert open_quote(old, KEYRING) == QUOTE
    assert KEYRING.signing_id == "k1"


def test_a_quote_of_another_user_is_as_one_that_nobody_signed() -> None:
    with pytest.raises(QuoteError) as foreign:
        check_quote(QUOTE, user=OTHER_USER, prompt=PROMPT)
    with pytest.raises(QuoteError) as forged:
        open_quote("q1.k1.e30.x", KEYRING)
    assert (type(foreign.value), str(foreign.value)) == (type(forged.value), str(forged.value))


@given(st.text())
def test_a_quote_for_another_prompt_is_a_mismatch(prompt: str) -> None:
    if prompt != PROMPT:
        with pytest.raises(QuoteMismatchError, match="another prompt"):
            check_quote(QUOTE, user=USER, prompt=prompt)


def test_one_more_space_is_another_prompt() -> None:
    with pytest.raises(QuoteMismatchError):
        check_quote(QUOTE, user=USER, prompt=PROMPT + " ")


def test_a_quote_is_good_up_to_the_last_millisecond() -> None:
    assert not QUOTE.is_expired(QUOTE.expires_ms - 1)
    assert QUOTE.is_expired(QUOTE.expires_ms)


@given(st.lists(st.integers(1, 10**9), min_size=1, max_size=6))
def test_the_ceiling_is_at_least_what_is_expected(prices: list[int]) -> None:
    candidates = tuple(QuotedCandidate(f"row-{n}", price, "d") for n, price in enumerate(prices))
    quote = replace(QUOTE, candidates=candidates)
    assert quote.ceiling_microusd >= quote.expected_microusd >= 0
    assert quote.ceiling_microusd == max(prices)
    assert quote.expected_microusd == prices[0]


def test_an_image_is_kept_under_the_id_the_user_and_the_time_of_its_quote() -> None:
    assert QUOTE.ref == ImageRef(QUOTE.quote_id, USER, QUOTE.issued_ms)


@pytest.mark.parametrize("blank", ["", " ", "\n\t", "\u200b"])
def test_a_style_is_sent_behind_the_prompt_and_a_blank_one_is_not_sent(blank: str) -> None:
    assert styled_prompt(PROMPT, "ink") == f"{PROMPT}\n\nStyle: ink"
    assert styled_prompt(PROMPT, blank) == PROMPT


def encoded(size: int) -> str:
    return base64.urlsafe_b64encode(b"k" * size).decode().rstrip("=")


def test_the_first_key_signs_and_all_verify() -> None:
    keyring = parse_keyring(f" new:{encoded(32)} , old:{encoded(40)},")
    assert keyring.signing_id == "new"
    assert keyring.keys == {"new": b"k" * 32, "old": b"k" * 40}


@pytest.mark.parametrize(
    "text",
    [
        "",
        " , ",
        "k1",
        f"k1:{encoded(31)}",
        f"k.1:{encoded(32)}",
        f":{encoded(32)}",
        "k1:not base64!",
        f"k1:{encoded(32)},k1:{encoded(33)}",
    ],
)
def test_a_keyring_without_a_good_key_is_an_error_that_says_so(text: str) -> None:
    with pytest.raises(ConfigurationError, match="QUOTE_KEYS"):
        parse_keyring(text)


def test_the_longest_quote_that_can_be_asked_for_can_be_opened() -> None:
    many = tuple(QuotedCandidate("replicate-fast-klein", 10**6, "f" * 16) for _ in range(8))
    quote = replace(QUOTE, style="😀" * 200, candidates=many)
    assert open_quote(sign_quote(quote, KEYRING), KEYRING) == quote
