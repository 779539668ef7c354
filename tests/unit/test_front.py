"""One address in front of all functions: links name it, and calls past it are refused."""

import argparse
import hashlib
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imagegen.bootstrap.estimate import EstimateService
from imagegen.edge.events import ORIGIN_HEADER, came_through_front
from imagegen.places import public_url
from imagegen.settings import EstimateSettings, GenerateSettings
from imagegen.site import PageSettings, build_site
from local.parameters import read_bare_template, read_dotenv, read_template
from local.paths import ROOT
from operations import edge
from tests.fakes.service import Service

FRONT = "https://images.example.com"
PAGE = "https://app.example.com"
SECRET = "s3cret-" * 6
DIGEST = hashlib.sha256(SECRET.encode()).hexdigest()
BASE = {"TABLE_NAME": "t", "PARAMETERS_PATH": "/p", "BUCKET_NAME": "b"}
URLS = {
    f"{name}_URL": f"https://{name[0].lower()}.lambda-url.eu-central-1.on.aws/"
    for name in ("ESTIMATE", "GENERATE", "HEALTH", "CHAT", "ADMIN")
}
EDGE = read_bare_template(ROOT / "edge.yaml")
CONFIG = EDGE["Resources"]["Distribution"]["Properties"]["DistributionConfig"]


# Addresses.


def test_every_link_names_the_address_in_front() -> None:
    settings = GenerateSettings.from_env({**BASE, "PUBLIC_API_URL": FRONT})
    assert settings.public_url("g.lambda-url.eu-central-1.on.aws", "g") == FRONT
    estimate = EstimateSettings.from_env({**BASE, **URLS, "PUBLIC_API_URL": FRONT})
    assert estimate.images_url == FRONT
    assert EstimateSettings.from_env({**BASE, "PUBLIC_API_URL": FRONT}).images_url == FRONT


def test_without_one_each_function_has_its_own() -> None:
    settings = GenerateSettings.from_env(BASE)
    assert settings.public_url("g.on.aws", "g") == "https://g.on.aws"
    assert public_url("", "g.on.aws", "g") == "https://g.on.aws"
    assert EstimateSettings.from_env({**BASE, **URLS}).images_url == URLS["GENERATE_URL"][:-1]


def test_a_link_to_the_page_names_its_own_address_or_that_of_its_function() -> None:
    world = Service().functions.world
    front = EstimateSettings.from_env({**BASE, "PUBLIC_API_URL": FRONT})
    assert EstimateService(world, front).page_url() == "https://page.test"
    both = EstimateSettings.from_env({**BASE, "PUBLIC_API_URL": FRONT, "PUBLIC_PAGE_URL": PAGE})
    assert EstimateService(world, both).page_url() == PAGE


def test_the_page_calls_and_shows_the_address_in_front_and_no_other() -> None:
    environ = {
        **URLS,
        "PUBLIC_API_URL": FRONT,
        "PUBLIC_PAGE_URL": FRONT,
        "IMAGE_HOSTS": "https://b",
    }
    settings = PageSettings.from_env(environ)
    config = json.loads(settings.config())
    assert {
        config[f"{name}Url"] for name in ("estimate", "generate", "health", "chat", "admin")
    } == {FRONT}
    assert config["pageUrl"] == FRONT
    assert "lambda-url" not in settings.policy()
    for directive in ("img-src 'self' data: blob:", "connect-src 'self'"):
        assert f"{directive} {FRONT} https://b" in settings.policy()


@pytest.mark.parametrize("parameter", ["PublicApiUrl", "PublicPageUrl"])
@pytest.mark.parametrize(
    ("value", "is_good"),
    [
        ("", True),
        (FRONT, True),
        ("https://d111.cloudfront.net", True),
        (f"{FRONT}/", False),
        (f"{FRONT}/api", False),
        ("http://images.example.com", False),
        ("images.example.com", False),
        (f"{FRONT}?a=b", False),
    ],
)
def test_an_address_in_front_is_an_origin(parameter: str, value: str, is_good: bool) -> None:  # noqa: FBT001 a case
    pattern = read_template()["Parameters"][parameter]["AllowedPattern"]
    assert bool(re.fullmatch(pattern, value)) == is_good


