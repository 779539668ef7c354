"""What adapters of providers with jobs have in common: which URLs get the key, and how to ask.

The URLs to ask come from answers, so that they are not trusted with the key: only the provider's
own hosts get it. Asking is free of charge, and a question that fails does not stop the job.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from imagegen.domain.call_errors import ProviderError
from imagegen.domain.outcomes import Outcome
from imagegen.domain.ports import ImageAnswer, ImageOrder
from imagegen.providers.addresses import BlockedError, is_at, split_url
from imagegen.providers.bounds import Deadline
from imagegen.providers.classification import no_image
from imagegen.providers.faults import HttpAnswer, answered_fault, dig, fault, raise_if
from imagegen.providers.http import JsonHttp

QUESTION_SECONDS = 10.0
"""The most that one question may take: a later one may be answered."""
FIRST_PAUSE_SECONDS = 1.0
DOUBLED_EACH_SECONDS = 30.0
LONGEST_PAUSE_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Questions:
    """Asks for one job until it has ended."""

    http: JsonHttp
    headers: Mapping[str, str]
    has_ended: Callable[[HttpAnswer], bool]
    """Whether an answer ends the job. An error of the API itself does not."""

    def ask(self, url: str, deadline: Deadline) -> HttpAnswer | None:
        """Return the answer if the job has ended, ``None`` if it runs or the question failed."""
        seconds = min(QUESTION_SECONDS, deadline.remaining_seconds())
        try:
            answer = self.http.get(url, headers=self.headers, timeout_seconds=seconds)
        except ProviderError:
            return None
        return answer if self.has_ended(answer) else None

    def wait(
        self, url: str, deadline: Deadline, sleep: Callable[[float], None]
    ) -> HttpAnswer | None:
        """Return the answer once the job has ended, ``None`` if it has not at the deadline."""
        started_seconds = deadline.clock()
        while (answer := self.ask(url, deadline)) is None and not deadline.is_over():
            pause_seconds = pause_after(deadline.clock() - started_seconds)
            sleep(min(pause_seconds, deadline.remaining_seconds()))
        return answer


def pause_after(waited_seconds: float) -> float:
    """Return the seconds until the next question: one at first, later up to five."""
    doublings = int(waited_seconds // DOUBLED_EACH_SECONDS)
    return min(FIRST_PAUSE_SECONDS * 2.0**doublings, LONGEST_PAUSE_SECONDS)


def is_trusted(url: str, base_url: str, hosts: Sequence[str]) -> bool:
    """Return whether the key may be sent to a URL: at the base URL's origin, or the vendor's hosts.

    A key for an address that stands in for the vendor's is sent to that address only.
    """
    try:
        origin, _ = split_url(url)
        base, _ = split_url(base_url)
    except BlockedError:
        return False
    if origin == base:
        return True
    is_vendor = is_at(base.host, hosts) and is_at(origin.host, hosts)
    return is_vendor and (origin.scheme, origin.port) == ("https", 443)


def last_answer(
    provider: str, order: ImageOrder, ticket: str, *, wait: Callable[[str], HttpAnswer | None]
) -> HttpAnswer:
    """Report the job of an accepted order, then return the last answer about it.

    With the ticket, the image can be asked for if this process ends meanwhile.

    Raises:
        ProviderError: ``UNKNOWN``: the job still ran at the deadline.
    """
    if order.on_job is not None:
        order.on_job(ticket)
    answer = wait(ticket)
    if answer is None:
        raise fault(provider, Outcome.UNKNOWN, "still running at the deadline")
    return answer


def later_image(
    answer: HttpAnswer | None,
    ended: Callable[[HttpAnswer], ProviderError | None],
    made: Callable[[HttpAnswer], ImageAnswer],
) -> ImageAnswer | None:
    """Return the image of a job that was asked for once, ``None`` if it is to be asked again.

    That is also so if the download breaks off: a provider with jobs keeps a result for minutes.

    Raises:
        ProviderError: ``ended`` finds that there is no image, or there is none to download.
    """
    if answer is None:
        return None
    raise_if(ended(answer))
    try:
        return made(answer)
    except ProviderError as error:
        if error.outcome is Outcome.UNKNOWN:
            return None
        raise


def without_job(provider: str, answer: HttpAnswer, fields: Iterable[str]) -> ProviderError:
    """Return the error for the success of an order that has no job to ask for.

    With one of the ``fields`` that accept an order, it may have been ordered, and billed.
    """
    error = no_image(provider, answer)
    is_accepted = any(dig(answer.body, field) is not None for field in fields)
    if error.outcome is Outcome.NO_IMAGE and is_accepted:
        return answered_fault(provider, Outcome.UNKNOWN, answer)
    return error


def is_missing(answer: HttpAnswer) -> bool:
    """Return whether the API itself answers that there is no such job."""
    return answer.status in {404, 410} and isinstance(answer.body, Mapping)
