"""Stability AI's models on Amazon Bedrock: no key, the function's role is the credential.

Requests and answers: https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-stability-diffusion.html.
Errors: https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_InvokeModel.html.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from imagegen.domain.call_errors import ProviderError
from imagegen.domain.outcomes import Outcome
from imagegen.domain.ports import ImageAnswer, ImageOrder, Json, ServedModels
from imagegen.providers import PROVIDERS, RoleAccess
from imagegen.providers.bedrock_client import (
    CATALOG,
    NAME,
    RUNTIME,
    BedrockClient,
    error_code,
    error_message,
)
from imagegen.providers.bounds import Deadline
from imagegen.providers.classification import no_image, outcome_in_front
from imagegen.providers.download import Downloader, first_image
from imagegen.providers.faults import (
    HttpAnswer,
    answered_fault,
    day_in,
    dig,
    items_at,
    outcome_of,
    raise_if,
    text_at,
    token,
)
from imagegen.providers.http import JsonHttp
from imagegen.providers.input_files import check_named_fields
from imagegen.providers.pictures import pictures_of
from imagegen.providers.refusals import states_refusal

ACCESS_DENIED = "AccessDeniedException"
# Of bedrock-runtime, and those that AWS itself answers about credentials
# (https://docs.aws.amazon.com/bedrock/latest/APIReference/CommonErrors.html).
OUTCOMES: Mapping[str, Outcome] = {
    ACCESS_DENIED: Outcome.ACCOUNT,
    "ExpiredTokenException": Outcome.ACCOUNT,
    "IncompleteSignatureException": Outcome.ACCOUNT,
    "InvalidClientTokenId": Outcome.ACCOUNT,
    "InvalidSignatureException": Outcome.ACCOUNT,
    "MissingAuthenticationTokenException": Outcome.ACCOUNT,
    "NotAuthorized": Outcome.ACCOUNT,
    "OptInRequired": Outcome.ACCOUNT,
    "UnrecognizedClientException": Outcome.ACCOUNT,
    # Of a day or a month: waiting some seconds does not help.
    "ServiceQuotaExceededException": Outcome.ACCOUNT,
    "ResourceNotFoundException": Outcome.MODEL_GONE,
    "ValidationException": Outcome.BAD_PARAMETER,
    "ThrottlingException": Outcome.RATE_LIMITED,
    "ModelNotReadyException": Outcome.RATE_LIMITED,
    # The model did not answer Bedrock in time, so that the image may have been made.
    "ModelTimeoutException": Outcome.UNKNOWN,
    "ModelErrorException": Outcome.UNAVAILABLE,
    "InternalFailure": Outcome.UNAVAILABLE,
    "InternalServerException": Outcome.UNAVAILABLE,
    "ServiceUnavailable": Outcome.UNAVAILABLE,
    "ServiceUnavailableException": Outcome.UNAVAILABLE,
}
# A model that a Region never had is refused as a wrong parameter.
UNKNOWN_MODEL = re.compile(r"\bmodel identifier is invalid\b", re.IGNORECASE)
# A 403 for one model: it is not granted, in a policy by its ARN, or left to those who use it.
ONE_MODEL = re.compile(
    r"\b(?:the|this) model\b|:(?:foundation-model|inference-profile)/", re.IGNORECASE
)
# What an account lacks for all models, although the words also name the one that was asked for.
WHOLE_ACCOUNT = re.compile(r"payment|marketplace", re.IGNORECASE)
FILTERED = re.compile(r"\s*filter reason\b", re.IGNORECASE)
FAILED = re.compile(r"\s*inference error\b", re.IGNORECASE)
GUARDRAIL_ACTION = "amazon-bedrock-guardrailAction"


@dataclass(frozen=True, slots=True)
class BedrockProvider:
    """Makes images with Stability AI's models on Bedrock."""

    http: JsonHttp
    downloader: Downloader
    access: RoleAccess
    endpoint: str

    def generate(self, order: ImageOrder, *, timeout_seconds: float) -> ImageAnswer:
        """Return the image.

        Raises:
            ProviderError: there is no image; ``classify`` determines the outcome. ``NOT_CALLED``
                when there are inputs, which no model here takes.
        """
        check_named_fields(NAME, order)
        deadline = Deadline.after(timeout_seconds, self.http.clock)
        answer = self._client.call(
            RUNTIME,
            "invoke_model",
            timeout_seconds=timeout_seconds,
            modelId=order.model,
            body=json.dumps(to_body(order)).encode(),
            contentType="application/json",
            accept="application/json",
        )
        content = first_image(images_from(answer), self.downloader, deadline)
        if content is None:
            raise no_image(NAME, answer, data=dig(answer.body, "images", 0))
        return ImageAnswer(content, token(answer.headers.get("x-amzn-requestid")))

    def check_key(self, *, timeout_seconds: float) -> None:
        """Raise unless the role may list the models of the Region.

        Raises:
            ProviderError: the role is not accepted, or Bedrock does not answer.
        """
        self.models(timeout_seconds=timeout_seconds)

    def models(self, *, timeout_seconds: float) -> ServedModels:
        """Return the image models of the Region, each with its announced last day.

        Raises:
            ProviderError: there is no list.
        """
        answer = self._client.call(
            CATALOG,
            "list_foundation_models",
            timeout_seconds=timeout_seconds,
            byOutputModality="IMAGE",
            byInferenceType="ON_DEMAND",
        )
        raise_if(classify(answer))
        return {
            text_at(one, "modelId"): day_in(text_at(one, "modelLifecycle", "endOfLifeTime"))
            for one in items_at(answer.body, "modelSummaries")
        }

    @property
    def _client(self) -> BedrockClient:
        return BedrockClient(self.http, self.access, self.endpoint)


