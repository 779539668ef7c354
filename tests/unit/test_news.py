"""The stack of the news: what leaves the table, who may read it, and what the command gives it."""

import json
import re
from typing import Any

import pytest

from local.parameters import read_bare_template, read_template
from local.paths import ROOT
from local.pipes import matches, passes, rendered
from operations import deployer_policy, news
from operations.accounts import AccountError
from operations.resource_actions import ACTIONS, NEWS_ACTIONS

TEMPLATE = read_bare_template(ROOT / "news.yaml")
RESOURCES: dict[str, dict[str, Any]] = TEMPLATE["Resources"]
PIPES = {
    name: one["Properties"] for name, one in RESOURCES.items() if one["Type"] == "AWS::Pipes::Pipe"
}
STREAM = "arn:aws:dynamodb:us-east-1:123456789012:table/t/stream/2026-11-26T00:00:00.000"
MOST_READERS, MOST_FILTERS = 2, 5
ATTRIBUTES = {
    "Requests": {
        *("quote_id", "status", "by", "team", "operation", "tier", "provider", "model", "code"),
        *("ceiling_microusd", "charged_microusd", "in_doubt_microusd", "created_ms"),
        "duration_ms",
    },
    "Operations": {
        *("st", "why", "gen", "action", "s", "v", "r", "level", "name", "span", "time"),
        *("percent", "used_microusd", "limit_microusd"),
    },
}
"""What may leave the table: no prompt, no plain hash of a user, no words of an operator."""


def template_of(pipe: str) -> str:
    return str(PIPES[pipe]["TargetParameters"]["InputTemplate"])


def schemas() -> dict[str, dict[str, Any]]:
    return {
        path.stem: json.loads(path.read_text()) for path in (ROOT / "schemas" / "news").iterdir()
    }


# What leaves the table.


def test_the_table_of_the_stack_has_the_stream_that_the_news_read() -> None:
    table = read_template()["Resources"]["Table"]["Properties"]
    assert table["StreamSpecification"] == {"StreamViewType": "NEW_AND_OLD_IMAGES"}


def test_no_more_readers_than_a_stream_has_room_for_and_no_more_filters_than_a_pipe() -> None:
    assert len(PIPES) <= MOST_READERS
    for pipe in PIPES.values():
        assert len(pipe["SourceParameters"]["FilterCriteria"]["Filters"]) <= MOST_FILTERS


@pytest.mark.parametrize("pipe", PIPES)
def test_only_listed_attributes_leave_the_table(pipe: str) -> None:
    places = re.findall(r"<\$\.dynamodb\.(\w+)\.(\w+)\.[SN]>", template_of(pipe))
    assert len(places) == template_of(pipe).count("<")
    of_items = {name for image, name in places if image in ("NewImage", "OldImage")}
    assert of_items == ATTRIBUTES[pipe]
    keys = {name for image, name in places if image == "Keys"}
    # The key of a record names its user.
    assert keys == ({"pk", "sk"} if pipe == "Operations" else set())


@pytest.mark.parametrize("pipe", PIPES)
def test_every_value_is_in_quotes_so_that_an_absent_one_leaves_json(pipe: str) -> None:
    empty = json.loads(rendered({}, template_of(pipe)))
    assert set(empty.values()) == {""}


@pytest.mark.parametrize("pipe", PIPES)
def test_a_record_that_cannot_be_sent_holds_up_the_others_for_a_bounded_time(pipe: str) -> None:
    reading = PIPES[pipe]["SourceParameters"]["DynamoDBStreamParameters"]
    assert reading["MaximumRetryAttempts"] == 20
    assert reading["MaximumRecordAgeInSeconds"] == 3600
    assert reading["DeadLetterConfig"]


def test_every_rule_keeps_what_it_cannot_deliver() -> None:
    rules = [one["Properties"] for one in RESOURCES.values() if one["Type"] == "AWS::Events::Rule"]
    assert rules
    for rule in rules:
        assert all(target["DeadLetterConfig"] for target in rule["Targets"])


def test_the_schemas_have_what_the_templates_have() -> None:
    found = schemas()
    assert found.keys() == {"request", "circuit", "change", "key", "budget"}
    request = json.loads(rendered({}, template_of("Requests")))
    assert found.pop("request")["properties"].keys() == request.keys()
    operation = json.loads(rendered({}, template_of("Operations")))
    named = set().union(*(one["properties"] for one in found.values()))
    assert named == operation.keys()
    for one in found.values():
        assert set(one["required"]) <= one["properties"].keys()


