"""The outcomes of answers that no vendor's table describes.

These are errors of something in front of the API, and successes without an image.

Only evidence about the account or the provider counts against the provider's circuit. An answer
that a single prompt can cause is the outcome of that request alone.
"""

from collections.abc import Mapping

from imagegen.domain.call_errors import ProviderError
from imagegen.domain.outcomes import Outcome
from imagegen.domain.ports import Json
from imagegen.providers.faults import HttpAnswer, answered_fault, billed, outcome_of
from imagegen.providers.pictures import MAX_IMAGE_BYTES, REPAIRABLE
from imagegen.providers.refusals import (
    LONGEST_TEXT,
    declines,
    is_sentence,
    refusal_stated_in,
    refused_in,
)

PAGES_OF_FIREWALLS = frozenset({500, 501, 503})
"""A page with one of these may be a firewall's answer to the words of one prompt."""
LONGEST_WORDS = 400
"""In the field of an image, a longer text is data, unless data cannot contain its characters."""


def outcome_in_front(answer: HttpAnswer) -> Outcome:
    """Return the outcome of an error that is not in the format of the API's own errors.

    A firewall, CDN or proxy in front of the API wrote it. It shows nothing about the key, the
    account or the model. Only a gateway that cannot reach the API shows that the API is down. A
    proxy that speaks the API also repeats refusals in a format of its own.
    """
    if answer.status in {400, 422} and refusal_stated_in(answer.body):
        return Outcome.REFUSED
    if answer.status in {408, 429, 499}:
        return outcome_of(answer.status)
    may_be_firewall = answer.is_page and answer.status in PAGES_OF_FIREWALLS
    if answer.status < 500 or may_be_firewall:
        return Outcome.BLOCKED
    return outcome_of(answer.status)


def key_fault(
    provider: str, answer: HttpAnswer, error: ProviderError | None
) -> ProviderError | None:
    """Return the error of a key check, whose answer has been classified as ``error``.

    The request contains the key and neither a prompt nor a model. So a 401 in JSON is about the
    key, whatever its code. A 401 with an HTML page is from something in front of the API.
    """
    if error is None or answer.status != 401 or not isinstance(answer.body, Mapping):
        return error
    return answered_fault(provider, Outcome.ACCOUNT, answer, code=error.provider_code)


def no_image(
    provider: str, answer: HttpAnswer, *, data: Json = None, code: Json = None
) -> ProviderError:
    """Return the error for a success without a usable image.

    ``data`` is the content of the image's field. Words are a refusal, and data that is not an image
    is a failure of the provider. An answer with neither, or with an image that is too large, does
    not count against the circuit, because a single prompt may cause it.
    """
    text = data if isinstance(data, str) else ""
    is_words = _may_be_words(text) and is_sentence(text) and declines(text)
    if is_words or (not text and refused_in(answer.body)):
        outcome = Outcome.REFUSED
    else:
        too_large = len(text) > MAX_IMAGE_BYTES * 4 // 3 + 4
        outcome = Outcome.NO_IMAGE if too_large or not text else Outcome.UNAVAILABLE
    error = answered_fault(provider, outcome, answer, code=code)
    return billed(error) if text and outcome is not Outcome.REFUSED else error


def _may_be_words(text: str) -> bool:
    is_data = bool(REPAIRABLE.fullmatch(text))
    return len(text) <= (LONGEST_WORDS if is_data else LONGEST_TEXT)
