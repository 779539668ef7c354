"""What the figures were measured on, and a share of it as Lambda gives one."""

import os
import platform
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

from local.paths import ROOT

CORE_MB: Final = 1769
"""The memory at which Lambda gives one vCPU:
https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html"""
PERIOD_US: Final = 20_000
V1, V2 = Path("/sys/fs/cgroup/cpu"), Path("/sys/fs/cgroup")
MEMORY_V1: Final = Path("/sys/fs/cgroup/memory")


def lambda_share(memory_mb: int) -> float:
    """Return the vCPUs of a Lambda environment."""
    return memory_mb / CORE_MB


def describe() -> dict[str, Any]:
    """Return what a reader needs to compare figures."""
    return {
        "cores": os.cpu_count(),
        "processor": _processor(),
        "system": f"{platform.system()} {platform.release()}",
        "architecture": platform.machine(),
        "python": platform.python_version(),
        "loadAtStart": round(os.getloadavg()[0], 2),
        "cpuQuota": "cgroup" if _cpu_root() else "none: this machine allows no quota",
    }


def versions() -> dict[str, str]:
    """Return the versions of what is measured on our side."""
    names = ("aws-lambda-powertools", "awslambdaric", "boto3", "openai", "pydantic", "requests")
    return {name: version(name) for name in names}


def commit() -> str:
    """Return the commit that was measured, and whether files differ from it."""
    said = subprocess.run(
        ["git", "describe", "--always", "--dirty"],  # noqa: S607 git is on the path or it is not
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    return said.stdout.strip() or "unknown"


@contextmanager
def share(cores: float) -> Iterator[Path | None]:
    """Yield a group whose processes together get ``cores``; ``None`` where none can be made."""
    root = _cpu_root()
    if root is None:
        yield None
        return
    group = root / f"imagegen-bench-{os.getpid()}"
    group.mkdir()
    quota = int(cores * PERIOD_US)
    if root == V1:
        (group / "cpu.cfs_period_us").write_text(str(PERIOD_US))
        (group / "cpu.cfs_quota_us").write_text(str(quota))
    else:
        (group / "cpu.max").write_text(f"{quota} {PERIOD_US}")
    try:
        yield group
    finally:
        _leave(group)


@contextmanager
def memory_limit(megabytes: int) -> Iterator[Path | None]:
    """Yield a group whose processes together may have so much; ``None`` where none can be made."""
    v1 = (MEMORY_V1 / "memory.limit_in_bytes").exists()
    group = (MEMORY_V1 if v1 else V2) / f"imagegen-bench-memory-{os.getpid()}"
    try:
        group.mkdir()
        (group / ("memory.limit_in_bytes" if v1 else "memory.max")).write_text(f"{megabytes}M")
    except OSError:
        yield None
        return
    try:
        yield group
    finally:
        _leave(group)


def peak_mb(group: Path) -> float:
    """Return the most memory that a group had, in MB."""
    name = "memory.max_usage_in_bytes" if group.parent == MEMORY_V1 else "memory.peak"
    return int((group / name).read_text()) / 2**20


def join(group: Path | None, pid: int) -> None:
    """Put a process into a group, if there is one."""
    if group is not None:
        (group / "cgroup.procs").write_text(str(pid))


def resident_mb(pid: int) -> float:
    """Return what a process and its children hold in memory, in MB; shared pages by their share."""
    total = 0
    for one in (pid, *_children(pid)):
        with suppress(OSError):
            rollup = Path(f"/proc/{one}/smaps_rollup").read_text()
            total += int(rollup.partition("\nPss:")[2].split()[0])
    return total / 1024


def _children(pid: int) -> list[int]:
    found: list[int] = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            if int(path.read_text().rpartition(")")[2].split()[1]) == pid:
                child = int(path.parent.name)
                found += [child, *_children(child)]
    return found


def _cpu_root() -> Path | None:
    for root, name in ((V1, "cpu.cfs_quota_us"), (V2, "cgroup.subtree_control")):
        if (root / name).exists() and os.access(root, os.W_OK) and os.geteuid() == 0:
            return root
    return None


def _leave(group: Path) -> None:
    # Its processes have ended; one that is still dying goes back to the root.
    for pid in (group / "cgroup.procs").read_text().split():
        with suppress(OSError):
            (group.parent / "cgroup.procs").write_text(pid)
    with suppress(OSError):
        group.rmdir()


def _processor() -> str:
    with suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor()
