"""What all adapters use to read a provider's answer: JSON access, and the errors."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from email.utils import parsedate_to_datetime

from pydantic import SecretStr

from imagegen.domain.call_errors import ProviderError
from imagegen.domain.outcomes import Outcome
from imagegen.domain.ports import Json

MAX_RETRY_AFTER_SECONDS = 3600
MAX_COUNT = 1_000_000_000
"""Of tokens. A larger number is not a plausible count, and not every store can keep it."""

# The outcome of an HTTP status, for errors that the provider's own table does not describe better.
# docs/how-it-works.md, section Fallback, describes what follows from each outcome.
STATUS_OUTCOMES: Mapping[int, Outcome] = {
    # Without a known code it may be the account: it counts as one user's failure.
    401: Outcome.UNAVAILABLE,
    402: Outcome.UNAVAILABLE,
    # Without a known code it may be one model, or one user: it counts for nothing.
    403: Outcome.BLOCKED,
    404: Outcome.MODEL_GONE,
    408: Outcome.UNAVAILABLE,
    410: Outcome.MODEL_GONE,
    429: Outcome.RATE_LIMITED,
    451: Outcome.BLOCKED,
    499: Outcome.UNAVAILABLE,
    # A gateway gave up waiting for the provider, or got an answer that it could not read: the image
    # may have been made.
    504: Outcome.UNKNOWN,
    520: Outcome.UNKNOWN,
    524: Outcome.UNKNOWN,
}

# All error texts are our own, because a provider's text may repeat the prompt or the key.
MESSAGES: Mapping[Outcome, str] = {
    Outcome.UNAVAILABLE: "failed without an image",
    Outcome.UNKNOWN: "was called and its answer was lost",
    Outcome.RATE_LIMITED: "limits the rate",
    Outcome.ACCOUNT: "does not accept the key, or the account lacks credit or access",
    Outcome.MODEL_GONE: "no longer serves the model",
    Outcome.REFUSED: "refused the content",
    Outcome.BLOCKED: "let something stop this request, or does not allow it this model",
    Outcome.NO_IMAGE: "answered without an image",
    Outcome.BAD_PARAMETER: "did not accept a parameter",
}


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """A provider's answer, decoded; its ``repr`` shows only the status."""

    status: int
    headers: Mapping[str, str] = field(repr=False)
    """With lower-case names."""
    body: Json = field(repr=False)
    """``None`` when the body of an error is not JSON."""
    image: bytes = field(default=b"", repr=False)
    """The body itself, if it is an image instead of JSON."""
    is_page: bool = field(default=False, repr=False)
    """Whether the body is HTML or XML: something in front of the API wrote it."""


def outcome_of(status: int) -> Outcome:
    """Return the outcome of an HTTP status alone."""
    if status in STATUS_OUTCOMES:
        return STATUS_OUTCOMES[status]
    if status < 300:
        return Outcome.NO_IMAGE
    if status < 400:
        return Outcome.BLOCKED  # the API does not redirect
    return Outcome.BAD_PARAMETER if status < 500 else Outcome.UNAVAILABLE


def fault(provider: str, outcome: Outcome, detail: str | None = None) -> ProviderError:
    """Return the error for a call without a usable answer."""
    suffix = f" ({detail})" if detail else ""
    return ProviderError(provider, outcome, f"{provider} {MESSAGES[outcome]}{suffix}.")


def answered_fault(
    provider: str,
    outcome: Outcome,
    answer: HttpAnswer,
    *,
    code: Json = None,
    retry_after_seconds: int | None = None,
    advice: str = "",
) -> ProviderError:
    """Return the error for an answer, with the answer's status, code and Retry-After.

    ``advice`` is a sentence of ours for the operator.
    """
    return ProviderError(
        provider,
        outcome,
        f"{provider} {MESSAGES[outcome]} (HTTP {answer.status}). {advice}".rstrip(),
        provider_code=token(code),
        http_status=answer.status,
        retry_after_seconds=retry_after_seconds or parse_retry_after(answer.headers),
    )


def billed(error: ProviderError) -> ProviderError:
    """Return the error, marked as one that its vendor may bill: it may have worked for it."""
    error.is_billed = True
    return error


def unbilled(error: ProviderError) -> ProviderError:
    """Return the error of a vendor that bills no errors, marked so unless the answer was lost.

    A gateway may have given up on an order that the vendor accepted.
    """
    error.is_unbilled = error.outcome is not Outcome.UNKNOWN
    return error


