"""Which key may verify a token, by which algorithm; what the log says if none does."""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from imagegen.domain.errors import ConfigurationError, StoreUnavailableError, UnauthorizedError
from imagegen.edge import token_hints
from imagegen.edge.token_keys import ALGORITHMS, Keys
from imagegen.edge.tokens import MAX_JWT_CHARACTERS, TokenVerifier, build_verifier
from imagegen.logs import MAX_CHARACTERS, cleaned
from tests.fakes.clock import Clock
from tests.unit.test_auth import FAR_AHEAD, LONG_AGO, by_hmac, part

TENANT = "00000000-0000-4000-8000-000000000001"
ENTRA = f"https://login.microsoftonline.com/{TENANT}/v2.0"
AUDIENCE = "imagegen"
REFUSED = pytest.raises(UnauthorizedError)
EVERY = ",".join(ALGORITHMS)


@cache
def private(name: str) -> Any:
    """Return a private key; equal names are one key."""
    kind = name.partition("-")[0]
    curves = {"ES256": ec.SECP256R1(), "ES384": ec.SECP384R1(), "ES512": ec.SECP521R1()}
    if kind in curves:
        return ec.generate_private_key(curves[kind])
    if kind == "EdDSA":
        return ed25519.Ed25519PrivateKey.generate()
    return rsa.generate_private_key(65537, 2048)


def key_of(algorithm: str) -> str:
    """Return the name of the key for an algorithm: all of RSA have the same."""
    return "RSA" if algorithm[0] in "RP" else algorithm


def jwk(name: str, **changes: Any) -> dict[str, Any]:
    """Return a public key as the issuer publishes it; ``...`` takes a field away."""
    algorithm = "RS256" if name.startswith("RSA") else name.partition("-")[0]
    kind: Any = jwt.get_algorithm_by_name(algorithm)
    values: dict[str, Any] = kind.to_jwk(private(name).public_key(), as_dict=True)
    return {one: value for one, value in (values | changes).items() if value is not ...}


@dataclass(slots=True)
class Door:
    """A verifier, and what the issuer publishes."""

    keys: list[dict[str, Any]]
    issuer: str = "https://issuer.test"
    algorithms: str = EVERY
    fetched: int = 0
    clock: Clock = field(default_factory=Clock)
    verifier: TokenVerifier = field(init=False)

    def __post_init__(self) -> None:
        self.verifier = build_verifier(
            self.issuer,
            AUDIENCE,
            fetch=self.fetch,
            now_ms=self.clock,
            algorithms=self.algorithms,
        )

    def fetch(self) -> bytes:
        self.fetched += 1
        return json.dumps({"keys": self.keys}).encode()

    def enter(self, token: str) -> Any:
        return self.verifier.verify(f"Bearer {token}")

    def hint(self, token: str) -> str:
        """Return what the log says of a token that is refused."""
        with pytest.raises(UnauthorizedError) as refused:
            self.enter(token)
        assert str(refused.value) == "The token is not valid."
        assert refused.value.hint
        return refused.value.hint


def token(
    algorithm: str = "RS256", *, by: str = "", kid: Any = ..., typ: Any = "JWT", **changes: Any
) -> str:
    good = {"iss": "https://issuer.test", "aud": AUDIENCE, "sub": "user-1"}
    times = {"iat": LONG_AGO, "exp": FAR_AHEAD}
    payload = {name: one for name, one in (good | times | changes).items() if one is not ...}
    header = {} if kid is ... else {"kid": kid}
    signer = private(by or key_of(algorithm))
    return jwt.encode(payload, signer, algorithm, headers={"typ": typ, **header})


# Size.


@pytest.mark.parametrize("groups", [0, 120, 157, 200, 400])
def test_a_token_of_many_groups_is_read(groups: int) -> None:
    ids = [f"00000000-0000-4000-8000-{number:012}" for number in range(groups)]
    big = token(kid="k", groups=ids)
    assert Door([jwk("RSA", kid="k")]).enter(big).id
    assert len(big) > groups * 50


