"""What generate's process holds at most: four images of 10 MB at once, each of two inputs of 10 MB.

A provider whose models take fewer inputs gets as many as they take.

    python -m bench.set_memory

The built function runs in Lambda's own runtime client (RIE) over a local stack, and the simulated
providers send files of 10 MB. The peak is the kernel's (``VmHWM``), of the process that handles the
events. Three sets follow each other in one process, because a warm instance keeps what it has.
"""

import hashlib
import json
from itertools import accumulate
from pathlib import Path
from typing import Any, Final

import requests

from bench.handler import event
from bench.provider import photo
from bench.results import Part, alone
from bench.set_process import IMAGES, INPUT_BYTES, PROMPT, SETS, peak_mb
from imagegen.domain.catalog import Offering
from imagegen.domain.operations import Operation
from imagegen.providers import PROVIDERS
from local import rie
from local.invoke import deployed_variables
from local.stack import LocalStack, own_or_running
from tests.fakes.catalogs import real_catalog
from tests.stack.driver import Driver, Person

LIMIT_MB: Final = 512
INPUTS: Final = tuple(photo(size) for size in INPUT_BYTES)
SECONDS: Final = 290
MAX_BYTES: Final = 10**9
ENCODED_BYTES: Final = tuple(accumulate(-(-len(one) // 3) * 4 for one in INPUTS))


def peak_of(function: rie.Function) -> float:
    """Return the most memory that a function's process has had, in MB."""
    threads = Path(f"/proc/{function.pid}/task").glob("*/children")
    (child,) = " ".join(one.read_text() for one in threads).split()
    return peak_mb(child)


def row_of(provider: str) -> Offering:
    """Return the provider's first row of those that take the most of the inputs."""
    rows = [one for one in real_catalog().models if one.provider == provider]
    made = [one for one in rows if one.operation is Operation.GENERATE and not needs_mask(one)]
    return max(made, key=inputs_of)


def needs_mask(row: Offering) -> bool:
    """Return whether a row makes nothing without a mask."""
    return row.inputs is not None and row.inputs.needs == "mask"


def inputs_of(row: Offering) -> int:
    """Return how many of the inputs a row takes."""
    if row.inputs is None:
        return 0
    most = row.inputs.most_encoded_bytes or MAX_BYTES
    fitting = [number for number, total in enumerate(ENCODED_BYTES, 1) if total <= most]
    return min(row.inputs.most, len(fitting))


def measured(stack: LocalStack, provider: str) -> tuple[float, float]:
    """Return the peak after one small image, and the peak after the sets, in MB."""
    driver, row = Driver(stack), row_of(provider)
    driver.reset()
    variables = {
        **deployed_variables(stack.describe(), "generate"),
        "HOURLY_IMAGES": "0",
        # The pictures are sent to moderation all the same; on a busy machine it may be too slow.
        "MODERATION": "best-effort",
    }
    with rie.start("generate", variables, SECONDS) as function:
        person = driver.person()
        # The first input alone: some models make nothing without one.
        made(function, person, offered(person, row, min(1, inputs_of(row)), count=1))
        idle = peak_of(function)
        driver.provider(provider, fault="large_file")
        for _ in range(SETS):
            person = driver.person()
            made(function, person, offered(person, row, inputs_of(row), IMAGES))
        driver.reset()
        return idle, peak_of(function)


def offered(person: Person, row: Offering, inputs: int, count: int) -> dict[str, Any]:
    """Return the offer of a row."""
    given = [{"upload": uploaded(person, content)} for content in INPUTS[:inputs]]
    answer = person.estimate(PROMPT, model=row.key, count=count, inputs=given)
    if answer.status != 200 or answer.json["provider"] != row.provider:
        raise RuntimeError(f"{row.key} makes no such offer: {answer.text[:300]}")
    return answer.json


def uploaded(person: Person, content: bytes) -> str:
    """Store a picture as an input and return its id."""
    body = {
        "mediaType": "image/png",
        "bytes": len(content),
        "sha256": hashlib.sha256(content).hexdigest(),
    }
    ticket = person.call("POST", f"{person.stack.urls['estimateUrl']}/inputs", body).json
    target = ticket["upload"]
    stored = requests.put(target["url"], data=content, headers=target["headers"], timeout=60)
    stored.raise_for_status()
    upload_id: str = ticket["uploadId"]
    return upload_id


def made(function: rie.Function, person: Person, offer: dict[str, Any]) -> None:
    """Confirm an offer; all of its images are made, or it fails."""
    body = {"quotes": offer["quotes"], "prompt": PROMPT}
    answer = function.invoke(event("generate/confirmed", person.token, body), SECONDS)
    said = json.loads(answer.get("body") or "{}")
    missing = [one for one in said.get("images", [said]) if one.get("status") != "complete"]
    if missing:
        why = {
            one["problem"]["detail"] if "problem" in one else one.get("detail") for one in missing
        }
        raise RuntimeError(f"{len(missing)} were not made: {'; '.join(map(str, why))}")


def measure(stack: LocalStack) -> Part:
    """Return the peaks of each provider."""
    heads = ["", "model", "inputs", "after one image", f"after {SETS} sets"]
    part = Part("set_memory", "Memory of a set: four images and two inputs of 10 MB, MB", heads)
    for provider in PROVIDERS:
        try:
            idle, peak = measured(stack, provider)
        except RuntimeError as error:
            part.notes.append(f"{provider} was not measured: {error}")
            continue
        row = row_of(provider)
        part.rows.append((provider, row.key, inputs_of(row), round(idle), round(peak)))
        part.figures[provider] = {"idleMb": round(idle, 1), "peakMb": round(peak, 1)}
        part.budgets[f"a set of {provider} within {LIMIT_MB} MB"] = peak < LIMIT_MB
    return part


def main() -> None:
    """Measure alone."""
    with own_or_running() as stack:
        alone(lambda: measure(stack))


if __name__ == "__main__":
    main()
