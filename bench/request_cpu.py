"""CPU time of a warm estimate and of the confirmation of it, over stores in memory, and what it is.

    python -m bench.request_cpu                  (TURNS=7 REQUESTS=300)
    python -m bench.request_cpu --flame .local   (a flame graph's stacks for each of the two)

The handlers are the deployed ones, with real tokens; provider, moderation and stores are the tests'
fakes, so that what is measured is the code of this project and of its packages. CPU time is
counted, not time: other load of the machine makes it larger by a part, not by a multiple. The least
turn counts.

With ``--flame FOLDER`` a timer of the CPU looks where the program is, a thousand times a second.
The stacks are written in the usual folded form, one line each with its count; the shares of the
functions in which most time is spent, with all that they call, are printed.
"""

import json
import logging
import os
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, redirect_stdout
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import FrameType, ModuleType
from typing import Any, Final

from bench.handler import PROMPT, Context, PlainWorld, event, load
from imagegen.bootstrap import estimate, generate
from imagegen.logs import logger
from imagegen.monitoring.observer import LogObserver
from local import issuer
from local.issuer import AUDIENCE, Issuer
from local.paths import ROOT
from tests.fakes.catalogs import real_catalog
from tests.fakes.service import Service

TURNS: Final = int(os.environ.get("TURNS", "7"))
REQUESTS: Final = int(os.environ.get("REQUESTS", "300"))
INTERVAL_SECONDS: Final = 0.001
SHOWN: Final = 40


@dataclass(slots=True)
class Flame:
    """The stacks at which a timer of the CPU found the program, each with how often."""

    stacks: Counter[tuple[str, ...]] = field(default_factory=Counter)

    def start(self) -> None:
        """Look from now on."""
        signal.signal(signal.SIGPROF, self._look)
        signal.setitimer(signal.ITIMER_PROF, INTERVAL_SECONDS, INTERVAL_SECONDS)

    def stop(self) -> None:
        """Look no more."""
        signal.setitimer(signal.ITIMER_PROF, 0)

    def write(self, path: Path) -> None:
        """Write the stacks in the folded form."""
        lines = (f"{';'.join(names)} {count}\n" for names, count in self.stacks.items())
        path.write_text("".join(sorted(lines)))

    def shares(self) -> list[tuple[str, float]]:
        """Return the functions with their share of the time, with all that they call."""
        found: Counter[str] = Counter()
        for names, count in self.stacks.items():
            found.update(dict.fromkeys(names, count))
        total = self.stacks.total() or 1
        return [(name, count / total) for name, count in found.most_common(SHOWN)]

    def _look(self, _number: int, frame: FrameType | None) -> None:
        names: list[str] = []
        while frame is not None and frame.f_code is not timed.__code__:
            names.append(name_of(frame))
            frame = frame.f_back
        self.stacks[tuple(reversed(names))] += 1


def name_of(frame: FrameType) -> str:
    """Return a frame's file and function, without the folders of this machine."""
    code = frame.f_code
    parts = Path(code.co_filename).parts[-3:]
    return f"{'/'.join(parts)}:{code.co_qualname}".replace(";", ",").replace(" ", "_")


@dataclass(frozen=True, slots=True)
class Requests:
    """The two handlers over one world, and people who ask them."""

    people: Issuer
    estimate: Callable[[dict[str, Any], Context], dict[str, Any]]
    generate: Callable[[dict[str, Any], Context], dict[str, Any]]

    def turn(self, number: int, flames: Mapping[str, Flame]) -> dict[str, float]:
        """Return the CPU time of one estimate and one confirmation, in ms."""
        tokens = [self.people.token(f"bench-{number}-{one}") for one in range(REQUESTS)]
        asked = [event("estimate/prompt-only", one, {"prompt": PROMPT}) for one in tokens]
        offers, estimate_ms = timed(self.estimate, asked, flames.get("estimate"))
        quotes = [json.loads(one["body"])["quote"] for one in offers]
        clicks = [
            event("generate/confirmed", token, {"quote": quote, "prompt": PROMPT})
            for token, quote in zip(tokens, quotes, strict=True)
        ]
        _, generate_ms = timed(self.generate, clicks, flames.get("generate"))
        return {"estimate": estimate_ms, "generate": generate_ms}


def timed(
    handler: Callable[[dict[str, Any], Context], dict[str, Any]],
    events: Sequence[dict[str, Any]],
    flame: Flame | None,
) -> tuple[list[dict[str, Any]], float]:
    """Return the answers, and the CPU time of one, in ms.

    Raises:
        RuntimeError: an answer is not a success.
    """
    if flame:
        flame.start()
    began = time.process_time()
    answers = [handler(one, Context()) for one in events]
    took_ms = (time.process_time() - began) * 1000 / len(events)
    if flame:
        flame.stop()
    for one in answers:
        if one["statusCode"] != 200:
            raise RuntimeError(f"{one['statusCode']}: {one['body'][:400]}")
    return answers, took_ms


def build(ends: ExitStack) -> Requests:
    """Return the handlers over stores in memory, which are closed with ``ends``."""
    people = ends.enter_context(issuer.start())
    os.environ |= {
        "TABLE_NAME": "table", "BUCKET_NAME": "bucket", "PARAMETERS_PATH": "/imagegen/bench",
        "JWT_AUDIENCE": AUDIENCE, "JWT_ISSUER": people.url, "POWERTOOLS_SERVICE_NAME": "bench",
    }  # fmt: skip
    service = Service(catalog=real_catalog())
    observer = LogObserver("bench", "INFO", service.catalog.providers, service.clock)
    service.on_finished = observer.request_finished
    functions = replace(service.functions, world=PlainWorld(service))

    def handler(name: str, dependency: Callable[[], object]) -> ModuleType:
        module = load(name)
        module.api.dependency_overrides[dependency] = lambda: functions
        return module

    return Requests(
        people,
        handler("estimate", estimate.get_estimate_service).lambda_handler,
        handler("generate", generate.get_generate_service).lambda_handler,
    )


def main() -> None:
    """Measure, and print one line of JSON, or the shares of the functions."""
    folder = ROOT / sys.argv[sys.argv.index("--flame") + 1] if "--flame" in sys.argv else None
    flames = {"estimate": Flame(), "generate": Flame()} if folder else {}
    # The handlers log a line for each image: it is made, and goes nowhere.
    with ExitStack() as ends:
        nowhere = ends.enter_context(Path(os.devnull).open("w"))
        for output in logger.handlers:
            if isinstance(output, logging.StreamHandler):
                output.setStream(nowhere)
        with redirect_stdout(nowhere):
            requests = build(ends)
            requests.turn(0, {})
            found = [requests.turn(number, flames) for number in range(1, TURNS + 1)]
    for name, flame in flames.items():
        flame.write(Path(str(folder)) / f"{name}.folded")
        print(f"\n{name}", *(f"{share:6.1%} {one}" for one, share in flame.shares()), sep="\n")
    least = {name: round(min(one[name] for one in found), 3) for name in found[0]}
    print(json.dumps({"cpuMs": least}))


if __name__ == "__main__":
    main()
