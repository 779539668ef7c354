"""``make news`` on the deployed stack: what happens there arrives at a URL and by mail.

Pipes, connections and destinations are those of ``local/emulator_pipes.py``; a second try and dead
letters are not shown here.
"""

import json
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from local.paths import ROOT
from operations.news import news_stack
from tests.stack.driver import Driver, Person

PATIENCE_SECONDS = 60


class Receiver(ThreadingHTTPServer):
    """Somebody's service, to which events are posted."""

    def __init__(self) -> None:
        self.posts: list[tuple[str | None, dict[str, Any]]] = []
        super().__init__(("127.0.0.1", 0), Handler)

    def until(self, wanted: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """Return the first event that is wanted, as soon as it has come."""
        until = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < until:
            for _, event in list(self.posts):
                if wanted(event):
                    return event
            time.sleep(0.1)
        raise AssertionError(self.posts)


class Handler(BaseHTTPRequestHandler):
    """Keeps what is posted."""

    server: Receiver

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        self.server.posts.append((self.headers.get("x-imagegen-news-key"), json.loads(body)))
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def receiver() -> Iterator[Receiver]:
    with Receiver() as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


@pytest.fixture(scope="module")
def news(local_stack: Any, receiver: Receiver, tmp_path_factory: Any) -> Iterator[Path]:
    driver = Driver(local_stack)
    dotenv = tmp_path_factory.mktemp("news") / "env"
    url = f"http://127.0.0.1:{receiver.server_address[1]}/news"
    dotenv.write_text(f'NEWS_URL="{url}"\nNEWS_EMAIL=ops@example.com\n')
    stack = driver.urls["stackName"]
    done = subprocess.run(  # noqa: S603 our own Makefile
        ["make", "news", f"STACK={stack}", "YES=1", f"ENV_FILE={dotenv}"],  # noqa: S607
        cwd=ROOT,
        env=local_stack.emulator.environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"The event bus is {news_stack(stack)}" in done.stdout
    assert "ops@example.com must confirm" in done.stdout
    yield dotenv
    driver.client("cloudformation").delete_stack(StackName=news_stack(stack))


@pytest.fixture
def mails(stack: Driver, news: Path) -> Iterator[Callable[[str], str]]:
    """Return what comes to the topic that mails, read by one more subscriber."""
    del news
    sns, sqs = stack.client("sns"), stack.client("sqs")
    topic = stack.client("cloudformation").describe_stack_resource(
        StackName=news_stack(stack.urls["stackName"]), LogicalResourceId="BudgetMail"
    )["StackResourceDetail"]["PhysicalResourceId"]
    queue = sqs.create_queue(QueueName="mails")["QueueUrl"]
    place = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]
    allowed = {"Effect": "Allow", "Principal": "*", "Action": "sqs:SendMessage", "Resource": "*"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [allowed]})
    sqs.set_queue_attributes(QueueUrl=queue, Attributes={"Policy": policy})
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=place["QueueArn"])

    def until(wanted: str) -> str:
        until, came = time.monotonic() + PATIENCE_SECONDS, ""
        while wanted not in came and time.monotonic() < until:
            found = sqs.receive_message(QueueUrl=queue, WaitTimeSeconds=1).get("Messages", [])
            came += "".join(json.loads(one["Body"])["Message"] for one in found)
        return came

    yield until
    sqs.delete_queue(QueueUrl=queue)


def operator(stack: Driver) -> Person:
    return Person(stack, stack.urls["adminToken"])


def test_an_image_arrives_with_the_key_that_was_made_and_without_its_words(
    stack: Driver, news: Path, receiver: Receiver
) -> None:
    made = stack.person().make("A canary that nobody may read", quality="fast").json
    event = receiver.until(lambda one: one["detail"].get("id") == made["id"][:24])
    assert (event["source"], event["detail-type"]) == ("imagegen", "request")
    assert event["detail"]["status"] == "complete"
    assert len(event["detail"]["user"]) == 16
    assert "canary" not in json.dumps(receiver.posts)
    (line,) = (one for one in news.read_text().splitlines() if one.startswith("NEWS_KEY="))
    assert {key for key, _ in receiver.posts} == {line.split('"')[1]}


def test_a_circuit_and_what_an_operator_does_about_it_arrive(
    stack: Driver, news: Path, receiver: Receiver
) -> None:
    del news
    admin = f"{stack.urls['adminUrl']}/admin"
    body = {"provider": "openai", "on": False, "reason": "a secret reason"}
    assert operator(stack).call("POST", f"{admin}/providers/switch", body).status == 200
    event = receiver.until(lambda one: one["detail"].get("action") == "provider_switched")
    assert event["detail"]["kind"] == "TRAIL"
    assert "secret reason" not in json.dumps(receiver.posts)
    back = {**body, "on": True}
    assert operator(stack).call("POST", f"{admin}/providers/switch", back).status == 200


def test_a_budget_that_is_used_up_arrives_and_is_mailed(
    stack: Driver, receiver: Receiver, mails: Callable[[str], str]
) -> None:
    admin, ops = f"{stack.urls['adminUrl']}/admin", operator(stack)
    person = stack.person()
    key = ops.call(
        "POST",
        f"{admin}/keys/make",
        {"name": "news", "scopes": ["images", "people"], "dailySpend": "0.001"},
    )
    assert key.status in (200, 201), key.text
    place = f"K#{key.json['key']['keyId']}"
    event = receiver.until(lambda one: one["detail"].get("place") == place)
    assert event["detail"]["kind"] == "KEYS"
    set_to = {"level": "organisation", "dailySpend": "0.01"}
    assert ops.call("POST", f"{admin}/budgets/set", set_to).status == 200
    try:
        stack.configure("generate")  # an instance that has not read the budget yet
        refused = person.make(quality="high")
        assert refused.status == 429, refused.text
        event = receiver.until(lambda one: one["detail"].get("percent") == "100")
        assert (event["detail"]["level"], event["detail"]["limitMicrousd"]) == (
            "organisation",
            "10000",
        )
        mail = mails("100 % of the day")
        assert "of the organisation" in mail
        assert "of 10000 millionths of a dollar" in mail
    finally:
        ops.call("POST", f"{admin}/budgets/set", {"level": "organisation", "reset": True})
