"""What LiteLLM's SDK offers for R1: its two budgets, against the same simulated provider as ours.

https://docs.litellm.ai/docs/budget_manager. It runs in an environment of its own, ``.tools/peers``.
"""

import json
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from local.paths import ROOT, UV
from local.simulator.server import Simulator

PEERS = ROOT / ".tools" / "peers"
PYTHON = PEERS / "bin" / "python"
MODEL = "gpt-image-2.5-flare"
CAP_USD, PRICE_USD, REQUESTS, THREADS = 10.0, 0.17, 200, 200

SCRIPT = """
import concurrent.futures, importlib.metadata, json, sys, threading, time
import litellm

base, model, cap, price, requests, threads, how = json.loads(sys.argv[1])
model = f"openai/{model}"
litellm.register_model({model: {
    "litellm_provider": "openai", "mode": "image_generation", "input_cost_per_image": price,
    "input_cost_per_pixel": price / 1024 ** 2, "output_cost_per_pixel": 0.0,
}})
if how == "max_budget":
    litellm.max_budget = cap
manager = litellm.BudgetManager(project_name="bench")
manager.create_budget(total_budget=cap, user="user")
litellm.suppress_debug_info = True
gate = threading.Barrier(threads)

def one(number):
    gate.wait() if number < threads else None
    if how == "BudgetManager" and manager.get_current_cost("user") > cap - price:
        return "refused"
    try:
        litellm.image_generation(
            model=model, prompt="a red fox", size="1024x1024", api_base=base,
            api_key="local-key", num_retries=0,
        )
        # update_cost() prices text by tokens; an image's price is added as it would add it.
        manager.user_dict["user"]["current_cost"] = manager.get_current_cost("user") + price
    except litellm.BudgetExceededError:
        return "refused"
    except Exception as error:
        return f"{type(error).__name__}: {str(error)[:160]}"
    return "made"

with concurrent.futures.ThreadPoolExecutor(threads) as pool:
    came = list(pool.map(one, range(requests)))
# It counts in threads of its own.
time.sleep(5)
tally = {kind: came.count(kind) for kind in sorted(set(came))}
print("RESULT" + json.dumps({
    "version": importlib.metadata.version("litellm"), "tally": tally,
    "countedUsd": round(
        manager.get_current_cost("user") if how == "BudgetManager" else litellm._current_cost, 2
    ),
}))
"""


def measure() -> dict[str, Any]:
    """Return the figures of both budgets, all at once and one after the other, or why not."""
    if not _installed():
        return {"skipped": "litellm cannot be installed here"}
    return {
        "maxBudget": _spend("max_budget", THREADS),
        "maxBudgetOneByOne": _spend("max_budget", 1),
        "budgetManager": _spend("BudgetManager", THREADS),
        "budgetManagerOneByOne": _spend("BudgetManager", 1),
    }


def _spend(how: str, threads: int) -> dict[str, Any]:
    """Ask for 200 images against $10 and return how many were made.

    Raises:
        RuntimeError: it did not run, or something else than made and refused came of a request:
            that says nothing about a budget.
    """
    with Simulator.start() as simulator, tempfile.TemporaryDirectory() as scratch:
        base = f"{simulator.url}/openai/v1"
        arguments = json.dumps([base, MODEL, CAP_USD, PRICE_USD, REQUESTS, threads, how])
        done = subprocess.run(  # noqa: S603 our own script
            [PYTHON, "-c", SCRIPT, arguments],
            cwd=scratch,
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
            env={"PATH": "", "LITELLM_LOCAL_MODEL_COST_MAP": "True"},
        )
    line = next((one for one in done.stdout.splitlines() if one.startswith("RESULT")), "")
    found: dict[str, Any] = json.loads(line.removeprefix("RESULT")) if line else {"tally": {"": 1}}
    made = found["tally"].get("made", 0)
    if made + found["tally"].get("refused", 0) != REQUESTS:
        raise RuntimeError(f"litellm: {found}: {done.stderr[-400:]}")
    return found | {"threads": threads, "made": made, "spentUsd": round(made * PRICE_USD, 2)}


def _installed() -> bool:
    if PYTHON.exists():
        return True
    if not UV.exists():
        return False
    steps: tuple[list[str | Path], ...] = (
        [UV, "venv", "-q", "--allow-existing", "--python", "3.13", PEERS],
        [UV, "pip", "install", "-q", "--python", PYTHON, "litellm"],
    )
    for step in steps:
        if subprocess.run(step, check=False).returncode:  # noqa: S603 our own tools
            shutil.rmtree(PEERS, ignore_errors=True)
            return False
    return True
