"""Cold starts in Lambda's own runtime client, from the process to the first answer.

    python -m bench.cold_start        (REPEATS=5)

Every environment gets the share of a core that Lambda gives 512 MB, 0.29. Lambda gives more while
an environment starts; how much it does not say, so both are measured: the share from the first
instruction on ("all at 0.29"), and from the moment the runtime asks for its first event
("start at full speed"). Candidates take turns, so that other load falls on all of them.
"""

import json
import os
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from bench import gateways, ground, machine
from bench.cold_programs import BARE, BOOT, EAGER, LITELLM, POWERTOOLS
from bench.results import Part, alone, median, p90
from local import rie
from local.events import read_event
from local.invoke import deployed_variables
from local.paths import BUILD, ROOT
from local.processes import LOOPBACK, free_port, running, tail, wait_until_answering
from local.stack import LocalStack, own_or_running

MEMORY_MB: Final = 512
BUDGET: Final = 0.25
REPEATS: Final = int(os.environ.get("REPEATS", "5"))
PATH: Final = "2015-03-31/functions/function/invocations"

FUNCTIONS: Final = ("estimate", "health", "generate")
CASES: Final = {
    "estimate": "estimate/prompt-only.json",
    "health": "health/report.json",
    "generate": "generate/usage.json",
    "image": "generate/confirmed.json",
}
BOOSTED: Final = ", start at full speed"
UNPRIMED: Final = "os.environ.pop('AWS_LAMBDA_INITIALIZATION_TYPE')"
SDK: Final = "import imagegen.providers.sdk"


@dataclass(slots=True)
class Candidate:
    """One way to start."""

    name: str
    path: Sequence[Path]
    event: Callable[[], Mapping[str, Any]]
    variables: Mapping[str, str]
    before: str = ""
    boosted: bool = False
    slow: bool = False
    """Measured in every other round."""
    times: list[dict[str, float]] = field(default_factory=list)

    def middle(self, mark: str) -> float:
        """Return the median of a mark, in ms."""
        return median([one[mark] for one in self.times])


def start(candidate: Candidate, group: Path | None) -> dict[str, float]:
    """Return how long one cold start took, in ms."""
    with tempfile.TemporaryDirectory(prefix="cold-") as scratch:
        directory = Path(scratch)
        client, marks = directory / "runtime", directory / "marks.json"
        rie.link_runtime_client(client)
        boot = BOOT.format(
            group=str(group / "cgroup.procs") if group else "",
            boosted=candidate.boosted,
            path=[*map(str, candidate.path), str(client)],
            marks=str(marks),
            before=candidate.before,
        )
        port, log = free_port(), directory / "rie.log"
        command = [*rie.emulator(port), sys.executable, "-I", "-S", "-B", "-c", boot]
        with running(command, env=candidate.variables, log=log, cwd=directory) as process:
            url = f"http://{LOOPBACK}:{port}"
            wait_until_answering(url, process, log, rie.START_SECONDS)
            event, asked = candidate.event(), time.monotonic_ns()
            answer = _post(f"{url}/{PATH}", event, log)
            answered = time.monotonic_ns()
            again = _timed(lambda: _post(f"{url}/{PATH}", event, log))
        _check(candidate, answer)
        seen = json.loads(marks.read_text())
        return {
            "cold": (answered - asked) / 1e6,
            "start": (seen["ready"] - asked) / 1e6,
            "first": (answered - seen["ready"]) / 1e6,
            "warm": again,
            "cpu": seen["cpu"] / 1e6,
            "modules": seen["modules"],
        }


def _post(url: str, event: Mapping[str, Any], log: Path) -> Any:
    try:
        with urllib.request.urlopen(url, json.dumps(event).encode(), timeout=300) as answer:  # noqa: S310
            return json.load(answer)
    except urllib.error.HTTPError as error:
        raise RuntimeError(f"{error}: {tail(log)}") from None


def _timed(work: Callable[[], object]) -> float:
    began = time.monotonic_ns()
    work()
    return (time.monotonic_ns() - began) / 1e6


def _check(candidate: Candidate, answer: Any) -> None:
    if not isinstance(answer, dict) or answer.get("statusCode") != 200:
        raise RuntimeError(f"{candidate.name} answered {str(answer)[:400]}")


def measure(stack: LocalStack) -> Part:
    """Measure every candidate."""
    with ExitStack() as ends:
        scratch = Path(ends.enter_context(tempfile.TemporaryDirectory(prefix="cold-")))
        group = ends.enter_context(machine.share(machine.lambda_share(MEMORY_MB)))
        for name in rie.CLIENT:
            # As in the managed runtime, whose own client is compiled.
            ground.compiled(Path(sys.prefix) / "lib/python3.13/site-packages" / name)
        found = _candidates(stack, scratch)
        # The first round fills the disk cache and is not counted.
        for round_number in range(REPEATS + 1):
            for one in found:
                if one.slow and not round_number % 2:
                    continue
                times = start(one, group)
                if round_number:
                    one.times.append(times)
    return _part(found, limited=group is not None)


