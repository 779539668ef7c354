"""Who may enter: whoever holds a token of the one issuer for us, and nobody else."""

import base64
import hashlib
import hmac
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from hypothesis import given
from hypothesis import strategies as st

from imagegen.domain.errors import (
    ConfigurationError,
    ForbiddenError,
    StoreUnavailableError,
    UnauthorizedError,
)
from imagegen.edge import token_hints
from imagegen.edge.token_claims import ScopeNames, team_of
from imagegen.edge.token_keys import Keys
from imagegen.edge.tokens import TokenVerifier, build_verifier, user_id
from tests.fakes.clock import Clock

ISSUER, AUDIENCE = "https://issuer.test/", "imagegen"
# Tokens are checked against the wall clock by PyJWT: these dates are far from any run of this.
LONG_AGO, FAR_AHEAD = 1_000_000_000, 4_000_000_000
REFUSED = pytest.raises(UnauthorizedError)


@dataclass(frozen=True, slots=True)
class Pair:
    """A private key and its public half as a JWK."""

    kid: str
    algorithm: str
    private: Any

    @property
    def jwk(self) -> dict[str, Any]:
        kind: Any = jwt.get_algorithm_by_name(self.algorithm)
        values: dict[str, Any] = kind.to_jwk(self.private.public_key(), as_dict=True)
        return values | {"kid": self.kid, "use": "sig"}

    @property
    def pem(self) -> bytes:
        data: bytes = self.private.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        return data


@cache
def pairs() -> dict[str, Pair]:
    """Return a key pair for each algorithm, and one that the issuer does not have."""
    return {
        "RS256": Pair("rsa", "RS256", rsa.generate_private_key(65537, 2048)),
        "ES256": Pair("ec", "ES256", ec.generate_private_key(ec.SECP256R1())),
        "EdDSA": Pair("okp", "EdDSA", ed25519.Ed25519PrivateKey.generate()),
        "stranger": Pair("rsa", "RS256", rsa.generate_private_key(65537, 2048)),
    }


def published() -> list[dict[str, Any]]:
    return [pairs()[name].jwk for name in ("RS256", "ES256", "EdDSA")]


@dataclass(slots=True)
class Issuer:
    """The issuer's address, which counts who asks."""

    keys: Any = field(default_factory=published)
    fetched: int = 0
    down: bool = False

    def fetch(self) -> bytes:
        self.fetched += 1
        if self.down:
            raise OSError("no route")
        return (
            self.keys if isinstance(self.keys, bytes) else json.dumps({"keys": self.keys}).encode()
        )


@dataclass(slots=True)
class Door:
    issuer: Issuer = field(default_factory=Issuer)
    clock: Clock = field(default_factory=Clock)
    verifier: TokenVerifier = field(init=False)

    def __post_init__(self) -> None:
        self.verifier = build_verifier(ISSUER, AUDIENCE, fetch=self.issuer.fetch, now_ms=self.clock)

    def enter(self, token: str) -> Any:
        return self.verifier.verify(f"Bearer {token}")


@pytest.fixture
def door() -> Door:
    return Door()


def claims(**changes: Any) -> dict[str, Any]:
    good = {"iss": ISSUER, "aud": AUDIENCE, "sub": "user-1", "iat": LONG_AGO, "exp": FAR_AHEAD}
    return {name: one for name, one in (good | changes).items() if one is not ...}


def signed(
    payload: dict[str, Any] | None = None,
    *,
    by: str = "RS256",
    headers: dict[str, Any] | None = None,
) -> str:
    pair = pairs()[by]
    return jwt.encode(
        payload or claims(),
        pair.private,
        algorithm=pair.algorithm,
        headers={"kid": pair.kid, **(headers or {})},
    )


def part(values: Any) -> str:
    data = values if isinstance(values, bytes) else json.dumps(values).encode()
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def by_hmac(header: dict[str, Any], key: bytes, digest: str = "sha256") -> str:
    body = f"{part(header)}.{part(claims())}"
    return f"{body}.{part(hmac.digest(key, body.encode(), digest))}"


