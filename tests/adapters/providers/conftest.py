"""What the adapters' tests share."""

from collections.abc import Iterator

import pytest

from tests.adapters.providers.loopback import Loopback, Port, open_port


@pytest.fixture(scope="session")
def port() -> Iterator[Port]:
    with open_port() as opened:
        yield opened


@pytest.fixture
def server(port: Port) -> Iterator[Loopback]:
    with port.serving() as running:
        yield running
