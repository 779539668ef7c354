"""What the adapters' tests share."""

from collections.abc import Iterator

import pytest

from tests.adapters.providers.loopback import Loopback, serving


@pytest.fixture
def server() -> Iterator[Loopback]:
    with serving() as running:
        yield running
