"""What the adapters' tests share."""

from collections.abc import Iterator

import pytest
import requests

from local.simulator.server import Simulator


@pytest.fixture(autouse=True)
def role(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give this process the credentials of a role, as Lambda does."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "sk-CANARY-KEY-0123456789")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "CANARY-SECRET")


@pytest.fixture(scope="module")
def running() -> Iterator[Simulator]:
    with Simulator.start() as simulator:
        yield simulator


@pytest.fixture
def vendors(running: Simulator) -> Simulator:
    """Return the simulated vendors, as they are without faults or calls."""
    requests.post(f"{running.url}/control/reset", timeout=10).raise_for_status()
    return running
