"""The inputs of one confirmed set, or of one call for several images, read once for all of them.

All images of a set have the same inputs, and begin together. Without this, each would read, hash
and check them by itself, and keep a copy of its own in memory.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any, Protocol

from imagegen.domain.inputs import InputFile, QuotedInput
from imagegen.wire.estimates import EstimateRequest
from imagegen.wire.inputs import MaskReference

FRESH_MS = 10_000
"""An image that begins later than this after the reading reads its inputs again before its hold, so
that an input which was deleted in the meantime still stops it."""


class Inputs(Protocol):
    """What reads the pictures that requests give: ``usecases.inputs.InputReader``."""

    def quoted(self, request: EstimateRequest, user: str) -> tuple[QuotedInput, ...]:
        """Return what a quote binds of the request's inputs, the mask last."""

    def files(self, inputs: tuple[QuotedInput, ...], user: str) -> tuple[InputFile, ...]:
        """Return the inputs of a quote with their bytes as providers get them."""


type Named = tuple[tuple[MaskReference, ...], MaskReference | None, str]
type Bound = tuple[tuple[QuotedInput, ...], str]


@dataclass(frozen=True, slots=True)
class SharedInputs:
    """``Inputs`` for the images of one set, which may run in threads.

    Only what was read well is shared: after an error, each image looks for itself.
    """

    reader: Inputs
    lock: AbstractContextManager[Any]
    now_ms: Callable[[], int]
    looked_at: dict[Named, tuple[int, tuple[QuotedInput, ...]]] = field(default_factory=dict)
    read: dict[Bound, tuple[int, tuple[InputFile, ...]]] = field(default_factory=dict)

    def quoted(self, request: EstimateRequest, user: str) -> tuple[QuotedInput, ...]:
        """Return what a quote binds of the request's inputs, the mask last.

        Raises:
            ImagegenError: as ``InputReader.quoted``.
        """
        key = (request.inputs, request.mask, user)
        return self._once(self.looked_at, key, lambda: self.reader.quoted(request, user))

    def files(self, inputs: tuple[QuotedInput, ...], user: str) -> tuple[InputFile, ...]:
        """Return the inputs of a quote with their bytes as providers get them.

        Raises:
            ImagegenError: as ``InputReader.files``.
        """
        return self._once(self.read, (inputs, user), lambda: self.reader.files(inputs, user))

    def _once[K, V](self, known: dict[K, tuple[int, V]], key: K, read: Callable[[], V]) -> V:
        asked_ms = self.now_ms()
        # Under the lock also while it reads: the other images wait instead of reading as well.
        with self.lock:
            at_ms, value = known.get(key, (0, None))
            if value is None or asked_ms - at_ms > FRESH_MS:
                at_ms = self.now_ms()
                value = read()
                known[key] = (at_ms, value)
            return value
