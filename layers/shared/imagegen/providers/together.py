"""Together AI images (https://docs.together.ai/reference/post-images-generations).

Errors: https://docs.together.ai/docs/error-codes.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from pydantic import SecretStr

from imagegen.domain.call_errors import ProviderError
from imagegen.domain.outcomes import Outcome
from imagegen.domain.ports import ImageAnswer, ImageOrder, Json, ServedModels
from imagegen.domain.vendor_prices import Statement
from imagegen.providers.bounds import Deadline
from imagegen.providers.classification import key_fault, no_image, outcome_in_front
from imagegen.providers.download import Downloader, first_image
from imagegen.providers.faults import (
    HttpAnswer,
    answered_fault,
    bearer,
    dig,
    items_at,
    outcome_of,
    raise_if,
    text_at,
    token,
)
from imagegen.providers.http import JsonHttp
from imagegen.providers.input_files import check_named_fields, data_url, named_fields
from imagegen.providers.json_body import Body
from imagegen.providers.pictures import pictures_of
from imagegen.providers.price_statements import microusd_of, usd_in
from imagegen.providers.refusals import is_refusal_code, states_refusal

NAME = "together"

GONE = frozenset({"model_not_available", "model_not_found"})
# The last one is a setting of an organization, which blocks nearly every image model until it is
# changed. As an account error it opens the provider's circuit at once, instead of one model after
# the other failing.
ACCOUNT = frozenset(
    {
        "invalid_api_key",
        "missing_api_key",
        "insufficient_credits",
        "spending_limit_reached",
        "credit_limit",
        "third_party_data_sharing_blocked",
    }
)
# Together documents its 401 and 402 by status (https://docs.together.ai/docs/error-codes), so their
# messages have to be read where the code is missing.
ACCOUNT_TEXT = re.compile(r"\bapi[ _-]?key\b|\bcredits?\b|\bspending\b|\bbilling\b", re.IGNORECASE)

ANY_IMAGE = re.compile(r"(?:price )?per (?:text-to-image )?image\.?", re.IGNORECASE)
SIZE = re.compile(r"(\d+)\s*[x\u00d7]\s*(\d+)")
STEPS = "min_steps"
"""The field with the steps that a price for pixels includes."""


@dataclass(frozen=True, slots=True)
class TogetherProvider:
    """Makes images with Together AI."""

    http: JsonHttp
    downloader: Downloader
    api_key: SecretStr
    base_url: str

    def generate(self, order: ImageOrder, *, timeout_seconds: float) -> ImageAnswer:
        """Return the image; if the answer contains a link, the image is downloaded from there.

        Raises:
            ProviderError: there is no image; ``classify`` determines the outcome. ``NOT_CALLED``
                when the inputs cannot be sent.
        """
        check_named_fields(NAME, order)
        deadline = Deadline.after(timeout_seconds, self.http.clock)
        answer = self.http.post(
            f"{self.base_url}/images/generations",
            headers=bearer(NAME, self.api_key),
            body=to_body(order),
            timeout_seconds=timeout_seconds,
        )
        content = first_image(images_from(answer), self.downloader, deadline)
        if content is None:
            raise no_image(NAME, answer, data=dig(answer.body, "data", 0, "b64_json"))
        return ImageAnswer(content, token(dig(answer.body, "id")))

    def check_key(self, *, timeout_seconds: float) -> None:
        """Raise unless the key is good.

        Raises:
            ProviderError: the key is not accepted, or Together does not answer.
        """
        self.models(timeout_seconds=timeout_seconds)

    def models(self, *, timeout_seconds: float) -> ServedModels:
        """Return the listed models; the list may still contain models that left serverless.

        Raises:
            ProviderError: there is no list.
        """
        return dict.fromkeys(self._listed(timeout_seconds))

    def stated_prices(
        self, orders: Sequence[ImageOrder], *, timeout_seconds: float
    ) -> list[Statement]:
        """Return the prices in the list of models; it may state none of a model.

        Raises:
            ProviderError: there is no list.
        """
        listed = self._listed(timeout_seconds)
        return [stated_in(listed.get(order.model), order) for order in orders]

    def _listed(self, timeout_seconds: float) -> dict[str, Json]:
        """Return the entries of the list by the models' ids."""
        url = f"{self.base_url}/models"
        headers = bearer(NAME, self.api_key)
        answer = self.http.get(url, headers=headers, timeout_seconds=timeout_seconds)
        raise_if(key_fault(NAME, answer, classify(answer)))
        # An answer that is a list of one object is read as that object.
        models = items_at(answer.body) or items_at(answer.body, "data") or [answer.body]
        return {text_at(model, "id"): model for model in models}


