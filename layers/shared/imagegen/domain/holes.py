"""Finds holes in compressed image data: long runs of one byte, which coders do not write.

A store or a network that lost a part of a file fills it with one byte, mostly 0. Entropy-coded data
look random: a run of this length has a probability below 10^-140. The exception are areas in one
colour, which the callers exclude or limit.
"""

import re
from collections.abc import Iterator

LEAST_RUN = 96
"""The shortest run that is taken for a hole."""
STEP = 32


def runs(data: bytes) -> Iterator[tuple[int, int]]:
    """Yield the byte and the length of each run of one byte, of 64 bytes and longer.

    Only every 32nd byte is compared with the next one of these, all at once as two large numbers.
    Where two are equal, the bytes around them are read.
    """
    samples, done = data[::STEP], 0
    differences = int.from_bytes(samples) ^ int.from_bytes(samples[1:] + samples[-1:])
    equal = differences.to_bytes(len(samples))[:-1]
    at = equal.find(0)
    while at >= 0:
        byte, start = samples[at : at + 1], max(done, (at - 1) * STEP)
        pattern = re.compile(re.escape(byte) + b"{%d,}" % (2 * STEP))
        if (run := pattern.search(data, start, (at + 3) * STEP)) and (
            run := pattern.match(data, run.start())
        ):
            yield byte[0], run.end() - run.start()
            done = run.end()
        at = equal.find(0, max(at + 1, done // STEP))
