"""The page's function: fixed bytes, strict headers, and addresses that are this stack's own."""

import base64
import gzip
import hashlib
import html
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imagegen.edge.events import plain_path
from imagegen.site import PageSettings, Site, accepts_gzip, build_site, etag_matches
from imagegen.site.files import ENTRIES, PAGES, STYLES, WORDS, read_files
from local.paths import ROOT
from local.run import may_open

STATIC = ROOT / "functions" / "page" / "static"
FILES = read_files(STATIC)
DEPLOYED = {
    "AWS_REGION": "eu-central-1",
    "ESTIMATE_URL": "https://e.lambda-url.eu-central-1.on.aws/",
    "GENERATE_URL": "https://g.lambda-url.eu-central-1.on.aws/",
    "HEALTH_URL": "https://h.lambda-url.eu-central-1.on.aws/",
    "ADMIN_URL": "https://a.lambda-url.eu-central-1.on.aws/",
    "CHAT_URL": "https://c.lambda-url.eu-central-1.on.aws/",
    "IMAGE_HOSTS": "https://b.s3.eu-central-1.amazonaws.com",
}
LOCAL = {
    **DEPLOYED,
    "AWS_ENDPOINT_URL": "http://127.0.0.1:4566",
    "SIMULATOR_URL": "http://127.0.0.1:9000",
}

OURS = build_site(FILES, PageSettings.from_env(DEPLOYED))


def site(environ: dict[str, str] | None = None) -> Site:
    return OURS if environ is None else build_site(FILES, PageSettings.from_env(environ))


def ask(path: str, method: str = "GET", **headers: str) -> dict[str, Any]:
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    http = {"method": method, "path": path}
    return site().answer({"rawPath": path, "headers": sent, "requestContext": {"http": http}})


def content(answer: dict[str, Any]) -> bytes:
    body = base64.b64decode(answer["body"])
    return gzip.decompress(body) if answer["headers"].get("Content-Encoding") else body


def directives(environ: dict[str, str] | None = None) -> dict[str, list[str]]:
    parts = (one.split() for one in site(environ).policy.split("; "))
    return {name: sources for name, *sources in parts}


# Files.


@pytest.mark.parametrize("path", sorted(STATIC.iterdir()), ids=lambda path: path.name)
@pytest.mark.parametrize("coding", ["", "gzip, br"])
def test_every_file_is_served_and_as_it_is_unless_it_is_made_smaller(
    path: Path, coding: str
) -> None:
    answer = ask(f"/{path.name}", accept_encoding=coding)
    assert answer["statusCode"] == 200
    if path.name not in {*ENTRIES, *STYLES, *WORDS, *PAGES.values()}:
        assert content(answer) == path.read_bytes()
    assert ("Content-Encoding" in answer["headers"]) is bool(coding)


def first_visit(language: str = "en") -> dict[str, bytes]:
    """What a browser asks for when it opens the page: the page and what its HTML names."""
    page = content(ask("/", accept_language=language)).decode()
    named = re.findall(r'(?:src|href)="([\w.-]+\.\w+)"', page)
    paths = ("/", *(f"/{name}" for name in dict.fromkeys(named)))
    headers = {"accept_encoding": "gzip", "accept_language": language}
    return {path: base64.b64decode(ask(path, **headers)["body"]) for path in paths}


def test_a_first_visit_is_four_requests_and_at_most_40_kb() -> None:
    sent = first_visit()
    assert len(sent) == 4
    assert sum(map(len, sent.values())) <= 40_000


def test_another_language_is_one_more_small_request() -> None:
    sent = first_visit("de")
    assert len(sent) == 5
    assert sum(map(len, sent.values())) <= 52_000


def test_the_next_visit_asks_for_the_page_alone() -> None:
    for path in first_visit():
        kept = ask(path)["headers"]["Cache-Control"]
        assert kept == ("no-cache" if path == "/" else "public, max-age=31536000, immutable")


