"""The permission of the circuits for one call, and the result that they record of it."""

from dataclasses import dataclass, replace

from imagegen.domain.breaker import EFFECTS, Circuit, Effect
from imagegen.domain.call_errors import ProviderError
from imagegen.domain.outcomes import Outcome


@dataclass(frozen=True, slots=True)
class Permit:
    """One circuit's permission for a call."""

    name: str
    circuit: Circuit
    is_probe: bool


@dataclass(frozen=True, slots=True)
class Result:
    """The result of one call, as the circuits that admitted it record it."""

    call_id: str
    user: str
    effect: Effect = Effect.NONE
    why: str = Outcome.NOT_CALLED
    retry_after_seconds: int = 0


def failed(result: Result, error: ProviderError) -> Result:
    """Return the result of a call that raised the error; a 429 without a wait is a failure."""
    effect, wait = EFFECTS[error.outcome], error.retry_after_seconds or 0
    if effect is Effect.REST and not wait:
        effect = Effect.FAILURE
    return replace(result, effect=effect, why=error.outcome, retry_after_seconds=wait)
