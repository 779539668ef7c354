"""Several keys for one provider: one that is refused is set aside and the next is used.

Only a refusal of the key itself moves on, for it says that nothing was drawn. An answer that was
lost never does: the first key's account may still be billed for it.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from imagegen.domain.errors import ProviderError
from imagegen.domain.outcomes import Outcome
from imagegen.domain.ports import (
    ImageAnswer,
    ImageOrder,
    ImageProvider,
    Moderation,
    Moderator,
    ServedModels,
)
from imagegen.providers.faults import fault

REST_MS = 600_000
"""How long a refused key is not used by this instance: as long as a circuit stays open."""
SHORTEST_TRY_SECONDS = 1.0


def parse_keys(text: str) -> tuple[str, ...]:
    """Return the keys in ``key[,key...]``, in the order they are used, each once."""
    return tuple(dict.fromkeys(filter(None, (one.strip() for one in text.split(",")))))


def usable(until_ms: Sequence[int], *, now_ms: int) -> list[int]:
    """Return which keys to use, in order; every one when all are set aside.

    ``until_ms`` says of each key how long it is set aside. Whoever calls when none is left has
    been let through by the circuit to find out whether that is still so.
    """
    rested = [number for number, until in enumerate(until_ms) if until <= now_ms]
    return rested or list(range(len(until_ms)))


@dataclass(slots=True)
class Keychain[Client]:
    """One client for each key of a provider, and which of them are set aside."""

    provider: str
    clients: Sequence[Client]
    now_ms: Callable[[], int]
    on_set_aside: Callable[[str, int], None] = lambda _provider, _number: None
    """Told the provider and which of its keys, from 1, was refused."""
    _until_ms: list[int] = field(init=False)

    def __post_init__(self) -> None:
        self._until_ms = [0] * len(self.clients)

    def use[Answer](
        self, ask: Callable[[Client, float], Answer], *, timeout_seconds: float
    ) -> Answer:
        """Return what the first key that is accepted gets, within the time for all of them.

        Raises:
            ProviderError: ``ACCOUNT`` when every key was refused, else what one came to.
        """
        end_ms = self.now_ms() + int(timeout_seconds * 1000)
        refused = fault(self.provider, Outcome.ACCOUNT, "no key is set")
        for number in usable(self._until_ms, now_ms=self.now_ms()):
            left_seconds = (end_ms - self.now_ms()) / 1000
            if left_seconds < min(SHORTEST_TRY_SECONDS, timeout_seconds):
                raise fault(self.provider, Outcome.UNAVAILABLE, "no time left for its next key")
            try:
                return self._ask(number, ask, left_seconds)
            except ProviderError as error:
                if error.outcome is not Outcome.ACCOUNT:
                    raise
                refused = error
        raise refused

    def check(self, ask: Callable[[Client, float], None], *, timeout_seconds: float) -> None:
        """Return when a key is good; every key is asked, so that each is known.

        Raises:
            ProviderError: no key is good; ``ACCOUNT`` only when every one was refused.
        """
        found = [self._found(number, ask, timeout_seconds) for number in range(len(self.clients))]
        faults = [error for error in found if error is not None]
        if len(faults) < len(found):
            return
        unsure = (error for error in faults if error.outcome is not Outcome.ACCOUNT)
        refused = faults[-1] if faults else fault(self.provider, Outcome.ACCOUNT, "no key is set")
        raise next(unsure, refused)

    def _found(
        self, number: int, ask: Callable[[Client, float], None], timeout_seconds: float
    ) -> ProviderError | None:
        try:
            self._ask(number, ask, timeout_seconds / len(self.clients))
        except ProviderError as error:
            return error
        return None

    def _ask[Answer](
        self, number: int, ask: Callable[[Client, float], Answer], timeout_seconds: float
    ) -> Answer:
        try:
            answer = ask(self.clients[number], timeout_seconds)
        except ProviderError as error:
            if error.outcome is Outcome.ACCOUNT:
                self._until_ms[number] = self.now_ms() + REST_MS
                self.on_set_aside(self.provider, number + 1)
            raise
        self._until_ms[number] = 0
        return answer


@dataclass(frozen=True, slots=True)
class KeyedProvider:
    """An ``ImageProvider`` over several keys of one provider."""

    keys: Keychain[ImageProvider]

    def generate(self, order: ImageOrder, *, timeout_seconds: float) -> ImageAnswer:
        """Return the image that the first accepted key gets.

        Raises:
            ProviderError: ``ACCOUNT`` when every key was refused, else what the call came to.
        """
        return self.keys.use(
            lambda one, seconds: one.generate(order, timeout_seconds=seconds),
            timeout_seconds=timeout_seconds,
        )

    def check_key(self, *, timeout_seconds: float) -> None:
        """Return when one of the keys is good.

        Raises:
            ProviderError: ``ACCOUNT`` when every key is refused, else what went wrong.
        """
        self.keys.check(
            lambda one, seconds: one.check_key(timeout_seconds=seconds),
            timeout_seconds=timeout_seconds,
        )

    def models(self, *, timeout_seconds: float) -> ServedModels | None:
        """Return the models listed to the first accepted key.

        Raises:
            ProviderError: what went wrong.
        """
        return self.keys.use(
            lambda one, seconds: one.models(timeout_seconds=seconds),
            timeout_seconds=timeout_seconds,
        )


@dataclass(frozen=True, slots=True)
class KeyedModerator:
    """A ``Moderator`` over several keys."""

    keys: Keychain[Moderator]

    def check(self, prompt: str, *, timeout_seconds: float) -> Moderation:
        """Return the verdict that the first accepted key gets.

        Raises:
            ProviderError: there is no verdict.
        """
        return self.keys.use(
            lambda one, seconds: one.check(prompt, timeout_seconds=seconds),
            timeout_seconds=timeout_seconds,
        )
