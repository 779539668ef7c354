"""What it costs to read an image to its end: CPU time, and the memory beside the image itself.

    python -m bench.reading

Images of noise, which do not compress: the most bytes that an image of its size can have.
"""

import io
import random
import time
import tracemalloc
from collections.abc import Iterator
from typing import Final

from PIL import Image

from imagegen.domain.pixels import measure

TIMES: Final = 5
MEGABYTE: Final = 1_000_000
# Name, edge in pixels, side of one square of noise: together they make the size of the file.
KINDS: Final = (
    ("PNG", 1024, 3),
    ("PNG", 2048, 2),
    ("PNG", 4096, 8),
    ("JPEG", 1024, 1),
    ("JPEG", 3072, 1),
    ("WEBP", 2048, 1),
)


def noise(kind: str, edge: int, square: int) -> bytes:
    """Return an image of coloured squares."""
    side = edge // square
    tiny = Image.frombytes("RGB", (side, side), random.Random(0).randbytes(3 * side * side))
    out = io.BytesIO()
    tiny.resize((edge, edge), Image.Resampling.BILINEAR).save(out, kind, quality=95)
    return out.getvalue()


def cost(content: bytes) -> tuple[float, float]:
    """Return the milliseconds of CPU, and the megabytes of memory at the peak."""
    start = time.process_time()
    for _ in range(TIMES):
        measure(content)
    spent_ms = (time.process_time() - start) * 1000 / TIMES
    tracemalloc.start()
    measure(content)
    _, peak_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return spent_ms, peak_bytes / MEGABYTE


def rows() -> Iterator[str]:
    """Yield the table."""
    yield "| image | MB | CPU, ms | memory beside it, MB |"
    yield "|---|---|---|---|"
    for kind, edge, square in KINDS:
        content = noise(kind, edge, square)
        spent_ms, peak_mb = cost(content)
        size = len(content) / MEGABYTE
        yield f"| {kind} {edge} x {edge} | {size:.1f} | {spent_ms:.0f} | {peak_mb:.1f} |"


def main() -> None:
    """Print the table."""
    print("\n".join(rows()))


if __name__ == "__main__":
    main()
