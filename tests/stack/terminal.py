"""Drives the commands of operations as somebody whose only rights are those of our own policies."""

import json
import re
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import requests

from local import permissions
from local.emulator import Emulator
from local.paths import ROOT
from local.permissions import READ_PARAMETERS
from local.sam import host_architecture
from local.stack import LocalStack
from operations.deployer_policy import Scope, policy
from tests.stack.proxy import Watch, watching

ACCOUNT: Final = "000000000000"
HTTPS: Final = {"X-Forwarded-Proto": "https"}
"""sam's bucket refuses calls without TLS."""


@contextmanager
def narrow(emulator: Emulator, scope: Scope, *roles: str) -> Iterator[dict[str, str]]:
    """Yield the environment of a new user who has the policies of these roles and no other right.

    The emulator checks every call of sam and of our commands, and none of CloudFormation's own.
    """
    iam = emulator.client("iam")
    name = f"deployer-of-{scope.stack}"
    iam.create_user(UserName=name)
    for role in roles:
        made = iam.create_policy(
            PolicyName=f"{name}-{role}", PolicyDocument=json.dumps(policy(scope, role))
        )
        iam.attach_user_policy(UserName=name, PolicyArn=made["Policy"]["Arn"])
    iam.put_user_policy(
        UserName=name, PolicyName="emulator", PolicyDocument=json.dumps(READ_PARAMETERS)
    )
    key = iam.create_access_key(UserName=name)["AccessKey"]
    never = Watch(lambda *_: False, lambda _: None, after=True)
    with watching(emulator.endpoint, never, HTTPS) as endpoint:
        yield {
            **emulator.environment(),
            "AWS_ACCESS_KEY_ID": key["AccessKeyId"],
            "AWS_SECRET_ACCESS_KEY": key["SecretAccessKey"],
            "AWS_ENDPOINT_URL": endpoint,
        }


@dataclass(frozen=True, slots=True)
class Terminal:
    """Somebody who types `make` with credentials of their own."""

    stack: LocalStack
    name: str
    env_file: Path
    environment: Mapping[str, str]

    def make(self, target: str, *more: str) -> str:
        """Return what a target says.

        Raises:
            AssertionError: it failed; with all that it said.
        """
        done = self.run(target, *more)
        assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
        return done.stdout

    def refused(self, target: str, *more: str) -> str:
        """Return what a target says that fails."""
        done = self.run(target, *more)
        assert done.returncode != 0, done.stdout
        return done.stdout + done.stderr

    def run(self, target: str, *more: str) -> subprocess.CompletedProcess[str]:
        """Return how a target ended."""
        settings = [f"STACK={self.name}", f"ENV_FILE={self.env_file}", "YES=1"]
        # Built for AWS, but from this machine's own wheels: they are here already.
        settings += [f"ARCHITECTURE={host_architecture()}", "IMAGEGEN_ARCHITECTURE=host"]
        return subprocess.run(  # noqa: S603 our own Makefile
            ["make", target, *settings, *more],  # noqa: S607 whichever is installed
            cwd=ROOT,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )

    def outputs(self) -> dict[str, str]:
        """Return the stack's addresses and names."""
        listed = json.loads(self.make("url"))
        return {one["OutputKey"]: one["OutputValue"] for one in listed}

    def adapted(self) -> dict[str, str]:
        """Return the outputs, after giving the functions what the emulator alone asks for."""
        outputs = self.outputs()
        functions = [outputs[name] for name in ("EstimateName", "GenerateName", "HealthName")]
        permissions.adapt(self.stack.emulator, outputs["BucketName"], functions)
        return outputs

    def call(self, url: str, path: str, body: Any = None) -> dict[str, Any]:
        """Return what a function of the stack answers a user of its own."""
        token = self.stack.issuer.token("second-user")
        answer = requests.request(
            "POST" if body else "GET",
            f"{self.stack.local_url(url)}{path}",
            json=body,
            headers={"Authorization": f"Bearer {token}", "Accept": "application/json"},
            timeout=60,
        )
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def resources(self, stack: str) -> dict[str, str]:
        """Return what a stack is made of: name in the template, name in the account."""
        client = self.stack.emulator.client("cloudformation")
        found = client.describe_stack_resources(StackName=stack)["StackResources"]
        # SAM puts a hash of its content behind the names of a layer and of versions.
        return {
            re.sub(r"(SharedLayer|Version)[0-9a-f]{10}$", r"\1", one["LogicalResourceId"]): one[
                "PhysicalResourceId"
            ]
            for one in found
        }
