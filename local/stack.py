"""The whole stack on this machine: emulator, simulated providers, issuer, our template."""

import json
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Self

from imagegen.providers import PROVIDERS, flag_name
from imagegen.settings import parse_pairs
from local import emulator, issuer, permissions, sam, simulated
from local.emulator import HEALTH_PATH, REGION, Emulator
from local.issuer import AUDIENCE, Issuer
from local.overrides import overrides
from local.parameters import pairs_text
from local.paths import STATE
from local.processes import answers
from local.sign_in import CLIENT_ID
from local.simulator import chat_dialects
from local.simulator.chat import BASE as LLM_PATH
from local.simulator.chat import MODEL as LLM_MODEL
from operations.push_env import CHAT_KEY, KEYS, parameters_path, push

STACK_NAME: Final = "imagegen-local"
URLS: Final = {
    "estimateUrl": "EstimateUrl",
    "generateUrl": "GenerateUrl",
    "healthUrl": "HealthUrl",
    "chatUrl": "ChatUrl",
    "adminUrl": "AdminUrl",
}
FUNCTIONS: Final = {
    "estimate": "EstimateName",
    "generate": "GenerateName",
    "health": "HealthName",
    "chat": "ChatName",
    "admin": "AdminName",
    "page": "PageName",
}


@dataclass(frozen=True, slots=True)
class Options:
    """The settings of a local stack."""

    port: int = 0
    """The emulator's port; 0 means any free one."""
    environ: Mapping[str, str] = field(default_factory=dict)
    """Template parameters by their environment names, such as ``HOURLY_IMAGES``."""
    dotenv: Mapping[str, str] = field(default_factory=dict)
    """The settings of .env; a provider whose key is in it is not simulated."""
    varies: bool = False
    """Whether simulated providers draw another picture for each equal order, as vendors do."""