def test_the_mail_names_only_what_a_warning_has() -> None:
    (target,) = RESOURCES["BudgetMailing"]["Properties"]["Targets"]
    paths = target["InputTransformer"]["InputPathsMap"]
    budget = schemas()["budget"]["properties"]
    assert {path.removeprefix("$.detail.") for path in paths.values()} <= budget.keys()
    text = target["InputTransformer"]["InputTemplate"]
    assert set(re.findall(r"<(\w+)>", text)) == paths.keys()


# Filters and templates, as tests and the emulator apply them.


@pytest.mark.parametrize(
    ("value", "pattern", "fits"),
    [
        ({"a": {"S": "I#1"}}, {"a": {"S": [{"prefix": "I#"}]}}, True),
        ({"a": {"S": "L#1"}}, {"a": {"S": [{"prefix": "I#"}]}}, False),
        ({}, {"a": {"S": [{"prefix": "I#"}]}}, False),
        ({}, {"a": {"S": [{"exists": False}]}}, True),
        ({"a": {"S": "x"}}, {"a": {"S": [{"exists": False}]}}, False),
        ({"a": {"S": "x"}}, {"a": {"S": [{"exists": True}]}}, True),
        ({"a": "x", "b": "y"}, {"a": ["z", "x"], "b": ["y"]}, True),
        ({"a": "x"}, {"a": ["x"], "b": ["y"]}, False),
    ],
)
def test_a_filter_compares_with_fixed_values(value: Any, pattern: Any, *, fits: bool) -> None:
    assert matches(value, pattern) is fits
    assert passes(value, (json.dumps({"never": ["x"]}), json.dumps(pattern))) is fits


def test_what_is_not_known_of_the_rules_of_aws_is_an_error() -> None:
    with pytest.raises(ValueError, match="numeric"):
        matches({"a": 1}, {"a": [{"numeric": [">", 0]}]})
    with pytest.raises(ValueError, match="not a text"):
        rendered({"a": {"b": 1}}, '"<$.a.b>"')


# Who may do what.


def test_the_pipes_may_read_one_stream_and_write_one_bus() -> None:
    (policy,) = RESOURCES["PipeRole"]["Properties"]["Policies"]
    allowed = {one["Sid"]: one for one in policy["PolicyDocument"]["Statement"]}
    assert allowed["ReadStream"]["Resource"] == {"Ref": "StreamArn"}
    everywhere = {sid for sid, one in allowed.items() if one["Resource"] == "*"}
    assert everywhere == {"ListStreams"}
    assert {sid: one["Action"] for sid, one in allowed.items()} == {
        "ReadStream": [
            *("dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator"),
        ],
        "ListStreams": "dynamodb:ListStreams",
        "SendEvents": "events:PutEvents",
        "KeepUndelivered": "sqs:SendMessage",
    }


def test_what_is_posted_goes_to_one_address_and_its_key_is_never_shown() -> None:
    (policy,) = RESOURCES["PostRole"]["Properties"]["Policies"]
    (post,) = policy["PolicyDocument"]["Statement"]
    assert post["Action"] == "events:InvokeApiDestination"
    assert post["Resource"] == {"Fn::GetAtt": ["Destination", "Arn"]}
    assert TEMPLATE["Parameters"]["NewsKey"]["NoEcho"] is True


@pytest.mark.parametrize(
    ("name", "source"),
    [("BudgetMailPolicy", "ArnEquals"), ("UndeliveredPolicy", "ArnLike")],
)
def test_only_our_own_rules_may_send_to_the_topic_and_the_queue(name: str, source: str) -> None:
    (allowed,) = RESOURCES[name]["Properties"]["PolicyDocument"]["Statement"]
    assert allowed["Principal"] == {"Service": "events.amazonaws.com"}
    assert allowed["Condition"][source]["aws:SourceArn"]


def test_a_warning_is_mailed_and_nothing_else() -> None:
    pattern = RESOURCES["BudgetMailing"]["Properties"]["EventPattern"]
    event = {"source": "imagegen", "detail-type": "operation"}
    for kind in ("WARNINGS", "TRAIL", "KEYS", "FLEET"):
        assert matches({**event, "detail": {"kind": kind}}, pattern) == (kind == "WARNINGS")


