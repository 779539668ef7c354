"""The way of a warm request through the product, counted by ``sys.setprofile``.

    PYTHONPATH=.:layers/shared python -P bench/request_path.py [--calls]

One line of JSON; with ``--calls`` each file instead, with the files that call it and how often.

The handlers are the deployed ones and so are their stores, over moto in this process; providers,
LLM and issuer are those of the local stack. Run in the folder of the checkout that is measured:
`bench` itself is not imported, so that an older checkout can be compared. Code of other packages is
not counted; what it calls counts as called by the last product function before it. Figures differ
by a few between runs: circuits are read again after two seconds.
"""

import importlib.util
import json
import os
import sys
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, redirect_stdout
from dataclasses import dataclass, field
from io import StringIO
from pathlib import Path
from types import FrameType, ModuleType, SimpleNamespace
from typing import Any

import boto3
from moto import mock_aws

from imagegen.providers import PROVIDERS
from local import issuer
from local.emulator import CREDENTIALS, REGION
from local.issuer import AUDIENCE
from local.parameters import pairs_text, read_template
from local.simulator.chat import BASE, MODEL
from local.simulator.server import Simulator

PRODUCT = ("layers/shared/imagegen/", "functions/")
TABLE, BUCKET, PARAMETERS = "table", "bucket", "/imagegen/bench"
CONTEXT = SimpleNamespace(
    function_name="bench",
    memory_limit_in_mb=512,
    invoked_function_arn="arn:aws:lambda:us-east-1:000000000000:function:bench",
    aws_request_id="00000000-0000-4000-8000-000000000000",
    get_remaining_time_in_millis=lambda: 290_000,
)


@dataclass(slots=True)
class Trace:
    """What one request ran of the product."""

    functions: set[tuple[str, int]] = field(default_factory=set)
    calls: Counter[tuple[str, str]] = field(default_factory=Counter)
    """From one file to another, with how often."""
    deepest: int = 0
    _stack: list[str | None] = field(default_factory=list)

    def profile(self, frame: FrameType, event: str, _: object) -> None:
        """Count a call or a return of Python code."""
        if event == "call":
            self._enter(frame)
        elif event == "return" and self._stack:
            self._stack.pop()

    def counts(self) -> dict[str, int]:
        """Return the four figures."""
        files = {name for name, _ in self.functions}
        return {
            "files": len(files),
            "functions": len(self.functions),
            "hops": self.calls.total(),
            "deepest": self.deepest,
        }

    def report(self) -> Iterator[str]:
        """Yield each file with its lines, functions and callers, most called first."""
        callers = Counter[str]()
        for (_, name), count in self.calls.items():
            callers[name] += count
        ran = Counter(name for name, _ in self.functions)
        for name in sorted(ran, key=lambda one: (-callers[one], one)):
            lines = len(Path(name).read_text().splitlines())
            yield f"{callers[name]:5} {name} ({lines} lines, {ran[name]} functions)"
            for (caller, called), count in self.calls.most_common():
                if called == name:
                    yield f"            {count:5} from {caller}"

    def _enter(self, frame: FrameType) -> None:
        name = product_file(frame.f_code.co_filename)
        self._stack.append(name)
        if name is None:
            return
        self.functions.add((name, frame.f_code.co_firstlineno))
        product = [one for one in self._stack if one]
        self.deepest = max(self.deepest, len(product))
        if len(product) > 1 and product[-2] != name:
            self.calls[product[-2], name] += 1


def product_file(path: str) -> str | None:
    """Return a product file's path within the checkout, ``None`` for any other file."""
    relative = os.path.relpath(path) if path.startswith("/") else path
    return relative if relative.startswith(PRODUCT) else None


@dataclass(frozen=True, slots=True)
class Functions:
    """The functions over one world."""

    token: Callable[[str], str]
    modules: dict[str, ModuleType] = field(default_factory=dict)

    def body(
        self, name: str, trace: Trace | None = None, *, user: str = "alice", **marks: str
    ) -> Any:
        """Return the body of an event's answer, its product code counted into ``trace``.

        Raises:
            RuntimeError: the answer is not a success.
        """
        function = name.partition("/")[0]
        module = self.modules.setdefault(function, load(function))
        event = filled(name, {"TOKEN": self.token(user), **marks})
        sys.setprofile(trace.profile if trace else None)
        answer = module.lambda_handler(event, CONTEXT)
        sys.setprofile(None)
        if answer["statusCode"] != 200:
            raise RuntimeError(f"{name}: {answer['statusCode']}: {answer['body'][:400]}")
        return answer["body"]

    def quote(self) -> str:
        """Return a fresh quote."""
        quote: str = json.loads(self.body("estimate/prompt-only"))["quote"]
        return quote


