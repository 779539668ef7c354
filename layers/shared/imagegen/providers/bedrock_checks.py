"""Moderation by Amazon Bedrock's guardrail checks, which need no guardrail and no key.

https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_InvokeGuardrailChecks.html. The
answer has a severity for each category and no verdict: the threshold is ours. The checks read text
only, and AWS bills them by units of text.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from imagegen.domain.call_errors import ProviderError
from imagegen.domain.inputs import InputFile
from imagegen.domain.outcomes import Outcome
from imagegen.domain.ports import Moderation
from imagegen.providers import RoleAccess
from imagegen.providers.bedrock import classify
from imagegen.providers.bedrock_client import NAME, RUNTIME, BedrockClient
from imagegen.providers.faults import (
    HttpAnswer,
    answered_fault,
    dig,
    items_at,
    raise_if,
    text_at,
)
from imagegen.providers.http import JsonHttp
from imagegen.providers.input_files import cannot_send

CATEGORIES = ("VIOLENCE", "HATE", "SEXUAL", "MISCONDUCT", "INSULTS")
"""All that the API has (botocore 1.43.126)."""
FLAGGED_FROM = 0.5
"""The severity, between 0 and 1, from which a category is flagged; docs/decisions.md."""


@dataclass(frozen=True, slots=True)
class BedrockModerator:
    """Checks prompts with Bedrock's content filter."""

    http: JsonHttp
    access: RoleAccess
    endpoint: str

    @property
    def reads_pictures(self) -> bool:
        """Whether pictures can be checked."""
        return False

    def check(
        self, prompt: str, pictures: Sequence[InputFile] = (), *, timeout_seconds: float
    ) -> Moderation:
        """Return the verdict on the prompt.

        Raises:
            ProviderError: there is no verdict on a part of it; ``NOT_CALLED`` with pictures.
        """
        if pictures:
            raise cannot_send(NAME, "its checks read no pictures")
        client = BedrockClient(self.http, self.access, self.endpoint)
        answer = client.call(
            RUNTIME,
            "invoke_guardrail_checks",
            timeout_seconds=timeout_seconds,
            messages=[{"role": "user", "content": [{"text": prompt}]}],
            checks={"contentFilter": {"categories": [{"category": one} for one in CATEGORIES]}},
        )
        return verdict_from(answer)


def build(access: RoleAccess, endpoint: str) -> BedrockModerator:
    """Return the moderator."""
    return BedrockModerator(JsonHttp(NAME), access, endpoint)


def verdict_from(answer: HttpAnswer) -> Moderation:
    """Return the verdict, with the names of the flagged categories in small letters.

    Raises:
        ProviderError: the answer is an error, or lacks the severity of a category.
    """
    raise_if(classify(answer))
    severities = _severities(answer)
    if not severities.keys() >= set(CATEGORIES):
        raise _no_verdict(answer)
    names = sorted(name.lower() for name, one in severities.items() if one >= FLAGGED_FROM)
    return Moderation(bool(names), tuple(names))


def _severities(answer: HttpAnswer) -> Mapping[str, float]:
    found: dict[str, float] = {}
    for one in items_at(answer.body, "results", "contentFilter", "results"):
        category, severity = text_at(one, "category"), dig(one, "severityScore")
        if isinstance(severity, bool) or not isinstance(severity, int | float):
            raise _no_verdict(answer)
        if not 0 <= severity <= 1:
            raise _no_verdict(answer)
        found[category] = max(severity, found.get(category, 0))
    return found


def _no_verdict(answer: HttpAnswer) -> ProviderError:
    return answered_fault(NAME, Outcome.UNAVAILABLE, answer)
