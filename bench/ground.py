"""What measurements stand on: a local stack, and the locked packages as `pip` leaves them."""

import compileall
import shutil
from pathlib import Path
from py_compile import PycInvalidationMode
from typing import Any, Final

from generators import layer
from local.paths import STATE
from local.stack import LocalStack

KEPT: Final = STATE / "bench"


def described(stack: LocalStack) -> dict[str, Any]:
    """Return a stack's addresses and tokens."""
    return stack.describe()


def packages(*, bytecode: bool) -> Path:
    """Return the layer's packages whole, and ours, with or without bytecode."""
    target = KEPT / ("compiled" if bytecode else "source")
    shutil.rmtree(target, ignore_errors=True)
    whole = KEPT / "whole"
    if not (whole / "done").is_file():
        shutil.rmtree(whole, ignore_errors=True)
        whole.parent.mkdir(parents=True, exist_ok=True)
        layer.install(whole, "host")
        (whole / "done").touch()
    shutil.copytree(whole, target, ignore=shutil.ignore_patterns("__pycache__"))
    ours = target / layer.PACKAGE.name
    shutil.copytree(layer.PACKAGE, ours, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy2(layer.CATALOG, ours)
    if bytecode:
        compiled(target)
    return target


def compiled(folder: Path) -> None:
    """Compile what is in a folder; some packages ship files for other Pythons, which do not."""
    compileall.compile_dir(
        folder, quiet=2, workers=2, invalidation_mode=PycInvalidationMode.UNCHECKED_HASH
    )
