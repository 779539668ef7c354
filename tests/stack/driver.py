"""Drives a running local stack as its users and its operator do."""

import json
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import requests

from local.stack import LocalStack
from operations.push_env import store, stored

TIMEOUT_SECONDS = 600
FUNCTIONS = ("estimate", "generate", "health", "chat", "admin")
ALIAS = "live"
PATIENCE = 200
BACK_OFF_SECONDS = 0.5
"""What a client waits before it asks a throttled function again."""
DAY_SECONDS = 86_400
LAST_SECONDS = 120
"""No test of what a day costs takes longer."""


def until_next_day(now_seconds: float) -> float:
    """Return the seconds to wait for the next UTC day, 0 if there is time for a test before it."""
    left = DAY_SECONDS - now_seconds % DAY_SECONDS
    return left if left < LAST_SECONDS else 0


@dataclass(frozen=True, slots=True)
class Answer:
    """One HTTP answer."""

    status: int
    headers: Mapping[str, str]
    text: str

    @property
    def json(self) -> dict[str, Any]:
        """The body."""
        body: dict[str, Any] = json.loads(self.text)
        return body


@dataclass(frozen=True, slots=True)
class Person:
    """One user with a token of their own, so that limits do not touch other tests."""

    stack: "Driver"
    token: str

    def call(self, method: str, url: str, body: Any = None, **headers: str) -> Answer:
        """Return the answer to one request; ``body`` is sent as JSON unless it is text."""
        data = body if body is None or isinstance(body, str | bytes) else json.dumps(body)
        sent = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
        got = requests.request(
            method,
            url,
            data=data,
            headers={**sent, **headers},
            timeout=TIMEOUT_SECONDS,
            allow_redirects=False,
        )
        return Answer(got.status_code, got.headers, got.text)

    def estimate(self, prompt: str = "A red fox in fresh snow", **fields: Any) -> Answer:
        """Ask for a price."""
        return self.call(
            "POST", f"{self.stack.urls['estimateUrl']}/estimate", {"prompt": prompt, **fields}
        )

    def confirm(self, estimate: Mapping[str, Any]) -> Answer:
        """Click the button."""
        body = {"quote": estimate["quote"], "prompt": estimate["prompt"]}
        return self.call("POST", f"{self.stack.urls['generateUrl']}/generate-image", body)

    def confirm_patiently(self, estimate: Mapping[str, Any]) -> Answer:
        """Click, and click again where Lambda has no instance free or a store was too slow."""
        for _ in range(PATIENCE):
            answer = self.confirm(estimate)
            throttled = answer.status == 429 and "code" not in answer.json
            busy = answer.status == 503 and answer.json.get("code") == "store_unavailable"
            if not (throttled or busy):
                return answer
            time.sleep(float(answer.headers.get("retry-after", BACK_OFF_SECONDS)))
        raise TimeoutError("no instance came free")

    def make(self, prompt: str = "A red fox in fresh snow", **fields: Any) -> Answer:
        """Ask for a price and click."""
        offer = self.estimate(prompt, **fields)
        assert offer.status == 200, offer.text
        return self.confirm(offer.json)

    def chat(self, *texts: str) -> Answer:
        """Say something to the chat; texts are the user's and the assistant's in turn."""
        messages = [
            {"role": ("user", "assistant")[number % 2], "content": text}
            for number, text in enumerate(texts)
        ]
        return self.call("POST", f"{self.stack.urls['chatUrl']}/chat", {"messages": messages})

    def status(self, image_id: str) -> Answer:
        """Ask where an image stands."""
        url = f"{self.stack.urls['generateUrl']}/images/{image_id}"
        return self.call("GET", url, Accept="application/json")

    def usage(self) -> dict[str, Any]:
        """Return what was spent and may be."""
        return self.call("GET", f"{self.stack.urls['generateUrl']}/usage").json