def build(access: RoleAccess, endpoint: str) -> BedrockProvider:
    """Return the provider."""
    return BedrockProvider(JsonHttp(NAME), Downloader(NAME, endpoint), access, endpoint)


def to_body(order: ImageOrder) -> dict[str, Json]:
    """Return the body of InvokeModel; one image is made of it."""
    return {**order.params, "prompt": order.prompt}


def images_from(answer: HttpAnswer) -> Iterator[bytes | str]:
    """Return the images in an answer.

    Raises:
        ProviderError: the answer is an error, or a success that says why there is no image.
    """
    raise_if(classify(answer))
    return pictures_of(answer)


def classify(answer: HttpAnswer) -> ProviderError | None:
    """Return the error in an answer, ``None`` for a success.

    A refusal is a success with a reason, whether or not a picture comes with it.
    """
    code = error_code(answer)
    if 200 <= answer.status < 300 and code not in OUTCOMES:
        outcome = _ended(answer.body)
        return None if outcome is None else answered_fault(NAME, outcome, answer)
    outcome = _outcome(answer, code)
    is_denied = outcome is Outcome.ACCOUNT or code == ACCESS_DENIED
    advice = PROVIDERS[NAME].advice if is_denied else ""
    return answered_fault(NAME, outcome, answer, code=code, advice=advice)


def _outcome(answer: HttpAnswer, code: str) -> Outcome:
    if not code:
        return outcome_in_front(answer)
    outcome = OUTCOMES.get(code)
    if outcome is None:
        return outcome_of(answer.status)
    message = error_message(answer.body)
    if code == ACCESS_DENIED and ONE_MODEL.search(message) and not WHOLE_ACCOUNT.search(message):
        return Outcome.MODEL_GONE
    if outcome is Outcome.BAD_PARAMETER:
        if UNKNOWN_MODEL.search(message):
            return Outcome.MODEL_GONE
        return Outcome.REFUSED if states_refusal(message) else outcome
    return outcome


def _ended(body: Json) -> Outcome | None:
    """Return the outcome that a success states, ``None`` if it states none."""
    reasons = items_at(body, "finish_reasons") or [dig(body, "finish_reasons")]
    texts = [one for one in reasons if isinstance(one, str)]
    if any(map(FILTERED.match, texts)) or text_at(body, GUARDRAIL_ACTION) == "INTERVENED":
        return Outcome.REFUSED
    return Outcome.UNAVAILABLE if any(map(FAILED.match, texts)) else None
