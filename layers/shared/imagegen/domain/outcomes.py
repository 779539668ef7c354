"""What calling a provider or an LLM may come to; each adapter says which of these it was."""

from enum import StrEnum


class Outcome(StrEnum):
    """What one call to a provider came to.

    What each does to a circuit is in ``domain.breaker``.
    """

    UNAVAILABLE = "unavailable"
    """No connection, 5xx, 529, an answer without an image, broken bytes."""
    UNKNOWN = "unknown"
    """The request went out and the answer did not come: it may have been billed."""
    RATE_LIMITED = "rate_limited"
    """429 for the rate, not for money."""
    ACCOUNT = "account"
    """The key is refused, the account is out of credit, or access is not granted."""
    MODEL_GONE = "model_gone"
    """The provider works; this model is retired or not served."""
    REFUSED = "refused"
    """Refused by policy, in whatever disguise."""
    BAD_PARAMETER = "bad_parameter"
    """A parameter of ours was refused: our bug."""
    NOT_CALLED = "not_called"
    """The circuit is open or the provider is not set up: nothing was sent."""


TRY_AGAIN = frozenset({Outcome.UNAVAILABLE, Outcome.UNKNOWN, Outcome.RATE_LIMITED})
"""After these a later call may do better."""
