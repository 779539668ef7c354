"""Tokens as real issuers sign them, at a deployed function; what its log says of refused ones."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import jwt

from imagegen.edge.token_keys import ALGORITHMS
from local.issuer import AUDIENCE
from local.processes import LOOPBACK
from local.sign_in_pages import IssuerPages, IssuerServer
from tests.stack.driver import Driver, Person
from tests.stack.logs import lines_of
from tests.unit.test_log_lines import level_by_lambda
from tests.unit.test_token_keys import jwk, key_of, private

GROUPS = [f"00000000-0000-4000-8000-{number:012}" for number in range(200)]
"""As Microsoft Entra lists them: at most 200 in a token."""


@contextmanager
def issuer_with(*keys: dict[str, Any]) -> Iterator[str]:
    """Serve these keys on loopback until the block ends; gives the issuer's URL."""
    server = IssuerServer((LOOPBACK, 0), IssuerPages)
    server.documents = {"/.well-known/jwks.json": {"keys": list(keys)}}
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://{LOOPBACK}:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


def token(issuer: str, algorithm: str, key: str, kid: str | None = None) -> str:
    """Return a token of a person in many groups."""
    now = int(time.time())
    claims = {"iss": issuer, "aud": AUDIENCE, "sub": "alice", "scope": "user", "groups": GROUPS}
    times = {"iat": now, "nbf": now, "exp": now + 600}
    headers = {"kid": kid} if kid else None
    return jwt.encode(claims | times, private(key), algorithm, headers=headers)


def test_each_configured_algorithm_is_accepted_with_many_groups_and_without_key_names(
    stack: Driver,
) -> None:
    published = [jwk(key) for key in sorted({key_of(one) for one in ALGORITHMS})]
    with (
        issuer_with(*published) as url,
        stack.configured(
            "estimate", JWT_ISSUER=url, JWT_JWKS_URL="", JWT_ALGORITHMS=",".join(ALGORITHMS)
        ),
    ):
        for algorithm in ALGORITHMS:
            key = key_of(algorithm)
            found = Person(stack, token(url, algorithm, key)).estimate()
            assert found.status == 200, (algorithm, found.text)
            forged = token(url, algorithm, f"{key}-other")
            assert Person(stack, forged).estimate().status == 401, algorithm


def test_the_only_key_of_an_issuer_needs_no_name(stack: Driver) -> None:
    with (
        issuer_with(jwk("RSA")) as url,
        stack.configured("estimate", JWT_ISSUER=url, JWT_JWKS_URL=""),
    ):
        for kid in (None, "a name that the key lacks"):
            assert Person(stack, token(url, "RS256", "RSA", kid)).estimate().status == 200
        # PS256 is not configured.
        assert Person(stack, token(url, "PS256", "RSA")).estimate().status == 401


REFUSED: dict[str, dict[str, Any]] = {
    "another issuer": {"iss": "https://issuer.example/of-another-tenant"},
    "another audience": {"aud": "api://another"},
    "long ago": {"exp": 1_700_000_000},
}


def test_the_log_says_why_a_token_is_refused_and_the_answer_does_not(stack: Driver) -> None:
    before = len(refusals(log_lines(stack)))
    for claims in REFUSED.values():
        answer = Person(stack, stack.local.issuer.token("nobody", **claims)).estimate()
        assert (answer.status, answer.json["code"]) == (401, "unauthorized")
        assert str(next(iter(claims.values()))) not in answer.text

    def has_each_reason(lines: list[str]) -> bool:
        hints = {json.loads(one)["hint"] for one in refusals(lines)[before:]}
        return len(hints) == len(REFUSED)

    # The operator reads them.
    log_lines(stack, has_each_reason)


def test_lambda_would_read_the_level_of_every_line_as_it_was_meant(stack: Driver) -> None:
    stack.person().estimate()
    lines = [one for one in log_lines(stack) if "level" in json.loads(one)]
    assert lines
    for one in lines:
        assert level_by_lambda(one) == json.loads(one)["level"], one


def refusals(lines: list[str]) -> list[str]:
    """Return the log lines about refused requests."""
    return [one for one in lines if '"request refused"' in one]


def log_lines(stack: Driver, is_there: Callable[[list[str]], bool] = bool) -> list[str]:
    """Return the lines of estimate's log that are JSON, once what is looked for is among them."""
    return [one for one in lines_of(stack, "estimate", is_there) if one.startswith("{")]
