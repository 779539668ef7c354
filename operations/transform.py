"""The template as CloudFormation receives it, after SAM's own transform.

The security tests and ``make audit`` use it: in the SAM form, a scanner sees neither the roles nor
the URLs that the transform adds. The linter gets the template together with the included file,
because it does not read included files.
"""

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from local.parameters import read_template
from local.paths import ROOT, TEMPLATE

PYTHON: Final = ROOT / ".tools" / "sam" / "bin" / "python"
PROGRAM: Final = """
import json, sys
from samtranslator.translator.transform import transform
class Policies:
    def load(self):
        name = "service-role/AWSLambdaBasicExecutionRole"
        return {"AWSLambdaBasicExecutionRole": "arn:aws:iam::aws:policy/" + name}
template, parameters = json.load(sys.stdin)
functions = [one for one in template["Resources"].values() if "CodeUri" in one["Properties"]]
for one in functions:
    one["Properties"]["CodeUri"] = "s3://code/function.zip"
template["Resources"]["SharedLayer"]["Properties"]["ContentUri"] = "s3://code/layer.zip"
print(json.dumps(transform(template, parameters, Policies()), default=str))
"""


def transformed(
    template: Path = TEMPLATE, parameters: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """Return the template after SAM's transform, with the values of some parameters.

    Raises:
        subprocess.CalledProcessError: SAM is not installed (``make tools``) or refuses the
            template.
    """
    done = subprocess.run(
        [PYTHON, "-c", PROGRAM],
        input=json.dumps([read_template(template), dict(parameters or {})]),
        capture_output=True,
        text=True,
        check=True,
        env={"AWS_DEFAULT_REGION": "us-east-1", "SAM_CLI_TELEMETRY": "0"},
    )
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def main() -> None:
    """Write the template together with the included file to the path in the first argument."""
    path = Path(sys.argv[1])
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(read_template(), indent=2))


if __name__ == "__main__":
    main()
