"""Amazon Bedrock: a role instead of keys, one attempt, and refusals that look like successes."""

import base64
import json
from dataclasses import replace
from datetime import date
from itertools import count
from typing import Any

import pytest

from imagegen.domain.call_errors import ProviderError
from imagegen.domain.inputs import InputFile, Role
from imagegen.domain.outcomes import Outcome
from imagegen.domain.ports import Moderation
from imagegen.providers import RoleAccess, build_moderator, build_provider
from imagegen.providers.http import JsonHttp
from tests.adapters.providers.adapters import PROMPT, build_adapter, order_for
from tests.adapters.providers.loopback import PNG, Loopback, Reply, ToolUse, Wire, json_reply
from tests.contracts.vendors import check
from tests.fakes.pictures import png

NAME = "bedrock"
SECRET = "CANARY-SECRET"
ROLE_ARN = "arn:aws:iam::210987654321:role/pictures"
CATEGORIES = ("VIOLENCE", "HATE", "SEXUAL", "MISCONDUCT", "INSULTS")
ASSUMED = """<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleResult>
<Credentials><AccessKeyId>ASIAOTHER</AccessKeyId><SecretAccessKey>other-secret</SecretAccessKey>
<SessionToken>other-token</SessionToken><Expiration>2099-01-01T00:00:00Z</Expiration></Credentials>
</AssumeRoleResult></AssumeRoleResponse>"""
DENIED = """<ErrorResponse><Error><Type>Sender</Type><Code>AccessDenied</Code>
<Message>not authorized</Message></Error></ErrorResponse>"""


def failure(server: Loopback, reply: Reply) -> ProviderError:
    server.replies(reply)
    with pytest.raises(ProviderError) as caught:
        build_adapter(NAME, server).generate(order_for(NAME), timeout_seconds=10)
    return caught.value


def severities(**changed: Any) -> dict[str, Any]:
    scores = dict.fromkeys(CATEGORIES, 0.0) | changed
    results = [{"category": name, "severityScore": one} for name, one in scores.items()]
    return {
        "results": {"contentFilter": {"results": results}},
        "usage": {"contentFilter": {"textUnits": 1}},
    }


def verdict(server: Loopback, body: object, status: int = 200, **headers: str) -> Moderation:
    server.replies(json_reply(status, body, headers))
    moderator = build_moderator(RoleAccess("us-west-2"), server.origin, name=NAME)
    return moderator.check(PROMPT, timeout_seconds=10)


# The credential.


def test_a_request_is_signed_for_its_region_and_no_secret_travels(server: Loopback) -> None:
    failure(server, Reply(500))
    (asked,) = server.asked
    signature = asked.headers["authorization"]
    assert signature.startswith("AWS4-HMAC-SHA256 Credential=sk-CANARY-KEY-0123456789/")
    assert "/us-west-2/bedrock/aws4_request" in signature
    assert SECRET not in f"{asked.headers} {asked.path} {asked.body!r}"


def test_another_region_is_called_where_it_was_chosen() -> None:
    provider = build_provider(NAME, credential=RoleAccess("eu-central-1"))
    assert "eu-central-1" in repr(provider)


