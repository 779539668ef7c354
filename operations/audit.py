"""``make audit``: scans the template and the locked packages.

Checkov reads the template after SAM's transform; the reason for every skipped check is in
.checkov.yaml. pip-audit looks up every locked package at an advisory service. If no service can be
reached, the result is ``NOT CHECKED``.
"""

import json
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from local.paths import ROOT
from operations.transform import transformed

BIN: Final = ROOT / ".tools" / "audit" / "bin"
PASS, FALLS_SHORT, NOT_CHECKED = "pass", "FALLS SHORT", "NOT CHECKED"
RUNTIME: Final = ROOT / "requirements" / "runtime.txt"


def run(*command: str | Path) -> subprocess.CompletedProcess[str]:
    """Run a scanner and return its output and status."""
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)


def scanned() -> tuple[str, str]:
    """Return checkov's result for the transformed template, as text and as a verdict."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "template.json"
        path.write_text(json.dumps(transformed(), indent=2))
        done = run(
            BIN / "checkov", "--config-file", ROOT / ".checkov.yaml", "-f", path, "-o", "json"
        )
    summary = json.loads(done.stdout)["summary"]
    text = "checkov {checkov_version}: {passed} passed, {failed} failed".format(**summary)
    clean = summary["failed"] == 0 and summary["passed"] > 0 and not summary["parsing_errors"]
    return text, PASS if clean else FALLS_SHORT


def audited(services: Sequence[str] = ("pypi", "osv")) -> tuple[str, str]:
    """Return the advisories for the runtime packages, as text and as a verdict."""
    for service in services:
        options = ("--disable-pip", "--require-hashes", "--progress-spinner=off", "-f", "json")
        done = run(BIN / "pip-audit", *options, "-s", service, "-r", RUNTIME)
        found: list[dict[str, Any]] = (
            json.loads(done.stdout)["dependencies"] if done.stdout.startswith("{") else []
        )
        known = [one for one in found if "skip_reason" not in one]
        if known:
            bad = [f"{one['name']} {one['version']}" for one in known if one["vulns"]]
            text = f"pip-audit ({service}): {len(known)} of {len(found)} packages looked up"
            clean = not bad and known == found
            text = f"{text}, {len(bad)} with advisories {bad or ''}"
            return text, PASS if clean else FALLS_SHORT
    return "pip-audit: no advisory service can be reached from here", NOT_CHECKED


def aged() -> tuple[str, str]:
    """Return whether every runtime package is at least 14 days old, as text and as a verdict."""
    uv = ROOT / ".tools" / "uv" / "bin" / "uv"
    options = ("--no-deps", "--universal", "--no-header", "--no-annotate")
    done = run(uv, "pip", "compile", "-q", *options, "--exclude-newer", "14 days", RUNTIME)
    if done.returncode == 0:
        return f"ages: {done.stdout.count('==')} runtime packages, all at least 14 days old", PASS
    if "exclude-newer" in done.stderr:
        return "ages: a runtime package is younger than 14 days: run `make lock`", FALLS_SHORT
    return "ages: the registry does not report when a package was uploaded", NOT_CHECKED


def main() -> None:
    """Print the results; exit with an error if one falls short."""
    verdicts = []
    for text, verdict in (scanned(), aged(), audited()):
        print(f"{verdict:<11}  {text}")
        verdicts.append(verdict)
    sys.exit(FALLS_SHORT in verdicts)


if __name__ == "__main__":
    main()
