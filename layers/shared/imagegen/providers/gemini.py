"""Google Gemini images with generateContent (https://ai.google.dev/api/generate-content).

Errors: https://ai.google.dev/gemini-api/docs/troubleshooting. The status of a bad key is 400, that
of a refusal 200.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from urllib.parse import quote

from pydantic import SecretStr

from imagegen.domain.call_errors import ProviderError
from imagegen.domain.outcomes import Outcome
from imagegen.domain.ports import ImageAnswer, ImageOrder, Json, ServedModels
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
    with_part,
)
from imagegen.providers.gemini_parts import (
    error_reason,
    final_parts,
    retry_delay,
    tokens_of,
    without_words,
)
from imagegen.providers.http import JsonHttp
from imagegen.providers.input_files import InputLimits, check_limits, inline_parts
from imagegen.providers.json_body import Body
from imagegen.providers.pictures import pictures_in, pictures_of
from imagegen.providers.refusals import declines, is_refusal_code, states_refusal

NAME = "gemini"

REFUSED_FINISHES = frozenset(
    {
        *("SAFETY", "PROHIBITED_CONTENT", "BLOCKLIST", "SPII", "RECITATION", "ESCALATION"),
        *("IMAGE_SAFETY", "IMAGE_PROHIBITED_CONTENT", "IMAGE_RECITATION"),
    }
)
# With one of these and no image, the prompt or the picture was declined: ``IMAGE_OTHER`` and
# ``OTHER`` come from filters of the output, ``NO_IMAGE`` and ``LANGUAGE`` from what was asked for.
DECLINED_FINISHES = frozenset({"IMAGE_OTHER", "OTHER", "NO_IMAGE", "LANGUAGE"})
# With one of these the answer broke off: its words are not the model's last ones.
BROKEN_FINISHES = frozenset(
    {"MAX_TOKENS", "UNEXPECTED_TOOL_CALL", "TOO_MANY_TOOL_CALLS", "MISSING_THOUGHT_SIGNATURE"}
)
# "The user account is limited or disabled", says Google's own client (google-genai 3.4.0). A
# limited one may still draw other prompts, and this is the end of one answer: it counts as a
# failure of its user, so that a disabled account closes the provider and one user does not.
LIMITED_FINISH = "PUP_LIMITED_DISABLED"
LIMITED_ADVICE = "Google limits or has disabled the account, for its Prohibited Use Policy."
# Google's reasons for an error of the key or its project
# (https://docs.cloud.google.com/apis/docs/reference/rpc/google.api#errorreason).
KEY_REASONS = frozenset(
    {
        *("CONSUMER_INVALID", "CONSUMER_SUSPENDED", "BILLING_DISABLED", "SERVICE_DISABLED"),
        *("USER_PROJECT_DENIED", "ACCESS_TOKEN_EXPIRED", "ACCESS_TOKEN_TYPE_UNSUPPORTED"),
        *("CREDENTIALS_MISSING", "LOCATION_POLICY_VIOLATED"),
    }
)
# A 403 without a reason may be about one model, unless its message is about the key.
KEY_TEXT = re.compile(r"\bAPI key\b|unregistered callers|project has been denied", re.IGNORECASE)
# A whole request may have about 20 MB, of which the prompt and the frame need some.
LIMITS = InputLimits(most_pictures=14, most_encoded_bytes=19_000_000)
USAGE = {
    "promptTokenCount": "input_tokens",
    "candidatesTokenCount": "output_tokens",
    "thoughtsTokenCount": "thought_tokens",
    "totalTokenCount": "total_tokens",
}


@dataclass(frozen=True, slots=True)
class GeminiProvider:
    """Makes images with the Gemini API."""

    http: JsonHttp
    downloader: Downloader
    api_key: SecretStr
    base_url: str

    def generate(self, order: ImageOrder, *, timeout_seconds: float) -> ImageAnswer:
        """Return the image.

        Raises:
            ProviderError: there is no image; ``classify`` determines the outcome. ``NOT_CALLED``
                when the inputs cannot be sent.
        """
        check_limits(NAME, order, LIMITS)
        deadline = Deadline.after(timeout_seconds, self.http.clock)
        url = f"{self.base_url}/models/{quote(order.model, safe='')}:generateContent"
        headers, body = self._headers(), to_body(order)
        answer = self.http.post(url, headers=headers, body=body, timeout_seconds=timeout_seconds)
        content = first_image(images_from(answer), self.downloader, deadline)
        if content is None:
            parts = final_parts(answer.body)
            encoded = (data for one in parts if (data := dig(one, "inlineData", "data")))
            raise _refusal_in(answer, parts) or _no_image(answer, parts, next(encoded, None))
        return ImageAnswer(content, token(dig(answer.body, "responseId")), usage_of(answer))

    def check_key(self, *, timeout_seconds: float) -> None:
        """Raise unless the key is good.

        Raises:
            ProviderError: the key is not accepted, or Google does not answer.
        """
        self._list(page_size=1, timeout_seconds=timeout_seconds)

    def models(self, *, timeout_seconds: float) -> ServedModels:
        """Return the models; one page contains them all.

        Raises:
            ProviderError: there is no list.
        """
        answer = self._list(page_size=1000, timeout_seconds=timeout_seconds)
        names = (text_at(model, "name") for model in items_at(answer.body, "models"))
        return {name.removeprefix("models/"): None for name in names}

    def _list(self, *, page_size: int, timeout_seconds: float) -> HttpAnswer:
        url = f"{self.base_url}/models?pageSize={page_size}"
        answer = self.http.get(url, headers=self._headers(), timeout_seconds=timeout_seconds)
        raise_if(classify_key_check(answer))
        return answer

    def _headers(self) -> dict[str, str]:
        return {"x-goog-api-key": key_text(NAME, self.api_key)}


def build(api_key: SecretStr, base_url: str) -> GeminiProvider:
    """Return the provider."""
    return GeminiProvider(JsonHttp(NAME), Downloader(NAME, base_url), api_key, base_url)


def to_body(order: ImageOrder) -> dict[str, Body]:
    """Return the body of POST models/{model}:generateContent: the inputs, then the text."""
    parts = [*inline_parts(order), {"text": order.prompt}]
    content: Body = {"role": "user", "parts": parts}
    return {"contents": [content], "generationConfig": order.params}


def images_from(answer: HttpAnswer) -> Iterator[bytes | str]:
    """Return the images in an answer, and links to images.

    Images in parts marked as thoughts are drafts, and words are not searched. A gateway at the base
    URL may answer in a form of another vendor.

    Raises:
        ProviderError: the answer is an error.
    """
    raise_if(classify(answer))
    if dig(answer.body, "candidates") is None:
        return pictures_of(answer)
    parts = final_parts(answer.body)
    return pictures_in([without_words(part) for part in parts])


def usage_of(answer: HttpAnswer) -> dict[str, int] | None:
    """Return the billed tokens of an answer, ``None`` if it has no counts."""
    usage = counts_at(answer.body, USAGE, "usageMetadata")
    images = tokens_of(answer.body, "promptTokensDetails", "IMAGE")
    words = tokens_of(answer.body, "candidatesTokensDetails", "TEXT")
    return with_part(with_part(usage, "input_image_tokens", images), "output_text_tokens", words)


def classify(answer: HttpAnswer) -> ProviderError | None:
    """Return the error in an answer, ``None`` for a success."""
    if 200 <= answer.status < 300 and not dig(answer.body, "error"):
        return _refusal(answer)
    return answered_fault(
        NAME,
        _outcome(answer),
        answer,
        code=error_reason(answer.body) or text_at(answer.body, "error", "status"),
        retry_after_seconds=retry_delay(answer.body),
    )


def classify_key_check(answer: HttpAnswer) -> ProviderError | None:
    """Return the error in the answer to a request without a model: a missing right is the key's."""
    error = key_fault(NAME, answer, classify(answer))
    if error and text_at(answer.body, "error", "status") == "PERMISSION_DENIED":
        return answered_fault(NAME, Outcome.ACCOUNT, answer, code=error.provider_code)
    return error