@pytest.mark.parametrize("role_arn", ["", ROLE_ARN])
def test_without_credentials_nothing_is_sent_and_the_account_is_to_blame(
    server: Loopback, monkeypatch: pytest.MonkeyPatch, role_arn: str
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_STS", f"{server.origin}/sts")
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("HOME", "/nonexistent")
    access = RoleAccess("us-west-1", role_arn)  # no client of another test
    provider = build_provider(NAME, credential=access, base_url=server.origin)
    with pytest.raises(ProviderError) as caught:
        provider.generate(order_for(NAME), timeout_seconds=10)
    assert caught.value.outcome is Outcome.ACCOUNT
    assert server.asked == []


def assuming(server: Loopback, reply: Reply, monkeypatch: pytest.MonkeyPatch) -> None:
    """Answer STS on the same server, and every other request with an image."""
    monkeypatch.setenv("AWS_ENDPOINT_URL_STS", f"{server.origin}/sts")

    def script(asked: ToolUse, _wire: Wire) -> Reply:
        if asked.path.startswith("/sts"):
            return reply
        return json_reply(200, {"modelSummaries": []})

    server.script = script


def test_a_role_of_another_account_is_assumed_and_signs(
    server: Loopback, monkeypatch: pytest.MonkeyPatch
) -> None:
    assuming(server, Reply(200, {"Content-Type": "text/xml"}, ASSUMED.encode()), monkeypatch)
    access = RoleAccess("us-west-2", ROLE_ARN)
    provider = build_provider(NAME, credential=access, base_url=server.origin)
    for _ in range(2):
        provider.check_key(timeout_seconds=10)
    assumed, *signed = server.asked
    assert b"Action=AssumeRole" in assumed.body
    assert b"RoleSessionName=imagegen" in assumed.body
    assert len(signed) == 2, "it is assumed once, until it expires"
    for one in signed:
        assert "Credential=ASIAOTHER/" in one.headers["authorization"]
        assert one.headers["x-amz-security-token"] == "other-token"


@pytest.mark.parametrize(
    ("status", "outcome"),
    [(403, Outcome.ACCOUNT), (400, Outcome.ACCOUNT), (500, Outcome.UNAVAILABLE)],
)
def test_a_role_that_cannot_be_assumed_sent_nothing(
    server: Loopback, monkeypatch: pytest.MonkeyPatch, status: int, outcome: Outcome
) -> None:
    assuming(server, Reply(status, {"Content-Type": "text/xml"}, DENIED.encode()), monkeypatch)
    access = RoleAccess("us-west-2", f"{ROLE_ARN}-{status}")
    provider = build_provider(NAME, credential=access, base_url=server.origin)
    with pytest.raises(ProviderError) as caught:
        provider.generate(order_for(NAME), timeout_seconds=10)
    assert caught.value.outcome is outcome
    assert caught.value.__context__ is None
    assert {asked.path[:4] for asked in server.asked} == {"/sts"}


def test_a_role_that_took_all_the_time_leaves_nothing_to_send(server: Loopback) -> None:
    ticks = count(0, 20)
    adapter: Any = build_adapter(NAME, server)
    slow = replace(adapter, http=JsonHttp(NAME, clock=lambda: float(next(ticks))))
    with pytest.raises(ProviderError) as caught:
        slow.generate(order_for(NAME), timeout_seconds=10)
    assert caught.value.outcome is Outcome.UNAVAILABLE
    assert server.asked == []


# The answers.


@pytest.mark.parametrize("status", [408, 429, 500, 503])
def test_no_answer_is_asked_for_twice(server: Loopback, status: int) -> None:
    headers = {"x-amzn-errortype": "ThrottlingException", "retry-after": "0"}
    failure(server, json_reply(status, {"message": "wait"}, headers))
    assert len(server.asked) == 1


@pytest.mark.parametrize("code", ["AccessDeniedException", "UnrecognizedClientException"])
def test_a_denied_account_is_told_what_to_do(server: Loopback, code: str) -> None:
    error = failure(server, json_reply(403, {"message": "no"}, {"x-amzn-errortype": code}))
    assert error.outcome is Outcome.ACCOUNT
    assert "bedrock:InvokeModel" in str(error)
    assert "docs/providers.md" in str(error)


ARN = "arn:aws:bedrock:us-west-2::foundation-model/stability.stable-image-core-v1:1"


@pytest.mark.parametrize(
    ("message", "outcome"),
    [
        ("You don't have access to the model with the specified model ID.", Outcome.MODEL_GONE),
        ("Access denied. This Model is marked by provider as Legacy.", Outcome.MODEL_GONE),
        (f"may not perform: bedrock:InvokeModel on resource: {ARN}", Outcome.MODEL_GONE),
        ("on resource: arn:aws:bedrock:us-east-1:1:inference-profile/us.x", Outcome.MODEL_GONE),
        ("may not perform: bedrock:InvokeModel with an explicit deny", Outcome.ACCOUNT),
        ("A payment instrument is missing. The offer for this model waits.", Outcome.ACCOUNT),
        ("This model needs AWS Marketplace actions.", Outcome.ACCOUNT),
        ("Your account is not authorized to invoke this API operation.", Outcome.ACCOUNT),
        ("", Outcome.ACCOUNT),
    ],
)  # fmt: skip
def test_a_denied_model_is_not_the_account(
    server: Loopback, message: str, outcome: Outcome
) -> None:
    denied = {"x-amzn-errortype": "AccessDeniedException"}
    error = failure(server, json_reply(403, {"message": message}, denied))
    assert error.outcome is outcome
    assert "bedrock:InvokeModel" in str(error), "the operator is told what to do in both cases"
    signed = {"x-amzn-errortype": "InvalidSignatureException"}
    assert failure(server, json_reply(403, {"message": message}, signed)).outcome is Outcome.ACCOUNT


@pytest.mark.parametrize(
    "reasons",
    [
        ["Filter reason: prompt"],
        ["filter reason: PROMPT"],
        ["Filter reason: a new one"],
        [" Filter reason: output image"],
        [None, "Filter reason: output image"],
        "Filter reason: prompt",
    ],
)
@pytest.mark.parametrize("images", [None, [], [None], [""]])
def test_a_filter_is_a_refusal_in_any_spelling(
    server: Loopback, reasons: object, images: object
) -> None:
    body = {"seeds": [1], "finish_reasons": reasons}
    error = failure(server, json_reply(200, body if images is None else {**body, "images": images}))
    assert error.outcome is Outcome.REFUSED


def test_an_image_with_a_reason_of_null_is_the_image(server: Loopback) -> None:
    body = {"finish_reasons": [None], "images": [base64.b64encode(PNG).decode()], "seeds": [1]}
    server.replies(json_reply(200, body, {"x-amzn-requestid": "id-1"}))
    answer = build_adapter(NAME, server).generate(order_for(NAME), timeout_seconds=10)
    assert (answer.content, answer.job_id) == (PNG, "id-1")


@pytest.mark.parametrize(
    ("lifecycle", "day"),
    [
        ({"status": "ACTIVE"}, None),
        ({"status": "LEGACY", "endOfLifeTime": "2027-03-31T00:00:00Z"}, date(2027, 3, 31)),
        ({"status": "LEGACY", "endOfLifeTime": None}, None),
        ({"status": "LEGACY", "endOfLifeTime": "soon"}, None),
        (None, None),
    ],
)
def test_the_list_has_the_last_day_of_a_model(
    server: Loopback, lifecycle: object, day: date | None
) -> None:
    summary = {"modelId": "one", "modelLifecycle": lifecycle}
    server.replies(json_reply(200, {"modelSummaries": [summary]}))
    assert build_adapter(NAME, server).models(timeout_seconds=10) == {"one": day}


# The checks.


def test_a_prompt_is_checked_by_every_category(server: Loopback) -> None:
    assert verdict(server, severities()) == Moderation(flagged=False)
    (asked,) = server.asked
    assert (asked.method, asked.path) == ("POST", "/guardrail-checks/invoke")
    check(NAME, "checksRequest", asked.json())
    assert asked.json()["messages"][0]["content"] == [{"text": PROMPT}]
    categories = asked.json()["checks"]["contentFilter"]["categories"]
    assert [one["category"] for one in categories] == list(CATEGORIES)


@pytest.mark.parametrize("category", CATEGORIES)
@pytest.mark.parametrize("score", [0, 0.0, 0.49, 0.5, 0.9, 1])
def test_a_severity_from_one_half_flags(server: Loopback, category: str, score: float) -> None:
    found = verdict(server, severities(**{category: score}))
    flagged = (category.lower(),) if score >= 0.5 else ()
    assert found == Moderation(bool(flagged), flagged)


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"results": {}},
        {"results": {"contentFilter": {"results": []}}},
        severities(VIOLENCE=None),
        severities(VIOLENCE="0.9"),
        severities(VIOLENCE=True),
        severities(VIOLENCE=1.5),
        severities(VIOLENCE=-1),
        [],
    ],
    ids=lambda body: json.dumps(body)[:60],
)
def test_what_is_no_verdict_on_every_category_is_none(server: Loopback, body: object) -> None:
    with pytest.raises(ProviderError):
        verdict(server, body)