def resigned(header: dict[str, Any], payload: Any = None) -> str:
    """Return a token with any header and claims, truly signed by the issuer's RSA key."""
    body = f"{part(header)}.{part(payload or claims())}"
    algorithm = jwt.algorithms.RSAAlgorithm(jwt.algorithms.RSAAlgorithm.SHA256)
    return f"{body}.{part(algorithm.sign(body.encode(), pairs()['RS256'].private))}"


def unsigned(algorithm: str) -> str:
    return f"{part({'alg': algorithm, 'kid': 'rsa', 'typ': 'JWT'})}.{part(claims())}."


@pytest.mark.parametrize("by", ["RS256", "ES256", "EdDSA"])
def test_a_token_of_the_issuer_for_us_is_let_in(door: Door, by: str) -> None:
    user = door.enter(signed(by=by))
    assert user.id == user_id(ISSUER, "user-1")
    assert len(user.id) == 32
    assert not user.is_admin


@pytest.mark.parametrize(
    "accepted",
    [
        {"aud": ["other", AUDIENCE]},
        {"aud": ..., "client_id": AUDIENCE, "token_use": "access"},
        {"nbf": LONG_AGO},
        {"sub": "x" * 255},
    ],
    ids=str,
)
def test_other_ways_to_name_us_are_good(door: Door, accepted: dict[str, Any]) -> None:
    assert door.enter(signed(claims(**accepted))).id


