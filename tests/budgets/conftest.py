"""The layer as it ships, built once for the suite; its packages are kept between runs."""

from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

from generators import layer
from local.sam import host_architecture


@pytest.fixture(scope="session")
def layer_of(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """The layer's ``python`` folder by architecture, each built once."""

    @cache
    def built(architecture: str) -> Path:
        artifacts = tmp_path_factory.mktemp(architecture)
        layer.build(artifacts, architecture)
        return artifacts / "python"

    return built


@pytest.fixture(scope="session")
def built_layer(layer_of: Callable[[str], Path]) -> Path:
    """The layer's ``python`` folder for this machine."""
    return layer_of(host_architecture())


@pytest.fixture(scope="session", params=["arm64", "x86_64"])
def shipped_layer(request: pytest.FixtureRequest, layer_of: Callable[[str], Path]) -> Path:
    """The same for each of Lambda's architectures."""
    return layer_of(request.param)
