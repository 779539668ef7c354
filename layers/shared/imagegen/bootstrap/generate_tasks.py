"""What invokes ``generate`` besides requests: the schedule, and the function itself."""

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from imagegen.edge.events import MAKE_IMAGES
from imagegen.logs import logger

if TYPE_CHECKING:
    from imagegen.bootstrap.generate import GenerateService

RECONCILE = "reconcile"
TASKS = frozenset({RECONCILE, MAKE_IMAGES})
SWEEP_USERS = 5_000
"""The most users of one sweep. They are read at once, by name alone."""
ERASURE_MS = 60_000
"""The time before the end of an invocation in which a sweep starts no further user: it is for the
erasures."""


def run_task(
    task: str, event: dict[str, Any], service: "GenerateService", *, ends_ms: int
) -> dict[str, Any]:
    """Run a task of ``TASKS`` and return its result."""
    if task == MAKE_IMAGES:
        # Imported here: few invocations are of this kind.
        from imagegen.edge.background import make_images  # noqa: PLC0415

        name_key = service.world.image_id_key
        return make_images(event, service.background, name_key, ends_ms=ends_ms)
    try:
        return _reconcile(service, until_ms=ends_ms - ERASURE_MS)
    finally:
        # Imported here: requests do not need it.
        from imagegen.bootstrap.erasing import build_eraser  # noqa: PLC0415

        # Last: reconciling is about money, and an erasure may take all the time that is left.
        # Also after an error above: a hold that could not be ended must not delay an erasure.
        build_eraser(service).sweep(ends_ms=ends_ms)


def _reconcile(service: "GenerateService", *, until_ms: int) -> dict[str, Any]:
    done = asdict(service.reconciler.sweep(limit=SWEEP_USERS, until_ms=until_ms))
    logger.info("reconciled", **done)
    service.world.observer.swept()
    return done