@dataclass(slots=True)
class Driver:
    """A running stack."""

    local: LocalStack
    urls: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.urls = self.local.describe()

    def person(self, scope: str = "user") -> Person:
        """Return a user nobody has been before, also on a stack that other runs have used."""
        return Person(self, self.local.issuer.token(f"person-{uuid4()}", scope))

    # --- the operator

    def client(self, service: str) -> Any:
        """Return a boto3 client of the emulator."""
        return self.local.emulator.client(service)

    def configure(self, *functions: str, **variables: str) -> None:
        """Set environment variables of functions; their instances start anew."""
        aws = self.client("lambda")
        for name in functions or FUNCTIONS:
            physical = self.urls["functions"][name]
            known = aws.get_function_configuration(FunctionName=physical)["Environment"][
                "Variables"
            ]
            self.set_live(physical, {**known, **variables})

    def set_live(self, physical: str, variables: Mapping[str, str]) -> None:
        """Publish a version with these variables, and drop the one that was live."""
        aws = self.client("lambda")
        old = aws.get_alias(FunctionName=physical, Name=ALIAS)["FunctionVersion"]
        aws.update_function_configuration(
            FunctionName=physical, Environment={"Variables": variables}
        )
        new = aws.publish_version(FunctionName=physical)["Version"]
        aws.update_alias(FunctionName=physical, Name=ALIAS, FunctionVersion=new)
        if old not in (new, "$LATEST"):
            aws.delete_function(FunctionName=physical, Qualifier=old)

    @contextmanager
    def configured(self, *functions: str, **variables: str) -> Iterator[None]:
        """Set environment variables for the length of the block."""
        before = {name: self.variables(name) for name in functions or FUNCTIONS}
        self.configure(*functions, **variables)
        try:
            yield
        finally:
            for name, known in before.items():
                self.set_live(self.urls["functions"][name], known)

    def variables(self, function: str) -> dict[str, str]:
        """Return a function's environment variables."""
        physical = self.urls["functions"][function]
        found: dict[str, str] = self.client("lambda").get_function_configuration(
            FunctionName=physical, Qualifier=ALIAS
        )["Environment"]["Variables"]
        return found

    @contextmanager
    def at_most(self, instances: int, function: str) -> Iterator[None]:
        """Reserve concurrency for the length of the block; Lambda answers 429 above it."""
        aws, physical = self.client("lambda"), self.urls["functions"][function]
        aws.put_function_concurrency(FunctionName=physical, ReservedConcurrentExecutions=instances)
        try:
            yield
        finally:
            aws.delete_function_concurrency(FunctionName=physical)

    @contextmanager
    def parameter(self, name: str, value: str | None) -> Iterator[None]:
        """Set or take away a parameter for the length of the block; instances start anew."""
        with self.parameters({name: value}):
            yield

    @contextmanager
    def parameters(self, values: Mapping[str, str | None]) -> Iterator[None]:
        """Set or take away several of them."""
        ssm, path = self.client("ssm"), self.urls["parametersPath"]
        before = stored(ssm, path)
        after = {**before, **values}
        store(ssm, path, {name: one for name, one in after.items() if one is not None})
        self.restart()
        try:
            yield
        finally:
            store(ssm, path, before)
            self.restart()

    def restart(self) -> None:
        """End every instance: the next request meets a cold one that reads everything anew."""
        self.configure(RESTARTED=str(uuid4()))

    def invoke(self, function: str, event: Mapping[str, Any]) -> dict[str, Any]:
        """Invoke a function as a schedule does."""
        answer = self.client("lambda").invoke(
            FunctionName=self.urls["functions"][function],
            Qualifier=ALIAS,
            Payload=json.dumps(event),
        )
        result: dict[str, Any] = json.loads(answer["Payload"].read())
        return result

    def health(self) -> dict[str, Any]:
        """Return the health report."""
        url = f"{self.urls['healthUrl']}/health-check/image-providers"
        report: dict[str, Any] = requests.get(url, timeout=TIMEOUT_SECONDS).json()
        return report

    # --- the simulated providers

    def provider(self, name: str, **fault: Any) -> None:
        """Make a simulated provider fail, slow down or recover."""
        url = f"{self.urls['simulatorUrl']}/control/providers/{name}"
        answer = requests.post(url, json={"fault": None, **fault}, timeout=TIMEOUT_SECONDS)
        assert answer.ok, answer.text

    def counts(self, name: str) -> dict[str, Any]:
        """Return what a simulated provider was called, drew and billed."""
        url = f"{self.urls['simulatorUrl']}/control/providers/{name}"
        counts: dict[str, Any] = requests.get(url, timeout=TIMEOUT_SECONDS).json()
        return counts

    def reset(self) -> None:
        """Heal every provider, forget the counts, and close every circuit.

        Money is counted by the UTC day: what a test spends and what it reads are of the same one.
        """
        time.sleep(until_next_day(time.time()))
        requests.post(f"{self.urls['simulatorUrl']}/control/reset", timeout=TIMEOUT_SECONDS)
        db, table = self.client("dynamodb"), self.urls["table"]
        rows = db.query(
            TableName=table,
            KeyConditionExpression="pk = :p",
            ExpressionAttributeValues={":p": {"S": "FLEET"}},
        )["Items"]
        for row in rows:
            db.delete_item(TableName=table, Key={"pk": row["pk"], "sk": row["sk"]})
        if rows:
            # Instances remember circuits for two seconds.
            self.restart()
