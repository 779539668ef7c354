"""Builds the shared layer: locked dependencies, our package, its three files, and bytecode.

SAM itself ships no bytecode; with it, the imports of a cold start take half the time
(bench/README.md).
"""

import compileall
import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from py_compile import PycInvalidationMode
from typing import Final

from generators import descriptions, later, lazy
from imagegen.bootstrap.catalog_file import load_catalog
from imagegen.providers.instance_file import INSTANCES_FILE, instances_text
from local.paths import ROOT, STATE, UV

REQUIREMENTS: Final = ROOT / "requirements" / "runtime.txt"
PACKAGE: Final = ROOT / "layers" / "shared" / "imagegen"
CATALOG: Final = ROOT / "provider_catalog.json"
DOCUMENT: Final = ROOT / "openapi.json"
STARTER: Final = ROOT / "layers" / "shared" / "streaming"

PLATFORMS: Final = {
    "arm64": ["--python-platform", "aarch64-manylinux_2_28"],
    "x86_64": ["--python-platform", "x86_64-manylinux_2_28"],
    "host": [],
}
AWS_SERVICES: Final = frozenset(
    {"bedrock", "bedrock-runtime", "dynamodb", "lambda", "s3", "ssm", "sts"}
)
"""The services whose API descriptions are kept; botocore contains hundreds."""
LIMIT_BYTES: Final = 60_000_000
UNUSED: Final = (
    "*.dist-info/*",
    "**/*.pyi",
    "**/__pycache__",
    "**/tests",
    "bin",
    "aws_lambda_powertools/event_handler/openapi/swagger_ui/*.css",
    "aws_lambda_powertools/event_handler/openapi/swagger_ui/*.js",
    # Resources and examples: our clients are boto3's low-level ones.
    "boto3/data",
    "boto3/examples",
    "botocore/data/*/*/examples-1.json",
    # cryptography needs the compiled _cffi_backend, not the compiler around it.
    "cffi",
    "pycparser",
    # Parts of the SDK that it loads on first use, and that have nothing to do with images.
    "openai/resources/admin",
    "openai/resources/beta",
    "openai/types/admin",
    "openai/types/beta",
    "pydantic/v1",
)
"""Files that no function reads; ``tests/stack`` imports every handler from the layer alone."""
LAZY: Final = (
    "aws_lambda_powertools/event_handler/__init__.py",
    "aws_lambda_powertools/utilities/data_classes/__init__.py",
    "openai/types/**/__init__.py",
)
"""Packages that only re-export names, and import much for that."""


def build(artifacts: Path, architecture: str) -> int:
    """Write the layer into ``artifacts`` and return its unzipped size in bytes.

    Raises:
        KeyError: ``architecture`` is not one of ``PLATFORMS``.
        subprocess.CalledProcessError: a locked package cannot be installed.
    """
    python = artifacts / "python"
    shutil.copytree(dependencies(architecture), python)
    ours = python / PACKAGE.name
    shutil.copytree(PACKAGE, ours, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy2(CATALOG, ours)
    (ours / INSTANCES_FILE).write_text(checked_instances())
    shutil.copy2(DOCUMENT, ours)
    shutil.copy2(STARTER, artifacts)
    compile_bytecode(ours, top=python)
    return size_bytes(artifacts)


def checked_instances() -> str:
    """Return the text of the operator's file of instances, once it fits the catalog.

    Raises:
        ConfigurationError: it does not; the message says where, and what to do.
    """
    load_catalog()
    return instances_text()


def dependencies(architecture: str) -> Path:
    """Return a folder with the dependencies, cached by lock file and architecture."""
    rewriters = (lazy.__file__, later.__file__, descriptions.__file__)
    recipes = (REQUIREMENTS, *map(Path, (__file__, *rewriters)))
    recipe = b"".join(path.read_bytes() for path in recipes) + architecture.encode()
    kept = STATE / "layer" / f"{architecture}-{hashlib.sha256(recipe).hexdigest()[:16]}"
    kept.parent.mkdir(parents=True, exist_ok=True)
    with one_at_a_time(kept.parent / "lock"):
        if kept.is_dir():
            return kept
        with tempfile.TemporaryDirectory(dir=kept.parent) as scratch:
            fresh = Path(scratch) / "python"
            install(fresh, architecture)
            prune(fresh)
            descriptions.cut(fresh / "botocore" / "data", AWS_SERVICES)
            postpone(fresh)
            compile_bytecode(fresh, top=fresh)
            for superseded in kept.parent.glob(f"{architecture}-*"):
                shutil.rmtree(superseded)
            fresh.rename(kept)
    return kept


@contextmanager
def one_at_a_time(path: Path) -> Iterator[None]:
    """Wait until no other process is in a block with this file: suites run side by side."""
    with path.open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def install(target: Path, architecture: str) -> None:
    """Install exactly the locked packages for the architecture, and check their hashes."""
    arguments = ["pip", "install", "-q", "--no-deps", "--require-hashes", "-r", str(REQUIREMENTS)]
    arguments += ["--only-binary", ":all:", "--target", str(target), "--python-version", "3.13"]
    # Copies instead of links into uv's cache: files that are cut here must stay whole elsewhere.
    arguments += ["--link-mode", "copy"]
    # The host's own interpreter is named, so that uv does not choose another one.
    arguments += ["--python", sys.executable, *PLATFORMS[architecture]]
    subprocess.run([UV, *arguments], check=True, cwd=ROOT)


def prune(target: Path) -> None:
    """Remove the files that no function reads."""
    for path in list(unused(target)):
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)


def postpone(target: Path) -> None:
    """Let packages import what a cold start does not need only when it is first used."""
    for pattern in LAZY:
        for init in target.glob(pattern):
            lazy.make_lazy(init)
    later.rewrite(target)


def unused(target: Path) -> Iterator[Path]:
    """Yield the files and folders that ``prune`` removes."""
    for pattern in UNUSED:
        # METADATA stays: a package reads its own version at run time.
        yield from (path for path in target.glob(pattern) if path.name != "METADATA")
    for path in (target / "botocore" / "data").iterdir():
        if path.is_dir() and path.name not in AWS_SERVICES:
            yield path


def compile_bytecode(folder: Path, *, top: Path) -> None:
    """Compile in place, with the path at which Lambda mounts the layer.

    The bytecode is not checked against its source: SAM's zip gives every source a new time, which
    would make checked bytecode invalid.
    """
    compiled = compileall.compile_dir(
        folder,
        quiet=1,
        workers=os.cpu_count() or 1,
        stripdir=str(top),
        prependdir="/opt/python",
        invalidation_mode=PycInvalidationMode.UNCHECKED_HASH,
    )
    if not compiled:
        raise RuntimeError(f"Some files in {folder.name!r} do not compile; see the output above")


def size_bytes(folder: Path) -> int:
    """Return the total size of the files in ``folder``, in bytes."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def main() -> None:
    """Build for ``sam build``; the first argument is the folder, a variable the architecture."""
    architecture = os.environ.get("IMAGEGEN_ARCHITECTURE", "arm64")
    size = build(Path(sys.argv[1]), architecture)
    print(f"Layer for {architecture}: {size / 1e6:.1f} MB of {LIMIT_BYTES / 1e6:.0f} MB")


if __name__ == "__main__":
    main()
