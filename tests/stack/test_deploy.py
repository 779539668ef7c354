"""`make deploy` and its kin: a second stack in the same account and Region, and its end.

Whoever types it has the policy of a deployer and no other right.
"""

import json
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from imagegen.providers import PROVIDERS
from local.emulator import REGION
from local.parameters import read_dotenv, read_template
from local.stack import LocalStack
from operations import accounts
from operations.deployer_policy import Scope
from tests.stack.driver import Driver
from tests.stack.terminal import ACCOUNT, Terminal, narrow

SECOND = "second"
HEALTH = "/health-check/image-providers"
ENV = """JWT_ISSUER={issuer}
OPENAI_API_KEY=sk-second
STAND_INS=openai={openai}
ENABLE_IMAGE_GENERATION_GEMINI=false
HOURLY_IMAGES=3
"""


@pytest.fixture(scope="module")
def terminal(
    local_stack: LocalStack, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Terminal]:
    env_file = tmp_path_factory.mktemp("deploy") / ".env.second"
    openai = local_stack.base_urls["openai"]
    env_file.write_text(ENV.format(issuer=local_stack.issuer.url, openai=openai))
    scope = Scope(SECOND, REGION, ACCOUNT)
    with narrow(local_stack.emulator, scope, "deployer", "edge", "news") as environment:
        yield Terminal(local_stack, SECOND, env_file, environment)


@pytest.fixture(scope="module")
def deployed(terminal: Terminal) -> dict[str, str]:
    """The second stack's outputs."""
    said = terminal.make("deploy")
    assert f"tokens      {terminal.stack.issuer.url}" in said
    assert "account     000000000000" in said
    assert "Region      us-east-1 (from AWS_DEFAULT_REGION)" in said
    assert "providers   openai" in said
    pushed = terminal.make("deploy-env")
    assert f"/imagegen/{SECOND}/OPENAI_API_KEY" in pushed
    assert "sk-second" not in said + pushed
    return terminal.adapted()


def report(terminal: Terminal, url: str) -> dict[str, Any]:
    address = f"{terminal.stack.local_url(url)}/health-check/image-providers"
    found: dict[str, Any] = requests.get(address, timeout=60).json()
    return {one["provider"]: one for one in found["providers"]}


def variables(terminal: Terminal, function: str) -> dict[str, str]:
    client = terminal.stack.emulator.client("lambda")
    live = client.get_function_configuration(FunctionName=function, Qualifier="live")
    found: dict[str, str] = live["Environment"]["Variables"]
    return found


def included(kind: str) -> list[dict[str, Any]]:
    """Return the included resources of a kind that every stack has."""
    resources = read_template()["Resources"].values()
    return [one for one in resources if one["Type"] == kind and "Condition" not in one]


def test_two_stacks_share_no_resource(terminal: Terminal, deployed: dict[str, str]) -> None:
    first = terminal.resources(terminal.stack.describe()["stackName"])
    second = terminal.resources(SECOND)
    assert first.keys() == second.keys()
    assert not set(first.values()) & set(second.values())


def test_each_stack_has_its_own_keys_flags_and_limits(
    stack: Driver, terminal: Terminal, deployed: dict[str, str]
) -> None:
    second = report(terminal, deployed["HealthUrl"])
    assert {name: one["credentials"] for name, one in second.items()} == {
        **{name: "present" if one.region else "missing" for name, one in PROVIDERS.items()},
        "openai": "present",
    }
    assert second["gemini"]["enabled"] is False
    assert {one["credentials"] for one in stack.health()["providers"]} == {"present"}
    assert variables(terminal, deployed["GenerateName"])["HOURLY_IMAGES"] == "3"
    assert stack.variables("generate")["HOURLY_IMAGES"] == "10"


def test_each_stack_has_its_own_alarms_dashboard_and_logs(
    terminal: Terminal, deployed: dict[str, str]
) -> None:
    watch = terminal.stack.emulator.client("cloudwatch")
    first = terminal.stack.describe()["stackName"]
    names = {one["AlarmName"] for one in watch.describe_alarms(MaxRecords=100)["MetricAlarms"]}
    made = [one["Properties"] for one in included("AWS::CloudWatch::Alarm")]
    for stack in (first, SECOND):
        wanted = {one["AlarmName"]["Fn::Sub"].replace("${AWS::StackName}", stack) for one in made}
        assert wanted == {name for name in names if name.startswith(f"{stack}-")}
        text = watch.get_dashboard(DashboardName=f"{stack}-us-east-1")["DashboardBody"]
        assert f"-{stack}-" not in text.replace(f":{stack}-", "")
        assert len(json.loads(text)["widgets"]) >= 20
        assert f"/imagegen/{stack}/generate" in text
    logged = terminal.make("logs", "TAIL=")
    assert first not in logged


def test_fast_takes_the_code_and_keeps_every_setting(
    terminal: Terminal, deployed: dict[str, str]
) -> None:
    before = variables(terminal, deployed["GenerateName"])
    written = terminal.env_file.read_text()
    terminal.env_file.write_text("HOURLY_IMAGES=9\n")
    terminal.make("deploy-fast", "-o", "build")  # It was built a moment ago.
    assert variables(terminal, deployed["GenerateName"]) == before
    assert before["JWT_ISSUER"] == terminal.stack.issuer.url
    terminal.env_file.write_text(written)


