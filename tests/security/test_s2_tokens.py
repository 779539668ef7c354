"""S2: no token but the issuer's own gets in, and no token sends us anywhere."""

import json
import statistics
import time
from collections import Counter
from contextlib import suppress
from functools import partial
from typing import Any

import pytest

from imagegen.aws import clients
from imagegen.domain.errors import ForbiddenError, ImagegenError, UnauthorizedError
from imagegen.domain.outcomes import Outcome
from imagegen.edge.token_claims import ScopeNames
from imagegen.edge.tokens import build_verifier
from tests.fakes.clock import Clock
from tests.handlers.conftest import Context, load_handler
from tests.security.board import Board
from tests.security.conftest import House
from tests.security.tokens import AUDIENCE, Forge, key_set, pairs

UNKNOWN_KIDS = 1_000
KEYS = json.dumps(key_set()).encode()


def test_every_hostile_token_is_401_and_every_good_one_is_not(house: House, board: Board) -> None:
    hostile = house.forge.hostile()
    accepted = []
    for name, make in hostile.items():
        answer = house.ask("estimate", "GET", "/models", token=make())
        if answer["statusCode"] != 401 or answer["headers"].get("WWW-Authenticate") != "Bearer":
            accepted.append(name)
    good = [house.forge.good(by) for by in ("rsa", "ec", "okp")]
    good += [house.forge.good(aud=["other", AUDIENCE]), house.forge.good(nbf=1_000_000_000)]
    good += [house.forge.good(aud=..., client_id=AUDIENCE, token_use="access")]
    good += [house.forge.sealed(house.forge.claims(), typ=kind) for kind in ("at+jwt", "JWT", ...)]
    good += [house.forge.sealed(house.forge.claims(), jku="https://evil.test", x5t="abc")]
    entered = [house.ask("estimate", "GET", "/models", token=one)["statusCode"] for one in good]
    board.show(
        "S2a",
        ">= 60 hostile tokens: 100 % 401, good ones 200; no fetch but of the one address",
        f"{len(hostile)} hostile, {len(accepted)} accepted {accepted}; {len(good)} good: "
        f"{dict(Counter(entered))}; fetched: {dict(Counter(house.fetches.paths))}",
        passes=len(hostile) >= 60
        and not accepted
        and set(entered) == {200}
        and house.fetches.paths == ["/.well-known/jwks.json"],
    )


def test_a_thousand_unknown_key_ids_fetch_at_most_once_a_minute(board: Board) -> None:
    clock, forge, fetched = Clock(), Forge("https://issuer.test"), []

    def fetch() -> bytes:
        fetched.append(clock())
        return KEYS

    verifier = build_verifier(forge.issuer, AUDIENCE, fetch=fetch, now_ms=clock)
    verifier.verify(f"Bearer {forge.good()}")
    counts, let_in = [], 0
    for _ in range(3):
        clock.advance(60_000)
        before = len(fetched)
        for number in range(UNKNOWN_KIDS):
            token = forge.sealed(forge.claims(), by="okp", kid=f"kid-{number}")
            with suppress(UnauthorizedError):
                verifier.verify(f"Bearer {token}")
                let_in += 1
        counts.append(len(fetched) - before)
    board.show(
        "S2b",
        "1,000 unknown key ids: at most one fetch in 60 s",
        f"{UNKNOWN_KIDS} in each of 3 minutes: fetches {counts}, let in {let_in}",
        passes=max(counts) <= 1 and let_in == 0,
    )


def test_a_caller_who_signs_carries_the_token_in_a_header_of_its_own(
    house: House, board: Board
) -> None:
    token, sigv4 = house.functions.token, "AWS4-HMAC-SHA256 Credential=AKIAEXAMPLE/x, Signature=0"
    cases = {
        "signed, with a token": ({"authorization": sigv4, "x_imagegen_token": token}, 200),
        "a token of its own, unsigned": ({"x_imagegen_token": token}, 200),
        "signed, no token": ({"authorization": sigv4}, 401),
        "signed, a bad token": ({"authorization": sigv4, "x_imagegen_token": token[:-9]}, 401),
        "two tokens": ({"authorization": f"Bearer {token}", "x_imagegen_token": token}, 401),
        "two tokens, one bad": ({"authorization": "Bearer x", "x_imagegen_token": token}, 401),
        "signed, a scheme in the header": (
            {"authorization": sigv4, "x_imagegen_token": f"Bearer {token}"},
            401,
        ),
    }
    wrong = {
        name: answer["statusCode"]
        for name, (headers, status) in cases.items()
        if (answer := house.ask("estimate", "GET", "/models", **headers))["statusCode"] != status
    }
    board.show(
        "S2c",
        "AuthType AWS_IAM: the signature is no token; exactly one token, in x-imagegen-token",
        f"{len(cases)} ways to send them, {len(wrong)} wrong {wrong or ''}",
        passes=not wrong,
    )


