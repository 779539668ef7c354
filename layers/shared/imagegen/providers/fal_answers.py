"""What fal's answers mean: to an order, to questions for its job, and to one for a price.

Errors: https://fal.ai/docs/errors. Prices: https://fal.ai/docs/platform-apis/v1/models/pricing.
What is billed of errors: https://fal.ai/docs/model-apis/faq, read on 2026-11-26.
"""

import math
import re
from collections.abc import Iterator, Mapping
from decimal import Decimal

from imagegen.domain.call_errors import ProviderError
from imagegen.domain.outcomes import Outcome
from imagegen.domain.ports import ImageOrder
from imagegen.domain.pricing import MICRO_UNITS
from imagegen.domain.vendor_prices import Statement
from imagegen.providers.classification import outcome_in_front
from imagegen.providers.faults import (
    HttpAnswer,
    answered_fault,
    billed,
    dig,
    items_at,
    outcome_of,
    raise_if,
    text_at,
    unbilled,
)
from imagegen.providers.pictures import pictures_in
from imagegen.providers.polling import is_missing
from imagegen.providers.price_statements import microusd_of, usd_in
from imagegen.providers.refusals import states_refusal

NAME = "fal"
RUNNING = frozenset({"IN_QUEUE", "IN_PROGRESS"})
ASK_AGAIN = frozenset({401, 403, 408, 429})
"""These answers to a question are about the question and not about the job."""
NOT_BEGUN = "x-fal-request-timeout-type"
"""The header of an answer that no runner had begun the job in the time that the order allowed."""
BILLED_UNITS = "x-fal-billable-units"
"""The header of a result with the number of units that are billed for it."""
IN_PROGRESS = re.compile(r"in progress", re.IGNORECASE)
ERROR_TYPES: Mapping[str, Outcome] = {
    "content_policy_violation": Outcome.REFUSED,
    "no_media_generated": Outcome.UNAVAILABLE,
    "internal_server_error": Outcome.UNAVAILABLE,
    "generation_timeout": Outcome.UNAVAILABLE,
    "downstream_service_error": Outcome.UNAVAILABLE,
    "downstream_service_unavailable": Outcome.UNAVAILABLE,
}
"""https://fal.ai/docs/errors; any other type is about a field."""
ACCOUNT_TEXT: Mapping[int, re.Pattern[str]] = {
    401: re.compile(r"authenticat|authoriz|\bkey\b|\btoken\b|\bcredentials?\b", re.IGNORECASE),
    402: re.compile(r"\bbalance\b|\bcredits?\b|\bbilling\b|\bpayment\b", re.IGNORECASE),
    403: re.compile(
        r"\bbalance\b|\blocked\b|\bbilling\b|authenticat|\bapi[ _-]?key\b", re.IGNORECASE
    ),
}
MEGAPIXEL = 1_000_000
UNITS: Mapping[str, re.Pattern[str]] = {
    "image": re.compile(r"(?:output )?images?", re.IGNORECASE),
    "megapixel": re.compile(r"(?:processed |output )?megapixels?", re.IGNORECASE),
}


def has_ended(answer: HttpAnswer) -> bool:
    """Return whether an answer to a question for a job's state says that it has ended."""
    if 200 <= answer.status < 300:
        return text_at(answer.body, "status") not in {"", *RUNNING}
    return is_missing(answer)


def is_result(answer: HttpAnswer) -> bool:
    """Return whether an answer to a question for a job's result is its end.

    The result is the model's own answer, also if that is an error. An answer that a gateway wrote
    is not a result.
    """
    body = answer.body
    if NOT_BEGUN in answer.headers:
        return True
    if not isinstance(body, Mapping) or answer.status in ASK_AGAIN:
        return False
    if answer.status == 400 and IN_PROGRESS.search(text_at(body, "detail")):
        return False
    if answer.status < 300:
        return text_at(body, "status") not in RUNNING
    return bool(dig(body, "detail")) or is_missing(answer)


