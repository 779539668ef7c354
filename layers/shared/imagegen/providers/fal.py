"""fal's models (https://fal.ai/docs), which work by jobs in a queue.

An order is answered with the URLs of its state and its result. fal keeps a result for six minutes
or more, and its image for the hour that the order asks for, under a public link.

Only successful outputs are billed. A black square in the place of an image that is not allowed is
one.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from urllib.parse import quote, urlencode

from pydantic import SecretStr

from imagegen.domain.ports import ImageAnswer, ImageOrder
from imagegen.domain.vendor_prices import Statement
from imagegen.providers.bounds import Clock, Deadline
from imagegen.providers.classification import key_fault, no_image
from imagegen.providers.download import Downloader, first_image
from imagegen.providers.fal_answers import (
    NAME,
    classify,
    ended,
    has_ended,
    images_from,
    is_result,
    stated_in,
    usage_of,
)
from imagegen.providers.faults import HttpAnswer, dig, key_text, raise_if, text_at, token
from imagegen.providers.http import JsonHttp
from imagegen.providers.input_files import data_url, named_fields
from imagegen.providers.json_body import Body
from imagegen.providers.polling import (
    Questions,
    is_missing,
    is_trusted,
    last_answer,
    later_image,
    without_job,
)
from imagegen.providers.price_statements import asked_one_by_one

HOSTS = ("fal.run",)
"""Whose hosts get the key."""
RESULT_HOSTS = ("fal.media",)
"""From which images are fetched."""
PLATFORM_URL = "https://api.fal.ai/v1"
CHECKED_MODEL = "fal-ai/flux/schnell"
"""What a key check asks the price of."""
ACCEPTED = ("request_id", "status_url", "response_url", "status")
"""What the answer to an order contains if there is a job."""
ONCE: Mapping[str, str] = {
    # The queue would try a failed order up to ten times, and with another model as well.
    "X-Fal-No-Retry": "1",
    "x-app-fal-disable-fallback": "true",
    # Neither the prompt nor the answer is kept beyond the time in which it is asked for.
    "X-Fal-Store-IO": "0",
    "X-Fal-Object-Lifecycle-Preference": '{"expiration_duration_seconds": 3600}',
}


@dataclass(frozen=True, slots=True)
class FalProvider:
    """Makes images with fal."""

    http: JsonHttp
    downloader: Downloader
    api_key: SecretStr
    base_url: str
    clock: Clock = time.monotonic
    sleep: Callable[[float], None] = time.sleep

    def generate(self, order: ImageOrder, *, timeout_seconds: float) -> ImageAnswer:
        """Return the image.

        Raises:
            ProviderError: there is no image; ``classify`` and ``ended`` determine the outcome, and
                it is ``UNKNOWN`` when the job still ran at the deadline. ``NOT_CALLED`` when the
                inputs cannot be sent.
        """
        body = to_body(order)
        deadline = Deadline.after(timeout_seconds, self.clock)
        accepted = self.http.post(
            f"{self.base_url}/{quote(order.model)}",
            # A job that has not begun by then does not begin any more.
            headers={
                **self._headers(),
                **ONCE,
                "X-Fal-Request-Timeout": str(max(1, int(timeout_seconds))),
            },
            body=body,
            timeout_seconds=timeout_seconds,
        )
        raise_if(classify(accepted))
        answer = last_answer(
            NAME,
            order,
            ticket_of(accepted, order.model, self.base_url),
            wait=lambda urls: self._result(
                urls, lambda one, url: one.wait(url, deadline, self.sleep)
            ),
        )
        return replace(self._made(answer, deadline), job_id=token(dig(accepted.body, "request_id")))

    def job_result(self, ticket: str, *, timeout_seconds: float) -> ImageAnswer | None:
        """Return the image of a job, ``None`` while it runs or if it cannot be asked for now.

        Raises:
            ProviderError: the job ended without an image, or is not known any more (``UNKNOWN``).
        """
        urls = ticket.split()
        if len(urls) != 2 or not all(is_trusted(url, self.base_url, HOSTS) for url in urls):
            return None  # It is of another base URL, which may be set again.
        deadline = Deadline.after(timeout_seconds, self.clock)
        answer = self._result(ticket, lambda one, url: one.ask(url, deadline))
        return later_image(answer, ended, lambda one: self._made(one, deadline))

    def check_key(self, *, timeout_seconds: float) -> None:
        """Raise unless the key is good.

        Raises:
            ProviderError: the key is not accepted, or fal does not answer.
        """
        answer = self._priced(CHECKED_MODEL, timeout_seconds)
        raise_if(key_fault(NAME, answer, classify(answer)))

    def models(self, *, timeout_seconds: float) -> None:
        """Return ``None``: the list has every model of every owner, page by page."""

    def stated_prices(
        self, orders: Sequence[ImageOrder], *, timeout_seconds: float
    ) -> list[Statement]:
        """Return the prices that fal states of the models, for the orders' sizes.

        Raises:
            ProviderError: fal does not answer, or not for this key.
        """
        deadline = Deadline.after(timeout_seconds, self.clock)
        return asked_one_by_one(orders, deadline, self._stated)

    def _stated(self, order: ImageOrder, timeout_seconds: float) -> Statement:
        answer = self._priced(order.model, timeout_seconds)
        raise_if(classify(answer))
        return stated_in(answer, order)

    def _priced(self, model: str, timeout_seconds: float) -> HttpAnswer:
        url = f"{platform_url(self.base_url)}/models/pricing?{urlencode({'endpoint_id': model})}"
        return self.http.get(url, headers=self._headers(), timeout_seconds=timeout_seconds)

    def _headers(self) -> dict[str, str]:
        return {"Authorization": f"Key {key_text(NAME, self.api_key)}"}

    def _result(
        self, ticket: str, ask: Callable[[Questions, str], HttpAnswer | None]
    ) -> HttpAnswer | None:
        """Return the job's last answer, ``None`` if ``ask`` got none."""
        state_url, result_url = ticket.split()
        state = ask(Questions(self.http, self._headers(), has_ended), state_url)
        if state is None or is_missing(state):
            return state
        return ask(Questions(self.http, self._headers(), is_result), result_url)

    def _made(self, answer: HttpAnswer, deadline: Deadline) -> ImageAnswer:
        content = first_image(images_from(answer), self.downloader, deadline)
        if content is None:
            raise no_image(NAME, answer, data=dig(answer.body, "images", 0, "url"))
        return ImageAnswer(content, usage=usage_of(answer))