def test_scopes_let_in_users_and_show_details_to_admins(house: House, board: Board) -> None:
    clock, forge = Clock(), Forge("https://issuer.test")
    said: list[tuple[dict[str, Any], str, bool]] = [
        ({}, "", False), ({"scope": "openid user"}, "", False), ({"scope": "user admin"}, "", True),
        ({"scp": ["admin"]}, "", True), ({"scp": "user admin"}, "", True),
        ({"roles": ["admin"]}, "", True), ({"permissions": ["admin"]}, "", True),
        ({"cognito:groups": ["admin"]}, "", True), ({"scope": "imagegen/admin"}, "imagegen/", True),
        ({"scope": "admin"}, "imagegen/", False), ({"scope": {"admin": 1}}, "", False),
        ({"scope": "administrator"}, "", False), ({"scope": ["admin", 5]}, "", True),
    ]  # fmt: skip
    wrong = []
    for claims, prefix, is_admin in said:
        names = ScopeNames("", f"{prefix}admin")
        verifier = build_verifier(
            forge.issuer, AUDIENCE, fetch=lambda: KEYS, now_ms=clock, scope_names=names
        )
        if verifier.verify(f"Bearer {forge.good(**claims)}").is_admin is not is_admin:
            wrong.append(claims)
    strict = build_verifier(
        forge.issuer, AUDIENCE, fetch=lambda: KEYS, now_ms=clock, scope_names=ScopeNames("user")
    )
    strict.verify(f"Bearer {forge.good(scope='user')}")
    with pytest.raises(ForbiddenError):
        strict.verify(f"Bearer {forge.good(scope='openid')}")
    board.show(
        "S2d",
        "scopes: an admin is who holds the named scope in a claim that issuers use for it",
        f"{len(said)} claims, {len(wrong)} read wrongly {wrong or ''}; without the user scope: 403",
        passes=not wrong,
    )


ISSUERS: dict[str, tuple[str, str, dict[str, Any], dict[str, Any]]] = {
    # issuer, audience, what its good tokens say besides, what its other tokens say instead
    "Cognito": (
        "https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_EXAMPLE",
        "7exampleclientid",
        {"aud": ..., "client_id": "7exampleclientid", "token_use": "access", "version": 2},
        {"aud": "7exampleclientid", "token_use": "id", "cognito:username": "user-1"},
    ),
    "Google": (
        "https://accounts.google.com",
        "1-example.apps.googleusercontent.com",
        {"aud": "1-example.apps.googleusercontent.com", "azp": "1-example", "email_verified": True},
        {"aud": "2-other.apps.googleusercontent.com", "azp": "1-example"},
    ),
    "Auth0": (
        "https://example.eu.auth0.com/",
        "https://imagegen.example.com",
        {"aud": ["https://imagegen.example.com", "https://example.eu.auth0.com/userinfo"]},
        {"aud": "exampleClientId", "nonce": "n"},
    ),
    "Entra": (
        "https://login.microsoftonline.com/00000000-0000-4000-8000-000000000001/v2.0",
        "00000000-0000-4000-8000-000000000002",
        {"aud": "00000000-0000-4000-8000-000000000002", "scp": "user", "ver": "2.0", "tid": "1"},
        {"aud": "00000003-0000-0000-c000-000000000000", "scp": "User.Read", "ver": "1.0"},
    ),
}


