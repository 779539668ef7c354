"""Ideogram's images (https://developer.ideogram.ai/api-reference/images/generate/ideogram-4-5).

It takes no idempotency key, and a request that is cut off is made and billed all the same. So an
order is a job, which is asked for (https://developer.ideogram.ai/ideogram-api/idempotency).
A dry run is answered with the price in place of the image: nothing is made, stored or billed. So
it checks the key, and the catalog's prices.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import quote

from pydantic import SecretStr

from imagegen.domain.ports import ImageAnswer, ImageOrder, Json
from imagegen.domain.pricing import COST
from imagegen.domain.vendor_prices import Statement
from imagegen.providers.bounds import Clock, Deadline
from imagegen.providers.classification import key_fault, no_image
from imagegen.providers.download import Downloader, first_image
from imagegen.providers.faults import HttpAnswer, counts_at, dig, key_text, raise_if, token
from imagegen.providers.http import JsonHttp
from imagegen.providers.ideogram_answers import (
    NAME,
    classify,
    dry_run_fault,
    ended,
    has_ended,
    has_pictures,
    images_from,
    quoted_in,
)
from imagegen.providers.ideogram_edits import files_of, path_of, with_sample
from imagegen.providers.input_files import check_named_fields
from imagegen.providers.polling import (
    Questions,
    is_trusted,
    last_answer,
    later_image,
    without_job,
)
from imagegen.providers.price_statements import asked_one_by_one

RESULT_HOSTS = ("ideogram.ai",)
"""Where the links to images lead. They expire, so that an image is downloaded at once."""
DRY_RUN = "dry_run=true"
USAGE: Mapping[str, str] = {"usage_cost_usd_micros": COST}
CHECKED = ImageOrder(
    model="ideogram-4-5",
    prompt="a",
    params={"magic_prompt": "off", "quality": "low", "size": "1024x1024"},
    width=1024,
    height=1024,
    user="",
)
"""What a key check asks the price of."""


@dataclass(frozen=True, slots=True)
class IdeogramProvider:
    """Makes images with Ideogram."""

    http: JsonHttp
    downloader: Downloader
    api_key: SecretStr
    base_url: str
    clock: Clock = time.monotonic
    sleep: Callable[[float], None] = time.sleep

    def generate(self, order: ImageOrder, *, timeout_seconds: float) -> ImageAnswer:
        """Return the image, downloaded from the link in the answer.

        Raises:
            ProviderError: there is no image; ``classify`` determines the outcome. ``NOT_CALLED``
                when the inputs cannot be sent, ``UNKNOWN`` when the job still ran at the deadline.
        """
        check_named_fields(NAME, order)
        deadline = Deadline.after(timeout_seconds, self.clock)
        accepted = self._post(order, "", timeout_seconds)
        raise_if(classify(accepted))
        if has_pictures(accepted):
            return self._made(accepted, deadline)
        answer = last_answer(
            NAME,
            order,
            ticket_of(accepted, self.base_url),
            wait=lambda url: self._questions().wait(url, deadline, self.sleep),
        )
        raise_if(ended(answer))
        return self._made(answer, deadline)

    def job_result(self, ticket: str, *, timeout_seconds: float) -> ImageAnswer | None:
        """Return the image of a job, ``None`` while it runs or if it cannot be asked for now.

        Raises:
            ProviderError: the job ended without an image, or is not known any more (``UNKNOWN``).
        """
        if not is_trusted(ticket, self.base_url, RESULT_HOSTS):
            return None  # It is of another base URL, which may be set again.
        deadline = Deadline.after(timeout_seconds, self.clock)
        answer = self._questions().ask(ticket, deadline)
        return later_image(answer, ended, lambda one: self._made(one, deadline))

    def check_key(self, *, timeout_seconds: float) -> None:
        """Raise unless the key is good.

        Raises:
            ProviderError: the key is not accepted, or Ideogram does not answer.
        """
        answer = self._post(CHECKED, f"?{DRY_RUN}", timeout_seconds)
        raise_if(key_fault(NAME, answer, classify(answer)) or dry_run_fault(answer))

    def models(self, *, timeout_seconds: float) -> None:
        """Return ``None``: Ideogram has no list of models."""

    def stated_prices(
        self, orders: Sequence[ImageOrder], *, timeout_seconds: float
    ) -> list[Statement]:
        """Return the prices of dry runs of the very requests that would make the images.

        Raises:
            ProviderError: Ideogram does not answer, or not for this key.
        """
        deadline = Deadline.after(timeout_seconds, self.http.clock)
        return asked_one_by_one(orders, deadline, self._quoted)

    def _quoted(self, order: ImageOrder, timeout_seconds: float) -> Statement:
        answer = self._post(with_sample(order), f"?{DRY_RUN}", timeout_seconds)
        raise_if(classify(answer) or dry_run_fault(answer))
        return quoted_in(answer)

    def _made(self, answer: HttpAnswer, deadline: Deadline) -> ImageAnswer:
        content = first_image(images_from(answer), self.downloader, deadline)
        if content is None:
            raise no_image(NAME, answer, data=dig(answer.body, "data", 0, "url"))
        job_id = token(dig(answer.body, "generation_id"))
        return ImageAnswer(content, job_id, counts_at(answer.body, USAGE))

    def _questions(self) -> Questions:
        return Questions(self.http, self._headers(), has_ended)

    def _headers(self) -> dict[str, str]:
        return {"Api-Key": key_text(NAME, self.api_key)}

    def _post(self, order: ImageOrder, query: str, timeout_seconds: float) -> HttpAnswer:
        return self.http.post(
            f"{self.base_url}{path_of(order.model)}{query}",
            headers=self._headers(),
            body=to_body(order),
            files=files_of(NAME, order),
            timeout_seconds=timeout_seconds,
        )


def build(api_key: SecretStr, base_url: str) -> IdeogramProvider:
    """Return the provider."""
    downloader = Downloader(NAME, base_url, hosts=RESULT_HOSTS)
    return IdeogramProvider(JsonHttp(NAME), downloader, api_key, base_url)


def to_body(order: ImageOrder) -> dict[str, Json]:
    """Return the body of a request for one image."""
    return {**order.params, "prompt": order.prompt, "num_images": 1, "async": True}


def ticket_of(answer: HttpAnswer, base_url: str) -> str:
    """Return the URL to ask for the job of an accepted order.

    Raises:
        ProviderError: the answer has no id; ``UNKNOWN`` if the order may have been accepted.
    """
    job_id = token(dig(answer.body, "generation_id"))
    if job_id is None:
        raise without_job(NAME, answer, ("generation_id", "generation_kind"))
    return f"{base_url}/v2/generations/{quote(job_id, safe='')}"
