"""The file with the operator's own providers: where it is, and its text.

It is beside the catalog: in the package in the layer, and at the root of the repository in a
checkout, where a variable may name another one.
"""

import os
from functools import cache
from pathlib import Path

INSTANCES_FILE = "provider_instances.json"
INSTANCES_VARIABLE = "PROVIDER_INSTANCES_FILE"
NO_INSTANCES = '{"schemaVersion":1,"instances":[]}'


def instances_path() -> Path:
    """Return the path of the file of instances, which may be absent."""
    beside = Path(__file__).parents[1] / INSTANCES_FILE
    if beside.is_file():
        return beside
    named = os.environ.get(INSTANCES_VARIABLE)
    return Path(named) if named else Path(__file__).parents[4] / INSTANCES_FILE


@cache
def instances_text() -> str:
    """Return the text of the file of instances, which is read once."""
    try:
        return instances_path().read_text()
    except FileNotFoundError:
        return NO_INSTANCES