def build(api_key: SecretStr, base_url: str) -> TogetherProvider:
    """Return the provider."""
    return TogetherProvider(JsonHttp(NAME), Downloader(NAME, base_url), api_key, base_url)


def stated_in(model: Json, order: ImageOrder) -> Statement:
    """Return the price that an entry of the list states for an order.

    It states a price for a million pixels, with the steps that it includes, or one of an example.
    An example for another size than the order's is no price of the order.
    """
    pixels = usd_in(dig(model, "pricing", "image_pixel", "price_per_megapixel"))
    if pixels is not None:
        steps, included = order.params.get("steps"), dig(model, "pricing", "image_pixel", STEPS)
        usd = pixels * order.width * order.height / 1_000_000
        if type(steps) is int and type(included) is int and 0 < included < steps:
            usd = usd * steps / included
        return Statement(microusd_of(usd))
    example = usd_in(dig(model, "pricing", "image", "example_price"))
    words = text_at(model, "pricing", "image", "example_description")
    if example is None or not _is_of(words, order):
        return Statement()
    return Statement(microusd_of(example))


def _is_of(words: str, order: ImageOrder) -> bool:
    """Return whether the words beside an example's price describe the order, or any image."""
    size = SIZE.search(words)
    if size:
        return {int(size[1]), int(size[2])} == {order.width, order.height}
    return not words or bool(ANY_IMAGE.fullmatch(words.strip()))


def to_body(order: ImageOrder) -> dict[str, Body]:
    """Return the body of POST /images/generations; input images are data URLs."""
    images = named_fields(NAME, order, [data_url(one) for one in order.inputs])
    return {**order.params, **images, "model": order.model, "prompt": order.prompt, "n": 1}


def images_from(answer: HttpAnswer) -> Iterator[bytes | str]:
    """Return the images in an answer, and links to images.

    Raises:
        ProviderError: the answer is an error.
    """
    raise_if(classify(answer))
    return pictures_of(answer)


def classify(answer: HttpAnswer) -> ProviderError | None:
    """Return the error in an answer, ``None`` for a success."""
    if 200 <= answer.status < 300 and not dig(answer.body, "error"):
        return None
    code = text_at(answer.body, "error", "code") or text_at(answer.body, "error", "type")
    return answered_fault(NAME, _outcome(answer), answer, code=code)


def _outcome(answer: HttpAnswer) -> Outcome:
    error = dig(answer.body, "error")
    if not isinstance(error, Mapping):
        return outcome_in_front(answer)
    words, message = {text_at(error, "code"), text_at(error, "type")}, text_at(error, "message")
    if words & GONE:
        return Outcome.MODEL_GONE
    is_about_account = answer.status in {401, 402} and ACCOUNT_TEXT.search(message)
    if words & ACCOUNT or is_about_account:
        return Outcome.ACCOUNT
    if answer.status in {401, 402, 404, 429}:
        return outcome_of(answer.status)
    # Together does not document the body of a refusal. Most models belong to other vendors, whose
    # messages it passes on, whatever the status.
    if any(map(is_refusal_code, words)) or states_refusal(message):
        return Outcome.REFUSED
    return outcome_of(answer.status)
