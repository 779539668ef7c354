"""Ideogram's images (https://developer.ideogram.ai/api-reference/images/generate/ideogram-4-5).

A dry run is answered with the price in place of the image: nothing is made, stored or billed. So
it checks the key, and the catalog's prices.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import quote

from pydantic import SecretStr

from imagegen.domain.errors import ProviderError
from imagegen.domain.outcomes import Outcome
from imagegen.domain.ports import ImageAnswer, ImageOrder, Json
from imagegen.domain.pricing import COST
from imagegen.domain.vendor_prices import Statement
from imagegen.providers.bounds import Deadline
from imagegen.providers.classification import key_fault, no_image, outcome_in_front
from imagegen.providers.download import Downloader, first_image
from imagegen.providers.faults import (
    HttpAnswer,
    answered_fault,
    counts_at,
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
from imagegen.providers.input_files import check_named_fields
from imagegen.providers.pictures import pictures_of
from imagegen.providers.price_statements import asked_one_by_one
from imagegen.providers.refusals import states_refusal

NAME = "ideogram"
RESULT_HOSTS = ("ideogram.ai",)
"""Where the links to images lead. They expire, so that an image is downloaded at once."""
DRY_RUN = "dry_run=true"

# What a 402 or a 429 names as its reason. The first four end only when the operator acts.
REASONS: Mapping[str, Outcome] = {
    "insufficient_funds": Outcome.ACCOUNT,
    "subscription_required": Outcome.ACCOUNT,
    "priority_credit_required": Outcome.ACCOUNT,
    "feature_limit": Outcome.ACCOUNT,
    "daily_limit": Outcome.RATE_LIMITED,
    "inflight_limit": Outcome.RATE_LIMITED,
}
# Ideogram documents 401, 402 and 403 by status, and neither codes nor bodies of them.
ACCOUNT_TEXT: Mapping[int, re.Pattern[str]] = {
    401: re.compile(r"\bapi[ _-]?key\b|\bunauthori[sz]ed\b|\bcredentials?\b", re.IGNORECASE),
    402: re.compile(r"\bcredits?\b|\bfunds\b|\bbilling\b|\bbalance\b|\bpayment\b", re.IGNORECASE),
    403: re.compile(r"\bapi[ _-]?key\b|\bcredits?\b|\bbilling\b", re.IGNORECASE),
}
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

    def generate(self, order: ImageOrder, *, timeout_seconds: float) -> ImageAnswer:
        """Return the image, downloaded from the link in the answer.

        Raises:
            ProviderError: there is no image; ``classify`` determines the outcome. ``NOT_CALLED``
                when there are inputs, and ``UNKNOWN`` when the answer says that the image is still
                being made.
        """
        check_named_fields(NAME, order)
        deadline = Deadline.after(timeout_seconds, self.downloader.clock)
        answer = self._post(order, "", timeout_seconds)
        content = first_image(images_from(answer), self.downloader, deadline)
        if content is None:
            raise _without_image(answer)
        job_id = token(dig(answer.body, "generation_id"))
        return ImageAnswer(content, job_id, counts_at(answer.body, USAGE))

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
        answer = self._post(order, f"?{DRY_RUN}", timeout_seconds)
        raise_if(classify(answer) or dry_run_fault(answer))
        return quoted_in(answer)

    def _post(self, order: ImageOrder, query: str, timeout_seconds: float) -> HttpAnswer:
        return self.http.post(
            f"{self.base_url}/v2/image/generate/{quote(order.model, safe='')}{query}",
            headers={"Api-Key": key_text(NAME, self.api_key)},
            body=to_body(order),
            timeout_seconds=timeout_seconds,
        )


def build(api_key: SecretStr, base_url: str) -> IdeogramProvider:
    """Return the provider."""
    downloader = Downloader(NAME, base_url, hosts=RESULT_HOSTS)
    return IdeogramProvider(JsonHttp(NAME), downloader, api_key, base_url)


def to_body(order: ImageOrder) -> dict[str, Json]:
    """Return the body of a request for one image."""
    return {**order.params, "prompt": order.prompt, "num_images": 1}


def images_from(answer: HttpAnswer) -> Iterator[bytes | str]:
    """Return the images in an answer, and links to images.

    Raises:
        ProviderError: the answer is an error, or a success whose image is withheld.
    """
    raise_if(classify(answer))
    return pictures_of(answer)


def classify(answer: HttpAnswer) -> ProviderError | None:
    """Return the error in an answer, ``None`` for a success.

    An image that did not pass the safety check is a success with an empty link, and is billed. An
    error is not (https://developer.ideogram.ai/ideogram-api/errors, read on 2026-11-26).
    """
    if 200 <= answer.status < 300 and not dig(answer.body, "error"):
        is_withheld = any(dig(one, "is_image_safe") is False for one in _made(answer))
        return answered_fault(NAME, Outcome.REFUSED, answer) if is_withheld else None
    reason = text_at(answer.body, "reject_reason")
    error = answered_fault(NAME, _outcome(answer, reason), answer, code=reason)
    return unbilled(error) if answer.status >= 400 else error


def dry_run_fault(answer: HttpAnswer) -> ProviderError | None:
    """Return the error for a dry run that made an image, ``None`` if it made none.

    It is billed, and each further check would be, too. As an account error it opens the circuit and
    sets off an alarm, so that an operator takes the provider out of service.
    """
    if not text_at(answer.body, "generation_id"):
        return None
    advice = "A dry run made an image, which is billed: switch the provider off."
    error = answered_fault(NAME, Outcome.ACCOUNT, answer, code="dry_run_billed", advice=advice)
    error.ends_checks = True
    return error


def quoted_in(answer: HttpAnswer) -> Statement:
    """Return the price of one image in the answer to a dry run.

    An estimate is no price: it is of products whose cost is only known afterwards.
    """
    price, count = dig(answer.body, "usd_micros"), dig(answer.body, "quantity")
    is_exact = text_at(answer.body, "qualifier") in ("exact", "")
    if type(price) is not int or price < 0 or count not in (1, None) or not is_exact:
        return Statement()
    return Statement(price)


def _outcome(answer: HttpAnswer, reason: str) -> Outcome:
    # The only documented meaning of a 422, in any form: the prompt did not pass the safety check.
    if answer.status == 422 and answer.body is not None:
        return Outcome.REFUSED
    if dig(answer.body, "error") is None:
        return outcome_in_front(answer)
    if reason in REASONS:
        return REASONS[reason]
    message = text_at(answer.body, "error") or text_at(answer.body, "error", "message")
    if answer.status == 400 and states_refusal(message):
        return Outcome.REFUSED
    about_account = ACCOUNT_TEXT.get(answer.status)
    if about_account and about_account.search(message):
        return Outcome.ACCOUNT
    return outcome_of(answer.status)


def _made(answer: HttpAnswer) -> list[Json]:
    return items_at(answer.body, "data")


def _without_image(answer: HttpAnswer) -> ProviderError:
    """Return the error for a success without an image.

    With an id and no list of images, the image is still being made, and billed.
    """
    if text_at(answer.body, "generation_id") and dig(answer.body, "data") is None:
        return answered_fault(NAME, Outcome.UNKNOWN, answer)
    return no_image(NAME, answer, data=dig(answer.body, "data", 0, "url"))