def build(api_key: SecretStr, base_url: str) -> FalProvider:
    """Return the provider."""
    downloader = Downloader(NAME, base_url, hosts=RESULT_HOSTS)
    return FalProvider(JsonHttp(NAME), downloader, api_key, base_url)


def to_body(order: ImageOrder) -> dict[str, Body]:
    """Return the body of POST /{endpoint}, with the pictures as data URLs.

    Raises:
        ProviderError: ``NOT_CALLED``: the model has no field for an input.
    """
    pictures = named_fields(NAME, order, [data_url(one) for one in order.inputs])
    return {**order.params, **pictures, "prompt": order.prompt}


def platform_url(base_url: str) -> str:
    """Return the address of the API for prices: the vendor's own, or a path of a stand-in."""
    return PLATFORM_URL if is_trusted(base_url, f"https://{HOSTS[0]}", HOSTS) else f"{base_url}/v1"


def ticket_of(answer: HttpAnswer, model: str, base_url: str) -> str:
    """Return the URLs of the job's state and of its result, with a space between them.

    They are the answer's own, if the key may be sent there. Otherwise, as behind a proxy, they are
    built from the job's id as the vendor's client builds them: of the endpoint, the owner and the
    name of the app alone.

    Raises:
        ProviderError: the answer has neither; ``UNKNOWN`` if the order may have been accepted.
    """
    urls = [text_at(answer.body, name) for name in ("status_url", "response_url")]
    if all(url and " " not in url and is_trusted(url, base_url, HOSTS) for url in urls):
        return " ".join(urls)
    job_id = token(dig(answer.body, "request_id"))
    if job_id is None:
        raise without_job(NAME, answer, ACCEPTED)
    app = "/".join(model.split("/")[:2])
    url = f"{base_url}/{quote(app)}/requests/{job_id}"
    return f"{url}/status {url}"
