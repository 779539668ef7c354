"""Small apps of other frameworks: their packages, installed once and pinned, and their bundles."""

import hashlib
import os
import shutil
import subprocess
from functools import cache
from pathlib import Path

import pytest

from local.paths import ROOT, STATE

APPS = Path(__file__).parent / "frameworks"
INSTALLED = Path(os.environ.get("IMAGEGEN_FRAMEWORKS", STATE / "frameworks"))
"""Beside the other things that this folder's suites make; ``make clean`` deletes it."""
BEFORE = "2026-11-11"
"""No younger release is taken, so that what the pinned ones need is the same each time."""


@cache
def bundles() -> Path:
    """Return the folder with a bundle for each app, installed and built if something changed."""
    wanted = hashlib.sha256((APPS / "package.json").read_bytes()).hexdigest()
    stamp = INSTALLED / "stamp"
    if not stamp.is_file() or stamp.read_text() != wanted:
        install()
        stamp.write_text(wanted)
    run([needed("node"), str(APPS / "build.mjs"), str(INSTALLED)])
    return INSTALLED / "bundles"


def install() -> None:
    INSTALLED.mkdir(parents=True, exist_ok=True)
    shutil.copy(APPS / "package.json", INSTALLED)
    quiet = ["--no-audit", "--no-fund", "--no-package-lock", "--ignore-scripts", "--loglevel=error"]
    run([needed("npm"), "install", f"--before={BEFORE}", *quiet], folder=INSTALLED)


def run(command: list[str], folder: Path = ROOT) -> str:
    """Return what a command prints; a command that fails is a failed test, with its last lines."""
    done = subprocess.run(  # noqa: S603 node and npm, with arguments of ours
        command, cwd=folder, check=False, capture_output=True, text=True
    )
    if done.returncode:
        pytest.fail(f"{command[0]}: {(done.stdout + done.stderr)[-3000:]}", pytrace=False)
    return done.stdout


def needed(name: str) -> str:
    """Return a program's path; a missing one is a failure, never a skipped test."""
    found = shutil.which(name)
    if not found:
        pytest.fail(f"{name} is needed (on Debian: apt install nodejs npm)", pytrace=False)
    return found
