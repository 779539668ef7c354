"""What each adds to a provider's call, warm, on one connection after the other.

    python -m bench.warm        (ROUNDS=10)

Everybody asks the same provider, which answers at once, in turns of 20 images. What a caller adds
is its median less that of the least that can be done: bytes out, bytes in.

Ours reads each image to its end before anybody pays for it, which no other does: what that takes
is measured beside it, and told apart.
"""

import os
import time
from typing import Final

from bench import gateways
from bench.contest import (
    LARGE_BYTES,
    OURS,
    RAW,
    SDK,
    SMALL_BYTES,
    WHOLE,
    CallerError,
    Contest,
    contest,
)
from bench.provider import picture
from bench.results import Part, alone, median, p90
from imagegen.domain.pixels import measure as read_image
from local.stack import own_or_running

ROUNDS: Final = int(os.environ.get("ROUNDS", "10"))
IMAGES: Final = 20
LARGE_IMAGES: Final = 5
LARGE: Final = (RAW, "`requests`", "openai SDK", OURS, SDK)
BUDGET_MS: Final = 2.0


COLUMNS = (
    "whole call",
    "p90",
    "waits",
    "reads the image",
    "added to raw HTTP",
    "own: beside both",
    "CPU",
    "x LiteLLM SDK",
)


def measure(here: Contest) -> Part:
    """Measure everybody who could be started."""
    part = Part(
        "warm",
        f"Warm: added to the provider's call, ms per image ({ROUNDS} turns of {IMAGES})",
        ["", *COLUMNS],
    )
    found = _turns(here, ROUNDS, IMAGES)
    _tell(part, found, "", reading_ms(SMALL_BYTES))
    _large(here, part)
    if OURS in found:
        _judge(part)
    part.notes += [
        (
            "Ours is the whole request: token, quote, limits, hold, call, check, store, settle, "
            "record, answer. The others send a request and read its answer."
        ),
        f'"{WHOLE}" calls the provider twice (moderation), DynamoDB 4 times, S3 once.',
        (
            "Waits of ours: in the first row its provider's adapter with the openai SDK, in the "
            "second the stores. Own time of the others: less the openai SDK's row."
        ),
        (
            "Ours reads the image: its bytes are decoded to the end before it is charged. That is "
            "in what it adds, and not in its own time; the others hand over what came."
        ),
        f"Images of {SMALL_BYTES:,} bytes; the last rows of {LARGE_BYTES:,}.",
    ]
    part.notes += [f"{name} could not be measured: {why}" for name, why in here.missing.items()]
    part.figures["versions"] = {"litellm": gateways.LITELLM, "portkey": gateways.PORTKEY}
    return part


def _judge(part: Part) -> None:
    """Both call the provider through the openai SDK: their own time is what is beside that call.

    What they add with it is judged as well, though ours checks a token, a quote and limits in it,
    and reads the image to its end.
    """
    ours, theirs = part.figures[OURS], part.figures.get(SDK)
    own = ours["ownMs"]
    beside = "its provider's call and the reading of the image"
    what = f"generate's own time beside {beside} is at most {BUDGET_MS} ms ({own})"
    part.budgets[what] = own <= BUDGET_MS
    for mark, what in (("ownMs", "that is"), ("addedMs", "with the call's, over raw HTTP, it is")):
        if theirs is not None:
            both = f"{ours[mark]} against {theirs[mark]}"
            said = f"{what} below LiteLLM's SDK in the same run ({both})"
            part.budgets[said] = ours[mark] < theirs[mark]


def reading_ms(size: int) -> float:
    """Return what it takes to read the provider's image to its end, the median of 20, in ms."""
    content, took = picture(size), []
    for _ in range(IMAGES):
        began = time.perf_counter()
        read_image(content)
        took.append((time.perf_counter() - began) * 1000)
    return median(took)


def _turns(here: Contest, rounds: int, images: int) -> dict[str, dict[str, list[float]]]:
    found: dict[str, dict[str, list[float]]] = {}
    for _ in range(rounds):
        for name, caller in list(here.callers.items()):
            try:
                said = caller.ask(images)
            except CallerError as error:
                here.leave_out(name, error)
                found.pop(name, None)
                continue
            kept = found.setdefault(name, {"ms": [], "cpu": [], "wait": []})
            kept["ms"] += said["ms"]
            kept["cpu"].append(said["cpuMs"])
            kept["wait"] += said["waitMs"]
    return found


def _tell(
    part: Part, found: dict[str, dict[str, list[float]]], suffix: str, read_ms: float
) -> None:
    base = median(found[RAW]["ms"])
    sdk = median(found["openai SDK"]["ms"])
    parts = {name: _added_and_own(name, one, base, sdk, read_ms) for name, one in found.items()}
    added = {name: one for name, (one, _) in parts.items()}
    owned = {name: own for name, (_, own) in parts.items()}
    for name, one in found.items():
        own, reads = owned[name], read_ms if name in {OURS, WHOLE} else 0.0
        ratio = f"{added[name] / added[SDK]:.2f}" if SDK in added else ""
        part.rows.append((
            name + suffix, median(one["ms"]), p90(one["ms"]), median(one["wait"]), reads,
            added[name],
            own if own > 0 else "", median(one["cpu"]), "" if name == RAW else ratio,
        ))  # fmt: skip
        part.figures[name + suffix] = {
            "medianMs": round(median(one["ms"]), 3),
            "p90Ms": round(p90(one["ms"]), 3),
            "waitMs": round(median(one["wait"]), 3),
            "readMs": round(reads, 3),
            "addedMs": round(added[name], 3),
            "ownMs": round(own, 3),
            "cpuMs": round(median(one["cpu"]), 3),
        }


def _added_and_own(
    name: str, one: dict[str, list[float]], base: float, sdk: float, read_ms: float
) -> tuple[float, float]:
    """Return what somebody adds to raw HTTP, and of it what is not the provider's call, in ms."""
    # Image by image: a median less another one is not what any image took.
    beside = median([took - wait for took, wait in zip(one["ms"], one["wait"], strict=True)])
    whole = median(one["ms"])
    if name == WHOLE:
        # Moderation is a second call of the provider.
        return beside - 2 * base, beside - 2 * sdk - read_ms
    # Ours knows how long its provider's adapter took; of the others the SDK alone is known.
    return whole - base, beside - read_ms if name == OURS else whole - sdk


def _large(here: Contest, part: Part) -> None:
    """Measure some again with an image of a usual size."""
    with contest(here.stack) as beside:
        address = beside.provider(LARGE_BYTES)
        for name in LARGE:
            if name in here.callers:
                beside.callers[name] = beside.caller(name, address)
                beside.callers[name].ask(1)
        found = _turns(beside, max(2, ROUNDS // 2), LARGE_IMAGES)
        _tell(part, found, ", 1.5 MB", reading_ms(LARGE_BYTES))


def main() -> None:
    """Measure alone."""
    with own_or_running() as stack, contest(stack) as here:
        here.start_all()
        alone(lambda: measure(here))


if __name__ == "__main__":
    main()
