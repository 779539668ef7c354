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
    install()
    run([needed("node"), str(APPS / "build.mjs"), str(INSTALLED)])
    return INSTALLED / "bundles"


@cache
def next_pages() -> Path:
    """Return the folder with the pages of the Next app, built if something changed.

    Its part that uses the element is the React app's; building asks nothing of a network.
    """
    install()
    app = INSTALLED / "next"
    fixture = ROOT / "events" / "ui" / "pending.json"
    sources = [*sorted((APPS / "next").rglob("*.*")), APPS / "react-offer.jsx", fixture]
    read = b"".join(one.read_bytes() for one in (*sources, APPS / "package.json"))
    stamp, wanted = INSTALLED / "next-stamp", hashlib.sha256(read).hexdigest()
    if not stamp.is_file() or stamp.read_text() != wanted:
        shutil.rmtree(app, ignore_errors=True)
        shutil.copytree(APPS / "next", app)
        shutil.copy(fixture, app / "app")
        shutil.copy(APPS / "react-offer.jsx", app / "app")
        program = str(INSTALLED / "node_modules" / "next" / "dist" / "bin" / "next")
        run([needed("node"), program, "build", "--webpack"], app, NEXT_TELEMETRY_DISABLED="1")
        stamp.write_text(wanted)
    return app / "out"


def install() -> None:
    """Install the packages, if others than those that are there are named."""
    wanted = hashlib.sha256((APPS / "package.json").read_bytes()).hexdigest()
    stamp = INSTALLED / "stamp"
    if stamp.is_file() and stamp.read_text() == wanted:
        return
    INSTALLED.mkdir(parents=True, exist_ok=True)
    shutil.copy(APPS / "package.json", INSTALLED)
    quiet = ["--no-audit", "--no-fund", "--no-package-lock", "--ignore-scripts", "--loglevel=error"]
    run([needed("npm"), "install", f"--before={BEFORE}", *quiet], folder=INSTALLED)
    stamp.write_text(wanted)


def run(command: list[str], folder: Path = ROOT, **environment: str) -> str:
    """Return what a command prints; a command that fails is a failed test, with its last lines."""
    env = {**os.environ, **environment}
    done = subprocess.run(  # noqa: S603 node and npm, with arguments of ours
        command, cwd=folder, env=env, check=False, capture_output=True, text=True
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