def test_an_address_with_a_digest_belongs_to_its_bytes_alone() -> None:
    for path in [path for path in first_visit() if path != "/"]:
        digest = path.split(".")[1]
        assert hashlib.sha256(content(ask(path))).hexdigest().startswith(digest)


def test_the_elements_are_one_request() -> None:
    script = content(ask("/elements.js")).decode()
    assert not re.findall(r'^(?:import|export)\b.* from "', script, re.MULTILINE)


def test_the_page_has_the_addresses_with_it() -> None:
    (found,) = re.findall('<meta name="config" content="([^"]*)">', content(ask("/")).decode())
    assert json.loads(html.unescape(found)) == json.loads(content(ask("/config.json")))


@pytest.mark.parametrize(
    ("path", "media_type"),
    [
        ("/", "text/html; charset=utf-8"),
        ("/page.js", "text/javascript; charset=utf-8"),
        ("/page.css", "text/css; charset=utf-8"),
        ("/icon.svg", "image/svg+xml"),
        ("/config.json", "application/json"),
    ],
)
def test_a_file_says_what_it_is(path: str, media_type: str) -> None:
    assert ask(path)["headers"]["Content-Type"] == media_type


@given(st.text(max_size=40).map(lambda text: f"/{text}"))
def test_no_path_leads_to_anything_but_a_file_of_the_page(path: str) -> None:
    status = ask(path)["statusCode"]
    assert status == (200 if plain_path(path) in site().files else 404)


@pytest.mark.parametrize("path", ["/../handler.py", "/static/page.js", "/%2e%2e/handler.py"])
def test_a_path_that_climbs_is_not_there(path: str) -> None:
    assert ask(path)["statusCode"] == 404


def test_a_head_is_a_get_without_its_body() -> None:
    got, head = ask("/page.js"), ask("/page.js", "HEAD")
    assert head["headers"] == got["headers"]
    assert (head["statusCode"], head["body"]) == (200, "")


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS"])
def test_nothing_can_be_sent_to_the_page(method: str) -> None:
    answer = ask("/", method)
    assert (answer["statusCode"], answer["headers"]["Allow"]) == (405, "GET, HEAD")


def test_a_browser_that_has_a_file_is_told_so_and_keeps_its_rules() -> None:
    first = ask("/page.js", accept_encoding="gzip")["headers"]
    again = ask("/page.js", accept_encoding="gzip", if_none_match=f'"old", {first["ETag"]}')
    assert (again["statusCode"], again["body"]) == (304, "")
    assert again["headers"]["ETag"] == first["ETag"]
    assert again["headers"]["Content-Security-Policy"] == first["Content-Security-Policy"]


def test_compressed_bytes_have_a_tag_of_their_own() -> None:
    plain, zipped = ask("/page.js"), ask("/page.js", accept_encoding="gzip")
    assert plain["headers"]["ETag"] != zipped["headers"]["ETag"]
    assert plain["headers"]["Vary"] == zipped["headers"]["Vary"] == "Accept-Encoding"


@pytest.mark.parametrize(
    ("accepted", "takes"),
    [
        ("", False),
        ("br", False),
        ("gzip", True),
        ("br, GZIP;q=0.5", True),
        ("gzip;q=0", False),
        ("gzip;q=0.000, br", False),
        ("*", True),
        ("*;q=0", False),
    ],
)
def test_only_who_takes_gzip_gets_it(accepted: str, takes: bool) -> None:  # noqa: FBT001 a case
    assert accepts_gzip(accepted) is takes


@pytest.mark.parametrize("held", ['"a"', 'W/"a"', '"b", "a"', "*"])
def test_a_tag_that_is_held_is_known(held: str) -> None:
    assert etag_matches('"a"', held)


@pytest.mark.parametrize("held", ["", '"b"', "a"])
def test_a_tag_that_is_not_held_is_not_known(held: str) -> None:
    assert not etag_matches('"a"', held)


# Rules for the browser.


