"""Starts MiniStack with eight changes; MiniStack's own interpreter runs this file.

1. A layer is unpacked once instead of once per environment. Unpacking 50 MB for each of 64 new
   environments took 113 s and 11 GB on two cores, because one thread does it all. The layer is only
   read, so a link is enough.
2. An alarm with an expression is deployed as an alarm on the first of its metrics. MiniStack
   refuses expressions, and evaluates no alarm on our metrics; ``tests/handlers`` tests all alarms.
3. SAM's transform gets the values of the parameters, as on AWS: the parameter ``Release`` decides
   whether new versions of the functions are published.
4. A function's reserved concurrency also limits the calls of its alias, as on AWS.
5. A function with an exec wrapper is started by it, and may stream (``emulator_streams``).
6. Other functions start as copies of a prepared process, where the system can (``emulator_forks``).
   Without that, the tests spend most of their time on loading the same packages.
7. After a run MiniStack waits 50 ms for a log line. Lines are written before the answer, so that 10
   are enough; a line that comes later is shown with the next run.
8. Pipes deliver to event buses, as on AWS (``emulator_pipes``).
"""

import contextvars
import functools
import subprocess
import sys
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
from local import emulator_forks, emulator_pipes, emulator_streams

FIRST_LINE_SECONDS = 0.01


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
        Path(target).rmdir()
        Path(target).symlink_to(emulator_streams.unpacked(self.path.read_bytes()))


def open_zip(path: str) -> LayerZip | zipfile.ZipFile:
    """Return a ``LayerZip`` for a file named as MiniStack names layers, else a ``ZipFile``."""
    return LayerZip(path) if Path(path).name.startswith("layer_") else zipfile.ZipFile(path)


refuse_arithmetic = provisioners._cw_metric_alarm_record


def alarm_record(name: str, properties: dict[str, Any]) -> dict[str, Any]:
    """Return MiniStack's record of an alarm; one with an expression gets its first metric."""
    measured = [one["MetricStat"] for one in properties.get("Metrics") or [] if "MetricStat" in one]
    if measured:
        first, rest = measured[0], {**properties, "Metrics": None}
        properties = {**rest, **first["Metric"], "Period": first["Period"]}
    record: dict[str, Any] = refuse_arithmetic(name, properties)
    return record


parameter_values: contextvars.ContextVar[dict[str, Any]] = contextvars.ContextVar("values")
transform, apply_transforms = sam.transform, engine._apply_transforms


def transform_with_values(template: Any, parameters: Any, *rest: Any, **named: Any) -> Any:
    """Return SAM's result for the parameter values of the operation that is running."""
    return transform(template, {**parameters, **parameter_values.get({})}, *rest, **named)


def apply_with_values(template: Any, provided: Any = None, previous: Any = None) -> Any:
    """Apply the transforms, with the parameter values at hand."""
    parameter_values.set(engine._transform_parameters(template, provided, previous))
    return apply_transforms(template, provided, previous)


reserved_of_record = lambda_svc._reserved_concurrency


def reserved_of_function(version: dict[str, Any], config: dict[str, Any]) -> int | None:
    """Return a function's reserved concurrency; MiniStack keeps it at the function alone."""
    function = lambda_svc._functions.get(config.get("FunctionName"), version)
    reserved: int | None = reserved_of_record(function, config)
    return reserved


emulator_streams.install()
emulator_pipes.install()
lambda_svc._reserved_concurrency = reserved_of_function
sam.transform = transform_with_values
for module in (engine, changesets, handlers):
    module._apply_transforms = apply_with_values
provisioners._cw_metric_alarm_record = alarm_record
if emulator_forks.is_possible():
    starting = SimpleNamespace(**{**vars(subprocess), "Popen": emulator_forks.start})
    lambda_runtime.subprocess = starting
lambda_runtime.Worker._drain_stderr_bounded = functools.partialmethod(
    lambda_runtime.Worker._drain_stderr_bounded,
    first_line_wait=FIRST_LINE_SECONDS,
)
lambda_runtime.zipfile = SimpleNamespace(**{**vars(zipfile), "ZipFile": open_zip})

if __name__ == "__main__":
    main()
