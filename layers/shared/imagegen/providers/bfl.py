"""Black Forest Labs' FLUX models (https://docs.bfl.ai), which work by jobs.

An order is answered with a URL to ask, on a host of its own region. The result is a signed link
that is gone after ten minutes, so that it is fetched at once, without the key. There is no cancel.
"""

import re
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import quote

from pydantic import SecretStr

from imagegen.domain.call_errors import ProviderError
from imagegen.domain.outcomes import Outcome
from imagegen.domain.ports import ImageAnswer, ImageOrder
from imagegen.domain.pricing import COST
from imagegen.providers.bounds import Clock, Deadline
from imagegen.providers.classification import key_fault, no_image, outcome_in_front
from imagegen.providers.download import Downloader, first_image
from imagegen.providers.faults import (
    MAX_COUNT,
    HttpAnswer,
    answered_fault,
    dig,
    items_at,
    key_text,
    outcome_of,
    raise_if,
    text_at,
    token,
    unbilled,
)
from imagegen.providers.http import JsonHttp
from imagegen.providers.input_files import base64_text, check_named_fields
from imagegen.providers.json_body import Body
from imagegen.providers.pictures import pictures_in
from imagegen.providers.polling import (
    Questions,
    is_missing,
    is_trusted,
    last_answer,
    later_image,
    without_job,
)
from imagegen.providers.refusals import states_refusal

NAME = "bfl"
HOSTS = ("bfl.ai",)
"""Whose hosts get the key, and from which results are fetched."""
MICROUSD_PER_CREDIT = 10_000
"""A credit is a cent (https://docs.bfl.ai/quick_start/pricing)."""
ACCEPTED = ("id", "polling_url", "cost", "status")
"""What the answer to an order contains if there is a job."""
RUNNING = frozenset({"Pending", "Reasoning", "Generating", "Queued", "Processing"})
READY = "Ready"
FORGOTTEN = "Task not found"
# Any other state is an end, too: an unknown one must not be waited for until the deadline.
STATES: Mapping[str, Outcome] = {
    "Request Moderated": Outcome.REFUSED,
    # The image was made and is withheld.
    "Content Moderated": Outcome.REFUSED,
    "Error": Outcome.UNAVAILABLE,
    "Failed": Outcome.UNAVAILABLE,
    FORGOTTEN: Outcome.UNKNOWN,
}
# A bad key is a 403 without one, and a 422 with one of a wrong form.
ACCOUNT_TEXT: Mapping[int, re.Pattern[str]] = {
    401: re.compile(r"authenticat|api[ _-]?key", re.IGNORECASE),
    402: re.compile(r"\bcredits?\b|\bbilling\b|\bpayment\b|\bfunds\b", re.IGNORECASE),
    403: re.compile(r"not authenticated|api[ _-]?key", re.IGNORECASE),
    422: re.compile(r"api[ _-]?key", re.IGNORECASE),
}


@dataclass(frozen=True, slots=True)
class BflProvider:
    """Makes images with Black Forest Labs."""

    http: JsonHttp
    downloader: Downloader
    api_key: SecretStr
    base_url: str
    clock: Clock = time.monotonic
    sleep: Callable[[float], None] = time.sleep

    def generate(self, order: ImageOrder, *, timeout_seconds: float) -> ImageAnswer:
        """Return the image.

        Raises:
            ProviderError: there is no image; ``classify`` determines the outcome, and it is
                ``UNKNOWN`` when the job still ran at the deadline. ``NOT_CALLED`` when the inputs
                cannot be sent.
        """
        body = to_body(order)
        deadline = Deadline.after(timeout_seconds, self.clock)
        accepted = self.http.post(
            f"{self.base_url}/{quote(order.model, safe='')}",
            headers=self._headers(),
            body=body,
            timeout_seconds=timeout_seconds,
        )
        raise_if(classify(accepted))
        answer = last_answer(
            NAME,
            order,
            ticket_of(accepted, self.base_url),
            wait=lambda url: self._questions().wait(url, deadline, self.sleep),
        )
        content = self._image(answer, deadline)
        return ImageAnswer(content, token(dig(accepted.body, "id")), cost_of(accepted))

    def job_result(self, ticket: str, *, timeout_seconds: float) -> ImageAnswer | None:
        """Return the image of a job, ``None`` while it runs or if it cannot be asked for now.

        Raises:
            ProviderError: the job ended without an image, or is not known any more (``UNKNOWN``).
        """
        if not is_trusted(ticket, self.base_url, HOSTS):
            return None  # It is of another base URL, which may be set again.
        deadline = Deadline.after(timeout_seconds, self.clock)
        answer = self._questions().ask(ticket, deadline)
        return later_image(answer, ended, lambda one: ImageAnswer(self._image(one, deadline)))

    def check_key(self, *, timeout_seconds: float) -> None:
        """Raise unless the key is good.

        Raises:
            ProviderError: the key is not accepted, or Black Forest Labs does not answer.
        """
        url = f"{self.base_url}/credits"
        answer = self.http.get(url, headers=self._headers(), timeout_seconds=timeout_seconds)
        raise_if(key_fault(NAME, answer, classify(answer)))

    def models(self, *, timeout_seconds: float) -> None:
        """Return ``None``: there is no list of models."""

    def _headers(self) -> dict[str, str]:
        return {"x-key": key_text(NAME, self.api_key)}

    def _questions(self) -> Questions:
        return Questions(self.http, self._headers(), has_ended)

    def _image(self, answer: HttpAnswer, deadline: Deadline) -> bytes:
        content = first_image(images_from(answer), self.downloader, deadline)
        if content is None:
            raise no_image(NAME, answer, data=dig(answer.body, "result", "sample"))
        return content


