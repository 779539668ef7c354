"""Asks for images as a user of each library would. Runs in each library's own environment.

    python bench/caller.py KIND ADDRESS      then one line of JSON for each batch

Beyond the standard library it imports what it measures, and nothing else.
"""

import http.client
import importlib
import json
import os
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

MODEL, PROMPT, SIZE = "gpt-image-2", "a fox in the snow", "1024x1024"
KEY = os.environ.get("BENCH_KEY", "")
BODY = {"model": MODEL, "prompt": PROMPT, "size": SIZE, "n": 1}
type Ask = Callable[[], None]


def raw(address: str, headers: dict[str, str] | None = None) -> Ask:
    """Return the least that can be done: bytes out, bytes in, on a new connection."""
    parts = urlsplit(address)
    sent = {"Content-Type": "application/json", "Authorization": f"Bearer {KEY}", **(headers or {})}

    def ask() -> None:
        connection = http.client.HTTPConnection(parts.netloc, timeout=60)
        connection.request("POST", f"{parts.path}/images/generations", json.dumps(BODY), sent)
        answer = connection.getresponse()
        content = answer.read()
        connection.close()
        if answer.status != 200 or b'"b64_json"' not in content:
            raise RuntimeError(f"{answer.status}: {content[:300]!r}")

    return ask


def portkey(address: str) -> Ask:
    """Return Portkey's gateway, told by headers where to go; ``address`` has both by a comma."""
    gateway, provider = address.split(",")
    return raw(gateway, {"x-portkey-provider": "openai", "x-portkey-custom-host": provider})


def with_requests(address: str) -> Ask:
    """Return ``requests``, as a short script would use it."""
    requests = importlib.import_module("requests")

    def ask() -> None:
        answer = requests.post(
            f"{address}/images/generations",
            json=BODY,
            headers={"Authorization": f"Bearer {KEY}"},
            timeout=60,
        )
        answer.raise_for_status()
        _check(answer.json()["data"][0]["b64_json"])

    return ask


def with_openai(address: str) -> Ask:
    """Return the ``openai`` SDK."""
    openai = importlib.import_module("openai")
    client = openai.OpenAI(base_url=address, api_key=KEY, max_retries=0)
    return lambda: _check(
        client.images.generate(model=MODEL, prompt=PROMPT, size=SIZE).data[0].b64_json
    )


def with_litellm(address: str) -> Ask:
    """Return LiteLLM's SDK."""
    litellm: Any = importlib.import_module("litellm")
    litellm.suppress_debug_info = True
    return lambda: _check(
        litellm.image_generation(
            model=f"openai/{MODEL}", prompt=PROMPT, size=SIZE, api_base=address, api_key=KEY,
            num_retries=0,
        ).data[0].b64_json
    )  # fmt: skip


def with_router(address: str) -> Ask:
    """Return LiteLLM's router over one deployment."""
    litellm: Any = importlib.import_module("litellm")
    litellm.suppress_debug_info = True
    parameters = {"model": f"openai/{MODEL}", "api_base": address, "api_key": KEY}
    router = litellm.Router(
        model_list=[{"model_name": MODEL, "litellm_params": parameters}], num_retries=0
    )
    return lambda: _check(
        router.image_generation(model=MODEL, prompt=PROMPT, size=SIZE).data[0].b64_json
    )


def ours(address: str) -> Ask:
    """Return our handler over stores that answer at once."""
    return _handler(address, stores="instant")


def ours_whole(address: str) -> Ask:
    """Return our handler as deployed: stores and moderation too."""
    return _handler(address, stores="real")


def _handler(address: str, *, stores: str) -> Ask:
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
    ask: Ask = importlib.import_module("bench.handler").build(address, stores=stores)
    return ask


def _check(data: str) -> None:
    if not data:
        raise RuntimeError("no image")


KINDS: dict[str, Callable[[str], Ask]] = {
    "raw": raw,
    "requests": with_requests,
    "openai": with_openai,
    "litellm": with_litellm,
    "router": with_router,
    "http": raw,
    "portkey": portkey,
    "ours": ours,
    "ours_whole": ours_whole,
}


def batch(ask: Ask, images: int, callers: int) -> dict[str, Any]:
    """Return how long each image took and waited, in ms, and all of them, in seconds.

    Waits are told of callers that know theirs, one at a time.
    """
    if prepare := getattr(ask, "prepare", None):
        prepare(images)
    waits = getattr(ask, "waits", None)
    waited: list[float] = []

    def one(_: int) -> float:
        before, began = waits.ms if waits else 0.0, time.perf_counter()
        ask()
        took_ms = (time.perf_counter() - began) * 1000
        waited.append(waits.ms - before if waits else 0.0)
        return took_ms

    cpu, began = time.process_time(), time.perf_counter()
    if callers == 1:
        took = [one(number) for number in range(images)]
    elif getattr(ask, "forks", False):
        took = _forked(ask, images, callers)
    else:
        with ThreadPoolExecutor(callers) as pool:
            took = list(pool.map(one, range(images)))
    seconds = time.perf_counter() - began
    cpu_ms = (time.process_time() - cpu) * 1000 / images
    return {"ms": took, "seconds": seconds, "cpuMs": cpu_ms, "waitMs": waited}


def _forked(ask: Any, images: int, callers: int) -> list[float]:
    """Make the images by as many processes as there are callers; only the whole is timed."""
    children = []
    for number in range(callers):
        child = os.fork()
        if not child:
            _be_caller(ask, range(number, images, callers))
        children.append(child)
    failed = [child for child in children if os.waitpid(child, 0)[1]]
    if failed:
        raise RuntimeError(f"{len(failed)} of {callers} callers failed")
    return []


def _be_caller(ask: Any, mine: range) -> None:
    """Make one's share, and end without whatever the parent would do at its end."""
    status = 1
    try:
        ask.keep_only(mine)
        for _ in mine:
            ask()
        status = 0
    finally:
        os._exit(status)


def main() -> None:
    """Answer one line for each line."""
    out, sys.stdout = sys.stdout, sys.stderr
    ask = KINDS[sys.argv[1]](sys.argv[2])
    print(json.dumps({"ready": True}), file=out, flush=True)
    for line in sys.stdin:
        order = json.loads(line)
        try:
            said = batch(ask, order["images"], order["callers"])
        except Exception as error:  # noqa: BLE001 whatever a peer raises is told, not hidden
            said = {"error": f"{type(error).__name__}: {error}"[:500]}
        print(json.dumps(said), file=out, flush=True)


if __name__ == "__main__":
    main()