def test_the_four_issuers_of_the_readme_work_by_configuration(board: Board) -> None:
    # Entra's keys name no algorithm.
    bare = {"keys": [{n: v for n, v in pairs()["rsa"].jwk.items() if n != "alg"}]}
    wrong = []
    for name, (issuer, audience, good, bad) in ISSUERS.items():
        keys = json.dumps(bare if name == "Entra" else key_set()).encode()
        forge = Forge(issuer)
        verifier = build_verifier(issuer, audience, fetch=partial(bytes, keys), now_ms=Clock())
        try:
            verifier.verify(f"Bearer {forge.good(**good)}")
        except UnauthorizedError:
            wrong.append(f"{name} refused")
        with suppress(UnauthorizedError):
            verifier.verify(f"Bearer {forge.good(**bad)}")
            wrong.append(f"{name}: the other kind accepted")
    board.show(
        "S2f",
        "Cognito, Google, Auth0, Entra by configuration: their tokens for us, not their others",
        f"{len(ISSUERS)} issuers, tokens of their shape: {len(wrong)} wrong {wrong or ''}",
        passes=not wrong,
    )


def test_details_of_health_are_for_admins(house: House, board: Board) -> None:
    for _ in range(5):
        house.service.react("openai", Outcome.ACCOUNT)
    with suppress(ImagegenError):
        house.service.make("A photorealistic sunset", house.user())
    seen = {}
    for who, token in {
        "nobody": None,
        "a user": house.functions.token,
        "a bad token": house.functions.token[:-9],
        "an admin": house.forge.good(scope="admin"),
    }.items():
        answer = house.ask("health", "GET", "/health-check/image-providers", token=token)
        body = json.loads(answer["body"])
        whys = [one["circuit"]["why"] for one in body["providers"]]
        seen[who] = answer["statusCode"], [why for why in whys if why]
    board.show(
        "S2e",
        "health's last error codes: with the admin scope alone",
        str(seen),
        passes=[status for status, _ in seen.values()] == [200] * 4
        and [bool(whys) for _, whys in seen.values()] == [False, False, False, True],
    )


def test_a_wrong_token_costs_time_and_nothing_else(house: House, board: Board) -> None:
    # The functions as deployed, with nothing of theirs replaced: a store's client would be built.
    real = {name: load_handler(name) for name in ("estimate", "generate")}
    token = house.forge.good("stranger")
    events = [house.event("GET", path, token=token) for path in ("/models", "/usage")]
    took = []
    for number in range(1_000):
        module = real["generate" if number % 2 else "estimate"]
        started = time.perf_counter()
        assert module.lambda_handler(events[number % 2], Context())["statusCode"] == 401
        took.append((time.perf_counter() - started) * 1000)
    made = (clients.dynamodb, clients.s3, clients.ssm)
    built = sum(one.cache_info().currsize for one in made)
    board.show(
        "C1",
        "1,000 requests with a wrong token: no call to DynamoDB, S3, SSM or a provider",
        f"0 calls: {built} clients of a store built; {len(house.fetches.paths)} fetch of keys; "
        f"median {statistics.median(took):.2f} ms each, {sum(took) / 1000:.2f} s in all",
        passes=built == 0 and len(house.fetches.paths) == 1,
    )


def test_a_huge_body_and_a_bomb_of_headers_cost_nothing(house: House, board: Board) -> None:
    house.service.wire.calls.clear()
    said, statuses = [], []
    bomb = {f"x_{number}": "a" * 200 for number in range(2_000)}
    tokens = {"authorization": "Bearer " + "a" * 1_000_000}
    cases: dict[str, tuple[object, dict[str, str]]] = {
        "7 MB of body": ("x" * 7_000_000, {}),
        "7 MB in base64": ("eHh4" * 1_750_000, {}),
        "2,000 headers": (None, bomb),
        "a token of 1 MB": (None, tokens),
        "nested 100,000 deep": ("[" * 100_000, {}),
    }
    for name, (body, headers) in cases.items():
        event = house.event("POST", "/generate-image", body, **headers)
        if name.endswith("base64"):
            event["isBase64Encoded"] = True
        started = time.perf_counter()
        statuses.append(house.functions.invoke("generate", event)["statusCode"])
        said.append(f"{name} {(time.perf_counter() - started) * 1000:.1f} ms {statuses[-1]}")
    calls = len(house.service.wire.calls)
    board.show(
        "C2",
        "a body of 7 MB, a bomb of headers: refused without a call to any store",
        f"{'; '.join(said)}; {calls} calls",
        passes=calls == 0 and statuses == [413, 413, 401, 401, 401],
    )
