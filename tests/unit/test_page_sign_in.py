"""Signing in without a browser: which answers of an issuer are taken, and what is kept of them."""

import base64
import hashlib
import json
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from local.paths import ROOT
from tests.unit.scripts import NODE, written_by

STATIC = ROOT / "functions" / "page" / "static"
STAGE = Path(__file__).with_name("page_sign_in_stage.mjs")

pytestmark = pytest.mark.skipif(NODE is None, reason="node runs the page's scripts")

GOOD = '{ code: "c1", state: query.state, iss: ISSUER }'


def played(script: str) -> Any:
    """What a script writes."""
    return written_by(
        f"const STATIC = {json.dumps(STATIC.as_uri())};\n{STAGE.read_text()}\n{script}"
    )


def answered(answer: str, before: str = "") -> Any:
    """What comes of an answer of the issuer to a sign-in that has begun."""
    return played(f"const query = await begun();\n{before}\nwrite(await back({answer}));")


def answer_with(change: str) -> str:
    """What makes the token endpoint's answers differ."""
    return f"const plain = issuer.token; issuer.token = (form) => ({{ ...plain(form), {change} }});"


# To the issuer.


def test_the_request_has_a_challenge_and_sends_no_secret_and_no_token() -> None:
    kept_here = "JSON.parse(sessionStorage.getItem('imagegen.sign-in'))"
    went, kept = played(f"await begun(); write([went, {kept_here}]);")
    parts = urlsplit(went[0])
    query = {name: value for name, (value,) in parse_qs(parts.query).items()}
    digest = hashlib.sha256(kept["verifier"].encode()).digest()
    assert parts.netloc + parts.path == "issuer.example/authorize"
    assert query == {
        "tenant": "1",
        "response_type": "code",
        "client_id": "the-page",
        "redirect_uri": "https://page.example/app/",
        "scope": "openid profile offline_access",
        "state": kept["state"],
        "nonce": kept["nonce"],
        "code_challenge": base64.urlsafe_b64encode(digest).rstrip(b"=").decode(),
        "code_challenge_method": "S256",
    }
    assert kept["verifier"] not in went[0]


def test_nothing_of_two_sign_ins_is_the_same() -> None:
    one, other = played("write([await begun(), await begun()]);")
    for name in ("state", "nonce", "code_challenge"):
        assert one[name] != other[name]
        assert len(one[name]) == 43


def test_an_audience_is_asked_for_where_one_is_set() -> None:
    asked = played('write(await begun({ ...SIGN_IN, audience: "https://api" }));')
    assert asked["audience"] == "https://api"


@pytest.mark.parametrize(
    "change", ["metadata.scopes_supported = ['openid'];", "delete metadata.scopes_supported;"]
)
def test_a_scope_for_refresh_tokens_is_asked_for_only_where_the_issuer_has_it(change: str) -> None:
    assert played(f"{change} write(await begun());")["scope"] == "openid profile"


@pytest.mark.parametrize(
    "change",
    [
        'metadata.issuer = "https://other.example/";',
        'metadata.issuer = "https://issuer.example/tenant";',
        'metadata.token_endpoint = "http://issuer.example/token";',
        'metadata.authorization_endpoint = "http://issuer.example/authorize";',
        'metadata.authorization_endpoint = "javascript:alert(1)";',
        "delete metadata.token_endpoint;",
    ],
)
def test_metadata_that_are_not_the_issuers_lead_nowhere(change: str) -> None:
    went, why = played(f"{change} await begun().catch(({{ message }}) => write([went, message]));")
    assert went == []
    assert "does not answer as its settings say" in why


# Back from the issuer.


def test_a_good_answer_signs_in_and_brings_the_view_back() -> None:
    found = answered(GOOD)
    assert found["view"] == {"part": "chat"}
    session = found["session"]
    assert session["name"] == "Ada"
    assert session["issuer"] == "https://issuer.example/tenant/"
    assert session["refresh"].startswith("refresh.token.")
    assert session["token"].count(".") == 2


def test_the_code_is_sent_with_its_verifier_and_neither_cookies_nor_headers() -> None:
    script = f"""
const query = await begun();
const {{ verifier }} = JSON.parse(sessionStorage.getItem("imagegen.sign-in"));
await back({GOOD});
write([verifier, asked.at(-1)]);"""
    verifier, sent = played(script)
    assert sent["form"] == {
        "grant_type": "authorization_code",
        "code": "c1",
        "redirect_uri": "https://page.example/app/",
        "code_verifier": verifier,
        "client_id": "the-page",
    }
    assert (sent["credentials"], sent["headers"]) == ("omit", {})


