"""One vocabulary for what providers answer: the answer, the fault, and how to read JSON safely."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from email.utils import parsedate_to_datetime

from pydantic import SecretStr

from imagegen.domain.errors import ProviderError
from imagegen.domain.outcomes import Outcome
from imagegen.domain.ports import Json

MAX_RETRY_AFTER_SECONDS = 3600
MAX_COUNT = 1_000_000_000
"""Of tokens: what is more is no count, and no number that every store can keep."""

# What a status means where the provider's own table has no better word for it. What follows from
# each outcome: docs/how-it-works.md, Fallback.
STATUS_OUTCOMES: Mapping[int, Outcome] = {
    401: Outcome.ACCOUNT,
    402: Outcome.ACCOUNT,
    403: Outcome.ACCOUNT,
    404: Outcome.MODEL_GONE,
    408: Outcome.UNAVAILABLE,
    410: Outcome.MODEL_GONE,
    429: Outcome.RATE_LIMITED,
    499: Outcome.UNAVAILABLE,
}

# Ours, word for word: a provider's text may repeat the prompt or the key.
MESSAGES: Mapping[Outcome, str] = {
    Outcome.UNAVAILABLE: "failed without an image",
    Outcome.UNKNOWN: "was asked and its answer was lost",
    Outcome.RATE_LIMITED: "limits the rate",
    Outcome.ACCOUNT: "does not accept the key, or the account lacks credit or access",
    Outcome.MODEL_GONE: "no longer serves the model",
    Outcome.REFUSED: "refused the content",
    Outcome.BAD_PARAMETER: "did not accept a parameter",
}


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """A provider's answer, decoded; its ``repr`` shows the status alone."""

    status: int
    headers: Mapping[str, str] = field(repr=False)
    """With lower-case names."""
    body: Json = field(repr=False)
    """``None`` where an error came without JSON."""


def outcome_of(status: int) -> Outcome:
    """Return what the HTTP status says by itself."""
    if status in STATUS_OUTCOMES:
        return STATUS_OUTCOMES[status]
    return Outcome.BAD_PARAMETER if 400 <= status < 500 else Outcome.UNAVAILABLE


def fault(provider: str, outcome: Outcome, detail: str | None = None) -> ProviderError:
    """Return the error for something that came without a usable answer."""
    suffix = f" ({detail})" if detail else ""
    return ProviderError(provider, outcome, f"{provider} {MESSAGES[outcome]}{suffix}.")


def answered_fault(
    provider: str,
    outcome: Outcome,
    answer: HttpAnswer,
    *,
    code: Json = None,
    retry_after_seconds: int | None = None,
) -> ProviderError:
    """Return the error for an answer, with its status, code and Retry-After."""
    return ProviderError(
        provider,
        outcome,
        f"{provider} {MESSAGES[outcome]} (HTTP {answer.status}).",
        provider_code=token(code),
        http_status=answer.status,
        retry_after_seconds=retry_after_seconds or parse_retry_after(answer.headers),
    )


def parse_retry_after(headers: Mapping[str, str]) -> int | None:
    """Return Retry-After in seconds, at most an hour.

    A date counts from the answer's own ``Date``, so that our clock has no part in it
    (https://www.rfc-editor.org/rfc/rfc9110#name-retry-after).
    """
    value = headers.get("retry-after", "").strip()
    if re.fullmatch(r"[0-9]{1,9}(\.[0-9]+)?", value):
        return bounded_seconds(float(value))
    until, now = _parse_date(value), _parse_date(headers.get("date", ""))
    return bounded_seconds((until - now).total_seconds()) if until and now else None


def bounded_seconds(seconds: float) -> int:
    """Return whole seconds between 0 and an hour, rounded up."""
    return min(max(0, -int(-seconds // 1)), MAX_RETRY_AFTER_SECONDS)


def token(value: Json) -> str | None:
    """Return a vendor's code or id when it looks like one: a sentence is none."""
    if isinstance(value, str) and re.fullmatch(r"[A-Za-z0-9_.:-]{1,80}", value):
        return value
    return None


def dig(value: Json, *path: str | int) -> Json:
    """Return what stands at the path, or ``None`` where the JSON is of another shape."""
    for step in path:
        if isinstance(step, str) and isinstance(value, Mapping):
            value = value.get(step)
        elif isinstance(step, int) and isinstance(value, list) and len(value) > step:
            value = value[step]
        else:
            return None
    return value


def text_at(value: Json, *path: str | int) -> str:
    """Return the string at the path, or an empty one."""
    found = dig(value, *path)
    return found if isinstance(found, str) else ""


def items_at(value: Json, *path: str | int) -> list[Json]:
    """Return the list at the path, or an empty one."""
    found = dig(value, *path)
    return found if isinstance(found, list) else []


def day_in(text: str) -> date | None:
    """Return the day that a text begins with, or ``None`` where it begins with none."""
    try:
        return date.fromisoformat(text[:10])
    except ValueError:
        return None


def counts_at(value: Json, names: Mapping[str, str], *path: str | int) -> dict[str, int] | None:
    """Return what is counted at the path under our names for it, or ``None`` without any."""
    found = {ours: dig(value, *path, theirs) for theirs, ours in names.items()}
    counts = {ours: count for ours, count in found.items() if type(count) is int}
    return {ours: count for ours, count in counts.items() if 0 <= count <= MAX_COUNT} or None


def key_text(provider: str, api_key: SecretStr) -> str:
    """Return the key as a header can carry it.

    Raises:
        ProviderError: it cannot; the HTTP client's own error would quote it.
    """
    key = api_key.get_secret_value().strip()
    if not re.fullmatch(r"[!-~]+", key):
        raise fault(provider, Outcome.ACCOUNT, "the key is empty or not plain ASCII")
    return key


def _parse_date(value: str) -> datetime | None:
    try:
        parsed = parsedate_to_datetime(value)
    except (ValueError, OverflowError):
        return None
    return parsed.replace(tzinfo=parsed.tzinfo or UTC)