def test_a_category_that_is_left_out_is_no_verdict(server: Loopback) -> None:
    body = severities()
    body["results"]["contentFilter"]["results"].pop()
    with pytest.raises(ProviderError) as caught:
        verdict(server, body)
    assert caught.value.outcome is Outcome.UNAVAILABLE


@pytest.mark.parametrize(
    ("status", "code", "outcome"),
    [
        (403, "AccessDeniedException", Outcome.ACCOUNT),
        (429, "ThrottlingException", Outcome.RATE_LIMITED),
        (400, "ValidationException", Outcome.BAD_PARAMETER),
        (503, "ServiceUnavailableException", Outcome.UNAVAILABLE),
    ],
)
def test_checks_that_fail_give_no_verdict(
    server: Loopback, status: int, code: str, outcome: Outcome
) -> None:
    with pytest.raises(ProviderError) as caught:
        verdict(server, {"message": PROMPT}, status, **{"x-amzn-errortype": code})
    assert caught.value.outcome is outcome
    assert PROMPT not in str(caught.value)


def test_pictures_are_not_checked_and_not_passed_over(server: Loopback) -> None:
    moderator = build_moderator(RoleAccess("us-west-2"), server.origin, name=NAME)
    assert not moderator.reads_pictures
    picture = InputFile(Role.EDIT, png((64, 64)), "image/png", 64, 64)
    with pytest.raises(ProviderError) as caught:
        moderator.check(PROMPT, [picture], timeout_seconds=10)
    assert caught.value.outcome is Outcome.NOT_CALLED
    assert server.asked == []
