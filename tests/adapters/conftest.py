"""What the adapters' tests share."""

import pytest


@pytest.fixture(autouse=True)
def role(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give this process the credentials of a role, as Lambda does."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "sk-CANARY-KEY-0123456789")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "CANARY-SECRET")
