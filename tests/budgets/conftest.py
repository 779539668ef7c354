"""The layer as it ships, built once for the suite; its packages are kept between runs."""

from pathlib import Path

import pytest

from generators import layer
from local.sam import host_architecture


@pytest.fixture(scope="session")
def built_layer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The layer's ``python`` folder for this machine."""
    artifacts = tmp_path_factory.mktemp("layer")
    layer.build(artifacts, host_architecture())
    return artifacts / "python"


@pytest.fixture(scope="session", params=["arm64", "x86_64"])
def shipped_layer(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same for each of Lambda's architectures."""
    artifacts = tmp_path_factory.mktemp("shipped")
    layer.build(artifacts, request.param)
    return artifacts / "python"
