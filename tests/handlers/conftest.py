"""The handlers as Lambda calls them, over fakes behind every dependency and a real token issuer."""

import importlib.util
import json
import logging
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any

import pytest

from imagegen.bootstrap import admin, chat, estimate, generate, health, verifier
from imagegen.edge.tokens import user_id
from imagegen.logs import logger
from local import issuer
from local.issuer import AUDIENCE, Issuer
from local.paths import ROOT
from tests.fakes.catalogs import real_catalog
from tests.fakes.service import Service
from tests.fakes.sse import events_in

NAMES = ("estimate", "generate", "health", "chat", "admin")
SUBJECT = "alice"
ENVIRONMENT = {
    "TABLE_NAME": "table",
    "BUCKET_NAME": "bucket",
    "PARAMETERS_PATH": "/imagegen/test",
    "JWT_AUDIENCE": AUDIENCE,
}
DOCUMENT: dict[str, Any] = json.loads((ROOT / "openapi.json").read_text())


class Context:
    """What Lambda tells a handler of its run."""

    function_name = "function"
    memory_limit_in_mb = 512
    invoked_function_arn = "arn:aws:lambda:us-east-1:000000000000:function:function"
    aws_request_id = "00000000-0000-4000-8000-000000000000"

    def get_remaining_time_in_millis(self) -> int:
        return 300_000


def load_handler(name: str) -> ModuleType:
    """Return a function's module under a name of its own: all three files are ``handler.py``."""
    path = ROOT / "functions" / name / "handler.py"
    spec = importlib.util.spec_from_file_location(f"{name}_handler", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def assert_described(event: dict[str, Any], status: int) -> None:
    """Fail where a route of the document is answered with a status that it does not list."""
    method = event["requestContext"]["http"]["method"].lower()
    for path, methods in DOCUMENT["paths"].items():
        is_path = re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", path), event["rawPath"])
        if is_path and method in methods:
            assert str(status) in methods[method]["responses"], (
                f"{path} was answered with {status}: list it in OPERATIONS of "
                "generators/openapi_operations.py for "
                f"{methods[method]['operationId']}, then `make openapi`"
            )


@dataclass(slots=True)
class Functions:
    """The functions over one fake service."""

    service: Service
    token: str
    admin_token: str = ""
    modules: dict[str, ModuleType] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.modules = {name: load_handler(name) for name in NAMES}
        services = (
            estimate.get_estimate_service,
            generate.get_generate_service,
            chat.get_chat_service,
            health.get_health_service,
            admin.get_admin_service,
        )
        overrides = dict.fromkeys(services, lambda: self.service.functions)
        for module in self.modules.values():
            module.api.dependency_overrides.update(overrides)

    def invoke(self, name: str, event: dict[str, Any]) -> dict[str, Any]:
        """Return what a function answers to an event."""
        answer: dict[str, Any] = self.modules[name].lambda_handler(event, Context())
        return answer

    def event(self, name: str, body: object = None, **marks: str) -> dict[str, Any]:
        """Return an event file with its marks filled in; ``body`` replaces its own body."""
        text = (ROOT / "events" / f"{name}.json").read_text()
        for mark, value in {"TOKEN": self.token, "ADMIN_TOKEN": self.admin_token, **marks}.items():
            text = text.replace(f"${{{mark}}}", value)
        event: dict[str, Any] = json.loads(text)
        if body is not None:
            event |= {"body": json.dumps(body), "isBase64Encoded": False}
        return event

    def answer(self, name: str, body: object = None, **marks: str) -> tuple[int, dict[str, Any]]:
        """Return status and body of what an event file is answered."""
        event = self.event(name, body, **marks)
        got = self.invoke(name.partition("/")[0], event)
        assert_described(event, got["statusCode"])
        if got["headers"]["Content-Type"].startswith("text/event-stream"):
            return got["statusCode"], events_in(got["body"])[-1][1]
        return got["statusCode"], json.loads(got["body"] or "{}")


class CurrentStdout:
    """Writes to what ``sys.stdout`` is at that moment: the logger keeps the one of its import."""

    def write(self, text: str) -> None:
        sys.stdout.write(text)

    def flush(self) -> None:
        sys.stdout.flush()


@pytest.fixture(scope="session", autouse=True)
def _lines_are_captured() -> None:
    """Let ``capsys`` see the log lines."""
    handler = logger.registered_handler
    assert isinstance(handler, logging.StreamHandler)
    handler.setStream(CurrentStdout())


@pytest.fixture(scope="session")
def people() -> Iterator[Issuer]:
    with issuer.start() as running:
        yield running


@pytest.fixture
def functions(people: Issuer, monkeypatch: pytest.MonkeyPatch) -> Iterator[Functions]:
    for name, value in {**ENVIRONMENT, "JWT_ISSUER": people.url}.items():
        monkeypatch.setenv(name, value)
    verifier.get_settings.cache_clear()
    verifier.get_verifier.cache_clear()
    service = Service(catalog=real_catalog(), jwt_issuer=people.url)
    yield Functions(service, people.token(SUBJECT), people.token("admin", "user admin"))
    verifier.get_settings.cache_clear()
    verifier.get_verifier.cache_clear()


@pytest.fixture
def user(people: Issuer) -> str:
    return user_id(people.url, SUBJECT)
