"""Replicate official models (https://replicate.com/docs/reference/http#models.predictions.create).

A prediction may run longer than the request that created it. We wait for it, then poll it, and
cancel it at our deadline. Replicate deletes output files after an hour, so we fetch them at once.
"""

import math
import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import quote

from pydantic import SecretStr

from imagegen.domain.call_errors import ProviderError
from imagegen.domain.outcomes import Outcome
from imagegen.domain.ports import ImageAnswer, ImageOrder
from imagegen.domain.vendor_prices import Statement
from imagegen.providers.bounds import Clock, Deadline
from imagegen.providers.classification import key_fault, no_image, outcome_in_front
from imagegen.providers.download import Downloader, first_image
from imagegen.providers.faults import (
    HttpAnswer,
    answered_fault,
    bearer,
    bounded_seconds,
    dig,
    fault,
    outcome_of,
    raise_if,
    text_at,
    token,
)
from imagegen.providers.http import JsonHttp
from imagegen.providers.json_body import Body
from imagegen.providers.pictures import pictures_in
from imagegen.providers.price_statements import asked_one_by_one
from imagegen.providers.refusals import refused_in, states_refusal
from imagegen.providers.replicate_files import FileUploader
from imagegen.providers.replicate_models import ModelLookup

NAME = "replicate"

# ``aborted`` means ended before it started. Replicate's own client lacks it and polls for ever.
TERMINAL = frozenset({"succeeded", "failed", "canceled", "aborted"})
# A failed prediction has the error text of the model. Replicate's own codes are in brackets in it;
# these are about Replicate, not about the input (https://replicate.com/docs/reference/error-codes).
PLATFORM_CODES = frozenset({"E6716", "E8765"})
# Replicate's 401 and 402 have a title and no code.
ACCOUNT_TEXT: Mapping[int, re.Pattern[str]] = {
    401: re.compile(r"\bunauthenticated\b|\btoken\b", re.IGNORECASE),
    402: re.compile(r"\bcredit\b|\bbilling\b|\bpayment\b|\bspend", re.IGNORECASE),
}
VERSION_TEXT = re.compile(r"invalid version|version (?:is required|does not exist)", re.IGNORECASE)
POLL_SECONDS = 0.5
CANCEL_SECONDS = 3.0
MAX_WAIT_SECONDS = 60
MIN_CANCEL_AFTER_SECONDS = 5


@dataclass(frozen=True, slots=True)
class ReplicateProvider:
    """Makes images with Replicate."""

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
                ``UNKNOWN`` when the prediction still ran at the deadline and was not cancelled.
        """
        deadline = Deadline.after(timeout_seconds, self.clock)
        reserve_seconds = min(CANCEL_SECONDS, timeout_seconds / 4)
        polling = Deadline(deadline.at_seconds - reserve_seconds, self.clock)
        answer = self._create(order, deadline, reserve_seconds=reserve_seconds)
        answer = self._finish(answer, polling)
        if not is_terminal(answer):
            answer = self._cancel(answer, deadline)
        content = first_image(images_from(answer), self.downloader, deadline)
        if content is None:
            output = dig(answer.body, "output")
            data = dig(output, 0) if isinstance(output, list) else output
            raise no_image(NAME, answer, data=data)
        return ImageAnswer(content, token(dig(answer.body, "id")))

    def check_key(self, *, timeout_seconds: float) -> None:
        """Raise unless the key is good.

        Raises:
            ProviderError: the key is not accepted, or Replicate does not answer.
        """
        url = f"{self.base_url}/account"
        headers = bearer(NAME, self.api_key)
        answer = self.http.get(url, headers=headers, timeout_seconds=timeout_seconds)
        raise_if(key_fault(NAME, answer, classify(answer)))

    def models(self, *, timeout_seconds: float) -> None:
        """Return ``None``: Replicate's list contains every model that any user has published."""

    def stated_prices(
        self, orders: Sequence[ImageOrder], *, timeout_seconds: float
    ) -> list[Statement]:
        """Return whether each model is still there: Replicate states no prices.

        Raises:
            ProviderError: Replicate does not answer, or not for this key.
        """
        lookup = ModelLookup(self.http, self.api_key, self.base_url, classify)
        return asked_one_by_one(
            orders, Deadline.after(timeout_seconds, self.clock), lookup.statement
        )

    def _create(
        self, order: ImageOrder, deadline: Deadline, *, reserve_seconds: float
    ) -> HttpAnswer:
        files = FileUploader(self.http, self.api_key, self.base_url).fields(order, deadline)
        wait_seconds = deadline.remaining_seconds() - reserve_seconds
        limits = {
            "Prefer": f"wait={min(max(1, int(wait_seconds)), MAX_WAIT_SECONDS)}",
            # If this answer is lost, we cannot poll the prediction: Replicate then ends it itself.
            "Cancel-After": f"{cancel_after_seconds(deadline)}s",
        }
        answer = self.http.post(
            f"{self.base_url}/models/{quote(order.model, safe='/')}/predictions",
            headers={**bearer(NAME, self.api_key), **limits},
            body=to_body(order, files),
            timeout_seconds=deadline.remaining_seconds(),
        )
        raise_if(classify(answer))
        if not text_at(answer.body, "status"):
            raise no_image(NAME, answer)  # not a prediction
        return answer

    def _finish(self, answer: HttpAnswer, polling: Deadline) -> HttpAnswer:
        while not is_terminal(answer) and not polling.is_over():
            self.sleep(min(POLL_SECONDS, polling.remaining_seconds()))
            answer = self._poll(answer, polling)
        return answer

    def _poll(self, answer: HttpAnswer, polling: Deadline) -> HttpAnswer:
        url, limit_seconds = job_url(answer, self.base_url), polling.remaining_seconds()
        headers = bearer(NAME, self.api_key)
        try:
            polled = self.http.get(url, headers=headers, timeout_seconds=limit_seconds)
        except ProviderError:
            return answer  # a failed poll does not stop the prediction
        return polled if polled.status == 200 else answer

    def _cancel(self, answer: HttpAnswer, deadline: Deadline) -> HttpAnswer:
        url, limit_seconds = job_url(answer, self.base_url, "cancel"), deadline.remaining_seconds()
        headers = bearer(NAME, self.api_key)
        try:
            last = self.http.post(url, headers=headers, body={}, timeout_seconds=limit_seconds)
        except ProviderError:
            last = answer
        if not is_terminal(last):
            raise fault(NAME, Outcome.UNKNOWN, "still running at the deadline")
        return last


