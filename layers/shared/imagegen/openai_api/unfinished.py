"""The errors of a call whose image may still be made."""

from imagegen.domain.errors import ImagegenError, StillRunningError

RETRY_AFTER_SECONDS = 10
"""The wait between requests costs nothing. Both retries of an SDK together then take a minute."""


def not_recognised(error: ImagegenError) -> ImagegenError:
    """Return the error of a call that cannot be repeated: it would buy a second image."""
    new = type(error)(
        "The image may still be made and charged; GET /usage will list it. Sending this request "
        "again would buy another one. With an Idempotency-Key it would not."
    )
    new.retryable = False
    new.charged = error.charged
    return new


def still_running() -> StillRunningError:
    """Return the error while an earlier attempt of the call runs."""
    return StillRunningError(
        "The first attempt is still running. Send the same request again to get its result.",
        retry_after_seconds=RETRY_AFTER_SECONDS,
    )
