"""What each holds in memory, and generate under Lambda's limit of 512 MB with an image of 10 MB.

    python -m bench.memory

Memory is the proportional share of pages (PSS) of the process and its children.
"""

from collections.abc import Collection
from typing import Final

from bench import machine
from bench.contest import KINDS, RAW, WHOLE, CallerError, Contest, contest
from bench.results import Part, alone
from local.stack import own_or_running

IMAGES: Final = 200
LIMIT_MB: Final = 512
LARGEST_BYTES: Final = 10_000_000


def measure(here: Contest, names: Collection[str] = tuple(KINDS)) -> Part:
    """Measure those who are named, and ours under the limit."""
    part = Part("memory", "Memory, MB", ["", "after 3 images", f"after {IMAGES} more", "grew by"])
    for name in KINDS:
        if name in names and name != RAW:
            _row(here, part, name)
    _within_limit(here, part)
    part.notes.append("Of a gateway its server is counted, not the client that asks it.")
    return part


def _row(here: Contest, part: Part, name: str) -> None:
    # Processes of their own: the ones of the contest have worked already.
    with contest(here.stack) as beside:
        try:
            caller = beside.caller(name, beside.provider(10_000))
            caller.ask(3)
            idle = caller.memory_mb
            caller.ask(IMAGES)
        except CallerError as error:
            part.notes.append(f"{name} could not be measured: {error}")
            return
        after = caller.memory_mb
    part.rows.append((name, round(idle, 1), round(after, 1), round(after - idle, 1)))
    part.figures[name] = {"idleMb": round(idle, 1), "afterMb": round(after, 1)}


def _within_limit(here: Contest, part: Part) -> None:
    with machine.memory_limit(LIMIT_MB) as group, contest(here.stack) as beside:
        if group is None:
            part.notes.append("No memory limit can be set here: the 10 MB image is not measured.")
            return
        try:
            beside.caller(WHOLE, beside.provider(LARGEST_BYTES), group=group).ask(3)
            works = True
        except CallerError as error:
            works = False
            part.notes.append(str(error))
        peak = machine.peak_mb(group)
    part.rows.append((f"{WHOLE}, 10 MB images under {LIMIT_MB} MB: the peak", "", round(peak), ""))
    part.figures["limit"] = {"limitMb": LIMIT_MB, "peakMb": round(peak, 1), "works": works}
    what = f"generate makes an image of 10 MB within {LIMIT_MB} MB (peak {peak:.0f} MB)"
    part.budgets[what] = works


def main() -> None:
    """Measure alone."""
    with own_or_running() as stack, contest(stack) as here:
        alone(lambda: measure(here))


if __name__ == "__main__":
    main()