def load(function: str) -> ModuleType:
    """Return a function's module."""
    path = Path("functions", function, "handler.py").resolve()
    spec = importlib.util.spec_from_file_location(f"{function}_handler", path)
    if spec is None or spec.loader is None:
        raise RuntimeError(f"{path} cannot be loaded")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def filled(name: str, marks: Mapping[str, str]) -> dict[str, Any]:
    """Return one of ``events/`` with its marks filled in."""
    text = Path("events", f"{name}.json").read_text()
    for mark, value in marks.items():
        text = text.replace(f"${{{mark}}}", value)
    event: dict[str, Any] = json.loads(text)
    return event


@contextmanager
def world() -> Iterator[Functions]:
    """Yield the functions over stores in memory, simulated providers and an issuer."""
    os.environ |= {**CREDENTIALS, "AWS_DEFAULT_REGION": REGION, "AWS_REGION": REGION}
    with ExitStack() as ends:
        simulator = ends.enter_context(Simulator.start())
        people = ends.enter_context(issuer.start())
        # The simulator and the issuer are not AWS.
        ends.enter_context(mock_aws(config={"core": {"passthrough": {"urls": ["127.0.0.1"]}}}))
        os.environ |= variables(simulator, people.url)
        make_stores()
        yield Functions(people.token)


def variables(simulator: Simulator, issuer_url: str) -> dict[str, str]:
    """Return the environment that the template gives the functions."""
    with urllib.request.urlopen(f"{simulator.url}/") as answer:  # noqa: S310 loopback
        bases: dict[str, str] = json.load(answer)
    return {
        "STAND_INS": pairs_text({name: bases[name] for name in PROVIDERS}),
        "TABLE_NAME": TABLE, "BUCKET_NAME": BUCKET, "PARAMETERS_PATH": PARAMETERS,
        "JWT_ISSUER": issuer_url, "JWT_AUDIENCE": AUDIENCE, "POWERTOOLS_SERVICE_NAME": "bench",
        "CHAT_BASE_URL": simulator.url + BASE, "CHAT_MODEL": MODEL,
    }  # fmt: skip


def make_stores() -> None:
    """Make the table as the template has it, the bucket, and the parameters of a local stack."""
    properties = read_template()["Resources"]["Table"]["Properties"]
    kept = ("AttributeDefinitions", "BillingMode", "GlobalSecondaryIndexes", "KeySchema")
    table = {name: properties[name] for name in kept}
    boto3.client("dynamodb").create_table(TableName=TABLE, **table)
    boto3.client("s3").create_bucket(Bucket=BUCKET)
    key = "A" * 43
    values = {"QUOTE_KEYS": f"k1:{key}", "IMAGE_ID_KEY": key, "CHAT_API_KEY": "local-chat-key"}
    for row in json.loads(Path("provider_catalog.json").read_text())["models"]:
        name, provider = row["provider"], row["provider"].upper()
        # Vendors call it one or the other.
        values |= dict.fromkeys(
            (f"{provider}_API_KEY", f"{provider}_API_TOKEN"), f"local-{name}-key"
        )
        values[f"ENABLE_IMAGE_GENERATION_{provider}"] = "true"
    for name, value in values.items():
        boto3.client("ssm").put_parameter(
            Name=f"{PARAMETERS}/{name}", Value=value, Type="SecureString"
        )


def main() -> None:
    """Print the figures of four warm requests: each is traced the second time it is made."""
    # The functions' log goes to standard output, which is for the figures.
    with redirect_stdout(StringIO()), world() as functions:
        requests: dict[str, Callable[[Trace | None], Any]] = {
            "estimate": lambda trace: functions.body("estimate/prompt-only", trace),
            "generate": lambda trace: functions.body(
                "generate/confirmed", trace, QUOTE=functions.quote()
            ),
            # An equal call of the same user is a retry.
            "/v1 generate": lambda trace: functions.body(
                "generate/openai-image", trace, user="bob" if trace else "alice"
            ),
            "chat with one offer": lambda trace: functions.body("chat/asks-for-an-image", trace),
        }
        traces: dict[str, Trace] = {}
        for name, request in requests.items():
            request(None)
            traces[name] = Trace()
            request(traces[name])
    if "--calls" in sys.argv:
        for name, trace in traces.items():
            print(f"\n{name}", *trace.report(), sep="\n")
    else:
        print(json.dumps({name: trace.counts() for name, trace in traces.items()}))


if __name__ == "__main__":
    main()