@pytest.mark.parametrize(
    "answer",
    [
        '{ code: "c1", state: "forged", iss: ISSUER }',
        '{ code: "c1", iss: ISSUER }',
        '{ code: "c1", state: "", iss: ISSUER }',
        "new URLSearchParams(`code=c1&state=${query.state}&state=${query.state}&iss=${ISSUER}`)",
        "new URLSearchParams(`code=c1&state=forged&state=${query.state}&iss=${ISSUER}`)",
        '{ error: "access_denied", error_description: "Call 555-1234", state: "forged" }',
    ],
)
def test_an_answer_that_nobody_asked_for_is_not_used(answer: str) -> None:
    script = f"""
const query = await begun();
write([await back({answer}), asked.length, await back({GOOD})]);"""
    found, requests, real = played(script)
    assert "does not belong to a sign-in that began in this tab" in found["error"]
    assert requests == 1, "the issuer is asked nothing"
    assert real["session"]["name"] == "Ada", "the sign-in that began goes on"


def test_an_answer_in_a_tab_where_nothing_began_is_not_used() -> None:
    found = played('write(await back({ code: "c1", state: "s", iss: ISSUER }));')
    assert "does not belong" in found["error"]


def test_a_code_that_comes_back_again_is_not_sent_again() -> None:
    script = f"""
const query = await begun();
await back({GOOD});
const sent = asked.length;
write([await back({GOOD}), asked.length - sent]);"""
    found, more = played(script)
    assert "does not belong" in found["error"]
    assert more == 0


@pytest.mark.parametrize(
    ("answer", "before"),
    [
        ('{ code: "c1", state: query.state, iss: "https://evil.example/" }', ""),
        ('{ code: "c1", state: query.state, iss: "https://issuer.example/tenant" }', ""),
        ('{ code: "c1", state: query.state }', ""),
        ('{ error: "access_denied", state: query.state, iss: "https://evil.example/" }', ""),
        (
            '{ code: "c1", state: query.state, iss: "https://evil.example/" }',
            "metadata.authorization_response_iss_parameter_supported = false;",
        ),
        (
            "new URLSearchParams(`code=c1&state=${query.state}&iss=${ISSUER}&iss=https://evil.test`)",
            "",
        ),
    ],
)
def test_an_answer_of_another_issuer_is_not_used(answer: str, before: str) -> None:
    script = f"""
const query = await begun();
{before}
write([await back({answer}), asked.some(({{ method }}) => method === "POST")]);"""
    found, has_sent = played(script)
    assert "not meant for this page" in found["error"]
    assert not has_sent, "the code goes to no token endpoint"


def test_an_issuer_that_never_sends_its_name_is_taken_without() -> None:
    before = "delete metadata.authorization_response_iss_parameter_supported;"
    assert answered('{ code: "c1", state: query.state }', before)["session"]


def test_an_answer_after_the_settings_have_changed_is_not_used() -> None:
    for change in ('issuer: "https://new.example/"', 'clientId: "another"'):
        new = f"{{ ...SIGN_IN, {change} }}"
        found = played(f"const query = await begun(); write(await back({GOOD}, {new}));")
        assert "does not belong" in found["error"]


@pytest.mark.parametrize(
    "claims",
    [
        '{ nonce: "another" }',
        "{}",
        '{ nonce, iss: "https://evil.example/" }',
        '{ nonce, aud: "another-page" }',
        '{ nonce, aud: ["the-page", "another"] }',
        '{ nonce, aud: ["the-page", "another"], azp: "another" }',
        "{ nonce, aud: undefined }",
        "{ nonce, sub: undefined }",
        '{ nonce, sub: "" }',
        "{ nonce, sub: 5 }",
        "{ nonce, exp: 900 }",
        "{ nonce, exp: undefined }",
        "{ nonce, iat: undefined }",
    ],
)
def test_an_id_token_that_is_not_for_this_sign_in_signs_nobody_in(claims: str) -> None:
    before = answer_with(f"id_token: proof({claims})")
    assert "not meant for this page" in answered(GOOD, before)["error"]


@pytest.mark.parametrize("proof", ["undefined", "null", '""', '"x"', '"a.b.c"', "5", '"a.e30.c.d"'])
def test_an_answer_without_a_readable_id_token_signs_nobody_in(proof: str) -> None:
    before = answer_with(f"id_token: {proof}")
    assert "not meant for this page" in answered(GOOD, before)["error"]


