"""The command of `make invoke` with a container engine, for both kinds of host."""

import pytest

from local import sam
from local.invoke import container_command, resource_of
from local.parameters import read_template
from local.stack import FUNCTIONS


@pytest.mark.parametrize(
    ("machine", "architecture"),
    [("x86_64", "x86_64"), ("AMD64", "x86_64"), ("aarch64", "arm64"), ("arm64", "arm64")],
)
@pytest.mark.parametrize("function", FUNCTIONS)
def test_the_container_is_of_the_processor_that_the_build_is_for(
    machine: str, architecture: str, function: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("platform.machine", lambda: machine)
    command = [str(one) for one in container_command(function, sam.host_architecture())]
    assert command[1:4] == ["local", "invoke", resource_of(function)]
    given = command[command.index("--parameter-overrides") + 1]
    assert given == f"Architecture={architecture}"
    assert command[command.index("--docker-network") + 1] == "host"


def test_the_functions_take_their_processor_from_that_parameter() -> None:
    template = read_template()
    assert template["Globals"]["Function"]["Architectures"] == [{"Ref": "Architecture"}]
    assert resource_of("estimate") in template["Resources"]
    # Without the override, sam takes this one, on any host.
    assert template["Parameters"]["Architecture"]["Default"] == "arm64"
