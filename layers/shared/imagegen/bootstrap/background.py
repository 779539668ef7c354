"""Makes the images of a background run: what Lambda does with an event that no caller waits for."""

from collections.abc import Mapping, Sequence
from typing import Any

from imagegen.bootstrap.generate import GenerateService
from imagegen.edge.api import name_in_logs
from imagegen.edge.background import in_background
from imagegen.wire.run_events import RunEvent


def make_images(
    service: GenerateService, event: Mapping[str, Any], remaining_ms: int
) -> dict[str, int]:
    """Return how many images of a run ended how, which no caller reads.

    Raises:
        BackgroundRunError: the run has a bug, or could not reach a store.
    """
    ends_ms = service.world.now_ms() + remaining_ms

    def run() -> Sequence[object | None]:
        parsed = RunEvent.model_validate(event)
        name_in_logs(service.background.user_of(parsed), service.world.image_id_key)
        return service.background.run(parsed, ends_ms=ends_ms)

    return in_background(run)
