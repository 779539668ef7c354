"""Images a second with 1, 16 and 64 callers at once.

    python -m bench.throughput

On Lambda a caller of ours has an environment of its own, so ours is a process for each caller. The
provider answers at once and shares the machine.
"""

from typing import Final

from bench.contest import WHOLE, CallerError, Contest, contest
from bench.results import Part, alone, median
from local.stack import own_or_running

CALLERS: Final = (1, 16, 64)
IMAGES: Final = 128
ROUNDS: Final = 3


def measure(here: Contest) -> Part:
    """Measure everybody who could be started."""
    part = Part(
        "throughput",
        f"Images a second, median of {ROUNDS} interleaved batches of {IMAGES}",
        ["", *(f"{number} callers" for number in CALLERS)],
    )
    # The whole is as fast as the emulated stores that share the machine: it would say nothing.
    names = [name for name in here.callers if name != WHOLE]
    found: dict[str, dict[int, list[float]]] = {name: {} for name in names}
    for _ in range(ROUNDS):
        for callers in CALLERS:
            for name in list(found):
                _batch(here, part, found, name, callers)
    for name, rates in found.items():
        middle = {number: median(values) for number, values in rates.items()}
        part.rows.append((name, *(round(middle[number], 1) for number in CALLERS)))
        part.figures[name] = {str(number): round(rate, 1) for number, rate in middle.items()}
    part.notes.append("Ours with several callers is as many processes; the others are threads.")
    return part


def _batch(
    here: Contest, part: Part, found: dict[str, dict[int, list[float]]], name: str, callers: int
) -> None:
    try:
        said = here.callers[name].ask(IMAGES, callers)
    except CallerError as error:
        del found[name]
        part.notes.append(f"{name} failed with {callers} callers: {error}")
    else:
        found[name].setdefault(callers, []).append(IMAGES / said["seconds"])


def main() -> None:
    """Measure alone."""
    with own_or_running() as stack, contest(stack) as here:
        here.start_all()
        alone(lambda: measure(here))


if __name__ == "__main__":
    main()