def _outcome(answer: HttpAnswer) -> Outcome:
    if not isinstance(dig(answer.body, "error"), Mapping):
        return outcome_in_front(answer)
    reason, kind = error_reason(answer.body), text_at(answer.body, "error", "status")
    message = text_at(answer.body, "error", "message")
    is_known = reason.startswith("API_KEY_") or reason in KEY_REASONS
    if is_known or kind in {"FAILED_PRECONDITION", "UNAUTHENTICATED"}:
        return Outcome.ACCOUNT
    if answer.status == 403 and KEY_TEXT.search(message):
        return Outcome.ACCOUNT
    if answer.status in {200, 400, 403} and states_refusal(message):
        return Outcome.REFUSED
    return outcome_of(answer.status)


def _refusal(answer: HttpAnswer) -> ProviderError | None:
    block = text_at(answer.body, "promptFeedback", "blockReason")
    if block and block != "BLOCK_REASON_UNSPECIFIED":
        return answered_fault(NAME, Outcome.REFUSED, answer, code=block)
    finish = _finish(answer)
    if finish in REFUSED_FINISHES:
        return answered_fault(NAME, Outcome.REFUSED, answer, code=finish)
    if finish == LIMITED_FINISH:
        return answered_fault(NAME, Outcome.UNAVAILABLE, answer, code=finish, advice=LIMITED_ADVICE)
    return None


def _refusal_in(answer: HttpAnswer, parts: list[Json]) -> ProviderError | None:
    """Return the refusal in a success without an image; it may be in words, with STOP."""
    finish = _finish(answer)
    if finish in BROKEN_FINISHES or finish.startswith("MALFORMED_"):
        return answered_fault(NAME, Outcome.NO_IMAGE, answer, code=finish)
    words = " ".join(text_at(part, "text") for part in parts)
    message = text_at(answer.body, "candidates", 0, "finishMessage")
    declined = finish in DECLINED_FINISHES or is_refusal_code(finish)
    if declined or declines(words) or states_refusal(message):
        return answered_fault(NAME, Outcome.REFUSED, answer, code=finish)
    return None


def _no_image(answer: HttpAnswer, parts: list[Json], data: Json) -> ProviderError:
    """Return the error for an answer without an image, read without its thoughts."""
    if dig(answer.body, "choices"):
        return no_image(NAME, answer)  # in the form of a chat
    ratings = dig(answer.body, "candidates", 0, "safetyRatings")
    feedback = dig(answer.body, "promptFeedback")
    body: Json = {"promptFeedback": feedback, "safetyRatings": ratings, "parts": parts}
    return no_image(NAME, replace(answer, body=body), data=data, code=_finish(answer))


def _finish(answer: HttpAnswer) -> str:
    return text_at(answer.body, "candidates", 0, "finishReason")
