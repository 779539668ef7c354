"""Our generate handler in the caller's process: the events, the tokens and the answers are real.

``instant`` has the tests' fake stores and no moderation, so that what is left beside the provider's
call is our own code. ``real`` is what is deployed: DynamoDB, S3 and the parameters of a running
stack, and moderation.
"""

import importlib.util
import json
import os
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import ModuleType
from typing import Any, ClassVar

from pydantic import SecretStr

from imagegen.aws import clients
from imagegen.bootstrap import generate, verifier
from imagegen.domain.ports import ImageAnswer, ImageOrder, ImageProvider, ModerationMode
from imagegen.monitoring.observer import LogObserver
from imagegen.providers import build_provider
from imagegen.settings import parse_pairs
from imagegen.wire.estimates import EstimateRequest
from local import issuer
from local.invoke import deployed_variables
from local.issuer import AUDIENCE, Issuer
from local.parameters import pairs_text
from local.paths import ROOT
from tests.fakes.budgets import MemoryBudgetStore
from tests.fakes.catalogs import real_catalog
from tests.fakes.images import MemoryImageStore, MemoryPromptStore, MemoryRecordStore
from tests.fakes.ledgers import MemoryLedgerStore
from tests.fakes.service import FakeWorld, Service

PROMPT = "a fox in the snow"
KEY = "local-key"
TRIES = 5
"""For an offer: the emulated stores may be slow on a busy machine, and it is not measured."""
_ENDS = ExitStack()


class Context:
    """What Lambda tells a handler of its run."""

    function_name = "generate"
    memory_limit_in_mb = 512
    invoked_function_arn = "arn:aws:lambda:us-east-1:000000000000:function:generate"
    aws_request_id = "00000000-0000-4000-8000-000000000000"

    def get_remaining_time_in_millis(self) -> int:
        """Return what is left of the timeout."""
        return 290_000


@dataclass(slots=True)
class Waits:
    """How long stores were waited for, told by botocore's own events; for one caller at a time."""

    ms: float = 0.0
    _sent: float = 0.0

    def watch(self, clients: Iterable[Any]) -> None:
        """Count from now on."""
        for client in clients:
            client.meta.events.register("before-send", self._before)
            client.meta.events.register("response-received", self._after)

    def _before(self, **_: object) -> None:
        self._sent = time.perf_counter()

    def _after(self, **_: object) -> None:
        self.ms += (time.perf_counter() - self._sent) * 1000


@dataclass(frozen=True, slots=True)
class Timed:
    """An image provider whose calls count as waited for, its SDK's work with them."""

    provider: ImageProvider
    waits: Waits

    def generate(self, order: ImageOrder, *, timeout_seconds: float) -> ImageAnswer:
        """Return the image."""
        began = time.perf_counter()
        try:
            return self.provider.generate(order, timeout_seconds=timeout_seconds)
        finally:
            self.waits.ms += (time.perf_counter() - began) * 1000


@dataclass(slots=True)
class Asker:
    """Confirms prepared offers, each of a user of its own."""

    forks: ClassVar = True
    """Powertools keeps the event in its class: callers at once are processes, as on Lambda."""

    handler: Callable[[], ModuleType]
    offer: Callable[[str], str]
    people: Issuer
    waits: Waits = field(default_factory=Waits)
    _events: deque[dict[str, Any]] = field(default_factory=deque)
    _module: ModuleType | None = None

    def prepare(self, images: int) -> None:
        """Get the offers: they are free and not what is measured."""
        for _ in range(images):
            token = self.people.token(f"bench-{time.monotonic_ns()}")
            body = {"quote": self.offer(token), "prompt": PROMPT}
            self._events.append(event("generate/confirmed", token, body))

    def keep_only(self, numbers: range) -> None:
        """Leave the offers of other callers to them."""
        offers = list(self._events)
        self._events = deque(offers[number] for number in numbers)

    def __call__(self) -> None:
        """Confirm one.

        Raises:
            RuntimeError: it came to anything but an image.
        """
        self._module = self._module or self.handler()
        answer = self._module.lambda_handler(self._events.popleft(), Context())
        if answer["statusCode"] != 200:
            raise RuntimeError(f"{answer['statusCode']}: {answer['body'][:400]}")


