"""OpenAI images (https://developers.openai.com/api/docs/guides/image-generation).

Errors: https://developers.openai.com/api/docs/guides/error-codes.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from pydantic import SecretStr

from imagegen.domain.call_errors import ProviderError
from imagegen.domain.outcomes import Outcome
from imagegen.domain.ports import ImageOrder, Json
from imagegen.providers.classification import key_fault, outcome_in_front
from imagegen.providers.download import Downloader
from imagegen.providers.faults import (
    HttpAnswer,
    answered_fault,
    bearer,
    counts_at,
    dig,
    outcome_of,
    text_at,
    with_part,
)
from imagegen.providers.http import JsonHttp
from imagegen.providers.openai_images import IMAGES_READ, OpenAIProvider
from imagegen.providers.refusals import is_refusal_code, states_refusal

NAME = "openai"

REFUSALS = frozenset({"moderation_blocked", "content_policy_violation"})
# Codes about the key or the organization, whatever the status. Any other 403 may be about one model
# or one user: OpenAI blocks single users by ``safety_identifier``
# (https://developers.openai.com/api/docs/guides/safety-checks).
KEY = frozenset(
    {
        "invalid_api_key",
        "ip_not_authorized",
        "account_deactivated",
        "invalid_organization",
        "mismatched_organization",
        "missing_scope",
        "unsupported_country_region_territory",
    }
)
# Each of them may have status 429 or 400, and may be the error's type when its code is a new one.
MONEY = frozenset(
    {
        "insufficient_quota",
        "billing_hard_limit_reached",
        "credit_balance_exhausted",
        "organization_spend_limit_exceeded",
        "project_spend_limit_exceeded",
        "organization_usage_limit_exceeded",
        "billing_not_active",
    }
)
# Older answers have no code for a refusal, only a message.
REFUSAL_TEXT = re.compile(
    r"(?:by|of|under) (?:our|the) (?:safety system|content policy|usage polic)", re.IGNORECASE
)
USAGE = {name: name for name in ("input_tokens", "output_tokens", "total_tokens")}


@dataclass(frozen=True, slots=True)
class OpenAIEndpoint:
    """OpenAI's own server."""

    name: str = NAME
    key_path: str = "/models"
    lists_models: bool = True

    def headers(self, api_key: SecretStr) -> dict[str, str]:
        """Return the headers with the key.

        Raises:
            ProviderError: a header cannot contain the key.
        """
        return bearer(NAME, api_key)

    def to_body(self, order: ImageOrder) -> dict[str, Json]:
        """Return the body of POST /images/generations, and of /images/edits without its files."""
        return to_body(order)

    def classify(self, answer: HttpAnswer) -> ProviderError | None:
        """Return the error in an answer, ``None`` for a success."""
        return classify(answer)

    def usage_of(self, answer: HttpAnswer) -> dict[str, int] | None:
        """Return the billed tokens of an answer, ``None`` if it has no counts."""
        return usage_of(answer)

    def key_error(self, answer: HttpAnswer) -> ProviderError | None:
        """Return the error of a key check; a restricted key that may not list models is good."""
        return None if lacks_scope(answer) else key_fault(NAME, answer, classify(answer))


def build(api_key: SecretStr, base_url: str) -> OpenAIProvider:
    """Return the provider."""
    downloader = Downloader(NAME, base_url)
    return OpenAIProvider(JsonHttp(NAME), downloader, api_key, base_url, OpenAIEndpoint())


def to_body(order: ImageOrder) -> dict[str, Json]:
    """Return the body of POST /images/generations, and of /images/edits without its files."""
    return {
        **order.params,
        "model": order.model,
        "prompt": order.prompt,
        "n": 1,
        "safety_identifier": order.user,
    }


def usage_of(answer: HttpAnswer) -> dict[str, int] | None:
    """Return the billed tokens of an answer, ``None`` if it has no counts."""
    usage = counts_at(answer.body, USAGE, "usage")
    images = dig(answer.body, *IMAGES_READ)
    return with_part(usage, "input_image_tokens", images)


def classify(answer: HttpAnswer) -> ProviderError | None:
    """Return the error in an answer, ``None`` for a success."""
    if 200 <= answer.status < 300 and not dig(answer.body, "error"):
        return None
    code = text_at(answer.body, "error", "code") or text_at(answer.body, "error", "type")
    return answered_fault(NAME, _outcome(answer), answer, code=code)


def lacks_scope(answer: HttpAnswer) -> bool:
    """Return whether the key is genuine and only lacks the permission "List models: Read".

    Only the first image shows whether the key may make images. The status was 401 in 2024 and is
    403 in 2026.
    """
    if "missing_scope" in _words(answer):
        return answer.status in {401, 403}
    is_api_error = isinstance(dig(answer.body, "error"), Mapping)
    return answer.status == 403 and is_api_error and not _words(answer) & KEY


def _words(answer: HttpAnswer) -> set[str]:
    """Return the error's code and type; a missing scope had no code in 2024, only a message."""
    error = dig(answer.body, "error")
    words = {text_at(error, "code"), text_at(error, "type")}
    if "missing scopes" in text_at(error, "message").lower():
        words.add("missing_scope")
    return words


def _outcome(answer: HttpAnswer) -> Outcome:
    error, words = dig(answer.body, "error"), _words(answer)
    if not isinstance(error, Mapping):
        return outcome_in_front(answer)
    if words & REFUSALS:
        return Outcome.REFUSED
    if words & (KEY | MONEY):
        return Outcome.ACCOUNT
    # OpenAI may also report a model that it no longer serves as a wrong value of ``model``.
    if "model_not_found" in words or (answer.status == 400 and text_at(error, "param") == "model"):
        return Outcome.MODEL_GONE
    return Outcome.REFUSED if _reads_as_refusal(answer) else outcome_of(answer.status)


def _reads_as_refusal(answer: HttpAnswer) -> bool:
    """Return whether an error without a known code refuses the content; a parameter does not."""
    error = dig(answer.body, "error")
    if answer.status not in {200, 400, 403, 422, 451} or text_at(error, "param"):
        return False
    if dig(error, "moderation_details") or any(map(is_refusal_code, _words(answer))):
        return True
    message = text_at(error, "message")
    return bool(REFUSAL_TEXT.search(message)) or states_refusal(message)
