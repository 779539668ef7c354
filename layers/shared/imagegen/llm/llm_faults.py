"""The LLM's errors in our own words: from a status, and from an error inside a stream."""

import re
from collections.abc import Mapping
from typing import Final
from urllib.parse import urlsplit

from imagegen.domain.call_errors import LlmError
from imagegen.domain.outcomes import Outcome
from imagegen.domain.ports import Json
from imagegen.providers import VERSION
from imagegen.providers.faults import dig, items_at, outcome_of, text_at, token
from imagegen.providers.openai import MONEY

LLM_MESSAGES: Mapping[Outcome, str] = {
    Outcome.UNAVAILABLE: "The LLM cannot be reached or failed",
    Outcome.UNKNOWN: "The LLM's answer broke off",
    Outcome.RATE_LIMITED: "The LLM's provider limits the rate",
    Outcome.ACCOUNT: "The LLM's provider does not accept the key, or the account lacks credit",
    Outcome.MODEL_GONE: "The LLM's provider does not serve the model",
    Outcome.REFUSED: "The LLM refused to answer this",
    Outcome.BLOCKED: "Something in front of the LLM stopped this request",
    Outcome.NO_IMAGE: "The LLM answered without words",
    Outcome.BAD_PARAMETER: "The LLM's provider did not accept the request",
}
REFUSAL_CODES: Final = frozenset(
    {
        *("content_filter", "content_policy_violation", "ResponsibleAIPolicyViolation"),
        *("data_inspection_failed", "DataInspectionFailed", "safety", "SAFETY"),
    }
)
"""Codes of an answer that refuses the content. Azure: https://learn.microsoft.com/azure/ai-foundry/
openai/concepts/content-filter; DashScope: data_inspection_failed."""
CODES: Final[Mapping[str, Outcome]] = {
    **dict.fromkeys(MONEY, Outcome.ACCOUNT),
    **dict.fromkeys(REFUSAL_CODES, Outcome.REFUSED),
    "rate_limit_error": Outcome.RATE_LIMITED,
    "rate_limit_exceeded": Outcome.RATE_LIMITED,
    "RESOURCE_EXHAUSTED": Outcome.RATE_LIMITED,
    "authentication_error": Outcome.ACCOUNT,
    "invalid_api_key": Outcome.ACCOUNT,
    "permission_error": Outcome.ACCOUNT,
    "UNAUTHENTICATED": Outcome.ACCOUNT,
    # Gemini refuses a bad key with status 400.
    "API_KEY_INVALID": Outcome.ACCOUNT,
    "model_not_found": Outcome.MODEL_GONE,
    "invalid_request_error": Outcome.BAD_PARAMETER,
    "BadRequestError": Outcome.BAD_PARAMETER,
    "INVALID_ARGUMENT": Outcome.BAD_PARAMETER,
}
"""Codes and types of errors that are more exact than their status, or have none."""
NO_ROUTE: Final = re.compile(r"\bunexpected endpoint or method\b", re.IGNORECASE)
"""LM Studio's words for an address that it does not have, with status 200."""


ADVICE: Final = "Its address, CHAT_BASE_URL, has no version: most servers' ends with /v1."


class RefusedRequestError(LlmError):
    """The endpoint did not accept the request, and its answer may name a part of it."""

    def __init__(self, answer: Json, error: LlmError) -> None:
        super().__init__(
            str(error),
            outcome=error.outcome,
            provider_code=error.provider_code,
            http_status=error.http_status,
            retry_after_seconds=error.retry_after_seconds,
        )
        self.answer = answer
        """The endpoint's own words: only to be searched for names of fields, never shown."""

    def without_answer(self) -> LlmError:
        """Return the same error without the endpoint's words, to be shown and logged."""
        return LlmError(
            str(self),
            outcome=self.outcome,
            provider_code=self.provider_code,
            http_status=self.http_status,
            retry_after_seconds=self.retry_after_seconds,
        )


def llm_fault(
    outcome: Outcome,
    *,
    provider_code: str | None = None,
    http_status: int | None = None,
    retry_after_seconds: int | None = None,
) -> LlmError:
    """Return the error for an outcome."""
    status = f" (HTTP {http_status})" if http_status else ""
    return LlmError(
        f"{LLM_MESSAGES[outcome]}{status}.",
        outcome=outcome,
        provider_code=provider_code,
        http_status=http_status,
        retry_after_seconds=retry_after_seconds,
    )