LARGE: dict[str, dict[str, Any]] = {
    "roles of a realm": {"realm_access": {"roles": [f"department-{n}-editor" for n in range(400)]}},
    "roles of many clients": {
        "resource_access": {f"client-{n}": {"roles": ["view", "edit"]} for n in range(170)}
    },
    "scopes in one text": {"scope": " ".join(f"api:thing-{n}:read" for n in range(500))},
    "names of groups in another script": {"groups": [f"グループ{n}" for n in range(300)]},
    "a picture in a claim": {"picture": "data:image/png;base64," + "A" * 12_000},
    "nested permissions": {"authorization": {"permissions": [{"rsid": "r" * 36}] * 150}},
    "groups that are left out": {"_claim_names": {"groups": "src1"}, "note": "n" * 9_000},
}


@pytest.mark.parametrize("algorithm", ["RS256", "ES256", "EdDSA"])
@pytest.mark.parametrize("kind", LARGE)
def test_a_large_token_of_any_issuer_is_read(kind: str, algorithm: str) -> None:
    big = token(algorithm, kid="k", **LARGE[kind])
    assert 8_192 < len(big) <= MAX_JWT_CHARACTERS
    assert Door([jwk(key_of(algorithm), kid="k")]).enter(big).id


def test_a_token_that_brings_its_certificates_is_read() -> None:
    """Some issuers put the chain (x5c) into each header; nothing of it is trusted."""
    header = {"alg": "RS256", "kid": "k", "typ": "JWT", "x5c": ["M" * 3_000] * 3}
    good = {"iss": "https://issuer.test", "aud": AUDIENCE, "sub": "user-1"}
    times = {"iat": LONG_AGO, "exp": FAR_AHEAD}
    big = jwt.encode(good | times, private("RSA"), "RS256", headers=header)
    assert len(big) > 8_192
    assert Door([jwk("RSA", kid="k")]).enter(big).id


def test_a_token_that_is_longer_than_any_is_refused_unread() -> None:
    door = Door([jwk("RSA", kid="k")])
    assert door.hint(token(kid="k", note="x" * MAX_JWT_CHARACTERS)) == token_hints.OVERLONG
    assert door.fetched == 0


# Algorithms.


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.parametrize("named", [True, False], ids=["the key names it", "the key does not"])
def test_each_configured_algorithm_lets_its_tokens_in(algorithm: str, *, named: bool) -> None:
    name = key_of(algorithm)
    door = Door([jwk(name, kid="k", alg=algorithm if named else ...)], algorithms=algorithm)
    assert door.enter(token(algorithm, kid="k")).id


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_an_algorithm_that_is_not_configured_lets_nobody_in(algorithm: str) -> None:
    others = ",".join(one for one in ALGORITHMS if one != algorithm)
    door = Door([jwk(key_of(algorithm), kid="k")], algorithms=others)
    hint = door.hint(token(algorithm, kid="k"))
    assert algorithm in hint
    assert "JwtAlgorithms" in hint
    assert door.fetched == 0


@pytest.mark.parametrize("algorithm", ["RS256", "RS384", "PS256", "PS512"])
def test_a_key_that_names_an_algorithm_is_for_that_one_alone(algorithm: str) -> None:
    other = "RS512" if algorithm != "RS512" else "RS256"
    door = Door([jwk("RSA", kid="k", alg=other)])
    assert door.hint(token(algorithm, kid="k")) == token_hints.NO_KEY


@pytest.mark.parametrize(
    ("algorithm", "key"),
    [
        ("ES256", "ES384"),
        ("ES384", "ES512"),
        ("ES512", "RSA"),
        ("RS256", "ES256"),
        ("EdDSA", "RSA"),
        ("PS256", "EdDSA"),
        ("ES256", "EdDSA"),
    ],
)
@pytest.mark.parametrize("claim", [True, False])
def test_an_algorithm_and_a_key_of_another_kind_do_not_meet(
    algorithm: str, key: str, *, claim: bool
) -> None:
    door = Door([jwk(key, kid="k", alg=algorithm if claim else ...)])
    if claim:
        with pytest.raises((UnauthorizedError, StoreUnavailableError)):
            door.enter(token(algorithm, kid="k"))
    else:
        assert door.hint(token(algorithm, kid="k")) == token_hints.NO_KEY


