"""The possible outcomes of a call to a provider or an LLM; each adapter chooses one."""

from enum import StrEnum


class Outcome(StrEnum):
    """The outcome of one call that did not succeed.

    ``domain.breaker`` has the effect of each on a circuit.
    """

    UNAVAILABLE = "unavailable"
    """No connection, a 5xx or 529, broken image bytes, a 401 or 402 without a known code, or a
    success that says that the account is limited."""
    UNKNOWN = "unknown"
    """The request was sent and the answer was lost, also to a gateway that gave up waiting (504,
    524): it may have been billed."""
    RATE_LIMITED = "rate_limited"
    """A 429 for the rate of requests, not for missing credit."""
    ACCOUNT = "account"
    """By a known code of an error of the API itself: the key is refused, or the account lacks
    credit or access."""
    MODEL_GONE = "model_gone"
    """The provider works; this model is retired or not served."""
    REFUSED = "refused"
    """The provider's policy refused the prompt, whatever status and code it used."""
    BLOCKED = "blocked"
    """This request alone was stopped: by something in front of the API, such as a firewall, or by a
    403 that is about one model or one user."""
    NO_IMAGE = "no_image"
    """The provider answered in time, with neither an image nor words, or with an image that is too
    large."""
    BAD_PARAMETER = "bad_parameter"
    """A parameter of ours was refused: our bug."""
    NOT_CALLED = "not_called"
    """The circuit is open or the provider is not set up: nothing was sent."""


TRY_AGAIN = frozenset({Outcome.UNAVAILABLE, Outcome.UNKNOWN, Outcome.RATE_LIMITED})
"""After these, a later call may succeed."""
UNSOLD = frozenset({Outcome.UNAVAILABLE, Outcome.NO_IMAGE})
"""Those of an image that was made and is not sold, because what arrived of it is broken, lost or
not what was promised. Any other attempt with a loss is in doubt."""