HOSTILE: dict[str, Callable[[], str]] = {
    "alg none": lambda: unsigned("none"),
    "alg None": lambda: unsigned("None"),
    "alg NONE": lambda: unsigned("NONE"),
    "alg empty": lambda: unsigned(""),
    "alg missing": lambda: resigned({"kid": "rsa"}),
    "alg a list": lambda: resigned({"alg": ["RS256"], "kid": "rsa"}),
    "alg a number": lambda: resigned({"alg": 5, "kid": "rsa"}),
    "alg another of the family": lambda: resigned({"alg": "RS512", "kid": "rsa"}),
    "alg PS256": lambda: resigned({"alg": "PS256", "kid": "rsa"}),
    "HS256 by the public key": lambda: by_hmac(
        {"alg": "HS256", "kid": "rsa"}, pairs()["RS256"].pem
    ),
    "HS512 by the public key": lambda: by_hmac(
        {"alg": "HS512", "kid": "rsa"}, pairs()["RS256"].pem, "sha512"
    ),
    "HS256 by the JWK": lambda: by_hmac(
        {"alg": "HS256", "kid": "rsa"}, json.dumps(pairs()["RS256"].jwk).encode()
    ),
    "HS256 by nothing": lambda: by_hmac({"alg": "HS256", "kid": "rsa"}, b""),
    "RS256 said, HMAC done": lambda: by_hmac({"alg": "RS256", "kid": "rsa"}, pairs()["RS256"].pem),
    "signed by a stranger": lambda: signed(by="stranger"),
    "key of another kind": lambda: signed(headers={"kid": "ec"}),
    "EdDSA under the RSA key": lambda: signed(by="EdDSA", headers={"kid": "rsa"}),
    "another issuer": lambda: signed(claims(iss="https://evil.test/")),
    "issuer without its slash": lambda: signed(claims(iss=ISSUER.rstrip("/"))),
    "issuer a list": lambda: resigned({"alg": "RS256", "kid": "rsa"}, claims(iss=[ISSUER])),
    "another audience": lambda: signed(claims(aud="other")),
    "audience that begins like us": lambda: signed(claims(aud=AUDIENCE + "-test")),
    "audience empty": lambda: signed(claims(aud=[])),
    "audience null": lambda: signed(claims(aud=None, client_id=AUDIENCE)),
    "audience a dict": lambda: signed(claims(aud={AUDIENCE: 1})),
    "no audience": lambda: signed(claims(aud=...)),
    "another client": lambda: signed(claims(aud=..., client_id="other", token_use="access")),
    "a client of no kind": lambda: signed(claims(aud=..., client_id=AUDIENCE)),
    "an id token of Cognito": lambda: signed(claims(token_use="id")),
    "a refresh token": lambda: signed(claims(token_use="refresh")),
    "token_use empty": lambda: signed(claims(token_use="")),
    "token_use null": lambda: signed(claims(token_use=None)),
    "token_use in capitals": lambda: signed(claims(token_use="ACCESS")),
    "token_use a list": lambda: signed(claims(token_use=["access"])),
    "token_use another word": lambda: signed(claims(token_use="m2m")),
    "expired": lambda: signed(claims(exp=LONG_AGO + 60)),
    "expiry no number": lambda: signed(claims(exp="never")),
    "expiry infinite": lambda: signed(claims(exp=float("inf"))),
    "expiry NaN": lambda: signed(claims(exp=float("nan"))),
    "not yet valid": lambda: signed(claims(nbf=FAR_AHEAD - 1)),
    "issued in the future": lambda: signed(claims(iat=FAR_AHEAD - 1)),
    "no expiry": lambda: signed(claims(exp=...)),
    "no subject": lambda: signed(claims(sub=...)),
    "no issuer": lambda: signed(claims(iss=...)),
    "no time of issue": lambda: signed(claims(iat=...)),
    "subject empty": lambda: signed(claims(sub="")),
    "subject a number": lambda: resigned({"alg": "RS256", "kid": "rsa"}, claims(sub=5)),
    "subject null": lambda: resigned({"alg": "RS256", "kid": "rsa"}, claims(sub=None)),
    "subject too long": lambda: signed(claims(sub="x" * 256)),
    "crit": lambda: signed(headers={"crit": ["exp"], "exp": 1}),
    "crit empty": lambda: resigned({"alg": "RS256", "kid": "rsa", "crit": []}),
    "unknown kid": lambda: signed(headers={"kid": "nobody"}),
    "kid of a path": lambda: signed(headers={"kid": "../../dev/null"}),
    "kid missing": lambda: resigned({"alg": "RS256"}),
    "kid null": lambda: resigned({"alg": "RS256", "kid": None}),
    "kid a number": lambda: resigned({"alg": "RS256", "kid": 1}),
    "kid a list": lambda: resigned({"alg": "RS256", "kid": ["rsa"]}),
    "kid a dict": lambda: resigned({"alg": "RS256", "kid": {"rsa": 1}}),
    "jku and a stranger": lambda: signed(by="stranger", headers={"jku": "https://evil.test/k"}),
    "jwk and a stranger": lambda: signed(by="stranger", headers={"jwk": pairs()["stranger"].jwk}),
    "x5u and a stranger": lambda: signed(by="stranger", headers={"x5u": "https://evil.test/k"}),
    "a megabyte": lambda: signed(claims(note="x" * 1_000_000)),
    "a megabyte of nothing": lambda: "a" * 1_000_000,
    "three dots": lambda: "...",
    "two parts": lambda: ".".join(signed().split(".")[:2]),
    "four parts": lambda: signed() + ".x",
    "header no object": lambda: f"{part([1])}.{part(claims())}.x",
    "header a deep nest": lambda: f"{part(b'[' * 6_000)}.{part(claims())}.x",
    "claims no object": lambda: resigned({"alg": "RS256", "kid": "rsa"}, [1]),
    "signature cut": lambda: signed()[:-10],
    "claims exchanged": lambda: signed().replace(
        signed().split(".")[1], part(claims(sub="somebody else"))
    ),
    "not ASCII": lambda: signed() + "é",
    "two tokens": lambda: f"{signed()} {signed()}",
    "nothing": lambda: " ",
}