@pytest.mark.parametrize(
    "configured", ["HS256", "none", "RS256,HS256", "", ",", "rs256", "ES256K", "RS256 ES256", "*"]
)
def test_a_symmetric_or_unknown_algorithm_cannot_be_configured(configured: str) -> None:
    with pytest.raises(ConfigurationError, match="JwtAlgorithms"):
        Door([], algorithms=configured)


def test_algorithms_are_listed_with_or_without_spaces() -> None:
    assert Door([], algorithms=" PS256 , ES384,").verifier.algorithms == ("PS256", "ES384")


@pytest.mark.parametrize("algorithm", ["HS256", "HS512", "none", "", "ES256K"])
def test_what_is_symmetric_is_named_so_for_the_operator(algorithm: str) -> None:
    door = Door([jwk("RSA", kid="k")])
    assert "never accepted" in door.hint(by_hmac({"alg": algorithm, "kid": "k"}, b"s" * 32))


# Key ids.


@pytest.mark.parametrize("kid", [..., "any"])
@pytest.mark.parametrize("algorithm", ["RS256", "PS384", "ES256", "EdDSA"])
def test_an_only_key_without_an_id_verifies_tokens_with_and_without_one(
    kid: Any, algorithm: str
) -> None:
    assert Door([jwk(key_of(algorithm))]).enter(token(algorithm, kid=kid)).id


def test_an_only_key_with_an_id_verifies_tokens_without_one() -> None:
    door = Door([jwk("RSA", kid="k")])
    assert door.enter(token()).id
    assert door.hint(token(kid="other")) == token_hints.NO_KEY


def test_of_several_keys_without_ids_each_that_fits_is_tried() -> None:
    keys = [jwk("RSA-1"), jwk("ES256"), jwk("RSA-2"), jwk("EdDSA"), jwk("RSA")]
    door = Door(keys)
    for algorithm in ("RS256", "PS256", "ES256", "EdDSA"):
        assert door.enter(token(algorithm)).id
        assert door.enter(token(algorithm, kid="any")).id
    assert door.hint(token(by="RSA-stranger")) == token_hints.SIGNATURE


def test_among_named_keys_a_token_without_an_id_is_not_guessed() -> None:
    door = Door([jwk("RSA", kid="a"), jwk("ES256", kid="b")])
    assert door.hint(token()) == token_hints.NO_KEY
    assert door.enter(token(kid="a")).id


def test_a_named_key_beside_one_without_an_id() -> None:
    door = Door([jwk("RSA-1", kid="a"), jwk("RSA")])
    assert door.enter(token()).id
    assert door.enter(token(by="RSA-1", kid="a")).id
    for wrong in (token(by="RSA-1"), token(kid="a"), token(kid="other")):
        with REFUSED:
            door.enter(wrong)


def test_two_keys_with_one_id_are_told_apart_by_their_kind() -> None:
    door = Door([jwk("RSA", kid="k"), jwk("ES256", kid="k")])
    assert door.enter(token("RS256", kid="k")).id
    assert door.enter(token("ES256", kid="k")).id


@pytest.mark.parametrize("kid", [..., "any"])
def test_a_new_key_without_an_id_is_taken_after_a_minute_at_most(kid: Any) -> None:
    door = Door([jwk("RSA-1")])
    assert door.enter(token(by="RSA-1", kid=kid)).id
    door.keys = [jwk("RSA")]
    for _ in range(50):
        with REFUSED:
            door.enter(token(kid=kid))
    assert door.fetched == 1
    door.clock.advance(60_000)
    assert door.enter(token(kid=kid)).id
    assert door.fetched == 2
    for _ in range(50):
        with REFUSED:
            door.enter(token(by="RSA-stranger", kid=kid))
    assert door.fetched == 2


def test_only_so_many_keys_without_ids_are_tried() -> None:
    door = Door([*(jwk(f"RSA-{number % 2}") for number in range(20)), jwk("RSA")])
    with REFUSED:
        door.enter(token())