def test_who_deploys_news_reads_no_other_connections_key() -> None:
    scope = deployer_policy.Scope("prod", "eu-central-1", "123456789012")
    found = {one["Sid"]: one for one in deployer_policy.policy(scope, "news")["Statement"]}
    for sid in ("Events", "Secretsmanager", "Sns", "Sqs", "News"):
        assert all("prod-news" in one for one in found[sid]["Resource"])
    assert found["Poster"]["Action"] == ["iam:CreateServiceLinkedRole"]
    assert RESOURCES["Connection"]["Properties"]["Name"] == {"Ref": "AWS::StackName"}
    assert RESOURCES["Destination"]["Properties"]["Name"] == {"Ref": "AWS::StackName"}


def test_every_resource_type_has_its_actions() -> None:
    listed = {name.partition(".")[0] for name in (*NEWS_ACTIONS, *ACTIONS)}
    used = {one["Type"] for one in RESOURCES.values()}
    assert used - listed == set(), "add its actions to operations/resource_actions.py"
    assert {name.partition(".")[0] for name in NEWS_ACTIONS} <= used


def test_what_a_deployer_of_news_may_do_is_bounded_by_the_name_of_the_stack() -> None:
    scope = deployer_policy.Scope("prod", "eu-central-1", "123456789012")
    statements = deployer_policy.policy(scope, "news")["Statement"]
    text = json.dumps(statements)
    assert "prod-news" in text
    assert '"*"' not in text
    # IAM's limit for the policy of a role, without white space.
    assert len(json.dumps(statements, separators=(",", ":"))) < 6_144


# The command.


class DynamoDb:
    """One table."""

    def __init__(self, stream: Any) -> None:
        self.stream = stream

    def describe_table(self, *, TableName: str) -> Any:  # noqa: N803 boto3's name
        assert TableName == "t"
        return {"Table": {"LatestStreamArn": STREAM, "StreamSpecification": self.stream}}


@pytest.mark.parametrize(
    "stream",
    [
        None,
        {"StreamEnabled": False, "StreamViewType": "NEW_AND_OLD_IMAGES"},
        {"StreamEnabled": True, "StreamViewType": "KEYS_ONLY"},
    ],
)
def test_a_table_without_its_stream_is_named_with_what_to_do(stream: Any) -> None:
    client: Any = DynamoDb(stream)
    with pytest.raises(AccountError, match="update-table --table-name t"):
        news.stream_of(client, "t")


def test_the_stream_is_the_tables_own() -> None:
    client: Any = DynamoDb({"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"})
    assert news.stream_of(client, "t") == STREAM


def test_settings_become_parameters_that_are_there() -> None:
    deployed = {"RolePath": "/teams/", "PermissionsBoundary": "", "DailyImages": "50"}
    dotenv = {"NEWS_URL": "https://ops.example.com/n", "NEWS_EMAIL": "-", "OPENAI_API_KEY": "k"}
    made = news.parameters(STREAM, deployed, dotenv)
    assert made == {
        "StreamArn": STREAM,
        "RolePath": "/teams/",
        "PermissionsBoundary": "",
        "NewsUrl": "https://ops.example.com/n",
        "NewsEmail": "",
    }
    assert made.keys() <= TEMPLATE["Parameters"].keys()
    assert {*news.CHOSEN.values(), *news.OF_STACK} <= TEMPLATE["Parameters"].keys()


def test_a_key_is_made_once_and_only_for_posts() -> None:
    assert news.new_key({}) == {}
    url = {"NEWS_URL": "https://ops.example.com/n"}
    assert len(news.new_key(url)["NEWS_KEY"]) > 40
    assert news.new_key({**url, "NEWS_KEY": "k" * 20}) == {}
    assert news.new_key({"NEWS_URL": "-"}) == {}
    assert news.new_key({**url, "NEWS_KEY": "-"})


def test_what_comes_next_is_said() -> None:
    given = {"NEWS_URL": "https://ops.example.com/n", "NEWS_EMAIL": "ops@example.com"}
    said = news.report({"BusName": "prod-news"}, given)
    assert "prod-news" in said
    assert "https://ops.example.com/n" in said
    assert "must confirm" in said
    assert "confirm" not in news.report({"BusName": "prod-news"}, {})
