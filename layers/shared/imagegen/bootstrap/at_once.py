"""Tasks that run at the same time, each in a thread."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

from imagegen.aws import clients
from imagegen.usecases.generate.sets import MOST_AT_ONCE


def run_at_once[T](tasks: Sequence[Callable[[], T]]) -> list[T]:
    """Return the results of tasks that run at the same time, in their order.

    Every client is thread-safe and is built before: two threads must not build it at once.
    """
    for build_client in (clients.dynamodb, clients.s3, clients.ssm):
        build_client()
    with ThreadPoolExecutor(min(max(len(tasks), 1), MOST_AT_ONCE)) as pool:
        return list(pool.map(lambda task: task(), tasks))