def test_an_encryption_key_or_a_shared_one_is_never_the_only_key() -> None:
    shared = {"kty": "oct", "k": part(b"s" * 32)}
    door = Door([jwk("RSA-1", use="enc"), shared, jwk("RSA")])
    assert door.enter(token()).id
    with REFUSED:
        door.enter(token(by="RSA-1"))


@pytest.mark.parametrize("kid", [None, 1, ["k"], {"k": 1}])
def test_an_id_that_is_no_text_is_not_the_same_as_none(kid: Any) -> None:
    header, body = {"alg": "RS256", "typ": "JWT", "kid": kid}, token().split(".")[1]
    assert Door([jwk("RSA")]).hint(f"{part(header)}.{body}.AAAA") == token_hints.HEADER


ONLY_KEYS: dict[str, tuple[list[dict[str, Any]], Any, bool]] = {
    "neither has an id": ([{}], ..., True),
    "the key's id is null": ([{"kid": None}], ..., True),
    "the key has neither id, use nor algorithm": ([{"use": ..., "alg": ...}], ..., True),
    "the key names its algorithm": ([{"alg": "RS256"}], ..., True),
    "only the token has an id": ([{}], "anything", True),
    "only the key has an id": ([{"kid": "k"}], ..., True),
    "the key's id is no text": ([{"kid": 5}], ..., False),
    "beside a key for encryption": ([{}, {"use": "enc"}], ..., True),
    "the key is for encryption": ([{"use": "enc"}], ..., False),
    "the ids differ": ([{"kid": "k"}], "other", False),
    "the ids differ in capitals": ([{"kid": "k"}], "K", False),
    "the key is for another algorithm": ([{"alg": "PS512"}], ..., False),
}


@pytest.mark.parametrize("kind", ONLY_KEYS)
def test_the_only_key_is_the_one_unless_it_says_otherwise(kind: str) -> None:
    keys, kid, is_accepted = ONLY_KEYS[kind]
    door = Door([jwk("RSA", **changes) for changes in keys], algorithms="RS256")
    if is_accepted:
        assert door.enter(token(kid=kid)).id
    else:
        with pytest.raises((UnauthorizedError, StoreUnavailableError)):
            door.enter(token(kid=kid))


@pytest.mark.parametrize("algorithm", ["RS256", "ES256", "EdDSA"])
def test_keys_without_ids_are_told_apart_by_their_kind(algorithm: str) -> None:
    door = Door([jwk(name) for name in ("RSA", "ES256", "EdDSA")])
    assert door.enter(token(algorithm)).id


# What the operator reads.

