"""Whether a model is still on Replicate (https://replicate.com/docs/reference/http#models.get)."""

from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import quote

from pydantic import SecretStr

from imagegen.domain.call_errors import ProviderError
from imagegen.domain.ports import ImageOrder
from imagegen.domain.vendor_prices import Statement
from imagegen.providers.faults import HttpAnswer, bearer, raise_if
from imagegen.providers.http import JsonHttp

NAME = "replicate"


@dataclass(frozen=True, slots=True)
class ModelLookup:
    """Looks models up by their names, free of charge."""

    http: JsonHttp
    api_key: SecretStr
    base_url: str
    classify: Callable[[HttpAnswer], ProviderError | None]

    def statement(self, order: ImageOrder, timeout_seconds: float) -> Statement:
        """Return that the model is there, without a price, which Replicate states nowhere.

        Raises:
            ProviderError: ``MODEL_GONE`` if it is not there; any other: it could not be looked up.
        """
        answer = self.http.get(
            f"{self.base_url}/models/{quote(order.model, safe='/')}",
            headers=bearer(NAME, self.api_key),
            timeout_seconds=timeout_seconds,
        )
        raise_if(self.classify(answer))
        return Statement()
