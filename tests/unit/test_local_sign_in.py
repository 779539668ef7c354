"""The local issuer: which requests get a code, which codes and refresh tokens get tokens."""

import base64
import hashlib
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from local.sign_in import ACCESS_SECONDS, CLIENT_ID, PEOPLE, SignInRefusedError, SignIns
from local.sign_in_pages import people_form, person_of

PAGE = "http://127.0.0.1:9/page/"
VERIFIER = "v" * 43
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=")
ALICE, BOB, OLIVIA = PEOPLE
QUERY = {
    "response_type": "code",
    "client_id": CLIENT_ID,
    "redirect_uri": PAGE,
    "scope": "openid profile offline_access",
    "state": "s",
    "nonce": "n",
    "code_challenge": CHALLENGE.decode(),
    "code_challenge_method": "S256",
}


class Clock:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def sign_ins(clock: Clock) -> SignIns:
    def sign(claims: Mapping[str, Any]) -> str:
        return f"{claims['sub']} {claims.get('nonce', '')} {claims['aud']} {claims['exp']}"

    return SignIns("http://issuer", sign, lambda person: person.scope, clock, pages={PAGE})


def code_for(sign_ins: SignIns, **changes: str) -> dict[str, str]:
    """Return the form that redeems a new code of Alice's."""
    address = sign_ins.allowed(sign_ins.asked({**QUERY, **changes}), ALICE)
    (code,) = parse_qs(urlsplit(address).query)["code"]
    return {
        "grant_type": "authorization_code",
        "client_id": CLIENT_ID,
        "code": code,
        "redirect_uri": PAGE,
        "code_verifier": VERIFIER,
    }


def renewal(answer: Mapping[str, Any]) -> dict[str, str]:
    token = answer["refresh_token"]
    return {"grant_type": "refresh_token", "client_id": CLIENT_ID, "refresh_token": token}


def refused(sign_ins: SignIns, form: Mapping[str, str]) -> str:
    with pytest.raises(SignInRefusedError) as caught:
        sign_ins.token(form)
    return str(caught.value)


def test_a_code_takes_the_state_and_the_issuers_name_back_to_the_page(sign_ins: SignIns) -> None:
    address = sign_ins.allowed(sign_ins.asked(QUERY), ALICE)
    query = parse_qs(urlsplit(address).query)
    assert address.startswith(f"{PAGE}?")
    assert (query["state"], query["iss"]) == (["s"], ["http://issuer"])


@pytest.mark.parametrize(
    "change",
    [
        {"client_id": "another"},
        {"redirect_uri": "http://127.0.0.1:9/page"},
        {"redirect_uri": f"{PAGE}?x=1"},
        {"redirect_uri": "https://evil.example/"},
        {"redirect_uri": ""},
    ],
)
def test_nobody_is_sent_to_an_address_that_is_not_registered(
    sign_ins: SignIns, change: dict[str, str]
) -> None:
    with pytest.raises(SignInRefusedError):
        sign_ins.asked({**QUERY, **change})


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({}, ""),
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"code_challenge": ""}, "invalid_request"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"scope": "openid more"}, "invalid_scope"),
        ({"scope": "profile"}, "invalid_scope"),
    ],
)
def test_a_request_that_lacks_something_is_refused_to_the_page(
    sign_ins: SignIns, change: dict[str, str], error: str
) -> None:
    query = {**QUERY, **change}
    assert sign_ins.fault(query, sign_ins.asked(query)) == error


def test_a_code_gets_the_tokens_of_its_person(sign_ins: SignIns) -> None:
    answer = sign_ins.token(code_for(sign_ins))
    assert answer["access_token"] == "user"
    assert answer["id_token"] == f"alice n {CLIENT_ID} {1000 + ACCESS_SECONDS}"
    assert (answer["token_type"], answer["expires_in"]) == ("Bearer", ACCESS_SECONDS)


def test_a_code_is_good_once(sign_ins: SignIns) -> None:
    form = code_for(sign_ins)
    sign_ins.token(form)
    assert refused(sign_ins, form) == "invalid_grant"


def test_a_code_is_good_for_a_minute(sign_ins: SignIns, clock: Clock) -> None:
    form = code_for(sign_ins)
    clock.seconds += 61
    assert refused(sign_ins, form) == "invalid_grant"


@pytest.mark.parametrize(
    "change",
    [{"code_verifier": "w" * 43}, {"code_verifier": ""}, {"redirect_uri": f"{PAGE}x"}],
)
def test_a_wrong_proof_uses_the_code_up(sign_ins: SignIns, change: dict[str, str]) -> None:
    form = code_for(sign_ins)
    assert refused(sign_ins, {**form, **change}) == "invalid_grant"
    assert refused(sign_ins, form) == "invalid_grant"


def test_another_client_gets_nothing(sign_ins: SignIns) -> None:
    assert refused(sign_ins, {**code_for(sign_ins), "client_id": "x"}) == "invalid_client"
    assert refused(sign_ins, {"client_id": CLIENT_ID}) == "unsupported_grant_type"


def test_a_refresh_token_is_replaced_and_its_id_token_has_no_nonce(sign_ins: SignIns) -> None:
    first = sign_ins.token(code_for(sign_ins))
    second = sign_ins.token(renewal(first))
    assert second["refresh_token"] != first["refresh_token"]
    assert second["id_token"].startswith("alice  ")


def test_a_used_refresh_token_ends_its_successors_too(sign_ins: SignIns) -> None:
    first = sign_ins.token(code_for(sign_ins))
    second = sign_ins.token(renewal(first))
    other = sign_ins.token(code_for(sign_ins))
    assert refused(sign_ins, renewal(first)) == "invalid_grant"
    assert refused(sign_ins, renewal(second)) == "invalid_grant"
    assert sign_ins.token(renewal(other)), "another sign-in goes on"


def test_a_revoked_refresh_token_gets_nothing(sign_ins: SignIns) -> None:
    answer = sign_ins.token(code_for(sign_ins))
    sign_ins.revoke(answer["refresh_token"])
    sign_ins.revoke("unknown")
    assert refused(sign_ins, renewal(answer)) == "invalid_grant"


def test_without_the_scope_there_is_no_refresh_token(sign_ins: SignIns) -> None:
    assert "refresh_token" not in sign_ins.token(code_for(sign_ins, scope="openid"))


def test_a_browser_is_remembered_until_it_is_signed_out(sign_ins: SignIns) -> None:
    cookie = sign_ins.remember(BOB)
    assert sign_ins.remembered(cookie) == BOB
    assert sign_ins.remembered("") is None
    sign_ins.forget(cookie)
    sign_ins.forget(cookie)
    assert sign_ins.remembered(cookie) is None


def test_three_people_can_be_chosen_and_anybody_else_by_a_name() -> None:
    form = people_form({"state": '"><script>'})
    assert all(f'value="{one.subject}"' in form for one in PEOPLE)
    assert "<script>" not in form
    assert person_of("admin") == OLIVIA
    assert (person_of("zoe").name, person_of("zoe").scope) == ("zoe", "user")