def status_fault(status: int, body: Json, *, retry_after_seconds: int | None = None) -> LlmError:
    """Return the error for an answer with an error status."""
    words = _codes_in(body)
    named = next((CODES[one] for one in words if one in CODES), None)
    plain = _plain_outcome(status, body)
    # A code may sharpen a status, but an outage is never a fault of the request.
    outcome = named if named and named is not Outcome.BAD_PARAMETER else plain
    error = llm_fault(
        outcome,
        provider_code=next((one for one in words if token(one)), None),
        http_status=status,
        retry_after_seconds=retry_after_seconds,
    )
    return RefusedRequestError(body, error) if outcome is Outcome.BAD_PARAMETER else error


def _plain_outcome(status: int, body: Json) -> Outcome:
    """Return the outcome of a status; what is not JSON comes from in front of the endpoint."""
    if status in {401, 402, 403}:
        return Outcome.ACCOUNT if isinstance(body, Mapping | list) else Outcome.BLOCKED
    # No image is lost with an answer in words, so a gateway that gave up is an outage.
    return outcome_of(status) if status < 500 else Outcome.UNAVAILABLE


def error_in(body: Json) -> LlmError | None:
    """Return the error that a chunk contains instead of an answer, or ``None`` if it is none."""
    if not _is_error(body):
        return None
    words, status = _codes_in(body), _status_in(body)
    outcome = next((CODES[one] for one in words if one in CODES), None)
    if outcome is None:
        outcome = outcome_of(status) if status else Outcome.UNAVAILABLE
    error = llm_fault(
        outcome,
        provider_code=next((one for one in words if token(one)), None),
        http_status=404 if status is None and NO_ROUTE.search(_sentence_in(body)) else None,
    )
    return RefusedRequestError(body, error) if outcome is Outcome.BAD_PARAMETER else error


def advise(error: LlmError, base_url: str) -> LlmError:
    """Return the error; it also says what to set where the base URL seems to lack its version.

    Most endpoints have their routes below a version, and answer 404 or 405 above it.
    """
    is_no_route = error.http_status in {404, 405} and error.provider_code not in CODES
    if is_no_route and not VERSION.search(urlsplit(base_url).path):
        error.args = (f"{error} {ADVICE}",)
    return error


def error_objects(body: Json) -> list[Json]:
    """Return the objects that may describe an error: Gemini sends a list, others nest them."""
    listed = body if isinstance(body, list) else [body]
    inner = [dig(one, name) for one in listed for name in ("error", "base_resp")]
    return [one for one in (*inner, *listed) if isinstance(one, Mapping)]


def _is_error(body: Json) -> bool:
    first = body[0] if isinstance(body, list) and body else body
    if not isinstance(first, Mapping):
        return False
    error = first.get("error")
    if any(error.values()) if isinstance(error, Mapping) else error:
        return True
    if "error" in (first.get("object"), first.get("type")):
        return True
    # MiniMax sends its errors with status 200 in base_resp, where 0 means success.
    base = first.get("base_resp")
    if isinstance(base, Mapping) and base.get("status_code") not in (None, 0):
        return True
    has_answer = any(name in first for name in ("choices", "usage", "id"))
    return not has_answer and "code" in first and "message" in first


def _codes_in(body: Json) -> list[str]:
    places = (("code",), ("type",), ("status",), ("innererror", "code"))
    found = [text_at(one, *place) for one in error_objects(body) for place in places]
    reasons = [
        text_at(d, "reason") for one in error_objects(body) for d in items_at(one, "details")
    ]
    return [one for one in (*found, *reasons) if one and one not in ("error", "None")]


def _sentence_in(body: Json) -> str:
    error = dig(body, "error")
    return error if isinstance(error, str) else text_at(error, "message")


def _status_in(body: Json) -> int | None:
    """Return the status that an error object contains, as a number or as text."""
    for one in error_objects(body):
        for name in ("code", "status", "status_code", "http_status"):
            value = one.get(name) if isinstance(one, Mapping) else None
            text = str(value) if type(value) is int or isinstance(value, str) else ""
            if text.isascii() and text.isdigit() and 400 <= int(text[:6]) < 600:
                return int(text)
    return None
