"""The release of a build: a digest of code, layer, template and settings.

Each deploy command passes it as the parameter ``Release``. SAM does not see the value of a
parameter nor a changed layer: without a new version the alias would keep the old setting, although
the deployment succeeds (https://github.com/aws/serverless-application-model/issues/3820).
"""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path

from local.parameters import RELEASE


def release(build: Path, parameters: Mapping[str, str]) -> str:
    """Return the SHA-256 digest, in hex, of a build's files and of all parameter values.

    Neither the order of the files nor their times count.

    Raises:
        FileNotFoundError: there is no build.
    """
    settings = {name: value for name, value in parameters.items() if name != RELEASE}
    whole = hashlib.sha256(json.dumps(settings, sort_keys=True).encode())
    found = sorted(one for one in build.rglob("*") if one.is_file())
    if not found:
        raise FileNotFoundError(f"{build.name} has no build: run `make build` first")
    for path in found:
        whole.update(f"\0{path.relative_to(build).as_posix()}\0".encode())
        whole.update(hashlib.sha256(path.read_bytes()).digest())
    return whole.hexdigest()
