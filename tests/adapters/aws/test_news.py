"""What ``news.yaml`` makes of the table's real changes: each event against its JSON Schema.

The stores of the product write into a table with a stream, and the filters and templates of the two
pipes are applied to the records of that stream.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]

from imagegen.aws.amount_store import DynamoAmountStore
from imagegen.aws.block_store import DynamoBlockStore
from imagegen.aws.circuit_store import DynamoCircuitStore
from imagegen.aws.key_store import DynamoKeyStore
from imagegen.aws.ledger_store import DynamoLedgerStore
from imagegen.aws.prompt_store import DynamoPromptStore
from imagegen.aws.record_store import DynamoRecordStore
from imagegen.aws.trail_store import DynamoTrailStore
from imagegen.aws.warning_store import DynamoBudgetWarningStore
from imagegen.domain.breaker import Circuit, Failure, State
from imagegen.domain.budget_amounts import Amounts
from imagegen.domain.budget_warnings import BudgetWarning
from imagegen.domain.budgets import team_level
from imagegen.domain.fleet import KeyCheck, Switch
from imagegen.domain.gallery import KeptPrompt
from imagegen.domain.ids import ImageRef, quote_id
from imagegen.domain.keys import KeyLine, ProgramKey, revoked, rotated
from imagegen.domain.ledger import Limits
from imagegen.domain.operations import Operation
from imagegen.domain.records import ImageRecord, as_deleted
from imagegen.domain.trail import Action, Change, TrailEntry
from local.parameters import read_bare_template, read_template
from local.paths import ROOT
from local.pipes import passes, rendered
from tests.adapters.aws.test_budgets_at_once import hold
from tests.adapters.aws.world import Aws, build_client
from tests.fakes.clock import NOON_MS as NOW
from tests.unit.test_metrics import FAILED, MADE

TEMPLATE = read_bare_template(ROOT / "news.yaml")
PIPES = {
    one["Properties"]["TargetParameters"]["EventBridgeEventBusParameters"]["DetailType"]: one
    for one in TEMPLATE["Resources"].values()
    if one["Type"] == "AWS::Pipes::Pipe"
}
STREAM: Any = read_template()["Resources"]["Table"]["Properties"]["StreamSpecification"]
KINDS = {"FLEET": "circuit", "TRAIL": "change", "KEYS": "key", "WARNINGS": "budget"}
USER, NAME = "a1" * 16, "0123456789abcdef"
SECRETS = ("a purple prompt", USER, "my reason", "design", "alice", "Nightly job")
QUOTE = quote_id(bytes(15))
WARNING = BudgetWarning("O", "organisation", "day", "20261122", 80, 81_000_000, 100_000_000)
KEY = ProgramKey(
    id="abcd2345",
    name='Nightly job "7"',
    scopes=frozenset({"images", "chat"}),
    line=KeyLine(10_000_000, None, 500),
    digest=b"d" * 32,
    created_ms=NOW,
    made_by="user:alice",
)


def schema(name: str) -> Draft202012Validator:
    document = json.loads((ROOT / "schemas" / "news" / f"{name}.json").read_text())
    Draft202012Validator.check_schema(document)
    return Draft202012Validator(document)


@dataclass(slots=True)
class Table:
    """A table with a stream, and what the pipes send of its changes."""

    dynamodb: Any
    streams: Any
    name: str
    seen: int = 0
    sent: list[tuple[str, dict[str, str]]] = field(default_factory=list)

    def records(self) -> list[dict[str, Any]]:
        """Return all changes, the oldest first."""
        stream = self.dynamodb.describe_table(TableName=self.name)["Table"]["LatestStreamArn"]
        described = self.streams.describe_stream(StreamArn=stream)["StreamDescription"]
        (shard,) = described["Shards"]
        start = self.streams.get_shard_iterator(
            StreamArn=stream, ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON"
        )["ShardIterator"]
        found: list[dict[str, Any]] = self.streams.get_records(ShardIterator=start)["Records"]
        return found

    def news(self) -> list[tuple[str, dict[str, str]]]:
        """Return the events of the changes since the last time, each checked by its schema."""
        found, new = [], self.records()[self.seen :]
        self.seen += len(new)
        for record in json.loads(json.dumps(new, default=str)):
            for kind, pipe in PIPES.items():
                properties = pipe["Properties"]
                filters = properties["SourceParameters"]["FilterCriteria"]["Filters"]
                if passes(record, (one["Pattern"] for one in filters)):
                    text = rendered(record, properties["TargetParameters"]["InputTemplate"])
                    found.append(self._checked(kind, text))
        return found

    def _checked(self, kind: str, text: str) -> tuple[str, dict[str, str]]:
        for secret in SECRETS:
            assert secret not in text
        detail: dict[str, str] = json.loads(text)
        name = KINDS[detail["kind"]] if kind == "operation" else kind
        schema(name).validate(detail)
        return name, {key: value for key, value in detail.items() if value}


@pytest.fixture
def table(aws: Aws) -> Table:
    name = aws.new_table()
    stream: Any = {"StreamEnabled": True, **STREAM}
    aws.dynamodb.update_table(TableName=name, StreamSpecification=stream)
    return Table(aws.dynamodb, build_client("dynamodbstreams", aws.endpoint), name)


def put(table: Table, record: ImageRecord, **changes: Any) -> None:
    store = DynamoRecordStore(table.dynamodb, table.name, 0, lambda _user: NAME)
    new = replace(record, quote_id=QUOTE, issued_ms=NOW, created_ms=NOW + 9_000, **changes)
    store.put(ImageRef(QUOTE, USER, NOW), new)


def test_a_stored_image_is_news_with_its_keyed_user_and_without_its_words(table: Table) -> None:
    ref = ImageRef(QUOTE, USER, NOW)
    words = KeptPrompt("a purple prompt", "")
    DynamoPromptStore(table.dynamodb, table.name).put(ref, words, until_ms=NOW)
    put(table, MADE, team=team_level("design"), uploads=("u1",), run="digest.run")
    ((kind, event),) = table.news()
    assert kind == "request"
    assert event["id"] == QUOTE
    assert (event["status"], event["user"]) == ("complete", NAME)
    assert event["team"] == team_level("design")
    assert event["chargedMicrousd"] == str(MADE.charged_microusd)
    assert event["endedMs"] == str(NOW + 9_000)
    assert (event["provider"], event["model"]) == (MADE.provider, MADE.model)


def test_a_failed_request_is_news_and_so_is_the_image_of_its_next_try(table: Table) -> None:
    put(table, FAILED, code="content_refused", in_doubt_microusd=33_600)
    put(table, MADE, operation=Operation.UPSCALE)
    (_, failed), (_, made) = table.news()
    assert (failed["status"], failed["code"]) == ("failed", "content_refused")
    assert (failed["chargedMicrousd"], failed["inDoubtMicrousd"]) == ("0", "33600")
    assert (made["status"], made["was"]) == ("complete", "failed")
    assert made["operation"] == "upscale"


def test_an_image_that_could_not_be_charged_after_all_is_news(table: Table) -> None:
    put(table, MADE)
    table.news()
    store = DynamoRecordStore(table.dynamodb, table.name)
    lost = replace(FAILED, quote_id=QUOTE, issued_ms=NOW, code="lease_lost")
    store.withdraw(ImageRef(QUOTE, USER, NOW), lost)
    ((_, event),) = table.news()
    assert (event["status"], event["was"]) == ("failed", "complete")
    assert "user" not in event


def test_a_deletion_is_no_news(table: Table) -> None:
    put(table, MADE)
    table.news()
    put(table, as_deleted(MADE, NOW + 1))
    table.dynamodb.delete_item(
        TableName=table.name,
        Key={"pk": {"S": f"U#{USER}"}, "sk": {"S": f"I#{NOW:015d}#{QUOTE}"}},
    )
    assert table.news() == []


def test_a_circuit_is_news_when_it_opens_and_when_it_closes(table: Table) -> None:
    store = DynamoCircuitStore(table.dynamodb, table.name)
    closed = store.add_failure("openai/flare", 0, Failure(NOW, "call", USER))
    assert closed
    opened = Circuit(State.OPEN, 1, until_ms=NOW + 60_000, why="unavailable")
    probing = Circuit(State.HALF_OPEN, 2, owner="me", why="unavailable")
    again = Circuit(State.CLOSED, 3)
    once_more = Circuit(State.OPEN, 4, until_ms=NOW + 60_000, why="account")
    for old, new in ((closed, opened), (opened, probing), (probing, again), (again, once_more)):
        assert store.swap("openai/flare", old, new)
    events = [event for _, event in table.news()]
    moves = [(one["state"], one.get("was", ""), one["generation"]) for one in events]
    assert moves == [("O", "", "1"), ("C", "H", "3"), ("O", "C", "4")]
    assert [one.get("why") for one in events] == ["unavailable", None, "account"]
    assert {one["place"] for one in events} == {"C#openai/flare"}


def test_what_an_operator_changes_is_news_without_whom_and_why(table: Table) -> None:
    store = DynamoTrailStore(table.dynamodb, table.name)
    for number, action in enumerate(Action):
        change = Change(action, USER, "free", "blocked", 'my reason "with quotes"')
        store.add(TrailEntry(NOW + number, f"id{number}", "user:alice", change))
    events = [event for kind, event in table.news() if kind == "change"]
    assert [one["action"] for one in events] == [one.value for one in Action]
    assert events[0]["place"] == f"{NOW:015d}.id0"
    assert events[0].keys() == {"kind", "place", "action"}


def test_a_key_is_news_when_it_is_made_rotated_and_revoked(table: Table) -> None:
    store = DynamoKeyStore(table.dynamodb, table.name)
    assert store.add(KEY)
    second = rotated(KEY, b"e" * 32, overlap_ms=3_600_000, now_ms=NOW + 1)
    assert store.change(second)
    assert store.change(revoked(second, now_ms=NOW + 2))
    events = [event for _, event in table.news()]
    assert [one["version"] for one in events] == ["1", "2", "3"]
    assert [one.get("revokedMs") for one in events] == [None, None, str(NOW + 2)]
    assert {one["place"] for one in events} == {"K#abcd2345"}
    assert {one["scopes"] for one in events} == {"chat images"}


@pytest.mark.parametrize("level", ["O", team_level("design"), "K#abcd2345"])
def test_a_budget_is_news_once_for_each_step(table: Table, level: str) -> None:
    store = DynamoBudgetWarningStore(table.dynamodb, table.name)
    title = {"O": "organisation", "T": "team", "K": "key"}[level[0]]
    for warning in (WARNING, WARNING, replace(WARNING, percent=100)):
        store.add(replace(warning, level=level, title=title), NOW)
    first, last = (event for _, event in table.news())
    assert (first["percent"], last["percent"]) == ("80", "100")
    assert (first["level"], first["name"]) == (title, level)
    assert (first["usedMicrousd"], first["limitMicrousd"]) == ("81000000", "100000000")


def _amounts(table: Table) -> None:
    DynamoAmountStore(table.dynamodb, table.name).replace("O", None, Amounts(1, 2))


def _block(table: Table) -> None:
    DynamoBlockStore(table.dynamodb, table.name).set_blocked(USER, blocked=True)


def _switch(table: Table) -> None:
    store = DynamoCircuitStore(table.dynamodb, table.name)
    store.save_switch("openai", Switch(is_on=False, at_ms=NOW, reason="my reason"))
    store.save("openai", KeyCheck(NOW, "valid"))


def _rest(table: Table) -> None:
    store = DynamoCircuitStore(table.dynamodb, table.name)
    store.rest("openai", 0, NOW + 5_000)
    store.add_failure("openai", 0, Failure(NOW, "call", USER))


def _hold(table: Table) -> None:
    DynamoLedgerStore(table.dynamodb, table.name).reserve(USER, hold(1), Limits(), now_ms=NOW)


@pytest.mark.parametrize("change", [_amounts, _block, _switch, _rest, _hold])
def test_every_other_change_of_the_table_is_no_news(
    table: Table, change: Callable[[Table], None]
) -> None:
    change(table)
    assert table.records()
    assert table.news() == []
