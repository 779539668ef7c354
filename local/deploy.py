"""``make deploy``: what was built, into your own account, with the settings of .env."""

import argparse
import os
import subprocess
import sys

from local.parameters import overrides, read_dotenv
from local.paths import BUILT_FOR_AWS, DOTENV, ROOT, SAM
from local.sam import CONFIG_FILE, quoted


def main() -> None:
    """Deploy, and say what is left to do."""
    parser = argparse.ArgumentParser(prog="make deploy", description=__doc__)
    parser.add_argument("--stack", required=True)
    parser.add_argument("--architecture", required=True)
    given = parser.parse_args()
    # Only .env decides what a deployed stack is told: a shell's variables are for local runs.
    parameters = overrides(read_dotenv(DOTENV), {})
    if "JwtIssuer" not in parameters:
        print("JWT_ISSUER is not in .env: every call that needs a token will be refused.")
    chosen = quoted({**parameters, "Architecture": given.architecture})
    command = [
        str(SAM),
        "deploy",
        *CONFIG_FILE,
        "--stack-name",
        given.stack,
        "--parameter-overrides",
        *chosen,
    ]
    command += ["--template-file", str(BUILT_FOR_AWS / "template.yaml")]
    status = subprocess.run(command, env=os.environ, cwd=ROOT, check=False).returncode
    if not status:
        print("Keys and flags of .env go into the stack with `make deploy-env`.")
    sys.exit(status)


if __name__ == "__main__":
    main()