def build(api_key: SecretStr, base_url: str) -> ReplicateProvider:
    """Return the provider."""
    return ReplicateProvider(JsonHttp(NAME), Downloader(NAME, base_url), api_key, base_url)


def to_body(order: ImageOrder, files: Mapping[str, Body] | None = None) -> dict[str, Body]:
    """Return the body of POST /models/{owner}/{name}/predictions; ``files`` are uploaded.

    Models that work on a picture alone have no field for a prompt.
    """
    words: dict[str, Body] = {"prompt": order.prompt} if order.prompt else {}
    return {"input": {**order.params, **(files or {}), **words}}


def cancel_after_seconds(deadline: Deadline) -> int:
    """Return after how many seconds Replicate shall end the prediction; its minimum is 5."""
    return max(MIN_CANCEL_AFTER_SECONDS, math.ceil(deadline.remaining_seconds()))


def images_from(answer: HttpAnswer) -> Iterator[bytes | str]:
    """Return the images in a prediction, and links to images.

    Raises:
        ProviderError: the prediction failed.
    """
    raise_if(classify(answer))
    return pictures_in(dig(answer.body, "output"))


def job_url(answer: HttpAnswer, base_url: str, verb: str = "get") -> str:
    """Return the URL to poll or to cancel a prediction.

    The key is sent to this URL, so only a URL at the base URL's origin is used. Otherwise, as
    behind a proxy, the URL is built from the prediction's id.

    Raises:
        ProviderError: ``UNKNOWN``, when the answer contains neither a usable URL nor an id.
    """
    origin = "/".join(base_url.split("/")[:3]) + "/"
    url = text_at(answer.body, "urls", verb)
    if url.startswith(origin):
        return url
    job_id = token(dig(answer.body, "id"))
    if job_id is None:
        raise fault(NAME, Outcome.UNKNOWN, "a prediction that cannot be polled")
    return f"{base_url}/predictions/{job_id}" + ("/cancel" if verb == "cancel" else "")


def is_terminal(answer: HttpAnswer) -> bool:
    """Return whether the prediction has ended, successfully or not."""
    return text_at(answer.body, "status") in TERMINAL


def classify(answer: HttpAnswer) -> ProviderError | None:
    """Return an answer's error, ``None`` for a success or a running prediction."""
    if not 200 <= answer.status < 300:
        return _http_fault(answer)
    state = text_at(answer.body, "status")
    return _ended(answer, state) if state in TERMINAL - {"succeeded"} else None


def _ended(answer: HttpAnswer, state: str) -> ProviderError:
    """Return the error of a prediction that ended without output.

    A failed one was answered in time, and its input may be the cause. One that was cancelled or did
    not start was too slow.
    """
    report = {"error": dig(answer.body, "error"), "logs": dig(answer.body, "logs")}
    found = re.search(r"\(?\b(E[0-9]{3,4})\b\)?", text_at(report, "error"))
    code = found[1] if found else state
    if refused_in(report):
        outcome = Outcome.REFUSED
    elif state == "failed" and code not in PLATFORM_CODES:
        outcome = Outcome.NO_IMAGE
    else:
        outcome = Outcome.UNAVAILABLE
    return answered_fault(NAME, outcome, answer, code=code)


def _http_fault(answer: HttpAnswer) -> ProviderError:
    title, detail = text_at(answer.body, "title"), text_at(answer.body, "detail")
    message, status = f"{title} {detail}", answer.status
    outcome = outcome_of(status) if title or detail else outcome_in_front(answer)
    if status in ACCOUNT_TEXT and ACCOUNT_TEXT[status].search(message):
        outcome = Outcome.ACCOUNT
    elif status in {400, 403, 422} and states_refusal(message):
        outcome = Outcome.REFUSED
    elif status == 422 and VERSION_TEXT.search(message):
        outcome = Outcome.MODEL_GONE  # it is no longer an official model
    reset = re.search(r"resets in ~?([0-9]{1,9})s", message)
    delay_seconds = bounded_seconds(float(reset[1])) if reset else None
    return answered_fault(NAME, outcome, answer, retry_after_seconds=delay_seconds)
