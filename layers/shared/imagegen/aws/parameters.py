"""Keys and flags in SSM Parameter Store: one path per stack, one read, cached five minutes."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from imagegen.aws.items import store_errors
from imagegen.domain.errors import StoreUnavailableError

if TYPE_CHECKING:
    from mypy_boto3_ssm import SSMClient

CACHE_MS = 300_000
RETRY_MS = 20_000
"""How long old values are used after a failed read."""


@dataclass(slots=True)
class SsmParameters:
    """The values of all parameters under a path."""

    client: "SSMClient"
    path: str
    now_ms: Callable[[], int]
    _values: Mapping[str, str] = field(default_factory=dict, repr=False)
    _read_ms: int = -CACHE_MS

    def values(self) -> Mapping[str, str]:
        """Return the parameters by the last part of their name, at most five minutes old.

        Raises:
            StoreUnavailableError: they were never read and cannot be read now.
        """
        if self.now_ms() - self._read_ms >= CACHE_MS:
            try:
                self._values = self._read()
            except StoreUnavailableError:
                if not self._values:
                    raise
                # Old keys are better than none. The pause keeps every request from waiting for SSM.
                self._read_ms = self.now_ms() - CACHE_MS + RETRY_MS
                return self._values
            self._read_ms = self.now_ms()
        return self._values

    def _read(self) -> dict[str, str]:
        pages = self.client.get_paginator("get_parameters_by_path").paginate(
            Path=self.path, WithDecryption=True
        )
        with store_errors("The configuration"):
            return {
                one["Name"].rpartition("/")[2]: one["Value"]
                for page in pages
                for one in page["Parameters"]
            }