@pytest.mark.parametrize("token", HOSTILE.values(), ids=HOSTILE.keys())
def test_a_hostile_token_is_refused_and_leads_nowhere_but_to_the_issuer(
    door: Door, token: Callable[[], str]
) -> None:
    with REFUSED:
        door.enter(token())
    assert door.issuer.fetched <= 1


@pytest.mark.parametrize(
    "header", [None, "", "Bearer", "Bearer ", "Basic dTpw", "bearertoken", "Token x"]
)
def test_without_a_bearer_token_nobody_enters(door: Door, header: str | None) -> None:
    with pytest.raises(UnauthorizedError, match=r"token"):
        door.verifier.verify(header)
    assert door.issuer.fetched == 0


@given(st.text(max_size=100))
def test_any_other_text_is_refused_and_nothing_worse(text: str) -> None:
    with REFUSED:
        Door().enter(text)


@given(st.integers(0, 2_000), st.integers(0, 127))
def test_a_token_changed_in_any_character_is_refused(position: int, char: int) -> None:
    token = signed()
    position %= len(token)
    changed = token[:position] + chr(char) + token[position + 1 :]
    head, body, signature = token.split(".")
    # The last character of a part has bits that base64 does not read.
    spare = {len(head) - 1, len(head) + len(body), len(token) - 1}
    if changed.strip() != token and position not in spare and len(signature) > 1:
        with REFUSED:
            Door().enter(changed)


@pytest.mark.parametrize("kid", ["", "other", "rsa\0", "RSA"])
def test_unknown_key_ids_fetch_the_keys_once_a_minute_at_most(door: Door, kid: str) -> None:
    door.enter(signed())
    door.clock.advance(60_000)
    for n in range(500):
        with REFUSED:
            door.enter(signed(by="ES256", headers={"kid": f"{kid}{n}"}))
    assert door.issuer.fetched == 2
    door.clock.advance(59_999)
    with REFUSED:
        door.enter(signed(headers={"kid": kid}))
    assert door.issuer.fetched == 2
    door.clock.advance(1)
    with REFUSED:
        door.enter(signed(headers={"kid": kid}))
    assert door.issuer.fetched == 3


def test_a_new_key_of_the_issuer_is_taken_after_a_minute_at_most(door: Door) -> None:
    door.issuer.keys = published()[1:]
    with REFUSED:
        door.enter(signed())
    door.issuer.keys = published()
    door.clock.advance(60_000)
    assert door.enter(signed()).id


def test_the_keys_are_fetched_again_after_an_hour(door: Door) -> None:
    door.enter(signed())
    door.clock.advance(3_599_999)
    door.enter(signed())
    assert door.issuer.fetched == 1
    door.issuer.keys = published()[1:]
    door.clock.advance(1)
    with REFUSED:
        door.enter(signed())


def test_old_keys_are_kept_while_the_issuer_is_down(door: Door) -> None:
    door.enter(signed())
    door.issuer.down = True
    door.clock.advance(86_400_000)
    assert door.enter(signed()).id


BAD_KEYS: dict[str, Any] = {
    "no JSON": b"<html>",
    "no object": b"[]",
    "no keys": b"{}",
    "keys null": None,
    "keys a text": "rsa",
    "a key that is no object": ["rsa", 5, None],
    "a key without a kind": [{"kid": "rsa"}],
    "a kid that is no text": [{"kty": "RSA", "kid": ["rsa"]}],
}


@pytest.mark.parametrize("keys", BAD_KEYS.values(), ids=BAD_KEYS.keys())
def test_an_issuer_without_good_keys_lets_nobody_in_for_now(door: Door, keys: Any) -> None:
    door.issuer.keys = keys
    with pytest.raises(StoreUnavailableError):
        door.enter(signed())


@pytest.mark.parametrize("keys", BAD_KEYS.values(), ids=BAD_KEYS.keys())
def test_one_bad_key_beside_a_good_one_does_no_harm(door: Door, keys: Any) -> None:
    extra = keys if isinstance(keys, list) else []
    door.issuer.keys = [*extra, *published()]
    assert door.enter(signed()).id