def test_an_id_token_for_several_names_this_page_as_the_one_it_was_made_for() -> None:
    before = answer_with('id_token: proof({ nonce, aud: ["the-page", "more"], azp: "the-page" })')
    assert answered(GOOD, before)["session"]["name"] == "Ada"


@pytest.mark.parametrize(
    ("error", "words"),
    [
        ("access_denied", "was cancelled"),
        ("temporarily_unavailable", "Try again in a minute"),
        ("server_error", "had a fault"),
        ("login_required", "needs you to sign in"),
        ("invalid_scope", "The operator of this page"),
        ("unauthorized_client", "The operator of this page"),
        ("something_new", "had a fault"),
        ("__proto__", "had a fault"),
        ("toString", "had a fault"),
    ],
)
def test_an_error_of_the_issuer_is_told_in_our_words_alone(error: str, words: str) -> None:
    told = f'error: "{error}", error_description: "Call 555-1234"'
    answer = f"{{ {told}, state: query.state, iss: ISSUER }}"
    found = answered(answer)
    assert words in found["error"]
    assert "555" not in found["error"]
    assert found["name"] == "SignInError"


@pytest.mark.parametrize(
    ("before", "words"),
    [
        ('issuer.status = 400; issuer.token = () => ({ error: "invalid_grant" });', "was used"),
        ('issuer.status = 401; issuer.token = () => ({ error: "invalid_client" });', "operator"),
        ("issuer.status = 500; issuer.token = () => 'no';", "cannot be reached"),
        ("issuer.status = 429; issuer.token = () => ({});", "cannot be reached"),
        ("issuer.lost = true;", "cannot be reached"),
        ("issuer.token = () => ({ access_token: 'x' });", "cannot be reached"),
        ("issuer.token = () => null;", "cannot be reached"),
    ],
)
def test_a_code_that_gets_no_tokens_is_told_in_words(before: str, words: str) -> None:
    assert words in answered(GOOD, before)["error"]


# What is kept.


def test_a_token_ends_by_this_devices_time_whatever_its_clock_shows() -> None:
    """The token's times are of 1970 and 1000 s from it, and the device's are of today."""
    script = f"""
const query = await begun();
const now = Date.now();
const {{ session }} = await back({GOOD});
write([session.due - now, session.until - now]);"""
    due, until = played(script)
    assert 840_000 <= due < 850_000
    assert 900_000 <= until < 910_000


@pytest.mark.parametrize(
    ("seconds", "lasts"),
    [("900", 900), ('"900"', 900), ("60", 60), ("undefined", 900), ("-1", 900), ("1e9", 900)],
)
def test_the_shorter_of_both_lifetimes_counts(seconds: str, lasts: int) -> None:
    script = f"""
{answer_with(f"expires_in: {seconds}")}
const query = await begun();
const now = Date.now();
const {{ session }} = await back({GOOD});
write(session.until - now);"""
    assert lasts * 1000 <= played(script) < lasts * 1000 + 5000


def test_an_access_token_that_is_no_jwt_gives_way_to_the_id_token() -> None:
    before = answer_with('access_token: "opaque"')
    token = answered(GOOD, before)["session"]["token"]
    body = token.split(".")[1]
    assert json.loads(base64.urlsafe_b64decode(body + "=="))["aud"] == "the-page"


def test_claims_are_read_as_utf_8_and_of_a_jwt_alone() -> None:
    given = 'jwt({ name: "Zoë 山" }), "a.b", "a.bnVsbA.c", undefined'
    assert played(f"write([{given}].map(claimsOf));") == [{"name": "Zoë 山"}, None, None, None]


# Renewal.

SESSION = """
const query = await begun();
let held = (await back({ code: "c1", state: query.state, iss: ISSUER })).session;
const tab = { read: () => held, write: (value) => { held = value; } };
const first = held;
const told = ({ message, hasEnded }) => ({ error: message, hasEnded });
const tried = (stale) => renew(SIGN_IN, stale, tab).catch(told);
const posts = () => asked.filter(({ form }) => form.grant_type === "refresh_token");
"""


def test_a_renewal_takes_the_rotated_refresh_token() -> None:
    script = f"""{SESSION}
const renewed = await tried(first.token);
await tried(renewed.token);
write([first, renewed, posts().map(({{ form }}) => form)]);"""
    first, renewed, forms = played(script)
    assert renewed["token"] != first["token"]
    assert renewed["id"] == first["id"]
    assert forms == [
        {"grant_type": "refresh_token", "refresh_token": one["refresh"], "client_id": "the-page"}
        for one in (first, renewed)
    ]