def test_a_page_may_load_its_own_files_and_call_its_own_functions_only() -> None:
    found = directives()
    images = DEPLOYED["IMAGE_HOSTS"].split()
    functions = [f"https://{name}.lambda-url.eu-central-1.on.aws" for name in "eghca"]
    assert found["default-src"] == found["base-uri"] == found["object-src"] == ["'none'"]
    assert found["frame-ancestors"] == found["form-action"] == ["'none'"]
    assert found["script-src"] == found["style-src"] == ["'self'"]
    assert found["img-src"] == ["'self'", "data:", "blob:", functions[1], *images]
    assert found["connect-src"] == ["'self'", *functions, *images]
    assert found["require-trusted-types-for"] == ["'script'"]


def test_no_rule_lets_everybody_or_inline_code_in() -> None:
    for sources in [*directives().values(), *directives(LOCAL).values()]:
        assert not {"*", "https:", "http:", "'unsafe-inline'", "'unsafe-eval'"} & set(sources)


def test_every_answer_is_strict_and_asked_for_anew() -> None:
    for path in ("/", "/elements.js", "/config.json"):
        headers = ask(path)["headers"] if path in site().files else ask("/")["headers"]
        assert headers["Cache-Control"] == "no-cache"
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Referrer-Policy"] == "no-referrer"
        assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
        assert "camera=()" in headers["Permissions-Policy"]


def test_the_html_has_no_inline_code_or_style_and_names_files_that_are_there() -> None:
    html = (STATIC / "index.html").read_text()
    assert " style=" not in html
    assert "<style" not in html
    assert " on" not in {part[:3] for part in html.split('"') if part.endswith("=")}
    for part in html.split('"'):
        if part.endswith((".js", ".css", ".svg", ".json")):
            assert f"/{part}" in site().files, part


# Addresses.


def test_the_config_names_the_functions_and_no_secret() -> None:
    config = json.loads(content(ask("/config.json")))
    assert config == {
        "estimateUrl": "https://e.lambda-url.eu-central-1.on.aws",
        "generateUrl": "https://g.lambda-url.eu-central-1.on.aws",
        "healthUrl": "https://h.lambda-url.eu-central-1.on.aws",
        "chatUrl": "https://c.lambda-url.eu-central-1.on.aws",
        "adminUrl": "https://a.lambda-url.eu-central-1.on.aws",
        "pageUrl": None,
        "region": "eu-central-1",
        "simulatorUrl": None,
        "signIn": None,
    }


SIGN_IN = {
    "JWT_ISSUER": "https://cognito-idp.eu-central-1.amazonaws.com/pool",
    "SIGN_IN_CLIENT_ID": "the-page",
    "SIGN_IN_HOSTS": "https://pool.auth.eu-central-1.amazoncognito.com https://more.example/path",
}


def test_a_page_with_a_client_id_knows_where_people_sign_in_and_may_call_it() -> None:
    environ = {**DEPLOYED, **SIGN_IN}
    config = json.loads(PageSettings.from_env(environ).config())
    assert config["signIn"] == {
        "issuer": "https://cognito-idp.eu-central-1.amazonaws.com/pool",
        "clientId": "the-page",
        "scopes": "openid profile",
        "audience": "",
    }
    called = directives(environ)["connect-src"]
    assert called == [
        *directives()["connect-src"],
        "https://cognito-idp.eu-central-1.amazonaws.com",
        "https://pool.auth.eu-central-1.amazoncognito.com",
        "https://more.example",
    ]
    others = {name: one for name, one in directives(environ).items() if name != "connect-src"}
    assert others.items() <= directives().items()


@pytest.mark.parametrize("missing", ["JWT_ISSUER", "SIGN_IN_CLIENT_ID"])
def test_without_an_issuer_or_a_client_id_a_token_is_entered_by_hand(missing: str) -> None:
    environ = {**DEPLOYED, **SIGN_IN, missing: ""}
    assert json.loads(PageSettings.from_env(environ).config())["signIn"] is None
    assert directives(environ) == directives()


