"""The images API that OpenAI began and many servers have: one way to order, read and check.

What is peculiar to a server is its ``Endpoint``. Images are requested with OpenAI's official
client, which is loaded for the first one; the free key check does not need it.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Protocol

from pydantic import SecretStr

from imagegen.domain.call_errors import ProviderError
from imagegen.domain.outcomes import Outcome
from imagegen.domain.ports import ImageAnswer, ImageOrder, Json, ServedModels
from imagegen.providers.bounds import Deadline
from imagegen.providers.classification import no_image
from imagegen.providers.download import Downloader, first_image
from imagegen.providers.faults import (
    HttpAnswer,
    answered_fault,
    billed,
    day_in,
    dig,
    items_at,
    raise_if,
    text_at,
    token,
)
from imagegen.providers.http import JsonHttp
from imagegen.providers.input_files import InputLimits, check_limits
from imagegen.providers.pictures import pictures_of

if TYPE_CHECKING:
    from imagegen.providers.sdk import OpenAISdk

# 16 pictures of less than 50 MB, and a mask of less than 4 MB, in either meaning of MB.
LIMITS = InputLimits(takes_mask=True)
IMAGES_READ = ("usage", "input_tokens_details", "image_tokens")
"""Where an answer has the tokens of the input images."""


class Endpoint(Protocol):
    """What is peculiar to one server that has OpenAI's images API."""

    @property
    def name(self) -> str:
        """Return the provider's name."""
        ...

    def headers(self, api_key: SecretStr) -> dict[str, str]:
        """Return the headers with the key.

        Raises:
            ProviderError: a header cannot contain the key.
        """
        ...

    def to_body(self, order: ImageOrder) -> dict[str, Json]:
        """Return the body of POST /images/generations, and of /images/edits without its files."""
        ...

    def classify(self, answer: HttpAnswer) -> ProviderError | None:
        """Return the error in an answer, ``None`` for a success."""
        ...

    def usage_of(self, answer: HttpAnswer) -> dict[str, int] | None:
        """Return what the answer says was billed, ``None`` if it says nothing."""
        ...

    @property
    def key_path(self) -> str:
        """Return the path that checks a key free of charge; empty if there is none."""
        ...

    @property
    def lists_models(self) -> bool:
        """Return whether ``/models`` lists the models."""
        ...

    def key_error(self, answer: HttpAnswer) -> ProviderError | None:
        """Return the error in the answer to a key check, ``None`` if the key is good."""
        ...


@dataclass(frozen=True)
class OpenAIProvider:
    """Makes images with OpenAI, or with another server that has its images API."""

    http: JsonHttp
    downloader: Downloader
    api_key: SecretStr
    base_url: str
    endpoint: Endpoint

    @cached_property
    def sdk(self) -> "OpenAISdk":
        """Return the official client.

        Raises:
            ProviderError: a header cannot contain the key.
        """
        from imagegen.providers.sdk import build_sdk  # noqa: PLC0415 - half a second

        headers = self.endpoint.headers(self.api_key)
        return build_sdk(self.endpoint.name, self.base_url, headers, http=self.http)

    def generate(self, order: ImageOrder, *, timeout_seconds: float) -> ImageAnswer:
        """Return the image; an address that is compatible with OpenAI's may answer with a link.

        Raises:
            ProviderError: there is no image; ``classify`` determines the outcome. ``NOT_CALLED``
                when the inputs cannot be sent, ``NO_IMAGE`` when they did not arrive.
        """
        name = self.endpoint.name
        check_limits(name, order, LIMITS)
        deadline = Deadline.after(timeout_seconds, self.http.clock)
        answer = self.sdk.create_image(
            self.endpoint.to_body(order),
            order.inputs,
            timeout_seconds=timeout_seconds,
            on_preview=order.on_preview,
        )
        raise_if(self.endpoint.classify(answer))
        if order.inputs and dig(answer.body, *IMAGES_READ) == 0:
            # It was drawn without what it should change.
            raise billed(answered_fault(name, Outcome.NO_IMAGE, answer, code="input_not_read"))
        content = first_image(pictures_of(answer), self.downloader, deadline)
        if content is None:
            raise no_image(name, answer, data=dig(answer.body, "data", 0, "b64_json"))
        job_id = token(answer.headers.get("x-request-id"))
        return ImageAnswer(content, job_id, self.endpoint.usage_of(answer))

    def check_key(self, *, timeout_seconds: float) -> None:
        """Raise unless the key is good; a restricted key that may not list models is good.

        Raises:
            ProviderError: the key is not accepted, or the server does not answer; ``NOT_CALLED``
                if it has no free check.
        """
        if not self.endpoint.key_path:
            name = self.endpoint.name
            raise ProviderError(name, Outcome.NOT_CALLED, f"{name} has no free check of its key.")
        self._get(self.endpoint.key_path, timeout_seconds)

    def models(self, *, timeout_seconds: float) -> ServedModels | None:
        """Return the models, or ``None`` without a list, or if a restricted key may not read it.

        Raises:
            ProviderError: there is no list.
        """
        if not self.endpoint.lists_models:
            return None
        answer = self._get("/models", timeout_seconds)
        if not 200 <= answer.status < 300:
            return None
        models = items_at(answer.body, "data")
        return {text_at(one, "id"): day_in(text_at(one, "shutdown_date")) for one in models}

    def _get(self, path: str, timeout_seconds: float) -> HttpAnswer:
        headers = self.endpoint.headers(self.api_key)
        url = f"{self.base_url}{path}"
        answer = self.http.get(url, headers=headers, timeout_seconds=timeout_seconds)
        raise_if(self.endpoint.key_error(answer))
        return answer
