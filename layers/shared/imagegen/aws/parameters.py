"""Keys and flags in SSM Parameter Store: one path per stack, one read, cached five minutes.

One parameter has all keys and flags of the providers as a JSON object, so that one call reads all
parameters, however many providers there are: a page has ten, and an account 40 calls a second. A
parameter of its own for one key or flag overrides it (an older version stored each by itself).
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from imagegen.aws.items import store_errors
from imagegen.domain.errors import ConfigurationError, StoreUnavailableError

if TYPE_CHECKING:
    from mypy_boto3_ssm import SSMClient

VALUES_CACHE_MS = 300_000
SPREAD_MS = 60_000
"""The time over which instances that started together spread their next read. Lambda starts a
thousand in ten seconds; without it, five minutes later all would read at the same moment."""
KEYS_AND_FLAGS = "KEYS_AND_FLAGS"
"""The parameter that has the JSON object."""
LAST_KEY = "IMAGE_ID_KEY"
"""The parameter that the first deployment stores last: without it others may be missing, too."""
RETRY_MS = 20_000
"""How long old values are used after a failed read, and all values before the first keys are there.

A schedule runs as soon as it is made, and its instance would be without keys for five minutes:
https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html#rate-based"""


def _at_once() -> int:
    """Return 0: the values are read again after exactly five minutes."""
    return 0


@dataclass(slots=True)
class SsmParameters:
    """The values of all parameters under a path."""

    client: "SSMClient"
    path: str
    now_ms: Callable[[], int]
    earlier_ms: Callable[[], int] = _at_once
    """By how much earlier than after five minutes the values are read again: another time after
    each read."""
    _values: Mapping[str, str] = field(default_factory=dict, repr=False)
    _read_ms: int = -VALUES_CACHE_MS

    def values(self) -> Mapping[str, str]:
        """Return the parameters by the last part of their name, at most five minutes old.

        Before a stack's first keys are there, they are 20 s old at most.

        Raises:
            StoreUnavailableError: they were never read and cannot be read now.
            ConfigurationError: they were never read, and the JSON object is invalid.
        """
        if self.now_ms() - self._read_ms >= VALUES_CACHE_MS:
            try:
                self._values = self._read()
            except (StoreUnavailableError, ConfigurationError):
                if not self._values:
                    raise
                # Old keys are better than none. The pause keeps every request from waiting for SSM.
                self._read_ms = self.now_ms() - VALUES_CACHE_MS + RETRY_MS
                return self._values
            age_ms = self.earlier_ms() if LAST_KEY in self._values else VALUES_CACHE_MS - RETRY_MS
            self._read_ms = self.now_ms() - age_ms
        return self._values

    def _read(self) -> dict[str, str]:
        pages = self.client.get_paginator("get_parameters_by_path").paginate(
            Path=self.path, WithDecryption=True
        )
        with store_errors("The configuration"):
            found = {
                one["Name"].rpartition("/")[2]: one["Value"]
                for page in pages
                for one in page["Parameters"]
            }
        return with_keys_and_flags(found)


def with_keys_and_flags(found: Mapping[str, str]) -> dict[str, str]:
    """Return parameters with those that are in the JSON object; one of its own comes first.

    Raises:
        ConfigurationError: the object is not JSON, or has a value that is not text.
    """
    own = dict(found)
    try:
        packed = json.loads(own.pop(KEYS_AND_FLAGS, "{}"))
    except ValueError:
        packed = None
    if not isinstance(packed, dict) or not all(isinstance(one, str) for one in packed.values()):
        # The value is not quoted: it contains keys.
        raise ConfigurationError(
            f"{KEYS_AND_FLAGS} in Parameter Store is not a JSON object of texts: "
            "run `make deploy-env`."
        )
    return {**packed, **own}
