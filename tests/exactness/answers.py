"""R14 and R16: what counts against a circuit, and ids that are never made twice."""

import json
import os
import subprocess
import sys
from collections import Counter

from imagegen.domain.breaker import EFFECTS, Effect
from imagegen.domain.call_errors import ProviderError
from imagegen.domain.outcomes import Outcome
from local.emulator import CREDENTIALS, REGION
from local.paths import ROOT
from tests.adapters.providers.adapters import build_adapter, order_for
from tests.adapters.providers.loopback import serving
from tests.adapters.providers.test_recorded import RECORDINGS, replay
from tests.exactness.ground import Ground
from tests.exactness.rows import Measured, Verdict

USER_ERRORS = {
    Outcome.REFUSED,
    Outcome.BLOCKED,
    Outcome.NO_IMAGE,
    Outcome.BAD_PARAMETER,
}
FAULTS = {
    Outcome.UNAVAILABLE: Effect.FAILURE,
    Outcome.UNKNOWN: Effect.FAILURE,
    Outcome.RATE_LIMITED: Effect.REST,
    Outcome.ACCOUNT: Effect.TRIP,
    Outcome.MODEL_GONE: Effect.TRIP_MODEL,
}
COUNTED = {Effect.FAILURE, Effect.REST, Effect.TRIP, Effect.TRIP_MODEL, Effect.SUCCESS}


def r14(_: Ground) -> Measured:
    """Send every recorded answer through its adapter, and see what the circuit makes of it."""
    verdict, kinds = Verdict(), Counter[str]()
    counted_users = missed = 0
    for name, value in CREDENTIALS.items():
        os.environ.setdefault(name, value)  # a function has those of its role
    for path in RECORDINGS:
        recorded = json.loads(path.read_text())
        if recorded["outcome"] == "image":
            kinds["image"] += 1
            continue
        truth = Outcome(recorded["outcome"])
        with serving() as server:
            replay(recorded, server)
            try:
                build_adapter(path.parent.name, server).generate(
                    order_for(path.parent.name), timeout_seconds=20
                )
                effect = None
            except ProviderError as error:
                effect = EFFECTS[error.outcome]
        if truth in USER_ERRORS:
            kinds["user"] += 1
            counted_users += effect in COUNTED
        else:
            kinds["fault"] += 1
            missed += effect is not FAULTS[truth]
    verdict.demand(counted_users == 0, f"{counted_users} user errors were counted")
    verdict.demand(missed == 0, f"{missed} provider faults were not counted as they should be")
    verdict.demand(sum(kinds.values()) >= 60, "fewer than 60 answers")
    return verdict.measured(
        f"{sum(kinds.values())} answers: {counted_users} of {kinds['user']} user errors counted, "
        f"{kinds['fault'] - missed} of {kinds['fault']} provider faults counted",
        **kinds,
    )


FORKS = 50
IDS = 1_000
FORKING = f"""
import os, sys
from imagegen.bootstrap.generate import get_generate_service

service = get_generate_service()
nonce = lambda: service.pricer.random_bytes(15)
run_id = service.generator.new_run_id
call_id = service.guard.new_call_id
# Initialised, and used once: what a snapshot would keep is there.
nonce(), run_id(), call_id()
for _ in range({FORKS}):
    child = os.fork()
    if not child:
        lines = (f"{{nonce().hex()}} {{run_id()}} {{call_id()}}\\n" for _ in range({IDS}))
        sys.stdout.write("".join(lines))
        sys.stdout.flush()
        os._exit(0)
    os.waitpid(child, 0)
"""


def r16(_: Ground) -> Measured:
    """Fork fifty times from one initialised process, and compare the ids."""
    verdict = Verdict()
    env = {
        **CREDENTIALS,
        "PATH": os.environ.get("PATH", os.defpath),
        "PYTHONPATH": os.pathsep.join(sys.path),
        "AWS_DEFAULT_REGION": REGION,
        "TABLE_NAME": "-",
        "BUCKET_NAME": "-",
        "PARAMETERS_PATH": "/-",
    }
    done = subprocess.run(  # noqa: S603 our own code
        [sys.executable, "-c", FORKING], env=env, cwd=ROOT, capture_output=True, check=True
    )
    rows = [line.split() for line in done.stdout.decode().splitlines()]
    verdict.demand(len(rows) == FORKS * IDS, f"{len(rows)} rows")
    doubled = {
        name: len(rows) - len({row[column] for row in rows})
        for column, name in enumerate(("quotes", "runs", "calls"))
    }
    verdict.demand(not any(doubled.values()), f"made twice: {doubled}")
    return verdict.measured(
        f"{FORKS} forks x {IDS} ids of 3 kinds: {sum(doubled.values())} duplicates", **doubled
    )