def parse_retry_after(headers: Mapping[str, str]) -> int | None:
    """Return Retry-After in seconds, at most an hour, ``None`` when it is missing or invalid.

    A date is compared with the answer's own ``Date``, so that our clock does not matter
    (https://www.rfc-editor.org/rfc/rfc9110#name-retry-after).
    """
    milliseconds = headers.get("retry-after-ms", "").strip()
    if re.fullmatch(r"[0-9]{1,12}", milliseconds):  # OpenAI's, and finer than the standard header
        return bounded_seconds(int(milliseconds) / 1000)
    value = headers.get("retry-after", "").strip()
    if re.fullmatch(r"[0-9]{1,9}(\.[0-9]+)?", value):
        return bounded_seconds(float(value))
    until, now = _parse_date(value), _parse_date(headers.get("date", ""))
    return bounded_seconds((until - now).total_seconds()) if until and now else None


def bounded_seconds(seconds: float) -> int:
    """Return whole seconds between 0 and an hour, rounded up."""
    return min(max(0, -int(-seconds // 1)), MAX_RETRY_AFTER_SECONDS)


def token(value: Json) -> str | None:
    """Return a vendor's code or id, ``None`` if the value does not look like one.

    A sentence does not pass, so a vendor's message never gets into our errors and logs.
    """
    if isinstance(value, str) and re.fullmatch(r"[A-Za-z0-9_.:-]{1,80}", value):
        return value
    return None


def dig(value: Json, *path: str | int) -> Json:
    """Return the value at the path, ``None`` if the JSON has another shape."""
    for step in path:
        if isinstance(step, str) and isinstance(value, Mapping):
            value = value.get(step)
        elif isinstance(step, int) and isinstance(value, list) and len(value) > step:
            value = value[step]
        else:
            return None
    return value


def values_at(value: Json, paths: Iterable[Sequence[str | int]]) -> list[Json]:
    """Return the values at those of the paths where there is one, in the order of the paths."""
    found = [dig(value, *path) for path in paths]
    return [one for one in found if one is not None]


def text_at(value: Json, *path: str | int) -> str:
    """Return the string at the path, an empty one if there is none."""
    found = dig(value, *path)
    return found if isinstance(found, str) else ""


def items_at(value: Json, *path: str | int) -> list[Json]:
    """Return the list at the path, an empty one if there is none."""
    found = dig(value, *path)
    return found if isinstance(found, list) else []


def day_in(text: str) -> date | None:
    """Return the ISO date at the start of the text, ``None`` if there is none."""
    try:
        return date.fromisoformat(text[:10])
    except ValueError:
        return None


def counts_at(value: Json, names: Mapping[str, str], *path: str | int) -> dict[str, int] | None:
    """Return the counts at the path under our own names, ``None`` if there are none.

    ``names`` maps the vendor's field names to ours.
    """
    found = {ours: dig(value, *path, theirs) for theirs, ours in names.items()}
    counts = {ours: count for ours, count in found.items() if type(count) is int}
    return {ours: count for ours, count in counts.items() if 0 <= count <= MAX_COUNT} or None


def with_part(usage: dict[str, int] | None, name: str, count: Json) -> dict[str, int] | None:
    """Return the counts with one that is part of another; a part of zero is left out."""
    if usage and type(count) is int and 0 < count <= MAX_COUNT:
        return {**usage, name: count}
    return usage


def key_text(provider: str, api_key: SecretStr) -> str:
    """Return the key, without spaces around it, as text for a header.

    Raises:
        ProviderError: a header cannot contain the key. The HTTP client's own error would quote it.
    """
    key = api_key.get_secret_value().strip()
    if not re.fullmatch(r"[!-~]+", key):
        raise fault(provider, Outcome.ACCOUNT, "the key is empty or not plain ASCII")
    return key


def bearer(provider: str, api_key: SecretStr) -> dict[str, str]:
    """Return the Authorization header with the key (RFC 6750).

    Raises:
        ProviderError: a header cannot contain the key.
    """
    return {"Authorization": f"Bearer {key_text(provider, api_key)}"}


def raise_if(error: ProviderError | None) -> None:
    """Raise the error that an adapter's ``classify`` returned, if any.

    Raises:
        ProviderError: ``error`` is not ``None``.
    """
    if error:
        raise error


def _parse_date(value: str) -> datetime | None:
    try:
        parsed = parsedate_to_datetime(value)
    except (ValueError, OverflowError):
        return None
    return parsed.replace(tzinfo=parsed.tzinfo or UTC)