def test_a_lowered_limit_is_live_at_the_same_address(
    terminal: Terminal, deployed: dict[str, str]
) -> None:
    versions = live_versions(terminal, deployed)
    assert terminal.call(deployed["GenerateUrl"], "/usage")["limits"]["imagesThisHour"] == 3
    written = terminal.env_file.read_text().replace("HOURLY_IMAGES=3", "HOURLY_IMAGES=2")
    terminal.env_file.write_text(written)
    terminal.make("deploy", "-o", "build")
    assert terminal.outputs() == deployed
    assert terminal.call(deployed["GenerateUrl"], "/usage")["limits"]["imagesThisHour"] == 2
    assert live_versions(terminal, deployed) != versions
    aws = terminal.stack.emulator.client("lambda")
    listed = aws.list_versions_by_function(FunctionName=deployed["GenerateName"])["Versions"]
    assert len(listed) == 2, "$LATEST, and the version that is live; the one before is gone"


def test_one_address_in_front_leads_to_every_function_and_news_go_beside_it(
    terminal: Terminal, deployed: dict[str, str]
) -> None:
    written = terminal.env_file.read_text()
    terminal.make("edge")
    dotenv = read_dotenv(terminal.env_file)
    cloud = terminal.stack.emulator.client("cloudformation")
    outputs = accounts.outputs(accounts.describe(cloud, f"{SECOND}-edge"))
    assert dotenv["PUBLIC_API_URL"] == dotenv["PUBLIC_PAGE_URL"] == outputs["Address"]
    assert len(dotenv["ORIGIN_DIGESTS"]) == 64
    found = {
        path: through(terminal, outputs["DistributionDomain"], path)
        for path in ("/config.json", "/openapi.json", "/models", "/usage", HEALTH)
    }
    assert {path: one.status_code for path, one in found.items()} == dict.fromkeys(found, 200)
    assert found["/openapi.json"].json()["openapi"]
    assert "limits" in found["/usage"].json()
    assert f"The event bus is {SECOND}-news" in terminal.make("news")
    for beside in ("news", "edge"):
        terminal.make("destroy", f"STACK={SECOND}-{beside}")
    terminal.env_file.write_text(written)


def through(terminal: Terminal, host: str, path: str) -> requests.Response:
    """Return the answer to a request that reaches CloudFront by HTTPS."""
    token = terminal.stack.issuer.token("second-user")
    sent = {"Host": host, "X-Forwarded-Proto": "https", "Authorization": f"Bearer {token}"}
    return requests.get(terminal.stack.emulator.endpoint + path, headers=sent, timeout=60)


def live_versions(terminal: Terminal, outputs: dict[str, str]) -> dict[str, str]:
    aws = terminal.stack.emulator.client("lambda")
    return {
        name: aws.get_alias(FunctionName=outputs[name], Name="live")["FunctionVersion"]
        for name in (
            "EstimateName",
            "GenerateName",
            "HealthName",
            "ChatName",
            "AdminName",
            "PageName",
        )
    }


def made_image(terminal: Terminal, outputs: dict[str, str]) -> dict[str, Any]:
    """Return an image that the second stack has made."""
    offer = terminal.call(outputs["EstimateUrl"], "/estimate", {"prompt": "A red fox"})
    order = {"quote": offer["quote"], "prompt": offer["prompt"]}
    return terminal.call(outputs["GenerateUrl"], "/generate-image", order)


def test_the_end_of_one_stack_is_not_the_others(
    stack: Driver, terminal: Terminal, deployed: dict[str, str]
) -> None:
    image = made_image(terminal, deployed)
    terminal.make("destroy")
    tables = stack.client("dynamodb").list_tables()["TableNames"]
    assert {deployed["TableName"], stack.urls["table"]} <= set(tables), "what was paid for stays"
    functions = {
        one["FunctionName"] for one in stack.client("lambda").list_functions()["Functions"]
    }
    assert not {deployed["GenerateName"]} & functions
    assert stack.person().make().status == 200
    comes_back(terminal, deployed, image)


def comes_back(terminal: Terminal, before: dict[str, str], image: dict[str, Any]) -> None:
    """Create the second stack again with its old table and bucket: charges and images are there."""
    kept = {"EXISTING_TABLE_NAME": "TableName", "EXISTING_BUCKET_NAME": "BucketName"}
    lines = [f"{name}={before[output]}" for name, output in kept.items()]
    terminal.env_file.write_text("\n".join([terminal.env_file.read_text(), *lines, ""]))
    terminal.make("deploy", "-o", "build")
    outputs = terminal.adapted()
    assert {outputs[name] for name in kept.values()} == {before[name] for name in kept.values()}
    assert not {"Table", "Bucket"} & terminal.resources(SECOND).keys()
    usage = terminal.call(outputs["GenerateUrl"], "/usage")
    assert usage["spent"] == image["cost"]["charged"]
    status = terminal.call(outputs["GenerateUrl"], f"/images/{image['id']}")
    assert (status["status"], status["cost"]) == ("complete", image["cost"])
    assert requests.get(status["imageUrl"], timeout=30).content.startswith(b"\x89PNG")
    terminal.make("destroy")
    assert terminal.stack.emulator.client("s3").list_objects_v2(Bucket=before["BucketName"])[
        "KeyCount"
    ]
