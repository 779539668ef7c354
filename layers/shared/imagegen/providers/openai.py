"""OpenAI images (https://developers.openai.com/api/docs/guides/image-generation).

Errors: https://developers.openai.com/api/docs/guides/error-codes. Images are requested with the
official client, which is loaded for the first one; the free key check does not need it.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from pydantic import SecretStr

from imagegen.domain.errors import ProviderError
from imagegen.domain.outcomes import Outcome
from imagegen.domain.ports import ImageAnswer, ImageOrder, Json, ServedModels
from imagegen.providers.bounds import Deadline
from imagegen.providers.classification import key_fault, no_image, outcome_in_front
from imagegen.providers.download import Downloader, first_image
from imagegen.providers.faults import (
    HttpAnswer,
    answered_fault,
    bearer,
    counts_at,
    day_in,
    dig,
    items_at,
    key_text,
    outcome_of,
    raise_if,
    text_at,
    token,
    with_part,
)
from imagegen.providers.http import JsonHttp
from imagegen.providers.input_files import InputLimits, check_limits
from imagegen.providers.pictures import pictures_of
from imagegen.providers.refusals import is_refusal_code, states_refusal

if TYPE_CHECKING:
    from imagegen.providers.sdk import OpenAISdk

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
# 16 pictures of less than 50 MB, and a mask of less than 4 MB, in either meaning of MB.
LIMITS = InputLimits(takes_mask=True)
IMAGES_READ = ("usage", "input_tokens_details", "image_tokens")
"""Where an answer has the tokens of the input images."""
USAGE = {name: name for name in ("input_tokens", "output_tokens", "total_tokens")}


@dataclass(frozen=True)
class OpenAIProvider:
    """Makes images with OpenAI."""

    http: JsonHttp
    downloader: Downloader
    api_key: SecretStr
    base_url: str

    @cached_property
    def sdk(self) -> "OpenAISdk":
        """Return the official client.

        Raises:
            ProviderError: a header cannot contain the key.
        """
        from imagegen.providers.sdk import build_sdk  # noqa: PLC0415 - half a second

        key = key_text(NAME, self.api_key)
        return build_sdk(key, self.base_url, self.http.clock, self.http.max_bytes)

    def generate(self, order: ImageOrder, *, timeout_seconds: float) -> ImageAnswer:
        """Return the image; an address that is compatible with OpenAI's may answer with a link.

        Raises:
            ProviderError: there is no image; ``classify`` determines the outcome. ``NOT_CALLED``
                when the inputs cannot be sent, ``NO_IMAGE`` when they did not arrive.
        """
        check_limits(NAME, order, LIMITS)
        deadline = Deadline.after(timeout_seconds, self.http.clock)
        answer = self.sdk.create_image(
            to_body(order),
            order.inputs,
            timeout_seconds=timeout_seconds,
            on_preview=order.on_preview,
        )
        images = images_from(answer)
        if order.inputs and dig(answer.body, *IMAGES_READ) == 0:
            # It was drawn without what it should change.
            raise answered_fault(NAME, Outcome.NO_IMAGE, answer, code="input_not_read")
        content = first_image(images, self.downloader, deadline)
        if content is None:
            raise no_image(NAME, answer, data=dig(answer.body, "data", 0, "b64_json"))
        return ImageAnswer(content, token(answer.headers.get("x-request-id")), usage_of(answer))

    def check_key(self, *, timeout_seconds: float) -> None:
        """Raise unless the key is good; a restricted key that may not list models is good.

        Raises:
            ProviderError: the key is not accepted, or OpenAI does not answer.
        """
        self.models(timeout_seconds=timeout_seconds)

    def models(self, *, timeout_seconds: float) -> ServedModels | None:
        """Return the models, or ``None`` when a restricted key may not list them.

        Raises:
            ProviderError: there is no list.
        """
        headers = bearer(NAME, self.api_key)
        url = f"{self.base_url}/models"
        answer = self.http.get(url, headers=headers, timeout_seconds=timeout_seconds)
        if lacks_scope(answer):
            return None
        raise_if(key_fault(NAME, answer, classify(answer)))
        models = items_at(answer.body, "data")
        return {text_at(one, "id"): day_in(text_at(one, "shutdown_date")) for one in models}


def build(api_key: SecretStr, base_url: str) -> OpenAIProvider:
    """Return the provider."""
    return OpenAIProvider(JsonHttp(NAME), Downloader(NAME, base_url), api_key, base_url)


def to_body(order: ImageOrder) -> dict[str, Json]:
    """Return the body of POST /images/generations, and of /images/edits without its files."""
    return {
        **order.params,
        "model": order.model,
        "prompt": order.prompt,
        "n": 1,
        "safety_identifier": order.user,
    }


def images_from(answer: HttpAnswer) -> Iterator[bytes | str]:
    """Return the images in an answer, and links to images.

    Raises:
        ProviderError: the answer is an error.
    """
    raise_if(classify(answer))
    return iter([answer.image]) if answer.image else pictures_of(answer.body)


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