def test_scopes_and_audience_are_the_operators() -> None:
    named = {"SIGN_IN_SCOPES": "openid api://x/use", "SIGN_IN_AUDIENCE": "https://api.example"}
    config = json.loads(PageSettings.from_env({**DEPLOYED, **SIGN_IN, **named}).config())
    assert config["signIn"]["scopes"] == "openid api://x/use"
    assert config["signIn"]["audience"] == "https://api.example"


@pytest.mark.parametrize(
    "address", ["http://issuer.example", "accounts.google.com", "ftp://issuer.example"]
)
@pytest.mark.parametrize("name", ["JWT_ISSUER", "SIGN_IN_HOSTS"])
def test_nobody_signs_in_where_others_can_listen(name: str, address: str) -> None:
    with pytest.raises(ValueError, match="needs https"):
        PageSettings.from_env({**DEPLOYED, **SIGN_IN, name: address})


def test_on_this_machine_the_issuer_needs_no_https() -> None:
    environ = {**LOCAL, **SIGN_IN, "JWT_ISSUER": "http://127.0.0.1:5000"}
    assert "http://127.0.0.1:5000" in directives(environ)["connect-src"]


def test_on_this_machine_functions_are_reached_by_path() -> None:
    config = json.loads(site(LOCAL).files["/config.json"].content)
    assert config["generateUrl"] == "http://127.0.0.1:4566/_aws/lambda-url/g"
    assert config["simulatorUrl"] == "http://127.0.0.1:9000"
    assert "http://127.0.0.1:9000" in directives(LOCAL)["connect-src"]
    assert directives(LOCAL)["img-src"][3] == "http://127.0.0.1:4566"


def test_a_function_that_is_not_deployed_has_no_address() -> None:
    settings = PageSettings.from_env({**DEPLOYED, "CHAT_URL": ""})
    assert json.loads(settings.config())["chatUrl"] is None


@pytest.mark.parametrize(
    "environ",
    [
        {**DEPLOYED, "SIMULATOR_URL": "http://127.0.0.1:9000"},
        {**LOCAL, "SIMULATOR_URL": "https://simulator.example"},
        {**LOCAL, "AWS_ENDPOINT_URL": "https://aws.example"},
    ],
)
def test_switches_that_break_providers_are_for_a_local_stack(environ: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="SIMULATOR_URL is for a local stack"):
        PageSettings.from_env(environ)


# What it loads, and when a browser is opened.


@pytest.mark.thorough
@pytest.mark.parametrize("foreign", ["pydantic", "aws_lambda_powertools", "boto3", "jwt"])
def test_a_cold_start_of_the_page_loads_the_standard_library_alone(foreign: str) -> None:
    handler = STATIC.parent / "handler.py"
    program = (
        f"import sys, runpy; runpy.run_path({str(handler)!r}); sys.exit({foreign!r} in sys.modules)"
    )
    env = {"PYTHONPATH": str(ROOT / "layers" / "shared")}
    done = subprocess.run([sys.executable, "-c", program], env=env, check=False)  # noqa: S603
    assert done.returncode == 0


def test_a_browser_is_opened_for_a_person_before_a_screen_and_for_nobody_else() -> None:
    screen = {"DISPLAY": ":0"}
    assert may_open(screen, at_terminal=True)
    assert not may_open(screen, at_terminal=False)
    assert not may_open({**screen, "CI": "true"}, at_terminal=True)
    assert not may_open({**screen, "NO_OPEN": "1"}, at_terminal=True)
    if sys.platform != "darwin":
        assert not may_open({}, at_terminal=True)


# Weight, and colours.