# The header.


def test_without_a_digest_every_call_is_accepted() -> None:
    assert came_through_front({}, "")


@pytest.mark.parametrize(
    ("sent", "is_accepted"),
    [
        (SECRET, True),
        ("", False),
        (DIGEST, False),
        (SECRET + " ", False),
        (SECRET[:-1], False),
        (f"{SECRET},{SECRET}", False),
    ],
)
def test_only_the_secret_itself_is_accepted(sent: str, is_accepted: bool) -> None:  # noqa: FBT001 a case
    assert came_through_front({ORIGIN_HEADER: sent}, DIGEST) == is_accepted
    assert not came_through_front({}, DIGEST)


def test_two_secrets_are_accepted_while_one_is_being_changed() -> None:
    new = hashlib.sha256(b"new").hexdigest()
    for sent in (SECRET, "new"):
        assert came_through_front({ORIGIN_HEADER: sent}, f"{DIGEST},{new}")
    assert not came_through_front({ORIGIN_HEADER: SECRET}, new)


@given(st.text(), st.text())
def test_another_value_is_never_accepted(sent: str, secret: str) -> None:
    digest = hashlib.sha256(secret.encode(errors="replace")).hexdigest()
    same = sent.encode(errors="replace") == secret.encode(errors="replace")
    assert came_through_front({ORIGIN_HEADER: sent}, digest) == same


def test_the_page_refuses_what_did_not_come_through() -> None:
    site = build_site({}, PageSettings.from_env({**URLS, "ORIGIN_DIGESTS": DIGEST}))
    event: dict[str, Any] = {
        "requestContext": {"http": {"method": "GET"}},
        "rawPath": "/config.json",
        "headers": {},
    }
    assert site.answer(event)["statusCode"] == 403
    event["headers"][ORIGIN_HEADER] = SECRET
    assert site.answer(event)["statusCode"] == 200
    assert DIGEST not in repr(site)


# The template in front.


def test_the_distribution_sends_the_secret_to_every_function_and_connects_once() -> None:
    assert len(CONFIG["Origins"]) == 6
    for origin in CONFIG["Origins"]:
        (header,) = origin["OriginCustomHeaders"]
        assert header == {"HeaderName": ORIGIN_HEADER, "HeaderValue": {"Ref": "OriginSecret"}}
        assert origin["ConnectionAttempts"] == 1
        assert origin["CustomOriginConfig"]["OriginProtocolPolicy"] == "https-only"
    assert EDGE["Parameters"]["OriginSecret"]["NoEcho"] is True


def routed(path: str) -> str:
    """Return the origin that CloudFront chooses for a path: the first pattern that fits."""
    from fnmatch import fnmatchcase  # noqa: PLC0415

    fitting = (one for one in CONFIG["CacheBehaviors"] if fnmatchcase(path, one["PathPattern"]))
    target: str = next(fitting, CONFIG["DefaultCacheBehavior"])["TargetOriginId"]
    return target


def test_every_route_of_the_document_reaches_its_function() -> None:
    owners = {
        "estimate": "estimate",
        "generate": "api",
        "health": "health",
        "chat": "chat",
        "admin": "admin",
    }
    document = json.loads((ROOT / "openapi.json").read_text())
    for name, origin in owners.items():
        source = (ROOT / "functions" / name / "handler.py").read_text()
        for path, methods in document["paths"].items():
            operations = [one["operationId"] for one in methods.values() if isinstance(one, dict)]
            if any(f'operation_id="{one}"' in source for one in operations):
                assert routed(path.replace("{image_id}", "abc")) == origin, path
    assert routed("/.well-known/oauth-protected-resource") == "estimate"


