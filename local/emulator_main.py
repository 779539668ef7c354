"""Starts MiniStack with five changes; MiniStack's own interpreter runs this file.

1. A layer is unpacked once instead of once per environment. Unpacking 50 MB for each of 64 new
   environments took 113 s and 11 GB on two cores, because one thread does it all. The layer is only
   read, so a link is enough.
2. An alarm with an expression is deployed as an alarm on the first of its metrics. MiniStack
   refuses expressions, and evaluates no alarm on our metrics; ``tests/handlers`` tests all alarms.
3. SAM's transform gets the values of the parameters, as on AWS: the parameter ``Release`` decides
   whether new versions of the functions are published.
4. A function's reserved concurrency also limits the calls of its alias, as on AWS.
5. A function with an exec wrapper is started by it, and may stream (``emulator_streams``).
"""

import contextvars
import hashlib
import sys
import tempfile
import threading
import zipfile
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Self

from ministack.app import main
from ministack.core import lambda_runtime
from ministack.services import lambda_svc
from ministack.services.cloudformation import changesets, engine, handlers, provisioners
from samtranslator.translator import transform as sam

# At the end of the path: no module of ours may shadow one of MiniStack's.
sys.path.append(str(Path(__file__).parents[1]))
from local import emulator_streams

UNPACKED = Path(tempfile.mkdtemp(prefix="layers-"))
ONE_AT_A_TIME = threading.Lock()


class LayerZip:
    """Unpacks a layer on its first use, and links to that copy from then on."""

    def __init__(self, path: str) -> None:
        self.path = Path(path)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.path.unlink()

    def namelist(self) -> list[str]:
        """Return no names to check: ``ZipFile.extractall`` writes only inside its folder."""
        return []

    def extractall(self, target: str) -> None:
        """Make ``target`` a link to the layer's one copy."""
        digest = hashlib.sha256(self.path.read_bytes()).hexdigest()
        shared = UNPACKED / digest
        with ONE_AT_A_TIME:
            if not shared.exists():
                with zipfile.ZipFile(self.path) as archive:
                    archive.extractall(shared)
        Path(target).rmdir()
        Path(target).symlink_to(shared)


def open_zip(path: str) -> LayerZip | zipfile.ZipFile:
    """Return a ``LayerZip`` for a file named as MiniStack names layers, else a ``ZipFile``."""
    return LayerZip(path) if Path(path).name.startswith("layer_") else zipfile.ZipFile(path)


refuse_arithmetic = provisioners._cw_metric_alarm_record  # noqa: SLF001


def alarm_record(name: str, properties: dict[str, Any]) -> dict[str, Any]:
    """Return MiniStack's record of an alarm; one with an expression gets its first metric."""
    measured = [one["MetricStat"] for one in properties.get("Metrics") or [] if "MetricStat" in one]
    if measured:
        first, rest = measured[0], {**properties, "Metrics": None}
        properties = {**rest, **first["Metric"], "Period": first["Period"]}
    record: dict[str, Any] = refuse_arithmetic(name, properties)
    return record


parameter_values: contextvars.ContextVar[dict[str, Any]] = contextvars.ContextVar("values")
transform, apply_transforms = sam.transform, engine._apply_transforms  # noqa: SLF001


def transform_with_values(template: Any, parameters: Any, *rest: Any, **named: Any) -> Any:
    """Return SAM's result for the parameter values of the operation that is running."""
    return transform(template, {**parameters, **parameter_values.get({})}, *rest, **named)


def apply_with_values(template: Any, provided: Any = None, previous: Any = None) -> Any:
    """Apply the transforms, with the parameter values at hand."""
    parameter_values.set(engine._transform_parameters(template, provided, previous))  # noqa: SLF001
    return apply_transforms(template, provided, previous)


reserved_of_record = lambda_svc._reserved_concurrency  # noqa: SLF001


def reserved_of_function(version: dict[str, Any], config: dict[str, Any]) -> int | None:
    """Return a function's reserved concurrency; MiniStack keeps it at the function alone."""
    function = lambda_svc._functions.get(config.get("FunctionName"), version)  # noqa: SLF001
    reserved: int | None = reserved_of_record(function, config)
    return reserved


emulator_streams.install()
lambda_svc._reserved_concurrency = reserved_of_function  # noqa: SLF001
sam.transform = transform_with_values
for module in (engine, changesets, handlers):
    module._apply_transforms = apply_with_values  # noqa: SLF001
provisioners._cw_metric_alarm_record = alarm_record  # noqa: SLF001
lambda_runtime.zipfile = SimpleNamespace(**{**vars(zipfile), "ZipFile": open_zip})

if __name__ == "__main__":
    main()