V1 = f"https://sts.windows.net/{TENANT}/"
ISSUERS = {
    "a slash more": ("https://issuer.test", "https://issuer.test/", "slash"),
    "a slash less": ("https://issuer.test/", "https://issuer.test", "slash"),
    "capitals": ("https://Issuer.test", "https://issuer.test", "capital"),
    "http": ("https://issuer.test", "http://issuer.test", "http and https"),
    "Entra's version 1": (ENTRA, V1, "version 1"),
    "Entra's version 2": (V1, ENTRA, "version 2"),
    "Entra without v2.0": (ENTRA.removesuffix("/v2.0"), ENTRA, "version 2"),
    "Entra's common": (ENTRA.replace(TENANT, "common"), ENTRA, "another Entra tenant"),
    "another": ("https://issuer.test", "https://other.test", "another issuer"),
    "a list": ("https://issuer.test", ["https://issuer.test"], "not a text"),
    "http and a slash": ("https://issuer.test/", "http://issuer.test", "http and https"),
    "no https, as Google's": ("https://accounts.test", "accounts.test", "one has neither"),
    "Entra's version 1 of any tenant": (ENTRA.replace(TENANT, "common"), V1, "version 1"),
    "Entra's version 1 without its slash": (ENTRA, V1.rstrip("/"), "version 1"),
    "Entra's version 1 for governments": (
        f"https://login.microsoftonline.us/{TENANT}/v2.0",
        V1,
        "version 1",
    ),
    "Entra's version 1 in China": (
        f"https://login.partner.microsoftonline.cn/{TENANT}/v2.0",
        f"https://sts.chinacloudapi.cn/{TENANT}/",
        "version 1",
    ),
    "Entra's version 1 of another cloud": (
        f"https://login.microsoftonline.us/{TENANT}/v2.0",
        f"https://sts.microsoftonline.us/{TENANT}/",
        "version 1",
    ),
    "Entra's other tenant, and a slash": (
        ENTRA.replace("0001", "0002") + "/",
        ENTRA,
        "another Entra tenant",
    ),
    "Entra where another issuer is configured": ("https://issuer.test", ENTRA, "another issuer"),
    "Entra's version 2 in China": (
        f"https://sts.chinacloudapi.cn/{TENANT}/",
        f"https://login.partner.microsoftonline.cn/{TENANT}/v2.0",
        "version 2",
    ),
    "Entra's other tenant of version 1": (V1, V1.replace("0001", "0002"), "another issuer"),
    "Entra's customers": (ENTRA, f"https://{TENANT}.ciamlogin.com/{TENANT}/v2.0", "another issuer"),
    "Keycloak's old path": (
        "https://id.test/realms/shop",
        "https://id.test/auth/realms/shop",
        "Keycloak",
    ),
    "Keycloak's new path": (
        "https://id.test/auth/realms/shop",
        "https://id.test/realms/shop",
        "Keycloak",
    ),
    "Keycloak's other realm": (
        "https://id.test/realms/shop",
        "https://id.test/realms/master",
        "another issuer",
    ),
}


@pytest.mark.parametrize(("ours", "theirs", "words"), ISSUERS.values(), ids=ISSUERS.keys())
@pytest.mark.parametrize("known", [True, False], ids=["signed by a known key", "by another"])
def test_the_hint_says_how_the_issuers_differ(
    ours: str, theirs: Any, words: str, *, known: bool
) -> None:
    door = Door([jwk("RSA", kid="k")], issuer=ours)
    claims, name = {"iss": "x" if isinstance(theirs, list) else theirs}, "k" if known else "other"
    signed = token(kid=name, **claims)
    if isinstance(theirs, list):
        assert "not a text" in token_hints.issuer_hint(theirs, ours)
    else:
        assert words in door.hint(signed)


AUDIENCES: dict[str, tuple[dict[str, Any], str]] = {
    "api://": ({"aud": f"api://{AUDIENCE}"}, "api://"),
    "a slash": ({"aud": f"{AUDIENCE}/"}, "slash"),
    "capitals": ({"aud": [AUDIENCE.upper(), "x"]}, "capital"),
    "Microsoft Graph": ({"aud": "00000003-0000-0000-c000-000000000000"}, "Graph"),
    "another": ({"aud": "other"}, "another audience"),
    "none": ({"aud": ..., "client_id": AUDIENCE}, "no aud"),
    "an ID token": ({"token_use": "id"}, "not the ID"),
}


@pytest.mark.parametrize(("changes", "words"), AUDIENCES.values(), ids=AUDIENCES.keys())
def test_the_hint_says_what_is_wrong_with_the_audience(changes: dict[str, Any], words: str) -> None:
    assert words in Door([jwk("RSA", kid="k")]).hint(token(kid="k", **changes))


@pytest.mark.parametrize(
    ("given", "configured", "words"),
    [
        ("imagegen", "imagegen/", "slash"),
        ("imagegen", "api://imagegen", "api://"),
        ([""], "imagegen", "no aud"),
        ([5, "other"], "imagegen", "another audience"),
    ],
)
def test_the_hint_about_an_audience_reads_both_sides(
    given: Any, configured: str, words: str
) -> None:
    assert words in token_hints.audience_hint({"aud": given}, [configured])