def test_a_key_whose_id_is_no_text_does_no_harm(door: Door) -> None:
    door.issuer.keys = [published()[0] | {"kid": ["a list"]}, *published()]
    assert door.enter(signed()).id


def test_a_symmetric_key_and_one_for_encryption_are_not_used(door: Door) -> None:
    secret = {"kty": "oct", "kid": "shared", "k": part(b"s" * 32), "alg": "HS256"}
    door.issuer.keys = [secret, published()[0] | {"use": "enc"}]
    with pytest.raises((UnauthorizedError, StoreUnavailableError)):
        door.enter(by_hmac({"alg": "HS256", "kid": "shared"}, b"s" * 32))
    with pytest.raises((UnauthorizedError, StoreUnavailableError)):
        door.enter(signed())


@pytest.mark.parametrize(
    ("said", "is_admin"),
    [
        ({"scope": "read admin"}, True),
        ({"scp": ["read", "admin"]}, True),
        ({"scope": "administrator"}, False),
        ({"scope": ["read", 5]}, False),
        ({"scope": 5}, False),
        ({"scope": None}, False),
        ({"scope": {"admin": True}}, False),
        ({}, False),
    ],
    ids=str,
)
def test_who_is_an_admin_is_said_by_a_scope(
    door: Door, said: dict[str, Any], *, is_admin: bool
) -> None:
    assert door.enter(signed(claims(**said))).is_admin is is_admin


def test_a_subject_with_half_a_character_is_a_user_of_its_own() -> None:
    assert user_id(ISSUER, "a\ud800") not in {user_id(ISSUER, one) for one in ("a", "a\ufffd")}


def test_two_issuers_with_one_subject_are_two_users() -> None:
    assert user_id("https://a/", "x") != user_id("https://b/", "x")
    assert user_id("a", "bc") != user_id("ab", "c")
    assert user_id("i", "s") == hashlib.sha256(b"i\0s").hexdigest()[:32]


@pytest.mark.parametrize(("issuer", "audience"), [("", "x"), ("x", ""), ("", "")])
def test_without_an_issuer_or_audience_nobody_may_enter(issuer: str, audience: str) -> None:
    with pytest.raises(ConfigurationError, match="JwtIssuer"):
        build_verifier(issuer, audience, fetch=lambda: b"", now_ms=Clock())


def test_an_unset_key_store_asks_for_the_first_key_at_once() -> None:
    issuer = Issuer()
    keys = Keys(issuer.fetch, Clock())
    assert keys.get("rsa", "RS256")
    assert keys.get("nobody", "RS256") == []
    assert issuer.fetched == 1


@pytest.mark.parametrize("scheme", ["Basic", "Token", "DPoP", "Bearer:", "bearer\u00a0", "B"])
def test_a_good_token_under_another_scheme_is_no_token(door: Door, scheme: str) -> None:
    with pytest.raises(UnauthorizedError, match="Send a token"):
        door.verifier.verify(f"{scheme} {signed()}")


@pytest.mark.parametrize("header", [None, "", "Bearer", "Bearer ", "bearer "])
def test_without_a_token_the_answer_is_to_send_one(door: Door, header: str | None) -> None:
    with pytest.raises(UnauthorizedError, match="Send a token"):
        door.verifier.verify(header)


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
def test_the_scheme_is_read_in_any_case(door: Door, scheme: str) -> None:
    assert door.verifier.verify(f"{scheme} {signed()}") == door.enter(signed())


@pytest.mark.parametrize(("length", "is_user"), [(1, True), (255, True), (256, False), (0, False)])
def test_a_subject_has_1_to_255_characters(door: Door, length: int, *, is_user: bool) -> None:
    token = signed(claims(sub="s" * length))
    if is_user:
        assert door.enter(token).id == user_id(ISSUER, "s" * length)
        return
    with pytest.raises(UnauthorizedError) as caught:
        door.enter(token)
    assert caught.value.hint == token_hints.CLAIMS


