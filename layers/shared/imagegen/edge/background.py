"""How an invocation without a caller ends: the outcomes are logged, and Lambda counts a fault."""

from collections.abc import Callable, Mapping, Sequence
from http import HTTPStatus
from typing import Any, Protocol

from pydantic import ValidationError

from imagegen.domain.errors import ImagegenError, StoreUnavailableError
from imagegen.edge.api import name_in_logs
from imagegen.edge.problems import to_problem
from imagegen.logs import logger, place_of
from imagegen.wire.run_events import RunEvent


class Runs(Protocol):
    """What makes the images of an event: ``usecases.generate.background.BackgroundRuns``."""

    def user_of(self, event: RunEvent, /) -> str:
        """Return the user of an event."""

    def run(self, event: RunEvent, /, *, ends_ms: int) -> Sequence[object | None]:
        """Return how each image of an event ended."""


class BackgroundRunError(Exception):
    """A background run has a bug, or could not reach a store; the message is the code.

    Lambda counts it as an error of the function, and does not run the event again.
    """


def make_images(
    event: Mapping[str, Any], runs: Runs, name_key: Callable[[], bytes], *, ends_ms: int
) -> dict[str, int]:
    """Make the images of an event, and return how many ended how, which no caller reads.

    Lambda ends this run at ``ends_ms``; the log lines have the user's name by ``name_key``.

    Raises:
        BackgroundRunError: the run has a bug, or could not reach a store.
    """

    def run() -> Sequence[object | None]:
        parsed = RunEvent.model_validate(event)
        name_in_logs(runs.user_of(parsed), name_key)
        return runs.run(parsed, ends_ms=ends_ms)

    return in_background(run)


def in_background(run: Callable[[], Sequence[object | None]]) -> dict[str, int]:
    """Return how many images a run ended, failed to make, and ignored.

    ``run`` returns a result or an error for each image; ``None`` if its hold does not wait any
    more. Nothing that the run was given is returned or logged.

    Raises:
        BackgroundRunError: the run has a bug, or could not reach a store.
    """
    try:
        results = run()
    except ValidationError:
        # Its own text repeats the event.
        logger.error("background run ignored", code="invalid_event")
        results = [None]
    except ImagegenError as error:
        results = [error]
    except Exception as error:  # noqa: BLE001 its text may contain the prompt, its type does not
        logger.error("unexpected error", kind=type(error).__name__, place=place_of(error))
        raise BackgroundRunError(ImagegenError.code) from None
    return _counted(results)


def _counted(results: Sequence[object | None]) -> dict[str, int]:
    failed = [one for one in results if isinstance(one, ImagegenError)]
    ignored = sum(one is None for one in results)
    counts = {
        "ended": len(results) - len(failed) - ignored,
        "failed": len(failed),
        "ignored": ignored,
    }
    for error in failed:
        problem = to_problem(error)
        logger.warning("background image failed", code=problem.code, status=problem.status)
    logger.info("background run ended", outcomes=counts)
    faults = [error.code for error in failed if _is_fault(error)]
    if faults:
        raise BackgroundRunError(faults[0]) from None
    return counts


def _is_fault(error: ImagegenError) -> bool:
    """Return whether an operator must look at it: other failures are counted where they happen."""
    is_bug = to_problem(error).status == HTTPStatus.INTERNAL_SERVER_ERROR
    return is_bug or isinstance(error, StoreUnavailableError)
