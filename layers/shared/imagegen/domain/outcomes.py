"""The possible outcomes of a call to a provider or an LLM; each adapter chooses one."""

from enum import StrEnum


class Outcome(StrEnum):
    """The outcome of one call that did not succeed.

    ``domain.breaker`` has the effect of each on a circuit.
    """

    UNAVAILABLE = "unavailable"
    """No connection, a 5xx or 529, an answer without an image, or broken bytes."""
    UNKNOWN = "unknown"
    """The request was sent and the answer was lost: it may have been billed."""
    RATE_LIMITED = "rate_limited"
    """A 429 for the rate of requests, not for missing credit."""
    ACCOUNT = "account"
    """The key is refused, the account is out of credit, or access is not granted."""
    MODEL_GONE = "model_gone"
    """The provider works; this model is retired or not served."""
    REFUSED = "refused"
    """The provider's policy refused the prompt, whatever status and code it used."""
    BAD_PARAMETER = "bad_parameter"
    """A parameter of ours was refused: our bug."""
    NOT_CALLED = "not_called"
    """The circuit is open or the provider is not set up: nothing was sent."""


TRY_AGAIN = frozenset({Outcome.UNAVAILABLE, Outcome.UNKNOWN, Outcome.RATE_LIMITED})
"""After these, a later call may succeed."""