def build(address: str, *, stores: str) -> Asker:
    """Return who asks our handler."""
    return _instant(address) if stores == "instant" else _real(address)


def event(name: str, token: str, body: Mapping[str, Any]) -> dict[str, Any]:
    """Return one of ``events/`` with another token and body."""
    found: dict[str, Any] = json.loads((ROOT / "events" / f"{name}.json").read_text())
    headers = {**found["headers"], "authorization": f"Bearer {token}"}
    return {**found, "headers": headers, "body": json.dumps(body)}


def load(name: str) -> ModuleType:
    """Return a function's module anew."""
    path = ROOT / "functions" / name / "handler.py"
    spec = importlib.util.spec_from_file_location(f"bench_{name}_{time.monotonic_ns()}", path)
    if spec is None or spec.loader is None:
        raise RuntimeError(f"{path} cannot be loaded")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _instant(address: str) -> Asker:
    people = _ENDS.enter_context(issuer.start())
    os.environ |= {
        "TABLE_NAME": "table", "BUCKET_NAME": "bucket", "PARAMETERS_PATH": "/imagegen/bench",
        "JWT_AUDIENCE": AUDIENCE, "JWT_ISSUER": people.url, "POWERTOOLS_SERVICE_NAME": "bench",
    }  # fmt: skip
    service = Service(catalog=real_catalog(), moderation=ModerationMode.OFF)
    observer = LogObserver("bench", "INFO", service.catalog.providers, service.clock)
    service.on_finished = observer.request_finished
    waits = Waits()
    timed: Any = Timed(build_provider("openai", credential=SecretStr(KEY), base_url=address), waits)
    service.providers["openai"] = timed
    functions = replace(service.functions, world=PlainWorld(service))

    def handler() -> ModuleType:
        module = load("generate")
        module.api.dependency_overrides[generate.get_generate_service] = lambda: functions
        return module

    verify = verifier.get_verifier().verify
    asked = EstimateRequest.model_validate({"prompt": PROMPT, "provider": "openai"})

    def offer(token: str) -> str:
        return service.estimator.estimate(asked, verify(f"Bearer {token}").id).quote

    return Asker(handler, offer, people, waits)


class PlainWorld(FakeWorld):
    """The fakes without the tests' wires between them and the service."""

    @property
    def ledgers(self) -> MemoryLedgerStore:
        """The users' ledgers."""
        return self.service.ledgers

    @property
    def budgets(self) -> MemoryBudgetStore:
        """The budgets above the users."""
        return self.service.budgets

    @property
    def records(self) -> MemoryRecordStore:
        """The usage records."""
        return self.service.records

    @property
    def prompts(self) -> MemoryPromptStore:
        """The prompts."""
        return self.service.prompts

    @property
    def images(self) -> MemoryImageStore:
        """The finished images."""
        return self.service.images

    def get_provider(self, name: str) -> ImageProvider:
        """Return a provider."""
        return self.service.providers[name]


def _real(address: str) -> Asker:
    description = json.loads(Path(os.environ["BENCH_STACK"]).read_text())
    variables = deployed_variables(description, "generate")
    os.environ |= {
        **variables,
        "STAND_INS": pairs_text(parse_pairs(variables["STAND_INS"]) | {"openai": address}),
        "AWS_REGION": description["region"],
        "AWS_DEFAULT_REGION": description["region"],
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
    }
    people = Issuer.from_pem(description["issuer"], description["issuerKey"])
    estimate = load("estimate")

    def offer(token: str) -> str:
        body = {"prompt": PROMPT, "provider": "openai"}
        for _ in range(TRIES):
            answer = estimate.lambda_handler(event("estimate/prompt-only", token, body), Context())
            if answer["statusCode"] == 200:
                quote: str = json.loads(answer["body"])["quote"]
                return quote
        raise RuntimeError(f"no offer: {answer['statusCode']}: {answer['body'][:400]}")

    asker = Asker(lambda: load("generate"), offer, people)
    asker.waits.watch((clients.dynamodb(), clients.s3(), clients.ssm()))
    return asker