@pytest.mark.parametrize(("more", "hint"), [(0, token_hints.UNREADABLE), (1, token_hints.OVERLONG)])
def test_a_token_has_at_most_32768_characters(door: Door, more: int, hint: str) -> None:
    with pytest.raises(UnauthorizedError) as caught:
        door.enter("a" * (32_768 + more))
    assert caught.value.hint == hint


TYPES: dict[str, tuple[dict[str, Any], bool]] = {
    "none": ({}, True),
    "JWT": ({"typ": "JWT"}, True),
    "in small letters": ({"typ": "jwt"}, True),
    "an access token": ({"typ": "at+jwt"}, True),
    "an access token in full": ({"typ": "application/at+jwt"}, True),
    "in full and in capitals": ({"typ": "APPLICATION/AT+JWT"}, True),
    "empty": ({"typ": ""}, False),
    "a number": ({"typ": 7}, False),
    "a list": ({"typ": ["JWT"]}, False),
    "null": ({"typ": None}, False),
    "another": ({"typ": "dpop+jwt"}, False),
    "a logout token": ({"typ": "logout+jwt"}, False),
    "a kid that is a number": ({"kid": 7}, False),
    "a kid that is null": ({"kid": None}, False),
    **{f"with {name}": ({name: ["x"]}, False) for name in ("crit", "b64", "zip", "enc", "cty")},
}


@pytest.mark.parametrize(("header", "is_read"), TYPES.values(), ids=TYPES.keys())
def test_a_token_is_read_only_with_a_header_that_is_known(
    door: Door, header: dict[str, Any], *, is_read: bool
) -> None:
    whole = {"alg": "RS256", "kid": pairs()["RS256"].kid} | header
    token = resigned({name: one for name, one in whole.items() if one is not ...})
    if is_read:
        assert door.enter(token) == door.enter(signed())
        return
    with pytest.raises(UnauthorizedError) as caught:
        door.enter(token)
    assert caught.value.hint == token_hints.HEADER
    assert door.issuer.fetched == 0


@pytest.mark.parametrize("algorithm", [None, 7, ["RS256"], "", "none", "HS256", "rs256", "PS512x"])
def test_a_token_is_read_only_with_a_configured_algorithm(door: Door, algorithm: object) -> None:
    with REFUSED:
        door.enter(resigned({"alg": algorithm, "kid": pairs()["RS256"].kid}))
    assert door.issuer.fetched == 0


@pytest.mark.parametrize("name", ["exp", "iat", "nbf"])
@pytest.mark.parametrize("value", [True, "1600000000", "9" * 11, [1], None, {}])
def test_the_times_of_a_token_are_numbers(door: Door, name: str, value: object) -> None:
    with REFUSED:
        door.enter(resigned({"alg": "RS256", "kid": "rsa"}, claims(**{name: value})))


@pytest.mark.parametrize("name", ["exp", "iat", "nbf"])
def test_a_time_may_have_a_fraction(door: Door, name: str) -> None:
    value = FAR_AHEAD + 0.5 if name == "exp" else LONG_AGO + 0.5
    assert door.enter(signed(claims(**{name: value}))).id


@pytest.mark.parametrize("claim", ["scope", "scp", "roles", "permissions", "cognito:groups"])
@pytest.mark.parametrize(
    ("words", "is_user", "is_admin"),
    [
        ([], False, False),
        (["other"], False, False),
        (["images.use"], True, False),
        (["other", "images.use"], True, False),
        (["images.run"], True, True),
        (["images.use", "images.run"], True, True),
        (["images"], False, False),
        ([7, None, {"a": 1}, ["images.run"], "images.use"], True, False),
    ],
    ids=str,
)
def test_if_a_scope_is_required_only_it_or_the_admins_lets_a_user_in(
    door: Door, claim: str, words: list[Any], *, is_user: bool, is_admin: bool
) -> None:
    names = ScopeNames(user="images.use", admin="images.run")
    verifier = build_verifier(
        ISSUER, AUDIENCE, fetch=door.issuer.fetch, now_ms=door.clock, scope_names=names
    )
    forms: list[Any] = [words]
    if all(isinstance(one, str) for one in words):
        forms.append(" ".join(words))
    for form in forms:
        header = f"Bearer {signed(claims(**{claim: form}))}"
        if is_user:
            assert verifier.verify(header).is_admin is is_admin
        else:
            with pytest.raises(ForbiddenError, match=r"images\.use"):
                verifier.verify(header)