def test_a_refresh_token_that_is_not_rotated_is_kept() -> None:
    script = f"""{SESSION}
issuer.token = () => ({{ access_token: access(), token_type: "bearer", expires_in: 900 }});
write([first.refresh, (await tried(first.token)).refresh]);"""
    one, other = played(script)
    assert one == other


def test_tabs_that_renew_at_once_send_the_refresh_token_once() -> None:
    script = f"""{SESSION}
const all = await Promise.all([1, 2, 3, 4].map(() => tried(first.token)));
write([posts().length, new Set(all.map(({{ token }}) => token)).size]);"""
    assert played(script) == [1, 1]


def test_a_tab_that_still_reads_the_renewed_session_waits_for_the_next_one() -> None:
    """What one tab keeps may reach another only after the lock: Chromium does that when busy."""
    script = f"""{SESSION}
await tried(first.token);
const next = held;
let reads = 0;
const late = {{ ...tab, read: () => (++reads < 4 ? first : next) }};
const found = await renew(SIGN_IN, first.token, late).catch(told);
write([found.token === next.token, posts().length]);"""
    assert played(script) == [True, 1]


def test_a_refused_refresh_token_ends_the_session_and_is_not_sent_again() -> None:
    script = f"""{SESSION}
issuer.status = 400; issuer.token = () => ({{ error: "invalid_grant" }});
const both = [await tried(first.token), await tried(first.token)];
write([both, posts().length, held.token === first.token]);"""
    both, sent, is_kept = played(script)
    assert [one["hasEnded"] for one in both] == [True, True]
    assert (sent, is_kept) == (1, True)


@pytest.mark.parametrize("fault", ["lost = true", "status = 503", "status = 429"])
def test_an_issuer_that_is_away_does_not_end_the_session(fault: str) -> None:
    script = f"""{SESSION}
issuer.{fault};
const lost = await tried(first.token);
issuer.lost = false; issuer.status = 200;
write([lost, await tried(first.token)]);"""
    lost, renewed = played(script)
    assert lost["hasEnded"] is False
    assert renewed["token"]


@pytest.mark.parametrize(
    "answer",
    [
        '{ access_token: access({ sub: "eve" }) }',
        '{ access_token: access({ iss: "https://evil.example/" }) }',
        '{ id_token: proof({ aud: "another" }) }',
        '{ id_token: proof({ iss: "https://evil.example/" }) }',
        "{ id_token: null }",
    ],
)
def test_a_renewal_for_anybody_else_ends_the_session(answer: str) -> None:
    script = f"""{SESSION}
{answer_with(f"...{answer}")}
write([await tried(first.token), held.token === first.token]);"""
    found, is_kept = played(script)
    assert found["hasEnded"] is True
    assert is_kept


def test_a_session_that_was_signed_out_meanwhile_does_not_come_back() -> None:
    script = f"""{SESSION}
const token = issuer.token; issuer.token = (form) => {{ held = null; return token(form); }};
write([await tried(first.token), held]);"""
    found, held = played(script)
    assert found["hasEnded"] is True
    assert held is None


# Sign-out.


def test_signing_out_revokes_the_refresh_token_and_sends_no_token_in_an_address() -> None:
    script = f"{SESSION} write([await signOut(SIGN_IN, first), asked.at(-1), first]);"
    address, revoked, session = played(script)
    query = parse_qs(urlsplit(address).query)
    assert address.startswith("https://issuer.example/logout?")
    assert query["client_id"] == ["the-page"]
    assert query["post_logout_redirect_uri"] == query["logout_uri"] == ["https://page.example/app/"]
    assert revoked["address"] == "https://issuer.example/revoke"
    assert revoked["form"]["token"] == session["refresh"]
    assert session["token"] not in address
    assert session["refresh"] not in address


@pytest.mark.parametrize("address", ["undefined", '"http://issuer.example/logout"', '"data:,x"'])
def test_an_issuer_without_a_sign_out_is_not_gone_to(address: str) -> None:
    change = f"metadata.end_session_endpoint = {address};"
    assert played(f"{SESSION} {change} write(await signOut(SIGN_IN, first));") == ""


def test_no_address_that_is_gone_to_has_a_token_or_a_verifier() -> None:
    script = f"{SESSION} await begun(); write([went, first, sessionStorage.text()]);"
    went, session, _ = played(script)
    for address in went:
        assert session["token"] not in address
        assert session["refresh"] not in address
