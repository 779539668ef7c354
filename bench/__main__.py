"""``make bench``: every measurement, one after the other, on one stack; then the whole table.

What was promised and not kept is named at the end; the exit status does not say it, for a busy
machine can miss a time that an idle one keeps.
"""

import time

from bench import aws_cost, cold_start, gateways, memory, throughput, warm
from bench.contest import contest
from bench.results import Part, keep
from local.stack import own_or_running


def main() -> None:
    """Measure everything."""
    began = time.monotonic()
    gateways.litellm()
    gateways.portkey()
    parts: list[Part] = []

    def done(part: Part) -> None:
        keep(part)
        parts.append(part)

    with own_or_running() as stack:
        with contest(stack) as here:
            here.start_all()
            done(warm.measure(here))
            done(throughput.measure(here))
            names = set(here.callers)
        with contest(stack) as here:
            done(memory.measure(here, names))
        done(cold_start.measure(stack))
    done(aws_cost.measure())
    missed = [what for part in parts for what, kept in part.budgets.items() if not kept]
    print(f"Took {time.monotonic() - began:.0f} s. Written to bench/results.json and results.md.")
    print("Missed: " + "; ".join(missed) if missed else "Every budget is kept.")


if __name__ == "__main__":
    main()
