"""Google Gemini images with generateContent (https://ai.google.dev/api/generate-content).

Errors: https://ai.google.dev/gemini-api/docs/troubleshooting. The status of a bad key is 400, that
of a refusal 200.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import quote

from pydantic import SecretStr

from imagegen.domain.errors import ProviderError
from imagegen.domain.outcomes import Outcome
from imagegen.domain.ports import ImageAnswer, ImageOrder, Json, ServedModels
from imagegen.providers.download import Downloader, first_image
from imagegen.providers.faults import (
    HttpAnswer,
    answered_fault,
    bounded_seconds,
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
from imagegen.providers.http import Deadline, JsonHttp
from imagegen.providers.pictures import pictures_in

NAME = "gemini"

REFUSED_FINISHES = frozenset(
    {
        "SAFETY",
        "PROHIBITED_CONTENT",
        "BLOCKLIST",
        "SPII",
        "RECITATION",
        "IMAGE_SAFETY",
        "IMAGE_PROHIBITED_CONTENT",
        "IMAGE_RECITATION",
        "ESCALATION",
    }
)
# A model that ends with STOP and returned only text may have declined in that text. If this counted
# as a failure, one user's prompts could open the circuit for all users.
REFUSAL_TEXT = re.compile(
    r"\b(?:can(?:no|['\u2019])t|unable to|not able to|won['\u2019]t)\b.{0,60}"
    r"\b(?:generat|creat|depict|draw|produc|fulfil|help|assist)"
    r"|\b(?:polic(?:y|ies)|guidelines|safety)\b",
    re.IGNORECASE | re.DOTALL,
)
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
            ProviderError: there is no image; ``classify`` determines the outcome.
        """
        deadline = Deadline.after(timeout_seconds, self.http.clock)
        answer = self.http.post(
            f"{self.base_url}/models/{quote(order.model, safe='')}:generateContent",
            headers=self._headers(),
            body=to_body(order),
            timeout_seconds=timeout_seconds,
        )
        content = first_image(images_from(answer), self.downloader, deadline)
        if content is None:
            raise _no_image(answer)
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
        raise_if(classify(answer))
        return answer

    def _headers(self) -> dict[str, str]:
        return {"x-goog-api-key": key_text(NAME, self.api_key)}


def build(api_key: SecretStr, base_url: str) -> GeminiProvider:
    """Return the provider."""
    return GeminiProvider(JsonHttp(NAME), Downloader(NAME, base_url), api_key, base_url)


def to_body(order: ImageOrder) -> dict[str, Json]:
    """Return the body of POST models/{model}:generateContent."""
    content: Json = {"role": "user", "parts": [{"text": order.prompt}]}
    return {"contents": [content], "generationConfig": order.params}


def images_from(answer: HttpAnswer) -> Iterator[bytes | str]:
    """Return the images in an answer, and links to images.

    Images in parts marked as thoughts are drafts, and words are not searched.

    Raises:
        ProviderError: the answer is an error.
    """
    raise_if(classify(answer))
    if answer.image:
        return iter([answer.image])
    parts = _final_parts(answer.body)
    return pictures_in([_without_words(part) for part in parts])


def usage_of(answer: HttpAnswer) -> dict[str, int] | None:
    """Return the billed tokens of an answer, ``None`` if it has no counts."""
    usage = counts_at(answer.body, USAGE, "usageMetadata")
    images = _count(answer.body, "promptTokensDetails", "IMAGE")
    words = _count(answer.body, "candidatesTokensDetails", "TEXT")
    return with_part(with_part(usage, "input_image_tokens", images), "output_text_tokens", words)


def classify(answer: HttpAnswer) -> ProviderError | None:
    """Return the error in an answer, ``None`` for a success."""
    if 200 <= answer.status < 300 and not dig(answer.body, "error"):
        return _refusal(answer)
    return answered_fault(
        NAME,
        _outcome(answer),
        answer,
        code=_reason(answer.body) or text_at(answer.body, "error", "status"),
        retry_after_seconds=_retry_delay(answer.body),
    )


def _outcome(answer: HttpAnswer) -> Outcome:
    refused_key = _reason(answer.body).startswith("API_KEY_")
    if refused_key or text_at(answer.body, "error", "status") == "FAILED_PRECONDITION":
        return Outcome.ACCOUNT
    return outcome_of(answer.status)


def _refusal(answer: HttpAnswer) -> ProviderError | None:
    block = text_at(answer.body, "promptFeedback", "blockReason")
    if block and block != "BLOCK_REASON_UNSPECIFIED":
        return answered_fault(NAME, Outcome.REFUSED, answer, code=block)
    finish = _finish(answer)
    if finish in REFUSED_FINISHES:
        return answered_fault(NAME, Outcome.REFUSED, answer, code=finish)
    if finish == "PUP_LIMITED_DISABLED":  # Google's own client attributes it to the account
        return answered_fault(NAME, Outcome.ACCOUNT, answer, code=finish)
    return None


def _no_image(answer: HttpAnswer) -> ProviderError:
    text = " ".join(text_at(part, "text") for part in _final_parts(answer.body))
    declined = _finish(answer) == "STOP" and REFUSAL_TEXT.search(text)
    outcome = Outcome.REFUSED if declined else Outcome.UNAVAILABLE
    return answered_fault(NAME, outcome, answer, code=_finish(answer))


def _finish(answer: HttpAnswer) -> str:
    return text_at(answer.body, "candidates", 0, "finishReason")


def _final_parts(body: Json) -> list[Json]:
    parts = items_at(body, "candidates", 0, "content", "parts")
    return [part for part in parts if dig(part, "thought") is not True]


def _without_words(part: Json) -> Json:
    if not isinstance(part, Mapping):
        return None
    return {name: one for name, one in part.items() if name != "text"}


def _count(body: Json, details: str, modality: str) -> Json:
    """Return the tokens of one modality, ``None`` if they are not listed."""
    listed = items_at(body, "usageMetadata", details)
    found = (dig(one, "tokenCount") for one in listed if text_at(one, "modality") == modality)
    return next(found, None)


def _reason(body: Json) -> str:
    details = items_at(body, "error", "details")
    return next((reason for item in details if (reason := text_at(item, "reason"))), "")


def _retry_delay(body: Json) -> int | None:
    for item in items_at(body, "error", "details"):
        if match := re.fullmatch(r"([0-9]{1,9}(?:\.[0-9]+)?)s", text_at(item, "retryDelay")):
            return bounded_seconds(float(match[1]))
    return None