@dataclass(frozen=True, slots=True)
class LocalStack:
    """A running stack."""

    emulator: Emulator
    issuer: Issuer
    simulator_url: str
    base_urls: Mapping[str, str]
    options: Options

    @classmethod
    @contextmanager
    def start(cls, options: Options) -> Iterator[Self]:
        """Run a stack until the block ends; then everything of it is removed.

        Raises:
            LocalStackError: a part does not start; the message says which part and why.
        """
        STATE.mkdir(exist_ok=True)
        with ExitStack() as ends:
            directory = Path(tempfile.mkdtemp(prefix="run-", dir=STATE))
            ends.callback(shutil.rmtree, directory, ignore_errors=True)
            cloud = ends.enter_context(emulator.start(directory, options.port))
            providers = ends.enter_context(simulated.start(directory, varies=options.varies))
            people = ends.enter_context(issuer.start())
            stack = cls(cloud, people, providers.url, providers.base_urls, options)
            stack.deploy()
            people.pages.add(stack.page_url(stack.outputs()))
            yield stack

    @classmethod
    def attach(cls, description: Mapping[str, Any], options: Options | None = None) -> Self:
        """Return the running stack of a ``describe`` result, to use it or to deploy to it again."""
        people = Issuer.from_pem(description["issuer"], description["issuerKey"])
        cloud = Emulator(description["awsEndpoint"], Path(description["directory"]))
        bases = description["baseUrls"]
        return cls(cloud, people, description["simulatorUrl"], bases, options or Options())

    def deploy(self) -> None:
        """Build and deploy; on a running stack, only what has changed."""
        sam.build()
        push(self.emulator.client("ssm"), STACK_NAME, self.provider_settings())
        sam.deploy(self.emulator, STACK_NAME, self.parameters())
        outputs = self.outputs()
        functions = [outputs[name] for name in FUNCTIONS.values()]
        permissions.adapt(self.emulator, outputs["BucketName"], functions)

    def provider_settings(self) -> dict[str, str]:
        """Return keys and flags: those of .env, and made-up ones for simulated providers."""
        made_up = {key: f"local-{provider}-key" for provider, key in KEYS.items()}
        flags = {flag_name(provider): "true" for provider in PROVIDERS}
        if self.simulates_llm:
            made_up[CHAT_KEY] = "local-chat-key"
        return {**made_up, **flags, **self.options.dotenv}

    @property
    def simulates_llm(self) -> bool:
        """Whether the chat uses the simulated LLM: yes, unless ``CHAT_MODEL`` is another model.

        ``as-mistral`` and the like are modes of the simulated LLM.
        """
        given = (self.options.dotenv, self.options.environ)
        named = [one["CHAT_MODEL"] for one in given if "CHAT_MODEL" in one]
        return all(chat_dialects.mode_of(name) for name in named)

    def parameters(self) -> dict[str, str]:
        """Return the template's parameters for this stack."""
        simulated_urls = {"InstancesUrl": self.simulator_url, "ChatStreaming": "true"}
        if self.simulates_llm:
            simulated_urls |= {"ChatBaseUrl": self.simulator_url + LLM_PATH, "ChatModel": LLM_MODEL}
        given = overrides(self.options.dotenv, self.options.environ)
        ours = {
            "StandIns": pairs_text(self.stand_ins | parse_pairs(given.get("StandIns", ""))),
            "JwtIssuer": self.issuer.url,
            "JwtAudience": AUDIENCE,
            "JwtJwksUrl": "",
            "SimulatorUrl": self.simulator_url,
            "SignInClientId": CLIENT_ID,
        }
        return {**simulated_urls, **given, **ours}

    @property
    def stand_ins(self) -> dict[str, str]:
        """Return the simulated addresses of the providers whose keys are not in .env, by name."""
        return {
            provider: url
            for provider, url in self.base_urls.items()
            if provider in PROVIDERS and KEYS.get(provider) not in self.options.dotenv
        }

    def describe(self) -> dict[str, Any]:
        """Return what a script or a test needs to use the stack (``.local/stack.json``)."""
        outputs = self.outputs()
        return {
            **{name: self.local_url(outputs[output]) for name, output in URLS.items()},
            "pageUrl": self.page_url(outputs),
            "token": self.issuer.token("alice"),
            "otherToken": self.issuer.token("bob"),
            "adminToken": self.issuer.token("admin", "user admin"),
            "issuer": self.issuer.url,
            "issuerKey": self.issuer.pem(),
            "awsEndpoint": self.emulator.endpoint,
            "region": REGION,
            "stackName": STACK_NAME,
            "parametersPath": parameters_path(STACK_NAME),
            "table": outputs["TableName"],
            "bucket": outputs["BucketName"],
            "functions": {name: outputs[output] for name, output in FUNCTIONS.items()},
            "simulatorUrl": self.simulator_url,
            "baseUrls": dict(self.base_urls),
            "directory": str(self.emulator.directory),
            "pid": os.getpid(),
        }

    @contextmanager
    def without_schedules(self) -> Iterator[None]:
        """Let no schedule start a run until the block ends.

        A run in the middle of a test would change what instances remember and count.
        """
        scheduler = self.emulator.client("scheduler")
        names = [one["Name"] for one in scheduler.list_schedules()["Schedules"]]
        kept = ("Name", "ScheduleExpression", "FlexibleTimeWindow", "Target")

        def switch(state: str) -> None:
            for name in names:
                known = scheduler.get_schedule(Name=name)
                scheduler.update_schedule(**{key: known[key] for key in kept}, State=state)

        switch("DISABLED")
        try:
            yield
        finally:
            switch("ENABLED")

    def outputs(self) -> dict[str, str]:
        """Return the deployed stack's outputs."""
        stacks = self.emulator.client("cloudformation").describe_stacks(StackName=STACK_NAME)
        return {item["OutputKey"]: item["OutputValue"] for item in stacks["Stacks"][0]["Outputs"]}

    def page_url(self, outputs: Mapping[str, str]) -> str:
        """Return the page's address, with the slash that its relative addresses need."""
        return self.local_url(outputs["PageUrl"]) + "/"

    def local_url(self, function_url: str) -> str:
        """Return the emulator's address of a function URL: a path, so no host name is resolved."""
        identifier = function_url.removeprefix("https://").partition(".")[0]
        return f"{self.emulator.endpoint}/_aws/lambda-url/{identifier}"


@contextmanager
def own_or_running() -> Iterator[LocalStack]:
    """Yield a stack of one's own, or the running one that IMAGEGEN_STACK names.

    One's own has neither the keys of .env nor the caller's variables: it spends nothing. Scheduled
    runs happen only when a test or a benchmark starts them.
    """
    running = os.environ.get("IMAGEGEN_STACK")
    if running:
        attached = LocalStack.attach(json.loads(Path(running).read_text()))
        with attached.without_schedules():
            yield attached
        return
    with LocalStack.start(Options()) as started, started.without_schedules():
        yield started


def write_description(description: Mapping[str, Any], path: Path) -> None:
    """Write a description for scripts; only the owner may read it, because it contains tokens."""
    path.parent.mkdir(exist_ok=True)
    path.touch(mode=0o600)
    path.write_text(json.dumps(description, indent=2) + "\n")


def running_stack(path: Path) -> dict[str, Any] | None:
    """Return the description at ``path`` if its stack still answers, else ``None``."""
    if not path.is_file():
        return None
    description: dict[str, Any] = json.loads(path.read_text())
    return description if answers(description["awsEndpoint"] + HEALTH_PATH) else None
