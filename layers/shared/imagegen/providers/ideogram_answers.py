"""What Ideogram's answers mean: to an order, to a question for its job, and to a dry run.

Errors, and what is billed of them: https://developer.ideogram.ai/ideogram-api/errors, read on
2026-11-26.
"""

import re
from collections.abc import Iterator, Mapping

from imagegen.domain.call_errors import ProviderError
from imagegen.domain.outcomes import Outcome
from imagegen.domain.vendor_prices import Statement
from imagegen.providers.classification import outcome_in_front
from imagegen.providers.faults import (
    HttpAnswer,
    answered_fault,
    dig,
    items_at,
    outcome_of,
    raise_if,
    text_at,
    unbilled,
)
from imagegen.providers.pictures import pictures_of
from imagegen.providers.polling import is_missing
from imagegen.providers.refusals import states_refusal

NAME = "ideogram"
RUNNING, DONE, FAILED = "pending", "completed", "failed"
"""The states of a job (https://developer.ideogram.ai/api-reference/generations/get-generation)."""

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


def has_pictures(answer: HttpAnswer) -> bool:
    """Return whether the answer to an order is its result already, and not only a job's id."""
    return dig(answer.body, "data") is not None or next(pictures_of(answer), None) is not None


def has_ended(answer: HttpAnswer) -> bool:
    """Return whether an answer to a question is the end of the job.

    One without a status says nothing of it.
    """
    if answer.status == 200:
        return text_at(answer.body, "status") not in {"", RUNNING}
    return is_missing(answer)


def ended(answer: HttpAnswer) -> ProviderError | None:
    """Return the error of a job that ended without an image, ``None`` if it has one.

    A job that failed is not billed (https://developer.ideogram.ai/ideogram-api/errors).
    """
    if is_missing(answer):
        return answered_fault(NAME, Outcome.UNKNOWN, answer, code="not_found")
    state = text_at(answer.body, "status")
    if state == DONE:
        return classify(answer)
    if state != FAILED:
        return answered_fault(NAME, Outcome.NO_IMAGE, answer, code="new_state")
    is_refused = states_refusal(text_at(answer.body, "failure_reason"))
    outcome = Outcome.REFUSED if is_refused else Outcome.UNAVAILABLE
    return unbilled(answered_fault(NAME, outcome, answer, code=FAILED))


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
        is_withheld = any(
            dig(one, "is_image_safe") is False for one in items_at(answer.body, "data")
        )
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
