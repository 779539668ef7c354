"""The stacks that stand beside a deployed one, each from a template of its own."""

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from local.parameters import CLEAR, read_bare_template
from local.paths import ROOT, SAM
from local.sam import CONFIG_FILE, quoted


def chosen(dotenv: Mapping[str, str], names: Mapping[str, str], template: Path) -> dict[str, str]:
    """Return the parameters that .env sets, by the names of its settings; ``-`` is the default."""
    given = {parameter: dotenv[name] for name, parameter in names.items() if name in dotenv}
    parameters = read_bare_template(template)["Parameters"]
    return {
        name: str(parameters[name]["Default"]) if one == CLEAR else one
        for name, one in given.items()
    }


def run_sam(template: Path, stack: str, parameters: Mapping[str, str], region: str) -> None:
    """Deploy a template with sam; exit with its status if it fails."""
    command = [str(SAM), "deploy", *CONFIG_FILE, "--stack-name", stack, "--region", region]
    command += ["--template-file", str(template), "--no-confirm-changeset"]
    command += ["--parameter-overrides", *quoted(parameters)]
    status = subprocess.run(command, env=os.environ, cwd=ROOT, check=False).returncode
    if status:
        sys.exit(status)
