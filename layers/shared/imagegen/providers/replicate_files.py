"""Input images for Replicate: uploaded first, then named by their URLs.

https://replicate.com/docs/topics/predictions/input-files recommends data URIs only below 1 MB, and
Replicate's own clients upload by default. A prediction also repeats its input in every answer: an
inline image would come back with each poll. Uploads are free of charge and expire by themselves.
"""

from dataclasses import dataclass

from pydantic import SecretStr

from imagegen.domain.call_errors import ProviderError
from imagegen.domain.inputs import InputFile, Role
from imagegen.domain.outcomes import Outcome
from imagegen.domain.pixels import BrokenImageError
from imagegen.domain.ports import ImageOrder
from imagegen.providers.bounds import Deadline
from imagegen.providers.classification import no_image
from imagegen.providers.faults import HttpAnswer, bearer, fault, raise_if, text_at
from imagegen.providers.http import FilePart, JsonHttp
from imagegen.providers.input_files import (
    cannot_send,
    check_named_fields,
    file_name,
    named_fields,
)
from imagegen.providers.json_body import Body

NOT_ABOUT_THE_MODEL = frozenset({Outcome.UNKNOWN, Outcome.MODEL_GONE})
"""Nothing was drawn yet, so that no image can be in doubt, and the model was not asked."""


@dataclass(frozen=True, slots=True)
class FileUploader:
    """Uploads the inputs of an order."""

    http: JsonHttp
    api_key: SecretStr
    base_url: str

    def fields(self, order: ImageOrder, deadline: Deadline) -> dict[str, Body]:
        """Return the prediction's input fields for the order's pictures, after their upload.

        Raises:
            ProviderError: an input cannot be sent (``NOT_CALLED``), or an upload failed.
        """
        check_named_fields(self.http.provider, order)
        files = [
            (file_name(number, one), _content(self.http.provider, one), one.media_type)
            for number, one in enumerate(order.inputs, 1)
        ]
        urls = [self._upload(file, deadline) for file in files]
        return named_fields(self.http.provider, order, urls)

    def _upload(self, file: FilePart, deadline: Deadline) -> str:
        try:
            answer = self._post(file, deadline)
        except ProviderError as error:
            if error.outcome not in NOT_ABOUT_THE_MODEL:
                raise
            failure = fault(self.http.provider, Outcome.UNAVAILABLE, "an upload failed")
        else:
            if url := text_at(answer.body, "urls", "get"):
                return url
            failure = no_image(self.http.provider, answer)
        raise failure

    def _post(self, part: FilePart, deadline: Deadline) -> HttpAnswer:
        from imagegen.providers.replicate import classify  # noqa: PLC0415 - it imports this module

        answer = self.http.post(
            f"{self.base_url}/files",
            headers=bearer(self.http.provider, self.api_key),
            files={"content": part},
            timeout_seconds=deadline.remaining_seconds(),
        )
        raise_if(classify(answer))
        return answer


def _content(provider: str, file: InputFile) -> bytes:
    """Return the bytes of an input; those of a mask are a picture in which white may change."""
    if file.role is not Role.MASK:
        return file.content
    from imagegen.domain.masks import to_luminance  # noqa: PLC0415 - few requests have a mask

    try:
        return to_luminance(file.content)
    except BrokenImageError as error:
        failure = cannot_send(provider, f"its mask cannot be read: {error}")
    raise failure