@pytest.mark.parametrize(("name", "origin"), [("estimate", "estimate"), ("generate", "api")])
def test_a_route_that_the_document_leaves_out_reaches_its_function_too(
    name: str, origin: str
) -> None:
    source = (ROOT / "functions" / name / "handler.py").read_text()
    found = re.findall(r'^@api\.(?:get|post)\(f?"([^"]+)"', source, re.MULTILINE)
    paths = [one.replace("{MODELS}", "/v1/models") for one in found]
    assert "/openapi.json" in paths or "/v1/models/.+/.+" in paths
    assert {routed(one) for one in paths} == {origin}


@pytest.mark.parametrize("path", ["/", "/admin", "/elements.js", "/config.json", "/page.css"])
def test_what_is_no_route_is_the_pages(path: str) -> None:
    assert routed(path) == "page"


def test_only_the_page_is_cached_and_never_by_a_policy_that_forwards_the_host() -> None:
    off = "4135ea2d-6df8-44a3-9df3-4b5a84be39ad"
    assert {one["CachePolicyId"] for one in CONFIG["CacheBehaviors"]} == {off}
    assert CONFIG["DefaultCacheBehavior"]["CachePolicyId"] == {"Ref": "PageCache"}
    cache = EDGE["Resources"]["PageCache"]["Properties"]["CachePolicyConfig"]
    key = cache["ParametersInCacheKeyAndForwardedToOrigin"]
    assert key["HeadersConfig"] == {"HeaderBehavior": "none"}
    assert cache["DefaultTTL"] == 0
    for one in (CONFIG["DefaultCacheBehavior"], *CONFIG["CacheBehaviors"]):
        assert one["OriginRequestPolicyId"] == "b689b0a8-53d0-40ab-baf2-68738e2966ac"


def test_a_post_is_never_redirected() -> None:
    assert {one["ViewerProtocolPolicy"] for one in CONFIG["CacheBehaviors"]} == {"https-only"}


# The command.


def test_hosts_and_choices_become_parameters_that_are_there() -> None:
    outputs = {
        name: f"https://{name.lower()}.lambda-url.eu-central-1.on.aws/"
        for name in edge.HOSTS.values()
    }
    dotenv = {"EDGE_DOMAIN_NAME": "images.example.com", "OPENAI_API_KEY": "k"}
    made = edge.parameters(outputs, dotenv, SECRET)
    assert made["ApiHost"] == "generateurl.lambda-url.eu-central-1.on.aws"
    assert made.keys() <= EDGE["Parameters"].keys()
    required = {name for name, one in EDGE["Parameters"].items() if "Default" not in one}
    assert required <= made.keys()
    assert "OriginSecret" not in edge.parameters(outputs, dotenv, None)
    assert set(edge.CHOSEN.values()) <= EDGE["Parameters"].keys()


CLOUD = "https://d111.cloudfront.net"
BOTH = dict.fromkeys(edge.ADDRESSES, FRONT)
NEW = "1" * 64


def test_a_cleared_choice_has_the_templates_default() -> None:
    outputs = {name: f"https://{name.lower()}.on.aws/" for name in edge.HOSTS.values()}
    made = edge.parameters(outputs, dict.fromkeys(edge.CHOSEN, "-"), None)
    wanted = {name: str(EDGE["Parameters"][name]["Default"]) for name in edge.CHOSEN.values()}
    assert {name: made[name] for name in wanted} == wanted
    assert wanted["DomainName"] == ""


def test_the_stack_behind_gets_the_address_and_the_digest_only() -> None:
    digests = edge.with_digest("", SECRET)
    made = edge.settings(FRONT, {}, before="", digests=digests)
    assert made == {**BOTH, "ORIGIN_DIGESTS": DIGEST}
    assert SECRET not in str(made)


