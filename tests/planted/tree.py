"""A copy of this tree to break: what runs in it imports from it, and the tools are shared."""

import os
import re
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from local.paths import ROOT

GENERATED = re.compile(r"\.(git|venv|tools|local|aws-sam|env|.*_cache|hypothesis)|__pycache__")
TOOLS = ".tools"


@contextmanager
def copied(source: Path = ROOT) -> Iterator[Path]:
    """Make a copy of this tree, or of a copy, that is gone at the end of the block."""
    with tempfile.TemporaryDirectory(prefix="imagegen-") as name:
        tree = Path(name) / "tree"
        shutil.copytree(source, tree, ignore=_generated)
        (tree / TOOLS).symlink_to(ROOT / TOOLS)
        yield tree


def environment(**more: str) -> dict[str, str]:
    """Return the environment of what runs in a copy: nothing in it leads back to this tree."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    return {**kept, **more}


def _generated(_: object, names: Sequence[str]) -> set[str]:
    return {name for name in names if GENERATED.fullmatch(name)}