def build(api_key: SecretStr, base_url: str) -> BflProvider:
    """Return the provider."""
    downloader = Downloader(NAME, base_url, hosts=HOSTS)
    return BflProvider(JsonHttp(NAME), downloader, api_key, base_url)


def to_body(order: ImageOrder) -> dict[str, Body]:
    """Return the body of POST /v1/{model}: the second picture's field has a number, and so on.

    Raises:
        ProviderError: ``NOT_CALLED``: the model has no field for an input.
    """
    check_named_fields(NAME, order)
    name = order.input_fields.pictures if order.input_fields else ""
    pictures: dict[str, Body] = {
        name if number == 1 else f"{name}_{number}": base64_text(one)
        for number, one in enumerate(order.inputs, 1)
    }
    return {**order.params, **pictures, "prompt": order.prompt}


def ticket_of(answer: HttpAnswer, base_url: str) -> str:
    """Return the URL to ask for the job: the answer's own, if the key may be sent to it.

    Otherwise, as behind a proxy, it is built from the job's id.

    Raises:
        ProviderError: the answer has neither; ``UNKNOWN`` if the order may have been accepted.
    """
    url = text_at(answer.body, "polling_url")
    if url and is_trusted(url, base_url, HOSTS):
        return url
    job_id = token(dig(answer.body, "id"))
    if job_id is None:
        raise without_job(NAME, answer, ACCEPTED)
    return f"{base_url}/get_result?id={quote(job_id, safe='')}"


def cost_of(answer: HttpAnswer) -> dict[str, int] | None:
    """Return what the order costs, as its answer states it in credits; ``None`` without that."""
    credits_used = dig(answer.body, "cost")
    if isinstance(credits_used, bool) or not isinstance(credits_used, int | float):
        return None
    if not 0 < credits_used <= MAX_COUNT:
        return None  # Python reads Infinity and NaN in JSON, too, and cannot round them.
    cost = round(credits_used * MICROUSD_PER_CREDIT)
    return {COST: cost} if 0 < cost <= MAX_COUNT else None


def has_ended(answer: HttpAnswer) -> bool:
    """Return whether an answer to a question is the end of the job.

    One without a status says nothing of it.
    """
    if answer.status == 200:
        return text_at(answer.body, "status") not in {"", *RUNNING}
    return is_missing(answer)


def ended(answer: HttpAnswer) -> ProviderError | None:
    """Return the error of a job that ended without an image, ``None`` if it has one."""
    state = FORGOTTEN if is_missing(answer) else text_at(answer.body, "status")
    if state == READY:
        return None
    code = state.lower().replace(" ", "_")
    return answered_fault(NAME, STATES.get(state, Outcome.NO_IMAGE), answer, code=code)


def images_from(answer: HttpAnswer) -> Iterator[bytes | str]:
    """Return the images in a job's result, and links to images.

    Raises:
        ProviderError: the job ended without an image.
    """
    raise_if(ended(answer))
    return pictures_in(dig(answer.body, "result", "sample"))


def classify(answer: HttpAnswer) -> ProviderError | None:
    """Return the error in the answer to an order or a key check, ``None`` for a success."""
    if 200 <= answer.status < 300:
        return None
    # An order that is not accepted is no job.
    return unbilled(answered_fault(NAME, _outcome(answer), answer))


def _outcome(answer: HttpAnswer) -> Outcome:
    detail = dig(answer.body, "detail")
    if not isinstance(detail, str | list) or not detail:
        return outcome_in_front(answer)
    message = _words(answer)
    if answer.status in ACCOUNT_TEXT and ACCOUNT_TEXT[answer.status].search(message):
        return Outcome.ACCOUNT
    if answer.status in {400, 403, 422} and states_refusal(message):
        return Outcome.REFUSED
    return outcome_of(answer.status)


def _words(answer: HttpAnswer) -> str:
    """Return the messages of an error, which are a text or one for each field."""
    fields = items_at(answer.body, "detail")
    return text_at(answer.body, "detail") or " ".join(text_at(one, "msg") for one in fields)
