"""Several keys for one provider: a refused key is set aside and the next one is used.

Only a refusal of the key itself (``ACCOUNT``) leads to the next key, because then no image was
made. After a lost answer no other key is tried, because the first key's account may still be
billed. If a question that should be free turns out to be billed, no other key is tried either, and
the question is not asked again.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, cast

from imagegen.domain.call_errors import ProviderError
from imagegen.domain.inputs import InputFile
from imagegen.domain.outcomes import Outcome
from imagegen.domain.ports import (
    ImageAnswer,
    ImageOrder,
    ImageProvider,
    Moderation,
    Moderator,
    ServedModels,
)
from imagegen.domain.vendor_prices import Statement, source_of
from imagegen.providers.faults import fault

if TYPE_CHECKING:
    # Few runs have jobs.
    from imagegen.domain.jobs import JobProvider

SET_ASIDE_MS = 600_000
"""How long this instance does not use a refused key: as long as a circuit stays open."""
MIN_CALL_SECONDS = 1.0
"""With less time left, no further key is tried."""


@cache
def parse_keys(text: str) -> tuple[str, ...]:
    """Return the keys of a ``key[,key...]`` text in order, without duplicates."""
    return tuple(dict.fromkeys(filter(None, (one.strip() for one in text.split(",")))))


def usable_keys(until_ms: Sequence[int], *, now_ms: int) -> list[int]:
    """Return the indexes of the keys to use, in order; all indexes when all keys are set aside.

    ``until_ms`` contains, for each key, until when it is set aside. A call is still made when all
    are set aside, because the circuit lets one through to check whether a key works again.
    """
    available = [index for index, until in enumerate(until_ms) if until <= now_ms]
    return available or list(range(len(until_ms)))


@dataclass(slots=True)
class Keychain[Client]:
    """One client for each key of a provider, and until when each key is set aside."""

    provider: str
    clients: Sequence[Client]
    now_ms: Callable[[], int]
    on_set_aside: Callable[[str, int], None] = lambda _provider, _number: None
    """Called with the provider and the number of the refused key, counted from 1."""
    _until_ms: list[int] = field(init=False)
    _billed: ProviderError | None = field(init=False, default=None)
    """The error of a free question that was billed."""

    def __post_init__(self) -> None:
        self._until_ms = [0] * len(self.clients)

    def use[Answer](
        self, call: Callable[[Client, float], Answer], *, timeout_seconds: float
    ) -> Answer:
        """Return the answer to the first key that is accepted; the time limit covers all keys.

        Raises:
            ProviderError: ``ACCOUNT`` when every key was refused, else the error of a call.
        """
        started_ms = self.now_ms()
        end_ms = started_ms + int(timeout_seconds * 1000)
        self._raise_if_billed()
        refused: ProviderError | None = None
        for index in usable_keys(self._until_ms, now_ms=started_ms):
            left_seconds = (end_ms - self.now_ms()) / 1000
            if left_seconds < min(MIN_CALL_SECONDS, timeout_seconds):
                raise fault(self.provider, Outcome.UNAVAILABLE, "no time left for its next key")
            try:
                return self._call(index, call, left_seconds)
            except ProviderError as error:
                if error.outcome is not Outcome.ACCOUNT or error.ends_checks:
                    raise
                refused = error
        raise refused or self._no_key()

    def check(self, call: Callable[[Client, float], None], *, timeout_seconds: float) -> None:
        """Raise unless at least one key is good; every key is checked.

        Raises:
            ProviderError: no key is good; ``ACCOUNT`` only when every one was refused, or when a
                check was billed.
        """
        self._raise_if_billed()
        results = [
            self._check_one(index, call, timeout_seconds) for index in range(len(self.clients))
        ]
        faults = [error for error in results if error is not None]
        if len(faults) < len(results):
            return
        unsure = (error for error in faults if error.outcome is not Outcome.ACCOUNT)
        refused = faults[-1] if faults else self._no_key()
        raise next(unsure, refused)

    def _no_key(self) -> ProviderError:
        return fault(self.provider, Outcome.ACCOUNT, "no key is set")

    def _check_one(
        self, index: int, call: Callable[[Client, float], None], timeout_seconds: float
    ) -> ProviderError | None:
        try:
            self._call(index, call, timeout_seconds / len(self.clients))
        except ProviderError as error:
            if error.ends_checks:
                raise
            return error
        return None

    def _raise_if_billed(self) -> None:
        if self._billed is not None:
            raise self._billed.with_traceback(None)

    def _call[Answer](
        self, index: int, call: Callable[[Client, float], Answer], timeout_seconds: float
    ) -> Answer:
        try:
            answer = call(self.clients[index], timeout_seconds)
        except ProviderError as error:
            if error.ends_checks:
                self._billed = error
            elif error.outcome is Outcome.ACCOUNT:
                self._until_ms[index] = self.now_ms() + SET_ASIDE_MS
                self.on_set_aside(self.provider, index + 1)
            raise
        self._until_ms[index] = 0
        return answer


@dataclass(frozen=True, slots=True)
class KeyedProvider:
    """An ``ImageProvider`` over several keys of one provider."""

    keys: Keychain[ImageProvider]

    def generate(self, order: ImageOrder, *, timeout_seconds: float) -> ImageAnswer:
        """Return the image made with the first accepted key.

        Raises:
            ProviderError: ``ACCOUNT`` when every key was refused, else the error of the call.
        """
        return self.keys.use(
            lambda one, seconds: one.generate(order, timeout_seconds=seconds),
            timeout_seconds=timeout_seconds,
        )

    def check_key(self, *, timeout_seconds: float) -> None:
        """Raise unless at least one of the keys is good.

        Raises:
            ProviderError: ``ACCOUNT`` when every key is refused, else the error of a check.
        """
        self.keys.check(
            lambda one, seconds: one.check_key(timeout_seconds=seconds),
            timeout_seconds=timeout_seconds,
        )

    def models(self, *, timeout_seconds: float) -> ServedModels | None:
        """Return the models that the provider lists for the first accepted key.

        Raises:
            ProviderError: there is no list.
        """
        return self.keys.use(
            lambda one, seconds: one.models(timeout_seconds=seconds),
            timeout_seconds=timeout_seconds,
        )

    def stated_prices(
        self, orders: Sequence[ImageOrder], *, timeout_seconds: float
    ) -> Sequence[Statement] | None:
        """Return what the vendor states for the first accepted key, ``None`` if it states nothing.

        Raises:
            ProviderError: it could not be asked.
        """
        return self.keys.use(
            lambda one, seconds: _stated(one, orders, seconds),
            timeout_seconds=timeout_seconds,
        )

    def job_result(self, ticket: str, *, timeout_seconds: float) -> ImageAnswer | None:
        """Return the image of a job, ``None`` while it runs or if it cannot be asked for now.

        It is not known which key ordered it, so that each is tried, in equal shares of the time.

        Raises:
            ProviderError: the job ended without an image. ``UNKNOWN`` only if no key has it.
        """
        share_seconds, missing = timeout_seconds / max(1, len(self.keys.clients)), 0
        for client in self.keys.clients:
            try:
                answer = cast("JobProvider", client).job_result(
                    ticket, timeout_seconds=share_seconds
                )
            except ProviderError as error:
                if error.outcome is not Outcome.UNKNOWN:
                    raise
                missing += 1
                continue
            if answer is not None:
                return answer
        if missing and missing == len(self.keys.clients):
            raise fault(self.keys.provider, Outcome.UNKNOWN, "the job is not known any more")
        return None


def _stated(
    provider: ImageProvider, orders: Sequence[ImageOrder], timeout_seconds: float
) -> Sequence[Statement] | None:
    source = source_of(provider)
    return None if source is None else source.stated_prices(orders, timeout_seconds=timeout_seconds)


@dataclass(frozen=True, slots=True)
class KeyedModerator:
    """A ``Moderator`` over several keys."""

    keys: Keychain[Moderator]

    @property
    def reads_pictures(self) -> bool:
        """Whether pictures can be checked."""
        return all(one.reads_pictures for one in self.keys.clients)

    def check(
        self, prompt: str, pictures: Sequence[InputFile] = (), *, timeout_seconds: float
    ) -> Moderation:
        """Return the verdict for the first accepted key.

        Raises:
            ProviderError: there is no verdict.
        """
        return self.keys.use(
            lambda one, seconds: one.check(prompt, pictures, timeout_seconds=seconds),
            timeout_seconds=timeout_seconds,
        )