@pytest.mark.parametrize("value", [7, {"images.run": 1}, None, True])
def test_a_claim_of_scopes_that_is_no_text_and_no_list_has_none(door: Door, value: object) -> None:
    assert not door.enter(signed(claims(scope=value))).is_admin


HEADER = {"alg": "RS256", "kid": "rsa"}
TWICE = json.dumps(claims())[:-1].encode() + b', "sub": "another"}'
UNREADABLE: dict[str, Callable[[], str]] = {
    "a claim twice": lambda: resigned(HEADER, TWICE),
    "a field of the header twice": lambda: f"{part(b'{"alg":"RS256","alg":"RS256"}')}.e30.AA",
    "a claim that is not a number": lambda: resigned(HEADER, b'{"exp": NaN}'),
    "an infinite claim": lambda: resigned(HEADER, b'{"exp": Infinity}'),
    "claims in a list": lambda: resigned(HEADER, b"[]"),
    "claims that are null": lambda: resigned(HEADER, b"null"),
    "a header in a list": lambda: f"{part(b'[]')}.e30.AA",
    "claims that are not UTF-8": lambda: resigned(HEADER, b"\xff"),
    "padding": lambda: f"{signed()}==",
    "a line break": lambda: signed().replace(".", "\n.", 1),
    "a sign of another alphabet": lambda: signed().replace(".", "+.", 1),
    "another spelling of the signature": lambda: signed()[:-1] + chr(ord(signed()[-1]) + 1),
    "two parts": lambda: signed().rpartition(".")[0],
    "four parts": lambda: f"{signed()}.AA",
}


@pytest.mark.parametrize("token", UNREADABLE.values(), ids=UNREADABLE.keys())
def test_a_token_that_could_be_read_in_two_ways_is_not_read(
    door: Door, token: Callable[[], str]
) -> None:
    with pytest.raises(UnauthorizedError) as caught:
        door.enter(token())
    assert caught.value.hint == token_hints.UNREADABLE
    assert door.issuer.fetched == 0


@pytest.mark.parametrize("names", [ScopeNames(admin=""), ScopeNames(user="x", admin="")], ids=str)
def test_without_an_admin_scope_nobody_may_enter(door: Door, names: ScopeNames) -> None:
    with pytest.raises(ConfigurationError):
        build_verifier(
            ISSUER, AUDIENCE, fetch=door.issuer.fetch, now_ms=door.clock, scope_names=names
        )


OF_TEAMS = ScopeNames(team_claim="team")


@pytest.mark.parametrize("claims", [{}, {"team": None}, {"team": ""}, {"team": []}, {"": "art"}])
def test_a_user_without_a_team_counts_for_none(claims: dict[str, Any]) -> None:
    assert team_of(claims, OF_TEAMS) == ""


@pytest.mark.parametrize("claim", ["", "XX", "team"])
def test_without_a_claim_of_teams_nobody_has_a_team(claim: str) -> None:
    assert team_of({claim: "art"}, ScopeNames()) == ""


def test_a_teams_name_has_up_to_255_characters() -> None:
    assert team_of({"team": ["x" * 255, "other"]}, OF_TEAMS) == "x" * 255
    for wrong in ("x" * 256, ["x" * 256], 7, {"a": 1}):
        with pytest.raises(UnauthorizedError):
            team_of({"team": wrong}, OF_TEAMS)