LIMITS = {
    # With all that it imports: the elements, the conversation, the account, and the English words
    # of the first view, of the elements and of every kind of error.
    "page.js": 32_800,
    # Three views, the composer and its drawer; what is loaded later brings its own style.
    "page.css": 3_700,
    # With the keys of its words beside the words.
    "index.html": 1_750,
    # An offer; what comes after the click is in later.js.
    "elements.js": 14_000,
    # Loaded with the first click: words, and the buttons on a picture. The client's other half
    # also with the first message of a chat.
    "later.js": 11_000,
    "client-run.js": 2_750,
    # Everything in another language, as one file; and that of the elements alone.
    "page-de.js": 8_400,
    "page-ja.js": 8_700,
    "elements-de.js": 3_700,
    "elements-ja.js": 3_950,
    # Loaded when they are first needed, each for a view, a drawer or a dialog, with its English
    # words; or when somebody signs in or a token has to be renewed.
    "sign-in.js": 4_200,
    "picture-acts.js": 10_000,
    "settings.js": 6_950,
    "pictures.js": 11_350,
    "usage-view.js": 6_400,
    "chats.js": 4_900,
    "developer.js": 10_100,
    "upload.js": 2_200,
    "compare.js": 7_850,
    "markdown.js": 2_250,
    "message-acts.js": 850,
    "mask-dialog.js": 5_950,
    "llm-dialog.js": 6_250,
    # The page for operators has the style of the page, and these.
    # With the sign-in of the main page, budgets and keys.
    "admin.js": 16_250,
    "admin.css": 920,
    "admin.html": 1_760,
}
"""Bytes as they are sent, compressed."""


def test_the_page_stays_light() -> None:
    sizes = {name: len(FILES[f"/{name}"].zipped) for name in LIMITS}
    assert {name: size for name, size in sizes.items() if size > LIMITS[name]} == {}


# Requests as clients spell them, and events that are none.


@pytest.mark.parametrize("path", ["/page.js", "/config.json", "/index.html", "/elements.js"])
@pytest.mark.parametrize("spelling", ["{}/", "/{}", "//{}//"])
def test_slashes_too_many_are_the_same_file(path: str, spelling: str) -> None:
    plain, odd = ask(path), ask(spelling.format(path))
    assert (odd["statusCode"], odd["body"]) == (200, plain["body"])


@pytest.mark.parametrize("path", ["/page.js", "//page.js/", "/", "//"])
def test_head_has_the_headers_of_get(path: str) -> None:
    head, got = ask(path, "HEAD"), ask(path)
    assert (head["statusCode"], head["headers"], head["body"]) == (200, got["headers"], "")
    assert ask("/nothing", "HEAD")["body"] == ""


@pytest.mark.parametrize("method", ["POST", "PUT", "TRACE", "OPTIONS", "get"])
def test_a_file_names_the_methods_that_it_supports(method: str) -> None:
    answer = ask("/page.js/", method)
    assert (answer["statusCode"], answer["headers"]["Allow"]) == (405, "GET, HEAD")
    assert ask("/nothing", method)["statusCode"] == 404


@pytest.mark.parametrize(
    "event",
    [{}, None, "x", [], {"httpMethod": "GET", "path": "/"}, {"rawPath": "/"}, {"rawPath": 5}],
    ids=str,
)
def test_an_event_of_another_kind_is_told_what_to_send(event: Any) -> None:
    answer = site().answer(event)
    assert answer["statusCode"] == 400
    assert "rawPath" in answer["body"]


def test_names_of_headers_are_read_in_any_case() -> None:
    http = {"method": "GET", "path": "/page.js"}
    headers = {"Accept-Encoding": "gzip", "If-None-Match": None}
    event = {"rawPath": "/page.js", "headers": headers, "requestContext": {"http": http}}
    assert site().answer(event)["headers"]["Content-Encoding"] == "gzip"


def test_the_page_for_operators_is_a_page_of_its_own_and_no_part_of_the_other() -> None:
    page = content(ask("/admin")).decode()
    assert content(ask("/admin.html")).decode() == page
    assert "&quot;adminUrl&quot;: &quot;https://a.lambda-url" in page
    assert re.search(r'src="admin\.[0-9a-f]{12}\.js"', page)
    assert re.search(r'href="admin\.[0-9a-f]{12}\.css"', page)
    assert "admin" not in (STATIC / "index.html").read_text()
    assert "/admin/" not in content(ask("/page.js")).decode()
    for script in ("admin.js", "admin-views.js", "charts.js"):
        source = (STATIC / script).read_text()
        assert not re.search(r"innerHTML|insertAdjacent|\.style\b|eval\(", source)