OTHERS: dict[str, tuple[Callable[[], str], str]] = {
    "expired": (lambda: token(kid="k", exp=LONG_AGO + 60), token_hints.EXPIRED),
    "not yet": (lambda: token(kid="k", nbf=FAR_AHEAD - 1), token_hints.NOT_YET),
    "no subject": (lambda: token(kid="k", sub=...), token_hints.CLAIMS),
    "logout": (lambda: token(kid="k", typ="logout+jwt"), token_hints.HEADER),
    "no JWT": (lambda: "abc", token_hints.UNREADABLE),
    "signature": (lambda: token(kid="k", by="RSA-stranger"), token_hints.SIGNATURE),
}


@pytest.mark.parametrize(("make", "hint"), OTHERS.values(), ids=OTHERS.keys())
def test_the_hint_names_any_other_reason(make: Callable[[], str], hint: str) -> None:
    assert Door([jwk("RSA", kid="k")]).hint(make()) == hint


def test_hints_fit_into_a_log_line_and_have_nothing_to_hide() -> None:
    fixed = [one for name, one in vars(token_hints).items() if isinstance(one, str)]
    sentences = [one for one in fixed if one.endswith(".") and " " in one and "\n" not in one]
    assert len(sentences) > 10
    for one in [*sentences, token_hints.algorithm_hint("RS512", EVERY.split(","), ALGORITHMS)]:
        assert cleaned(one) == one[:MAX_CHARACTERS]
    assert max(map(len, sentences)) <= MAX_CHARACTERS


def test_a_bad_signature_under_a_known_id_fetches_no_keys_however_old_they_are() -> None:
    door = Door([jwk("RSA", kid="k")])
    assert door.enter(token(kid="k")).id
    door.clock.advance(600_000)
    assert door.hint(token(by="RSA-stranger", kid="k")) == token_hints.SIGNATURE
    assert door.fetched == 1


@pytest.mark.parametrize("kid", [..., "any"])
def test_a_good_token_of_a_key_without_an_id_fetches_no_keys(kid: Any) -> None:
    door = Door([jwk("RSA"), jwk("RSA-1")])
    for by in ("RSA", "RSA-1"):
        assert door.enter(token(by=by, kid=kid)).id
        door.clock.advance(600_000)
    assert door.fetched == 1


@pytest.mark.parametrize("kid", [..., "any"])
def test_a_new_key_without_an_id_is_found_beside_others(kid: Any) -> None:
    door = Door([jwk("RSA-0"), jwk("RSA-1")])
    assert door.enter(token(by="RSA-1", kid=kid)).id
    door.keys = [jwk("RSA-1"), jwk("RSA"), jwk("RSA-0")]
    door.clock.advance(60_000)
    assert door.enter(token(kid=kid)).id
    assert door.fetched == 2


def test_a_token_without_an_id_is_tried_with_the_only_key_though_it_has_one() -> None:
    door = Door([jwk("RSA-1", kid="k")])
    assert door.enter(token(by="RSA-1")).id
    door.keys = [jwk("RSA", kid="new")]
    door.clock.advance(60_000)
    assert door.enter(token()).id
    assert door.fetched == 2


@pytest.mark.parametrize(("late_seconds", "is_read"), [(15, True), (3_600, False)])
def test_the_clocks_of_issuer_and_service_may_differ_by_half_a_minute(
    late_seconds: int, *, is_read: bool
) -> None:
    """PyJWT reads the machine's clock: the times are far enough from the edge for any test."""
    door, now = Door([jwk("RSA", kid="k")]), int(time.time())
    late: tuple[dict[str, Any], ...] = ({"exp": now - late_seconds}, {"nbf": now + late_seconds})
    for times in late:
        if is_read:
            assert door.enter(token(kid="k", **times)).id
        else:
            assert door.hint(token(kid="k", **times)) in {token_hints.EXPIRED, token_hints.NOT_YET}


def test_while_there_are_no_keys_they_are_asked_for_each_second() -> None:
    door = Door([])
    keys = Keys(door.fetch, door.clock)
    for seconds in range(1, 4):
        with pytest.raises(StoreUnavailableError):
            keys.get(None, "RS256")
        door.clock.advance(999)
        with pytest.raises(StoreUnavailableError):
            keys.get(None, "RS256")
        assert door.fetched == seconds
        door.clock.advance(1)
    door.keys = [jwk("RSA")]
    assert keys.get(None, "RS256")
