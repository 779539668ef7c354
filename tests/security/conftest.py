"""The handlers as Lambda calls them, an issuer of our own, and the table of what was measured."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

import pytest

from imagegen.bootstrap import verifier
from imagegen.edge.tokens import user_id
from tests.fakes.catalogs import real_catalog
from tests.fakes.service import Service
from tests.handlers.conftest import ENVIRONMENT, Functions
from tests.security.board import Board
from tests.security.tokens import Fetches, Forge, serve_keys

BOARD = Board()


@dataclass(slots=True)
class House:
    """The three functions over fakes, and who may enter them."""

    functions: Functions
    forge: Forge
    fetches: Fetches

    @property
    def service(self) -> Service:
        return self.functions.service

    def user(self, subject: str = "user-1") -> str:
        """Return the id that a subject has here."""
        return user_id(self.forge.issuer, subject)

    def ask(
        self,
        function: str,
        method: str,
        path: str,
        body: Any = None,
        *,
        token: str | None = None,
        **headers: str,
    ) -> dict[str, Any]:
        """Return what a function answers to a request."""
        event = self.event(method, path, body, token=token, **headers)
        return self.functions.invoke(function, event)

    def event(
        self, method: str, path: str, body: Any = None, *, token: str | None = None, **headers: str
    ) -> dict[str, Any]:
        """Return a request as the function URL hands it over."""
        event = self.functions.event("estimate/prompt-only")
        path, _, query = path.partition("?")
        event["rawPath"], event["rawQueryString"] = path, query
        event["queryStringParameters"] = dict(parse_qsl(query, keep_blank_values=True))
        event["requestContext"]["http"].update(method=method, path=path)
        event["headers"] = {"content-type": "application/json", "host": "url.test"} | {
            name.replace("_", "-"): value for name, value in headers.items()
        }
        if token is not None:
            event["headers"]["authorization"] = f"Bearer {token}"
        event["body"] = body if body is None or isinstance(body, str) else json.dumps(body)
        event["isBase64Encoded"] = False
        return event


@pytest.fixture(scope="session")
def board() -> Board:
    return BOARD


@pytest.fixture
def house(monkeypatch: pytest.MonkeyPatch) -> Iterator[House]:
    fetches = Fetches()
    with serve_keys(fetches) as url:
        for name, value in {**ENVIRONMENT, "JWT_ISSUER": url}.items():
            monkeypatch.setenv(name, value)
        verifier.get_settings.cache_clear()
        verifier.get_verifier.cache_clear()
        forge = Forge(url)
        yield House(
            Functions(Service(catalog=real_catalog(), jwt_issuer=url), forge.good()), forge, fetches
        )
        verifier.get_settings.cache_clear()
        verifier.get_verifier.cache_clear()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the table, whatever became of the tests."""
    if BOARD.rows:
        terminalreporter.section("security: what must hold, and what was measured")
        for line in BOARD.lines():
            terminalreporter.write_line(line)