def ended(answer: HttpAnswer) -> ProviderError | None:
    """Return the error of a job that ended without an image, ``None`` if it has one."""
    if is_missing(answer):
        return answered_fault(NAME, Outcome.UNKNOWN, answer, code="job_not_found")
    if NOT_BEGUN in answer.headers:
        return answered_fault(NAME, Outcome.UNAVAILABLE, answer, code="start_timeout")
    # A result may be an error with the status of a success.
    if answer.status >= 300 or dig(answer.body, "detail"):
        return _job_failed(answer)
    if any(flag is True for flag in items_at(answer.body, "has_nsfw_concepts")):
        return answered_fault(NAME, Outcome.REFUSED, answer, code="has_nsfw_concepts")
    return None


def images_from(answer: HttpAnswer) -> Iterator[bytes | str]:
    """Return the images in a job's result, and links to images.

    Raises:
        ProviderError: the job ended without an image.
    """
    raise_if(ended(answer))
    return pictures_in(dig(answer.body, "images") or dig(answer.body, "image"))


def classify(answer: HttpAnswer) -> ProviderError | None:
    """Return the error in the answer to an order or a free question, ``None`` for a success."""
    # What no runner has begun is not billed.
    return None if 200 <= answer.status < 300 else unbilled(_failed(answer))


def stated_in(answer: HttpAnswer, order: ImageOrder) -> Statement:
    """Return the price of an order that an answer states, for each image or megapixel begun.

    Another unit, such as a second of computing, is no price of an image.
    """
    found = items_at(answer.body, "prices")
    price = next((one for one in found if dig(one, "endpoint_id") == order.model), None)
    usd = usd_in(dig(price, "unit_price"))
    if usd is None or text_at(price, "currency") not in ("USD", ""):
        return Statement()
    unit = text_at(price, "unit")
    if UNITS["image"].fullmatch(unit):
        return Statement(microusd_of(usd))
    if UNITS["megapixel"].fullmatch(unit):
        megapixels = -(-order.width * order.height // MEGAPIXEL)
        return Statement(microusd_of(usd * megapixels))
    return Statement()


def usage_of(answer: HttpAnswer) -> dict[str, int] | None:
    """Return how many of the model's units a job's result bills, ``None`` if it does not say so.

    A unit may be divided, so they are counted in millionths, rounded up.
    """
    stated = answer.headers.get(BILLED_UNITS, "")
    if not re.fullmatch(r"[0-9]{1,4}(\.[0-9]{1,15})?", stated):
        return None
    return {MICRO_UNITS: math.ceil(Decimal(stated) * 1_000_000)}


def _job_failed(answer: HttpAnswer) -> ProviderError:
    """Return the error of a job that was accepted.

    An error of a server is never billed. One that a runner found while it worked, such as a refusal
    or a field of a wrong value, may be.
    """
    error = _failed(answer)
    if answer.status >= 500 or usage_of(answer) == {MICRO_UNITS: 0}:
        return unbilled(error)
    return error if error.outcome is Outcome.REFUSED else billed(error)


def _failed(answer: HttpAnswer) -> ProviderError:
    kinds = [text_at(one, "type") for one in items_at(answer.body, "detail")]
    code = next((kind for kind in kinds if kind in ERROR_TYPES), kinds[0] if kinds else "")
    return answered_fault(NAME, _outcome(answer, code), answer, code=code)


def _outcome(answer: HttpAnswer, code: str) -> Outcome:
    message = _words(answer)
    if not (message or code):
        return outcome_in_front(answer)
    if code in ERROR_TYPES:
        return ERROR_TYPES[code]
    if answer.status in ACCOUNT_TEXT and ACCOUNT_TEXT[answer.status].search(message):
        return Outcome.ACCOUNT
    if answer.status in {200, 400, 403, 422} and states_refusal(message):
        return Outcome.REFUSED
    return outcome_of(answer.status)


def _words(answer: HttpAnswer) -> str:
    """Return the messages of an error: a text or one for each field, of the platform another."""
    fields = " ".join(text_at(one, "msg") for one in items_at(answer.body, "detail"))
    return text_at(answer.body, "detail") or fields or text_at(answer.body, "error", "message")