@pytest.mark.parametrize(
    ("dotenv", "before", "written"),
    [
        ({**BOTH, "ORIGIN_DIGESTS": DIGEST}, FRONT, {}),
        # The domain is named later, taken back, or the distribution is another one.
        ({**dict.fromkeys(BOTH, CLOUD), "ORIGIN_DIGESTS": DIGEST}, CLOUD, BOTH),
        ({**dict.fromkeys(BOTH, "https://old.example.com"), "ORIGIN_DIGESTS": DIGEST}, "", {}),
        (
            {**dict.fromkeys(BOTH, "https://old.example.com"), "ORIGIN_DIGESTS": DIGEST},
            "https://old.example.com",
            BOTH,
        ),
        ({**dict.fromkeys(BOTH, CLOUD), "ORIGIN_DIGESTS": DIGEST}, "", BOTH),
        ({**dict.fromkeys(BOTH, "-"), "ORIGIN_DIGESTS": DIGEST}, FRONT, BOTH),
        ({"PUBLIC_API_URL": FRONT, "PUBLIC_PAGE_URL": PAGE, "ORIGIN_DIGESTS": DIGEST}, CLOUD, {}),
        ({**BOTH, "ORIGIN_DIGESTS": "-"}, FRONT, {"ORIGIN_DIGESTS": DIGEST}),
    ],
)
def test_an_address_follows_the_front_unless_it_is_a_persons_own(
    dotenv: dict[str, str], before: str, written: dict[str, str]
) -> None:
    assert edge.settings(FRONT, dotenv, before=before, digests=DIGEST) == written
    said = edge.report(FRONT, "prod", {**dotenv, **written})
    assert ("stays" in said) == ({**dotenv, **written}["PUBLIC_PAGE_URL"] != FRONT)


@pytest.mark.parametrize(
    ("deployed", "dotenv", "found"),
    [
        ({}, {}, ""),
        ({"OriginDigests": DIGEST}, {}, DIGEST),
        ({"OriginDigests": DIGEST}, {"ORIGIN_DIGESTS": NEW}, NEW),
        ({"OriginDigests": DIGEST}, {"ORIGIN_DIGESTS": "-"}, DIGEST),
        ({}, {"ORIGIN_DIGESTS": "-"}, ""),
    ],
)
def test_a_digest_is_demanded_by_what_is_deployed_or_will_be(
    deployed: dict[str, str], dotenv: dict[str, str], found: str
) -> None:
    assert edge.demanded(deployed, dotenv) == found


def test_a_new_secret_beside_an_older_one_keeps_both_and_says_so() -> None:
    assert edge.with_digest(NEW, SECRET) == f"{NEW},{DIGEST}"
    assert edge.with_digest(NEW, None) == NEW
    said = edge.report(FRONT, "prod", {**BOTH, "ORIGIN_DIGESTS": f"{NEW},{DIGEST}"})
    assert "several digests" in said


class Stacks:
    """The functions and the front in front of them; the first deployment breaks off here alone."""

    def __init__(self) -> None:
        urls = [
            {"OutputKey": one, "OutputValue": "https://x.example.com/"}
            for one in edge.HOSTS.values()
        ]
        self.deployed: Any = {"Outputs": urls, "Parameters": []}
        self.before: Any = None
        self.secret = ""

    def ask(self, title: str, given: Any) -> None:
        """Be asked by nobody."""

    def deploy(self, _template: Path, values: Mapping[str, str]) -> dict[str, str]:
        self.secret = values.get("OriginSecret", self.secret)
        address = "https://d.cloudfront.net"
        if self.before is None:
            self.before = {"Outputs": [{"OutputKey": "Address", "OutputValue": address}]}
            raise KeyboardInterrupt
        return {"Address": address}


def test_a_front_that_was_made_while_the_command_died_is_not_refused_for_ever(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    stacks, env = Stacks(), tmp_path / ".env"
    env.write_text(f"ORIGIN_DIGESTS={'a' * 64}\n")
    monkeypatch.setattr(edge, "beside", lambda *_: stacks)
    options = argparse.Namespace(stack="prod", env_file=env, yes=True, fast=False)
    with pytest.raises(KeyboardInterrupt):
        edge.deploy(options)
    edge.deploy(options)
    digests = read_dotenv(env)["ORIGIN_DIGESTS"].split(",")
    assert digests == ["a" * 64, hashlib.sha256(stacks.secret.encode()).hexdigest()]