def _candidates(stack: LocalStack, scratch: Path) -> list[Candidate]:
    """Return ours, the same as it would be without our measures, and the peers."""
    source, whole = ground.packages(bytecode=False), ground.packages(bytecode=True)
    layer = BUILD / "SharedLayer" / "python"
    ours = _Ours(stack, layer)
    found = [ours.candidate(name, name) for name in FUNCTIONS]
    for name in ("estimate", "health"):
        eager = f"{name}: everything eagerly, from source"
        found.append(ours.candidate(eager, name, layer=source, before=EAGER, slow=True))
    for name, code, packages in (
        ("a bare handler", BARE, layer),
        ("Powertools' resolver + boto3 client", POWERTOOLS, whole),
        ("LiteLLM's SDK", LITELLM, gateways.litellm_packages()),
    ):
        folder = scratch / str(len(found))
        folder.mkdir()
        (folder / "handler.py").write_text(code)
        path, variables = [folder, packages], rie.environment("bare", 300)
        found.append(Candidate(name, path, ours.event("health"), variables, slow=code == LITELLM))
    for name in FUNCTIONS:
        found.append(ours.candidate(f"{name}{BOOSTED}", name, boosted=True))
        plain = f"{name}, unprimed{BOOSTED}"
        found.append(ours.candidate(plain, name, boosted=True, before=UNPRIMED))
    for when, before in (("at the first image", ""), ("at the start", SDK)):
        for what, case in (("its first image", "image"), ("another request", "generate")):
            name = f"generate, SDK loaded {when}: {what}{BOOSTED}"
            found.append(ours.candidate(name, case, boosted=True, before=before))
    return found


@dataclass(slots=True)
class _Ours:
    """Our functions as they were built and deployed."""

    stack: LocalStack
    layer: Path

    def candidate(self, name: str, case: str, **more: Any) -> Candidate:
        """Return a function with what a case asks it."""
        function = "generate" if case == "image" else case
        description = self.stack.describe()
        variables = {
            **rie.environment(function, 300),
            **deployed_variables(description, function),
        }
        folder = BUILD / f"{function.capitalize()}Function"
        path = [folder, more.pop("layer", self.layer)]
        return Candidate(name, path, self.event(case), variables, **more)

    def event(self, case: str) -> Callable[[], Mapping[str, Any]]:
        """Return what makes a case's event; each image is a new user's, who has a whole limit."""

        def build() -> Mapping[str, Any]:
            token = self.stack.issuer.token(f"bench-{time.monotonic_ns()}")
            return read_event(
                ROOT / "events" / CASES[case], self.stack.describe() | {"token": token}
            )

        return build


def _part(found: Sequence[Candidate], *, limited: bool) -> Part:
    part = Part(
        "cold_start",
        f"Cold start, ms from the invocation to the first answer, {REPEATS} interleaved repeats",
        ["", "cold, median", "p90", "of that: start", "first answer", "warm answer", "CPU",
         "modules", "x everything eagerly", "by CPU"],
    )  # fmt: skip
    by_name = {one.name: one for one in found}
    for one in found:
        function = "estimate" if one.name.startswith("estimate") else "health"
        eager = by_name[f"{function}: everything eagerly, from source"]
        ratio, by_cpu = (one.middle(mark) / eager.middle(mark) for mark in ("cold", "cpu"))
        cold = [times["cold"] for times in one.times]
        part.rows.append((
            one.name, round(median(cold)), round(p90(cold)), round(one.middle("start")),
            round(one.middle("first")), round(one.middle("warm"), 1), round(one.middle("cpu")),
            round(one.middle("modules")), "" if one.boosted else f"{ratio:.2f}", f"{by_cpu:.2f}",
        ))  # fmt: skip
        part.figures[one.name] = {
            **{mark: round(one.middle(mark), 1) for mark in one.times[0]},
            "p90": round(p90(cold), 1),
            "repeats": len(cold),
            "ratio": None if one.boosted else round(ratio, 3),
            "ratioByCpu": round(by_cpu, 3),
        }
        if one.name in ("estimate", "health"):
            what = f"{one.name} starts cold in {BUDGET} x of importing everything from source"
            part.budgets[f"{what} or less ({ratio:.2f})"] = ratio <= BUDGET
    part.notes += _notes(limited=limited)
    part.figures["versions"] = {"litellm": gateways.LITELLM}
    return part


def _notes(*, limited: bool) -> list[str]:
    share = f"{machine.lambda_share(MEMORY_MB):.2f} of a core (cgroup), as Lambda's {MEMORY_MB} MB"
    return [
        f"CPU: {share}." if limited else "CPU: not limited, this machine allows no quota.",
        "Peers: their packages whole, with bytecode. Stores: MiniStack beside it, unlimited.",
        '"Start at full speed": the limit holds from the first event on, as Lambda is seen to do.',
    ]


def main() -> None:
    """Measure alone."""
    with own_or_running() as stack:
        alone(lambda: measure(stack))


if __name__ == "__main__":
    main()
